"""The record of the "cures" study, its statistics and sentences. No TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean

from tl_widgets.core.config import Config
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import percent, points, short_count
from tl_widgets.core.translation import _
from tl_widgets.records.comparison import DatasetSummary, Environment, StudyFailure, StudyRecord
from tl_widgets.records.kinds import Count, Share
from tl_widgets.records.statistics import Mean, mean_of_shares
from tl_widgets.studies.outcome import ONE_SEED, all_sentences
from tl_widgets.studies.prediction import CURES, CURES_AUGMENTED, held

NOTHING, MORE, AUGMENTED, DROPOUT = "nothing", "more images", "augmentation", "dropout"
FEWER, EARLY, TRANSFER = "fewer parameters", "early stopping", "transfer"
LABELS = {
    NOTHING: _("nothing"),
    MORE: _("more images"),
    AUGMENTED: _("augmentation"),
    DROPOUT: _("dropout"),
    FEWER: _("fewer parameters"),
    EARLY: _("early stopping"),
    TRANSFER: _("transfer"),
}
N_COPIES, DROPOUT_RATE = 3, 0.5
ALL = (NOTHING, MORE, AUGMENTED, DROPOUT, FEWER, EARLY, TRANSFER)  # in the order of figures


def model_of(cure: str) -> ModelName:
    """Return the kind of model that a cure trains."""
    return ModelName.TRANSFER if cure == TRANSFER else ModelName.SCRATCH


@dataclass(frozen=True)
class CurePoint:
    """One trained model.

    Attributes:
        cure: one of `ALL`.
        seed: determines its images, initial weights and order of the images.
        n_images: its training images, without changed copies.
        n_params: its trainable parameters.
        epochs: passes over the training images.
        train_accuracy: the share of its training images that it gets right in the end.
        test_accuracy: the share of the test images.
    """

    cure: str
    seed: Count
    n_images: Count
    n_params: Count
    epochs: Count
    train_accuracy: Share
    test_accuracy: Share


@dataclass(frozen=True)
class OverfittingCures(StudyRecord):
    """Training and test accuracy of a network that overfits, and with one cure at a time.

    Attributes:
        dataset: the images.
        config: the settings without a cure; each point has its own seed.
        few: training images per class of all models but the one with more images.
        seeds: the seeds, the same for each cure.
        chance: accuracy of always answering with the most frequent class of the test images, 0..1.
        points: one for each trained model.
        failures: points that could not be measured.
        stopped: whether the study was stopped before all points were measured.
        environment: the machine and the versions.
    """

    dataset: DatasetSummary
    config: Config
    few: Count
    seeds: tuple[Count, ...]
    chance: Share
    points: tuple[CurePoint, ...]
    failures: tuple[StudyFailure, ...]
    stopped: bool
    environment: Environment

    def __post_init__(self) -> None:
        places = {(point.cure, point.seed) for point in self.points}
        if len(places) < len(self.points) or any(cure not in ALL or seed not in self.seeds for cure, seed in places):
            raise ValueError("its points are not one for each cure and seed of this study")
        if any(not point.n_images or not point.n_params for point in self.points):
            raise ValueError("a point has no images or no parameters")

    def of(self, cure: str) -> tuple[CurePoint, ...]:
        """Return the points of a cure."""
        return tuple(point for point in self.points if point.cure == cure)

    @property
    def measured(self) -> tuple[str, ...]:
        """The cures with at least one point, "nothing" among them."""
        return tuple(cure for cure in ALL if self.of(cure))

    def mean(self, cure: str, *, training: bool = False) -> Mean | None:
        """Return the mean accuracy on the test or training images with its t interval over the seeds, or None."""
        found = self.of(cure)
        values = [point.train_accuracy if training else point.test_accuracy for point in found]
        n = min(point.n_images for point in found) if training and found else self.dataset.n_test
        return mean_of_shares(values, n_images=n) if values else None

    def difference(self, cure: str, other: str = NOTHING) -> Mean | None:
        """Return how much more test accuracy a cure gives than another, paired by seed; None without a pair."""
        before = {point.seed: point.test_accuracy for point in self.of(other)}
        pairs = [point.test_accuracy - before[point.seed] for point in self.of(cure) if point.seed in before]
        return mean_of_shares(pairs, n_images=self.dataset.n_test, low=-1.0) if pairs else None

    @property
    def ranking(self) -> tuple[str, ...]:
        """The cures that can be compared with "nothing", the one that helps most first."""
        gains = {cure: gain.mean for cure in self.measured if cure != NOTHING and (gain := self.difference(cure))}
        return tuple(sorted(gains, key=lambda cure: -gains[cure]))

    @property
    def lead(self) -> Mean | None:
        """How much more test accuracy transfer gives than its strongest rival, paired by seed; None without a pair.

        Transfer must lead each cure, so the rival is one that is clearly ahead, or else the one against which the
        interval reaches lowest. The one with the best mean may only have been lucky on these test images.
        """
        leads = [lead for cure in self.ranking if cure != TRANSFER and (lead := self.difference(TRANSFER, cure))]
        return min(leads, key=lambda lead: (held(lead.ci95) is not False, (lead.ci95 or (lead.mean,))[0]), default=None)

    def change(self, cure: str) -> str:
        """Return in words what a cure changes."""
        found, before = self.of(cure), self.of(NOTHING)
        n_params = [short_count(group[0].n_params) if group else "?" for group in (found, before)]
        epochs = fmean(point.epochs for point in found) if found else 0.0
        texts = {
            NOTHING: _("{few} images per class, {n_param} parameters", few=self.few, n_param=n_params[0]),
            MORE: _("{n_images} images", n_images=found[0].n_images) if found else "",
            AUGMENTED: _("{n_copies} changed copies of each image", n_copies=N_COPIES),
            DROPOUT: _(
                "{dropout_rate} of the numbers before the last layer are left out",
                dropout_rate=percent(DROPOUT_RATE, 0),
            ),
            FEWER: _("{n} parameters in place of {before}", n=n_params[0], before=n_params[1]),
            EARLY: _("{epochs:.0f} epochs in place of {before}", epochs=epochs, before=self.config.epochs),
            TRANSFER: _(
                "a frozen {backbone}, {n_param} parameters", backbone=self.config.backbone, n_param=n_params[0]
            ),
        }
        return texts[cure]

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """A table of texts, titles first: each cure, what it changes, its accuracies and what it gains."""
        lines = []
        for cure in self.measured:
            training, test, gain = self.mean(cure, training=True), self.mean(cure), self.difference(cure)
            texts = [mean.text if mean else "" for mean in (training, test)]
            lines.append(
                (LABELS[cure], self.change(cure), *texts, gain.difference_text if gain and cure != NOTHING else "")
            )
        return (_("cure"), _("what changes"), _("training images"), _("test images"), _("gain (points)")), *lines

    @property
    def headline(self) -> str:
        """The answer in one sentence."""
        if not self.ranking or self.stopped:
            return next(iter(self.sentences), _("Nothing was measured."))
        ends = dict.fromkeys((self.ranking[0], self.ranking[-1]))
        gains = [
            _("{cure} ({gain} points)", cure=LABELS[cure], gain=points(gain.mean, signed=True))
            for cure in ends
            if (gain := self.difference(cure))
        ]
        best = f"{gains[0][0].upper()}{gains[0][1:]}"
        if len(gains) == 1:
            return _("{best} helps most.", best=best)
        return _("{best} helps most, {worst} least.", best=best, worst=gains[1])

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain sentences."""
        findings = [_base_sentence(self), *(_gain_sentence(self, cure) for cure in self.ranking)]
        if len(self.seeds) == 1:
            findings.append(ONE_SEED)
        augmented = CURES_AUGMENTED.judge(self.difference(AUGMENTED, DROPOUT))
        stopped = _("Stopped before all points were measured.")
        return all_sentences(self, findings, stopped, augmented, CURES.judge(self.lead))


def _base_sentence(study: OverfittingCures) -> str:
    training, test = study.mean(NOTHING, training=True), study.mean(NOTHING)
    if training is None or test is None:
        return ""
    return _(
        "Without a cure, the network gets {training_text} of its training images right, but "
        "{test_text} of the test images.",
        training_text=training.text,
        test_text=test.text,
    )


def _gain_sentence(study: OverfittingCures, cure: str) -> str:
    gain, training, test = study.difference(cure), study.mean(cure, training=True), study.mean(cure)
    assert gain is not None
    assert training is not None
    assert test is not None
    unclear = gain.ci95 is not None and gain.ci95[0] <= 0 <= gain.ci95[1]
    label = LABELS[cure]
    values = {
        "cure": f"{label[0].upper()}{label[1:]}",
        "change": study.change(cure),
        "test": test.text,
        "training": percent(training.mean),
        "gain": gain.difference_text,
    }
    if unclear:
        return _(
            "{cure} ({change}): {test} of the test images and {training} of the training images, "
            "{gain} points on the test; that may be luck.",
            **values,
        )
    return _(
        "{cure} ({change}): {test} of the test images and {training} of the training images, "
        "{gain} points on the test.",
        **values,
    )
