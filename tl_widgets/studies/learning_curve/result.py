"""What the study of data found: a frozen record, its statistics and sentences. No TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log

from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName, phrase_of
from tl_widgets.core.numbers import percent
from tl_widgets.records.comparison import DatasetSummary, Environment, Seconds
from tl_widgets.records.statistics import Mean, mean_of_shares
from tl_widgets.records.study import StudyFailure, StudyRecord

ARMS = (ModelName.SCRATCH, ModelName.TRANSFER, ModelName.CONTROL)


def require_arms(arms: Sequence[str]) -> None:
    """Refuse models that a study of data does not have.

    Raises:
        InputError: there is none, or one that is not in `ARMS`.
    """
    if not arms or not set(arms) <= set(ARMS):
        raise InputError(f"arms must be some of {', '.join(ARMS)}; received {tuple(arms)}.")


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
class LearningCurve(StudyRecord):
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
        transfer, scratch = self.accuracies(ModelName.TRANSFER, n), self.accuracies(ModelName.SCRATCH, n)
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
        ends = [self.means(arm)[-1:] for arm in (ModelName.SCRATCH, ModelName.TRANSFER)]
        if not all(ends):
            return None
        accuracy = min(end[0][1].mean for end in ends)
        scratch, transfer = (self.images_for(arm, accuracy) for arm in (ModelName.SCRATCH, ModelName.TRANSFER))
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
            transfer, scratch = self.mean(ModelName.TRANSFER, n), self.mean(ModelName.SCRATCH, n)
            if transfer is None or scratch is None:
                continue
            if scratch.mean < transfer.mean:
                break
            found = n
        return found

    @property
    def datasets(self) -> tuple[DatasetSummary, ...]:
        """The images that it was measured on."""
        return (self.dataset,)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the curves say, in plain words."""
        return _learning_curve_sentences(self)


def _learning_curve_sentences(curve: LearningCurve) -> tuple[str, ...]:
    """How much data each model needs.

    Args:
        curve: a learning curve, whole or stopped.
    """
    sentences = [_ratio_sentence(curve), _luck_sentence(curve), *_end_sentences(curve)]
    if len(curve.seeds) == 1:
        sentences.append("One seed only: how much of this is luck cannot be seen. Use three seeds or more.")
    n_stuck = sum(point.stuck for point in curve.points)
    if n_stuck:
        sentences.append(f"{n_stuck} of the {len(curve.points)} models never left chance.")
    if curve.failures:
        first = curve.failures[0]
        sentences += [f"Of {phrase_of(arm)} no point could be measured." for arm in curve.lost_arms]
        n = len(curve.failures)
        lost = "1 point could not be measured," if n == 1 else f"{n} points could not be measured; the first,"
        sentences.append(f"{lost} {first.point}: {first.text}")
    if curve.stopped:
        sentences.append("Stopped before all points were measured.")
    return tuple(sentence for sentence in sentences if sentence)


def _ratio_sentence(curve: LearningCurve) -> str:
    if not {ModelName.SCRATCH, ModelName.TRANSFER} <= set(curve.arms):
        return ""
    ends = [curve.means(arm)[-1:] for arm in (ModelName.SCRATCH, ModelName.TRANSFER)]
    if not all(ends):
        return ""  # nothing was measured of one: it failed, or Stop came before it
    ratio, most = curve.data_ratio, min(end[0][0] for end in ends)
    if ratio is None:
        return (
            f"With up to {most} images per class, one of the two never gets clearly above chance: no ratio can be told."
        )
    least = "at least " if ratio.at_least else "about "
    times = max(ratio.ratio, 1 / ratio.ratio)
    if times < 1.25:
        return f"Both need about as many images for {percent(ratio.accuracy)}."
    more, less = ("From scratch", "the frozen backbone") if ratio.ratio > 1 else ("The frozen backbone", "from scratch")
    n_more, n_less = sorted((ratio.scratch, ratio.transfer), reverse=True)
    fewer = " or fewer" if ratio.at_least else ""
    return (
        f"{more} needs {least}{_times(times)} times the images: for {percent(ratio.accuracy)} "
        f"it takes {n_more:.0f} images per class, {less} {n_less:.0f}{fewer}."
    )


def _luck_sentence(curve: LearningCurve) -> str:
    """How far the ratio differs from seed to seed."""
    ratio, by_seed = curve.data_ratio, curve.ratios_by_seed
    if ratio is None or len(by_seed) < 2:
        return ""
    times = sorted(each.ratio if ratio.ratio >= 1 else 1 / each.ratio for each in by_seed)
    if times[0] < 1 <= times[-1] or times[-1] < 1:
        return "Seed by seed it is not always the same that needs more: which one does is too close to call."
    low, high, of_means = _times(times[0]), _times(times[-1]), _times(max(ratio.ratio, 1 / ratio.ratio))
    more = " or more" if any(each.at_least for each in by_seed) else ""
    text = f"Seed by seed it is {low if low == high else f'{low} to {high}'}{more} times"
    if not float(low) <= float(of_means) <= float(high):
        text += f", so that {of_means} is a rough figure"
    return text + "."


def _times(ratio: float) -> str:
    return f"{ratio:.{0 if ratio >= 3 else 1}f}"


def _end_sentences(curve: LearningCurve) -> list[str]:
    n = next((n for n in reversed(curve.n_per_class) if curve.difference(n)), None)
    if n is None:
        return []
    difference, overtakes = curve.difference(n), curve.overtakes_at
    transfer, scratch = curve.mean(ModelName.TRANSFER, n), curve.mean(ModelName.SCRATCH, n)
    assert difference is not None
    assert transfer is not None
    assert scratch is not None
    text = f"With {n} images per class the frozen backbone answers {transfer.text} of the test images "
    text += f"correctly, the network from scratch {scratch.text}"
    low, high = difference.ci95 or (0.0, 0.0)
    if difference.ci95 and low <= 0 <= high:
        text += "; over these seeds the two are too close to call"
        if overtakes is None:
            return [text + "."]
    if overtakes is None:
        return [text + ".", _never(curve, n)]
    return [text + ".", f"From {overtakes} images per class on, from scratch is at least as good on average."]


def _never(curve: LearningCurve, most: int) -> str:
    """That from scratch stays behind, for all sizes of which it is true; with few images both may be near chance."""
    means = [(n, curve.mean(ModelName.TRANSFER, n), curve.mean(ModelName.SCRATCH, n)) for n in curve.n_per_class]
    level = [n for n, transfer, scratch in means if transfer and scratch and scratch.mean >= transfer.mean]
    if not level:
        return f"Up to {most} images per class, from scratch never catches up."
    return f"With more than {level[-1]} images per class, from scratch is behind on average."
