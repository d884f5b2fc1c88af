"""The record of the "data" study, its statistics and sentences. No TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log

from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName, phrase_of
from tl_widgets.core.numbers import percent
from tl_widgets.core.translation import _
from tl_widgets.records.comparison import DatasetSummary, Environment, Seconds, StudyFailure, StudyRecord
from tl_widgets.records.kinds import Count, Share
from tl_widgets.records.statistics import Mean, mean_of_shares
from tl_widgets.studies.outcome import ONE_SEED, arms_without

ARMS = (ModelName.SCRATCH, ModelName.TRANSFER, ModelName.CONTROL)
_WIDE = 2  # seeds whose ratios differ by more than this factor have no ratio in common


def require_arms(arms: Sequence[str]) -> None:
    """Raise InputError if `arms` is empty or not a subset of `ARMS`."""
    arms = tuple(arms)
    if not arms or not set(arms) <= set(ARMS):
        raise InputError(
            _("arms must be some of {arms}; received {received}.", arms=", ".join(ARMS), received=tuple(arms))
        )


@dataclass(frozen=True)
class CurvePoint:
    """One tested model of a learning curve; `stuck` if it never left chance."""

    arm: str
    n_per_class: Count
    seed: Count
    test_accuracy: Share
    seconds: Seconds
    stuck: bool = False


@dataclass(frozen=True)
class DataRatio:
    """The numbers of images that both models need for the same accuracy.

    Attributes:
        accuracy: the accuracy that the weaker model reaches with the most images, 0..1.
        scratch: images per class that the network from scratch needs for it.
        transfer: images per class that the frozen backbone needs for it.
        at_least: whether the better model reaches it with the smallest size already; the true ratio may be greater.
    """

    accuracy: float
    scratch: float
    transfer: float
    at_least: bool

    @property
    def ratio(self) -> float:
        """The images for scratch divided by those for transfer."""
        return self.scratch / self.transfer


@dataclass(frozen=True)
class LearningCurve(StudyRecord):
    """Test accuracy against training images per class, over several seeds.

    Attributes:
        dataset: all images; each point trains on a subset.
        config: the other settings; each point has its own seed.
        n_per_class: the sizes in training images per class, ascending.
        seeds: the seeds, the same for each size.
        arms: the models, some of "scratch", "transfer" and "control".
        chance: accuracy of always answering with the most frequent class of the test images, 0..1.
        points: one point for each model that was tested.
        failures: points that could not be measured.
        stopped: whether the study was stopped before all points were measured.
        environment: the machine and the versions.
    """

    dataset: DatasetSummary
    config: Config
    n_per_class: tuple[Count, ...]
    seeds: tuple[Count, ...]
    arms: tuple[str, ...]
    chance: Share
    points: tuple[CurvePoint, ...]
    failures: tuple[StudyFailure, ...]
    stopped: bool
    environment: Environment

    def __post_init__(self) -> None:
        if not {*self.arms, *(point.arm for point in self.points)} <= set(ARMS):
            raise ValueError(f"it names models other than {', '.join(ARMS)}")
        if any(point.n_per_class < 1 for point in self.points):
            raise ValueError("one of its points has no images")

    def accuracies(self, arm: str, n: int) -> dict[int, float]:
        """Return the test accuracy by seed of one arm with `n` images per class."""
        return {p.seed: p.test_accuracy for p in self.points if p.arm == arm and p.n_per_class == n}

    def mean(self, arm: str, n: int) -> Mean | None:
        """Return the mean over the seeds with its t interval, clipped to 0..1, or None."""
        values = tuple(self.accuracies(arm, n).values())
        return mean_of_shares(values, n_images=self.dataset.n_test) if values else None

    def means(self, arm: str) -> tuple[tuple[int, Mean], ...]:
        """Return (images per class, mean) for each size that has a point, ascending."""
        means = ((n, self.mean(arm, n)) for n in self.n_per_class)
        return tuple((n, mean) for n, mean in means if mean is not None)

    def difference(self, n: int) -> Mean | None:
        """Return transfer minus scratch, paired by seed; None without a pair."""
        transfer, scratch = self.accuracies(ModelName.TRANSFER, n), self.accuracies(ModelName.SCRATCH, n)
        pairs = [transfer[seed] - scratch[seed] for seed in transfer if seed in scratch]
        return mean_of_shares(pairs, n_images=self.dataset.n_test, low=-1.0) if pairs else None

    def images_for(self, arm: str, accuracy: float) -> float | None:
        """Return the images per class with which the mean first reaches an accuracy.

        Args:
            arm: "scratch", "transfer" or "control".
            accuracy: 0..1.

        Returns:
            The images per class, interpolated linearly over log(n) between sizes; None if the mean stays below.
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
        """How many times the images scratch needs, compared with transfer.

        None if an arm is missing or the weaker one stays at chance.
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
        """The ratio for each seed alone, as far as it exists: it shows how much is luck."""
        curves = (
            replace(self, seeds=(seed,), points=tuple(point for point in self.points if point.seed == seed))
            for seed in self.seeds
        )
        return tuple(ratio for curve in curves if (ratio := curve.data_ratio) is not None)

    @property
    def lost_arms(self) -> tuple[str, ...]:
        """The arms whose points all failed."""
        return arms_without(self.points, self.arms, stopped=self.stopped)

    @property
    def overtakes_at(self) -> int | None:
        """The size from which scratch's mean is at least transfer's, or None."""
        size = None
        for n in reversed(self.n_per_class):
            transfer, scratch = self.mean(ModelName.TRANSFER, n), self.mean(ModelName.SCRATCH, n)
            if transfer is None or scratch is None:
                continue
            if scratch.mean < transfer.mean:
                break
            size = n
        return size

    @property
    def headline(self) -> str:
        """The answer in one short sentence."""
        return _headline(self)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain sentences."""
        # A stopped study has sizes, seeds or a whole model less, so it knows no ratio and no end of the curves.
        sentences = [_ratio_sentence(self), _luck_sentence(self), *_end_sentences(self)]
        if self.stopped:
            sentences = [_so_far(self)]
        if len(self.seeds) == 1:
            sentences.append(ONE_SEED)
        n_stuck = sum(point.stuck for point in self.points)
        if n_stuck:
            sentences.append(
                _("{n_stuck} of the {n_points} models never left chance.", n_stuck=n_stuck, n_points=len(self.points))
            )
        if self.failures:
            first = self.failures[0]
            sentences += [
                _("No point could be measured for {phrase}.", phrase=phrase_of(arm)) for arm in self.lost_arms
            ]
            n = len(self.failures)
            lost = (
                _("1 point could not be measured,")
                if n == 1
                else _("{n} points could not be measured; the first,", n=n)
            )
            sentences.append(f"{lost} {first.point}: {first.text}")
        if self.stopped:
            sentences.append(_("Stopped before all points were measured."))
        return tuple(sentence for sentence in sentences if sentence)


def _headline(curve: LearningCurve) -> str:
    ratio = curve.data_ratio
    if curve.stopped or ratio is None:
        return next(iter(curve.sentences), "")
    times = max(ratio.ratio, 1 / ratio.ratio)
    if times < 1.25:
        return _("Both need about as many images.")
    more = _("From scratch") if ratio.ratio > 1 else _("The frozen backbone")
    if by_seed := _wide_range(curve):
        return _("{more} needs {by_seed} times the images.", more=more, by_seed=by_seed)
    if ratio.at_least:
        return _("{more} needs at least {times} times the images.", more=more, times=_times(times))
    return _("{more} needs {times} times the images.", more=more, times=_times(times))


def _so_far(curve: LearningCurve) -> str:
    """Compare both models at the largest size that both have, with the same seeds."""
    n = next((n for n in reversed(curve.n_per_class) if curve.difference(n)), None)
    if n is None:
        return ""
    scratch, transfer = (curve.accuracies(arm, n) for arm in (ModelName.SCRATCH, ModelName.TRANSFER))
    seeds = scratch.keys() & transfer.keys()
    both = [percent(sum(shares[seed] for seed in seeds) / len(seeds)) for shares in (transfer, scratch)]
    with_seeds = (
        _("over {n} of the {n_all} seeds", n=len(seeds), n_all=len(curve.seeds))
        if len(curve.seeds) > 1
        else _("with the one seed")
    )
    return _(
        "So far, {with_seeds}: with {n} images per class the frozen backbone answers {transfer} of the "
        "test images correctly, the network from scratch {scratch}.",
        with_seeds=with_seeds,
        n=n,
        transfer=both[0],
        scratch=both[1],
    )


def _ratio_sentence(curve: LearningCurve) -> str:
    if not {ModelName.SCRATCH, ModelName.TRANSFER} <= set(curve.arms):
        return ""
    ends = [curve.means(arm)[-1:] for arm in (ModelName.SCRATCH, ModelName.TRANSFER)]
    if not all(ends):
        return ""  # one arm failed, or the study was stopped before it
    ratio, most = curve.data_ratio, min(end[0][0] for end in ends)
    if ratio is None:
        return _(
            "With up to {most} images per class, one of the two never gets clearly above chance, so there is no ratio.",
            most=most,
        )
    least = _("at least ") if ratio.at_least else _("about ")
    times = max(ratio.ratio, 1 / ratio.ratio)
    if times < 1.25:
        return _("Both need about as many images for {ratio_accuracy}.", ratio_accuracy=percent(ratio.accuracy))
    more, less = (
        (_("From scratch"), _("the frozen backbone"))
        if ratio.ratio > 1
        else (_("The frozen backbone"), _("from scratch"))
    )
    n_more, n_less = sorted((ratio.scratch, ratio.transfer), reverse=True)
    fewer = _(" or fewer") if ratio.at_least else ""
    if by_seed := _wide_range(curve):
        return _(
            "{more} needs {by_seed} times the images, depending on the seed. On average, it takes "
            "{n_more:.0f} images per class for {ratio_accuracy}, {less} {n_less:.0f}{fewer}.",
            more=more,
            by_seed=by_seed,
            n_more=n_more,
            ratio_accuracy=percent(ratio.accuracy),
            less=less,
            n_less=n_less,
            fewer=fewer,
        )
    return _(
        "{more} needs {least}{times} times the images: for {ratio_accuracy} it takes {n_more:.0f} "
        "images per class, {less} {n_less:.0f}{fewer}.",
        more=more,
        least=least,
        times=_times(times),
        ratio_accuracy=percent(ratio.accuracy),
        n_more=n_more,
        less=less,
        n_less=n_less,
        fewer=fewer,
    )


def _luck_sentence(curve: LearningCurve) -> str:
    ratio, by_seed = curve.data_ratio, curve.ratios_by_seed
    if ratio is None or len(by_seed) < 2 or _wide_range(curve):
        return ""
    times = _times_by_seed(curve)
    if times[0] < 1 <= times[-1] or times[-1] < 1:
        return _("The seeds disagree on which of the two needs more images: it is too close to call.")
    low, high, of_means = _times(times[0]), _times(times[-1]), _times(max(ratio.ratio, 1 / ratio.ratio))
    text = _("Seed by seed it is {range} times", range=_range_text(curve))
    if not float(low) <= float(of_means) <= float(high):
        text += _(", so {of_means} is a rough figure", of_means=of_means)
    return text + "."


def _times_by_seed(curve: LearningCurve) -> list[float]:
    """Return the ratio of each seed, ascending, in the direction of the ratio of the means."""
    ratio = curve.data_ratio
    assert ratio is not None
    return sorted(each.ratio if ratio.ratio >= 1 else 1 / each.ratio for each in curve.ratios_by_seed)


def _range_text(curve: LearningCurve) -> str:
    low, high = (_times(times) for times in (_times_by_seed(curve)[0], _times_by_seed(curve)[-1]))
    more = _(" or more") if any(each.at_least for each in curve.ratios_by_seed) else ""
    return (low if low == high else _("{low} to {high}", low=low, high=high)) + more


def _wide_range(curve: LearningCurve) -> str:
    """Return the range of the ratios seed by seed if one number would say too much, else ""."""
    times = _times_by_seed(curve)
    is_wide = len(times) > 1 and times[0] >= 1 and times[-1] > _WIDE * times[0]
    return _range_text(curve) if is_wide else ""


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
    text = _(
        "With {n} images per class the frozen backbone answers {transfer_text} of the test images ",
        n=n,
        transfer_text=transfer.text,
    )
    text += _("correctly, the network from scratch {scratch_text}", scratch_text=scratch.text)
    low, high = difference.ci95 or (0.0, 0.0)
    if difference.ci95 and low <= 0 <= high:
        text += _("; over these seeds the two are too close to call")
        if overtakes is None:
            return [text + "."]
    if overtakes is None:
        return [text + ".", _never(curve, n)]
    return [
        text + ".",
        _("From {overtakes} images per class on, from scratch is at least as good on average.", overtakes=overtakes),
    ]


def _never(curve: LearningCurve, most: int) -> str:
    """Say for which sizes scratch is behind; with few images, both may be at chance."""
    means = [(n, curve.mean(ModelName.TRANSFER, n), curve.mean(ModelName.SCRATCH, n)) for n in curve.n_per_class]
    level = [n for n, transfer, scratch in means if transfer and scratch and scratch.mean >= transfer.mean]
    if not level:
        return _("Up to {most} images per class, from scratch never catches up.", most=most)
    return _("With more than {level} images per class, from scratch is behind on average.", level=level[-1])
