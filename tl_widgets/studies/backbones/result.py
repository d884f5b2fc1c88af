"""Records of the "backbones" study, with statistics and sentences. No TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tl_widgets.core.config import Config
from tl_widgets.core.numbers import interval_text, milliseconds_text, percent, points_range, size_text
from tl_widgets.records.comparison import DatasetSummary, Environment, StudyFailure, StudyRecord
from tl_widgets.records.kinds import MAX_NUMBER, Answer, Count, FileName, Positive, Range, RightAnswers, Share
from tl_widgets.records.statistics import (
    Interval,
    Mean,
    PairedDifference,
    RankCorrelation,
    mean_of_shares,
    pair_answers,
    rank_correlation,
    wilson_interval,
)

FEWEST_RANKED = 5  # backbones for a rank correlation: with four, even a perfect one may be chance (p = 0.08)


@dataclass(frozen=True)
class BackboneCost:
    """The cost of running a frozen backbone, which does not depend on its weights.

    Attributes:
        name: name of the backbone in the catalogue.
        image_size: side of the images in pixels.
        n_params: parameters without the top.
        feature_width: features per image.
        ms_per_image: measured milliseconds per image in batches of 32, after warming up.
        memory_estimate: the catalogue's estimate of the backbone's memory in bytes, without TensorFlow; not measured.
        memory_peak: measured peak memory of the whole process in bytes, including TensorFlow and everything that was
            loaded before; None if the system does not report it.
        alone: whether nothing else of the study ran at the same time; only then can milliseconds be compared.
    """

    name: str
    image_size: Count
    n_params: Annotated[int, Range(1, MAX_NUMBER)]
    feature_width: Count
    ms_per_image: Positive
    memory_estimate: Count
    memory_peak: Count | None
    alone: bool = True


@dataclass(frozen=True)
class WantedBackbone:
    """A backbone to be measured; `weights` is "imagenet" or the path of a file."""

    name: str
    weights: FileName = "imagenet"


@dataclass(frozen=True)
class BackbonePoint:
    """One frozen backbone, whose head was trained and tested with each seed.

    Attributes:
        weights: "imagenet", the name of a file, or "random".
        weights_sha256: digest of the weights file; "" for random weights.
        top1_pct: published ImageNet accuracy in percent; None if there is none, and for random weights.
        val_accuracy: accuracy on the validation images, 0..1, for each seed.
        answers: for each seed, which test images it gets right.
        n_trainable: parameters of the head.
    """

    name: str
    weights: str
    weights_sha256: str
    top1_pct: Annotated[float, Range(0, 100)] | None
    val_accuracy: tuple[Answer, ...]
    answers: tuple[RightAnswers, ...]
    n_trainable: Count
    cost: BackboneCost

    def __post_init__(self) -> None:
        n_images = {len(answers) for answers in self.answers}
        if len(n_images) != 1 or 0 in n_images:
            raise ValueError(f"{self.name:.40} does not have one answer for each test image and seed")
        if len(self.val_accuracy) != len(self.answers):
            raise ValueError(f"{self.name:.40} does not have one validation accuracy for each seed")

    @property
    def test_accuracies(self) -> tuple[float, ...]:
        """The accuracy on the test images, 0..1, for each seed."""
        return tuple(sum(answers) / len(answers) for answers in self.answers)

    @property
    def test_accuracy(self) -> float:
        """The mean accuracy on the test images over the seeds, 0..1."""
        return self.over_seeds.mean

    @property
    def test_accuracy_ci95(self) -> Interval:
        """Wilson's 95% interval of `test_accuracy`: the uncertainty from the test images."""
        n = len(self.answers[0])
        return wilson_interval(self.test_accuracy * n, n)

    @property
    def over_seeds(self) -> Mean:
        """The mean test accuracy with its t interval: the uncertainty from the seeds."""
        return mean_of_shares(self.test_accuracies, n_images=len(self.answers[0]))

    @property
    def mean_val_accuracy(self) -> float:
        """The mean accuracy on the validation images over the seeds, 0..1."""
        return sum(self.val_accuracy) / len(self.val_accuracy)


@dataclass(frozen=True)
class BackboneStudy(StudyRecord):
    """Several frozen backbones on the same images, each with a new head.

    Attributes:
        dataset: the images.
        config: the other settings; backbone, weights and seed are different for each point.
        seeds: each determines the head's initial weights and the order of the images.
        wanted: the backbones that were asked for.
        chance: accuracy of always answering with the most frequent class of the test images, 0..1.
        points: the backbones that were measured.
        control: a backbone with random weights, the floor; its milliseconds are those of the pretrained one. None if it
            was not asked for or not measured.
        failures: backbones that could not be measured.
        stopped: whether the study was stopped before all backbones were measured.
        environment: the machine and the versions.
    """

    dataset: DatasetSummary
    config: Config
    seeds: tuple[Count, ...]
    wanted: tuple[WantedBackbone, ...]
    chance: Share
    points: tuple[BackbonePoint, ...]
    control: BackbonePoint | None
    failures: tuple[StudyFailure, ...]
    stopped: bool
    environment: Environment

    def __post_init__(self) -> None:
        points = (*self.points, *([self.control] if self.control else []))
        if len({len(point.answers[0]) for point in points}) > 1:
            raise ValueError("its backbones were not tested on the same images")

    @property
    def chosen(self) -> BackbonePoint | None:
        """The most accurate on the validation images, the fastest of equals, or None.

        A choice by the test images would leave no unbiased estimate of the accuracy of what was chosen.
        """
        best_first = sorted(self.points, key=lambda point: (-point.mean_val_accuracy, point.cost.ms_per_image))
        return best_first[0] if best_first else None

    @property
    def front(self) -> tuple[BackbonePoint, ...]:
        """The Pareto front, fastest first: each is more accurate than all faster ones.

        It compares the measured means: where intervals overlap, other images might give another front.
        """
        front: list[BackbonePoint] = []
        for point in sorted(self.points, key=lambda candidate: (candidate.cost.ms_per_image, -candidate.test_accuracy)):
            if not front or point.test_accuracy > front[-1].test_accuracy:
                front.append(point)
        return tuple(front)

    @property
    def imagenet_correlation(self) -> RankCorrelation | None:
        """Rank correlation of published ImageNet accuracy and test accuracy.

        None with fewer than 5 backbones, or if all are equally good.
        """
        known = [(point.top1_pct, point.test_accuracy) for point in self.points if point.top1_pct is not None]
        if len(known) < FEWEST_RANKED:
            return None
        return rank_correlation([top1 for top1, _ in known], [measured for _, measured in known])

    def difference(self, first: BackbonePoint, second: BackbonePoint) -> PairedDifference:
        """Return first minus second on the same test images, with the first seed."""
        right1, right2 = (np.array(point.answers[0]) for point in (first, second))
        return pair_answers(right1, right2)

    @property
    def lines(self) -> tuple[str, ...]:
        """The numbers of each backbone in one line, the control last."""
        points = (*self.points, *((self.control,) if self.control else ()))
        return tuple(_line(point) for point in points)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain sentences."""
        sentences: list[str] = []
        chosen = self.chosen
        if chosen is not None:
            sentences += [_choice(self, chosen), _others(self, chosen), _front(self, chosen), _floor(self, chosen)]
            sentences.append(_imagenet(self))
        sentences += _reservations(self)
        return tuple(sentence for sentence in sentences if sentence)


def point_name(point: BackbonePoint) -> str:
    """Return a backbone's name, which says so if its weights are random."""
    return f"{point.name} with random weights" if point.weights == "random" else point.name


def _line(point: BackbonePoint) -> str:
    cost = point.cost
    parts = [
        f"{percent(point.test_accuracy)} of the test images right "
        f"(95% interval {interval_text(point.test_accuracy_ci95)})"
    ]
    seeds = point.over_seeds
    if seeds.ci95:
        parts.append(f"over {seeds.n} seeds {points_range(*seeds.ci95)}")
    parts += [
        f"{milliseconds_text(cost.ms_per_image)} an image",
        f"{cost.n_params:,} parameters",
        f"{cost.feature_width:,} features",
        f"memory {size_text(cost.memory_estimate)} (estimate for the backbone alone)",
    ]
    if cost.memory_peak is not None:
        parts.append(f"{size_text(cost.memory_peak)} (measured, the whole process)")
    if point.top1_pct is not None:
        parts.append(f"ImageNet {point.top1_pct:.1f}% (published)")
    return f"{point_name(point)}: {', '.join(parts)}."


def _choice(study: BackboneStudy, chosen: BackbonePoint) -> str:
    outcome = (
        f"it answers {percent(chosen.test_accuracy)} of the {len(chosen.answers[0])} test images correctly "
        f"(95% interval {interval_text(chosen.test_accuracy_ci95)})"
    )
    if len(study.points) == 1:
        return f"Only {chosen.name} was measured, so there is nothing to compare it with: {outcome}."
    so_far = f"Of the {len(study.points)} measured so far, the choice by the" if study.stopped else "By the"
    best = [point for point in study.points if point.mean_val_accuracy == chosen.mean_val_accuracy]
    of_equals = f", the fastest of {len(best)} that are equally good there" if len(best) > 1 else ""
    choice = "is" if study.stopped else "the choice is"
    return f"{so_far} validation images {choice} {chosen.name}{of_equals}: {outcome}."


def _others(study: BackboneStudy, chosen: BackbonePoint) -> str:
    """Compare each other backbone with the chosen one, image by image."""
    names_by_verdict: dict[str, list[str]] = {
        "too close to call": [],
        "clearly behind it": [],
        "clearly ahead of it": [],
    }
    for point in study.points:
        if point is chosen:
            continue
        paired = study.difference(chosen, point)
        verdict = "too close to call"
        if paired.is_clear:
            verdict = "clearly behind it" if paired.difference > 0 else "clearly ahead of it"
        names_by_verdict[verdict].append(f"{point.name} ({percent(point.test_accuracy)})")
    clauses = []
    for verdict, names in names_by_verdict.items():
        if names:
            verb = "is" if len(names) == 1 else "are"
            clauses.append(f"{_join_names(names)} {verb} {verdict}")
    return f"On the same test images {'; '.join(clauses)}." if clauses else ""


def _front(study: BackboneStudy, chosen: BackbonePoint) -> str:
    if len(study.points) == 1:
        return ""
    fastest = min(study.points, key=lambda point: point.cost.ms_per_image)
    milliseconds = f"{milliseconds_text(chosen.cost.ms_per_image)} an image"
    text = f"{chosen.name} is also the fastest, {milliseconds}."
    second = min((p for p in study.points if p is not chosen), key=lambda point: point.cost.ms_per_image)
    if chosen is fastest and second.cost.ms_per_image < 1.15 * chosen.cost.ms_per_image:
        # Another run might reverse the order.
        text = f"{chosen.name} takes {milliseconds}, {second.name} about as long."
    if chosen is not fastest:
        times = chosen.cost.ms_per_image / fastest.cost.ms_per_image
        text = f"{chosen.name} takes {milliseconds}, {times:.1f} times as long as the fastest, {fastest.name}."
    front = [point.name for point in study.front]
    if len(front) == len(study.points):
        return f"{text} All are on the Pareto front: more accuracy costs more time here."
    are = "is" if len(front) == 1 else "are"
    return f"{text} On the Pareto front {are} {_join_names(front)}: nothing else is as accurate in as little time."


def _floor(study: BackboneStudy, chosen: BackbonePoint) -> str:
    if study.control is None:
        return ""
    paired = study.difference(chosen, study.control)
    name, reached = point_name(study.control), percent(study.control.test_accuracy)
    if paired.is_clear and paired.difference > 0:
        return f"{name} reaches {reached} (chance: {percent(study.chance)}): that is the floor without any pretraining."
    return f"{name} reaches {reached}, too: on these images no gain can be put down to the pretraining."


def _imagenet(study: BackboneStudy) -> str:
    known = [(point.top1_pct, point.test_accuracy) for point in study.points if point.top1_pct is not None]
    n = len(known)
    question = "Whether better ImageNet models transfer better here"
    if n < FEWEST_RANKED:
        counted = "one backbone" if n == 1 else f"{n} backbones"
        need = f"it takes {FEWEST_RANKED} or more with a published ImageNet accuracy"
        return f"{_order(known)}{question} cannot be told from {counted}: {need}."
    correlation = study.imagenet_correlation
    if correlation is None:
        return f"{question} cannot be told: all are equally good here."
    figures = f"rank correlation {correlation.rho:.2f} over {n} backbones, p = {correlation.p_value:.2f}"
    if correlation.p_value >= 0.05:
        return f"{question} is too close to call ({figures})."
    better = "better" if correlation.rho > 0 else "worse"
    return f"Better ImageNet models transfer {better} here ({figures})."


def _order(accuracies: Sequence[tuple[float, float]]) -> str:
    """Return a sentence on whether ImageNet's order of a few backbones is the order here.

    `accuracies` are pairs of a published ImageNet accuracy and the accuracy here.
    """
    here = [accuracy for _, accuracy in sorted(accuracies)]
    if len(here) < 3 or len(set(here)) < 2:
        return ""
    ties = " except for ties" if len(set(here)) < len(here) else ""
    if here == sorted(here):
        return f"The accuracies here are in the same order as on ImageNet{ties}. "
    if here == sorted(here, reverse=True):
        return f"The accuracies here are in the opposite order of those on ImageNet{ties}. "
    return "The accuracies here are in another order than on ImageNet. "


def _reservations(study: BackboneStudy) -> list[str]:
    sentences = []
    files = [point.name for point in study.points if point.weights not in ("imagenet", "random")]
    if files:
        sentences.append(
            f"The weights of {_join_names(files)} came from a file: the published ImageNet accuracy holds only if they "
            "are the published weights."
        )
    if not all(point.cost.alone for point in study.points):
        sentences.append(
            "Several backbones were measured at the same time, so their milliseconds are longer than when measured "
            "alone."
        )
    if study.failures:
        reasons = "; ".join(f"{failure.point}: {failure.text}" for failure in study.failures)
        sentences.append(f"{len(study.failures)} could not be measured. {reasons}")
    if study.stopped:
        done = {point.name for point in study.points}
        left = [backbone.name for backbone in study.wanted if backbone.name not in done]
        rest = f"; not measured yet: {_join_names(left)}" if left else ""
        sentences.append(f"Stopped before all were measured{rest}.")
    return sentences


def _join_names(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
