"""Records of the "inside" study, and their sentences. No TensorFlow."""

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
from tl_widgets.core.text import all_of
from tl_widgets.core.translation import _, ngettext
from tl_widgets.records.comparison import DatasetSummary, Environment, StudyFailure, StudyRecord
from tl_widgets.records.kinds import Answer, Count, Data
from tl_widgets.records.statistics import PairedDifference, pair_answers, unclear_reason

Array = NDArray[np.float32]
BEFORE, AFTER = "before", "after"
MOST_IMAGES = 12  # with heat maps: more do not fit side by side


@dataclass(frozen=True)
class Numbers:
    """An array in a record; `values` are in C order, the last axis fastest."""

    shape: tuple[Count, ...]
    values: tuple[float, ...]

    def __post_init__(self) -> None:
        if min(self.shape, default=0) < 1 or prod(self.shape) != len(self.values):
            raise ValueError(f"an array of shape {self.shape} does not have {len(self.values)} values")

    @staticmethod
    def of(array: Any, digits: int = 5) -> Numbers:
        """Return an array for a record, rounded to a number of significant digits."""
        values = np.asarray(array, np.float64)
        return Numbers(values.shape, tuple(float(f"{value:.{digits}g}") for value in values.ravel()))

    @property
    def array(self) -> Array:
        """The values as a float32 array."""
        return np.array(self.values, np.float32).reshape(self.shape)


def enlarge(values: Array, height: int, width: int) -> Array:
    """Resize a map (rows, columns) by bilinear interpolation, like `tf.image.resize`."""
    down, across = _shares(values.shape[0], height), _shares(values.shape[1], width)
    enlarged: Array = (down @ values.astype(np.float64) @ across.T).astype(np.float32)
    return enlarged


def _shares(n_from: int, n_to: int) -> NDArray[np.float64]:
    """Return the weight of each old value at each new place, float64 (n_to, n_from)."""
    at = np.clip((np.arange(n_to) + 0.5) * n_from / n_to - 0.5, 0, n_from - 1)
    lower = np.floor(at).astype(int)
    upper = np.minimum(lower + 1, n_from - 1)
    shares, rows = np.zeros((n_to, n_from)), np.arange(n_to)
    np.add.at(shares, (rows, lower), 1 - (at - lower))
    np.add.at(shares, (rows, upper), at - lower)
    return shares


@dataclass(frozen=True)
class HeatMap:
    """Grad-CAM of one image, for the class that the model answered.

    Attributes:
        row: index of the image in the test split.
        answer: index of the model's most probable class.
        probability: the model's probability for this class, 0..1.
        places: 0..1 (rows, columns), at the resolution of the layer's feature maps; 1 is the place that raises the
            score most.
        flat: why no place stands out, as a clause; "" if the map is not flat.
    """

    row: Count
    answer: Count
    probability: Answer
    places: Numbers
    flat: str = ""

    def at(self, height: int, width: int) -> Array:
        """Return the map at the size of an image, float32 (height, width)."""
        return enlarge(self.places.array, height, width)


@dataclass(frozen=True)
class ModelMaps:
    """The heat maps of one model, one for each image; `name` is a `ModelName`."""

    name: str
    maps: tuple[HeatMap, ...]


@dataclass(frozen=True)
class FirstFilters:
    """The filters of a model's first convolution.

    Attributes:
        name: "scratch" or "transfer".
        stage: "before" training (a backbone then has random weights) or "after".
        filters: (n, height, width, channels); three channels are red, green and blue.
    """

    name: str
    stage: str
    filters: Numbers


@dataclass(frozen=True)
class FeatureLayout:
    """The test images laid out by the features that a model's last layer receives.

    Attributes:
        name: "scratch", "transfer" or "fine_tuned".
        stage: "before" or "after" training. Before training, a network from scratch has its initial weights, a
            backbone has random weights, and a fine-tuned model has those of the frozen stage.
        n_features: features per image.
        positions: (n, 2), the first two principal components.
        explained: share of the features' variance along each component, 0..1.
        nearest: class index of each image's nearest neighbor, by the distance in all features.
    """

    name: str
    stage: str
    n_features: Count
    positions: Numbers
    explained: tuple[Answer, Answer]
    nearest: tuple[Count, ...]


@dataclass(frozen=True)
class LookInside(StudyRecord):
    """Heat maps, first filters and features of the models of a comparison.

    Attributes:
        dataset: the images.
        config: the settings of the comparison.
        shown: indices of the test images with heat maps.
        classes: true class indices of the images in `shown`.
        pixels: the images in `shown`, uint8 (image_size, image_size, 3), each as base64.
        maps: the heat maps of each model.
        filters: first filters of the network from scratch and of the backbone, before and after training.
        laid_out: indices of the test images in `layouts`.
        labels: true class indices of the images in `laid_out`.
        layouts: the layouts of each model, before and after training.
        failures: parts that could not be measured.
        stopped: whether the study was stopped before all parts were measured.
        environment: the machine and the versions.
    """

    dataset: DatasetSummary
    config: Config
    shown: tuple[Count, ...]
    classes: tuple[Count, ...]
    pixels: tuple[Data, ...]
    maps: tuple[ModelMaps, ...]
    filters: tuple[FirstFilters, ...]
    laid_out: tuple[Count, ...]
    labels: tuple[Count, ...]
    layouts: tuple[FeatureLayout, ...]
    failures: tuple[StudyFailure, ...]
    stopped: bool
    environment: Environment

    def __post_init__(self) -> None:
        n_classes, side = len(self.dataset.class_names), self.dataset.image_size
        answers = [heat_map.answer for model in self.maps for heat_map in model.maps]
        neighbors = [label for layout in self.layouts for label in layout.nearest]
        if any(not 0 <= label < n_classes for label in (*self.classes, *answers, *self.labels, *neighbors)):
            raise ValueError(f"it names classes other than its {n_classes}")
        if any(len(base64.b64decode(text)) != side * side * 3 for text in self.pixels):
            raise ValueError(f"its images do not have {side} x {side} pixels")
        per_image = (self.shown, self.classes, self.pixels, *(model.maps for model in self.maps))
        if len({len(part) for part in per_image}) > 1:
            raise ValueError("it does not have one class, picture and heat map for each image")
        if any(len(heat_map.places.shape) != 2 for model in self.maps for heat_map in model.maps):
            raise ValueError("its heat maps are not flat tables")
        if any(len(part.filters.shape) != 4 for part in self.filters):
            raise ValueError("its filters do not have four axes")
        n = len(self.labels)
        if len(self.laid_out) != n or any(
            part.positions.shape != (n, 2) or len(part.nearest) != n for part in self.layouts
        ):
            raise ValueError("it does not have one position and neighbor for each image that is laid out")

    def images(self) -> NDArray[np.uint8]:
        """Return the images with heat maps, uint8 (n, image_size, image_size, 3)."""
        side = self.dataset.image_size
        data = b"".join(base64.b64decode(text) for text in self.pixels)
        return np.frombuffer(data, np.uint8).reshape(-1, side, side, 3)

    def layout(self, name: str, stage: str) -> FeatureLayout | None:
        """Return the layout of a model at a stage ("before" or "after"), or None."""
        return next((layout for layout in self.layouts if (layout.name, layout.stage) == (name, stage)), None)

    def first_filters(self, name: str, stage: str) -> FirstFilters | None:
        """Return the first filters of a model at a stage ("before" or "after"), or None."""
        return next((filters for filters in self.filters if (filters.name, filters.stage) == (name, stage)), None)

    def neighbor_accuracy(self, layout: FeatureLayout) -> float:
        """Return the share of images whose nearest neighbor has the same class, 0..1.

        It is the accuracy of a 1-nearest-neighbor classifier with one image left out at a time (T. M. Cover,
        P. E. Hart: Nearest neighbor pattern classification, IEEE Transactions on Information Theory 13, 1967).
        """
        return float(np.mean(np.array(layout.nearest) == np.array(self.labels)))

    def neighbor_difference(self, first: FeatureLayout, second: FeatureLayout) -> PairedDifference:
        """Return the first `neighbor_accuracy` minus the second, paired by image."""
        labels = np.array(self.labels)
        right1, right2 = np.array(first.nearest) == labels, np.array(second.nearest) == labels
        return pair_answers(right1, right2)

    neighbour_accuracy, neighbour_difference = neighbor_accuracy, neighbor_difference  # their earlier names

    @property
    def headline(self) -> str:
        """How well the trained models tell the classes apart, in a sentence."""
        shares = [
            f"{percent(self.neighbor_accuracy(layout))} ({name.label})"
            for name in (ModelName.SCRATCH, ModelName.TRANSFER)
            if (layout := self.layout(name, AFTER))
        ]
        if not shares:
            return next(iter(self.sentences), "")
        return _(
            "Ask each trained model for the most similar image: it shows the same class for {shares} "
            "of the test images.",
            shares=all_of(shares),
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain sentences."""
        return _inside_sentences(self)


_STAGES: dict[str, tuple[str, str]] = {
    ModelName.SCRATCH: (_("before training"), _("after it")),
    ModelName.TRANSFER: (_("with random weights"), _("with its pretrained ones")),
    ModelName.FINE_TUNED: (_("frozen"), _("fine-tuned")),
}
_SUBJECTS: dict[str, str] = {
    ModelName.SCRATCH: _("the network from scratch"),
    ModelName.TRANSFER: _("the backbone"),
    ModelName.FINE_TUNED: _("the backbone"),
}


def _inside_sentences(look: LookInside) -> tuple[str, ...]:
    sentences = [*(_change(look, name) for name in _STAGES), _both(look), _variance(look), _moved(look), *_maps(look)]
    if look.failures:
        first = look.failures[0]
        n = len(look.failures)
        lost = _("1 part could not be measured,") if n == 1 else _("{n} parts could not be measured; the first,", n=n)
        sentences.append(f"{lost} {first.point}: {first.text}")
    if look.stopped:
        sentences.append(_("Stopped before everything was measured."))
    return tuple(sentence for sentence in sentences if sentence)


def _change(look: LookInside, name: str) -> str:
    before, after = look.layout(name, BEFORE), look.layout(name, AFTER)
    if not (before and after):
        return ""
    stages = _STAGES[name]
    return _(
        "By the features of {subject}, {before} of the {n} test images have an image of their "
        "own class as nearest neighbor {first_stage}, {after} {second_stage}: {difference}.",
        subject=_SUBJECTS[name],
        before=_share(look, before),
        n=len(look.labels),
        first_stage=stages[0],
        after=_share(look, after),
        second_stage=stages[1],
        difference=_difference(look, after, before),
    )


def _share(look: LookInside, layout: FeatureLayout) -> str:
    return percent(look.neighbor_accuracy(layout))


def _difference(look: LookInside, first: FeatureLayout, second: FeatureLayout) -> str:
    paired = look.neighbor_difference(first, second)
    interval = _("{ci95} points, 95% interval", ci95=points_range(*paired.ci95))
    if not paired.is_clear:
        return _(
            "too close to call ({interval}{unclear_reason})",
            interval=interval,
            unclear_reason=unclear_reason(paired.ci95, paired.p_value),
        )
    difference = points(abs(paired.difference))
    if paired.difference > 0:
        return _("{difference} points more ({interval})", difference=difference, interval=interval)
    return _("{difference} points fewer ({interval})", difference=difference, interval=interval)


def _both(look: LookInside) -> str:
    scratch, transfer = look.layout(ModelName.SCRATCH, AFTER), look.layout(ModelName.TRANSFER, AFTER)
    if not (scratch and transfer):
        return ""
    return _(
        "Trained, the backbone against the network from scratch: {difference}.",
        difference=_difference(look, transfer, scratch),
    )


def _variance(look: LookInside) -> str:
    shares = [
        f"{percent(sum(layout.explained))} ({_SUBJECTS[layout.name]})"
        for layout in look.layouts
        if layout.stage == AFTER and layout.name != ModelName.FINE_TUNED
    ]
    if not shares:
        return ""
    return _(
        "The two axes of the layout keep {shares} of the features' variance: classes that overlap "
        "there may still be apart in the rest.",
        shares=all_of(shares),
    )


def _moved(look: LookInside) -> str:
    """Say how far training moved the first filters, relative to their norm."""
    before, after = look.first_filters(ModelName.SCRATCH, BEFORE), look.first_filters(ModelName.SCRATCH, AFTER)
    if not (before and after) or before.filters.shape != after.filters.shape:
        return ""
    start = before.filters.array
    length = float(np.linalg.norm(start))
    moved = float(np.linalg.norm(after.filters.array - start))
    return (
        _(
            "Training moved the first filters of the network from scratch by {moved} of their length.",
            moved=percent(moved / length),
        )
        if length
        else ""
    )


def _maps(look: LookInside) -> list[str]:
    if not look.maps:
        return []
    sizes = []
    for model in look.maps:
        rows, columns = model.maps[0].places.shape
        sizes.append(
            _("{rows} × {columns} places for {phrase}", rows=rows, columns=columns, phrase=phrase_of(model.name))
        )
    sentences = [_("The heat maps have {sizes}: finer maps are not necessarily more accurate.", sizes=", ".join(sizes))]
    sentences += [_flat(model) for model in look.maps]
    sentences.append(
        _("A heat map says which places raised the score of the answer, not why, and not that the answer is right.")
    )
    return sentences


def _flat(model: ModelMaps) -> str:
    reasons = [heat_map.flat for heat_map in model.maps if heat_map.flat]
    if not reasons:
        return ""
    name = phrase_of(model.name)
    n = len(model.maps)
    return ngettext(
        "{n} of the {n_maps} heat maps of {name} is flat: {reason}.",
        "{n} of the {n_maps} heat maps of {name} are flat: {reason}.",
        len(reasons),
        n_maps=n,
        name=name,
        reason=reasons[0],
    )
