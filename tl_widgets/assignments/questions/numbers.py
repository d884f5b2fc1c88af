"""Numbers as people type them, and when two numbers are the same answer."""

from __future__ import annotations

import math

from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import typed_number
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _

_USUAL = 0.01  # relative tolerance
_EXACT_ABOVE = 50  # whole numbers above it are counted, not measured
_ROUNDING = 1e-9


def is_near(value: float, right: float, tolerance: float | None = None, within: float | None = None) -> bool:
    """Return whether two numbers are the same answer.

    Args:
        value: The answer.
        right: What it should be.
        tolerance: How far it may be off, as a share of `right`. By default 1%, and whole numbers above 50 must be
            exact.
        within: How far it may be off, in the unit of `right`.
    """
    if tolerance is None and within is None:
        tolerance = 0.0 if float(right).is_integer() and abs(right) > _EXACT_ABOVE else _USUAL
    allowed = max((tolerance or 0.0) * abs(right), within or 0.0, _ROUNDING * abs(right))
    return abs(value - right) <= allowed


def as_number(answer: object) -> float:
    """Return an answer as a finite number; "91%" is 0.91.

    Raises:
        InputError: It isn't one.
    """
    try:
        if isinstance(answer, bool):
            raise TypeError
        if isinstance(answer, str):
            value = typed_number(answer.strip().removesuffix("%")) / (100 if answer.strip().endswith("%") else 1)
        else:
            value = float(answer)  # type: ignore[arg-type]  # of any type
        if not math.isfinite(value) or abs(value) > 1e15:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        what = shown(answer, 60)
        raise InputError(_("The answer is one number, such as 12.5; received {value}.", value=what)) from None
    return value
