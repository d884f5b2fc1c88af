"""The exercises of notebooks 03 to 05, with replies to the answers that learners give."""

from __future__ import annotations

from tl_widgets.teaching.exercise import Exercise
from tl_widgets.teaching.judges import choice
from tl_widgets.teaching.middle.judges import monitored, plan_of_cures

MIDDLE_EXERCISES: dict[str, Exercise] = {
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
