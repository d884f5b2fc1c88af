"""The points of the "backbones" study: what one backbone costs and reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tl_widgets.records.kinds import MAX_NUMBER, Answer, Count, FileName, Positive, Range, RightAnswers
from tl_widgets.records.statistics import Interval, Mean, mean_of_shares, wilson_interval


@dataclass(frozen=True)
class BackboneCost:
    """The cost of running a frozen backbone, which does not depend on its weights.

    Attributes:
        name: name of the backbone in the catalogue.
        image_size: side of the images in pixels.
        n_params: parameters without the top.
        feature_width: features per image.
        ms_per_image: measured milliseconds per image in batches of 16, after warming up; convolutions do the work of
            BatchNormalization.
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
