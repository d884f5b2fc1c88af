"""Fields: the labelled widget of each kind of setting. A keyboard and a screen reader can use them all."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from ipywidgets import BoundedFloatText, BoundedIntText, Checkbox, Dropdown, HBox, Text, Widget

from tl_widgets.core.settings import Choice, Flag, Name, Part, Real, Setting, Several, Whole

# JupyterLab gives sliders no name that a screen reader could say, so every setting has a field or a menu with a label.
STYLE = {"description_width": "initial"}
_WIDE = 10_000_000  # for numbers without a limit


class Quiet:
    """`with quiet:` around what code sets; while it lasts, `quiet.is_on` for this thread.

    JupyterLab sends its first message to the kernel's main thread and the others to a thread of their own. A person may
    therefore move a field while another thread is setting fields: that change counts, and must not be lost.
    """

    def __init__(self) -> None:
        self._thread: int | None = None

    def __enter__(self) -> None:
        self._thread = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        self._thread = None

    @property
    def is_on(self) -> bool:
        """Whether this very thread is setting fields now."""
        return self._thread == threading.get_ident()


class Field:
    """A setting on a form.

    Attributes:
        setting: its declaration.
        widget: what stands on the form.
    """

    def __init__(self, setting: Setting, widget: Widget) -> None:
        self.setting, self.widget = setting, widget

    def show(self, value: Any) -> None:
        """Show a value of the setting."""
        self.widget.value = value

    def read(self, shown: Any) -> Any:
        """Return the value that the widget shows.

        Raises:
            InputError: somebody typed what cannot be read.
        """
        return shown


class NumberField(Field):
    """A field with arrows for a number."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting, number_widget(setting))

    def show(self, value: Any) -> None:
        """Show a number, widening the limits where it lies beyond them: code may go further than the form."""
        set_number(self.widget, value)


class CountField(NumberField):
    """A number of images per class, where None means all.

    All is the largest number where every class has as many. If classes are unequal, no number says it: 0 does, and the
    label tells.
    """

    _is_unequal = False

    def limit(self, most: int, *, is_unequal: bool) -> None:
        """Let the field end where the images do.

        Args:
            most: training images of the scarcest class.
            is_unequal: whether other classes have more.
        """
        self._is_unequal = is_unequal
        label = self.setting.label
        self.widget.description = f"{label} (0: {self.setting.none})" if is_unequal else label
        self.widget.max, self.widget.min = most, 0 if is_unequal else 1

    def show(self, value: int | None) -> None:
        """Show a number, or all."""
        self.widget.value = value if value is not None else 0 if self._is_unequal else self.widget.max

    def read(self, shown: int) -> int | None:
        """Return the number; None for all, whatever data set is chosen next."""
        return None if shown == 0 or (shown >= self.widget.max and not self._is_unequal) else shown


class MenuField(Field):
    """A menu. A value that is none of the usual ones is added when it is shown."""

    def __init__(self, setting: Setting, options: Sequence[tuple[str, Any]]) -> None:
        super().__init__(setting, menu_widget(setting.label, setting.help, options))

    def set_options(self, options: Sequence[tuple[str, Any]]) -> None:
        """Give the menu other lines, if they are other ones; what is chosen in it must be shown again.

        Args:
            options: (text, value) of each line.
        """
        if tuple(self.widget.options) != tuple(options):
            self.widget.options = options

    def show(self, value: Any) -> None:
        """Choose a value."""
        menu = self.widget
        if value not in [option for _, option in menu.options]:
            menu.options = [*menu.options, (str(value), value)]
        place = [option for _, option in menu.options].index(value)
        # Twice: a value of None means "nothing chosen" to ipywidgets, which then shows an empty menu.
        for _ in range(2):
            if menu.index != place:
                menu.index = place


class TextField(Field):
    """Values between commas; an empty field means None where that is allowed."""

    def __init__(self, setting: Setting) -> None:
        # Heard when it is finished, not at every letter: "1" on the way to "16" is no wish.
        widget = Text(description=setting.label, tooltip=setting.help, placeholder=setting.none,
                      continuous_update=False, style=STYLE)  # fmt: skip
        super().__init__(setting, widget)

    def show(self, value: tuple[Any, ...] | None) -> None:
        """Show the values."""
        self.widget.value = ", ".join(map(str, value or ()))

    def read(self, shown: str) -> tuple[Any, ...] | None:
        """Return the values; numbers in their order."""
        kind = self.setting.kind
        assert isinstance(kind, Several)
        if self.setting.none and not shown.strip():
            return None
        values = kind.parse(shown)
        return tuple(sorted(set(values))) if kind.distinct and isinstance(kind.kind, Whole) else values


class FirstNumbersField(Field):
    """How many of the numbers 0, 1, 2, ... as seeds."""

    def __init__(self, setting: Setting, most: int) -> None:
        super().__init__(setting, _bounded(BoundedIntText, setting, 1, most, 1))

    def show(self, value: tuple[int, ...]) -> None:
        """Show how many there are."""
        set_number(self.widget, len(value))

    def read(self, shown: int) -> tuple[int, ...]:
        """Return the numbers."""
        return tuple(range(shown))


def make_field(setting: Setting) -> Field:
    """Return the field of a setting; a menu of names is empty until it gets its options.

    Args:
        setting: its declaration.
    """
    match setting.kind:
        case Real(usual=usual) if usual:
            return MenuField(setting, [(f"{value:g}", value) for value in usual])
        case Whole() if setting.none:
            return CountField(setting)
        case Whole() | Real():
            return NumberField(setting)
        case Flag():
            tick = Checkbox(False, description=setting.label, tooltip=setting.help, indent=False, style=STYLE)
            return Field(setting, tick)
        case Choice() as choice:
            return MenuField(setting, choice.listed())
        case Name():
            return MenuField(setting, [])
        case Several(menu=menu) if menu:
            return MenuField(setting, menu)
        case Several(count_to=most) if most:
            return FirstNumbersField(setting, most)
        case Several():
            return TextField(setting)
        case Part():
            raise TypeError(f"{setting.name} has settings of its own: make a field for each (flat_settings).")


def number_widget(setting: Setting) -> Widget:
    """Return the widget of a number.

    Args:
        setting: of kind Whole or Real, or several of these.
    """
    kind = setting.kind.kind if isinstance(setting.kind, Several) else setting.kind
    if isinstance(kind, Whole):
        most = kind.field_high or (_WIDE if kind.high is None else kind.high)
        return _bounded(BoundedIntText, setting, kind.low, most, kind.step)
    assert isinstance(kind, Real)
    low, high = kind.low + kind.step * kind.open_low, kind.high - kind.step * kind.open_high
    return _bounded(BoundedFloatText, setting, low, high, kind.step)


def _bounded(kind: type[Widget], setting: Setting, low: float, high: float, step: float) -> Widget:
    return kind(low, min=low, max=high, step=step, description=setting.label, tooltip=setting.help, style=STYLE)


def row(*widgets: Widget) -> Widget:
    """Return widgets side by side."""
    box = HBox(widgets)
    box.add_class("tlw-row")
    return box


def menu_widget(label: str, tip: str, options: Sequence[tuple[str, Any]]) -> Widget:
    """Return a menu."""
    return Dropdown(options=options, description=label, tooltip=tip, style=STYLE)


def set_number(widget: Widget, value: float) -> None:
    """Show a number in a field, widening its limits where the number lies beyond them.

    Args:
        widget: a BoundedIntText or BoundedFloatText.
        value: what to show.
    """
    widget.max, widget.min = max(widget.max, value), min(widget.min, value)
    widget.value = value
