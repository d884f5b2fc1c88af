"""A setting, declared once: the command line, the forms in JupyterLab, validation, help and records read it from here.

A class of settings is a frozen dataclass whose fields are made by `setting`:

    @dataclass(frozen=True)
    class Times(Settings):
        epochs: int = setting(10, Whole(1, 10_000), "Epochs", "Passes over the training images.")

This module knows no setting by name, no widget and no command line.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tl_widgets.core.errors import InputError

_KEY = "setting"


def whole_number(name: str, value: object) -> int:
    """Return a whole number of any type (NumPy's too) as an int.

    Raises:
        InputError: `value` is something else, such as 2.5, "10" or True.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise InputError(f"{name} must be a whole number; received {value!r}.")
    return operator.index(value)


def real_number(name: str, value: object) -> float:
    """Return a number of any type (NumPy's too) as a float.

    Raises:
        InputError: `value` is something else, such as "0.1", True or None.
    """
    if isinstance(value, bool | str | bytes) or not hasattr(value, "__float__"):
        raise InputError(f"{name} must be a number; received {value!r}.")
    return float(value)


@dataclass(frozen=True)
class Whole:
    """A whole number.

    Attributes:
        low: the smallest allowed.
        high: the largest allowed.
        step: of the field's arrows.
        counted: what is counted, for messages: "copies of each image". Empty for nothing.
    """

    low: int
    high: int
    step: int = 1
    counted: str = ""

    def check(self, name: str, value: object) -> int:
        """Return `value` as an int, or raise InputError with what is allowed."""
        number = whole_number(name, value)
        if not self.low <= number <= self.high:
            counted = f" {self.counted}" if self.counted else ""
            raise InputError(f"{name} must be {self.low:,} to {self.high:,}{counted}; received {value}.")
        return number


@dataclass(frozen=True)
class Real:
    """A number.

    Attributes:
        low: the lower limit.
        high: the upper limit.
        step: of the field's arrows.
        open_low: whether `low` itself is excluded.
        open_high: whether `high` itself is excluded.
    """

    low: float
    high: float
    step: float = 0.05
    open_low: bool = False
    open_high: bool = False

    def check(self, name: str, value: object) -> float:
        """Return `value` as a float, or raise InputError with what is allowed."""
        number = real_number(name, value)
        above = number > self.low if self.open_low else number >= self.low
        below = number < self.high if self.open_high else number <= self.high
        if not (above and below):
            lower = "above" if self.open_low else "at least"
            upper = "below" if self.open_high else "at most"
            raise InputError(f"{name} must be {lower} {self.low:g} and {upper} {self.high:g}; received {value}.")
        return number


@dataclass(frozen=True)
class Flag:
    """True or False."""

    def check(self, name: str, value: object) -> bool:
        """Return `value`, or raise InputError if it is neither True nor False."""
        if not isinstance(value, bool):
            raise InputError(f"{name} must be True or False; received {value!r}.")
        return value


@dataclass(frozen=True)
class Choice:
    """One of several values.

    Attributes:
        options: (text on the screen, value) of each, or a function that returns them when they are needed.
    """

    options: tuple[tuple[str, Any], ...] | Callable[[], Iterable[tuple[str, Any]]]

    def listed(self) -> tuple[tuple[str, Any], ...]:
        """Return the options as they are now."""
        return tuple(self.options()) if callable(self.options) else self.options

    def check(self, name: str, value: object) -> Any:
        """Return `value`, or raise InputError with the list of what is allowed."""
        values = [option for _, option in self.listed()]
        if value not in values:
            raise InputError(f"{name} must be one of {', '.join(map(repr, values))}; received {value!r}.")
        return value


@dataclass(frozen=True)
class Name:
    """A name, of a backbone or a data set, say.

    Attributes:
        find: returns the official spelling of a name, or raises InputError. The default takes any text.
    """

    find: Callable[[str], str] = str

    def check(self, name: str, value: object) -> str:
        """Return the official spelling of `value`, or raise InputError."""
        if not isinstance(value, str) or not value:
            raise InputError(f"{name} must be a name; received {value!r}.")
        return self.find(value)


@dataclass(frozen=True)
class Several:
    """One or more values of the same kind, as a tuple.

    Attributes:
        kind: of each value.
        example: what somebody may type: "2,5,10".
        distinct: whether each value may stand there only once.
    """

    kind: Whole | Name | Choice
    example: str
    distinct: bool = True

    def check(self, name: str, value: object) -> tuple[Any, ...]:
        """Return `value` as a tuple, or raise InputError."""
        values = () if isinstance(value, str) or not isinstance(value, Iterable) else tuple(value)
        if not values:
            raise InputError(f"{name} must be one or more values, such as {self.example}; received {value!r}.")
        checked = tuple(self.kind.check(name, each) for each in values)
        if self.distinct and len(set(checked)) < len(checked):
            raise InputError(f"{name} names a value twice; received {value!r}.")
        return checked


Kind = Whole | Real | Flag | Choice | Name | Several


@dataclass(frozen=True)
class Setting:
    """What everybody who shows, reads or checks a setting needs to know.

    Attributes:
        name: of the dataclass's field.
        default: its first value.
        kind: which values are allowed.
        label: on the form, two words or so.
        help: a sentence: the tooltip, and the option's help.
        unit: of a number, such as "pixels"; empty for none.
        group: under which heading it stands on a form and in `--help`.
        live: whether Live mode follows it: it changes the transfer model's head only.
        option: of the command line, where it is not the name with hyphens; empty if the command line has none.
        none: what None means, such as "all"; empty if None is not allowed.
    """

    name: str
    default: Any
    kind: Kind
    label: str
    help: str
    unit: str = ""
    group: str = ""
    live: bool = False
    option: str | None = None
    none: str = ""

    def check(self, value: object) -> Any:
        """Return `value` in its proper type.

        Raises:
            InputError: it is not allowed; the message names the setting and what is allowed.
        """
        return None if value is None and self.none else self.kind.check(self.name, value)


def setting(
    default: Any,
    kind: Kind,
    label: str,
    help: str,  # noqa: A002 - what argparse calls it, too
    *,
    unit: str = "",
    group: str = "",
    live: bool = False,
    option: str | None = None,
    none: str = "",
) -> Any:
    """Declare a field of a dataclass as a setting; the arguments are those of `Setting`."""
    declared = Setting("", default, kind, label, help, unit, group, live, option, none)
    return dataclasses.field(default=default, metadata={_KEY: declared})


def settings_of(kind: type) -> dict[str, Setting]:
    """Return the settings that a dataclass declares, by name, in their order."""
    fields = (field for field in dataclasses.fields(kind) if _KEY in field.metadata)
    return {field.name: dataclasses.replace(field.metadata[_KEY], name=field.name) for field in fields}


class Settings:
    """Base of a frozen dataclass of settings: checks every declared field when it is made."""

    def __post_init__(self) -> None:
        for name, declared in settings_of(type(self)).items():
            # A frozen dataclass sets its own fields only in this way.
            object.__setattr__(self, name, declared.check(getattr(self, name)))
