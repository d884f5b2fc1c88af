"""Diagnoses of a run, from its numbers alone, without the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tl_widgets.core.numbers import percent
from tl_widgets.records.comparison import Diagnosis, History
from tl_widgets.records.statistics import wilson_interval

OVERFITTING_GAP = 0.15
WIDE_INTERVAL = 0.10
IMBALANCE = 3.0
DEAD_SHARE = 0.5
STUCK_MARGIN = 0.1  # with few images, a run this far above chance may lack proof, but it isn't stuck


@dataclass(frozen=True)
class DeadUnits:
    """The ReLU units of one layer that are 0 for every image; `layer` is a Keras class."""

    layer: str
    n_dead: int
    n_units: int


def is_stuck(history: History, train_labels: Sequence[int]) -> bool:
    """Return whether training is no better than always giving the most frequent class.

    Without a finished epoch, the answer is False.
    """
    if not history.accuracy:
        return False
    n = len(train_labels)
    majority = max(Counter(train_labels).values()) / n
    low, _ = wilson_interval(round(history.accuracy[-1] * n), n)
    return low <= majority and history.accuracy[-1] < majority + STUCK_MARGIN


def diagnose(
    history: History,
    *,
    train_labels: Sequence[int],
    test_labels: Sequence[int],
    predictions: Sequence[int],
    class_names: Sequence[str],
    dead_units: Sequence[DeadUnits] = (),
) -> tuple[Diagnosis, ...]:
    """Return what a teacher would point out in a run, the most serious first.

    `test_labels` and `predictions` are empty if the test wasn't made, `dead_units` if they weren't counted.
    """
    diagnoses = []
    if is_stuck(history, train_labels) and not _beats_chance(test_labels, predictions):
        diagnoses.append(_stuck(history, train_labels, dead_units))
    elif test_labels:
        n_right = sum(a == b for a, b in zip(test_labels, predictions, strict=True))
        gap = history.accuracy[-1] - n_right / len(test_labels)
        _, high = wilson_interval(n_right, len(test_labels))
        low, _ = wilson_interval(round(history.accuracy[-1] * len(train_labels)), len(train_labels))
        if gap > OVERFITTING_GAP and low > high:  # neither number is exact
            diagnoses.append(
                Diagnosis(
                    "overfitting",
                    f"It overfits: {percent(history.accuracy[-1])} of its training images are right, but only "
                    f"{percent(n_right / len(test_labels))} of the test images.",
                    "Try more images, augmentation, dropout, a smaller network, or fewer epochs.",
                )
            )
    counts = Counter(train_labels)
    most, least = counts.most_common()[0], counts.most_common()[-1]
    if most[1] >= IMBALANCE * least[1]:
        diagnoses.append(
            Diagnosis(
                "imbalance",
                f"The classes are unequal: {most[1]} training images of {class_names[most[0]]}, {least[1]} of "
                f"{class_names[least[0]]}. Always answering {class_names[most[0]]} would look better than it is.",
                "Look at each class's recall, and add images of the rare class.",
            )
        )
    if test_labels:
        low, high = wilson_interval(
            sum(a == b for a, b in zip(test_labels, predictions, strict=True)), len(test_labels)
        )
        if high - low > 2 * WIDE_INTERVAL:
            diagnoses.append(
                Diagnosis(
                    "few_test_images",
                    f"{len(test_labels)} test images are too few to tell much: the accuracy could be anything from "
                    f"{percent(low)} to {percent(high)}.",
                    "Add test images; four times as many halve the interval.",
                )
            )
    return tuple(diagnoses)


def _beats_chance(test_labels: Sequence[int], predictions: Sequence[int]) -> bool:
    """Return whether the test shows that the model learned something.

    An epoch's training accuracy is measured while the model learns, so after few steps it lags behind.
    """
    if not test_labels:
        return False
    low, _ = wilson_interval(sum(a == b for a, b in zip(test_labels, predictions, strict=True)), len(test_labels))
    return low > max(Counter(test_labels).values()) / len(test_labels)


def _stuck(history: History, train_labels: Sequence[int], dead_units: Sequence[DeadUnits]) -> Diagnosis:
    majority = max(Counter(train_labels).values()) / len(train_labels)
    text = (
        f"It is stuck at chance: {percent(history.accuracy[-1])} of its training images are right, and always giving "
        f"the most frequent class gets {percent(majority)}."
    )
    worst = max(dead_units, key=lambda layer: layer.n_dead / layer.n_units, default=None)
    if worst and worst.n_dead >= DEAD_SHARE * worst.n_units:
        return Diagnosis(
            "dead_units",
            f"{text} {worst.n_dead} of the {worst.n_units} ReLU units in a {worst.layer} layer are 0 for all training "
            "images looked at, and no gradient passes them.",
            "Try another seed, a lower learning rate, or more units in that layer.",
        )
    return Diagnosis("stuck_at_chance", text, "Try more epochs, another learning rate, another seed, or more images.")
