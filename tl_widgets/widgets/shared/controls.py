"""Widgets of StudyForm, until it stands on the form of shared/form.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ipywidgets import BoundedIntText, Dropdown, Widget

# Lab gives sliders no name that a screen reader could say, so every control is a field or a menu with a label.
_STYLE = {"description_width": "initial"}


def whole(label: str, tip: str, low: int, high: int, step: int = 1) -> Widget:
    """A field for a whole number."""
    return BoundedIntText(low, min=low, max=high, step=step, description=label, tooltip=tip, style=_STYLE)


def choice(label: str, tip: str, options: list[tuple[str, Any]]) -> Widget:
    """A menu."""
    return Dropdown(options=options, description=label, tooltip=tip, style=_STYLE)


def set_number(field: Widget, value: float) -> None:
    """Show a number in a field, widening its limits where the number lies beyond them: code may go further.

    Args:
        field: a BoundedIntText or BoundedFloatText.
        value: what to show.
    """
    if value > field.max:
        field.max = value
    if value < field.min:
        field.min = value
    field.value = value


def show_per_class(field: Widget, n_per_class: int | None, most: int, *, is_unequal: bool) -> None:
    """Show how many training images of each class are used.

    All is the largest number where every class has as many. Of unequal classes no number says it: 0 does, and the
    label tells.

    Args:
        field: a BoundedIntText.
        n_per_class: how many; None for all.
        most: training images of the scarcest class.
        is_unequal: whether other classes have more.
    """
    field.description = "Images per class (0: all)" if is_unequal else "Images per class"
    field.max = most
    field.min = 0 if is_unequal else 1
    field.value = n_per_class if n_per_class is not None else 0 if is_unequal else most


def read_per_class(field: Widget, shown: int) -> int | None:
    """How many images of each class the field asks for; None for all, whatever data set is chosen next.

    Args:
        field: that `show_per_class` has set.
        shown: what it shows.
    """
    is_unequal = field.min == 0
    return None if shown == 0 or (shown >= field.max and not is_unequal) else shown


def set_options(menu: Widget, options: Sequence[tuple[str, Any]]) -> None:
    """Give a menu other texts, where they are other ones; what is chosen in it must be set again.

    Args:
        menu: a Dropdown.
        options: (text, value) of each line.
    """
    if tuple(menu.options) != tuple(options):
        menu.options = options


def set_choice(menu: Widget, value: Any, text: str = "") -> None:
    """Choose a value in a menu, adding it where it is none of the usual ones.

    Args:
        menu: a Dropdown.
        value: what to choose.
        text: what to call it if it must be added.
    """
    if value not in [option for _, option in menu.options]:
        menu.options = [*menu.options, (text or str(value), value)]
    place = [option for _, option in menu.options].index(value)
    if menu.index != place:
        menu.index = place
    if menu.index != place:  # a value of None means "nothing chosen" to ipywidgets, which then shows an empty menu
        menu.index = place
