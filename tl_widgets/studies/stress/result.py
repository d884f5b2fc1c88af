"""The record of the "stress" study, its statistics and sentences. No TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.config import Config
from tl_widgets.core.model_name import ModelName, find_model, heading_of, opening_of, phrase_of
from tl_widgets.core.numbers import accuracy_text, percent, points, points_range
from tl_widgets.core.translation import _
from tl_widgets.records.comparison import DatasetSummary, Environment, StudyFailure, StudyRecord
from tl_widgets.records.kinds import Count, Data, RightAnswers
from tl_widgets.records.pixels import pictures_of, require_pictures
from tl_widgets.records.statistics import Mean, PairedDifference, mean_of_shares, pair_answers, wilson_interval
from tl_widgets.studies.outcome import all_sentences
from tl_widgets.studies.prediction import STRESS, STRESS_TUNED, held
from tl_widgets.studies.stress.changes import CHANGES, SEVERITIES, Change

_BY_NAME = {change.name: change for change in CHANGES}
_STRONGEST = SEVERITIES[-1]


@dataclass(frozen=True)
class ArmAnswers:
    """Which of the tested images one model, a `ModelName`, gets right."""

    arm: str
    right: RightAnswers


@dataclass(frozen=True)
class StressPoint:
    """The answers of all models to the images with one change at one severity."""

    change: str
    severity: Count
    answers: tuple[ArmAnswers, ...]


@dataclass(frozen=True)
class StressTest(StudyRecord):
    """Accuracy on changed copies of the test images.

    Attributes:
        dataset: the images.
        config: the settings of the comparison that trained the models.
        clean: each model's answers to the unchanged images.
        changes: the names of the changes that were asked for.
        points: one for each change and severity that was measured.
        left_out: a sentence for each change that makes no difference to these images.
        example: the pixels of some tested images, base64.
        failures: changes that could not be measured.
        stopped: whether the study was stopped before all changes were measured.
        environment: the machine and the versions.
    """

    dataset: DatasetSummary
    config: Config
    clean: tuple[ArmAnswers, ...]
    changes: tuple[str, ...]
    points: tuple[StressPoint, ...]
    left_out: tuple[str, ...]
    example: Data
    failures: tuple[StudyFailure, ...]
    stopped: bool
    environment: Environment

    def __post_init__(self) -> None:
        names, n = [answers.arm for answers in self.clean], self.n_images
        if not names or any(find_model(name) is None for name in names) or n < 1:
            raise ValueError("it has no answers of known models to the unchanged images")
        if any(name not in _BY_NAME for name in self.changes):
            raise ValueError("it has an unknown change")
        require_pictures(self.example, self.dataset.image_size, None)
        for point in self.points:
            if point.change not in self.changes or point.severity not in SEVERITIES:
                raise ValueError(f"{point.change!r:.40} at severity {point.severity} is no change of this study")
            if [answers.arm for answers in point.answers] != names:
                raise ValueError("its points do not have the same models")
        if any(len(answers.right) != n for point in self.points for answers in point.answers):
            raise ValueError("its models were not tested on the same images")

    @property
    def n_images(self) -> int:
        """The number of test images that were changed."""
        return len(self.clean[0].right) if self.clean else 0

    @property
    def arms(self) -> tuple[str, ...]:
        """The models, in the order of `ModelName`."""
        return tuple(answers.arm for answers in self.clean)

    @property
    def pictures(self) -> NDArray[np.uint8]:
        """The examples, uint8 (n, side, side, 3)."""
        return pictures_of(self.example, self.dataset.image_size)

    @property
    def measured(self) -> tuple[Change, ...]:
        """The changes with at least one point."""
        names = {point.change for point in self.points}
        return tuple(_BY_NAME[name] for name in self.changes if name in names)

    def right(self, arm: str, change: str, severity: int) -> NDArray[np.bool_] | None:
        """Return which images a model gets right, bool (n_images,); None if that was not measured."""
        answers = self.clean
        if severity:
            found = (p for p in self.points if p.change == change and p.severity == severity)
            answers = next((point.answers for point in found), ())
        return next((np.array(item.right, bool) for item in answers if item.arm == arm), None)

    def accuracy(self, arm: str, change: str, severity: int) -> tuple[float, tuple[float, float]] | None:
        """Return an accuracy with Wilson's interval, or None."""
        right = self.right(arm, change, severity)
        return None if right is None else (float(right.mean()), wilson_interval(int(right.sum()), len(right)))

    def lead(self, change: str, severity: int) -> PairedDifference | None:
        """Return the frozen backbone minus the network from scratch on the same images, or None."""
        both = (self.right(arm, change, severity) for arm in (ModelName.TRANSFER, ModelName.SCRATCH))
        transfer, scratch = both
        return None if transfer is None or scratch is None else pair_answers(transfer, scratch)

    def shares(self, arm: str, severity: int) -> NDArray[np.float64] | None:
        """Return for each image the share of all changes at which the model recognizes it, or None."""
        found = [self.right(arm, change, severity) for change in self.changes]
        if any(right is None for right in found) or not found:
            return None
        shares: NDArray[np.float64] = np.mean([right for right in found if right is not None], axis=0)
        return shares

    def mean(self, arm: str, severity: int) -> Mean | None:
        """Return the accuracy averaged over all changes, with a t interval over the images; None if one is missing."""
        shares = self.shares(arm, severity)
        return None if shares is None else self._mean(shares, 0.0)

    def mean_lead(self, severity: int) -> Mean | None:
        """Return the frozen backbone minus the network from scratch, averaged over all changes; paired by image."""
        transfer, scratch = (self.shares(arm, severity) for arm in (ModelName.TRANSFER, ModelName.SCRATCH))
        return None if transfer is None or scratch is None else self._mean(transfer - scratch, -1.0)

    def mean_loss(self, arm: str, other: str) -> Mean | None:
        """Return how many points more `arm` loses than `other`, from unchanged to the strongest changes, by image."""
        losses = []
        for name in (arm, other):
            before, after = self.shares(name, 0), self.shares(name, _STRONGEST)
            if before is None or after is None:
                return None
            losses.append(before - after)
        return self._mean(losses[0] - losses[1], -2.0)

    def _mean(self, shares: NDArray[np.float64], low: float) -> Mean:
        return mean_of_shares(shares.tolist(), n_images=max(1, len(self.changes)), low=low)

    @property
    def held(self) -> bool | None:
        """Whether the prediction held; None if these numbers can't tell."""
        lead = self.mean_lead(_STRONGEST)
        return held(lead.ci95 if lead else None)

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """A table of texts, titles first: each change at its strongest, and each model's accuracy."""
        titles = (_("change"), *(heading_of(arm) for arm in self.arms), _("Transfer minus scratch (points)"))
        unchanged = (
            _("unchanged"),
            *(_share_text(self, arm, "", 0) for arm in self.arms),
            _lead_text(self.lead("", 0)),
        )
        lines = [
            (
                f"{change.label}, {change.level_text(severity)}",
                *(_share_text(self, arm, change.name, severity) for arm in self.arms),
                _lead_text(self.lead(change.name, severity)),
            )
            for change in self.measured
            for severity in SEVERITIES
            if self.accuracy(self.arms[0], change.name, severity)
        ]
        return titles, unchanged, *lines

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        means = [
            (arm, self.mean(arm, _STRONGEST)) for arm in sorted(self.arms, key=lambda arm: arm == ModelName.SCRATCH)
        ]
        parts = [(phrase_of(arm), percent(mean.mean)) for arm, mean in means if mean]
        if not parts:
            return _("Stopped before all of the strongest changes were measured.")
        (first, share), *others = parts
        more = "".join(f", {name} {other}" for name, other in others)
        return _(
            "Under the strongest changes, {first} still recognizes {share} of the pictures on average{more}.",
            first=first,
            share=share,
            more=more,
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain sentences."""
        findings = [_fall_sentence(self, arm) for arm in self.arms]
        findings += [_lead_sentence(self), _worst_sentence(self), *self.left_out]
        outcomes = [STRESS.judge(self.mean_lead(_STRONGEST))]
        if ModelName.FINE_TUNED in self.arms:
            outcomes.append(STRESS_TUNED.judge(self.mean_loss(ModelName.FINE_TUNED, ModelName.TRANSFER)))
        return all_sentences(self, findings, _("Stopped before all changes were measured."), *outcomes)


def _share_text(study: StressTest, arm: str, change: str, severity: int) -> str:
    found = study.accuracy(arm, change, severity)
    return accuracy_text(*found) if found else ""


def _lead_text(lead: PairedDifference | None) -> str:
    return "" if lead is None else f"{points(lead.difference, 0, signed=True)} ({points_range(*lead.ci95)})"


def _fall_sentence(study: StressTest, arm: str) -> str:
    before, after = study.mean(arm, 0), study.mean(arm, _STRONGEST)
    if before is None or after is None:
        return ""
    return _(
        "{opening} recognizes {before_mean} of the unchanged pictures, and {after_text} under the "
        "strongest changes, averaged over all of them.",
        opening=opening_of(arm),
        before_mean=percent(before.mean),
        after_text=after.text,
    )


def _lead_sentence(study: StressTest) -> str:
    lead = study.mean_lead(_STRONGEST)
    if lead is None or lead.ci95 is None:
        return ""
    low, high = lead.ci95
    if low <= 0 <= high:
        return _(
            "Which of the two holds out better is too close to call: transfer minus scratch may be "
            "anything from {low} to {high} points.",
            low=points(low),
            high=points(high),
        )
    ahead = _("the frozen backbone") if lead.mean > 0 else _("the network from scratch")
    ends = sorted((abs(low), abs(high)))
    return _(
        "There, {ahead} is ahead by {lead_mean} points (95% interval {ends}, paired by image).",
        ahead=ahead,
        lead_mean=points(abs(lead.mean)),
        ends=points_range(*ends),
    )


def _worst_sentence(study: StressTest) -> str:
    """Name the change that costs each model most."""
    parts = []
    for arm in study.arms:
        shares = {c.label: found[0] for c in study.measured if (found := study.accuracy(arm, c.name, _STRONGEST))}
        before = study.accuracy(arm, "", 0)
        if shares and before:
            worst = min(shares, key=lambda label: shares[label])
            parts.append(
                _(
                    "{phrase} “{worst}” ({before} to {share})",
                    phrase=phrase_of(arm),
                    worst=worst,
                    before=percent(before[0], 0),
                    share=percent(shares[worst], 0),
                )
            )
    return _("What costs most: {parts}.", parts="; ".join(parts)) if parts else ""
