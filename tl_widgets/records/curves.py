"""What the studies of data and time found: frozen records, their statistics and sentences. A leaf; no TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log

from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.records.codec import study_from_json, study_to_json
from tl_widgets.records.comparison import Comparison, DatasetSummary, Environment, RunResult, Seconds, percent
from tl_widgets.records.intervals import interval_text
from tl_widgets.records.seeds import Mean, mean_of_shares

ARMS = ("scratch", "transfer", "control")
WORDS = {
    "scratch": "the network from scratch",
    "transfer": "the frozen backbone",
    "control": "the same backbone with random weights",
    "fine_tuned": "the fine-tuned backbone",
}


def require_arms(arms: Sequence[str]) -> None:
    """Refuse models that a study of data does not have.

    Raises:
        InputError: there is none, or one that is not in `ARMS`.
    """
    if not arms or not set(arms) <= set(ARMS):
        raise InputError(f"arms must be some of {', '.join(ARMS)}; received {tuple(arms)}.")


@dataclass(frozen=True)
class StudyFailure:
    """A point that could not be measured.

    Attributes:
        point: which one, in words.
        text: why.
    """

    point: str
    text: str


@dataclass(frozen=True)
class CurvePoint:
    """One trained model of a learning curve.

    Attributes:
        arm: "scratch", "transfer" or "control".
        n_per_class: training images of each class.
        seed: of the choice of images and of the training.
        test_accuracy: 0..1.
        seconds: what it cost.
        stuck: it never left chance.
    """

    arm: str
    n_per_class: int
    seed: int
    test_accuracy: float
    seconds: Seconds
    stuck: bool = False


@dataclass(frozen=True)
class DataRatio:
    """How many times the images one model needs for the same accuracy.

    Attributes:
        accuracy: that is asked of both: what the weaker of the two reaches with the most images.
        scratch: images per class that the network from scratch needs for it.
        transfer: likewise the frozen backbone.
        at_least: the better model reaches it with the fewest images already, so that the ratio may be greater.
    """

    accuracy: float
    scratch: float
    transfer: float
    at_least: bool

    @property
    def ratio(self) -> float:
        """Images for scratch by images for transfer."""
        return self.scratch / self.transfer


@dataclass(frozen=True)
class LearningCurve:
    """Test accuracy against training images per class, over seeds.

    Attributes:
        dataset: all images, of which each point takes some for training.
        config: all else that decides; its `seed` is replaced by each of `seeds`.
        n_per_class: sizes, ascending.
        seeds: of each size.
        arms: models.
        chance: accuracy of the answer that is always the most frequent class of the test images.
        points: one for each model that was tested.
        failures: points that could not be measured.
        stopped: somebody pressed Stop before all were done.
        environment: what it ran on.
    """

    dataset: DatasetSummary
    config: Config
    n_per_class: tuple[int, ...]
    seeds: tuple[int, ...]
    arms: tuple[str, ...]
    chance: float
    points: tuple[CurvePoint, ...]
    failures: tuple[StudyFailure, ...]
    stopped: bool
    environment: Environment

    def accuracies(self, arm: str, n: int) -> dict[int, float]:
        """Test accuracy by seed of one arm with `n` images per class."""
        return {p.seed: p.test_accuracy for p in self.points if p.arm == arm and p.n_per_class == n}

    def mean(self, arm: str, n: int) -> Mean | None:
        """Mean over seeds with its t interval, kept within 0..1; None where no point was measured."""
        values = tuple(self.accuracies(arm, n).values())
        return mean_of_shares(values, n_images=self.dataset.n_test) if values else None

    def means(self, arm: str) -> tuple[tuple[int, Mean], ...]:
        """(images per class, mean) for each size that has one, ascending."""
        found = ((n, self.mean(arm, n)) for n in self.n_per_class)
        return tuple((n, mean) for n, mean in found if mean is not None)

    def difference(self, n: int) -> Mean | None:
        """Transfer minus scratch with `n` images per class, paired by seed; None without a pair."""
        transfer, scratch = self.accuracies("transfer", n), self.accuracies("scratch", n)
        pairs = [transfer[seed] - scratch[seed] for seed in transfer if seed in scratch]
        return mean_of_shares(pairs, n_images=self.dataset.n_test, low=-1.0) if pairs else None

    def images_for(self, arm: str, accuracy: float) -> float | None:
        """Images per class with which the mean first reaches an accuracy; between sizes on a line over log(n).

        Returns:
            None where it never gets there.
        """
        before: tuple[int, float] | None = None
        for n, mean in self.means(arm):
            if mean.mean >= accuracy:
                if before is None or before[1] >= mean.mean:
                    return float(n)
                share = (accuracy - before[1]) / (mean.mean - before[1])
                return exp(log(before[0]) + share * (log(n) - log(before[0])))
            before = (n, mean.mean)
        return None

    @property
    def data_ratio(self) -> DataRatio | None:
        """How many times the images scratch needs; None where the curves do not say.

        That is so without both arms, and where the weaker one stays at chance.
        """
        ends = [self.means(arm)[-1:] for arm in ("scratch", "transfer")]
        if not all(ends):
            return None
        accuracy = min(end[0][1].mean for end in ends)
        scratch, transfer = (self.images_for(arm, accuracy) for arm in ("scratch", "transfer"))
        if scratch is None or transfer is None or accuracy < self.chance + 0.02:
            return None
        return DataRatio(accuracy, scratch, transfer, min(scratch, transfer) <= self.n_per_class[0])

    @property
    def ratios_by_seed(self) -> tuple[DataRatio, ...]:
        """The same of each seed's own curves, of those that say: how far it may be luck."""
        alone = (
            replace(self, seeds=(seed,), points=tuple(point for point in self.points if point.seed == seed))
            for seed in self.seeds
        )
        return tuple(ratio for each in alone if (ratio := each.data_ratio) is not None)

    @property
    def lost_arms(self) -> tuple[str, ...]:
        """Arms of which points failed and none was measured."""
        if self.stopped:
            return ()  # some of its points may just not have been tried
        measured = {point.arm for point in self.points}
        return tuple(arm for arm in self.arms if arm not in measured)

    @property
    def overtakes_at(self) -> int | None:
        """The size from which on scratch's mean is at least transfer's; None where it never gets there."""
        found = None
        for n in reversed(self.n_per_class):
            transfer, scratch = self.mean("transfer", n), self.mean("scratch", n)
            if transfer is None or scratch is None:
                continue
            if scratch.mean < transfer.mean:
                break
            found = n
        return found

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the curves say, in plain words."""
        from tl_widgets.records.curve_sentences import learning_curve_sentences

        return learning_curve_sentences(self)

    def to_json(self) -> str:
        """The record as JSON text; `LearningCurve.from_json` reads it back."""
        return study_to_json(self)

    @staticmethod
    def from_json(text: str) -> LearningCurve:
        """Read what `to_json` wrote.

        Raises:
            InputError: it is not such a record.
        """
        return study_from_json(LearningCurve, text)


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
class TimeStudy:
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
            reached = [max(c.accuracy) for c in curves if c.accuracy and c.name != "control"]
            target = min(reached, default=0.0)
        data, config = comparison.dataset, comparison.config
        return TimeStudy(data, config, target, curves, comparison.environment, comparison.stopped)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the curves say, in plain words."""
        from tl_widgets.records.curve_sentences import time_sentences

        return time_sentences(self)

    def to_json(self) -> str:
        """The record as JSON text; `TimeStudy.from_json` reads it back."""
        return study_to_json(self)

    @staticmethod
    def from_json(text: str) -> TimeStudy:
        """Read what `to_json` wrote.

        Raises:
            InputError: it is not such a record.
        """
        return study_from_json(TimeStudy, text)


def _time_curve(run: RunResult, data: DatasetSummary, n_train: int) -> TimeCurve:
    # `saved` counts the test images, too, whose features training does not need; each image costs the same.
    n_seen = n_train + data.n_validation
    share = n_seen / ((n_seen + data.n_test) or 1)
    reading = run.seconds.prepare + run.seconds.saved * share
    seconds = tuple(reading + s for s in run.history.seconds)
    return TimeCurve(run.name, run.backbone, reading, seconds, run.history.val_accuracy)


def accuracy_text(mean: Mean) -> str:
    """A mean accuracy with its interval: 91.1% (88 to 94)."""
    if mean.ci95 is None:
        return percent(mean.mean)
    return f"{percent(mean.mean)} ({interval_text(mean.ci95)})"
