"""The exercises of notebooks 03 to 05, with replies to the answers that learners give."""

from __future__ import annotations

from tl_widgets.teaching.exercise import Exercise
from tl_widgets.teaching.judges import choice, number, transfer_model
from tl_widgets.teaching.middle.judges import (
    enough_pictures,
    fair_plan,
    last_layer_of_two,
    monitored,
    plan_of_cures,
    valid_features,
)

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
    "04-a": Exercise(
        "What does the head receive? Look at the shape of the features, before and after.",
        "The feature maps have more places, but average pooling still leaves 1,280 numbers. So the head has 1,280 "
        "weights and one bias, at any size.",
        number(
            1_281,
            {
                1_280: "Nearly: the unit also has a bias.",
                2_562: "That would be two units. One with sigmoid is enough for two classes.",
                11_521: "That would be Flatten: 3 × 3 places of 1,280 maps. Here they are averaged.",
                3_413_024: "That is the backbone, and it is frozen. How many numbers learn?",
            },
            "count_parameters prints how many are trainable.",
        ),
        "Average pooling leaves one number for each of 1,280 maps, however large the maps are. And one unit learns.",
    ),
    "04-b": Exercise(
        "Input, Rescaling, the frozen backbone without top, GlobalAveragePooling2D, Dense with softmax: in this order.",
        "5,124 parameters to learn, and everything else is frozen.",
        transfer_model,
        "applications.MobileNetV2(include_top=False, weights=None, input_shape=(96, 96, 3)), then trainable = False. "
        "Rescaling(1 / 127.5, offset=-1) makes −1 to 1 of 0 to 255.",
    ),
    "04-c": Exercise(
        "What does softmax make of a single score?",
        "Softmax on one unit is always 1, so every picture got the same answer. One unit needs sigmoid; two can have "
        "softmax.",
        last_layer_of_two,
        "Look at the three rows that you printed: which of them say something different about different pictures?",
    ),
    "04-d": Exercise(
        "Ask of each: would the backbone still give exactly the numbers that were kept?",
        "More epochs and other heads change nothing below the head. New pictures, a backbone that learns and another "
        "size do.",
        valid_features,
        "Two of the five change nothing about the picture, the preprocessing or the backbone.",
    ),
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
