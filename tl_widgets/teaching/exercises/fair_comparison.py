"""The exercises on fair comparisons (notebook 05), with their judges."""

from __future__ import annotations

from typing import Any

import numpy as np

from tl_widgets.teaching.exercises.exercise import Exercise
from tl_widgets.teaching.exercises.judges import choice


def enough_pictures(answer: Any) -> str | None:
    """Judge how many test pictures show 5 points where two models disagree on a fifth: 320, or 307 with 1.96."""
    if isinstance(answer, bool) or not isinstance(answer, int | float | np.number):
        return f"The answer is a number of pictures; this is {answer!r}."
    for low, high, problem in (
        (290, 340, None),
        (760, 840, "That's for different pictures, with d = 0.5. Here both models answer the same ones."),
        (75, 85, "That leaves out the factor of 2: one typical error, which is often exceeded."),
        (6, 10, "The root is missing on one side. Square 0.05, too."),
    ):
        if low <= answer <= high:
            return problem
    return "Add numbers to the list in the cell until the second one says 5 points, or solve 0.05 = 2√(0.2 / n)."


def fair_plan(answer: Any) -> str | None:
    """Judge (how to split, number of seeds, split that chooses the settings) for digits of twelve children."""
    if not isinstance(answer, tuple | list) or len(answer) != 3:
        return 'Give three things, such as ("by picture", 1, "test").'
    split, seeds, chooser = str(answer[0]).strip().lower(), answer[1], str(answer[2]).strip().lower()
    if "child" not in split:
        return f"Split {answer[0]!r}, and digits of one child may be on both sides. Nearly the same, so too easy."
    if isinstance(seeds, bool) or not isinstance(seeds, int | np.integer) or seeds < 1:
        return f"The second is a number of seeds; this is {seeds!r}."
    if seeds < 3:
        return f"With {seeds} you can't see how far seeds scatter. Train each program a few times."
    if seeds > 30:
        return f"{seeds} trainings of each program cost hours, and hardly change the mean any more."
    if "train" in chooser:
        return "Settings chosen by the training pictures are those that memorize best."
    if "test" in chooser:
        return "Then the test has chosen its favorite, and its score is too good."
    return None if "valid" in chooser else f"Which split chooses the settings? {answer[2]!r} isn't one of the three."


FAIR_COMPARISON_EXERCISES: dict[str, Exercise] = {
    "05-a": Exercise(
        "The cell prints 2√(d / n). For which n is that 0.05, with d = 0.2?",
        "0.05 = 2√(0.2 / n) gives n = 320. Half the difference takes four times the pictures, because n stands under "
        "a root.",
        enough_pictures,
        "Square both sides: 0.0025 = 4 × 0.2 / n.",
    ),
    "05-b": Exercise(
        "Which of the two models may try several times and show its best?",
        "The best of five seeds has the most luck, and only one model got to choose. Take the mean over the same five "
        "seeds for both, as repeats=5 does.",
        choice(
            "c",
            {
                "a": "Several seeds are a good idea, as long as both models get them.",
                "b": "Both models learn from the same split here. What happens to the score afterwards?",
                "d": "Line D compares two numbers. It is fair if both were made in the same way; were they?",
            },
        ),
        "What would max do to five models that are equally good?",
    ),
    "05-c": Exercise(
        "Who will write the digits that the program has to read later? And which luck does one training leave out?",
        "The test children are new to both programs, so the score says what other children can expect. Checklist: same "
        "split and the same number of tries for both; settings chosen by validation; tested once; compared in pairs, "
        "with an interval.",
        fair_plan,
        "Digits by one child look alike. Several seeds, and the pictures that are there for choices.",
    ),
}
