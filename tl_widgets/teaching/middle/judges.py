"""Judges of the answers in notebooks 03 to 05: each returns what is wrong with an answer, or None."""

from __future__ import annotations

from typing import Any

import numpy as np


def monitored(answer: Any) -> str | None:
    """Judge what EarlyStopping should watch in place of "loss"."""
    text = str(answer).strip().lower()
    if text in ("val_loss", "val_accuracy"):
        return None
    if text == "loss":
        return "That's what it watches now, the training loss. It goes on falling while the network memorizes."
    if text == "accuracy":
        return "That's the training accuracy. It goes on rising while the network memorizes."
    if text in ("patience", "monitor", "epochs"):
        return "With another number it would stop a little sooner or later. But what does it look at?"
    if "test" in text:
        return "Then the test images decide when to stop, and they are no longer new to the network."
    return f'Write one of the names that `fit` reports for each epoch, such as "loss"; this is {answer!r}.'


def plan_of_cures(answer: Any) -> str | None:
    """Judge (training accuracy, validation accuracy) of a network with several cures at once."""
    values = np.asarray(answer if isinstance(answer, list | tuple) else (), dtype=object)
    if values.shape != (2,) or not all(isinstance(value, float) for value in values):
        return 'Add a line "my plan": {...} to `cures`, run the loop again, and give scores["my plan"].'
    training, validation = values
    if not (0 <= training <= 1 and 0 <= validation <= 1):
        return "Both numbers are shares, from 0 to 1. Give scores as the loop has made them."
    got = f"It reaches {validation:.0%} on the validation images."
    if validation >= 0.9:
        return None
    if training > 0.8:
        return f"{got} It still agrees with {training:.0%} of the written labels, so it memorizes. Stop that."
    if training < 0.5:
        return f"{got} It learns too little, from the right labels as well. Take less of what makes learning hard."
    return f"{got} It hardly memorizes, so what's missing are more examples of what is right. Which change brings them?"


def last_layer_of_two(answer: Any) -> str | None:
    """Judge (units, activation) for two classes of which exactly one is right."""
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return 'Give two things: (number of units, "name of the activation").'
    units, activation = answer[0], str(getattr(answer[1], "__name__", answer[1])).lower()
    if activation not in ("sigmoid", "softmax"):
        return f"{activation} doesn't turn a score into a probability. Which two activations does this notebook use?"
    if units == 1:
        return None if activation == "sigmoid" else "That's the layer that doesn't work: softmax on one unit is 1."
    if units == 2 and activation == "sigmoid":
        return "Two sigmoids are two questions: both may say yes. Exactly one of cat and dog is right."
    return None if units == 2 else f"There are two classes, and {units} units."


_CHANGES = {
    "B": "B: each epoch brings other pictures, so the kept numbers belong to pictures that never come again.",
    "D": "D: a backbone that learns gives other numbers after each step.",
    "E": "E: at another size the backbone sees other pixels and gives other numbers.",
}


def valid_features(answer: Any) -> str | None:
    """Judge the letters of the cases in which kept features are valid, A and C."""
    letters = {letter for letter in str(answer).upper() if letter.isalpha()}
    if not isinstance(answer, str | list | tuple | set) or not letters or not letters <= set("ABCDE"):
        return f'Write letters from A to E as one text, such as "AB"; this is {answer!r:.60}.'
    for letter in sorted(letters & _CHANGES.keys()):
        return f"Not in case {_CHANGES[letter]}"
    if "A" not in letters:
        return "A is missing: more epochs train the head on the same numbers."
    return None if "C" in letters else "C is missing: the numbers come from the backbone, whatever head is on top."


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
