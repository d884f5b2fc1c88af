"""The exercises of the tutorial, with replies to the answers that learners give."""

from __future__ import annotations

from tl_widgets.teaching.exercise import Exercise
from tl_widgets.teaching.first_exercises import FIRST_EXERCISES
from tl_widgets.teaching.judges import (
    choice,
    number,
    repaired_model,
)
from tl_widgets.teaching.middle.exercises import MIDDLE_EXERCISES
from tl_widgets.teaching.practice.choosing import CHOOSING_EXERCISES
from tl_widgets.teaching.practice.fine_tuning import FINE_TUNING_EXERCISES
from tl_widgets.teaching.practice.how_much_data import HOW_MUCH_DATA_EXERCISES
from tl_widgets.teaching.practice.own_images import OWN_IMAGES_EXERCISES
from tl_widgets.teaching.trust.exercises import TRUST_EXERCISES

EXERCISES: dict[str, Exercise] = {
    **FIRST_EXERCISES,
    **MIDDLE_EXERCISES,
    **TRUST_EXERCISES,
    **OWN_IMAGES_EXERCISES,
    **HOW_MUCH_DATA_EXERCISES,
    **CHOOSING_EXERCISES,
    **FINE_TUNING_EXERCISES,
    "10-a": Exercise(
        "Fix one thing at a time: check_setup names them. build_transfer shows which layer comes before the backbone.",
        "check_setup finds nothing more. Only a test on images that are new to the model tells how good it is.",
        repaired_model,
        "Four places: what comes before the backbone, the layer of 6, the learning rate, from_logits.",
    ),
    "10-b": Exercise(
        "An interval that contains 0: was a cost shown? Was it shown that there is none?",
        "These images can't tell. On harder images, or with another backbone, raw pixels can cost nearly everything.",
        choice(
            "unknown",
            {
                "harmless": "Not seeing a difference doesn't show that there is none: the interval has both signs.",
                "harmful": "Your next pictures may show it, but these didn't: the interval contains 0.",
            },
        ),
        "The third sentence of the study says for which images it holds.",
    ),
    "10-c": Exercise(
        "What, besides the illness, do two X-rays of one patient have in common?",
        "If it recognizes patients, it fails on patients that it hasn't seen.",
        choice(
            "split by patient",
            {
                "more epochs": "It would only recognize the same patients better still.",
                "larger network": "It would only recognize the same patients better still, and memorize more.",
                "random labels": "A good test for a picture that is in both parts. But two X-rays of one patient would "
                "get different random labels, so recognizing the patient wouldn't help.",
            },
        ),
        "Each patient's two pictures must be on the same side.",
    ),
    "11-a": Exercise(
        "Every place of the backbone's map stands for 32 pixels along each side.",
        "160 / 32 = 5 places along each side.",
        number(
            25,
            {
                5: "That is one side. The map has two.",
                9: "That is the map of 96 × 96 pixels. Here the picture is larger.",
                800: "The sides are halved five times: divide 160 by 2 × 2 × 2 × 2 × 2.",
                1_600: "That is the network from scratch, which halves its sides twice. The backbone: five times.",
            },
            "Halve 160 five times; that is one side. Then multiply the two sides.",
        ),
        "160, 80, 40, 20, 10, 5: five places along each side.",
    ),
    "11-b": Exercise(
        "Each map needs one weight. Over what has to be averaged, and what has to stay?",
        "Averaged over rows and columns, one weight for each map is left.",
        choice(
            "(0, 1)",
            {
                "-1": "That is her line. It averages over the maps, and leaves one number for each place.",
                "2": "The last axis holds the maps, as -1 does. There must be one weight left for each of them.",
                "0": "That averages over the rows alone. Which other axis are places, too?",
                "1": "That averages over the columns alone. Which other axis are places, too?",
            },
        ),
        "The shape is (rows, columns, maps), and a weight is the mean over all places. axis can be two numbers.",
    ),
    "11-c": Exercise(
        "Which of these could show that the map has nothing to do with what was learned?",
        "If it's as bright on the lungs, the map only shows where lungs are. The solutions have a checklist.",
        choice(
            "an untrained network's map",
            {
                "brighter colors": "Each map is scaled to its own maximum. Colors say nothing about strength.",
                "a finer map": "Finer isn't truer: pooling decides how fine a map is.",
            },
        ),
        "Which of the three did this notebook use as a sanity check?",
    ),
}
