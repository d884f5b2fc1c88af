"""Form, the base class of both control panels: fields that hold settings and notify listeners of changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Generic, Protocol, Self, TypeVar

from ipywidgets import HTML, VBox, Widget

from tl_widgets.core.errors import InputError
from tl_widgets.core.settings import Setting
from tl_widgets.core.translation import _
from tl_widgets.widgets.shared.backbone_choice import backbone_menu
from tl_widgets.widgets.shared.costs import DataFacts
from tl_widgets.widgets.shared.fields import CountField, Field, FieldUpdate, MenuField, make_field
from tl_widgets.widgets.shared.html import alert
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.slider import Slider
from tl_widgets.widgets.shared.source import DataSource


class Values(Protocol):
    """Settings that a form can hold."""

    @property
    def values(self) -> Mapping[str, Any]:
        """All values by setting name."""

    def with_values(self, values: Mapping[str, Any], /) -> Self:
        """Return a copy with these values changed, or raise InputError."""


FormSettings = TypeVar("FormSettings", bound=Values)


class Form(VBox, Generic[FormSettings]):
    """A labeled field for each setting.

    A subclass defines `_images`, creates its fields with `_make_fields`, and arranges their widgets. Settings in
    `locked` are shown but cannot be changed.

    Attributes:
        fields: all fields by setting name.
        problem: HTML that explains a rejected value.
    """

    def __init__(self, settings: FormSettings, source: DataSource, *, locked: Collection[str] = ()) -> None:
        self._source, self._locked = source, frozenset(locked)
        self._listeners: list[Callable[[FormSettings], None]] = []
        self._lock = threading.RLock()  # fields change in several threads, see FieldUpdate
        self._field_update = FieldUpdate()
        self._enabled = True
        self.fields: dict[str, Field] = {}
        self._settings = self._checked(settings)  # before any widget exists that an error would leave behind
        self.problem = HTML()
        super().__init__()

    @property
    def settings(self) -> FormSettings:
        """The current settings; assigning to it updates the fields."""
        return self._settings

    @settings.setter
    def settings(self, settings: FormSettings) -> None:
        with self._lock:
            self._settings = self._checked(settings)
            self._after_change()

    @property
    def enabled(self) -> bool:
        """Whether the fields can be changed; locked ones never can."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._enabled = enabled
        with self._lock:
            self._show_enabled()

    def control(self, name: str) -> Widget:
        """Return the widget of a setting, to place or observe it."""
        shown = self._controls()
        if name not in shown:
            raise InputError(
                _("There is no control {name!r} here. Choose one of: {shown}.", name=name, shown=", ".join(shown))
            )
        return shown[name]

    def follow(self, listener: Callable[[FormSettings], None]) -> None:
        """Call a function with the settings, now and after every change."""
        self._listeners.append(listener)
        listener(self._settings)

    def change(self, values: Mapping[str, Any]) -> None:
        """Change settings by name, as a user would: an invalid value changes nothing, and a message explains it."""
        with self._lock:
            try:
                settings = self._settings.with_values(values)
                if values.keys() & {"dataset", "classes"}:
                    settings = self._fitted(settings)
                self._settings = self._checked(settings)
            except InputError as error:
                self._explain(InputError(self._in_words(str(error), values)))
                return
            self._after_change()

    def _images(self, settings: FormSettings) -> LabSettings:
        """Return settings that describe only the images."""
        raise NotImplementedError

    def _controls(self) -> dict[str, Widget]:
        return {name: field.widget for name, field in self.fields.items()}

    def _facts(self, settings: FormSettings) -> DataFacts:
        return self._source.facts(self._images(settings))

    def _make_fields(self, settings: Iterable[Setting], sliders: Mapping[str, Sequence[float]] | None = None) -> None:
        """Replace the fields with one for each setting; `_show` fills them in.

        Args:
            settings: the declarations.
            sliders: the positions of those that are shown as sliders, by name, as in `make_field`.
        """
        positions = sliders or {}
        self.fields = {setting.name: make_field(setting, positions.get(setting.name, ())) for setting in settings}
        for field in self.fields.values():
            field.widget.observe(lambda change, field=field: self._on_field_change(field, change["new"]), "value")
            if isinstance(field.widget, Slider):
                field.widget.on_text(partial(self._on_field_change, field))

    def _on_field_change(self, field: Field, shown: Any) -> None:
        with self._lock:
            # While this thread waited for the lock, another may have replaced the field.
            if self._field_update.is_active or self.fields.get(field.setting.name) is not field:
                return
            try:
                value = field.read(shown)
            except InputError as error:
                self._explain(InputError(f"{field.setting.label}: {error}."))
                return
            self._choose(field.setting.name, value)

    def _choose(self, name: str, value: Any) -> None:
        """Change a setting whose field a user has changed."""
        others = {"classes": None} if name == "dataset" and "classes" in self._settings.values else {}
        self.change({name: value, **others})

    def _in_words(self, message: str, names: Iterable[str]) -> str:
        """Return a message with the label of a setting in place of its name in code."""
        name = next((name for name in names if name in self.fields and message.startswith(name)), "")
        return self.fields[name].setting.label + message.removeprefix(name) if name else message

    def _explain(self, error: InputError) -> None:
        """Explain why a value is invalid, and show the current settings again."""
        self.problem.value = alert(str(error))
        self._show()

    def _checked(self, settings: FormSettings) -> FormSettings:
        """Return the settings if the images for them exist; raise InputError otherwise."""
        images, most = self._images(settings), self._facts(settings).max_per_class
        n_images = self._images_requested(settings)
        if n_images > most:
            raise InputError(
                _(
                    "The smallest class of {dataset} has only {most} training images, but the settings "
                    "ask for {n_images} of each class. Choose at most {most}.",
                    dataset=images.dataset,
                    most=most,
                    n_images=n_images,
                )
            )
        own = self._source.own
        if own is not None and images.image_size != own.image_size:
            raise InputError(
                _(
                    "The images of {name} are {size} pixels wide and high, but the settings "
                    "ask for {wanted}. Load the data set again with the size you want.",
                    name=own.name,
                    size=own.image_size,
                    wanted=images.image_size,
                )
            )
        return settings

    def _images_requested(self, settings: FormSettings) -> int:
        """Return how many training images of each class the settings ask for; 0 for all."""
        return settings.values.get("n_per_class") or 0

    def _fitted(self, settings: FormSettings) -> FormSettings:
        """Return settings that ask for all images if the data set has fewer than they ask for."""
        if (settings.values.get("n_per_class") or 0) > self._facts(settings).max_per_class:
            return settings.with_values({"n_per_class": None})
        return settings

    def _after_change(self) -> None:
        self.problem.value = ""
        self._show()
        for listener in self._listeners:
            listener(self._settings)

    def _show(self) -> None:
        """Update all fields and lines to the settings."""
        with self._lock:
            with self._field_update:
                self._show_fields()
            self._show_enabled()
            self._show_lines()

    def _show_fields(self) -> None:
        values, facts = self._settings.values, self._facts(self._settings)
        for name, field in self.fields.items():
            if isinstance(field, CountField) and name == "n_per_class":
                field.limit(facts.max_per_class, is_unequal=facts.is_unequal)
            if isinstance(field, MenuField) and name == "dataset":
                field.set_options(self._source.menu())
            if isinstance(field, MenuField) and name == "backbone":
                field.set_options(backbone_menu(self._images(self._settings).image_size))
            field.show(values[name])

    def _show_lines(self) -> None:
        """Update the texts next to the fields to the settings."""

    @property
    def _fixed(self) -> frozenset[str]:
        """Names of the settings that cannot be changed."""
        return self._locked | ({"dataset", "image_size"} if self._source.own is not None else set())

    def _show_enabled(self) -> None:
        fixed = self._fixed
        for name, field in self.fields.items():
            field.widget.disabled = not self._enabled or name in fixed


def group_box(title: str, *children: Widget) -> Widget:
    """Return a group of a form, with a heading unless `title` is empty."""
    heading = [HTML(f'<h4 class="tlw-title">{title}</h4>')] if title else []
    box = VBox([*heading, *children])
    box.add_class("tlw-group")
    return box
