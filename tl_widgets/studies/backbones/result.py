"""Records of the "backbones" study, with statistics and sentences. No TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tl_widgets.core.config import Config
from tl_widgets.core.numbers import interval_text, milliseconds_text, percent, points_range, size_text
from tl_widgets.core.text import all_of
from tl_widgets.core.translation import _, ngettext
from tl_widgets.records.comparison import DatasetSummary, Environment, StudyFailure, StudyRecord
from tl_widgets.records.kinds import Count, Share
from tl_widgets.records.statistics import PairedDifference, RankCorrelation, pair_answers, rank_correlation
from tl_widgets.studies.backbones.points import (
    BackboneCost as BackboneCost,
    BackbonePoint as BackbonePoint,
    WantedBackbone as WantedBackbone,
)

FEWEST_RANKED = 5  # backbones for a rank correlation: with four, even a perfect one may be chance (p = 0.08)


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
    def imagenet_sentence(self) -> str:
        """Whether backbones that are better on ImageNet are better here, as a sentence."""
        return _imagenet(self)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain sentences."""
        sentences: list[str] = []
        chosen = self.chosen
        if chosen is not None:
            sentences += [_choice(self, chosen), _others(self, chosen), _front(self, chosen), _floor(self, chosen)]
            sentences.append(self.imagenet_sentence)
        sentences += _reservations(self)
        return tuple(sentence for sentence in sentences if sentence)


def point_name(point: BackbonePoint) -> str:
    """Return a backbone's name, which says so if its weights are random."""
    return _("{point_name} with random weights", point_name=point.name) if point.weights == "random" else point.name


def _line(point: BackbonePoint) -> str:
    cost = point.cost
    parts = [
        _(
            "{test_accuracy} of the test images right (95% interval {test_accuracy_ci95})",
            test_accuracy=percent(point.test_accuracy),
            test_accuracy_ci95=interval_text(point.test_accuracy_ci95),
        )
    ]
    seeds = point.over_seeds
    if seeds.ci95:
        parts.append(_("over {seeds_n} seeds {ci95}", seeds_n=seeds.n, ci95=points_range(*seeds.ci95)))
    parts += [
        _("{ms_per_image} an image", ms_per_image=milliseconds_text(cost.ms_per_image)),
        _("{n_params:,} parameters", n_params=cost.n_params),
        _("{feature_width:,} features", feature_width=cost.feature_width),
        _(
            "memory {memory_estimate} (estimate for the backbone alone)",
            memory_estimate=size_text(cost.memory_estimate),
        ),
    ]
    if cost.memory_peak is not None:
        parts.append(_("{memory_peak} (measured, the whole process)", memory_peak=size_text(cost.memory_peak)))
    if point.top1_pct is not None:
        parts.append(_("ImageNet {top1_pct:.1f}% (published)", top1_pct=point.top1_pct))
    return f"{point_name(point)}: {', '.join(parts)}."


def _choice(study: BackboneStudy, chosen: BackbonePoint) -> str:
    outcome = _(
        "it answers {test_accuracy} of the {n_answer} test images correctly (95% interval {test_accuracy_ci95})",
        test_accuracy=percent(chosen.test_accuracy),
        n_answer=len(chosen.answers[0]),
        test_accuracy_ci95=interval_text(chosen.test_accuracy_ci95),
    )
    if len(study.points) == 1:
        return _(
            "Only {chosen_name} was measured, so there is nothing to compare it with: {outcome}.",
            chosen_name=chosen.name,
            outcome=outcome,
        )
    so_far = (
        _("Of the {n_points} measured so far, the choice by the", n_points=len(study.points))
        if study.stopped
        else _("By the")
    )
    best = [point for point in study.points if point.mean_val_accuracy == chosen.mean_val_accuracy]
    of_equals = _(", the fastest of {n_best} that are equally good there", n_best=len(best)) if len(best) > 1 else ""
    choice = _("is") if study.stopped else _("the choice is")
    return _(
        "{so_far} validation images {choice} {chosen_name}{of_equals}: {outcome}.",
        so_far=so_far,
        choice=choice,
        chosen_name=chosen.name,
        of_equals=of_equals,
        outcome=outcome,
    )


def _others(study: BackboneStudy, chosen: BackbonePoint) -> str:
    """Compare each other backbone with the chosen one, image by image."""
    close, behind, ahead = list[str](), list[str](), list[str]()
    for point in study.points:
        if point is chosen:
            continue
        paired = study.difference(chosen, point)
        names = close if not paired.is_clear else behind if paired.difference > 0 else ahead
        names.append(f"{point.name} ({percent(point.test_accuracy)})")
    clauses = []
    if close:
        clauses.append(
            ngettext("{names} is too close to call", "{names} are too close to call", len(close), names=all_of(close))
        )
    if behind:
        clauses.append(
            ngettext("{names} is clearly behind it", "{names} are clearly behind it", len(behind), names=all_of(behind))
        )
    if ahead:
        clauses.append(
            ngettext(
                "{names} is clearly ahead of it", "{names} are clearly ahead of it", len(ahead), names=all_of(ahead)
            )
        )
    return _("On the same test images {clauses}.", clauses="; ".join(clauses)) if clauses else ""


def _front(study: BackboneStudy, chosen: BackbonePoint) -> str:
    if len(study.points) == 1:
        return ""
    fastest = min(study.points, key=lambda point: point.cost.ms_per_image)
    milliseconds = _("{ms_per_image} an image", ms_per_image=milliseconds_text(chosen.cost.ms_per_image))
    text = _("{chosen_name} is also the fastest, {milliseconds}.", chosen_name=chosen.name, milliseconds=milliseconds)
    second = min((p for p in study.points if p is not chosen), key=lambda point: point.cost.ms_per_image)
    if chosen is fastest and second.cost.ms_per_image < 1.15 * chosen.cost.ms_per_image:
        # Another run might reverse the order.
        text = _(
            "{chosen_name} takes {milliseconds}, {second_name} about as long.",
            chosen_name=chosen.name,
            milliseconds=milliseconds,
            second_name=second.name,
        )
    if chosen is not fastest:
        times = chosen.cost.ms_per_image / fastest.cost.ms_per_image
        text = _(
            "{chosen_name} takes {milliseconds}, {times:.1f} times as long as the fastest, {fastest_name}.",
            chosen_name=chosen.name,
            milliseconds=milliseconds,
            times=times,
            fastest_name=fastest.name,
        )
    front = [point.name for point in study.front]
    if len(front) == len(study.points):
        return _("{text} All are on the Pareto front: more accuracy costs more time here.", text=text)
    return ngettext(
        "{text} On the Pareto front is {names}: nothing else is as accurate in as little time.",
        "{text} On the Pareto front are {names}: nothing else is as accurate in as little time.",
        len(front),
        text=text,
        names=all_of(front),
    )


def _floor(study: BackboneStudy, chosen: BackbonePoint) -> str:
    if study.control is None:
        return ""
    paired = study.difference(chosen, study.control)
    name, reached = point_name(study.control), percent(study.control.test_accuracy)
    if paired.is_clear and paired.difference > 0:
        return _(
            "{name} reaches {reached} (chance: {chance}): that is the floor without any pretraining.",
            name=name,
            reached=reached,
            chance=percent(study.chance),
        )
    return _(
        "{name} reaches {reached}, too: on these images no gain can be put down to the pretraining.",
        name=name,
        reached=reached,
    )


def _imagenet(study: BackboneStudy) -> str:
    known = [(point.top1_pct, point.test_accuracy) for point in study.points if point.top1_pct is not None]
    n = len(known)
    question = _("Whether better ImageNet models transfer better here")
    if n < FEWEST_RANKED:
        counted = _("one backbone") if n == 1 else _("{n} backbones", n=n)
        need = _("it takes {fewest_ranked} or more with a published ImageNet accuracy", fewest_ranked=FEWEST_RANKED)
        return _(
            "{order}{question} cannot be told from {counted}: {need}.",
            order=_order(known),
            question=question,
            counted=counted,
            need=need,
        )
    correlation = study.imagenet_correlation
    if correlation is None:
        return _("{question} cannot be told: all are equally good here.", question=question)
    figures = _(
        "rank correlation {rho:.2f} over {n} backbones, p = {p_value:.2f}",
        rho=correlation.rho,
        n=n,
        p_value=correlation.p_value,
    )
    if correlation.p_value >= 0.05:
        return _("{question} is too close to call ({figures}).", question=question, figures=figures)
    if correlation.rho > 0:
        return _("Better ImageNet models transfer better here ({figures}).", figures=figures)
    return _("Better ImageNet models transfer worse here ({figures}).", figures=figures)


def _order(accuracies: Sequence[tuple[float, float]]) -> str:
    """Return a sentence on whether ImageNet's order of a few backbones is the order here.

    `accuracies` are pairs of a published ImageNet accuracy and the accuracy here.
    """
    here = [accuracy for _, accuracy in sorted(accuracies)]
    if len(here) < 3 or len(set(here)) < 2:
        return ""
    ties = _(" except for ties") if len(set(here)) < len(here) else ""
    if here == sorted(here):
        return _("The accuracies here are in the same order as on ImageNet{ties}. ", ties=ties)
    if here == sorted(here, reverse=True):
        return _("The accuracies here are in the opposite order of those on ImageNet{ties}. ", ties=ties)
    return _("The accuracies here are in another order than on ImageNet. ")


def _reservations(study: BackboneStudy) -> list[str]:
    sentences = []
    files = [point.name for point in study.points if point.weights not in ("imagenet", "random")]
    if files:
        sentences.append(
            _(
                "The weights of {names} came from a file: the published ImageNet accuracy holds "
                "only if they are the published weights.",
                names=all_of(files),
            )
        )
    if not all(point.cost.alone for point in study.points):
        sentences.append(
            _(
                "Several backbones were measured at the same time, so their milliseconds are longer than "
                "when measured alone."
            )
        )
    if study.failures:
        reasons = "; ".join(f"{failure.point}: {failure.text}" for failure in study.failures)
        sentences.append(
            _("{n_failures} could not be measured. {reasons}", n_failures=len(study.failures), reasons=reasons)
        )
    if study.stopped:
        done = {point.name for point in study.points}
        left = [backbone.name for backbone in study.wanted if backbone.name not in done]
        rest = _("; not measured yet: {names}", names=all_of(left)) if left else ""
        sentences.append(_("Stopped before all were measured{rest}.", rest=rest))
    return sentences
