"""Measurement of the "inside" study, which leaves the models unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.weights import resolve_weights
from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent, ignore, raise_if_cancelled
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.resources import release_memory
from tl_widgets.core.settings import Whole
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset, Split, pick, require_dataset
from tl_widgets.experiments.comparison import environment, summarize
from tl_widgets.experiments.parallel import WorkContext, measure_all
from tl_widgets.experiments.prediction import require_new_test_images
from tl_widgets.models.builders import build_scratch, frozen_layers, stack_head
from tl_widgets.records.answers import interest, interleave_classes
from tl_widgets.records.comparison import Comparison, RunResult
from tl_widgets.records.pixels import pixels_text
from tl_widgets.studies.inside.grad_cam import CONVOLUTIONS, heat_maps
from tl_widgets.studies.inside.result import (
    AFTER,
    BEFORE,
    MOST_IMAGES,
    Array,
    FeatureLayout,
    FirstFilters,
    HeatMap,
    LookInside,
    ModelMaps,
    Numbers,
)
from tl_widgets.training.features import FrozenPart
from tl_widgets.training.stoppable import Stoppable

_AT_ONCE = 8  # images; layer by layer, 32 of 96 pixels take 100 MB more
MOST_LAID_OUT = 500  # test images; more dots hide each other, and the number of distances is quadratic
Part = ModelMaps | FirstFilters | FeatureLayout


@dataclass(frozen=True)
class _Job:
    """One part to be measured."""

    part: str
    name: str
    stage: str

    def describe(self) -> str:
        stage = "" if self.part == "heat maps" else _(" {stage} training", stage=self.stage)
        return _("{part} of {name}{stage}", part=self.part, name=self.name, stage=stage)


@checked
def look_inside(
    comparison: Comparison,
    dataset: ImageDataset,
    *,
    n_images: int = 6,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> LookInside:
    """Compute heat maps, first filters and features of the models of a comparison.

    - Heat maps: Grad-CAM of every model for some test images, each for the model's own answer. Classes take turns, and
      of each class, images on which the models disagree come first, then those that all get wrong, then others.
    - First filters: those of the network from scratch and of the backbone, before and after training.
    - Features: the values that each model's last layer receives for at most 500 test images, before and after
      training, laid out by principal components.

    "Before" is the untrained network with the same seed. For the backbone it is random weights with that seed, as in
    the control; for a fine-tuned model it is the frozen stage.

    Args:
        comparison: a comparison with at least one tested model, not read from JSON.
        dataset: the data set that the comparison used.
        n_images: number of test images with heat maps, 1 to 12.
        on_event: receives each finished part.
        cancel: set from any thread, it stops the study within one batch.

    Returns:
        Everything that was measured, even after a Stop; parts that failed are in `failures`.

    Raises:
        InputError: the comparison has no models, it used another data set, or nothing could be measured.
    """
    runs = _tested_runs(comparison)
    require_dataset(dataset)
    require_new_test_images(comparison, dataset)
    Whole(1, MOST_IMAGES).check("n_images", n_images)
    release_memory()  # what the training of the comparison has left
    measurement = _Measurement(comparison, dataset, runs, _choose_images(runs, n_images))
    measured = measure_all(
        measurement.jobs(), measurement.measure, describe=_Job.describe, on_event=on_event, cancel=cancel
    )
    images = dataset.test.images[measurement.rows]
    return LookInside(
        dataset=summarize(dataset),
        config=comparison.config,
        shown=tuple(measurement.rows.tolist()),
        classes=tuple(dataset.test.labels[measurement.rows].tolist()),
        pixels=tuple(pixels_text(image) for image in images),
        maps=tuple(part for part in measured.points if isinstance(part, ModelMaps)),
        filters=tuple(part for part in measured.points if isinstance(part, FirstFilters)),
        laid_out=tuple(measurement.laid_out.tolist()),
        labels=tuple(dataset.test.labels[measurement.laid_out].tolist()),
        layouts=tuple(part for part in measured.points if isinstance(part, FeatureLayout)),
        failures=measured.failures,
        stopped=measured.stopped,
        environment=environment(),
    )


def _tested_runs(comparison: Comparison) -> tuple[RunResult, ...]:
    if not isinstance(comparison, Comparison):
        raise InputError(
            _(
                "A comparison is needed, as compare(dataset) returns it; received {comparison}.",
                comparison=shown(comparison),
            )
        )
    runs = tuple(run for run in comparison.runs if run.labels)
    if not runs:
        raise InputError(_("No model of this comparison was tested: it was stopped. Run compare() to the end."))
    if any(run.model is None for run in runs):
        raise InputError(
            _(
                "This comparison was read from JSON, which holds numbers and no models: there is nothing to look into. "
                "Run compare() again with the same settings and give its result."
            )
        )
    return runs


def _choose_images(runs: tuple[RunResult, ...], n: int) -> Any:
    """Return indices of test images: the classes take turns, each with its most interesting images first."""
    rows = sorted(range(len(runs[0].labels)), key=lambda row: interest(runs[:2], row))
    return np.array(interleave_classes(rows, runs[0].labels)[:n], np.int64)


class _Measurement:
    """The parts of one `look_inside`, measured one at a time."""

    def __init__(self, comparison: Comparison, dataset: ImageDataset, runs: tuple[RunResult, ...], rows: Any) -> None:
        self.config, self.dataset, self.rows = comparison.config, dataset, rows
        self.runs = {run.name: run for run in runs}
        n = len(dataset.test)
        self.laid_out = np.unique(np.linspace(0, n - 1, min(n, MOST_LAID_OUT)).astype(np.int64))

    def jobs(self) -> list[_Job]:
        """Return all parts; those that are quick and interesting come first."""
        stages = [(name, stage) for name in (ModelName.SCRATCH, ModelName.TRANSFER) for stage in (BEFORE, AFTER)]
        available = [(name, stage) for name, stage in stages if self._has_stage(name, stage)]
        tuned = [
            (ModelName.FINE_TUNED, stage) for stage in (BEFORE, AFTER) if self._has_stage(ModelName.FINE_TUNED, stage)
        ]
        return [
            *(_Job("heat maps", name, AFTER) for name in self.runs),
            *(_Job("first filters", *model_stage) for model_stage in available),
            *(_Job("features", *model_stage) for model_stage in (*available, *tuned)),
        ]

    def _has_stage(self, name: str, stage: str) -> bool:
        if name not in self.runs:
            return False
        # A backbone that keeps random weights is the same before training.
        return stage == AFTER or name != ModelName.TRANSFER or self.runs[name].weights != "random"

    def measure(self, job: _Job, context: WorkContext) -> Part:
        """Measure one part; a Stop doesn't wait for it."""
        return Stoppable(self._measure, context.cancel)(job, context)

    def _measure(self, job: _Job, context: WorkContext) -> Part:
        if job.part == "heat maps":
            return self._maps(self.runs[job.name])
        model = self._model(job.name, job.stage)
        if job.part == "first filters":
            return self._filters(model, job)
        return self._layout(model, job, context)

    def _maps(self, run: RunResult) -> ModelMaps:
        rows = self.rows.tolist()
        answers = [run.predictions[row] for row in rows]
        heat_places = heat_maps(run.model, np.asarray(self.dataset.test.images[self.rows]), classes=answers)
        maps = tuple(
            HeatMap(row, answer, run.probabilities[row][answer], Numbers.of(places.values, 4), places.flat)
            for row, answer, places in zip(rows, answers, heat_places, strict=True)
        )
        return ModelMaps(run.name, maps)

    def _model(self, name: str, stage: str) -> keras.Model:
        if stage == AFTER:
            return self.runs[name].model
        if name == ModelName.SCRATCH:
            return self._untrained
        return self._random if name == ModelName.TRANSFER else self.runs[ModelName.TRANSFER].model

    @cached_property
    def _untrained(self) -> keras.Model:
        shape, n_classes = self.dataset.image_shape, self.dataset.n_classes
        return build_scratch(shape, n_classes, seed=self.config.seed, **asdict(self.config.scratch))

    @cached_property
    def _random(self) -> keras.Model:
        if ModelName.CONTROL in self.runs:
            return self.runs[ModelName.CONTROL].model
        entry, shape = find_backbone(self.config.backbone), self.dataset.image_shape
        cut = entry.cut_after(self.config.cut)
        layers = frozen_layers(entry, shape, resolve_weights(entry, None), seed=self.config.seed, cut=cut)
        model = stack_head(layers, shape, self.dataset.n_classes, seed=self.config.seed)
        release_memory()  # Keras's graphs of all its layers
        return model

    def _filters(self, model: keras.Model, job: _Job) -> FirstFilters:
        filters = first_filters(model)
        if job.name != ModelName.SCRATCH and find_backbone(self.config.backbone).family.preprocessing.is_bgr:
            filters = filters[..., ::-1]  # the channels are blue, green, red
        return FirstFilters(job.name, job.stage, Numbers.of(filters))

    def _layout(self, model: keras.Model, job: _Job, context: WorkContext) -> FeatureLayout:
        split = pick(self.dataset.test.images, self.dataset.test.labels, self.laid_out)
        vectors = _last_features(model, split, job.name, context)
        positions, explained = principal_components(vectors)
        nearest = tuple(nearest_labels(vectors, split.labels).tolist())
        return FeatureLayout(job.name, job.stage, vectors.shape[1], Numbers.of(positions), explained, nearest)


def _last_features(model: keras.Model, split: Split, name: str, context: WorkContext) -> Array:
    """Return what the model's last layer receives, float32 (n, n_features)."""
    head = model.layers[-1]
    frozen = FrozenPart.of(model)
    before = [layer for layer in model.layers if layer is not head and not isinstance(layer, keras.layers.Dropout)]
    if frozen is not None and frozen.n_layers == len(before):  # the comparison has read them already
        values = frozen.read(split, model=name, on_event=context.on_event, cancel=context.cancel).values
        return values.reshape(len(split), -1)
    features = []
    for start in range(0, len(split), _AT_ONCE):
        raise_if_cancelled(context.cancel)
        values = np.asarray(split.images[start : start + _AT_ONCE]).astype(np.float32)
        for layer in before:
            values = layer(values, training=False)
        features.append(np.asarray(values).reshape(len(values), -1))
    return np.concatenate(features)


def principal_components(vectors: NDArray[Any]) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """Return the first two principal components and their shares of the variance.

    `vectors` is (n, n_features), the components are float64 (n, 2), the shares 0..1. A component that does not exist,
    because there is only one feature or all vectors are equal, is 0.

    Raises:
        InputError: there are fewer than two vectors, or numbers that are not finite.
    """
    values = np.asarray(vectors, np.float64)
    if values.ndim != 2 or len(values) < 2 or not np.isfinite(values).all():
        raise InputError(
            _(
                "Principal components need two or more vectors of finite numbers, (n, n_features); "
                "received an array of shape {shape}.",
                shape=values.shape,
            )
        )
    positions, explained = np.zeros((len(values), 2)), np.zeros(2)
    if (values != values[0]).any():
        centered = values - values.mean(axis=0)
        # The smaller of the two products has the same largest eigenvalues, in a tenth of the time of an SVD.
        is_wide = values.shape[1] > len(values)
        squares, axes = np.linalg.eigh(centered @ centered.T if is_wide else centered.T @ centered)
        n = min(2, len(squares))
        first = axes[:, : -n - 1 : -1]
        directions = centered.T @ first if is_wide else first
        largest = directions[np.abs(directions).argmax(axis=0), np.arange(n)]
        squares = np.maximum(squares, 0)  # they are rounded
        lengths = np.sqrt(squares[: -n - 1 : -1])
        scores = first * lengths if is_wide else centered @ first
        positions[:, :n] = scores * np.sign(largest)  # a direction has no sign of its own
        explained[:n] = squares[: -n - 1 : -1] / squares.sum()
    return positions, (float(explained[0]), float(explained[1]))


def nearest_labels(vectors: NDArray[Any], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the class of each vector's nearest neighbor; needs two vectors or more."""
    values = np.asarray(vectors, np.float64)
    values = values - values.mean(axis=0)  # the distances stay, with smaller rounding errors
    squares = (values**2).sum(axis=1)
    distances = squares[:, None] + squares - 2 * values @ values.T
    np.fill_diagonal(distances, np.inf)
    nearest: NDArray[np.int64] = labels[distances.argmin(axis=1)]
    return nearest


@checked
def first_filters(model: keras.Model) -> Array:
    """Return the filters of a model's first convolution, even in a nested model.

    Args:
        model: a built Keras model.

    Returns:
        float32 (n_filters, height, width, channels), in the channel order of the layer's input: a backbone with
        "caffe" preprocessing (VGG, ResNet) receives blue, green, red. Filters of a DepthwiseConv2D or SeparableConv2D
        have one channel.

    Raises:
        InputError: the model has no convolution with weights.
    """
    parts = _parts(model) if isinstance(model, keras.Model) else iter(())
    layer = next((part for part in parts if isinstance(part, CONVOLUTIONS) and part.built), None)
    if layer is None:
        raise InputError(
            _(
                "A model with a convolution that has its weights is needed, to show its first filters; "
                "received {model}.",
                model=shown(model),
            )
        )
    return _filters_of(layer)


def _parts(model: keras.Model) -> Iterator[keras.layers.Layer]:
    # Keras's own _flatten_layers lists the layers of a nested model from last to first.
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _parts(layer)
        else:
            yield layer


def _filters_of(layer: keras.layers.Layer) -> Array:
    if isinstance(layer, keras.layers.DepthwiseConv2D | keras.layers.SeparableConv2D):
        kernel = layer.depthwise_kernel if isinstance(layer, keras.layers.SeparableConv2D) else layer.kernel
        values = np.asarray(kernel, np.float32)  # (height, width, channels, filters of each channel)
        return values.reshape(*values.shape[:2], 1, -1).transpose(3, 0, 1, 2)
    values = np.asarray(layer.kernel, np.float32)
    # Conv2DTranspose has (height, width, filters, channels), Conv2D (height, width, channels, filters).
    return values.transpose((2, 0, 1, 3) if isinstance(layer, keras.layers.Conv2DTranspose) else (3, 0, 1, 2))
