"""ControlPanel, the form of the Lab's settings."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from ipywidgets import HTML, Box, Tab, VBox, Widget

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.core.config import GROUPS
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel
from tl_widgets.core.translation import _
from tl_widgets.data.catalogue import default_dataset
from tl_widgets.widgets.lab.blocks import BlockFields
from tl_widgets.widgets.lab.class_fields import ClassFields
from tl_widgets.widgets.shared.backbone_choice import BackboneChoice
from tl_widgets.widgets.shared.cells import close_tree
from tl_widgets.widgets.shared.costs import group_line, has_local_weights
from tl_widgets.widgets.shared.fields import CountField, NumberField
from tl_widgets.widgets.shared.form import Form, group_box
from tl_widgets.widgets.shared.html import alert, style
from tl_widgets.widgets.shared.keys import KeyGuard
from tl_widgets.widgets.shared.settings import CONTROLS, LabSettings
from tl_widgets.widgets.shared.source import DataSource
from tl_widgets.widgets.shared.threads import Run
from tl_widgets.widgets.shared.views import thumbnails

# The controls by name. "blocks" is not a setting: it is the length of two settings.
NAMES = ("blocks", *CONTROLS)
# The positions of controls that stand elsewhere; other numbers can be typed.
_SLIDERS: dict[str, Sequence[float]] = {
    "n_per_class": range(1, 51),
    "epochs": range(1, 51),
    "image_size": (32, 48, 64, 96, 128, 160, 224),
}
# The fields that shape a layer, by its key in the drawings. Layers that aren't here show all fields of their group.
_OF_LAYER = {
    "filters": ("pooling",),
    "flatten": ("head",),
    "dense": ("dense_units", "dropout"),
    "backbone": ("backbone", "weights", "cut"),
    "head": ("head_dropout",),
}
_IN_ROWS = ("filters", "kernel_sizes", "classes")  # settings with several fields
_TITLES = {
    "Data": _("Data"),
    "From scratch": _("From scratch"),
    "Transfer": _("Transfer"),
    "Training": _("Training"),
}  # of `GROUPS`


class ControlPanel(Form[LabSettings]):
    """Controls in up to four groups, each with a line that says what it means and what it costs now.

    You can build your own panel in a few lines:

        from ipywidgets import VBox
        from tl_widgets.widgets import ControlPanel, LedgerView

        panel = ControlPanel(show=["image_size", "blocks", "filters", "kernel_sizes"])
        ledger = LedgerView(models=[ModelName.SCRATCH])
        panel.follow(ledger.show_settings)   # now, and after every change
        VBox([panel, ledger])

    Args:
        settings: initial settings.
        show: names of the controls to show; None shows all.
        lock: names of controls that are shown but cannot be changed.
        source: provides the images; None for the built-in data sets.
        front: names of controls that stand elsewhere (`front_controls`), numbers as sliders; the others are then
            groups of one column, of which one is shown at a time.

    Raises:
        InputError: a control or the data set of the settings does not exist.
    """

    def __init__(
        self,
        settings: LabSettings | None = None,
        *,
        show: Collection[str] | None = None,
        lock: Collection[str] = (),
        source: DataSource | None = None,
        front: Collection[str] = (),
    ) -> None:
        source = source or DataSource()
        shown, locked = _known_names(NAMES if show is None else show), _known_names(lock)
        super().__init__(settings or _first_settings(source), source, locked=locked)
        self._seconds: float | None = None
        self._advice = ""
        self.thumbnails = HTML()
        self._blocks = BlockFields(shown, self.change)
        self._classes = ClassFields(lambda names: self.change({"classes": names})) if "classes" in shown else None
        self._backbones = BackboneChoice()
        self._lines: dict[str, HTML] = {}
        self._front = frozenset(front)
        declared = (CONTROLS[name] for name in CONTROLS if name in shown and name not in _IN_ROWS)
        self._make_fields(declared, {name: _SLIDERS[name] for name in self._front if name in _SLIDERS})
        self.groups = self._groups()
        # On a stage, the explanation of a rejected value stands beside the result, where it moves nothing.
        self.children = [self.groups] if front else [HTML(style()), self.problem, self.groups, KeyGuard()]
        for name in ("tlw", "tlw-panel"):
            self.add_class(name)
        self._show()

    def _images(self, settings: LabSettings) -> LabSettings:
        return settings

    def _checked(self, settings: LabSettings) -> LabSettings:
        find_backbone(settings.config.backbone).cut_after(settings.config.cut)
        return super()._checked(settings)

    def _controls(self) -> dict[str, Widget]:
        """Return the widgets by name; for a setting with several fields, the first."""
        controls = {**super()._controls(), **{name: fields[0] for name, fields in self._blocks.fields.items()}}
        return {**controls, "classes": self._classes.ticks[0]} if self._classes and self._classes.ticks else controls

    @property
    def changeable(self) -> frozenset[str]:
        """Names of the settings that the user can change."""
        return frozenset(self.fields) - self._fixed

    def show_seconds(self, seconds: float | None, advice: str = "") -> None:
        """Show the estimated seconds for a run, or None for no estimate, in the group Training.

        `advice` says what to lower if they are many.
        """
        self._seconds, self._advice = seconds, advice
        self._show_lines()

    def show_thumbnails(self) -> None:
        """Show some of the images, in the background, if there is nothing to download."""
        settings = self.settings
        self.thumbnails.value = ""
        if self._source.facts(settings).n_bytes:
            return

        def load(cancel: Cancel) -> None:
            try:
                shown = thumbnails(self._source.load_whole(settings, cancel=cancel))
            except (InputError, OSError) as error:
                shown = alert(str(error))
            current = self.settings
            if (settings.dataset, settings.classes) == (current.dataset, current.classes):
                self.thumbnails.value = shown

        Run(load)

    def choose_dataset(self, name: str) -> None:
        """Choose a data set, with all its classes."""
        self._choose("dataset", name)

    def show_what_is_here(self) -> None:
        """Update menus and lines after a download."""
        has_local_weights.cache_clear()
        self._show()

    @property
    def front_controls(self) -> dict[str, Widget]:
        """The controls that stand elsewhere, by name."""
        return {name: field.widget for name, field in self.fields.items() if name in self._front}

    def show_group(self, group: str) -> None:
        """Show one of `GROUPS`, where one is shown at a time."""
        if isinstance(self.groups, Tab) and _TITLES[group] in self.groups.titles:
            self.groups.selected_index = self.groups.titles.index(_TITLES[group])

    def show_layer(self, key: str) -> None:
        """Show only the fields of a layer of the drawings, such as "filters:1" or "head"; "" shows all fields."""
        part, _, block = key.partition(":")
        chosen = _OF_LAYER.get(part, ())
        group = CONTROLS[chosen[-1]].group if chosen else ""
        for name, widget in super()._controls().items():
            if name not in self._front:
                widget.layout.display = "" if CONTROLS[name].group != group or name in chosen else "none"
        for name, line in self._lines.items():
            line.layout.display = "none" if name == group else ""
        self._blocks.layout.display = "" if group != "From scratch" or block else "none"
        self._blocks.show_only(int(block) if block else None)

    def _groups(self) -> Widget:
        widgets = super()._controls()
        for name in widgets.keys() & {"dataset", "backbone"}:
            widgets[name].add_class("tlw-stacked")  # its texts are long
        groups: dict[str, list[Widget]] = {}
        for group in GROUPS:
            names = [name for name in widgets if CONTROLS[name].group == group and name not in self._front]
            fields = [widget for name in names for widget in self._with_note(name, widgets[name])]
            if group == "From scratch" and self._blocks.fields:
                fields.insert(0, self._blocks)
            if group == "Data" and self._classes is not None:
                fields.append(self._classes)
            if group == "Data" and "image_size" in self._front:
                fields.append(self._backbones.note)
            if group == "Data" and fields and not self._front:
                fields.append(self.thumbnails)
            if fields:
                self._lines[group] = HTML()
                groups[group] = [self._lines[group], VBox(fields)]
        # These are not on the panel, so closing the panel would not close them.
        unused = {
            self.thumbnails: not self._front and "Data" not in groups,
            self._blocks: not self._blocks.fields,
            self._backbones.question: "backbone" not in widgets,
            self._backbones.note: "image_size" not in widgets,
        }
        for widget, is_unused in unused.items():
            if is_unused:
                close_tree(widget)
        if self._front:
            return Tab(
                [group_box("", *parts) for parts in groups.values()], titles=[_TITLES[group] for group in groups]
            )
        grid = Box([group_box(_TITLES[group], *parts) for group, parts in groups.items()])
        grid.add_class("tlw-groups")
        if len(groups) == len(GROUPS):
            grid.add_class("tlw-all")
        return grid

    def _with_note(self, name: str, widget: Widget) -> list[Widget]:
        """Return a field and the widget below it, if there is one."""
        below = {"backbone": self._backbones.question, "image_size": self._backbones.note}
        return [widget, below[name]] if name in below else [widget]

    def _choose(self, name: str, value: Any) -> None:
        if name != "backbone":
            super()._choose(name, value)
            return
        can_resize = "image_size" in self.fields and "image_size" not in self._fixed
        self._show()  # until the user has decided, the menu shows the current backbone
        self._backbones.choose(value, self._settings, can_resize, self.change)

    def _show_fields(self) -> None:
        size = self.fields.get("image_size")
        if isinstance(size, NumberField):
            self._backbones.show_limit(size, self._settings)
        if isinstance(cut := self.fields.get("cut"), CountField):
            n_cuts = len(find_backbone(self._settings.config.backbone).cuts)
            cut.limit(n_cuts, is_unequal=True)  # after all blocks, the backbone is whole
            cut.widget.tooltip = cut.setting.help if n_cuts else _("Where its blocks end is not known")
        super()._show_fields()
        scratch = self._settings.config.scratch
        self._blocks.show_values(scratch.filters, scratch.kernel_sizes)

    def _show_lines(self) -> None:
        facts = self._facts(self._settings)
        for group, line in self._lines.items():
            line.value = group_line(group, self._settings, facts, self._seconds, self._advice)

    def _show_enabled(self) -> None:
        super()._show_enabled()
        self._backbones.close_question()
        fixed = self._fixed
        if self._classes is not None:
            names, chosen = self._source.class_names(self._settings.dataset), self._settings.classes
            self._classes.show(names, chosen, disabled=not self._enabled or "classes" in fixed)
        for name, fields in self._blocks.fields.items():
            for field in fields:
                field.disabled = not self._enabled or name in fixed


def _known_names(names: Collection[str]) -> tuple[str, ...]:
    if isinstance(names, str):
        names = [names]
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise InputError(
            _("There is no control {unknown!r}. Choose from: {names}.", unknown=unknown[0], names=", ".join(NAMES))
        )
    return tuple(names)


def _first_settings(source: DataSource) -> LabSettings:
    if source.own is None:
        return LabSettings(default_dataset())
    return LabSettings(dataset=source.own.name, image_size=source.own.image_size)
