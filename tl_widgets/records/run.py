"""One trained model: what it cost, how it learned, what it answered, and what went wrong."""

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
        prepare: reading a frozen backbone's features of the training and validation images; 0 for scratch.
        train: all epochs, with their validation and what TensorFlow needs to start; building the models counts nowhere.
        evaluate: the one pass over the test images.
        saved: what reading features would have cost in `prepare` and `evaluate`, had they not been kept from
            an earlier run.
    """

    prepare: float = 0.0
    train: float = 0.0
    evaluate: float = 0.0
    saved: float = 0.0

    @property
    def total(self) -> float:
        """All three together."""
        return self.prepare + self.train + self.evaluate


@dataclass(frozen=True)
class History:
    """One number for each finished epoch.

    Attributes:
        loss, accuracy: over the epoch's batches, each before its step (as Keras shows them).
        val_loss, val_accuracy: on the validation images after the epoch; empty where they were not looked at.
        seconds: since training began; what `prepare` took is not in it.
    """

    loss: tuple[float, ...] = ()
    accuracy: tuple[float, ...] = ()
    val_loss: tuple[float, ...] = ()
    val_accuracy: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """Something that went wrong, or that limits what the numbers can say.

    Attributes:
        kind: "stuck_at_chance", "dead_units", "overfitting", "imbalance", "few_test_images" or "stopped".
        text: what was found, a sentence.
        advice: what to try, a sentence.
    """

    kind: str
    text: str
    advice: str


@dataclass(frozen=True)
class ClassFigures:
    """Recall and precision of one class on the test images.

    Attributes:
        name: of the class.
        n: its test images.
        recall: share of its images that were recognized; None without images.
        precision: share of right answers among the images given this class; None where it was never given.
    """

    name: str
    n: int
    recall: float | None
    precision: float | None


@dataclass(frozen=True)
class FineTuning:
    """How a fine-tuned model went on after its frozen stage.

    Attributes:
        n_blocks: how many of the backbone's last blocks were unfrozen.
        first_block: name of the first of them.
        start: epochs of the frozen stage, after which it began.
        learning_rate: of Adam from then on.
    """

    n_blocks: int
    first_block: str
    start: int
    learning_rate: float


@dataclass(frozen=True)
class RunResult:
    """One trained model.

    Attributes:
        name: a `ModelName`.
        class_names: one for each label.
        params: trainable and frozen parameters.
        seconds: what it cost.
        history: one number for each epoch.
        labels: true classes of the test images, (n_test,); empty in a run that was stopped before the test.
        predictions: most probable classes, (n_test,).
        probabilities: (n_test, n_classes), rounded to 6 digits.
        diagnoses: what went wrong, if anything.
        stopped: whether Stop was pressed before it was done.
        device: what TensorFlow computed on: "CPU" or a GPU's name.
        backbone: name of the frozen backbone; "" for scratch.
        weights: "imagenet", the name of a file, or "random"; "" for scratch.
        weights_sha256: of the file that the backbone's weights came from; "" where there is none.
        fine_tuning: how it went on after its frozen stage; None for any other model.
        model: the trained keras.Model; None in a result that was read from JSON.
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
        """Test images with the right answer."""
        return sum(a == b for a, b in zip(self.labels, self.predictions, strict=True))

    @property
    def test_accuracy(self) -> float | None:
        """Share of right answers on the test images, 0..1; None in a run that was stopped before the test."""
        return self.n_right / len(self.labels) if self.labels else None

    @property
    def test_accuracy_ci95(self) -> Interval | None:
        """Wilson's 95% interval of `test_accuracy`; None where that is None."""
        return wilson_interval(self.n_right, len(self.labels)) if self.labels else None

    @property
    def confusion_matrix(self) -> NDArray[np.int64]:
        """int64 (n_classes, n_classes): row the true class, column the answer."""
        matrix = np.zeros((len(self.class_names),) * 2, np.int64)
        np.add.at(matrix, (list(self.labels), list(self.predictions)), 1)
        return matrix

    @property
    def per_class(self) -> tuple[ClassFigures, ...]:
        """Recall and precision of each class."""
        matrix = self.confusion_matrix

        def share(i: int, n: int) -> float | None:
            return int(matrix[i, i]) / n if n else None

        return tuple(
            ClassFigures(name, int(matrix[i].sum()), share(i, int(matrix[i].sum())), share(i, int(matrix[:, i].sum())))
            for i, name in enumerate(self.class_names)
        )
