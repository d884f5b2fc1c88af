"""The form of StudyLab: the menu of studies, their controls and their cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ipywidgets import HTML, Box, VBox

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.core.numbers import count_text, duration_text, size_text
from tl_widgets.studies.registry import STUDIES, find_study
from tl_widgets.studies.study import GROUPS, Plan
from tl_widgets.widgets.shared.cells import close_tree
from tl_widgets.widgets.shared.costs import has_local_weights, too_large
from tl_widgets.widgets.shared.fields import menu_widget
from tl_widgets.widgets.shared.form import Form, group_box
from tl_widgets.widgets.shared.html import escape
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.source import DataSource
from tl_widgets.widgets.studies.settings import StudySettings, controls_of


class StudyForm(Form[StudySettings]):
    """The controls of a study; without a menu if `studies` has only one name.

    Raises:
        InputError: the data set of the settings does not exist or has too few images.
    """

    def __init__(self, settings: StudySettings, studies: Sequence[str], source: DataSource) -> None:
        super().__init__(settings, source)
        self._seconds: float | None = None
        self._last_settings: dict[str, StudySettings] = {}
        self.menu = menu_widget("Study", "The question", [(STUDIES[name].question, name) for name in studies])
        self.menu.value = settings.study
        self.menu.observe(lambda change: self.choose(change["new"]), "value")
        self._lead, self._groups = HTML(), Box()
        self._groups.add_class("tlw-groups")
        menu = [self.menu] if len(studies) > 1 else []
        if not menu:
            close_tree(self.menu)
        self.children = [*menu, self._lead, self.problem, self._groups]
        for name in ("tlw-panel", "tlw-study-form"):
            self.add_class(name)
        self._build()

    @property
    def plan(self) -> Plan:
        """The work that the settings ask for."""
        return STUDIES[self._settings.study].plan(self._settings.arguments, self._facts(self._settings))

    def show_seconds(self, known: float | None) -> None:
        """Show the estimated seconds of a run; None if there is no estimate."""
        self._seconds = known
        self._show_lines()

    def choose(self, study: str) -> None:
        """Switch to a study, with the last values of its controls."""
        with self._lock:
            if self._field_update.is_active or study == self._settings.study:
                return
            self._last_settings[self._settings.study] = self._settings
            self._settings = self._last_settings.get(study) or first_settings(study, self._source)
            self._after_change()

    def _after_change(self) -> None:
        if self._built != self._settings.study:
            self._build()
        super()._after_change()

    def _build(self) -> None:
        """Replace the controls with those of the chosen study."""
        old, self._built = self._groups.children, self._settings.study
        controls = controls_of(self._built)
        self._make_fields(controls)
        self._cost = HTML()
        self._lead.value = f'<p class="tlw-lead">{escape(STUDIES[self._built].lead)}</p>'
        self._show()
        groups = {
            title: [self.control(control.name) for control in controls if control.group == title] for title in GROUPS
        }
        boxes = [group_box(title, VBox(widgets)) for title, widgets in groups.items() if widgets]
        self._groups.children = [*boxes, group_box("This study", VBox([self._cost]))]
        for child in old:
            close_tree(child)

    def _images(self, settings: StudySettings) -> LabSettings:
        return images_of(settings, self._source)

    def _images_requested(self, settings: StudySettings) -> int:
        return settings.arguments.most_per_class

    def _fitted(self, settings: StudySettings) -> StudySettings:
        return _fitted(settings, self._source)

    def _show_fields(self) -> None:
        if self.menu.comm is not None:
            self.menu.value = self._settings.study
        super()._show_fields()

    def _show_enabled(self) -> None:
        super()._show_enabled()
        self.menu.disabled = not self._enabled

    def _show_lines(self) -> None:
        self._cost.value = "".join(f'<p class="tlw-cost">{line}</p>' for line in self._cost_lines())

    def _cost_lines(self) -> list[str]:
        plan, facts = self.plan, self._facts(self._settings)
        unknown = "the first run shows how long it takes"
        time = (
            unknown
            if self._seconds is None
            else f"about <b>{duration_text(self._seconds)}</b>, judging by the last run"
        )
        lines = [f"<b>{count_text(plan.n_models)} models</b>: {escape(plan.text)}; {time}."]
        if facts.n_bytes:
            lines.append(f"{escape(facts.name)} must be downloaded first ({size_text(facts.n_bytes)}).")
        backbone = self._settings.values.get("backbone")
        if backbone is not None and not has_local_weights(find_backbone(backbone)):
            lines.append(f"The weights of {escape(backbone)} are not on this machine and must be downloaded.")
        if backbone is not None and (warning := too_large(backbone, self._images(self._settings).image_size)):
            lines.append(escape(warning))
        return lines


def images_of(settings: StudySettings, source: DataSource) -> LabSettings:
    """Return the images that a study uses, which may be the learner's own."""
    own, images = source.own, settings.arguments.image_settings
    if own is not None and STUDIES[settings.study].brings_images:
        return LabSettings(dataset=own.name, image_size=own.image_size)
    return LabSettings(images.dataset, images.image_size, images.n_per_class)


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
