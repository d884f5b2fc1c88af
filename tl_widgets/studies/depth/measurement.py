"""Measurement of the "depth" study: the features of all cuts from one pass, and a head on each."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.backbones.catalogue import require_backbone
from tl_widgets.backbones.family import Backbone, require_memory_for
from tl_widgets.backbones.weights import ResolvedWeights, resolve_weights
from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config
from tl_widgets.core.errors import CancelledError
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore, raise_if_cancelled
from tl_widgets.core.lazy_tensorflow import import_tensorflow
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset, require_dataset, require_seeds
from tl_widgets.experiments.comparison import chance_of, environment, summarize
from tl_widgets.experiments.parallel import WorkContext, measure_all
from tl_widgets.studies.depth.blocks import EPOCHS, chosen_blocks
from tl_widgets.studies.depth.result import ARMS, Depth, DepthPoint, DepthStudy, weights_of
from tl_widgets.training.stoppable import Stoppable

if TYPE_CHECKING:
    import keras

Features = NDArray[np.float32]
_TIMES = 5  # of each part of the backbone, of which the fastest counts
_BATCH = 32


@dataclass(frozen=True)
class _Job:
    """The heads of one cut with one kind of weights."""

    arm: str
    block: int

    def describe(self) -> str:
        return _("{weights}, block {block}", weights=weights_of(self.arm), block=self.block)


@dataclass(frozen=True, eq=False)
class CutBackbone:
    """A backbone with an end after each of several blocks.

    Attributes:
        blocks: the numbers of the blocks, ascending; the last one stands for the whole backbone.
        scaling: the layers before the backbone.
        backbone: the whole backbone.
        ends: the layers after which it is cut.
    """

    blocks: tuple[int, ...]
    scaling: tuple[keras.layers.Layer, ...]
    backbone: keras.Model
    ends: tuple[keras.layers.Layer, ...]

    @classmethod
    def build(
        cls,
        entry: Backbone,
        blocks: Sequence[int],
        image_shape: tuple[int, int, int],
        weights: ResolvedWeights,
        *,
        seed: int,
    ) -> CutBackbone:
        """Build the backbone of a transfer model."""
        from tl_widgets.models.builders import frozen_layers
        from tl_widgets.training.fine_tuning import backbone_of

        layers = frozen_layers(entry, image_shape, weights, seed=seed)
        backbone, cuts = backbone_of(layers), entry.cuts
        ends = tuple(
            cuts[block - 1].last_layer(backbone) if block <= len(cuts) else backbone.layers[-1] for block in blocks
        )
        return cls(tuple(blocks), layers[: layers.index(backbone)], backbone, ends)

    def read(
        self, dataset: ImageDataset, arm: str, on_event: OnEvent, cancel: Cancel | None
    ) -> dict[int, tuple[Features, Features, Features]]:
        """Return the features of the three splits by block: global averages, from one pass of each image."""
        import keras

        from tl_widgets.training.features import FrozenPart

        vectors = [keras.layers.GlobalAveragePooling2D()(end.output) for end in self.ends]
        together = keras.layers.Concatenate()(vectors) if len(vectors) > 1 else vectors[0]
        frozen = FrozenPart((*self.scaling, keras.Model(self.backbone.input, together)), dataset.image_shape)
        splits = (dataset.train, dataset.validation, dataset.test)
        found = [frozen.read(split, model=arm, on_event=on_event, cancel=cancel).values for split in splits]
        places = np.cumsum([vector.shape[-1] for vector in vectors])[:-1]
        by_cut = zip(*(np.split(values, places, axis=1) for values in found), strict=True)
        return {
            block: (np.ascontiguousarray(a), np.ascontiguousarray(b), np.ascontiguousarray(c))
            for block, (a, b, c) in zip(self.blocks, by_cut, strict=True)
        }

    def depths(self, entry: Backbone, image_shape: tuple[int, int, int], cancel: Cancel | None) -> tuple[Depth, ...]:
        """Return what each cut costs; the parts between two cuts are timed, so each layer is traced once."""
        import keras

        from tl_widgets.models.builders import count_parameters

        cuts, inputs = entry.cuts, self.backbone.input
        names = [*(cut.block for cut in cuts), "whole"]
        parts = [keras.Model(inputs, end.output) for end in self.ends]
        seconds = self._seconds(image_shape, cancel)
        return tuple(
            Depth(block, names[block - 1], part.output.shape[-1], count_parameters(part).total, 1000 * s / _BATCH)
            for block, part, s in zip(self.blocks, parts, np.cumsum(seconds).tolist(), strict=True)
        )

    def _seconds(self, image_shape: tuple[int, int, int], cancel: Cancel | None) -> list[float]:
        """Return the seconds of a batch in each part of the backbone, the fastest of a few."""
        import keras
        import tensorflow as tf

        tensors = [self.backbone.input, *(end.output for end in self.ends)]
        functions = []
        for i, (before, after) in enumerate(pairwise(tensors)):
            part = keras.Model(before, after)
            layers = [*(self.scaling if i == 0 else ()), part]
            functions.append(Stoppable(_traced(layers, image_shape if i == 0 else part.input_shape[1:]), cancel))
        noise = np.random.default_rng(0).integers(0, 256, (_BATCH, *image_shape)).astype(np.float32)
        fastest = [float("inf")] * len(functions)
        for _unused in range(_TIMES + 1):  # the first call traces
            values: Any = tf.constant(noise)
            for i, function in enumerate(functions):
                started = time.perf_counter()
                values = function(values)
                fastest[i] = min(fastest[i], time.perf_counter() - started)
        return fastest


def _traced(layers: Sequence[keras.layers.Layer], shape: tuple[int, ...]) -> Any:
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((_BATCH, *shape), tf.float32)])  # type: ignore[untyped-decorator]
    def compute(values: Any) -> Any:
        for layer in layers:
            values = layer(values, training=False)
        return values

    def run(values: Any) -> Any:
        result = compute(values)
        result.numpy()  # waits for it
        return result

    return run


@checked
def depth_study(
    dataset: ImageDataset,
    *,
    backbone: str = Config.backbone,
    blocks: Sequence[int] | None = None,
    control: bool = True,
    seeds: Sequence[int] = (0, 1, 2),
    epochs: int = EPOCHS,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> DepthStudy:
    """Cut a frozen backbone after each of its blocks, and train a head on the features there.

    The features are the global averages of the feature maps. Those of all cuts come from one pass of each image. The
    accuracy of the whole backbone is the one that `compare` gives for its transfer model.

    Args:
        dataset: images and their split.
        backbone: a name in the catalogue (`list_backbones`).
        blocks: the numbers of the blocks after which it is cut, from 1; None for all of them, or 16 that are evenly
            spaced. The whole backbone is always measured.
        control: whether to measure the same backbone with random weights, too.
        seeds: each determines the head's initial weights and the order of the images.
        epochs: passes over the training images.
        on_event: receives each finished point.
        cancel: set from any thread, it stops the study within one batch.

    Returns:
        Everything that was measured, even after a Stop; points that failed are in `failures`.

    Raises:
        InputError: an argument is not allowed, the backbone's blocks are not known, or no point could be measured.
        CancelledError: the study was stopped before the first point.
        WeightsUnavailableError: the weights are not on this machine and cannot be downloaded.
    """
    require_dataset(dataset)
    entry, seeds = require_backbone(backbone, dataset.image_size), require_seeds(seeds)
    numbers = chosen_blocks(entry.name, blocks)
    config = Config(backbone=entry.name, control=control, epochs=epochs, seed=seeds[0])
    require_memory_for(entry, dataset.image_size)
    weights = resolve_weights(entry, config.weights, on_event=on_event, cancel=cancel)
    import_tensorflow(on_event, cancel)
    raise_if_cancelled(cancel)
    depths: list[Depth] = []
    features: dict[str, dict[int, tuple[Features, Features, Features]]] = {}

    def measure(job: _Job, context: WorkContext) -> DepthPoint:
        if job.arm not in features:
            context.on_event(
                Event(
                    "load",
                    _("building {entry_name}, {weights}", entry_name=entry.name, weights=weights_of(job.arm)),
                    job.arm,
                )
            )
            chosen = resolve_weights(entry, None) if job.arm == ModelName.CONTROL else weights
            build = Stoppable(CutBackbone.build, context.cancel)  # a large backbone takes many seconds
            cut = build(entry, numbers, dataset.image_shape, chosen, seed=config.seed)
            if not depths:  # a part that failed is built again, and costs are the same with all weights
                depths.extend(cut.depths(entry, dataset.image_shape, context.cancel))
            features[job.arm] = cut.read(dataset, job.arm, context.on_event, context.cancel)
        return _point(job, features[job.arm][job.block], dataset, config, seeds, context.cancel)

    jobs = [_Job(arm, block) for arm in ARMS[: 1 + control] for block in numbers]
    measured = measure_all(jobs, measure, describe=_Job.describe, on_event=on_event, cancel=cancel)
    if not depths:
        raise CancelledError(_("stopped before the first point"))
    return DepthStudy(
        dataset=summarize(dataset),
        config=config,
        seeds=seeds,
        depths=tuple(depths),
        chance=chance_of(dataset),
        points=measured.points,
        failures=measured.failures,
        stopped=measured.stopped,
        environment=environment(),
    )


def _point(
    job: _Job,
    features: tuple[Features, Features, Features],
    dataset: ImageDataset,
    config: Config,
    seeds: tuple[int, ...],
    cancel: Cancel | None,
) -> DepthPoint:
    from tl_widgets.training.heads import train_head
    from tl_widgets.training.learners import count_right, predicted_classes

    train, validation, test = features
    val_accuracy, answers = [], []
    for seed in seeds:
        head = train_head(train, dataset.train.labels, dataset.n_classes, replace(config, seed=seed), cancel=cancel)
        n_right = count_right(head.probabilities(validation), dataset.validation.labels)
        val_accuracy.append(n_right / max(len(dataset.validation), 1))
        right = predicted_classes(head.probabilities(test)) == dataset.test.labels
        answers.append(tuple(right.tolist()))
    return DepthPoint(job.arm, job.block, tuple(val_accuracy), tuple(answers))
