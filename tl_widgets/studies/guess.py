"""The question that a learner answers before a study's result is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tl_widgets.core.translation import _

# Options of a guess about an accuracy, and the range of each.
BANDS = {
    _("under 50%"): (0.0, 0.5),
    _("50 to 70%"): (0.5, 0.7),
    _("70 to 80%"): (0.7, 0.8),
    _("80 to 90%"): (0.8, 0.9),
    _("over 90%"): (0.9, 1.0),
}


@dataclass(frozen=True)
class Guess:
    """A question that the learner answers before the result is shown.

    Attributes:
        subject: a key for what the guess is about; for another subject, the question is asked again.
        answer: returns the option that is true for a result, or what the result says instead; "" if it says nothing.
        is_required: whether the result waits for the guess. Otherwise its points are shown while they are measured.
        axis: the axis of the study's chart, "x" or "y", on which the options have places; "" for none.
        spans: returns the range that each option stands for on this axis, given the result or None.
    """

    question: str
    options: tuple[str, ...]
    subject: str
    answer: Callable[[Any], str]
    is_required: bool = True
    axis: str = ""
    spans: Callable[[Any], Sequence[tuple[float, float]]] = lambda _result: ()


def band_of(share: float) -> str:
    """Return the option of `BANDS` that holds for an accuracy."""
    return next(name for name, (_low, high) in BANDS.items() if share <= high)


def guess_share(question: str, subject: str, share: Callable[[Any], float | None], *, axis: str = "y") -> Guess:
    """Return a guess about an accuracy, with `BANDS` as options; `share` returns the one of a result, or None."""

    def answer(result: Any) -> str:
        found = share(result)
        return "" if found is None else band_of(found)

    spans = tuple(BANDS.values())
    return Guess(question, tuple(BANDS), subject, answer, is_required=False, axis=axis, spans=lambda _result: spans)
