"""The record of the "sure" study, its statistics and sentences. No TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.config import Config
from tl_widgets.core.model_name import ModelName, find_model, heading_of, opening_of, phrase_of
from tl_widgets.core.numbers import accuracy_text, number_text, percent, points, points_range
from tl_widgets.core.translation import _, pgettext
from tl_widgets.plots.svg_axes import whole_percent
from tl_widgets.records.comparison import DatasetSummary, Environment, StudyFailure, StudyRecord
from tl_widgets.records.kinds import Count, Data, Range, RightAnswers, Share
from tl_widgets.records.pixels import picture_of, require_pictures
from tl_widgets.records.statistics import Interval, Mean, wilson_interval
from tl_widgets.studies.outcome import all_sentences
from tl_widgets.studies.prediction import DOUBT

N_BINS = 10
N_SHOWN = 5  # pictures of none of the classes
LOWEST, HIGHEST = 0.1, 10.0  # temperatures
SHARES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2)  # of the validation images that get an answer
_HALF = SHARES.index(0.5)
_N_RESAMPLES = 1000
_EDGES = np.linspace(0, 1, N_BINS + 1)

Array = NDArray[np.float64]
Answers = tuple[Sequence[float], Sequence[bool]]


@dataclass(frozen=True)
class Sureness:
    """How sure one model is of its answers: the largest probability of each image.

    Attributes:
        arm: a `ModelName`.
        temperature: the number that divides all logits, chosen on the validation images.
        validation: of the validation images.
        test: of the test images.
        scaled: of the test images, with the temperature.
        right: which answers to the test images are right.
        strangers: of the pictures of none of the classes.
        strangers_scaled: the same with the temperature.
        answers: the class that each of those pictures is taken for.
    """

    arm: str
    temperature: Annotated[float, Range(LOWEST, HIGHEST)]
    validation: tuple[Share, ...]
    test: tuple[Share, ...]
    scaled: tuple[Share, ...]
    right: RightAnswers
    strangers: tuple[Share, ...]
    strangers_scaled: tuple[Share, ...]
    answers: tuple[Count, ...]

    @property
    def accuracy(self) -> float:
        """The share of right answers to the test images."""
        return sum(self.right) / len(self.right)


@dataclass(frozen=True)
class Bin:
    """The answers of which a model is about as sure: their number, mean sureness, and share of right ones."""

    low: float
    high: float
    n: int
    sure: float
    right: float
    ci95: Interval


@dataclass(frozen=True)
class Answered:
    """The answers that remain if a model gives only those of which it is at least as sure as `limit`."""

    limit: float
    n_answered: int
    n_right: int
    strangers: float

    @property
    def accuracy(self) -> float:
        """The share of right answers among those that were given; 1 without any."""
        return self.n_right / self.n_answered if self.n_answered else 1.0

    @property
    def ci95(self) -> Interval:
        """Wilson's interval of `accuracy`."""
        return wilson_interval(self.n_right, self.n_answered)


def bins(sure: Sequence[float], right: Sequence[bool]) -> tuple[Bin, ...]:
    """Return the bins of a reliability diagram that have images: ten of equal width."""
    values, is_right = np.asarray(sure, float), np.asarray(right, bool)
    places = np.searchsorted(_EDGES[1:-1], values)
    found = []
    for k in np.unique(places).tolist():
        rows = places == k
        n, n_right = int(rows.sum()), int(is_right[rows].sum())
        low, high = _EDGES[k : k + 2].tolist()
        found.append(Bin(low, high, n, float(values[rows].mean()), n_right / n, wilson_interval(n_right, n)))
    return tuple(found)


def gaps(sure: Sequence[float], right: Sequence[bool]) -> Array:
    """Return sure minus right for each image, in the column of its bin: (n_images, n_bins)."""
    values = np.asarray(sure, float)
    table = np.zeros((len(values), N_BINS))
    table[np.arange(len(values)), np.searchsorted(_EDGES[1:-1], values)] = values - np.asarray(right, float)
    return table


def calibration_error(table: Array) -> float:
    """Return the expected calibration error, given the gaps of `gaps`.

    It is the mean distance between how sure a model is and how often it is right, over bins, weighted by their images.

    Source: M. Naeini, G. Cooper, M. Hauskrecht, Obtaining well calibrated probabilities using Bayesian binning, AAAI
    2015; C. Guo et al., On calibration of modern neural networks, ICML 2017, arXiv 1706.04599.
    """
    return float(np.abs(table.mean(axis=0)).sum())


@lru_cache(16)
def _resampled(sure: tuple[float, ...], right: tuple[bool, ...], seed: int) -> Array:
    """Return the errors of resampled images; with the same seed, all models of a study get the same images."""
    n = len(sure)
    counts = np.random.default_rng([seed, 6]).multinomial(n, np.full(n, 1 / n), _N_RESAMPLES)
    errors: Array = np.abs(counts @ gaps(sure, right)).sum(axis=1) / n
    return errors


def error_mean(sure: Sequence[float], right: Sequence[bool], *, seed: int = 0) -> Mean:
    """Return a calibration error with its 95% bootstrap interval.

    The interval is the basic one, estimate - (resampled - estimate): a resample has a larger error than its data, as
    the data have one that is larger than the truth.

    Source: A. Davison, D. Hinkley, Bootstrap methods and their application (1997), section 5.2.
    """
    error, again = calibration_error(gaps(sure, right)), _resampled(tuple(sure), tuple(right), seed)
    low, high = (2 * error - np.quantile(again, [0.975, 0.025])).tolist()
    return Mean(error, (max(0.0, low), min(1.0, max(0.0, high))), len(sure))


def error_difference(first: Answers, second: Answers, *, seed: int = 0) -> Mean:
    """Return how much larger the error of one model is than another's, each beyond its luck, with a 95% interval.

    Each model is (how sure it is, which answers are right), of the same images. A model that is less sure has more luck
    in its error; without `luck`, it would seem less calibrated than it is. The bootstrap is paired by image.
    """
    beyond = [calibration_error(gaps(*answers)) - luck(tuple(answers[0]), seed) for answers in (first, second)]
    one, other = (_resampled(tuple(sure), tuple(right), seed) for sure, right in (first, second))
    again, difference = one - other, beyond[0] - beyond[1]
    low, high = (difference + again.mean() - np.quantile(again, [0.975, 0.025])).tolist()
    return Mean(difference, (max(-1.0, low), min(1.0, high)), len(one))


@lru_cache(16)
def luck(sure: tuple[float, ...], seed: int = 0) -> float:
    """Return the calibration error that a perfectly calibrated model shows on average with so few images.

    Source: J. Bröcker, L. Smith, Increasing the reliability of reliability diagrams, Weather and Forecasting 22 (2007),
    651-661: consistency resampling.
    """
    values, random = np.asarray(sure, float), np.random.default_rng([seed, 7])
    columns = np.eye(N_BINS)[np.searchsorted(_EDGES[1:-1], values)]
    distances = values - (random.random((_N_RESAMPLES // 2, len(values))) < values)
    return float(np.mean(np.abs(distances @ columns).sum(axis=1)) / len(values))


@dataclass(frozen=True)
class Calibration(StudyRecord):
    """How sure trained models are, and how often they are right.

    Attributes:
        dataset: the images.
        config: the settings of the comparison that trained the models.
        strangers: the data set of which pictures show none of the classes.
        pictures: the pixels of the first of these pictures, base64.
        points: one for each model.
        failures: models that could not be measured.
        stopped: whether the study was stopped before all models were measured.
        environment: the machine and the versions.
    """

    dataset: DatasetSummary
    config: Config
    strangers: DatasetSummary
    pictures: tuple[Data, ...]
    points: tuple[Sureness, ...]
    failures: tuple[StudyFailure, ...]
    stopped: bool
    environment: Environment

    def __post_init__(self) -> None:
        n_classes = len(self.dataset.class_names)
        if any(find_model(point.arm) is None for point in self.points) or len(set(self.arms)) < len(self.points):
            raise ValueError("its points are not of different models of a comparison")
        sizes = {(len(p.validation), len(p.test), len(p.strangers)) for p in self.points}
        if len(sizes) > 1 or any(not all(size) for size in sizes):
            raise ValueError("its models were not asked about the same images")
        for point in self.points:
            if len({len(point.test), len(point.scaled), len(point.right)}) > 1:
                raise ValueError(f"{point.arm} doesn't have one number for each test image")
            if len({len(point.strangers), len(point.strangers_scaled), len(point.answers)}) > 1:
                raise ValueError(f"{point.arm} doesn't have one number for each picture of none of the classes")
            if max(point.answers) >= n_classes:
                raise ValueError(f"an answer is none of the {n_classes} classes")
        for pixels in self.pictures:
            require_pictures(pixels, self.dataset.image_size)
        if any(len(self.pictures) > n for _, _, n in sizes):
            raise ValueError("it has more pictures than answers to them")

    @property
    def arms(self) -> tuple[str, ...]:
        """The measured models, in the order of `ModelName`."""
        return tuple(sorted((point.arm for point in self.points), key=[*ModelName].index))

    def of(self, arm: str) -> Sureness:
        """Return what was measured of a model in `arms`."""
        return next(point for point in self.points if point.arm == arm)

    def picture(self, i: int) -> NDArray[np.uint8]:
        """Return picture i of none of the classes, uint8 (side, side, 3)."""
        return picture_of(self.pictures[i], self.dataset.image_size)

    def bins(self, arm: str, *, scaled: bool = False) -> tuple[Bin, ...]:
        """Return the bins of a model's reliability diagram, without or with the temperature."""
        return bins(*self._answers(arm, scaled=scaled))

    def _answers(self, arm: str, *, scaled: bool = False) -> Answers:
        point = self.of(arm)
        return point.scaled if scaled else point.test, point.right

    def error(self, arm: str, *, scaled: bool = False) -> Mean:
        """Return the expected calibration error of a model with its interval, without or with the temperature."""
        return error_mean(*self._answers(arm, scaled=scaled), seed=self.config.seed)

    def luck(self, arm: str) -> float:
        """Return the error that a perfectly calibrated model, as sure as this one, shows with so few images."""
        return luck(self.of(arm).test, self.config.seed)

    def answered(self, arm: str) -> tuple[Answered, ...]:
        """Return what a model answers with limits that leave each of `SHARES` of the validation images an answer."""
        point = self.of(arm)
        test, right, strangers = np.array(point.test), np.array(point.right), np.array(point.strangers)
        rows = []
        for limit in np.quantile(point.validation, 1 - np.array(SHARES)).tolist():
            given = test >= limit
            n_right = int(right[given].sum())
            rows.append(Answered(limit, int(given.sum()), n_right, float((strangers >= limit).mean())))
        return tuple(rows)

    @property
    def more_error(self) -> Mean | None:
        """How much larger the error of scratch is than transfer's, each beyond its luck; None without both models."""
        if not {ModelName.SCRATCH, ModelName.TRANSFER} <= {*self.arms}:
            return None
        scratch, transfer = self._answers(ModelName.SCRATCH), self._answers(ModelName.TRANSFER)
        return error_difference(scratch, transfer, seed=self.config.seed)

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """A table of texts, titles first: how sure each model is, its errors, and how sure of something else."""
        titles = (
            _("model"),
            _("how sure"),
            pgettext("share", "right"),
            _("calibration error"),
            _("temperature"),
            _("error then"),
            _("sure of something else"),
        )
        lines = []
        for arm in self.arms:
            point = self.of(arm)
            accuracy = accuracy_text(point.accuracy, wilson_interval(sum(point.right), len(point.right)))
            errors = [_error_text(self.error(arm, scaled=scaled)) for scaled in (False, True)]
            temperature = number_text(point.temperature, ".2f")
            lines.append((
                heading_of(arm), percent(_mean(point.test)), accuracy, errors[0], temperature, errors[1],
                percent(_mean(point.strangers)),
            ))  # fmt: skip
        return titles, *lines

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        parts = [
            _(
                "{model} is {sure} sure and {accuracy} right",
                model=phrase_of(arm),
                sure=whole_percent(_mean(self.of(arm).test)),
                accuracy=whole_percent(self.of(arm).accuracy),
            )
            for arm in sorted(self.arms, key=lambda arm: arm == ModelName.SCRATCH)
        ]
        return _("On average, {parts}.", parts=", ".join(parts)) if parts else _("Stopped before a model was measured.")

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain sentences."""
        findings = [sentence for arm in self.arms for sentence in _arm_sentences(self, arm)]
        outcome = DOUBT.judge(self.more_error) if self.more_error else ""
        return all_sentences(self, findings, _("Stopped before all models were measured."), outcome)


def _mean(shares: Sequence[float]) -> float:
    return float(np.mean(shares))


def _error_text(error: Mean) -> str:
    assert error.ci95 is not None
    return _("{error_mean} points ({ci95})", error_mean=points(error.mean), ci95=points_range(*error.ci95))


def _arm_sentences(study: Calibration, arm: str) -> tuple[str, ...]:
    point, name = study.of(arm), opening_of(arm)
    half = study.answered(arm)[_HALF]
    n, n_given = len(point.test), half.n_answered
    chosen = _(
        "A temperature of {temperature:.2f}, chosen on the validation images, makes that", temperature=point.temperature
    )
    if not LOWEST * 1.01 < point.temperature < HIGHEST / 1.01:
        if point.temperature < 1:
            chosen = _(
                "On the validation images, no temperature is low enough; the limit of {limit:.1f} makes that",
                limit=point.temperature,
            )
        else:
            chosen = _(
                "On the validation images, no temperature is high enough; the limit of {limit:.1f} makes that",
                limit=point.temperature,
            )
    return (
        _(
            "{name} is {mean} sure of its answers on average, and {accuracy} of them are right.",
            name=name,
            mean=percent(_mean(point.test)),
            accuracy=accuracy_text(point.accuracy, wilson_interval(sum(point.right), n)),
        ),
        _(
            "Its expected calibration error is {error}; with {n} images, a perfectly calibrated model "
            "would show about {luck} by luck. {chosen} {scaled_error}.",
            error=_error_text(study.error(arm)),
            n=n,
            luck=points(study.luck(arm)),
            chosen=chosen,
            scaled_error=_error_text(study.error(arm, scaled=True)),
        ),
        _(
            "If it answers only where it is surer than of half of the validation images, {n_given} of "
            "{n} test images get an answer, and {accuracy} of these answers are right.",
            n_given=n_given,
            n=n,
            accuracy=accuracy_text(half.accuracy, half.ci95),
        ),
        _(
            "It is {mean} sure about pictures that show none of its classes ({images}), and {share} of "
            "them get an answer then. With the temperature, it is {scaled} sure about them.",
            mean=percent(_mean(point.strangers)),
            images=study.strangers.name,
            share=percent(half.strangers, 0),
            scaled=percent(_mean(point.strangers_scaled)),
        ),
    )
