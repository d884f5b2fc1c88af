"""The exercises on fair comparisons (notebook 05), with their judges."""

from __future__ import annotations

from typing import Any

import numpy as np

from tl_widgets.core.translation import _
from tl_widgets.teaching.exercises.exercise import Exercise
from tl_widgets.teaching.exercises.judges import choice


def enough_pictures(answer: Any) -> str | None:
    """Judge how many test pictures show 5 points where two models disagree on a fifth: 320, or 307 with 1.96."""
    if isinstance(answer, bool) or not isinstance(answer, int | float | np.number):
        return _("The answer is a number of pictures; this is {answer!r}.", answer=answer)
    for low, high, problem in (
        (290, 340, None),
        (760, 840, _("That's for different pictures, with d = 0.5. Here both models answer the same ones.")),
        (75, 85, _("That leaves out the factor of 2: one typical error, which is often exceeded.")),
        (6, 10, _("The root is missing on one side. Square 0.05, too.")),
    ):
        if low <= answer <= high:
            return problem
    return _("Add numbers to the list in the cell until the second one says 5 points, or solve 0.05 = 2√(0.2 / n).")


def fair_plan(answer: Any) -> str | None:
    """Judge (how to split, number of seeds, split that chooses the settings) for digits of twelve children."""
    if not isinstance(answer, tuple | list) or len(answer) != 3:
        return _('Give three things, such as ("by picture", 1, "test").')
    split, seeds, chooser = str(answer[0]).strip().lower(), answer[1], str(answer[2]).strip().lower()
    if "child" not in split:
        return _(
            "Split {answer!r}, and digits of one child may be on both sides. Nearly the same, so too easy.",
            answer=answer[0],
        )
    if isinstance(seeds, bool) or not isinstance(seeds, int | np.integer) or seeds < 1:
        return _("The second is a number of seeds; this is {seeds!r}.", seeds=seeds)
    if seeds < 3:
        return _("With {seeds} you can't see how far seeds scatter. Train each program a few times.", seeds=seeds)
    if seeds > 30:
        return _("{seeds} trainings of each program cost hours, and hardly change the mean any more.", seeds=seeds)
    if "train" in chooser:
        return _("Settings chosen by the training pictures are those that memorize best.")
    if "test" in chooser:
        return _("Then the test has chosen its favorite, and its score is too good.")
    return (
        None
        if "valid" in chooser
        else _("Which split chooses the settings? {answer!r} isn't one of the three.", answer=answer[2])
    )


FAIR_COMPARISON_EXERCISES: dict[str, Exercise] = {
    "05-a": Exercise(
        _("The cell prints 2√(d / n). For which n is that 0.05, with d = 0.2?"),
        _(
            "0.05 = 2√(0.2 / n) gives n = 320. Half the difference takes four times the pictures, "
            "because n stands under a root."
        ),
        enough_pictures,
        _("Square both sides: 0.0025 = 4 × 0.2 / n."),
    ),
    "05-b": Exercise(
        _("Which of the two models may try several times and show its best?"),
        _(
            "The best of five seeds has the most luck, and only one model got to choose. Take the mean "
            "over the same five seeds for both, as repeats=5 does."
        ),
        choice(
            "c",
            {
                "a": _("Several seeds are a good idea, as long as both models get them."),
                "b": _("Both models learn from the same split here. What happens to the score afterwards?"),
                "d": _("Line D compares two numbers. It is fair if both were made in the same way; were they?"),
            },
        ),
        _("What would max do to five models that are equally good?"),
    ),
    "05-c": Exercise(
        _("Who will write the digits that the program has to read later? And which luck does one training leave out?"),
        _(
            "The test children are new to both programs, so the score says what other children can "
            "expect. Checklist: same split and the same number of tries for both; settings chosen by "
            "validation; tested once; compared in pairs, with an interval."
        ),
        fair_plan,
        _("Digits by one child look alike. Several seeds, and the pictures that are there for choices."),
    ),
}
