"""What the study of backbones found: frozen records and their statistics. No TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tl_widgets.core.config import Config
from tl_widgets.records.codec import study_from_json, study_to_json
from tl_widgets.records.comparison import DatasetSummary, Environment, Interval
from tl_widgets.records.curves import StudyFailure
from tl_widgets.records.intervals import wilson_interval
from tl_widgets.records.ranks import RankCorrelation, rank_correlation
from tl_widgets.records.seeds import Mean, mean_of_shares
from tl_widgets.records.verdict import PairedDifference, pair_answers

FEWEST_RANKED = 5  # backbones that a rank correlation takes: with four even a perfect one may be chance (p = 0.08)


@dataclass(frozen=True)
class BackboneCost:
    """What running a frozen backbone costs; its weights do not matter for that.

    Attributes:
        name: of the backbone.
        image_size: side of the images in pixels.
        n_params: numbers that it holds, without its top.
        feature_width: numbers that it answers to an image.
        ms_per_image: measured milliseconds per image in batches of 32, warm.
        memory_estimate: bytes that the catalogue reckons the backbone takes beside TensorFlow; not measured.
        memory_peak: measured bytes that the whole process held at most while it ran, TensorFlow and all that was
            loaded before included; None where the system does not say.
        alone: nothing else of the same study ran beside it, so that milliseconds can be compared.
    """

    name: str
    image_size: int
    n_params: int
    feature_width: int
    ms_per_image: float
    memory_estimate: int
    memory_peak: int | None
    alone: bool = True


@dataclass(frozen=True)
class WantedBackbone:
    """A backbone of a study.

    Attributes:
        name: in the catalogue.
        weights: "imagenet", or the path of a weights file.
    """

    name: str
    weights: str = "imagenet"


@dataclass(frozen=True)
class BackbonePoint:
    """One frozen backbone whose head was trained, with each seed, and tested.

    Attributes:
        name: of the backbone.
        weights: "imagenet", the name of a file, or "random".
        weights_sha256: of the file that they came from; "" for random ones.
        top1_pct: published accuracy on ImageNet in percent; None where nobody states it, and for random weights.
        val_accuracy: on the validation images, for each seed.
        answers: for each seed a text with one letter for each test image, "1" where the answer was right, else "0".
        n_trainable: numbers in the head.
        cost: what running it takes.
    """

    name: str
    weights: str
    weights_sha256: str
    top1_pct: float | None
    val_accuracy: tuple[float, ...]
    answers: tuple[str, ...]
    n_trainable: int
    cost: BackboneCost

    @property
    def test_accuracies(self) -> tuple[float, ...]:
        """Share of right answers to the test images, for each seed."""
        return tuple(each.count("1") / len(each) for each in self.answers)

    @property
    def test_accuracy(self) -> float:
        """Its mean over the seeds."""
        return self.over_seeds.mean

    @property
    def test_accuracy_ci95(self) -> Interval:
        """Wilson's 95% interval of the mean: how far other test images might have led elsewhere."""
        n = len(self.answers[0])
        return wilson_interval(self.test_accuracy * n, n)

    @property
    def over_seeds(self) -> Mean:
        """The mean over seeds with its t interval: how far other seeds might have led elsewhere."""
        return mean_of_shares(self.test_accuracies, n_images=len(self.answers[0]))

    @property
    def mean_val_accuracy(self) -> float:
        """Mean over the seeds of the accuracy on the validation images."""
        return sum(self.val_accuracy) / len(self.val_accuracy)


@dataclass(frozen=True)
class BackboneStudy:
    """Several frozen backbones on the same images, each with a new head.

    Attributes:
        dataset: which images.
        config: all else that decides; its backbone, weights and seed are replaced for each point.
        seeds: of the head's first weights and of the images' order.
        wanted: the backbones that were asked for.
        chance: accuracy of the answer that is always the most frequent class of the test images.
        points: of those that were measured.
        control: a backbone with random weights, the floor; None where it was not asked for, or not reached.
        failures: backbones that could not be measured.
        stopped: somebody pressed Stop before all were done.
        environment: what it ran on.
    """

    dataset: DatasetSummary
    config: Config
    seeds: tuple[int, ...]
    wanted: tuple[WantedBackbone, ...]
    chance: float
    points: tuple[BackbonePoint, ...]
    control: BackbonePoint | None
    failures: tuple[StudyFailure, ...]
    stopped: bool
    environment: Environment

    @property
    def chosen(self) -> BackbonePoint | None:
        """The most accurate on the validation images, of equals the fastest; None without a point.

        Not by the test images: whoever chooses by them has no honest number left for what was chosen.
        """
        best_first = sorted(self.points, key=lambda point: (-point.mean_val_accuracy, point.cost.ms_per_image))
        return best_first[0] if best_first else None

    @property
    def front(self) -> tuple[BackbonePoint, ...]:
        """The Pareto front, fastest first: no other backbone is as fast and as accurate, and better in one of both.

        Of the measured means: where intervals overlap, other images might draw it otherwise.
        """
        found: list[BackbonePoint] = []
        for point in sorted(self.points, key=lambda each: (each.cost.ms_per_image, -each.test_accuracy)):
            if not found or point.test_accuracy > found[-1].test_accuracy:
                found.append(point)
        return tuple(found)

    @property
    def imagenet_correlation(self) -> RankCorrelation | None:
        """Whether better ImageNet models transfer better here; None with fewer than 5 backbones, or all equal."""
        known = [(point.top1_pct, point.test_accuracy) for point in self.points if point.top1_pct is not None]
        if len(known) < FEWEST_RANKED:
            return None
        return rank_correlation([top1 for top1, _ in known], [measured for _, measured in known])

    def difference(self, first: BackbonePoint, second: BackbonePoint) -> PairedDifference:
        """Two backbones on the same test images, with the first seed."""
        right1, right2 = (np.array([each == "1" for each in point.answers[0]]) for point in (first, second))
        return pair_answers(right1, right2)

    @property
    def lines(self) -> tuple[str, ...]:
        """A line of figures for each backbone, the control last."""
        from tl_widgets.records.backbone_sentences import backbone_lines

        return backbone_lines(self)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, in plain words."""
        from tl_widgets.records.backbone_sentences import backbone_sentences

        return backbone_sentences(self)

    def to_json(self) -> str:
        """The record as JSON text; `BackboneStudy.from_json` reads it back."""
        return study_to_json(self)

    @staticmethod
    def from_json(text: str) -> BackboneStudy:
        """Read what `to_json` wrote.

        Raises:
            InputError: it is not such a record.
        """
        return study_from_json(BackboneStudy, text)
