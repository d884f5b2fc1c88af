"""Kinds of numbers and texts in records, checked when a record is read.

A field declares its kind as its type: `seconds: Duration`. Type checkers see a plain float or str.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import Annotated

from tl_widgets.core.translation import _

# No experiment exceeds these, and larger values would freeze the page that shows them, or overflow.
MAX_NUMBER = 10**15
MAX_TEXT = 20_000
_MAX_FLOAT = 1e40  # losses are float32
_ROUNDING = 1e-9  # an interval may end at 1.0000000000000002


@dataclass(frozen=True)
class Range:
    """The numbers from `low` to `high`; `nan` also allows NaN, which a diverged model answers."""

    low: float = -inf
    high: float = inf
    nan: bool = False


@dataclass(frozen=True)
class Text:
    """Text of at most `length` characters; only a `file_name` may hold bytes that aren't UTF-8, as surrogates."""

    length: int = MAX_TEXT
    file_name: bool = False


@dataclass(frozen=True)
class Marks:
    """Right and wrong answers; a file holds a character for each: "1" if it is right, else "0"."""


Share = Annotated[float, Range(0, 1)]
Answer = Annotated[float, Range(0, 1, nan=True)]
Difference = Annotated[float, Range(-1, 1)]
Duration = Annotated[float, Range(0, MAX_NUMBER)]
Positive = Annotated[float, Range(1e-6, MAX_NUMBER)]  # for axes with a log scale
Count = Annotated[int, Range(0, MAX_NUMBER)]
FileName = Annotated[str, Text(file_name=True)]
Data = Annotated[str, Text(20_000_000)]
RightAnswers = Annotated[tuple[bool, ...], Marks()]  # one for each image
Interval = tuple[Annotated[float, Range(-1, 1)], Annotated[float, Range(-1, 1)]]


def check_whole(number: int, kind: Range | None) -> int:
    """Return `number`, or raise TypeError with a clause."""
    if abs(number) > MAX_NUMBER:
        raise TypeError("is a whole number that no experiment can produce")
    _require_within(number, kind)
    return number


def check_real(number: float, kind: Range | None) -> float:
    """Return `number`, or raise TypeError with a clause; without a kind, NaN and infinities are fine."""
    if isfinite(number) and abs(number) > _MAX_FLOAT:
        raise TypeError("is a number that no experiment can produce")
    if kind is None or not (kind.nan and number != number):
        _require_within(number, kind)
    return number


def _require_within(number: float, kind: Range | None) -> None:
    if kind is not None and not kind.low - _ROUNDING <= number <= kind.high + _ROUNDING:
        limits = (
            _("at least {low:g}", low=kind.low)
            if kind.high >= MAX_NUMBER
            else _("between {low:g} and {high:g}", low=kind.low, high=kind.high)
        )
        raise TypeError(f"is {number:g}, not {limits}")


def check_text(text: str, kind: Text) -> str:
    """Return `text`, or raise TypeError with a clause."""
    if len(text) > kind.length:
        raise TypeError(f"is a text of more than {kind.length:,} characters")
    try:
        text.encode("utf-8", "surrogateescape" if kind.file_name else "strict")
    except UnicodeEncodeError:
        raise TypeError("is a text that holds half a character (a lone surrogate)") from None
    return text


def read_marks(value: object) -> tuple[bool, ...]:
    """Return which answers are right, or raise TypeError with a clause; older records have a list."""
    if isinstance(value, list) and all(isinstance(mark, bool) for mark in value):
        return tuple(value)
    if not isinstance(value, str) or set(value) - set("01"):
        raise TypeError(f"is {value!r:.60}, not a text of 0 and 1")
    return tuple(mark == "1" for mark in value)


def write_marks(answers: tuple[bool, ...]) -> str:
    """Return what `read_marks` reads."""
    return "".join("1" if is_right else "0" for is_right in answers)
