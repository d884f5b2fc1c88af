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
