"""ControlPanel: groups of controls that hold settings and tell whoever follows them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Any

from ipywidgets import HTML, Box, VBox, Widget

from tl_widgets.core.errors import InputError
from tl_widgets.widgets.lab.blocks import BlockFields
from tl_widgets.widgets.lab.class_fields import ClassFields
from tl_widgets.widgets.shared.backbone_choice import BackboneChoice, backbone_menu
from tl_widgets.widgets.shared.cells import close_tree
from tl_widgets.widgets.shared.controls import (
    CONTROLS,
    NAMES,
    read_per_class,
    set_choice,
    set_number,
    set_options,
    show_per_class,
)
from tl_widgets.widgets.shared.costs import GROUPS, group_line, offline_backbones
from tl_widgets.widgets.shared.html import alert, style
from tl_widgets.widgets.shared.quiet import Quiet
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.source import DataSource


class ControlPanel(VBox):
    """Controls in up to four groups, each with a line on what it means and what it costs now.

    A panel of one's own takes a few lines:

        from ipywidgets import VBox
        from tl_widgets.widgets import ControlPanel, LedgerView

        panel = ControlPanel(show=["image_size", "blocks", "filters", "kernel_sizes"])
        ledger = LedgerView(models=[ModelName.SCRATCH])
        panel.follow(ledger.show_settings)   # now, and after every change
        VBox([panel, ledger])

    Args:
        settings: what the controls show first.
        show: names of the controls to show; all where None.
        lock: names of controls that are shown and cannot be changed.
        source: where the images come from; the built-in data sets where None.

    Raises:
        InputError: there is no such control, or the data set of the settings does not exist.
    """

    def __init__(
        self,
        settings: LabSettings | None = None,
        *,
        show: Collection[str] | None = None,
        lock: Collection[str] = (),
        source: DataSource | None = None,
    ) -> None:
        shown = _known_names(NAMES if show is None else show)
        self._locked = frozenset(_known_names(lock))
        self._source = source or DataSource()
        self._settings = self._checked(settings or _first_settings(self._source))
        self._followers: list[Callable[[LabSettings], None]] = []
        self._lock = threading.RLock()  # see Quiet: fields move in more than one thread
        self._quiet = Quiet()
        self._enabled = True
        self._seconds: float | None = None
        self.problem = HTML()
        self.thumbnails = HTML()
        self._blocks = BlockFields(shown, self._set_values)
        self._classes = ClassFields(lambda names: self._set_values({"classes": names})) if "classes" in shown else None
        self._backbones = BackboneChoice()
        self._widgets = {each.name: each.build() for each in CONTROLS if each.build is not None and each.name in shown}
        self._lines: dict[str, HTML] = {}
        super().__init__([HTML(style()), self.problem, self._groups()])
        for name in ("tlw", "tlw-panel"):
            self.add_class(name)
        for name, widget in self._widgets.items():
            widget.observe(lambda change, name=name: self._changed(name, change["new"]), "value")
        self._show()

    @property
    def settings(self) -> LabSettings:
        """What the controls say; setting it moves them."""
        return self._settings

    @settings.setter
    def settings(self, settings: LabSettings) -> None:
        with self._lock:
            self._settings = self._checked(settings)
            self.problem.value = ""
            self._show()
            self._tell()

    @property
    def enabled(self) -> bool:
        """Whether the controls can be moved; locked ones never can."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._enabled = enabled
        self._show_enabled()

    def control(self, name: str) -> Widget:
        """The widget of one control, for whoever wants to place or observe it.

        Args:
            name: of the control; of "filters" and "kernel_sizes" it is the first block's, of "classes" the first tick.

        Raises:
            InputError: there is no such control, or it is not shown.
        """
        shown = {**self._widgets, **{each: fields[0] for each, fields in self._blocks.fields.items()}}
        if self._classes is not None and self._classes.ticks:
            shown["classes"] = self._classes.ticks[0]
        if name not in shown:
            raise InputError(f"There is no control {name!r} here; there are {', '.join(shown)}.")
        return shown[name]

    def follow(self, listener: Callable[[LabSettings], None]) -> None:
        """Call a function with the settings, now and after every change.

        Args:
            listener: takes the settings.
        """
        self._followers.append(listener)
        listener(self._settings)

    def show_seconds(self, seconds: float | None) -> None:
        """Say in the line of Training what a run takes.

        Args:
            seconds: an estimate; None where there is none.
        """
        self._seconds = seconds
        self._show_line("Training")

    def choose_dataset(self, name: str) -> None:
        """Turn to another data set, with all its classes.

        Args:
            name: of the data set.
        """
        self._changed("dataset", name)

    def show_what_is_here(self) -> None:
        """Bring menus and lines to what is on this machine now, after a download."""
        offline_backbones.cache_clear()
        self._show()

    def _checked(self, settings: LabSettings) -> LabSettings:
        most = self._source.facts(settings).max_per_class
        if settings.n_per_class is not None and settings.n_per_class > most:
            raise InputError(
                f"{settings.dataset} has {most} training images for its scarcest class; {settings.n_per_class} of each "
                f"class were asked for. Ask for at most {most}."
            )
        own = self._source.own
        if own is not None and settings.image_size != own.image_size:
            raise InputError(
                f"The images of {own.name} have {own.image_size} pixels a side; the settings ask for "
                f"{settings.image_size}. Load the data set with the size that you want."
            )
        return settings

    def _groups(self) -> Box:
        groups = []
        for group in GROUPS:
            names = [each.name for each in CONTROLS if each.group == group]
            fields: list[Widget] = [self._widgets[name] for name in names if name in self._widgets]
            for name, below in (("backbone", self._backbones.question), ("image_size", self._backbones.note)):
                if name in names and name in self._widgets:
                    fields.insert(fields.index(self._widgets[name]) + 1, below)
            if group == "From scratch" and self._blocks.fields:
                fields.insert(0, self._blocks)
            if not fields and not (group == "Data" and self._classes is not None):
                continue
            if group == "Data":
                fields += [self._classes, self.thumbnails] if self._classes is not None else [self.thumbnails]
            self._lines[group] = HTML()
            box = VBox([HTML(f'<h4 class="tlw-title">{group}</h4>'), self._lines[group], VBox(fields)])
            box.add_class("tlw-group")
            groups.append(box)
        if "Data" not in self._lines:
            close_tree(self.thumbnails)  # nobody will see it, and nothing would ever close it
        if not self._blocks.fields:
            close_tree(self._blocks)
        for name in ("dataset", "backbone"):
            if name in self._widgets:
                self._widgets[name].add_class("tlw-stacked")  # its texts are long
        if "backbone" not in self._widgets:
            close_tree(self._backbones.question)
        if "image_size" not in self._widgets:
            close_tree(self._backbones.note)
        grid = Box(groups)
        grid.add_class("tlw-groups")
        if len(groups) == len(GROUPS):
            grid.add_class("tlw-all")
        return grid

    def _changed(self, name: str, value: Any) -> None:
        if self._quiet.is_on:
            return
        values: dict[str, Any] = {name: value}
        if name == "n_per_class":
            values = {name: read_per_class(self._widgets[name], value)}
        if name == "dataset":
            values["classes"] = None
        if name == "backbone":
            can_resize = "image_size" in self._widgets and "image_size" not in self._fixed
            self._show()  # until it is decided, the menu shows what holds
            self._backbones.choose(value, self._settings, can_resize, self._set_values)
        else:
            self._set_values(values)

    def _set_values(self, values: dict[str, Any]) -> None:
        """A control was moved."""
        with self._lock:
            try:
                settings = self._settings.with_values(values)
                if values.keys() & {"dataset", "classes"}:
                    most = self._source.facts(settings).max_per_class
                    if (settings.n_per_class or 0) > most:
                        settings = settings.with_values({"n_per_class": None})  # these images are not as many
                self._settings = self._checked(settings)
            except InputError as error:
                self.problem.value = alert(str(error))
                self._show()  # back to what holds
                return
            self.problem.value = ""
            self._show()
            self._tell()

    def _tell(self) -> None:
        for listener in self._followers:
            listener(self._settings)

    def _show(self) -> None:
        """Bring every control and line to what the settings say."""
        with self._lock:
            with self._quiet:
                self._show_fields()
            self._show_enabled()
            for group in self._lines:
                self._show_line(group)

    def _show_fields(self) -> None:
        values = self._settings.values
        facts = self._source.facts(self._settings)
        if "dataset" in self._widgets:
            set_options(self._widgets["dataset"], self._source.menu())
        if "backbone" in self._widgets:
            set_options(self._widgets["backbone"], backbone_menu(self._settings.image_size))
        if "image_size" in self._widgets:
            self._backbones.show_limit(self._widgets["image_size"], self._settings)
        for name, widget in self._widgets.items():
            value = values[name]
            if name == "n_per_class":
                show_per_class(widget, value, facts.max_per_class, is_unequal=facts.is_unequal)
            elif name in ("dataset", "backbone", "weights", "learning_rate", "pooling", "head"):
                set_choice(widget, value)
            else:
                set_number(widget, value) if hasattr(widget, "max") else setattr(widget, "value", value)
        self._blocks.show_values(values["filters"], values["kernel_sizes"])

    def _show_line(self, group: str) -> None:
        if group not in self._lines:
            return
        facts = self._source.facts(self._settings)
        self._lines[group].value = group_line(group, self._settings, facts, self._seconds)

    @property
    def _fixed(self) -> frozenset[str]:
        """Names of the controls that cannot be moved."""
        return self._locked | ({"dataset", "image_size"} if self._source.own is not None else set())

    def _show_enabled(self) -> None:
        with self._lock:
            self._enable_fields()

    def _enable_fields(self) -> None:
        self._backbones.close_question()
        fixed = self._fixed
        if self._classes is not None:
            names, chosen = self._source.class_names(self._settings.dataset), self._settings.classes
            self._classes.show(names, chosen, disabled=not self._enabled or "classes" in fixed)
        for name, widget in self._widgets.items():
            widget.disabled = not self._enabled or name in fixed
        for name, fields in self._blocks.fields.items():
            for field in fields:
                field.disabled = not self._enabled or name in fixed


def _known_names(names: Collection[str]) -> tuple[str, ...]:
    if isinstance(names, str):
        names = [names]
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise InputError(f"There is no control {unknown[0]!r}; there are {', '.join(NAMES)}.")
    return tuple(names)


def _first_settings(source: DataSource) -> LabSettings:
    if source.own is None:
        return LabSettings()
    return LabSettings(dataset=source.own.name, image_size=source.own.image_size)
