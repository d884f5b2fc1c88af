"""The exercises on overfitting (notebook 03), with their judges."""

from __future__ import annotations

from typing import Any

import numpy as np

from tl_widgets.core.translation import _
from tl_widgets.teaching.exercises.exercise import Exercise
from tl_widgets.teaching.exercises.judges import choice


def monitored(answer: Any) -> str | None:
    """Judge what EarlyStopping should watch in place of "loss"."""
    text = str(answer).strip().lower()
    if text in ("val_loss", "val_accuracy"):
        return None
    if text == "loss":
        return _("That's what it watches now, the training loss. It goes on falling while the network memorizes.")
    if text == "accuracy":
        return _("That's the training accuracy. It goes on rising while the network memorizes.")
    if text in ("patience", "monitor", "epochs"):
        return _("With another number it would stop a little sooner or later. But what does it look at?")
    if "test" in text:
        return _("Then the test images decide when to stop, and they are no longer new to the network.")
    return _(
        'Write one of the names that `fit` reports for each epoch, such as "loss"; this is {answer!r}.', answer=answer
    )


def plan_of_cures(answer: Any) -> str | None:
    """Judge (training accuracy, validation accuracy) of a network with several cures at once."""
    values = np.asarray(answer if isinstance(answer, list | tuple) else (), dtype=object)
    if values.shape != (2,) or not all(isinstance(value, float) for value in values):
        return _('Add a line "my plan": usual | {...} to `cures`, run the loop again, and give scores["my plan"].')
    training, validation = values
    if not (0 <= training <= 1 and 0 <= validation <= 1):
        return _("Both numbers are shares, from 0 to 1. Give scores as the loop has made them.")
    got = _("It reaches {validation:.0%} on the validation images.", validation=validation)
    if validation >= 0.9:
        return None
    if training > 0.8:
        return _(
            "{got} It still agrees with {training:.0%} of the written labels, so it memorizes. Stop that.",
            got=got,
            training=training,
        )
    if training < 0.5:
        return _(
            "{got} It learns too little, from the right labels as well. Take less of what makes learning hard.", got=got
        )
    return _(
        "{got} It hardly memorizes, so what's missing are more examples of what is right. Which change brings them?",
        got=got,
    )


OVERFITTING_EXERCISES: dict[str, Exercise] = {
    "03-a": Exercise(
        _("The circle stands where the network agrees with the written labels. How many of them can it only memorize?"),
        _("Fewer wrong labels are fewer to memorize. The circle stays near 100%, and the bar comes closer to it."),
        choice(
            "smaller",
            {
                "larger": _("A larger gap would mean that more has to be memorized. Now there are fewer wrong labels."),
                "the same": _(
                    "Run it: the circle hardly moves, and the bar does. What spoils the bar are wrong labels."
                ),
            },
        ),
        _("The network still learns every label by heart. But now nearly all of them are right."),
    ),
    "03-b": Exercise(
        _("Which loss shows how the network does on images that it doesn't learn from?"),
        _(
            "The training loss falls as long as the network memorizes, so it never says stop. "
            "restore_best_weights=True would also bring back the weights of the best epoch."
        ),
        monitored,
        _('fit reports "loss", "accuracy", "val_loss" and "val_accuracy". Which of them get worse when it overfits?'),
    ),
    "03-c": Exercise(
        _("One change brings more of what is right. Others stop the network from memorizing what is wrong."),
        _(
            "More pictures, and something that prevents memorizing. Now the training accuracy is near "
            "the share of right labels, as it should be."
        ),
        plan_of_cures,
        _('Keep {"each": 75}, and add one of those that helped alone, with its number.'),
    ),
}
