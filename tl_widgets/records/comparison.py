"""What an experiment found: frozen records and their statistics. A leaf: stdlib and NumPy, no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.records.parameters import ParameterCount
from tl_widgets.records.provenance import Origin
from tl_widgets.records.repeats import Repeats
from tl_widgets.records.statistics import Interval, wilson_interval
from tl_widgets.records.study import StudyFailure, StudyRecord

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Seconds:
    """Wall-clock seconds of one model.

    Attributes:
        prepare: reading a frozen backbone's features of the training and validation images; 0 for scratch.
        train: all epochs, with their validation and what TensorFlow needs to start; building the models is in none.
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
        val_loss, val_accuracy: on the validation images after the epoch; empty where nobody looked.
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
    """How one class fared on the test images.

    Attributes:
        name: of the class.
        n: its test images.
        recall: share of its images that were recognised; None without images.
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
        stopped: somebody pressed Stop before it was done.
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


@dataclass(frozen=True)
class DatasetSummary:
    """Which images an experiment was made on.

    Attributes:
        name: of the data set.
        image_size: side in pixels.
        class_names: one for each label.
        n_train, n_validation, n_test: images in each split.
        source: where they come from.
        origin: how to load them again; None where nobody can say.
        fingerprint: a hash of all images and labels (`ImageDataset.fingerprint`).
    """

    name: str
    image_size: int
    class_names: tuple[str, ...]
    n_train: int
    n_validation: int
    n_test: int
    source: str = ""
    origin: Origin | None = None
    fingerprint: str = ""


@dataclass(frozen=True)
class Environment:
    """What an experiment ran on.

    Attributes:
        python, tensorflow, keras, tl_widgets: versions.
        cpu_count: cores that this process may use.
        device: "CPU" or the GPU's name.
    """

    python: str
    tensorflow: str
    keras: str
    tl_widgets: str
    cpu_count: int
    device: str = "CPU"


@dataclass(frozen=True)
class Verdict:
    """Which of two models won on the same test images, if any did.

    Attributes:
        text: a sentence or two.
        winner: "transfer", "scratch", or "" when it is too close to call or was stopped.
        accuracy_difference: transfer minus scratch, -1..1; None when a test is missing. Over several seeds the mean.
        ci95: Newcombe's 95% interval of that difference, over test images; with several seeds Student's t, over seeds.
        p_value: McNemar's exact p-value; None with several seeds, where the interval decides.
    """

    text: str
    winner: str = ""
    accuracy_difference: float | None = None
    ci95: Interval | None = None
    p_value: float | None = None


@dataclass(frozen=True)
class Comparison(StudyRecord):
    """Both models on the same images, and what follows.

    Attributes:
        dataset: which images.
        config: all arguments.
        scratch, transfer: the two models; None where Stop came before their turn.
        control: the backbone with random weights, if it was asked for.
        verdict: who won.
        environment: what it ran on.
        fine_tuned: the transfer model after fine-tuning, if it was asked for.
        repeats: the test accuracies of all seeds, of which the models above are the first; None with one seed.
    """

    dataset: DatasetSummary
    config: Config
    scratch: RunResult | None
    transfer: RunResult | None
    control: RunResult | None
    verdict: Verdict
    environment: Environment
    fine_tuned: RunResult | None = None
    repeats: Repeats | None = None

    @property
    def runs(self) -> tuple[RunResult, ...]:
        """The models that came to be trained, in the order scratch, transfer, control, fine_tuned."""
        return tuple(run for run in (self.scratch, self.transfer, self.control, self.fine_tuned) if run is not None)

    @property
    def stopped(self) -> bool:
        """Whether somebody pressed Stop before all was done."""
        return not self.is_whole or (self.repeats is not None and self.repeats.stopped)

    @property
    def datasets(self) -> tuple[DatasetSummary, ...]:
        """The images that it was made on, as every study names them."""
        return (self.dataset,)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, as every study says it: the verdict."""
        return (self.verdict.text,)

    @property
    def failures(self) -> tuple[StudyFailure, ...]:
        """The seeds that could not be measured."""
        return tuple(StudyFailure("a seed", text) for text in (self.repeats.failures if self.repeats else ()))

    @property
    def is_whole(self) -> bool:
        """Whether the models of the first seed all came to their end, so that there is a result to show."""
        names = {run.name for run in self.runs}
        return names >= set(self.config.model_names) and not any(run.stopped for run in self.runs)

    def without_models(self) -> Comparison:
        """Return a copy without the trained models: a hundred runs must not keep two hundred networks in memory."""
        runs: dict[str, Any] = {run.name: replace(run, model=None) for run in self.runs}
        return replace(self, **runs)

    def to_json(self) -> str:
        """The record as JSON text; `Comparison.from_json` reads it back."""
        from tl_widgets.records.comparison_json import comparison_to_json

        return comparison_to_json(self)

    @staticmethod
    def from_json(text: str) -> Comparison:
        """Read what `to_json` wrote.

        Raises:
            InputError: it is not such a record.
        """
        from tl_widgets.records.comparison_json import comparison_from_json

        return comparison_from_json(text)

    def to_frame(self) -> pandas.DataFrame:
        """One row for each model, as a pandas DataFrame.

        Raises:
            InputError: pandas is not installed.
        """
        try:
            import pandas
        except ModuleNotFoundError:
            raise InputError("to_frame() needs pandas, which is not installed: pip install pandas.") from None
        return pandas.DataFrame(
            {
                "test_accuracy": run.test_accuracy,
                "ci95_low": run.test_accuracy_ci95[0] if run.test_accuracy_ci95 else None,
                "ci95_high": run.test_accuracy_ci95[1] if run.test_accuracy_ci95 else None,
                "trainable_params": run.params.trainable,
                "frozen_params": run.params.frozen,
                "total_params": run.params.total,
                "seconds": run.seconds.total,
            }
            for run in self.runs
        ).set_index(pandas.Index([run.name for run in self.runs], name="model"))


def require_comparison(comparison: object) -> None:
    """Raise `InputError` unless it is a `Comparison`.

    Raises:
        InputError: it is not.
    """
    if not isinstance(comparison, Comparison):
        raise InputError(f"A Comparison is needed, such as compare(dataset) gives; received {comparison!r:.100}.")
