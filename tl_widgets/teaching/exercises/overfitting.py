"""The exercises on overfitting (notebook 03), with their judges."""

from __future__ import annotations

from typing import Any

import numpy as np

from tl_widgets.teaching.exercises.exercise import Exercise
from tl_widgets.teaching.exercises.judges import choice


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
        return 'Add a line "my plan": usual | {...} to `cures`, run the loop again, and give scores["my plan"].'
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


OVERFITTING_EXERCISES: dict[str, Exercise] = {
    "03-a": Exercise(
        "The circle stands where the network agrees with the written labels. How many of them can it only memorize?",
        "Fewer wrong labels are fewer to memorize. The circle stays near 100%, and the bar comes closer to it.",
        choice(
            "smaller",
            {
                "larger": "A larger gap would mean that more has to be memorized. Now there are fewer wrong labels.",
                "the same": "Run it: the circle hardly moves, and the bar does. What spoils the bar are wrong labels.",
            },
        ),
        "The network still learns every label by heart. But now nearly all of them are right.",
    ),
    "03-b": Exercise(
        "Which loss shows how the network does on images that it doesn't learn from?",
        "The training loss falls as long as the network memorizes, so it never says stop. restore_best_weights=True "
        "would also bring back the weights of the best epoch.",
        monitored,
        'fit reports "loss", "accuracy", "val_loss" and "val_accuracy". Which of them get worse when it overfits?',
    ),
    "03-c": Exercise(
        "One change brings more of what is right. Others stop the network from memorizing what is wrong.",
        "More pictures, and something that prevents memorizing. Now the training accuracy is near the share of right "
        "labels, as it should be.",
        plan_of_cures,
        'Keep {"each": 75}, and add one of those that helped alone, with its number.',
    ),
}
