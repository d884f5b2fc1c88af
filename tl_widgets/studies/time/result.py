"""The "time" study: how it is measured, its record, and its sentences."""

from __future__ import annotations

from dataclasses import dataclass

from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config, require_share
from tl_widgets.core.events import Cancel, OnEvent, ignore
from tl_widgets.core.model_name import ModelName, opening_of
from tl_widgets.core.numbers import percent
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.experiments.comparison import compare_config
from tl_widgets.records.comparison import Comparison, DatasetSummary, Environment, RunResult, StudyFailure, StudyRecord
from tl_widgets.records.kinds import Answer, Duration, Share


@dataclass(frozen=True)
class TimeCurve:
    """Accuracy of one model on the validation images against seconds.

    Attributes:
        name: "scratch", "transfer", "control" or "fine_tuned".
        backbone: the frozen backbone; "" for scratch.
        reading: seconds for reading the features of the training and validation images, even if they were read
            before and reused; 0 for scratch.
        seconds: seconds at the end of each epoch, including `reading`.
        accuracy: accuracy on the validation images at the end of each epoch, 0..1.
    """

    name: str
    backbone: str
    reading: Duration
    seconds: tuple[Duration, ...]
    accuracy: tuple[Answer, ...]

    def __post_init__(self) -> None:
        if self.name not in tuple(ModelName):
            raise ValueError(f"{self.name!r:.40} is no model")
        if len(self.seconds) != len(self.accuracy):
            raise ValueError(f"{self.name} does not have one time for each accuracy")

    def time_to(self, accuracy: float) -> float | None:
        """Return the seconds until an epoch first ends with this accuracy, or None."""
        return next((s for s, a in zip(self.seconds, self.accuracy, strict=True) if a >= accuracy), None)


@dataclass(frozen=True)
class TimeStudy(StudyRecord):
    """Accuracy against seconds for the models of a comparison.

    Attributes:
        dataset: the images.
        config: the settings of the comparison.
        target: accuracy on the validation images whose time is compared, 0..1.
        curves: one curve for each model.
        environment: the machine and the versions.
        stopped: whether the study was stopped before all models were trained.
    """

    dataset: DatasetSummary
    config: Config
    target: Share
    curves: tuple[TimeCurve, ...]
    environment: Environment
    stopped: bool = False

    @staticmethod
    def of(comparison: Comparison, *, target: float | None = None) -> TimeStudy:
        """Return the study of time that a comparison contains.

        Args:
            comparison: a comparison with at least one model.
            target: accuracy, 0..1; if None, the greatest that all models but the control reach.

        Returns:
            A curve for each model of the comparison.
        """
        n_train = comparison.dataset.n_train * (1 + comparison.config.augment)
        curves = tuple(_time_curve(run, comparison.dataset, n_train) for run in comparison.runs)
        if target is None:
            # The control is expected to fail, so it must not lower the target of the others.
            reached = [max(c.accuracy) for c in curves if c.accuracy and c.name != ModelName.CONTROL]
            target = min(reached, default=0.0)
        data, config = comparison.dataset, comparison.config
        return TimeStudy(data, config, target, curves, comparison.environment, comparison.stopped)

    @property
    def failures(self) -> tuple[StudyFailure, ...]:
        """Always empty: a study of time is measured as a whole."""
        return ()

    def seconds_to_target(self, model: str) -> float | None:
        """Return the seconds until a model first reaches the target; None if it doesn't."""
        return next((curve.time_to(self.target) for curve in self.curves if curve.name == model), None)

    def _is_cut(self, curve: TimeCurve) -> bool:
        return self.stopped and len(curve.accuracy) < self.config.epochs

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain sentences."""
        # Trained on, a model that was stopped might have reached the target.
        sentences = [_time_sentence(curve, self.target, self._is_cut(curve)) for curve in self.curves]
        if self.stopped:
            return (*sentences, _("Stopped before all epochs were done, so the times are not compared."))
        scratch, transfer = map(self.seconds_to_target, (ModelName.SCRATCH, ModelName.TRANSFER))
        if scratch and transfer:
            slow, fast = _("from scratch"), _("the frozen backbone")
            if scratch < transfer:
                slow, fast = fast, slow
            times = max(scratch, transfer) / min(scratch, transfer)
            if times < 1.15:  # another run might reverse the order
                return (*sentences, _("Both take about as long to {target}.", target=percent(self.target)))
            longer = _(
                "{times:.1f} times as long to {target} as {fast}", times=times, target=percent(self.target), fast=fast
            )
            sentences.append(_("In this run {slow} takes {longer}.", slow=slow, longer=longer))
        return tuple(sentences)


def _time_curve(run: RunResult, data: DatasetSummary, n_train: int) -> TimeCurve:
    # `saved` includes the test images, whose features training does not need; every image costs the same.
    n_seen = n_train + data.n_validation
    share = n_seen / ((n_seen + data.n_test) or 1)
    reading = run.seconds.prepare + run.seconds.saved * share
    seconds = tuple(reading + s for s in run.history.seconds)
    return TimeCurve(run.name, run.backbone, reading, seconds, run.history.val_accuracy)


def _time_sentence(curve: TimeCurve, target: float, is_cut: bool) -> str:
    name = opening_of(curve.name)
    if not curve.accuracy:
        return _("{name} finished no epoch.", name=name)
    seconds = curve.time_to(target)
    if seconds is None:
        best = percent(max(curve.accuracy))
        if is_cut:
            return _(
                "{name} had not reached {target} of the validation images yet; its best was {best}.",
                name=name,
                target=percent(target),
                best=best,
            )
        return _(
            "{name} never reaches {target} of the validation images; its best is {best}.",
            name=name,
            target=percent(target),
            best=best,
        )
    reading = _(", {reading:.1f} s of them for reading the features", reading=curve.reading) if curve.backbone else ""
    return _(
        "{name} reaches {target} of the validation images after {seconds:.1f} s{reading}.",
        name=name,
        target=percent(target),
        seconds=seconds,
        reading=reading,
    )


@checked
def time_study(
    dataset: ImageDataset,
    *,
    target: float | None = None,
    config: Config | None = None,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> TimeStudy:
    """Train the models of a comparison and measure accuracy against seconds.

    `TimeStudy.of` returns the same for a comparison that you have already.

    Args:
        dataset: images and their split.
        target: validation accuracy whose time is compared, 0..1; if None, the greatest that all models but the control
            reach.
        config: settings of the comparison; `Config()` if None.
        on_event: receives each phase, epoch and batch.
        cancel: set from any thread, it stops the study within one batch.

    Returns:
        The curves that were measured, even after a Stop.

    Raises:
        InputError: an argument is not allowed.
        WeightsUnavailableError: the weights are not on this machine and cannot be downloaded.
    """
    if target is not None:
        require_share("target", target)
    config = config or Config()
    comparison = compare_config(dataset, config, on_event=on_event, cancel=cancel)
    return TimeStudy.of(comparison, target=target)
