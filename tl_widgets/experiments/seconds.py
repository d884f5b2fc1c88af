"""Estimating the seconds of a comparison before it runs, from counted arithmetic and this machine's speed.

Nothing here loads TensorFlow; `measure_speed` in `experiments.speed` does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import prod
from statistics import median_low

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.core.config import Config
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.resources import MOST_KEPT_WEIGHTS, n_cores
from tl_widgets.records.comparison import RunResult
from tl_widgets.records.parameters import LayerRow, scratch_ledger

# A training step computes the answers, then the gradients of each layer's input and weights.
_PER_STEP = 3
_PER_HEAD_STEP = 1.5e-4  # seconds; the transfer model's head trains in NumPy
_BLOCK_SHARE = 0.12  # of a backbone's arithmetic in each of its last blocks
_TIMEABLE = 1.0  # seconds; shorter times say little


@dataclass(frozen=True)
class Speed:
    """How fast this machine is.

    Attributes:
        training: Seconds for each multiply-accumulate of a network from scratch that trains.
        forward: Seconds for each multiply-accumulate of a frozen backbone.
        tracing: Seconds to build a network from scratch and trace its functions.
        building: Seconds to load a small backbone.
        backbone_tracing: Seconds to trace it.
    """

    training: float
    forward: float
    tracing: float
    building: float
    backbone_tracing: float


def typical_speed() -> Speed:
    """Return the speed of a usual laptop with as many cores as this machine."""
    share = 2 / min(max(n_cores(), 1), 8)
    return Speed(3.5e-11 * share, 4e-11 * share, 2.0, 1.5, 0.6)


@dataclass(frozen=True)
class Workload:
    """The images that a comparison works on.

    Attributes:
        image_size: Side of the square images in pixels.
        n_train: Training images, without augmented copies.
    """

    image_size: int
    n_classes: int
    n_train: int
    n_validation: int
    n_test: int


@dataclass(frozen=True)
class Ready:
    """What an earlier run has left.

    Attributes:
        models: Names of the models that needn't be trained again.
        n_features: Number of images whose features are stored.
        has_backbone: Whether the backbone is in memory.
        is_traced: Whether it has read images, so reading others needs no tracing.
        has_network: Whether the same network from scratch was trained, so it needs no tracing.
    """

    models: Collection[str] = ()
    n_features: int = 0
    has_backbone: bool = False
    is_traced: bool = False
    has_network: bool = False


NOTHING = Ready()
SCRATCH_DONE = Ready({ModelName.SCRATCH})


def count_macs(rows: tuple[LayerRow, ...]) -> int:
    """Return the multiply-accumulates of a network for one image: each weight of a kernel counts once per place."""
    total = 0
    for row in rows:
        n_weights = row.n_params - row.output_shape[-1] if row.n_params else 0  # without the biases
        total += n_weights * prod(row.output_shape[:-1])
    return total


def scratch_macs(config: Config, images: Workload) -> int:
    """Return the multiply-accumulates of the network from scratch for one image."""
    shape = (images.image_size, images.image_size, 3)
    return count_macs(scratch_ledger(shape, images.n_classes, config.scratch))


def comparison_seconds(config: Config, images: Workload, speed: Speed, ready: Ready = NOTHING) -> float:
    """Estimate the seconds of a comparison, from the press to the result, once TensorFlow and the images are loaded.

    Raises:
        InputError: The network from scratch is impossible.
    """
    n = images.n_train * (1 + config.augment)
    first = {name: _arm_seconds(name, config, images, speed, ready) for name in config.model_names}
    total = sum(first.values())
    if config.repeats > 1:  # the features are there
        again = scratch_seconds(config, [images], speed, has_network=True) + _head_seconds(config, n)
        if config.control:
            again += _features_seconds(config, images, speed, Ready()) + _head_seconds(config, n)
        if config.fine_tuning:
            again += _fine_tuning_seconds(config, images, speed)
        total += (config.repeats - 1) * again
    if config.folds > 1:  # each fold has its own models, but all images' features are read once
        again = scratch_seconds(config, [images], speed, has_network=True) + _head_seconds(config, n)
        if config.fine_tuning:
            again += _fine_tuning_seconds(config, images, speed)
        total += (config.folds - 1) * again
    return total


def _arm_seconds(name: str, config: Config, images: Workload, speed: Speed, ready: Ready) -> float:
    if name in ready.models:
        return 0.0
    if name == ModelName.SCRATCH:
        return scratch_seconds(config, [images], speed, has_network=ready.has_network)
    if name == ModelName.FINE_TUNED:
        return _fine_tuning_seconds(config, images, speed)
    head = _head_seconds(config, images.n_train * (1 + config.augment))
    return head + _features_seconds(config, images, speed, ready if name == ModelName.TRANSFER else Ready())


def _epoch_passes(config: Config, images: Workload) -> int:
    """Return the images of an epoch, training ones as often as a step takes: training, then the validation images."""
    n = images.n_train * (1 + config.augment)
    return _PER_STEP * n + images.n_validation


def scratch_seconds(config: Config, trainings: Sequence[Workload], speed: Speed, *, has_network: bool = False) -> float:
    """Estimate the seconds of training the network from scratch on each of these sets of images of one size.

    A small network is traced once for all of them, and not at all where it `has_network` from an earlier training.

    Raises:
        InputError: The network is impossible.
    """
    rows = scratch_ledger((trainings[0].image_size,) * 2 + (3,), trainings[0].n_classes, config.scratch)
    is_kept = sum(row.n_params for row in rows) <= MOST_KEPT_WEIGHTS
    n_traced = int(not has_network) if is_kept else len(trainings)
    passes = sum(config.epochs * _epoch_passes(config, images) + images.n_test for images in trainings)
    return n_traced * speed.tracing + speed.training * passes * count_macs(rows)


def _head_seconds(config: Config, n: int) -> float:
    return config.epochs * -(-n // config.batch_size) * _PER_HEAD_STEP


def _features_seconds(config: Config, images: Workload, speed: Speed, ready: Ready) -> float:
    backbone = find_backbone(config.backbone)
    n = images.n_train * (1 + config.augment) + images.n_validation + images.n_test
    n_missing = max(0, n - ready.n_features)
    seconds = speed.forward * n_missing * backbone.macs(images.image_size, config.cut)
    scale = max(1.0, (backbone.depth or 50) / 100)  # the bundled backbone has about 100 layers
    if not ready.has_backbone:
        seconds += scale * speed.building
    return seconds + scale * speed.backbone_tracing * (n_missing > 0 and not ready.is_traced)


def _fine_tuning_seconds(config: Config, images: Workload, speed: Speed) -> float:
    tuning = config.fine_tuning
    assert tuning is not None
    macs = find_backbone(config.backbone).macs(images.image_size, config.cut)
    above = min(0.9, _BLOCK_SHARE * tuning.n_blocks)
    n = images.n_train * (1 + config.augment)
    below = (n + images.n_validation + images.n_test) * macs * (1 - above)
    upper = (tuning.epochs * (_PER_STEP * n + images.n_validation) + images.n_test) * macs * above
    # The blocks above the cut are traced with their gradients, which takes about as long as the whole backbone forward.
    return speed.building + 2 * speed.backbone_tracing + speed.forward * (below + upper)


def corrected_speed(speed: Speed, config: Config, images: Workload, runs: Mapping[str, RunResult]) -> Speed:
    """Return the speed that the finished models of a comparison show; what they don't show stays."""
    scratch, transfer = runs.get(ModelName.SCRATCH), runs.get(ModelName.TRANSFER)
    if scratch is not None and not scratch.stopped and len(scratch.history.seconds) > 1:
        epochs = [end - start for start, end in pairwise(scratch.history.seconds)]  # the first one includes tracing
        if len(epochs) > 1 or sum(epochs) > _TIMEABLE:
            # The low median, because other work on the machine only slows an epoch down.
            macs = _epoch_passes(config, images) * scratch_macs(config, images)
            speed = replace(speed, training=median_low(epochs) / macs)
    if transfer is not None and not transfer.stopped and not transfer.seconds.saved:
        n = images.n_train * (1 + config.augment) + images.n_validation
        computing = n * find_backbone(config.backbone).macs(images.image_size, config.cut)
        seconds = transfer.seconds.prepare - speed.backbone_tracing
        if seconds > max(_TIMEABLE, speed.backbone_tracing):  # tracing may have taken twice as long under load
            speed = replace(speed, forward=seconds / computing)
    return speed
