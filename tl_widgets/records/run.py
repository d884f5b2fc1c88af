"""The result of one trained model: cost, learning curves, answers and diagnoses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.numbers import percent
from tl_widgets.core.translation import _
from tl_widgets.records.kinds import Answer, Count, Duration
from tl_widgets.records.parameters import ParameterCount
from tl_widgets.records.statistics import Interval, mean_share_interval, wilson_interval


@dataclass(frozen=True)
class Seconds:
    """Wall-clock seconds of one model.

    Attributes:
        prepare: Computing a frozen backbone's features of the training and validation images; 0 for scratch.
        train: All epochs with their validation, and TensorFlow's start. The time to build a model isn't counted.
        evaluate: The one pass over the test images.
        saved: The time that `prepare` and `evaluate` would have taken in addition, had no features been kept from an
            earlier run.
    """

    prepare: Duration = 0.0
    train: Duration = 0.0
    evaluate: Duration = 0.0
    saved: Duration = 0.0

    @property
    def total(self) -> float:
        """The sum of prepare, train and evaluate."""
        return self.prepare + self.train + self.evaluate


@dataclass(frozen=True)
class History:
    """One number for each finished epoch.

    Attributes:
        loss, accuracy: Means over the epoch's batches, each measured before its step, as Keras does.
        val_loss, val_accuracy: On the validation images after the epoch; empty without validation.
        seconds: Seconds since training began, without `Seconds.prepare`.
    """

    loss: tuple[float, ...] = ()
    accuracy: tuple[Answer, ...] = ()
    val_loss: tuple[float, ...] = ()
    val_accuracy: tuple[Answer, ...] = ()
    seconds: tuple[Duration, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """Something that went wrong, or that limits what the numbers show.

    Attributes:
        kind: "diverged", "stuck_at_chance", "dead_units", "overfitting", "imbalance", "few_test_images" or "stopped".
        text: The finding, as a sentence.
        advice: What to try, as a sentence.
    """

    kind: str
    text: str
    advice: str


@dataclass(frozen=True)
class ClassFigures:
    """Recall and precision of one class on the test images.

    Attributes:
        name: The name of the class.
        n: The number of its test images.
        recall: The share of its images that the model recognized; None without images.
        precision: The share of right answers among those that named this class; None if none did.
    """

    name: str
    n: int
    recall: float | None
    precision: float | None

    @property
    def recall_ci95(self) -> Interval | None:
        """Wilson's 95% interval of the recall; None without images."""
        return None if self.recall is None else wilson_interval(round(self.recall * self.n), self.n)


@dataclass(frozen=True)
class FineTuning:
    """How a model was fine-tuned after its frozen stage.

    Attributes:
        n_blocks: The number of the backbone's last blocks that were unfrozen.
        first_block: The name of the first unfrozen block.
        start: Epochs of the frozen stage.
        learning_rate: Adam's learning rate during fine-tuning.
    """

    n_blocks: Count
    first_block: str
    start: Count
    learning_rate: float


@dataclass(frozen=True)
class RunResult:
    """One trained model.

    Attributes:
        name: A `ModelName`.
        class_names: One name for each label.
        params: Trainable and frozen parameters.
        seconds: The time it took.
        history: One number for each epoch.
        labels: The true classes of the test images, shape (n_test,); empty if the run was stopped before the test.
        predictions: The most probable classes, shape (n_test,).
        probabilities: Shape (n_test, n_classes), 0..1, rounded to 6 digits.
        diagnoses: What went wrong, if anything.
        stopped: Whether Stop was pressed before the run was done.
        device: What TensorFlow computed on: "CPU" or a GPU's name.
        backbone: The name of the frozen backbone, and how many of its blocks if it is cut; "" for scratch.
        weights: "imagenet", the name of a file, or "random"; "" for scratch.
        weights_sha256: The hash of the file with the backbone's weights; "" without a file.
        fine_tuning: How the model was fine-tuned; None for any other model.
        model: The trained keras.Model; None in a result that was read from JSON.
    """

    name: str
    class_names: tuple[str, ...]
    params: ParameterCount
    seconds: Seconds = Seconds()
    history: History = History()
    labels: tuple[Count, ...] = ()
    predictions: tuple[Count, ...] = ()
    probabilities: tuple[tuple[Answer, ...], ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    stopped: bool = False
    device: str = "CPU"
    backbone: str = ""
    weights: str = ""
    weights_sha256: str = ""
    fine_tuning: FineTuning | None = None
    model: Any = field(default=None, repr=False, compare=False)

    @property
    def n_right(self) -> int:
        """The number of test images with a right answer."""
        return sum(a == b for a, b in zip(self.labels, self.predictions, strict=True))

    @property
    def test_accuracy(self) -> float | None:
        """The share of right answers on the test images, 0..1; None before the test."""
        return self.n_right / len(self.labels) if self.labels else None

    @property
    def test_accuracy_ci95(self) -> Interval | None:
        """Wilson's 95% interval of `test_accuracy`; None before the test."""
        return wilson_interval(self.n_right, len(self.labels)) if self.labels else None

    @property
    def confusion_matrix(self) -> NDArray[np.int64]:
        """Counts, int64 (n_classes, n_classes): rows are true classes, columns answers."""
        matrix = np.zeros((len(self.class_names),) * 2, np.int64)
        np.add.at(matrix, (list(self.labels), list(self.predictions)), 1)
        return matrix

    @property
    def per_class(self) -> tuple[ClassFigures, ...]:
        """The recall and precision of each class."""
        matrix = self.confusion_matrix

        def share(i: int, n: int) -> float | None:
            return int(matrix[i, i]) / n if n else None

        return tuple(
            ClassFigures(name, int(matrix[i].sum()), share(i, int(matrix[i].sum())), share(i, int(matrix[:, i].sum())))
            for i, name in enumerate(self.class_names)
        )

    @property
    def is_uneven(self) -> bool:
        """Whether the largest class of the test has more than `UNEVEN` times the images of the smallest."""
        return is_uneven(self.labels)

    @property
    def largest_class(self) -> tuple[str, int]:
        """The class with most test images, and their number: the right answers of a model that always names it."""
        label = largest_label(self.labels)
        return self.class_names[label], self.labels.count(label)

    @property
    def balanced_accuracy(self) -> float | None:
        """The mean recall of the classes that have test images, 0..1; None before the test."""
        recalls = [figures.recall for figures in self.per_class if figures.recall is not None]
        return sum(recalls) / len(recalls) if recalls else None

    @property
    def balanced_accuracy_ci95(self) -> Interval | None:
        """The 95% interval of `balanced_accuracy`; None before the test."""
        diagonal = self.confusion_matrix.diagonal().tolist()
        counts = [(n_right, row.n) for n_right, row in zip(diagonal, self.per_class, strict=True) if row.n]
        return mean_share_interval(counts) if counts else None


UNEVEN = 1.5  # balanced accuracy and intervals of each class are shown from this ratio of class sizes on
OVERFITTING_GAP = 0.15
WIDE_INTERVAL = 0.10
IMBALANCE = 3.0
DEAD_SHARE = 0.5
NOT_LEARNING = ("diverged", "stuck_at_chance", "dead_units")  # kinds of diagnoses of a model that learned nothing
STUCK_MARGIN = 0.1  # with few images, a run this far above chance may lack proof, but it isn't stuck


@dataclass(frozen=True)
class DeadUnits:
    """The ReLU units of one layer that are 0 for every image; `layer` is a Keras class."""

    layer: str
    n_dead: int
    n_units: int


def is_uneven(labels: Sequence[int]) -> bool:
    """Return whether the largest class has more than `UNEVEN` times the images of the smallest."""
    counts = Counter(labels)
    return len(counts) > 1 and max(counts.values()) > UNEVEN * min(counts.values())


def largest_label(labels: Sequence[int]) -> int:
    """Return the most frequent of at least one label."""
    return Counter(labels).most_common(1)[0][0]


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
    if diverged := _diverged(history):
        diagnoses.append(diverged)
    elif is_stuck(history, train_labels) and not _beats_chance(test_labels, predictions):
        diagnoses.append(_stuck(history, train_labels, dead_units))
    elif test_labels:
        n_right = sum(a == b for a, b in zip(test_labels, predictions, strict=True))
        gap = history.accuracy[-1] - n_right / len(test_labels)
        _unused, high = wilson_interval(n_right, len(test_labels))
        low, _unused = wilson_interval(round(history.accuracy[-1] * len(train_labels)), len(train_labels))
        if gap > OVERFITTING_GAP and low > high:  # neither number is exact
            diagnoses.append(
                Diagnosis(
                    "overfitting",
                    _(
                        "It overfits: {history_accuracy} of its training images are right, but only "
                        "{n_right} of the test images.",
                        history_accuracy=percent(history.accuracy[-1]),
                        n_right=percent(n_right / len(test_labels)),
                    ),
                    _("Try more images, augmentation, dropout, a smaller network, or fewer epochs."),
                )
            )
    counts = Counter(train_labels)
    most, least = counts.most_common()[0], counts.most_common()[-1]
    if most[1] >= IMBALANCE * least[1]:
        diagnoses.append(
            Diagnosis(
                "imbalance",
                _(
                    "The classes are unequal: {most} training images of {largest}, {least} of "
                    "{smallest}. Always answering {largest} would look better than it is.",
                    most=most[1],
                    largest=class_names[most[0]],
                    least=least[1],
                    smallest=class_names[least[0]],
                ),
                _("Look at each class's recall, train with class weights, or add images of the rare class."),
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
                    _(
                        "{n_test_labels} test images are too few to tell much: the accuracy could be "
                        "anything from {low} to {high}.",
                        n_test_labels=len(test_labels),
                        low=percent(low),
                        high=percent(high),
                    ),
                    _("Add test images; four times as many halve the interval."),
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


def _diverged(history: History) -> Diagnosis | None:
    losses = zip_longest(history.loss, history.val_loss, fillvalue=0.0)
    epoch = next((epoch for epoch, pair in enumerate(losses, 1) if not all(map(isfinite, pair))), None)
    text = _(
        "Its training diverged: from epoch {epoch} on, its loss is no finite number, and its answers mean nothing.",
        epoch=epoch,
    )
    return Diagnosis("diverged", text, _("Try a lower learning rate, or other weights.")) if epoch else None


def _stuck(history: History, train_labels: Sequence[int], dead_units: Sequence[DeadUnits]) -> Diagnosis:
    majority = max(Counter(train_labels).values()) / len(train_labels)
    text = _(
        "It is stuck at chance: {history_accuracy} of its training images are right, and always "
        "giving the most frequent class gets {majority}.",
        history_accuracy=percent(history.accuracy[-1]),
        majority=percent(majority),
    )
    worst = max(dead_units, key=lambda layer: layer.n_dead / layer.n_units, default=None)
    if worst and worst.n_dead >= DEAD_SHARE * worst.n_units:
        return Diagnosis(
            "dead_units",
            _(
                "{text} {n_dead} of the {n_units} ReLU units in a {layer} layer are 0 for all training "
                "images looked at, and no gradient passes them.",
                text=text,
                n_dead=worst.n_dead,
                n_units=worst.n_units,
                layer=worst.layer,
            ),
            _("Try another seed, a lower learning rate, or more units in that layer."),
        )
    return Diagnosis(
        "stuck_at_chance", text, _("Try more epochs, another learning rate, another seed, or more images.")
    )
