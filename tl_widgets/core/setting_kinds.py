"""Kinds of settings: check values and parse text. Import from `core.settings`."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import typed_number
from tl_widgets.core.paths import absolute_path, user_path
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _

_MAX_WHOLE = 10**18  # what NumPy's and TensorFlow's whole numbers hold


def whole_number(name: str, value: object) -> int:
    """Return a whole number of any type, or raise InputError for 2.5, "10" or True."""
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)  # type: ignore[arg-type]  # of any type
    except TypeError:
        raise InputError(_("{name} must be a whole number; received {value}.", name=name, value=shown(value))) from None
    if abs(number) > _MAX_WHOLE:
        raise InputError(_("{name} must be a smaller number; received {number}.", name=name, number=shown(number, 30)))
    return number


def real_number(name: str, value: object) -> float:
    """Return a number of any type, or raise InputError for "0.1", True or None."""
    try:
        if isinstance(value, bool | str | bytes):
            raise TypeError
        return float(value)  # type: ignore[arg-type]  # of any type
    except (TypeError, ValueError, OverflowError):
        raise InputError(_("{name} must be a number; received {value}.", name=name, value=shown(value))) from None


@dataclass(frozen=True)
class Whole:
    """A whole number.

    Attributes:
        low: the smallest value allowed.
        high: the largest value allowed; None if there is no limit.
        step: step of the form field's arrows.
        counted: what is counted, for messages, such as "copies of each image"; may be empty.
        field_high: the largest value on a form, if `high` is unlimited.
    """

    low: int
    high: int | None = None
    step: int = 1
    counted: str = ""
    field_high: int | None = None

    def check(self, name: str, value: object) -> int:
        """Return `value` as an int, or raise InputError with what is allowed."""
        number = whole_number(name, value)
        if number < self.low or (self.high is not None and number > self.high):
            allowed = (
                _("{low:,} or more", low=self.low)
                if self.high is None
                else _("{low:,} to {high:,}", low=self.low, high=self.high)
            )
            counted = f" {self.counted}" if self.counted else ""
            raise InputError(
                _(
                    "{name} must be {allowed}{counted}; received {value}.",
                    name=name,
                    allowed=allowed,
                    counted=counted,
                    value=shown(value),
                )
            )
        return number

    def parse(self, text: str) -> int:
        """Return the typed number, or raise InputError."""
        try:
            return int(text)
        except ValueError:
            raise InputError(_("{text!r} is not a whole number", text=text)) from None


@dataclass(frozen=True)
class Real:
    """A number.

    Attributes:
        open_low: whether `low` itself is excluded.
        open_high: whether `high` itself is excluded.
        usual: values that a form offers in a menu instead of a number field; empty for a field.
    """

    low: float
    high: float
    step: float = 0.05
    open_low: bool = False
    open_high: bool = False
    usual: tuple[float, ...] = ()

    def check(self, name: str, value: object) -> float:
        """Return `value` as a float, or raise InputError with what is allowed."""
        number = real_number(name, value)
        above = number > self.low if self.open_low else number >= self.low
        below = number < self.high if self.open_high else number <= self.high
        if not (above and below):
            lower = _("above") if self.open_low else _("at least")
            upper = _("below") if self.open_high else _("at most")
            raise InputError(
                _(
                    "{name} must be {lower} {low:g} and {upper} {high:g}; received {value}.",
                    name=name,
                    lower=lower,
                    low=self.low,
                    upper=upper,
                    high=self.high,
                    value=shown(value),
                )
            )
        return number

    def parse(self, text: str) -> float:
        """Return the typed number, or raise InputError."""
        try:
            return typed_number(text)
        except ValueError:
            raise InputError(_("{text!r} is not a number", text=text)) from None


@dataclass(frozen=True)
class Flag:
    """True or False."""

    def check(self, name: str, value: object) -> bool:
        """Return `value`, or raise InputError if it is neither True nor False."""
        if not isinstance(value, bool):
            raise InputError(_("{name} must be True or False; received {value}.", name=name, value=shown(value)))
        return value

    def parse(self, text: str) -> bool:
        """Return True for "yes" and False for "no", or raise InputError."""
        if text not in ("yes", "no"):
            raise InputError(_("{text!r} is neither yes nor no", text=text))
        return text == "yes"


@dataclass(frozen=True)
class Choice:
    """One of several values.

    Attributes:
        options: (text on the screen, value) pairs, or a function that returns them when they are needed.
        or_file: whether the path of a file is allowed, too.
    """

    options: tuple[tuple[str, Any], ...] | Callable[[], Iterable[tuple[str, Any]]]
    or_file: bool = False

    def listed(self) -> tuple[tuple[str, Any], ...]:
        """Return the current options."""
        return tuple(self.options()) if callable(self.options) else self.options

    def check(self, name: str, value: object) -> Any:
        """Return `value`, or raise InputError with the list of allowed values."""
        values = [option for _, option in self.listed()]
        if value in values:
            return value
        if self.or_file and isinstance(value, str | os.PathLike):
            user_path(value, name)
            return os.fspath(value)
        more = _(", or the path of a file") if self.or_file else ""
        raise InputError(
            _(
                "{name} must be one of {values}{more}; received {value}.",
                name=name,
                values=", ".join(map(str, values)),
                more=more,
                value=shown(value),
            )
        )

    def parse(self, text: str) -> Any:
        """Return the typed option or the path of a file, or raise InputError."""
        values = {str(value): value for _, value in self.listed()}
        if text in values:
            return values[text]
        if not self.or_file:
            raise InputError(_("{text!r} is not one of {values}", text=text, values=", ".join(values)))
        # Absolute, so records and scripts identify the file from any folder.
        return str(absolute_path(text, _("the file")))


@dataclass(frozen=True)
class Name:
    """A name, such as that of a backbone or a data set.

    Attributes:
        find: returns the official spelling of a name, or raises InputError. The default accepts any text.
        listed_by: the command that lists the names; empty if there is none.
    """

    find: Callable[[str], str] = str
    listed_by: str = ""

    def check(self, name: str, value: object) -> str:
        """Return the official spelling of `value`, or raise InputError."""
        if not isinstance(value, str) or not value:
            raise InputError(_("{name} must be a name; received {value}.", name=name, value=shown(value)))
        return self.find(value)

    def parse(self, text: str) -> str:
        """Return the typed name."""
        return text


@dataclass(frozen=True)
class Several:
    """Several values of the same kind, as a tuple.

    Attributes:
        kind: kind of each value.
        example: what a user could type, such as "2,5,10".
        distinct: whether all values must be different.
        min_values: minimum number of values.
        max_values: maximum number of values; None if there is no limit.
        menu: (text, values) of the combinations that a form offers in a menu; empty for a text field.
        count_to: if above 0, a form asks only how many values, up to this number; 3 then means the values 0, 1, 2.
    """

    kind: Whole | Name | Choice
    example: str
    distinct: bool = True
    min_values: int = 1
    max_values: int | None = None
    menu: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    count_to: int = 0

    def check(self, name: str, value: object) -> tuple[Any, ...]:
        """Return `value` as a tuple, or raise InputError."""
        values = () if isinstance(value, str) or not isinstance(value, Iterable) else tuple(value)
        if len(values) < self.min_values or (self.max_values is not None and len(values) > self.max_values):
            limit = _("or more") if self.max_values is None else _("to {max_values}", max_values=self.max_values)
            noun = _("whole numbers") if isinstance(self.kind, Whole) else _("names")
            count = _("one") if self.min_values == 1 and self.max_values is None else f"{self.min_values}"
            raise InputError(
                _(
                    "{name} must be {count} {limit} {noun}, such as {example}; received {value}.",
                    name=name,
                    count=count,
                    limit=limit,
                    noun=noun,
                    example=self.example,
                    value=shown(value),
                )
            )
        checked = tuple(self.kind.check(name, item) for item in values)
        if self.distinct and len(set(checked)) < len(checked):
            raise InputError(_("{name} must all be different; received {value}.", name=name, value=shown(value)))
        return checked

    def parse(self, text: str) -> tuple[Any, ...]:
        """Return the typed values, or raise InputError; numbers need no commas."""
        is_number = isinstance(self.kind, Whole)
        parts = text.replace(",", " ").split() if is_number else [part.strip() for part in text.split(",")]
        try:
            if not any(parts):
                raise InputError(_("nothing was typed"))
            return tuple(self.kind.parse(part) for part in parts if part)
        except InputError:
            noun = _("whole numbers") if isinstance(self.kind, Whole) else _("names")
            raise InputError(
                _("{text!r} is not a list of {noun}, such as {example}", text=text, noun=noun, example=self.example)
            ) from None


@dataclass(frozen=True)
class Part:
    """A group of settings as one value, such as the network of a Config.

    Attributes:
        kind: the dataclass that declares the settings.
        example: what a user could write, such as "FineTuningSpec(n_blocks=1)".
        count: the only setting of the part that forms and the command line show, where 0 means None for the whole part;
            empty if they show all settings.
        count_name: the name of that setting on forms and the command line.
    """

    kind: type
    example: str
    count: str = ""
    count_name: str = ""

    def check(self, name: str, value: object) -> Any:
        """Return `value`, or raise InputError with an example."""
        if not isinstance(value, self.kind):
            raise InputError(
                _(
                    "{name} must be a {kind}, such as {example}; received {value}.",
                    name=name,
                    kind=self.kind.__name__,
                    example=self.example,
                    value=shown(value),
                )
            )
        return value


Kind = Whole | Real | Flag | Choice | Name | Several | Part
