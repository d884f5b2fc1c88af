"""The record of the "noise" study, its statistics and sentences. No TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.config import Config
from tl_widgets.core.model_name import ModelName, heading_of, opening_of, phrase_of
from tl_widgets.core.numbers import accuracy_text, percent, points, points_range
from tl_widgets.core.translation import _
from tl_widgets.records.comparison import DatasetSummary, Environment, StudyFailure, StudyRecord
from tl_widgets.records.kinds import Answer, Count, Data, Share
from tl_widgets.records.pixels import picture_of, require_pictures
from tl_widgets.records.statistics import Mean, mean_of_shares, wilson_interval
from tl_widgets.studies.outcome import ONE_SEED, all_sentences, arms_without
from tl_widgets.studies.prediction import NOISE, held

ARMS = (ModelName.SCRATCH, ModelName.TRANSFER)
MOST_SHOWN = 12


@dataclass(frozen=True)
class Suspect:
    """A training image whose label a model doubts.

    Attributes:
        row: its place among the training images.
        given: its label.
        proposed: the label that the model proposes.
        true: the label that the data set had before some were made wrong.
        probability: how sure the model is, 0..1.
        pixels: its pixels, base64.
    """

    row: Count
    given: Count
    proposed: Count
    true: Count
    probability: Answer
    pixels: Data


@dataclass(frozen=True)
class Search:
    """A search for wrong labels.

    Attributes:
        n_images: the training images.
        n_wrong: those whose label was made wrong.
        n_suspected: the labels that the search doubts.
        n_found: the doubted labels that were made wrong.
        n_mended: those of them for which the right label is proposed.
        shown: the most suspicious images.
    """

    n_images: Count
    n_wrong: Count
    n_suspected: Count
    n_found: Count
    n_mended: Count
    shown: tuple[Suspect, ...] = ()


@dataclass(frozen=True)
class NoisePoint:
    """One tested model that was trained with a share of wrong labels, in percent."""

    arm: str
    share: Count
    seed: Count
    test_accuracy: Share
    search: Search | None = None


@dataclass(frozen=True)
class LabelNoise(StudyRecord):
    """Test accuracy against the share of wrong training labels, and how many of them a model finds.

    Attributes:
        dataset: the images, with their right labels.
        config: the other settings; each point has its own seed.
        shares: percentages of wrong labels, ascending.
        seeds: the seeds, the same for each share.
        chance: accuracy of always answering with the most frequent class of the test images, 0..1.
        points: one point for each model that was tested.
        failures: points that could not be measured.
        stopped: whether the study was stopped before all points were measured.
        environment: the machine and the versions.
    """

    dataset: DatasetSummary
    config: Config
    shares: tuple[Count, ...]
    seeds: tuple[Count, ...]
    chance: Share
    points: tuple[NoisePoint, ...]
    failures: tuple[StudyFailure, ...]
    stopped: bool
    environment: Environment

    def __post_init__(self) -> None:
        n_classes = len(self.dataset.class_names)
        for point in self.points:
            if point.arm not in ARMS or point.share not in self.shares:
                raise ValueError(f"{point.arm!r:.40} with {point.share}% is no point of this study")
            search = point.search
            if search is None:
                continue
            if not search.n_mended <= search.n_found <= min(search.n_wrong, search.n_suspected) <= search.n_images:
                raise ValueError("a search found more labels than there are")
            for suspect in search.shown:
                if max(suspect.given, suspect.proposed, suspect.true) >= n_classes:
                    raise ValueError(f"a suspect has a label that none of the {n_classes} classes has")
                require_pictures(suspect.pixels, self.dataset.image_size)

    def accuracies(self, arm: str, share: int) -> dict[int, float]:
        """Return the test accuracy by seed of one model with a share of wrong labels."""
        return {p.seed: p.test_accuracy for p in self.points if p.arm == arm and p.share == share}

    def mean(self, arm: str, share: int) -> Mean | None:
        """Return the mean over the seeds with its t interval, or None."""
        values = tuple(self.accuracies(arm, share).values())
        return mean_of_shares(values, n_images=self.dataset.n_test) if values else None

    def _losses(self, arm: str) -> dict[int, float]:
        """Return by seed how much a model loses from the smallest share of wrong labels to the largest."""
        first, last = self.accuracies(arm, self.shares[0]), self.accuracies(arm, self.shares[-1])
        return {seed: first[seed] - last[seed] for seed in first if seed in last}

    def loss(self, arm: str) -> Mean | None:
        """Return the mean loss from the smallest share of wrong labels to the largest, or None."""
        losses = tuple(self._losses(arm).values())
        return mean_of_shares(losses, n_images=self.dataset.n_test, low=-1.0) if losses else None

    @property
    def more_lost(self) -> Mean | None:
        """How much more scratch loses than transfer, paired by seed; None without a pair."""
        scratch, transfer = self._losses(ModelName.SCRATCH), self._losses(ModelName.TRANSFER)
        pairs = [scratch[seed] - transfer[seed] for seed in scratch if seed in transfer]
        return mean_of_shares(pairs, n_images=self.dataset.n_test, low=-2.0) if pairs else None

    def search(self, share: int) -> Search | None:
        """Return the counts of the searches of all seeds together; the images shown are the first seed's."""
        found = [p.search for p in self.points if p.share == share and p.search is not None]
        if not found:
            return None
        return Search(
            sum(search.n_images for search in found),
            sum(search.n_wrong for search in found),
            sum(search.n_suspected for search in found),
            sum(search.n_found for search in found),
            sum(search.n_mended for search in found),
            found[0].shown,
        )

    @property
    def gallery_share(self) -> int | None:
        """The smallest share above 0 for which there are suspects to show; else any share with suspects, or None."""
        shares = [share for share in self.shares if (found := self.search(share)) and found.shown]
        return next((share for share in shares if share), shares[0] if shares else None)

    def picture(self, suspect: Suspect) -> NDArray[np.uint8]:
        """Return a suspect's image, uint8 (side, side, 3)."""
        return picture_of(suspect.pixels, self.dataset.image_size)

    @property
    def held(self) -> bool | None:
        """Whether the prediction held; None if these numbers can't tell."""
        more = self.more_lost if len(self.shares) > 1 else None
        return held(more.ci95 if more else None)

    @property
    def lost_arms(self) -> tuple[str, ...]:
        """The arms whose points all failed."""
        return arms_without(self.points, ARMS, stopped=self.stopped)

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """A table of texts, titles first, with a row for each share of wrong labels."""
        titles = (_("wrong labels"), *map(heading_of, ARMS), _("wrong labels found"), _("right among the suspected"))
        lines = []
        for share in self.shares:
            means, search = [self.mean(arm, share) for arm in ARMS], self.search(share)
            found = _share(search.n_found, search.n_wrong) if search else ""
            precise = _share(search.n_found, search.n_suspected) if search else ""
            lines.append((percent(share / 100, 0), *(mean.text if mean else "" for mean in means), found, precise))
        return titles, *lines

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        losses = [(arm, self.loss(arm)) for arm in ARMS]
        if self.stopped or len(self.shares) < 2 or any(loss is None for _, loss in losses):
            return next(iter(self.sentences), _("Nothing was measured."))
        scratch, transfer = (f"{phrase_of(arm)} {points(loss.mean)}" for arm, loss in losses if loss)
        return _(
            "What {share}% wrong labels cost, in points of accuracy: {scratch}, {transfer}.",
            share=self.shares[-1],
            scratch=scratch,
            transfer=transfer,
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain sentences."""
        findings = [_loss_sentence(self, arm) for arm in ARMS]
        findings += [_difference_sentence(self), *_search_sentences(self)]
        outcome = NOISE.judge(self.more_lost) if len(self.shares) > 1 else ""
        return all_sentences(self, findings, _("Stopped before all points were measured."), outcome)


def _share(n: int, n_all: int) -> str:
    return _("{n} of {n_all}", n=n, n_all=n_all) + (
        f", {accuracy_text(n / n_all, wilson_interval(n, n_all))}" if n_all else ""
    )


def _loss_sentence(study: LabelNoise, arm: str) -> str:
    means = [(share, mean) for share in study.shares if (mean := study.mean(arm, share))]
    if not means:
        return ""
    parts = [_("{mean_text} with {share}% wrong labels", mean_text=mean.text, share=share) for share, mean in means]
    return _("{opening} recognizes {parts}.", opening=opening_of(arm), parts=", ".join(parts))


def _difference_sentence(study: LabelNoise) -> str:
    more = study.more_lost
    if more is None or len(study.shares) < 2 or study.stopped:
        return ""
    if more.ci95 is None:
        return ONE_SEED
    low, high = more.ci95
    text = _("from {first}% to {last}% wrong labels", first=study.shares[0], last=study.shares[-1])
    if low <= 0 <= high:
        return _(
            "Which of the two loses more {text} is too close to call: scratch minus transfer may be "
            "anything from {low} to {high} points.",
            text=text,
            low=points(low),
            high=points(high),
        )
    arm = ARMS[0] if more.mean > 0 else ARMS[1]
    ends = sorted((abs(low), abs(high)))
    return _(
        "{opening} loses {more_mean} points more {text} (95% interval {ends}, paired by seed).",
        opening=opening_of(arm),
        more_mean=points(abs(more.mean)),
        text=text,
        ends=points_range(*ends),
    )


def _search_sentences(study: LabelNoise) -> list[str]:
    sentences = []
    for share in study.shares:
        search = study.search(share)
        if search is None:
            continue
        if not share:
            sentences.append(
                _(
                    "Before any label was made wrong, the search already doubts {n_suspected} of "
                    "{n_images} labels: hard pictures, or mistakes that were there.",
                    n_suspected=search.n_suspected,
                    n_images=search.n_images,
                )
            )
            continue
        precise = percent(search.n_found / search.n_suspected, 0) if search.n_suspected else _("none")
        sentences.append(
            _(
                "Of the wrong labels, {found} are found at {share}%, and {n_mended} times the right "
                "label is proposed. Of the labels that it doubts, {precise} are wrong; picked at random, "
                "{share}% would be.",
                found=_share(search.n_found, search.n_wrong),
                share=share,
                n_mended=search.n_mended,
                precise=precise,
            )
        )
    return sentences
