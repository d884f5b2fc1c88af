"""Judges that several topics share: each returns what is wrong with an answer, or None."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tl_widgets.assignments.questions.numbers import is_near
from tl_widgets.core.translation import _

Problem = Callable[[Any], str | None]


def number(right: float, wrong: Mapping[float, str], otherwise: str) -> Problem:
    """Judge a number to 1%; whole numbers above 50 must be exact."""

    def problem(answer: Any) -> str | None:
        if isinstance(answer, bool) or not hasattr(answer, "__float__"):
            return _("The answer is a number; this is {answer!r}.", answer=answer)
        try:
            value = float(answer)
        except (TypeError, ValueError, OverflowError):  # an array of several numbers, or a number too large
            return _("The answer is one number; this is {name}.", name=type(answer).__name__)

        if is_near(value, right):
            return None
        return next((text for other, text in wrong.items() if is_near(value, other)), otherwise)

    return problem


def choice(right: str, wrong: Mapping[str, str]) -> Problem:
    """Judge one of a few words, ignoring case."""

    def problem(answer: Any) -> str | None:
        text = str(answer).strip().lower()
        if text == right:
            return None
        answers = ", ".join(sorted([right, *wrong]))
        return wrong.get(text, _("The answer is one of {answers}; this is {answer!r}.", answers=answers, answer=answer))

    return problem
