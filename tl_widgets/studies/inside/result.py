"""What a look inside the models of a comparison found: frozen records. A leaf; NumPy, no TensorFlow."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.config import Config
from tl_widgets.core.model_name import ModelName, phrase_of
from tl_widgets.core.numbers import percent, points, points_range
from tl_widgets.records.comparison import DatasetSummary, Environment
from tl_widgets.records.statistics import PairedDifference, but_not_clear, mcnemar_p_value, paired_difference_interval
from tl_widgets.records.study import StudyFailure, StudyRecord

Array = NDArray[np.float32]
BEFORE, AFTER = "before", "after"
MOST_IMAGES = 12  # with heat maps: more do not fit beside each other


@dataclass(frozen=True)
class Numbers:
    """An array in a record.

    Attributes:
        shape: of the array.
        values: all of it, the last axis fastest.
    """

    shape: tuple[int, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if min(self.shape, default=0) < 1 or prod(self.shape) != len(self.values):
            raise ValueError(f"an array of shape {self.shape} has not {len(self.values)} values")

    @staticmethod
    def of(array: Any, digits: int = 5) -> Numbers:
        """Keep an array, rounded to a number of significant digits."""
        values = np.asarray(array, np.float64)
        return Numbers(values.shape, tuple(float(f"{value:.{digits}g}") for value in values.ravel()))

    @property
    def array(self) -> Array:
        """float32, of that shape."""
        return np.array(self.values, np.float32).reshape(self.shape)


def enlarge(values: Array, height: int, width: int) -> Array:
    """A map at another size, by bilinear interpolation between the middles of its places.

    Args:
        values: float32 (rows, columns).
        height: of the result.
        width: of the result.

    Returns:
        float32 (height, width); the same as `tf.image.resize`.
    """
    down, across = _shares(values.shape[0], height), _shares(values.shape[1], width)
    enlarged: Array = (down @ values.astype(np.float64) @ across.T).astype(np.float32)
    return enlarged


def _shares(n_from: int, n_to: int) -> NDArray[np.float64]:
    """(n_to, n_from): how much each of `n_from` values counts at each of `n_to` places."""
    at = np.clip((np.arange(n_to) + 0.5) * n_from / n_to - 0.5, 0, n_from - 1)
    lower = np.floor(at).astype(int)
    upper = np.minimum(lower + 1, n_from - 1)
    shares, rows = np.zeros((n_to, n_from)), np.arange(n_to)
    np.add.at(shares, (rows, lower), 1 - (at - lower))
    np.add.at(shares, (rows, upper), at - lower)
    return shares


@dataclass(frozen=True)
class HeatMap:
    """Where one model looked in one image: Grad-CAM for the class that it answered.

    Attributes:
        row: of the image in the test split.
        answer: the model's most probable class, which the map is for.
        probability: that it gave this class, 0..1.
        places: 0..1 (rows, columns) as fine as the layer's own maps are; 1 is the place that speaks most for the
            answer, 0 one that does not.
        flat: why the map tells no place from another, a clause; "" for a map that does.
    """

    row: int
    answer: int
    probability: float
    places: Numbers
    flat: str = ""

    def at(self, height: int, width: int) -> Array:
        """The map at the size of an image, float32 (height, width)."""
        return enlarge(self.places.array, height, width)


@dataclass(frozen=True)
class ModelMaps:
    """The heat maps of one model.

    Attributes:
        name: a `ModelName`.
        maps: one for each image that was looked at.
    """

    name: str
    maps: tuple[HeatMap, ...]


@dataclass(frozen=True)
class FirstFilters:
    """The filters of a model's first convolution.

    Attributes:
        name: "scratch" or "transfer".
        stage: "before" training (for a backbone: its random weights) or "after".
        filters: (n, height, width, channels); three channels are red, green and blue.
    """

    name: str
    stage: str
    filters: Numbers


@dataclass(frozen=True)
class FeatureLayout:
    """The test images laid out by what a model's last layer gets to see of them.

    Attributes:
        name: "scratch", "transfer" or "fine_tuned".
        stage: "before" or "after" training; before it a network from scratch has its first weights, a backbone
            random ones, and a fine-tuned model those of the frozen stage.
        n_features: numbers for each image.
        positions: (n, 2), the first two principal components.
        explained: shares of the features' variance along them, 0..1.
        nearest: class of each image's nearest neighbour among the others, by the distance of all features.
    """

    name: str
    stage: str
    n_features: int
    positions: Numbers
    explained: tuple[float, float]
    nearest: tuple[int, ...]


@dataclass(frozen=True)
class LookInside(StudyRecord):
    """What goes on inside the models of a comparison.

    Attributes:
        dataset: which images.
        config: of the comparison.
        shown: rows of the test images whose heat maps were made.
        classes: their true classes.
        pixels: those images, uint8 (image_size, image_size, 3), each as base64.
        maps: for each model.
        filters: before and after training, of the network from scratch and of the backbone.
        laid_out: rows of the test images that `layouts` are of.
        labels: their true classes.
        layouts: before and after training, for each model.
        failures: parts that could not be had.
        stopped: somebody pressed Stop before all was done.
        environment: what it ran on.
    """

    dataset: DatasetSummary
    config: Config
    shown: tuple[int, ...]
    classes: tuple[int, ...]
    pixels: tuple[str, ...]
    maps: tuple[ModelMaps, ...]
    filters: tuple[FirstFilters, ...]
    laid_out: tuple[int, ...]
    labels: tuple[int, ...]
    layouts: tuple[FeatureLayout, ...]
    failures: tuple[StudyFailure, ...]
    stopped: bool
    environment: Environment

    def __post_init__(self) -> None:
        n_classes, side = len(self.dataset.class_names), self.dataset.image_size
        answers = [one.answer for model in self.maps for one in model.maps]
        neighbours = [label for layout in self.layouts for label in layout.nearest]
        if any(not 0 <= label < n_classes for label in (*self.classes, *answers, *self.labels, *neighbours)):
            raise ValueError(f"it names classes that are none of its {n_classes}")
        if any(len(base64.b64decode(text)) != side * side * 3 for text in self.pixels):
            raise ValueError(f"its images have not {side} x {side} pixels")
        per_image = (self.shown, self.classes, self.pixels, *(model.maps for model in self.maps))
        if len({len(each) for each in per_image}) > 1:
            raise ValueError("it has not one class, picture and heat map for each image")
        if any(len(one.places.shape) != 2 for model in self.maps for one in model.maps):
            raise ValueError("its heat maps are not flat tables")
        if any(len(each.filters.shape) != 4 for each in self.filters):
            raise ValueError("its filters have not four axes")
        n = len(self.labels)
        if len(self.laid_out) != n or any(
            each.positions.shape != (n, 2) or len(each.nearest) != n for each in self.layouts
        ):
            raise ValueError("it has not one place and neighbour for each image that is laid out")

    def images(self) -> NDArray[np.uint8]:
        """The images that the heat maps are of, uint8 (n, image_size, image_size, 3)."""
        side = self.dataset.image_size
        data = b"".join(base64.b64decode(text) for text in self.pixels)
        return np.frombuffer(data, np.uint8).reshape(-1, side, side, 3)

    def layout(self, name: str, stage: str) -> FeatureLayout | None:
        """The layout of one model at one stage; None where there is none."""
        return next((each for each in self.layouts if (each.name, each.stage) == (name, stage)), None)

    def first_filters(self, name: str, stage: str) -> FirstFilters | None:
        """The first filters of one model at one stage; None where there are none."""
        return next((each for each in self.filters if (each.name, each.stage) == (name, stage)), None)

    def neighbour_accuracy(self, layout: FeatureLayout) -> float:
        """Share of the laid-out images whose nearest neighbour, by all features, is of their own class, 0..1.

        It is the accuracy of a 1-nearest-neighbour classifier with one image left out at a time (T. M. Cover,
        P. E. Hart: Nearest neighbor pattern classification, IEEE Transactions on Information Theory 13, 1967).
        """
        return float(np.mean(np.array(layout.nearest) == np.array(self.labels)))

    def neighbour_difference(self, first: FeatureLayout, second: FeatureLayout) -> PairedDifference:
        """`neighbour_accuracy` of the first layout minus that of the second, paired by image."""
        labels = np.array(self.labels)
        right1, right2 = np.array(first.nearest) == labels, np.array(second.nearest) == labels
        only1, only2 = int((right1 & ~right2).sum()), int((right2 & ~right1).sum())
        both, neither = int((right1 & right2).sum()), int((~right1 & ~right2).sum())
        interval = paired_difference_interval(both, only1, only2, neither)
        return PairedDifference((only1 - only2) / len(labels), interval, mcnemar_p_value(only1, only2))

    @property
    def datasets(self) -> tuple[DatasetSummary, ...]:
        """The images that it was measured on."""
        return (self.dataset,)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, in plain words."""
        return _inside_sentences(self)


_STAGES: dict[str, tuple[str, str]] = {
    ModelName.SCRATCH: ("before training", "after it"),
    ModelName.TRANSFER: ("with random weights", "with its pretrained ones"),
    ModelName.FINE_TUNED: ("frozen", "fine-tuned"),
}
_SUBJECTS: dict[str, str] = {
    ModelName.SCRATCH: "the network from scratch",
    ModelName.TRANSFER: "the backbone",
    ModelName.FINE_TUNED: "the backbone",
}


def _inside_sentences(look: LookInside) -> tuple[str, ...]:
    """How far classes lie apart, what training did to filters, and what heat maps can say.

    Args:
        look: whole or stopped.
    """
    sentences = [
        *(_change(look, name) for name in _STAGES),
        _both(look),
        _variance(look),
        _moved(look),
        *_maps(look),
    ]
    if look.failures:
        first = look.failures[0]
        n = len(look.failures)
        lost = "1 part could not be had," if n == 1 else f"{n} parts could not be had; the first,"
        sentences.append(f"{lost} {first.point}: {first.text}")
    if look.stopped:
        sentences.append("Stopped before all was looked at.")
    return tuple(sentence for sentence in sentences if sentence)


def _change(look: LookInside, name: str) -> str:
    before, after = look.layout(name, BEFORE), look.layout(name, AFTER)
    if not (before and after):
        return ""
    stages = _STAGES[name]
    return (
        f"By the features of {_SUBJECTS[name]}, {_share(look, before)} of the {len(look.labels)} test images have "
        f"an image of their own class as nearest neighbour {stages[0]}, {_share(look, after)} {stages[1]}: "
        f"{_difference(look, after, before)}."
    )


def _share(look: LookInside, layout: FeatureLayout) -> str:
    return percent(look.neighbour_accuracy(layout))


def _difference(look: LookInside, first: FeatureLayout, second: FeatureLayout) -> str:
    paired = look.neighbour_difference(first, second)
    interval = f"{points_range(*paired.ci95)} points, 95% interval"
    if not paired.is_clear:
        return f"too close to call ({interval}{but_not_clear(paired.ci95, paired.p_value)})"
    words = "more" if paired.difference > 0 else "fewer"
    return f"{points(abs(paired.difference))} points {words} ({interval})"


def _both(look: LookInside) -> str:
    scratch, transfer = look.layout(ModelName.SCRATCH, AFTER), look.layout(ModelName.TRANSFER, AFTER)
    if not (scratch and transfer):
        return ""
    return f"Trained, the backbone against the network from scratch: {_difference(look, transfer, scratch)}."


def _variance(look: LookInside) -> str:
    said = [
        f"{percent(sum(layout.explained))} ({_SUBJECTS[layout.name]})"
        for layout in look.layouts
        if layout.stage == AFTER and layout.name != ModelName.FINE_TUNED
    ]
    if not said:
        return ""
    return (
        f"The two axes of the layout keep {' and '.join(said)} of the features' variance: classes that overlap there "
        "may still be apart in the rest."
    )


def _moved(look: LookInside) -> str:
    """How far training moved the first filters, in parts of their length."""
    before, after = look.first_filters(ModelName.SCRATCH, BEFORE), look.first_filters(ModelName.SCRATCH, AFTER)
    if not (before and after) or before.filters.shape != after.filters.shape:
        return ""
    start = before.filters.array
    length = float(np.linalg.norm(start))
    moved = float(np.linalg.norm(after.filters.array - start))
    return (
        f"Training moved the first filters of the network from scratch by {percent(moved / length)} of their length."
        if length
        else ""
    )


def _maps(look: LookInside) -> list[str]:
    if not look.maps:
        return []
    said = []
    for model in look.maps:
        rows, columns = model.maps[0].places.shape
        said.append(f"{rows} × {columns} places for {phrase_of(model.name)}")
    sentences = [f"The heat maps have {', '.join(said)}: finer ones are not therefore more right."]
    sentences += [_flat(model) for model in look.maps]
    sentences.append(
        "A heat map says which places raised the score of the answer, not why, and not that the answer is right."
    )
    return sentences


def _flat(model: ModelMaps) -> str:
    reasons = [one.flat for one in model.maps if one.flat]
    if not reasons:
        return ""
    name = phrase_of(model.name)
    n = len(model.maps)
    return f"{len(reasons)} of the {n} heat maps of {name} {'is' if len(reasons) == 1 else 'are'} flat: {reasons[0]}."
