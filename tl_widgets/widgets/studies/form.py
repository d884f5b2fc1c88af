"""The form of StudyLab: the cards of the studies, their controls and their cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ipywidgets import HTML, Dropdown, HBox, VBox, Widget

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.core.html import Markup
from tl_widgets.core.numbers import count_text, rough_duration, size_text
from tl_widgets.core.settings import settings_of
from tl_widgets.core.translation import _
from tl_widgets.studies.arguments import GROUPS
from tl_widgets.studies.registry import STUDIES, find_study
from tl_widgets.studies.study import Plan
from tl_widgets.widgets.shared.cells import close_tree
from tl_widgets.widgets.shared.costs import DataFacts, has_local_weights, too_large
from tl_widgets.widgets.shared.form import Form, group_box
from tl_widgets.widgets.shared.html import escape
from tl_widgets.widgets.shared.picture import Picture
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.source import DataSource
from tl_widgets.widgets.studies.cards import StudyCards, of_topic, pace_buttons
from tl_widgets.widgets.studies.seconds import StudyEstimator, images_of
from tl_widgets.widgets.studies.settings import StudySettings, controls_of

_PACES = {"quick": _("Quick"), "thorough": _("Thorough")}


class StudyForm(Form[StudySettings]):
    """The controls of a study. Only those that aren't in view all the time are its children.

    Attributes:
        cards: the menu of topics and studies.
        paces: Quick and Thorough, which set the controls that the study's cost depends on.
        front: the controls that are in view all the time.
        lead, cost: what the chosen study does, and what it costs.

    Args:
        settings: the initial settings.
        studies: the studies to offer.
        source: provides the images.
        estimator: estimates the seconds of a run.

    Raises:
        InputError: the data set of the settings does not exist or has too few images.
    """

    def __init__(
        self, settings: StudySettings, studies: Sequence[str], source: DataSource, estimator: StudyEstimator
    ) -> None:
        super().__init__(settings, source)
        self._studies, self._estimator = tuple(studies), estimator
        self._last_settings: dict[str, StudySettings] = {}
        self._last_study: dict[str, str] = {}  # by topic
        self._groups: list[Widget] = []
        self.cards, self.paces, self.front = StudyCards(), Picture(), HBox()
        self.cards.on_click(self._choose_card)
        if len(self._studies) == 1:
            close_tree(self.cards)  # not on the screen, so closing the app would not close it
        self.paces.on_click(self.choose_pace)
        self.lead, self.cost = HTML(), HTML()
        self.front.add_class("tlw-front")
        for name in ("tlw-panel", "tlw-study-form"):
            self.add_class(name)
        self._build()

    @property
    def plan(self) -> Plan:
        """The work that the settings ask for."""
        return self._plan(self._settings)

    @property
    def facts(self) -> DataFacts:
        """What is known about the images."""
        return self._facts(self._settings)

    def _plan(self, settings: StudySettings) -> Plan:
        return STUDIES[settings.study].plan(settings.arguments, self._facts(settings))

    def show_cost(self) -> None:
        """Show the cost again, because another run was timed."""
        with self._lock:
            self._show_lines()

    def choose(self, study: str) -> None:
        """Switch to a study, with the last values of its controls."""
        with self._lock:
            if not self._enabled or study not in self._studies or study == self._settings.study:
                return
            self._last_settings[self._settings.study] = self._settings
            self._settings = self._settings_of(study)
            self._after_change()

    def remember(self, settings: StudySettings) -> StudySettings:
        """Let a study have these settings, fitted to its images, when it is chosen next; return them.

        Raises:
            InputError: its data set does not exist.
        """
        with self._lock:
            fitted = self._last_settings[settings.study] = self._fitted(settings)
            return fitted

    def _choose_card(self, key: str) -> None:
        """Switch to a study, or to the one of a topic that was chosen last."""
        topic = key.removeprefix("topic:")
        self.choose(key if topic == key else self._last_study.get(topic) or of_topic(topic, self._studies)[0])

    def choose_pace(self, pace: str) -> None:
        """Set the controls as "quick" or "thorough" has them."""
        if self._enabled and pace in _PACES:
            self.settings = self._at_pace(pace)

    def _settings_of(self, study: str) -> StudySettings:
        """Return the settings that a study has, or had before another was chosen, or has first."""
        if study == self._settings.study:
            return self._settings
        if study not in self._last_settings:
            self._last_settings[study] = first_settings(study, self._source)
        return self._last_settings[study]

    def _at_pace(self, pace: str) -> StudySettings:
        study = STUDIES[self._settings.study]
        values = study.quick
        if pace == "thorough":
            defaults = settings_of(study.arguments)
            values = {name: defaults[name].default for name in study.quick}
        return self._fitted(self._settings.with_values(values))

    def _after_change(self) -> None:
        if self._built != self._settings.study:
            self._build()
        super()._after_change()

    def _build(self) -> None:
        """Replace the controls with those of the chosen study."""
        old: list[Widget] = [*self._groups, *self.front.children]
        self._built = self._settings.study
        self._last_study[STUDIES[self._built].topic] = self._built
        study, controls = STUDIES[self._built], controls_of(self._built)
        self._make_fields(controls)
        self.lead.value = Markup('<p class="tlw-lead"><b>{}</b> {}</p>').format(study.question, study.lead)
        self._show()
        front = [control.name for control in controls if control.name in study.front]
        groups = {
            title: [
                self.control(control.name)
                for control in controls
                if control.group == title and control.name not in front
            ]
            for title in GROUPS
        }
        for field in self.fields.values():
            if isinstance(field.widget, Dropdown):
                field.widget.add_class("tlw-stacked")  # its texts are long
        self.front.children = [self.control(name) for name in front]
        self._groups = [group_box(title, VBox(widgets)) for title, widgets in groups.items() if widgets]
        self.children = self._groups
        for child in old:
            close_tree(child)

    def _images(self, settings: StudySettings) -> LabSettings:
        return images_of(settings, self._source)

    def _images_requested(self, settings: StudySettings) -> int:
        return settings.arguments.most_per_class

    def _fitted(self, settings: StudySettings) -> StudySettings:
        return _fitted(settings, self._source)

    def _show_enabled(self) -> None:
        super()._show_enabled()
        self._show_choices()

    def _show_choices(self) -> None:
        """Show the cards and Quick and Thorough."""
        if len(self._studies) > 1:
            studies = of_topic(STUDIES[self._settings.study].topic, self._studies)
            costs = {name: self._card_cost(self._settings_of(name)) for name in studies}
            self.cards.show(costs, self._settings.study, enabled=self._enabled)
        if not STUDIES[self._settings.study].quick:
            self.paces.markup = ""
            return
        settings = {pace: self._at_pace(pace) for pace in _PACES}
        chosen = next((pace for pace, at in settings.items() if at == self._settings), "")
        paces = [(pace, title, self._seconds_text(settings[pace])) for pace, title in _PACES.items()]
        self.paces.markup = pace_buttons(paces, chosen, enabled=self._enabled)

    def _card_cost(self, settings: StudySettings) -> str:
        seconds = self._seconds_text(settings)
        n = self._plan(settings).n_models
        if not seconds:
            return _("{n:,} models", n=n)
        return _("{n:,} models, {seconds}", n=n, seconds=seconds)

    def _seconds_text(self, settings: StudySettings) -> str:
        seconds = self._estimator.seconds(settings)
        return "" if seconds is None else f"~{rough_duration(seconds)}"

    def _show_lines(self) -> None:
        self.cost.value = "".join(f'<p class="tlw-cost">{line}</p>' for line in self._cost_lines())
        self._show_choices()

    def _cost_lines(self) -> list[str]:
        plan, facts = self.plan, self.facts
        seconds, time = self._estimator.seconds(self._settings), _("the first run shows how long it takes")
        if seconds is not None:
            time = _("about <b>{seconds}</b>", seconds=rough_duration(seconds))
            if self._estimator.seconds_by_last_run(self._settings) is not None:
                time += _(", judging by the last run")
        lines = [
            _(
                "<b>{n_models} models</b>: {plan_text}; {time}.",
                n_models=count_text(plan.n_models),
                plan_text=escape(plan.text),
                time=time,
            )
        ]
        if facts.n_bytes:
            lines.append(
                _(
                    "{facts_name} must be downloaded first ({n_bytes}).",
                    facts_name=escape(facts.name),
                    n_bytes=size_text(facts.n_bytes),
                )
            )
        backbone = self._settings.values.get("backbone")
        if backbone is not None and not has_local_weights(find_backbone(backbone)):
            lines.append(
                _(
                    "The weights of {backbone} are not on this machine and must be downloaded.",
                    backbone=escape(backbone),
                )
            )
        if backbone is not None and (warning := too_large(backbone, self._images(self._settings).image_size)):
            lines.append(escape(warning))
        return lines


def first_settings(study: str, source: DataSource) -> StudySettings:
    """Return the initial settings of a study.

    Raises:
        InputError: no study has this name.
    """
    own, values = source.own, dict[str, Any]()
    if own is not None and not find_study(study).brings_images:
        values = {"dataset": own.name, "image_size": own.image_size}
    return _fitted(StudySettings(study, values), source)


def _fitted(settings: StudySettings, source: DataSource) -> StudySettings:
    """Reduce the number of images per class to what the data set has."""
    return settings.fitted(source.facts(images_of(settings, source)).max_per_class)
