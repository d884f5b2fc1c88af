"""The result of one trained model: cost, learning curves, answers and diagnoses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.records.parameters import ParameterCount
from tl_widgets.records.statistics import Interval, wilson_interval


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

    prepare: float = 0.0
    train: float = 0.0
    evaluate: float = 0.0
    saved: float = 0.0

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
    accuracy: tuple[float, ...] = ()
    val_loss: tuple[float, ...] = ()
    val_accuracy: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """Something that went wrong, or that limits what the numbers show.

    Attributes:
        kind: "stuck_at_chance", "dead_units", "overfitting", "imbalance", "few_test_images" or "stopped".
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


@dataclass(frozen=True)
class FineTuning:
    """How a model was fine-tuned after its frozen stage.

    Attributes:
        n_blocks: The number of the backbone's last blocks that were unfrozen.
        first_block: The name of the first unfrozen block.
        start: Epochs of the frozen stage.
        learning_rate: Adam's learning rate during fine-tuning.
    """

    n_blocks: int
    first_block: str
    start: int
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
        backbone: The name of the frozen backbone; "" for scratch.
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
    labels: tuple[int, ...] = ()
    predictions: tuple[int, ...] = ()
    probabilities: tuple[tuple[float, ...], ...] = ()
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
