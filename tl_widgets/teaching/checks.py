"""check: say whether an exercise's answer is right, and if not, what is wrong and what to think of next."""

from __future__ import annotations

import difflib
from typing import Any

from tl_widgets.core.errors import InputError
from tl_widgets.teaching.exercises import EXERCISES, Exercise
from tl_widgets.teaching.show import say


def find_exercise(name: str) -> Exercise:
    """The exercise of that name.

    Args:
        name: "01-a": the notebook's number and a letter.

    Raises:
        InputError: there is none.
    """
    if name not in EXERCISES:
        near = difflib.get_close_matches(name, EXERCISES, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise InputError(f"There is no exercise {name!r}. {hint}There are {', '.join(EXERCISES)}.")
    return EXERCISES[name]


def judge(name: str, answer: Any) -> tuple[bool, str]:
    """Whether an answer is right, and a sentence or two about it.

    Args:
        name: of the exercise.
        answer: the learner's; None where there is none yet.

    Raises:
        InputError: there is no such exercise.
    """
    exercise = find_exercise(name)
    if answer is None or answer is ...:
        return False, f"{name}: no answer yet. Hint: {exercise.hint}"
    problem = exercise.problem(answer)
    if problem is None:
        return True, f"{name}: right. {exercise.praise}"
    return False, f"{name}: not yet. {problem}"


def check(name: str, answer: Any = None) -> None:
    """Print whether an answer is right; if it is not, what is wrong. Never raises for a wrong answer.

    Args:
        name: of the exercise: "01-a".
        answer: the learner's; without one, the hint is printed.

    Raises:
        InputError: there is no such exercise.
    """
    say(judge(name, answer)[1])
