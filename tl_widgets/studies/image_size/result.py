"""The record of the "size" study, its statistics and sentences. No TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.config import Config
from tl_widgets.core.model_name import ModelName, heading_of, phrase_of
from tl_widgets.core.numbers import count_text, points
from tl_widgets.core.text import all_of, listed
from tl_widgets.core.translation import _
from tl_widgets.records.comparison import DatasetSummary, Environment, StudyFailure, StudyRecord
from tl_widgets.records.kinds import Count, Data, RightAnswers
from tl_widgets.records.pixels import picture_of, require_pictures
from tl_widgets.records.statistics import Mean, mean_of_shares
from tl_widgets.studies.outcome import all_sentences, arms_without
from tl_widgets.studies.prediction import DOMAIN, SIZE

ARMS = (ModelName.SCRATCH, ModelName.TRANSFER)
Vary = Literal["size", "domain"]
PHOTOGRAPHS, DIGITS = ("textures", "stamps"), "digits"
DOMAINS = (*PHOTOGRAPHS, "faces", DIGITS)


def own_name(name: str) -> str:
    """Return the name of a learner's own data set, which differs from those of the built-in ones."""
    return _("{name} (yours)", name=name) if name in DOMAINS else name


@dataclass(frozen=True)
class Condition:
    """One image size, or one kind of images.

    Attributes:
        dataset: the images.
        example: the pixels of one test image, base64.
        n_weights: weights of the network from scratch.
    """

    dataset: DatasetSummary
    example: Data
    n_weights: Count


@dataclass(frozen=True)
class SizePoint:
    """Which test images one model gets right; `condition` is its place among the conditions."""

    condition: Count
    arm: str
    seed: Count
    right: RightAnswers


@dataclass(frozen=True)
class SizeStudy(StudyRecord):
    """Both models with images of several sizes, or with several kinds of images of one size.

    Attributes:
        vary: what changes, "size" or "domain".
        config: the settings of the models; each point has its own seed.
        conditions: the sizes in ascending order, or the kinds of images.
        seeds: the seeds, the same for each condition.
        points: one for each model that was tested.
        left_out: a sentence for each condition that was left out.
        failures: points that could not be measured.
        stopped: whether the study was stopped before all points were measured.
        environment: the machine and the versions.
    """

    vary: Vary
    config: Config
    conditions: tuple[Condition, ...]
    seeds: tuple[Count, ...]
    points: tuple[SizePoint, ...]
    left_out: tuple[str, ...]
    failures: tuple[StudyFailure, ...]
    stopped: bool
    environment: Environment

    def __post_init__(self) -> None:
        for condition in self.conditions:
            require_pictures(condition.example, condition.dataset.image_size)
        for point in self.points:
            if point.condition >= len(self.conditions) or point.arm not in ARMS or point.seed not in self.seeds:
                raise ValueError("it has a point of an unknown condition, model or seed")
            if len(point.right) != self.conditions[point.condition].dataset.n_test or not point.right:
                raise ValueError("a model was not tested on all test images of its condition")
        if len({(point.condition, point.arm, point.seed) for point in self.points}) < len(self.points):
            raise ValueError("it has the same point twice")
        if self.vary == "size" and len({condition.dataset.n_test for condition in self.conditions}) > 1:
            raise ValueError("its sizes do not have the same test images")

    @property
    def datasets(self) -> tuple[DatasetSummary, ...]:
        """The data sets that the study used."""
        return tuple(condition.dataset for condition in self.conditions)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the conditions."""
        sets = self.datasets
        return tuple(
            _("{image_size} px", image_size=data.image_size) if self.vary == "size" else data.name for data in sets
        )

    def picture(self, condition: int) -> NDArray[np.uint8]:
        """Return an example of a condition, uint8 (side, side, 3)."""
        found = self.conditions[condition]
        return picture_of(found.example, found.dataset.image_size)

    def right(self, condition: int, arm: str) -> dict[int, NDArray[np.float64]]:
        """Return by seed which test images a model gets right, as 0.0 and 1.0."""
        mine = (point for point in self.points if (point.condition, point.arm) == (condition, arm))
        return {point.seed: np.array(point.right, float) for point in mine}

    def accuracy(self, condition: int, arm: str) -> Mean | None:
        """Return the mean accuracy over the seeds with a t interval over the images, or None."""
        return _over_images(list(self.right(condition, arm).values()), low=0.0)

    def lead(self, condition: int) -> Mean | None:
        """Return the frozen backbone minus the network from scratch, paired by seed and image, or None."""
        return _over_images(self._pairs(condition), low=-1.0)

    def _pairs(self, condition: int) -> list[NDArray[np.float64]]:
        transfer, scratch = self.right(condition, ModelName.TRANSFER), self.right(condition, ModelName.SCRATCH)
        return [transfer[seed] - scratch[seed] for seed in transfer if seed in scratch]

    @property
    def growth(self) -> Mean | None:
        """The lead at the last size minus that at the first, paired by image; None without both, or for domains."""
        if self.vary != "size" or len(self.conditions) < 2:
            return None
        first, last = self._pairs(0), self._pairs(len(self.conditions) - 1)
        return _over_images([np.mean(last, axis=0) - np.mean(first, axis=0)], low=-2.0) if first and last else None

    @property
    def photographs_minus_digits(self) -> Mean | None:
        """The mean lead on photographs minus that on digits; None without both, or for sizes.

        Source: G. Y. Zou, A. Donner, Statistics in Medicine 27 (2008), 1693-1702: independent intervals, joined.
        """
        if self.vary != "domain":
            return None
        photographs = [lead for i, name in enumerate(self.names) if name in PHOTOGRAPHS and (lead := self.lead(i))]
        digits = self.lead(self.names.index(DIGITS)) if DIGITS in self.names else None
        if not photographs or digits is None:
            return None
        parts = [(lead, 1 / len(photographs)) for lead in photographs]
        mean = sum(lead.mean * share for lead, share in parts) - digits.mean
        below = hypot(_reach(digits, 1), *(share * _reach(lead, 0) for lead, share in parts))
        above = hypot(_reach(digits, 0), *(share * _reach(lead, 1) for lead, share in parts))
        return Mean(mean, (mean - below, mean + above), len(photographs) + 1)

    @property
    def lost_arms(self) -> tuple[str, ...]:
        """The models whose points all failed."""
        return arms_without(self.points, ARMS, stopped=self.stopped)

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """A table of texts, titles first, with a row for each condition."""
        what = _("image size") if self.vary == "size" else _("images")
        titles = (what, *map(heading_of, ARMS), _("Transfer minus scratch (points)"), _("weights from scratch"))
        return titles, *(
            (
                name,
                *(mean.text if (mean := self.accuracy(i, arm)) else "" for arm in ARMS),
                lead.difference_text if (lead := self.lead(i)) else "",
                count_text(self.conditions[i].n_weights),
            )
            for i, name in enumerate(self.names)
        )

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        leads = [(name, lead) for i, name in enumerate(self.names) if (lead := self.lead(i))]
        if not leads:
            return _("Stopped before both models were measured.") if self.stopped else _("Nothing could be compared.")
        parts = listed(f"{name} {points(lead.mean, signed=True)}" for name, lead in leads)
        return _("Transfer minus scratch, in points: {parts}.", parts=parts)

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain sentences."""
        findings = [_lead_sentence(self, i) for i in range(len(self.conditions))]
        findings += [_difference_sentence(self), _fairness_sentence(self), *self.left_out]
        outcome = SIZE.judge(self.growth) if self.vary == "size" else DOMAIN.judge(self.photographs_minus_digits)
        return all_sentences(self, findings, _("Stopped before all points were measured."), outcome)


def _over_images(by_seed: list[NDArray[np.float64]], *, low: float) -> Mean | None:
    """Return the mean of values by seed and image, with a t interval over the images: the seeds are averaged first."""
    if not by_seed:
        return None
    return mean_of_shares(np.mean(by_seed, axis=0).tolist(), n_images=len(by_seed), low=low)


def _reach(mean: Mean, end: int) -> float:
    return abs(mean.ci95[end] - mean.mean) if mean.ci95 else 1.0


def _lead_sentence(study: SizeStudy, condition: int) -> str:
    lead = study.lead(condition)
    scratch, transfer = (study.accuracy(condition, arm) for arm in ARMS)
    if lead is None or scratch is None or transfer is None:
        return ""
    values = {
        "name": study.names[condition],
        "scratch": phrase_of(ARMS[0]),
        "scratch_share": scratch.text,
        "transfer": phrase_of(ARMS[1]),
        "transfer_share": transfer.text,
        "difference": lead.difference_text,
    }
    if study.vary == "size":
        return _(
            "At {name}, {scratch} recognizes {scratch_share} of the test images and {transfer} {transfer_share}: "
            "{difference} points.",
            **values,
        )
    return _(
        "On {name}, {scratch} recognizes {scratch_share} of the test images and {transfer} {transfer_share}: "
        "{difference} points.",
        **values,
    )


def _difference_sentence(study: SizeStudy) -> str:
    if study.stopped:
        return ""
    if study.vary == "size":
        growth = study.growth
        if growth is None:
            return ""
        ends = _("From {first} to {last}", first=study.names[0], last=study.names[-1])
        return _(
            "{ends} the lead changes by {difference_text} points, paired by image.",
            ends=ends,
            difference_text=growth.difference_text,
        )
    difference = study.photographs_minus_digits
    if difference is None:
        return ""
    used = all_of(name for name in PHOTOGRAPHS if name in study.names)
    return _(
        "The lead on photographs ({used}) minus that on digits is {difference_text} points.",
        used=used,
        difference_text=difference.difference_text,
    )


def _fairness_sentence(study: SizeStudy) -> str:
    """Say what was equal, and what else differs."""
    if not study.conditions:
        return ""
    sets, weights = study.datasets, [condition.n_weights for condition in study.conditions]
    n_classes = len(sets[0].class_names)
    equal = _("{n_classes} classes, {n_train} training images", n_classes=n_classes, n_train=sets[0].n_train)
    luck = "" if len(study.seeds) > 1 else _(" With one seed, the intervals show the luck of the images alone.")
    if study.vary == "size":
        return (
            _(
                "Equal everywhere: the pictures ({equal}), epochs and seeds. What else differs: the "
                "network from scratch has {n_first} weights at {first} and {n_last} at {last}, and a "
                "pass costs more.",
                equal=equal,
                n_first=count_text(weights[0]),
                first=study.names[0],
                n_last=count_text(weights[-1]),
                last=study.names[-1],
            )
            + luck
        )
    tests = ", ".join(f"{data.name} {data.n_test}" for data in sets)
    return (
        _(
            "Equal everywhere: {image_size} px, {equal}, epochs, seeds and networks. What else differs: "
            "what the classes are (the first {n_classes} of each data set), and the number of test "
            "images ({tests}).",
            image_size=sets[0].image_size,
            equal=equal,
            n_classes=n_classes,
            tests=tests,
        )
        + luck
    )
