"""Form: fields that hold settings, in groups, and tell whoever follows them. Base of both control panels."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Generic, Protocol, Self, TypeVar

from ipywidgets import HTML, VBox, Widget

from tl_widgets.core.errors import InputError
from tl_widgets.core.settings import Setting
from tl_widgets.widgets.shared.backbone_choice import backbone_menu
from tl_widgets.widgets.shared.costs import DataFacts
from tl_widgets.widgets.shared.fields import CountField, Field, MenuField, Quiet, make_field
from tl_widgets.widgets.shared.html import alert
from tl_widgets.widgets.shared.settings import LabSettings
from tl_widgets.widgets.shared.source import DataSource


class Values(Protocol):
    """Settings that a form can hold."""

    @property
    def values(self) -> Mapping[str, Any]:
        """Every value by its setting's name."""

    def with_values(self, values: Mapping[str, Any], /) -> Self:
        """Return a copy with some values changed, or raise InputError."""


FormSettings = TypeVar("FormSettings", bound=Values)


class Form(VBox, Generic[FormSettings]):
    """One labelled field for each setting.

    A subclass says in `_images` which images its settings are about, makes fields with `_make_fields`, and places their
    widgets.

    Attributes:
        fields: every field by its setting's name.
        problem: where a value that is not allowed is explained.

    Args:
        settings: what the fields show first.
        source: where the images come from.
        locked: names of settings that are shown and cannot be changed.

    Raises:
        InputError: the data set of the settings does not exist, or has not so many images.
    """

    def __init__(self, settings: FormSettings, source: DataSource, *, locked: Collection[str] = ()) -> None:
        self._source, self._locked = source, frozenset(locked)
        self._followers: list[Callable[[FormSettings], None]] = []
        self._lock = threading.RLock()  # see Quiet: fields move in more than one thread
        self._quiet = Quiet()
        self._enabled = True
        self.fields: dict[str, Field] = {}
        self._settings = self._checked(settings)  # before any widget is made: a refused form leaves none behind
        self.problem = HTML()
        super().__init__()

    @property
    def settings(self) -> FormSettings:
        """What the fields say; setting it moves them."""
        return self._settings

    @settings.setter
    def settings(self, settings: FormSettings) -> None:
        with self._lock:
            self._settings = self._checked(settings)
            self._after_change()

    @property
    def enabled(self) -> bool:
        """Whether the fields can be moved; locked ones never can."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._enabled = enabled
        with self._lock:
            self._show_enabled()

    def control(self, name: str) -> Widget:
        """Return the widget of one setting, to place or observe it.

        Raises:
            InputError: there is no such control, or it is not shown.
        """
        shown = self._controls()
        if name not in shown:
            raise InputError(f"There is no control {name!r} here; there are {', '.join(shown)}.")
        return shown[name]

    def follow(self, listener: Callable[[FormSettings], None]) -> None:
        """Call a function with the settings, now and after every change.

        Args:
            listener: takes the settings.
        """
        self._followers.append(listener)
        listener(self._settings)

    def change(self, values: Mapping[str, Any]) -> None:
        """Change some settings as a person would: what is not allowed is explained, and nothing changes.

        Args:
            values: by the settings' names.
        """
        with self._lock:
            try:
                settings = self._settings.with_values(values)
                if values.keys() & {"dataset", "classes"}:
                    settings = self._fitted(settings)
                self._settings = self._checked(settings)
            except InputError as error:
                self._explain(error)
                return
            self._after_change()

    def _images(self, settings: FormSettings) -> LabSettings:
        """Return which images settings are about."""
        raise NotImplementedError

    def _controls(self) -> dict[str, Widget]:
        return {name: field.widget for name, field in self.fields.items()}

    def _facts(self, settings: FormSettings) -> DataFacts:
        return self._source.facts(self._images(settings))

    def _make_fields(self, settings: Iterable[Setting]) -> None:
        """Make a field for each setting, in place of those before; a form shows them when it is told to `_show`."""
        self.fields = {setting.name: make_field(setting) for setting in settings}
        for field in self.fields.values():
            field.widget.observe(lambda change, field=field: self._moved(field, change["new"]), "value")

    def _moved(self, field: Field, shown: Any) -> None:
        with self._lock:
            # A field that is not there any more has waited while others took its place.
            if self._quiet.is_on or self.fields.get(field.setting.name) is not field:
                return
            try:
                value = field.read(shown)
            except InputError as error:
                self._explain(InputError(f"{field.setting.label}: {error}."))
                return
            self._choose(field.setting.name, value)

    def _choose(self, name: str, value: Any) -> None:
        """Change one setting, because a person moved its field."""
        others = {"classes": None} if name == "dataset" and "classes" in self._settings.values else {}
        self.change({name: value, **others})

    def _explain(self, error: InputError) -> None:
        """Say why a value is not allowed, and go back to what holds."""
        self.problem.value = alert(str(error))
        self._show()

    def _checked(self, settings: FormSettings) -> FormSettings:
        """Return settings for which there are images, or raise InputError."""
        images, most = self._images(settings), self._facts(settings).max_per_class
        wanted = self._images_wanted(settings)
        if wanted > most:
            raise InputError(
                f"{images.dataset} has {most} training images for its scarcest class; {wanted} of each class were "
                f"asked for. Ask for at most {most}."
            )
        own = self._source.own
        if own is not None and images.image_size != own.image_size:
            raise InputError(
                f"The images of {own.name} have {own.image_size} pixels a side; the settings ask for "
                f"{images.image_size}. Load the data set with the size that you want."
            )
        return settings

    def _images_wanted(self, settings: FormSettings) -> int:
        """Return how many training images of each class settings ask for; 0 for all."""
        return settings.values.get("n_per_class") or 0

    def _fitted(self, settings: FormSettings) -> FormSettings:
        """Return settings that ask for no more images than another data set has."""
        if (settings.values.get("n_per_class") or 0) > self._facts(settings).max_per_class:
            return settings.with_values({"n_per_class": None})
        return settings

    def _after_change(self) -> None:
        self.problem.value = ""
        self._show()
        for listener in self._followers:
            listener(self._settings)

    def _show(self) -> None:
        """Bring every field and line to what the settings say."""
        with self._lock:
            with self._quiet:
                self._show_fields()
            self._show_enabled()
            self._show_lines()

    def _show_fields(self) -> None:
        values, facts = self._settings.values, self._facts(self._settings)
        for name, field in self.fields.items():
            if isinstance(field, CountField):
                field.limit(facts.max_per_class, is_unequal=facts.is_unequal)
            if isinstance(field, MenuField) and name == "dataset":
                field.set_options(self._source.menu())
            if isinstance(field, MenuField) and name == "backbone":
                field.set_options(backbone_menu(self._images(self._settings).image_size))
            field.show(values[name])

    def _show_lines(self) -> None:
        """Bring what stands beside the fields to the settings."""

    @property
    def _fixed(self) -> frozenset[str]:
        """Names of the settings that cannot be changed."""
        return self._locked | ({"dataset", "image_size"} if self._source.own is not None else set())

    def _show_enabled(self) -> None:
        fixed = self._fixed
        for name, field in self.fields.items():
            field.widget.disabled = not self._enabled or name in fixed


def group_box(title: str, *children: Widget) -> Widget:
    """Return a group of a form.

    Args:
        title: its heading.
        children: what stands below.
    """
    box = VBox([HTML(f'<h4 class="tlw-title">{title}</h4>'), *children])
    box.add_class("tlw-group")
    return box
