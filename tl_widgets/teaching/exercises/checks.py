"""Checks of the learner's answers to exercises."""

from __future__ import annotations

import difflib
from typing import Any

from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _
from tl_widgets.teaching.exercises.catalogue import EXERCISES
from tl_widgets.teaching.exercises.exercise import Exercise
from tl_widgets.teaching.show import say


def find_exercise(name: str) -> Exercise:
    """Return the exercise of that name: the notebook's number and a letter, "01-a".

    Raises:
        InputError: There is none.
    """
    if name not in EXERCISES:
        near = difflib.get_close_matches(name, EXERCISES, n=1)
        hint = _("Did you mean {near!r}? ", near=near[0]) if near else ""
        raise InputError(
            _(
                "There is no exercise {name!r}. {hint}The exercises are {exercises}.",
                name=name,
                hint=hint,
                exercises=", ".join(EXERCISES),
            )
        )
    return EXERCISES[name]


def judge(name: str, answer: Any, hint: int = 1) -> tuple[bool, str]:
    """Return whether an answer is right, and a sentence or two about it; without an answer, a hint.

    Raises:
        InputError: There is no such exercise.
    """
    exercise = find_exercise(name)
    if answer is None or answer is ...:
        if not exercise.second_hint:
            return False, _("{name}: no answer yet. Hint: {hint}", name=name, hint=exercise.hint)
        if hint > 1:
            return False, _(
                "{name}: no answer yet. Second hint: {second_hint}", name=name, second_hint=exercise.second_hint
            )
        return False, _(
            '{name}: no answer yet. Hint: {hint} A second hint: check("{name}", hint=2)', name=name, hint=exercise.hint
        )
    problem = exercise.problem(answer)
    if problem is None:
        return True, _("{name}: right. {praise}", name=name, praise=exercise.praise)
    return False, _("{name}: not yet. {problem}", name=name, problem=problem)


def check(name: str, answer: Any = None, *, hint: int = 1) -> None:
    """Print whether an answer is right, and if not, what is wrong with it.

    A wrong answer never raises an error.

    Args:
        name: The name of the exercise: "01-a".
        answer: The learner's answer; without one, a hint is printed.
        hint: Which hint to print, 1 or 2; the second one says more.

    Raises:
        InputError: There is no such exercise.
    """
    say(judge(name, answer, hint)[1])
