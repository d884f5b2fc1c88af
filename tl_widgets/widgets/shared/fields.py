"""Fields: a labeled widget for each kind of setting. All of them work with a keyboard and a screen reader."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from ipywidgets import Button, Checkbox, Dropdown, HBox, Text, Widget

from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import number_text
from tl_widgets.core.settings import Choice, Flag, Name, Part, Real, Setting, Several, Whole
from tl_widgets.core.translation import _
from tl_widgets.widgets.shared.slider import NumberInput, Slider

STYLE = {"description_width": "initial"}
_WIDE = 10_000_000  # upper limit of fields for unbounded numbers


class Switchable:
    """A part of a page that can be enabled and disabled; `_show_enabled` brings that to its widgets."""

    _enabled = True

    @property
    def enabled(self) -> bool:
        """Whether its controls can be used now, unless something else forbids it."""
        return self._enabled

    @enabled.setter
    def enabled(self, enabled: bool) -> None:
        self._enabled = enabled
        self._show_enabled()

    def _show_enabled(self) -> None:
        raise NotImplementedError


class FieldUpdate:
    """A context in which this thread sets fields, and their observers ignore the change because `is_active` is true.

    JupyterLab's first message arrives in the kernel's main thread, the others in a separate one. So a user may move a
    field while another thread sets fields. That change must not be lost, and `is_active` stays false for it.
    """

    def __init__(self) -> None:
        self._thread: int | None = None

    def __enter__(self) -> None:
        self._thread = threading.get_ident()

    def __exit__(self, *_: object) -> None:
        self._thread = None

    @property
    def is_active(self) -> bool:
        """Whether the calling thread is setting fields now."""
        return self._thread == threading.get_ident()


class Field:
    """A setting's declaration, with its widget on a form."""

    def __init__(self, setting: Setting, widget: Widget) -> None:
        self.setting, self.widget = setting, widget

    def show(self, value: Any) -> None:
        """Show a value."""
        self.widget.value = value

    def read(self, shown: Any) -> Any:
        """Return the value that the widget shows."""
        return shown


class NumberField(Field):
    """A number field with arrows, or a slider."""

    def __init__(self, setting: Setting, slider: Slider | None = None) -> None:
        super().__init__(setting, slider or number_widget(setting))
        self._least: float | None = None
        self._why = ""

    def require_at_least(self, number: float, why: str) -> None:
        """Raise the lower limit (the value must then be shown again); `why` is a clause for smaller numbers."""
        self.widget.min = self._least = number
        self.widget.usual_ends = number, self.widget.usual_ends[1]
        self._why = why

    def show(self, value: Any) -> None:
        """Show a number; one beyond the limits, typed or set from code, widens them as long as it stays."""
        set_number(self.widget, value)

    def read(self, shown: float | str) -> Any:
        """Return the number; a typed one is checked, because the widget doesn't change it."""
        return self._parse(shown) if isinstance(shown, str) else shown

    def _parse(self, text: str) -> float:
        kind, widget = self.setting.kind, self.widget
        assert isinstance(kind, Whole | Real)
        number = kind.parse(text)
        if isinstance(kind, Whole):  # a slider begins and ends inside what its setting allows
            low = min(widget.min, kind.low) if self._least is None else self._least
            if self._why and kind.low <= number < low:
                raise InputError(_("{why}; received {text}", why=self._why, text=text))
            _require_between(number, low, max(widget.max, kind.field_high or kind.high or _WIDE), text, widget)
        return number


class CountField(NumberField):
    """A number of images per class, or of a backbone's blocks, where None means all.

    If all classes have the same number of images, the largest number means all. Otherwise the number after it does.
    """

    def limit(self, most: int, *, is_unequal: bool) -> None:
        """Set the upper limit to `most`, the number of training images of the smallest class."""
        label, none = self.setting.label, self.setting.none
        # A slider shows it at its end, and has no room for a longer label.
        self.widget.description = (
            _("{label} (or {none})", label=label, none=none) if is_unequal and not self.widget.has_track else label
        )
        self.widget.top = none if is_unequal else ""
        self.widget.max, self.widget.min = most + is_unequal, 1

    def show(self, value: int | None) -> None:
        """Show a number; None shows all."""
        self.widget.value = self.widget.max if value is None else value

    def read(self, shown: float | str) -> int | None:
        """Return the number; None for all, which also holds for the next data set."""
        if not isinstance(shown, str):
            return None if shown == self.widget.max else int(shown)
        if shown.strip().lower() == self.setting.none:
            return None
        kind = self.setting.kind
        assert isinstance(kind, Whole)
        number = kind.parse(shown)  # the form knows why one is too large
        return None if number == self.widget.max and not self.widget.top else number


class MenuField(Field):
    """A menu. Showing a value that it doesn't have adds an option."""

    def __init__(self, setting: Setting, options: Sequence[tuple[str, Any]]) -> None:
        super().__init__(setting, menu_widget(setting.label, setting.help, options))

    def set_options(self, options: Sequence[tuple[str, Any]]) -> None:
        """Replace the options, (text, value) each, if they differ; the chosen value must then be shown again."""
        if tuple(self.widget.options) != tuple(options):
            self.widget.options = options

    def show(self, value: Any) -> None:
        """Choose a value."""
        menu = self.widget
        if value not in [option for _, option in menu.options]:
            menu.options = [*menu.options, (str(value), value)]
        place = [option for _, option in menu.options].index(value)
        # Set it twice: for ipywidgets, a value of None means "nothing chosen", and it shows an empty menu.
        for _unused in range(2):
            if menu.index != place:
                menu.index = place


class TextField(Field):
    """Values separated by commas; an empty field means None where that is allowed."""

    def __init__(self, setting: Setting) -> None:
        # Don't update at every keystroke: "1" on the way to "16" is not what the user wants.
        widget = Text(description=setting.label, tooltip=setting.help, placeholder=setting.none,
                      continuous_update=False, style=STYLE)  # fmt: skip
        super().__init__(setting, widget)

    def show(self, value: tuple[Any, ...] | None) -> None:
        """Show the values."""
        self.widget.value = ", ".join(map(str, value or ()))

    def read(self, shown: str) -> tuple[Any, ...] | None:
        """Return the values; distinct whole numbers are sorted."""
        kind = self.setting.kind
        assert isinstance(kind, Several)
        if self.setting.none and not shown.strip():
            return None
        values = kind.parse(shown)
        return tuple(sorted(set(values))) if kind.distinct and isinstance(kind.kind, Whole) else values


class FirstNumbersField(Field):
    """A number n that stands for the seeds 0, 1, ..., n - 1."""

    def __init__(self, setting: Setting, most: int) -> None:
        super().__init__(setting, _number_input(setting, 1, most, 1))

    def show(self, value: tuple[int, ...]) -> None:
        """Show the number of values."""
        set_number(self.widget, len(value))

    def read(self, shown: int | str) -> tuple[int, ...]:
        """Return the numbers 0 to `shown` - 1."""
        if isinstance(shown, str):
            number = Whole(1).parse(shown)
            _require_between(number, self.widget.min, self.widget.max, shown, self.widget)
            return tuple(range(number))
        return tuple(range(shown))


def make_field(setting: Setting, slider: Sequence[float] = ()) -> Field:
    """Return the field of a setting; a menu of names is empty until `set_options`.

    Args:
        setting: the declaration.
        slider: positions of a slider to show instead, for a setting of kind Whole or Real: a range, or a few numbers.
            Numbers between and beyond them can be typed, as far as the setting allows them.
    """
    widget = slider_widget(setting, slider) if slider else None
    match setting.kind:
        case Whole() if setting.none:
            return CountField(setting, widget)
        case Whole() | Real() if widget:
            return NumberField(setting, widget)
        case Real(usual=usual) if usual:
            return MenuField(setting, [(number_text(value), value) for value in usual])
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
    """Return a number field for a setting of kind Whole or Real, or for one value of several."""
    kind = setting.kind.kind if isinstance(setting.kind, Several) else setting.kind
    if isinstance(kind, Whole):
        most = kind.field_high or (_WIDE if kind.high is None else kind.high)
        return _number_input(setting, kind.low, most, kind.step)
    assert isinstance(kind, Real)
    low, high = kind.low + kind.step * kind.open_low, kind.high - kind.step * kind.open_high
    return _number_input(setting, low, high, kind.step)


def slider_widget(setting: Setting, positions: Sequence[float]) -> Slider:
    """Return a slider for a setting of kind Whole or Real; `positions` are a range, or a few numbers."""
    step, stops = (positions.step, ()) if isinstance(positions, range) else (1, tuple(positions))
    most = setting.kind.high if isinstance(setting.kind, Whole | Real) else None
    tip = (
        _("{help}. Numbers up to {most:,} can be typed", help=setting.help, most=most)
        if most and most > positions[-1]
        else setting.help
    )
    return Slider(setting.label, positions[0], positions[0], positions[-1], step, stops=stops, unit=setting.unit,
                  tooltip=tip)  # fmt: skip


def _number_input(setting: Setting, low: float, high: float, step: float) -> NumberInput:
    return NumberInput(setting.label, low, low, high, step, unit=setting.unit, tooltip=setting.help)


def _require_between(number: float, low: float, high: float, text: str, widget: Slider) -> None:
    if not low <= number <= high:
        ends = _(" (the slider ends at {max:,})", max=widget.max) if widget.has_track and widget.max < high else ""
        raise InputError(
            _(
                "choose a number from {low:,} to {high:,}{ends}; received {text}",
                low=low,
                high=high,
                ends=ends,
                text=text,
            )
        )


class SureButton(Button):
    """A button that deletes something, at the second click.

    Args:
        text: what it reads.
        tip: its tooltip.
        question: returns what it reads after the first click.
        delete: called at the second click.
    """

    def __init__(self, text: str, tip: str, question: Callable[[], str], delete: Callable[[], None]) -> None:
        super().__init__(description=text, tooltip=tip, icon="trash")
        self._text, self._question, self._delete = text, question, delete
        self._is_sure = False
        self.on_click(lambda _: self._click())

    def reset(self) -> None:
        """Ask again at the next click."""
        self.description, self._is_sure = self._text, False

    def _click(self) -> None:
        if self._is_sure:
            self.reset()
            self._delete()
        else:
            self.description, self._is_sure = self._question(), True


def row(*widgets: Widget) -> Widget:
    """Return widgets side by side."""
    box = HBox(widgets)
    box.add_class("tlw-row")
    return box


def menu_widget(label: str, tip: str, options: Sequence[tuple[str, Any]]) -> Widget:
    """Return a menu."""
    return Dropdown(options=options, description=label, tooltip=tip, style=STYLE)


def set_number(widget: Widget, value: float) -> None:
    """Show a number in a Slider or NumberInput; one beyond the limits widens them as long as it stays."""
    widget.max, widget.min = max(widget.max, value), min(widget.min, value)
    widget.value = value
    low, high = widget.usual_ends
    if low <= value <= high:
        widget.min, widget.max = low, high
