"""The record of the "depth" study, its statistics and sentences. No TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.config import Config
from tl_widgets.core.model_name import ModelName, heading_of, phrase_of
from tl_widgets.core.numbers import accuracy_text, count_text, milliseconds_text, percent, points, points_range
from tl_widgets.core.translation import _
from tl_widgets.records.comparison import DatasetSummary, Environment, StudyFailure, StudyRecord
from tl_widgets.records.kinds import Answer, Count, Duration, RightAnswers, Share
from tl_widgets.records.statistics import Interval, Mean, mean_of_shares, wilson_interval
from tl_widgets.studies.outcome import all_sentences, arms_without
from tl_widgets.studies.prediction import DEPTH, DEPTH_CUT

ARMS = (ModelName.TRANSFER, ModelName.CONTROL)


@dataclass(frozen=True)
class Depth:
    """A backbone that ends after a block, and its cost, which doesn't depend on its weights.

    Attributes:
        block: the number of the block, from 1; the last one stands for the whole backbone.
        name: the block's name in Keras.
        feature_width: features of each image.
        n_params: parameters up to there.
        ms_per_image: measured milliseconds up to there, in batches of 32.
    """

    block: Count
    name: str
    feature_width: Count
    n_params: Count
    ms_per_image: Duration


@dataclass(frozen=True)
class DepthPoint:
    """A head on a backbone that ends after a block, trained and tested with each seed.

    Attributes:
        arm: "transfer" for pretrained weights, "control" for random ones.
        val_accuracy: accuracy on the validation images, 0..1, for each seed.
        answers: for each seed, which test images it gets right.
    """

    arm: str
    block: Count
    val_accuracy: tuple[Answer, ...]
    answers: tuple[RightAnswers, ...]

    @property
    def right(self) -> NDArray[np.float64]:
        """For each test image, the share of the seeds that get it right, (n_images,)."""
        shares: NDArray[np.float64] = np.mean(self.answers, axis=0)
        return shares

    @property
    def accuracy(self) -> float:
        """The mean accuracy on the test images over the seeds, 0..1."""
        return float(self.right.mean())

    @property
    def ci95(self) -> Interval:
        """Wilson's 95% interval of `accuracy`: the uncertainty from the test images."""
        n = len(self.right)
        return wilson_interval(self.accuracy * n, n)

    @property
    def mean_val_accuracy(self) -> float:
        """The mean accuracy on the validation images over the seeds, 0..1."""
        return sum(self.val_accuracy) / len(self.val_accuracy)


@dataclass(frozen=True)
class DepthStudy(StudyRecord):
    """Accuracy and cost of a backbone that is cut after each of its blocks, with pretrained and with random weights.

    Attributes:
        dataset: the images.
        config: the other settings; each seed has its own heads.
        seeds: each determines the head's initial weights and the order of the images.
        depths: the places where the backbone was cut, ascending; the last one is the whole backbone.
        chance: accuracy of always answering with the most frequent class of the test images, 0..1.
        points: one for each measured cut and kind of weights.
        failures: points that could not be measured.
        stopped: whether the study was stopped before all points were measured.
        environment: the machine and the versions.
    """

    dataset: DatasetSummary
    config: Config
    seeds: tuple[Count, ...]
    depths: tuple[Depth, ...]
    chance: Share
    points: tuple[DepthPoint, ...]
    failures: tuple[StudyFailure, ...]
    stopped: bool
    environment: Environment

    def __post_init__(self) -> None:
        blocks = [depth.block for depth in self.depths]
        if not blocks or blocks != sorted(set(blocks)) or not blocks[0]:
            raise ValueError("its blocks are not in order")
        for point in self.points:
            if point.arm not in ARMS or point.block not in blocks:
                raise ValueError(f"{point.arm!r:.40} after block {point.block} is no point of this study")
            if {len(point.answers), len(point.val_accuracy)} != {len(self.seeds)}:
                raise ValueError("a point does not have one accuracy for each seed")
            if any(len(answers) != self.dataset.n_test for answers in point.answers):
                raise ValueError("a point does not have one answer for each test image")
        if self.points and not (self.seeds and self.dataset.n_test):
            raise ValueError("it has points without seeds or test images")

    @property
    def arms(self) -> tuple[ModelName, ...]:
        """The kinds of weights that were asked for."""
        return ARMS if self.config.control else ARMS[:1]

    @property
    def whole(self) -> Depth:
        """The whole backbone."""
        return self.depths[-1]

    def depth(self, block: int) -> Depth:
        """Return the cut after a block."""
        return next(depth for depth in self.depths if depth.block == block)

    def point(self, arm: str, block: int) -> DepthPoint | None:
        """Return what was measured after a block, or None."""
        return next((point for point in self.points if (point.arm, point.block) == (arm, block)), None)

    @property
    def chosen(self) -> DepthPoint | None:
        """The pretrained cut that is the most accurate on the validation images, the shallowest of equals, or None.

        A choice by the test images would leave no unbiased estimate of the accuracy of what was chosen.
        """
        measured = [point for point in self.points if point.arm == ModelName.TRANSFER]
        return min(measured, key=lambda point: (-point.mean_val_accuracy, point.block), default=None)

    def gain(self, arm: str) -> Mean | None:
        """Return what the whole backbone gains over its first block, with a t interval over the test images."""
        gains = self._gains(arm)
        return None if gains is None else self._mean(gains)

    @property
    def more_gained(self) -> Mean | None:
        """How much more pretrained weights gain with depth than random ones, paired by image; None without both."""
        pretrained, random = map(self._gains, ARMS)
        return None if pretrained is None or random is None else self._mean(pretrained - random, low=-2.0)

    @property
    def cut_gain(self) -> Mean | None:
        """The chosen cut minus the whole backbone, paired by image; None if that is the choice itself."""
        chosen, whole = self.chosen, self.point(ModelName.TRANSFER, self.whole.block)
        if chosen is None or whole is None or chosen is whole:
            return None
        return self._mean(chosen.right - whole.right)

    def _gains(self, arm: str) -> NDArray[np.float64] | None:
        first, last = (self.point(arm, depth.block) for depth in (self.depths[0], self.whole))
        return None if first is None or last is None or first is last else last.right - first.right

    def _mean(self, differences: NDArray[np.float64], *, low: float = -1.0) -> Mean:
        return mean_of_shares(differences.tolist(), n_images=len(self.seeds), low=low)

    @property
    def lost_arms(self) -> tuple[str, ...]:
        """The arms whose points all failed."""
        return arms_without(self.points, self.arms, stopped=self.stopped)

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """A table of texts, titles first, with a row for each cut."""
        titles = (_("end"), _("features"), _("parameters"), _("ms per image"), *(weights_of(arm) for arm in self.arms))
        lines = []
        for depth in self.depths:
            found = [self.point(arm, depth.block) for arm in self.arms]
            lines.append(
                (
                    _end(self, depth.block),
                    count_text(depth.feature_width),
                    count_text(depth.n_params),
                    milliseconds_text(depth.ms_per_image),
                    *(accuracy_text(point.accuracy, point.ci95) if point else "" for point in found),
                )
            )
        return titles, *lines

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        chosen, whole = self.chosen, self.point(ModelName.TRANSFER, self.whole.block)
        if chosen is None:
            if self.stopped:
                return _("Stopped before pretrained features were measured.")
            return _("Failed before pretrained features were measured.")
        name, share = self.config.backbone, percent(chosen.accuracy)
        if whole is None:
            return _(
                "So far, {name} is best {end}: {share} of the test images right.",
                name=name,
                end=_end(self, chosen.block),
                share=share,
            )
        if chosen is whole:
            return _("{name} is best whole: it recognizes {share} of the test images.", name=name, share=share)
        depth, full = self.depth(chosen.block), self.whole
        n_params, time = depth.n_params / max(full.n_params, 1), depth.ms_per_image / (full.ms_per_image or 1.0)
        costs = _(
            "{n_params} of its parameters and {time} of its time",
            n_params=percent(n_params, 1 if n_params < 0.01 else 0),
            time=percent(time, 0),
        )
        return _(
            "{name} cut {end} recognizes {share} of the test images with {costs}, the whole one {whole_accuracy}.",
            name=name,
            end=_end(self, chosen.block),
            share=share,
            costs=costs,
            whole_accuracy=percent(whole.accuracy),
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain sentences."""
        findings = [*(_rise_sentence(self, arm) for arm in self.arms), _gain_sentence(self), _choice_sentence(self)]
        outcomes = [DEPTH.judge(self.more_gained)] if self.config.control else []
        if self.chosen is not None and self.chosen.block == self.whole.block:
            outcomes.append(DEPTH_CUT.outcome(False, _("the validation images choose the whole backbone")))
        else:
            outcomes.append(DEPTH_CUT.judge(self.cut_gain))
        stopped = _("Stopped before all cuts were measured.")
        return all_sentences(self, findings, stopped, *(outcomes if len(self.depths) > 1 else ()))


def weights_of(arm: str) -> str:
    """Return what the weights of an arm are, for titles."""
    return (
        _("pretrained")
        if arm == ModelName.TRANSFER
        else _("random weights")
        if arm == ModelName.CONTROL
        else heading_of(arm)
    )


def _end(study: DepthStudy, block: int) -> str:
    return (
        _("whole") if block == study.whole.block else _("after block {block} of {n}", block=block, n=study.whole.block)
    )


def _rise_sentence(study: DepthStudy, arm: str) -> str:
    """Name the first, the best and the last accuracy."""
    found = [point for depth in study.depths if (point := study.point(arm, depth.block))]
    if not found:
        return ""
    best = max(found, key=lambda point: point.accuracy)
    shown = dict.fromkeys(point.block for point in (found[0], best, found[-1]))
    parts = [
        f"{accuracy_text(point.accuracy, point.ci95)} {_end(study, point.block)}"
        for point in found
        if point.block in shown
    ]
    subject = _("Pretrained features") if arm == ModelName.TRANSFER else _("Features with random weights")
    return _(
        "{subject} recognize {parts}; chance is {chance}.",
        subject=subject,
        parts=", ".join(parts),
        chance=percent(study.chance),
    )


def _gain_sentence(study: DepthStudy) -> str:
    more = study.more_gained
    if more is None or more.ci95 is None:
        return ""
    low, high = more.ci95
    if low <= 0 <= high:
        return _(
            "Whether depth is worth more with pretrained weights is too close to call: the "
            "difference between the two gains may be anything from {low} to {high} points.",
            low=points(low),
            high=points(high),
        )
    (arm, other), ends = ARMS if more.mean > 0 else ARMS[::-1], sorted((abs(low), abs(high)))
    return _(
        "From the first block to the whole, {first} gains {n} points more than {second} "
        "(95% interval {ends}, paired by image).",
        first=phrase_of(arm),
        n=points(abs(more.mean)),
        second=phrase_of(other),
        ends=points_range(*ends),
    )


def _choice_sentence(study: DepthStudy) -> str:
    chosen, cut = study.chosen, study.cut_gain
    if chosen is None or study.stopped or len(study.depths) < 2:
        return ""
    if cut is None or cut.ci95 is None:
        return _("The validation images choose the whole backbone.") if chosen.block == study.whole.block else ""
    low, high = cut.ci95
    text = _("The validation images choose the cut {end}", end=_end(study, chosen.block))
    if low <= 0 <= high:
        return _(
            "{text}. Whether it is more accurate than the whole backbone is too close to call: "
            "{cut_mean} points, which may be anything from {low} to {high}.",
            text=text,
            cut_mean=points(cut.mean),
            low=points(low),
            high=points(high),
        )
    ends = sorted((abs(low), abs(high)))
    values = {"text": text, "cut_mean": points(abs(cut.mean)), "ends": points_range(*ends)}
    if cut.mean > 0:
        return _(
            "{text}: it is {cut_mean} points more accurate than the whole backbone (95% interval "
            "{ends}, paired by image).",
            **values,
        )
    return _(
        "{text}: it is {cut_mean} points less accurate than the whole backbone (95% interval {ends}, paired by image).",
        **values,
    )
