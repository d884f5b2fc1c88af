"""One exercise of the tutorial."""

from __future__ import annotations

from dataclasses import dataclass

from tl_widgets.teaching.exercises.judges import Problem


@dataclass(frozen=True)
class Exercise:
    """An exercise.

    Attributes:
        hint: What to think about first.
        praise: The reply to a right answer.
        problem: Returns what is wrong with an answer, or None.
        second_hint: What leads nearly to the answer; "" if there is only one hint.
    """

    hint: str
    praise: str
    problem: Problem
    second_hint: str = ""
