"""StudyForm: a menu of studies, the controls of the chosen one, and what it will cost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ipywidgets import HTML, Box, VBox, Widget

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import count_text, duration_text, size_text
from tl_widgets.studies.registry import STUDIES
from tl_widgets.widgets.shared.backbone_choice import backbone_menu
from tl_widgets.widgets.shared.cells import close_tree
from tl_widgets.widgets.shared.controls import choice, read_per_class, set_options, show_per_class
from tl_widgets.widgets.shared.costs import DataFacts, is_here, too_large
from tl_widgets.widgets.shared.fields import Quiet
from tl_widgets.widgets.shared.html import alert, escape
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.source import DataSource
from tl_widgets.widgets.studies.fields import Field
from tl_widgets.widgets.studies.panels import PANELS, Plan
from tl_widgets.widgets.studies.settings import StudySettings

_GROUPS = ("Images", "Models")


class StudyForm(VBox):
    """Controls that hold the settings of a study, and tell whoever follows them.

    Args:
        settings: what they show first.
        studies: names of those to choose from; with one there is no menu.
        source: of the images.

    Raises:
        InputError: the data set of the settings does not exist, or has not so many images.
    """

    def __init__(self, settings: StudySettings, studies: Sequence[str], source: DataSource) -> None:
        self._source = source
        self._followers: list[Callable[[StudySettings], None]] = []
        self._lock = threading.RLock()  # see Quiet: a field of a study that is just being built may be moved meanwhile
        self._quiet = Quiet()
        self._enabled = True
        self._seconds: float | None = None
        self._kept: dict[str, StudySettings] = {}
        self._settings = self._checked(settings)
        self._widgets: dict[str, Widget] = {}
        self.menu = choice("Study", "The question", [(STUDIES[name].question, name) for name in studies])
        self.menu.value = settings.study
        self.menu.observe(lambda change: self.choose(change["new"]), "value")
        self._lead, self.problem, self._groups = HTML(), HTML(), Box()
        self._groups.add_class("tlw-groups")
        menu = [self.menu] if len(studies) > 1 else []
        if not menu:
            close_tree(self.menu)
        super().__init__([*menu, self._lead, self.problem, self._groups])
        for name in ("tlw-panel", "tlw-study-form"):
            self.add_class(name)
        self._build()

    @property
    def settings(self) -> StudySettings:
        """What the controls say; setting it moves them."""
        return self._settings

    @settings.setter
    def settings(self, settings: StudySettings) -> None:
        with self._lock:
            is_other = settings.study != self._settings.study
            self._settings = self._checked(settings)
            if is_other:
                self._build()
            self._after_change()

    @property
    def enabled(self) -> bool:
        """Whether the controls can be moved."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._enabled = enabled
        self._show_enabled()

    def control(self, name: str) -> Widget:
        """The widget of one control of the chosen study.

        Raises:
            InputError: there is no such control.
        """
        if name not in self._widgets:
            raise InputError(f"There is no control {name!r} here; there are {', '.join(self._widgets)}.")
        return self._widgets[name]

    def follow(self, listener: Callable[[StudySettings], None]) -> None:
        """Call a function with the settings, now and after every change."""
        self._followers.append(listener)
        listener(self._settings)

    @property
    def plan(self) -> Plan:
        """What the settings come to."""
        return PANELS[self._settings.study].plan(self._settings.values, self._facts(self._settings))

    def show_seconds(self, known: float | None) -> None:
        """Say what a run takes.

        Args:
            known: an estimate; None where there is none.
        """
        self._seconds = known
        self._cost.value = self._cost_line()

    def _fields(self) -> tuple[Field, ...]:
        return PANELS[self._settings.study].fields

    def _facts(self, settings: StudySettings) -> DataFacts:
        return self._source.facts(images_of(settings, self._source))

    def _checked(self, settings: StudySettings) -> StudySettings:
        images = images_of(settings, self._source)
        most, name = self._facts(settings).max_per_class, images.dataset
        wanted = [settings.values.get("n_per_class") or 0, *settings.values.get("sizes", ())]
        if max(wanted) > most:
            raise InputError(
                f"{name} has {most} training images for its scarcest class; {max(wanted)} of each class were asked "
                f"for. Ask for at most {most}."
            )
        own = self._source.own
        if own is not None and images.image_size != own.image_size:
            raise InputError(
                f"The images of {name} have {own.image_size} pixels a side; the settings ask for "
                f"{images.image_size}. Load the data set with the size that you want."
            )
        return settings

    def choose(self, study: str) -> None:
        """Turn to a study, with the values that its controls had.

        Args:
            study: one of those that are offered.
        """
        with self._lock:
            if self._quiet.is_on or study == self._settings.study:
                return
            self._kept[self._settings.study] = self._settings
            self._settings = self._kept.get(study) or first_settings(study, self._source)
            self._build()
            self._after_change()

    def _build(self) -> None:
        """Make the controls of the chosen study in place of those of the one before."""
        old = self._groups.children
        self._widgets = {each.name: each.build() for each in self._fields()}
        self._cost = HTML()
        fields = {title: self._those_of(title) for title in _GROUPS}
        groups = [_group(title, some) for title, some in fields.items() if some]
        for each in self._fields():
            widget = self._widgets[each.name]
            widget.observe(lambda change, each=each: self._changed(each, change["owner"], change["new"]), "value")
        self._lead.value = f'<p class="tlw-lead">{escape(PANELS[self._settings.study].lead)}</p>'
        self._show()
        self._groups.children = [*groups, _group("This study", [self._cost])]
        for child in old:
            close_tree(child)

    def _those_of(self, group: str) -> list[Widget]:
        return [self._widgets[each.name] for each in self._fields() if each.group == group]

    def _changed(self, each: Field, widget: Any, shown: Any) -> None:
        with self._lock:
            # A widget that is not there any more has waited while the controls of another study took its place.
            if self._quiet.is_on or not any(widget is now for now in self._widgets.values()):
                return
            try:
                is_count = each.name == "n_per_class"
                values: Mapping[str, Any] = {each.name: read_per_class(widget, shown) if is_count else each.read(shown)}
                settings = self._settings.with_values(values)
                self._settings = self._checked(_fitted(settings, self._source) if each.name == "dataset" else settings)
            except InputError as error:
                self.problem.value = alert(str(error))
                self._show()  # back to what holds
                return
            self._after_change()

    def _after_change(self) -> None:
        self.problem.value = ""
        self._show()
        for listener in self._followers:
            listener(self._settings)

    def _show(self) -> None:
        """Bring every control to what the settings say."""
        with self._quiet:
            if self.menu.comm is not None:
                self.menu.value = self._settings.study
            if "dataset" in self._widgets:
                set_options(self._widgets["dataset"], self._source.menu())
            if "backbone" in self._widgets:
                set_options(
                    self._widgets["backbone"], backbone_menu(images_of(self._settings, self._source).image_size)
                )
            for each in self._fields():
                widget, value = self._widgets[each.name], self._settings.values[each.name]
                if each.name == "n_per_class":
                    facts = self._facts(self._settings)
                    show_per_class(widget, value, facts.max_per_class, is_unequal=facts.is_unequal)
                else:
                    each.show(widget, value)
        self._show_enabled()
        self._cost.value = self._cost_line()

    def _show_enabled(self) -> None:
        fixed = {"dataset", "image_size"} if self._source.own is not None else set()
        self.menu.disabled = not self._enabled
        for name, widget in self._widgets.items():
            widget.disabled = not self._enabled or name in fixed

    def _cost_line(self) -> str:
        plan, facts = self.plan, self._facts(self._settings)
        unknown = "how long it takes shows after the first run"
        time = (
            unknown if self._seconds is None else f"about <b>{duration_text(self._seconds)}</b>, as the last run went"
        )
        lines = [f"<b>{count_text(plan.n_models)} models</b>: {escape(plan.text)}; {time}."]
        if facts.n_bytes:
            lines.append(f"{escape(facts.name)} must be downloaded first ({size_text(facts.n_bytes)}).")
        backbone = self._settings.values.get("backbone")
        if backbone is not None and not is_here(find_backbone(backbone)):
            lines.append(f"The weights of {escape(backbone)} are not on this machine and must be downloaded.")
        if backbone is not None and (
            warning := too_large(backbone, images_of(self._settings, self._source).image_size)
        ):
            lines.append(escape(warning))
        return "".join(f'<p class="tlw-cost">{line}</p>' for line in lines)


def images_of(settings: StudySettings, source: DataSource) -> LabSettings:
    """Which images a study is about, as a Lab says it.

    Args:
        settings: of the study.
        source: a data set of one's own takes the place of images that the study would bring.
    """
    own, brought = source.own, PANELS[settings.study].images
    if brought is None:
        return settings.images
    return brought(settings.values) if own is None else LabSettings(dataset=own.name, image_size=own.image_size)


def first_settings(study: str, source: DataSource) -> StudySettings:
    """What the controls of a study show when it is first chosen.

    Args:
        study: its name.
        source: of the images.

    Raises:
        InputError: there is no such study.
    """
    settings, own = StudySettings(study), source.own
    if own is not None:
        known = {"dataset": own.name, "image_size": own.image_size}
        settings = settings.with_values({name: value for name, value in known.items() if name in settings.values})
    return _fitted(settings, source)


def _fitted(settings: StudySettings, source: DataSource) -> StudySettings:
    """Settings that ask for no more images than there are: those for another data set may have."""
    most, values = source.facts(images_of(settings, source)).max_per_class, settings.values
    fitted: dict[str, Any] = {}
    if (values.get("n_per_class") or 0) > most:
        fitted["n_per_class"] = None
    if "sizes" in values and max(values["sizes"]) > most:
        fitted["sizes"] = (*(n for n in values["sizes"] if n < most), most)
    return settings.with_values(fitted)


def _group(title: str, fields: list[Widget]) -> Widget:
    box = VBox([HTML(f'<h4 class="tlw-title">{title}</h4>'), VBox(fields)])
    box.add_class("tlw-group")
    return box
