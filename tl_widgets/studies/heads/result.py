"""The record of the "heads" study, its statistics and sentences. No TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.config import Config
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import accuracy_text, percent, points, points_range, seconds_text
from tl_widgets.core.translation import _, localized, pgettext
from tl_widgets.records.comparison import DatasetSummary, Environment, StudyFailure, StudyRecord
from tl_widgets.records.kinds import Answer, Count, Data, Duration, RightAnswers, Share
from tl_widgets.records.pixels import picture_of, require_pictures
from tl_widgets.records.statistics import (
    Interval,
    Mean,
    PairedDifference,
    mean_of_shares,
    pair_answers,
    wilson_interval,
)
from tl_widgets.studies.outcome import all_sentences
from tl_widgets.studies.prediction import HEADS, SEARCH

# The heads, in the order in which they are trained and shown.
HEAD_NAMES = {
    "dense": _("Dense layer"),
    "logistic": _("logistic regression"),
    "neighbors": _("nearest neighbors"),
    "mlp": _("small MLP"),
}
BASE = "logistic"  # what the others are compared with
N_NEIGHBORS = 5  # of an image search
_MARGIN = 0.05  # of accuracy, below which two heads are taken for equally good


@dataclass(frozen=True)
class HeadPoint:
    """One head, trained on the kept features of the training images and tested once.

    Attributes:
        head: a key of `HEAD_NAMES`.
        choice: what the validation images chose, such as "C = 1"; "" if there was nothing to choose.
        val_accuracy: accuracy on the validation images, 0..1.
        answers: which test images it gets right.
        seconds: for training with all the values that were tried, and for the test.
    """

    head: str
    choice: str
    val_accuracy: Answer
    answers: RightAnswers
    seconds: Duration

    @property
    def choice_text(self) -> str:
        """The choice, with its number as the language writes it."""
        return localized(self.choice)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which test images it gets right, bool (n_images,)."""
        return np.array(self.answers, bool)

    @property
    def accuracy(self) -> float:
        """The accuracy on the test images, 0..1."""
        return float(self.right.mean())

    @property
    def ci95(self) -> Interval:
        """Wilson's 95% interval of `accuracy`."""
        return wilson_interval(int(self.right.sum()), len(self.answers))


def search_name(arm: str, backbone: str) -> str:
    """Return a backbone's name, which says so if its weights are random."""
    return _("{backbone}, random weights", backbone=backbone) if arm == ModelName.CONTROL else backbone


@dataclass(frozen=True)
class SearchPoint:
    """The training images that are nearest to each test image by the features of one backbone.

    Attributes:
        arm: "transfer", "control" for random weights, or "" for another backbone with pretrained weights.
        backbone: the backbone's name.
        n_right: for each test image, how many of its nearest training images have its class.
        neighbors: for each image that is shown, the rows of its nearest training images, the nearest first.
    """

    arm: str
    backbone: str
    n_right: tuple[Count, ...]
    neighbors: tuple[tuple[Count, ...], ...]

    @property
    def name(self) -> str:
        """The backbone, and whether its weights are random."""
        return search_name(self.arm, self.backbone)


@dataclass(frozen=True)
class Picture:
    """An image of a gallery: its row among the test or training images, its label and its pixels, base64."""

    row: Count
    label: Count
    pixels: Data


@dataclass(frozen=True)
class HeadStudy(StudyRecord):
    """Several heads on the same kept features, and image search by these features.

    Attributes:
        dataset: the images.
        config: the settings of the backbone and of our own head.
        n_features: features of each image.
        chance: accuracy of always answering with the most frequent class of the test images, 0..1.
        n_neighbors: how many nearest training images the search looks at.
        side: height and width of the pictures in pixels.
        queries: the test images that are shown, the first of each class.
        pictures: the training images that are shown beside them.
        heads: one point for each head that was tested.
        searches: one point for each backbone.
        failures: points that could not be measured.
        stopped: whether the study was stopped before all points were measured.
        environment: the machine and the versions.
    """

    dataset: DatasetSummary
    config: Config
    n_features: Count
    chance: Share
    n_neighbors: Count
    side: Count
    queries: tuple[Picture, ...]
    pictures: tuple[Picture, ...]
    heads: tuple[HeadPoint, ...]
    searches: tuple[SearchPoint, ...]
    failures: tuple[StudyFailure, ...]
    stopped: bool
    environment: Environment

    def __post_init__(self) -> None:
        n_test, n_classes = self.dataset.n_test, len(self.dataset.class_names)
        for head in self.heads:
            if head.head not in HEAD_NAMES or len(head.answers) != n_test:
                raise ValueError(f"{head.head!r:.40} is no head with one answer for each test image")
        rows = {picture.row for picture in self.pictures}
        for search in self.searches:
            if len(search.n_right) != n_test or max(search.n_right, default=0) > self.n_neighbors:
                raise ValueError("a search does not have a number of neighbors for each test image")
            if len(search.neighbors) != len(self.queries) or any(set(found) - rows for found in search.neighbors):
                raise ValueError("a search found images that the record does not have")
            if any(len(found) != self.n_neighbors for found in search.neighbors):
                raise ValueError(f"a search did not find {self.n_neighbors} images")
        for picture in (*self.queries, *self.pictures):
            require_pictures(picture.pixels, self.side)
            if picture.label >= n_classes:
                raise ValueError("a picture has an unknown label")
        if (self.heads or self.searches) and not (n_test and self.n_neighbors):
            raise ValueError("it has points without test images or neighbors")

    def head(self, name: str) -> HeadPoint | None:
        """Return what was measured for a head, or None."""
        return next((head for head in self.heads if head.head == name), None)

    def pixels(self, picture: Picture) -> NDArray[np.uint8]:
        """Return a picture, uint8 (side, side, 3)."""
        return picture_of(picture.pixels, self.side)

    def difference(self, name: str) -> PairedDifference | None:
        """Return a head minus logistic regression on the same test images, or None."""
        head, base = self.head(name), self.head(BASE)
        return None if head is None or base is None else pair_answers(head.right, base.right)

    def share(self, search: SearchPoint) -> Mean:
        """Return the share of neighbors with the right class, with a t interval over the test images."""
        shares = [n / self.n_neighbors for n in search.n_right]
        return mean_of_shares(shares, n_images=self.n_neighbors)

    @property
    def search_lead(self) -> Mean | None:
        """The share of right neighbors by pretrained features minus that by random weights, paired by image."""
        found = {search.arm: np.array(search.n_right) for search in self.searches}
        if not {ModelName.TRANSFER, ModelName.CONTROL} <= found.keys():
            return None
        differences = (found[ModelName.TRANSFER] - found[ModelName.CONTROL]) / self.n_neighbors
        return mean_of_shares(differences.tolist(), n_images=self.n_neighbors, low=-1.0)

    @property
    def is_head_alike(self) -> bool | None:
        """Whether no head is clearly better than logistic regression by more than 5 points; None if unclear."""
        pairs = [pair for name in HEAD_NAMES if name != BASE and (pair := self.difference(name))]
        if any(pair.ci95[0] > _MARGIN for pair in pairs):
            return False
        return True if len(pairs) == len(HEAD_NAMES) - 1 and all(pair.ci95[1] < _MARGIN for pair in pairs) else None

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """A table of texts, titles first: the heads, then the searches."""
        titles = ("", _("chosen"), pgettext("share", "right"), _("seconds"), _("minus logistic regression (points)"))
        lines = []
        for head in self.heads:
            pair = self.difference(head.head) if head.head != BASE else None
            lead = f"{points(pair.difference, signed=True)} ({points_range(*pair.ci95)})" if pair else ""
            text = accuracy_text(head.accuracy, head.ci95)
            lines.append((HEAD_NAMES[head.head], head.choice_text, text, seconds_text(head.seconds), lead))
        for search in self.searches:
            lines.append(
                (
                    _("neighbors by {search_name}", search_name=search.name),
                    _("{n_neighbors} nearest", n_neighbors=self.n_neighbors),
                    self.share(search).text,
                    "",
                    "",
                )
            )
        return titles, *lines

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        if not self.heads:
            return next((_search_sentence(self, search) for search in self.searches), _("Nothing was measured."))
        shares = {head.head: head.accuracy for head in self.heads}
        best, worst = max(shares, key=lambda name: shares[name]), min(shares, key=lambda name: shares[name])
        if len(shares) == 1:
            return _(
                "So far, {head_name} recognizes {share} of the test images.",
                head_name=HEAD_NAMES[best],
                share=percent(shares[best]),
            )
        if shares[best] == shares[worst]:
            return _(
                "All heads on the same features recognize {share} of the test images.", share=percent(shares[best])
            )
        return _(
            "On the same features, the heads recognize {low} ({worst}) to {high} ({best}) of the test images.",
            low=percent(shares[worst]),
            worst=HEAD_NAMES[worst],
            high=percent(shares[best]),
            best=HEAD_NAMES[best],
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain sentences."""
        findings = [_heads_sentence(self), *(_difference_sentence(self, name) for name in HEAD_NAMES if name != BASE)]
        findings += [_search_sentence(self, search) for search in self.searches]
        heads = HEADS.outcome(self.is_head_alike, _best_sentence(self))
        search = SEARCH.judge(self.search_lead) if self.config.control else ""
        return all_sentences(self, findings, _("Stopped before everything was measured."), heads, search)


def _heads_sentence(study: HeadStudy) -> str:
    parts = [
        _(
            "{head} recognizes {share} in {seconds}",
            head=_("{head} with {choice}", head=HEAD_NAMES[head.head], choice=head.choice_text)
            if head.choice
            else HEAD_NAMES[head.head],
            share=accuracy_text(head.accuracy, head.ci95),
            seconds=seconds_text(head.seconds),
        )
        for head in study.heads
    ]
    if not parts:
        return ""
    tuned = {bool(head.choice) for head in study.heads}
    more = _(" The Dense layer learns as in compare; the others chose their settings on the validation images.")
    return _(
        "On the same {n_features:,} features of {backbone}, {parts}.{more}",
        n_features=study.n_features,
        backbone=study.config.backbone,
        parts=", ".join(parts),
        more=more if len(tuned) == 2 else "",
    )


def _difference_sentence(study: HeadStudy, name: str) -> str:
    pair, label = study.difference(name), HEAD_NAMES[name]
    if pair is None:
        return ""
    label = f"{label[0].upper()}{label[1:]}"
    low, high = pair.ci95
    if not pair.is_clear:
        return _(
            "{label} against {head_name} is too close to call: {low} to {high} points.",
            label=label,
            head_name=HEAD_NAMES[BASE],
            low=points(low),
            high=points(high),
        )
    order, ends = (_("ahead of") if pair.difference > 0 else _("behind")), sorted((abs(low), abs(high)))
    return _(
        "{label} is {pair_difference} points {order} {head_name} (95% interval {ends}, paired by image).",
        label=label,
        pair_difference=points(abs(pair.difference)),
        order=order,
        head_name=HEAD_NAMES[BASE],
        ends=points_range(*ends),
    )


def _best_sentence(study: HeadStudy) -> str:
    """Return the best of the other heads against logistic regression, as a clause."""
    pairs = {name: pair for name in HEAD_NAMES if name != BASE and (pair := study.difference(name))}
    if not pairs:
        return ""
    name = max(pairs, key=lambda name: pairs[name].difference)
    low_high = points_range(*pairs[name].ci95)
    return _(
        "{head_name} {difference} points (95% interval {low_high})",
        head_name=HEAD_NAMES[name],
        difference=points(pairs[name].difference, signed=True),
        low_high=low_high,
    )


def _search_sentence(study: HeadStudy, search: SearchPoint) -> str:
    return _(
        "Of the {n_neighbors} training images nearest to a test image by {search_name}, {text} have its class.",
        n_neighbors=study.n_neighbors,
        search_name=search.name,
        text=study.share(search).text,
    )
