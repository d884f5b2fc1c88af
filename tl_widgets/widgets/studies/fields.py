"""The controls of a study as data: a name, a value to begin with, a widget, and what may stand in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from ipywidgets import Text, Widget

from tl_widgets.core.errors import InputError
from tl_widgets.data.dataset import require_whole_number
from tl_widgets.widgets.shared.controls import choice, set_choice, set_number, whole
from tl_widgets.widgets.shared.fields import make_field
from tl_widgets.widgets.shared.settings import CONTROLS, LabSettings

Group = Literal["Images", "Models"]


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Field:
    """One control of a study.

    Attributes:
        name: of the setting; that of the option of `tl-widgets study`, or of the Lab's control.
        default: its first value.
        group: which group it stands in.
        build: makes its widget.
        check: raises `InputError` where a value is not allowed.
        read: what the widget shows to a value.
        write: a value to what the widget shows.
    """

    name: str
    default: Any
    group: Group
    build: Callable[[], Widget]
    check: Callable[[Any], object]
    read: Callable[[Any], Any] = _same
    write: Callable[[Any], Any] = _same

    def show(self, widget: Widget, value: Any) -> None:
        """Let a widget of this field show a value."""
        shown = self.write(value)
        if hasattr(widget, "options"):
            set_choice(widget, shown)
        elif hasattr(widget, "max"):
            set_number(widget, shown)
        else:
            widget.value = shown


def lab_field(name: str, default: Any, group: Group) -> Field:
    """A control that the Lab has, too."""
    control = CONTROLS[name]
    return Field(
        name, default, group, lambda: make_field(control).widget, lambda value: LabSettings().with_values({name: value})
    )


def whole_field(name: str, default: int, group: Group, label: str, tip: str, low: int, high: int) -> Field:
    """A whole number."""
    return Field(
        name,
        default,
        group,
        lambda: whole(label, tip, low, high),
        lambda value: require_whole_number(name, value, low, high),
    )


def choice_field(
    name: str, default: Any, group: Group, label: str, tip: str, options: Callable[[], list[tuple[str, Any]]]
) -> Field:
    """A menu.

    Args:
        name: of the setting.
        default: a value of one of the options.
        group: where it stands.
        label: in front of it.
        tip: what it decides.
        options: texts and values, asked for when the menu is made.
    """

    def check(value: Any) -> None:
        known = [each for _, each in options()]
        if value not in known:
            raise InputError(f"{name} must be one of {', '.join(map(str, known))}; received {value!r}.")

    return Field(name, default, group, lambda: choice(label, tip, options()), check)


def _text(label: str, tip: str, placeholder: str = "") -> Widget:
    # Told when it is finished, not at every letter: "1" on the way to "16" is no wish.
    wide = {"description_width": "initial"}
    return Text(description=label, tooltip=tip, placeholder=placeholder, continuous_update=False, style=wide)


def numbers_field(name: str, default: tuple[int, ...], group: Group, label: str, tip: str) -> Field:
    """Whole numbers between commas."""

    def check(value: Any) -> None:
        if not isinstance(value, tuple) or not value:
            raise InputError(f"{name} must be one or more whole numbers; received {value!r}.")
        for each in value:
            require_whole_number(name, each, 1)

    def read(text: str) -> tuple[int, ...]:
        parts = text.replace(",", " ").split()
        if not parts or not all(part.isascii() and part.isdigit() for part in parts):
            raise InputError(f"{label}: give whole numbers between commas, such as 2, 4, 8; received {text!r}.")
        return tuple(sorted({int(part) for part in parts}))

    return Field(name, default, group, lambda: _text(label, tip), check, read, lambda value: ", ".join(map(str, value)))


def names_field(name: str, group: Group, label: str, tip: str, none: str, find: Callable[[str], object]) -> Field:
    """Names between commas; None where there are none.

    Args:
        name: of the setting.
        group: where it stands.
        label: in front of it.
        tip: how to fill it in.
        none: what no name means.
        find: raises `InputError` where there is nothing of a name.
    """

    def check(value: Any) -> None:
        if value is None:
            return
        if not isinstance(value, tuple) or not value or not all(isinstance(each, str) for each in value):
            raise InputError(f"{name} must be one or more names, or None for {none}; received {value!r}.")
        for each in value:
            find(each)

    def read(text: str) -> tuple[str, ...] | None:
        return tuple(part.strip() for part in text.split(",") if part.strip()) or None

    return Field(name, None, group, lambda: _text(label, tip, none), check, read, lambda value: ", ".join(value or ()))


def seeds_field(default: int, group: Group) -> Field:
    """How many seeds: 0, 1, 2, ..."""

    def check(value: Any) -> None:
        if not isinstance(value, tuple) or not value or len(set(value)) < len(value):
            raise InputError(f"seeds must be one or more different whole numbers; received {value!r}.")
        for each in value:
            require_whole_number("seeds", each, 0, 2**31 - 1)

    tip = "How often each is trained, with other images and other initial weights"
    return Field(
        "seeds", tuple(range(default)), group, lambda: whole("Seeds", tip, 1, 20), check, lambda n: tuple(range(n)), len
    )
