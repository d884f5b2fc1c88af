"""What the study of time found: a frozen record and its sentences. No TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

from tl_widgets.core.config import Config
from tl_widgets.core.model_name import ModelName, phrase_of
from tl_widgets.core.numbers import percent
from tl_widgets.records.comparison import Comparison, DatasetSummary, Environment, RunResult
from tl_widgets.records.study import StudyFailure, StudyRecord


@dataclass(frozen=True)
class TimeCurve:
    """Accuracy of one model on the validation images against seconds.

    Attributes:
        name: "scratch", "transfer", "control" or "fine_tuned".
        backbone: its frozen backbone; "" for scratch.
        reading: seconds for reading the features of the training and validation images, whether now or when
            they were first read; 0 for scratch.
        seconds: at the end of each epoch, `reading` included.
        accuracy: on the validation images, then.
    """

    name: str
    backbone: str
    reading: float
    seconds: tuple[float, ...]
    accuracy: tuple[float, ...]

    def time_to(self, accuracy: float) -> float | None:
        """Seconds until an epoch first ends with this accuracy; None where none does."""
        return next((s for s, a in zip(self.seconds, self.accuracy, strict=True) if a >= accuracy), None)


@dataclass(frozen=True)
class TimeStudy(StudyRecord):
    """Accuracy against seconds for the models of a comparison.

    Attributes:
        dataset: which images.
        config: of the comparison.
        target: accuracy on the validation images whose time is asked for.
        curves: one for each model.
        environment: what it ran on.
        stopped: somebody pressed Stop before all models were trained.
    """

    dataset: DatasetSummary
    config: Config
    target: float
    curves: tuple[TimeCurve, ...]
    environment: Environment
    stopped: bool = False

    @staticmethod
    def of(comparison: Comparison, *, target: float | None = None) -> TimeStudy:
        """Read a comparison as a study of time.

        Args:
            comparison: with at least one model.
            target: 0..1; the greatest accuracy that every model reaches where None.
        """
        n_train = comparison.dataset.n_train * (1 + comparison.config.augment)
        curves = tuple(_time_curve(run, comparison.dataset, n_train) for run in comparison.runs)
        if target is None:
            # The control is there to fail: it must not decide what is asked of the others.
            reached = [max(c.accuracy) for c in curves if c.accuracy and c.name != ModelName.CONTROL]
            target = min(reached, default=0.0)
        data, config = comparison.dataset, comparison.config
        return TimeStudy(data, config, target, curves, comparison.environment, comparison.stopped)

    @property
    def datasets(self) -> tuple[DatasetSummary, ...]:
        """The images that it was measured on."""
        return (self.dataset,)

    @property
    def failures(self) -> tuple[StudyFailure, ...]:
        """What could not be measured: nothing, or there is no record."""
        return ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the curves say, in plain words."""
        return _time_sentences(self)


def _time_curve(run: RunResult, data: DatasetSummary, n_train: int) -> TimeCurve:
    # `saved` counts the test images, too, whose features training does not need; each image costs the same.
    n_seen = n_train + data.n_validation
    share = n_seen / ((n_seen + data.n_test) or 1)
    reading = run.seconds.prepare + run.seconds.saved * share
    seconds = tuple(reading + s for s in run.history.seconds)
    return TimeCurve(run.name, run.backbone, reading, seconds, run.history.val_accuracy)


def _time_sentences(study: TimeStudy) -> tuple[str, ...]:
    """How long each model takes to the target.

    Args:
        study: of a comparison.
    """
    sentences = [_time_sentence(curve, study.target) for curve in study.curves]
    reached = {curve.name: curve.time_to(study.target) for curve in study.curves}
    scratch, transfer = reached.get(ModelName.SCRATCH), reached.get(ModelName.TRANSFER)
    if scratch and transfer:
        slow, fast = "from scratch", "the frozen backbone"
        if scratch < transfer:
            slow, fast = fast, slow
        times = max(scratch, transfer) / min(scratch, transfer)
        if times < 1.15:  # another run may turn it round
            return (*sentences, f"Both take about as long to {percent(study.target)}.")
        longer = f"{times:.1f} times as long to {percent(study.target)} as {fast}"
        sentences.append(f"In this run {slow} takes {longer}.")
    return tuple(sentences)


def _time_sentence(curve: TimeCurve, target: float) -> str:
    name = phrase_of(curve.name)
    name = name[0].upper() + name[1:]
    if not curve.accuracy:
        return f"{name} finished no epoch."
    seconds = curve.time_to(target)
    if seconds is None:
        best = percent(max(curve.accuracy))
        return f"{name} never reaches {percent(target)} of the validation images; its best is {best}."
    reading = f", {curve.reading:.1f} s of them for reading the features" if curve.backbone else ""
    return f"{name} reaches {percent(target)} of the validation images after {seconds:.1f} s{reading}."
