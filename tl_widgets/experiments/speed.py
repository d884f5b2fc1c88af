"""Measuring this machine's speed in a few seconds, with the real learner and the real backbone."""

from __future__ import annotations

import time
from dataclasses import replace
from statistics import median

import numpy as np
import tensorflow as tf

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.family import memory_needed
from tl_widgets.backbones.weights import resolve_weights
from tl_widgets.core.config import Config
from tl_widgets.core.events import Cancel, raise_if_cancelled
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.resources import memory_available
from tl_widgets.data.dataset import Split
from tl_widgets.experiments.arms import RunCache, load_frozen
from tl_widgets.experiments.seconds import _PER_STEP, Speed, Workload, scratch_macs, typical_speed
from tl_widgets.models.builders import scratch_model
from tl_widgets.training.learners import KerasLearner
from tl_widgets.training.stoppable import Stoppable

_SIZE, _CLASSES, _BATCH = 64, 3, 16
_STEPS_SECONDS, _MAX_STEPS = 0.5, 5
_SPARE_BYTES = 300_000_000


def measure_speed(config: Config, image_size: int, cache: RunCache, cancel: Cancel) -> Speed:
    """Measure this machine's speed, in about three seconds.

    The backbone of `config` is timed if its weights are here and it fits into memory. It then stays in `cache`, where
    the first run finds it.

    Raises:
        CancelledError: `cancel` was set.
    """
    speed = _time_training(typical_speed(), cancel)
    backbone = find_backbone(config.backbone)
    free = memory_available()
    fits = not free or memory_needed(backbone, image_size) + _SPARE_BYTES < free
    fits_size = backbone.min_input is None or image_size >= backbone.min_input
    if config.weights == "imagenet" and backbone.offline and fits and fits_size:
        speed = _time_backbone(speed, config, image_size, cache, cancel)
    return speed


def _time_training(speed: Speed, cancel: Cancel) -> Speed:
    started = time.perf_counter()
    config, images = Config(), Workload(_SIZE, _CLASSES, _BATCH, 0, 0)
    model = scratch_model((_SIZE, _SIZE, 3), _CLASSES, config.scratch, seed=0)
    learner = KerasLearner(model, tf.uint8, config.learning_rate)
    pixels, labels = _noise(_BATCH, _SIZE), np.arange(_BATCH) % _CLASSES
    fit_batch, answer = Stoppable(learner.fit_batch, cancel), Stoppable(learner.probabilities, cancel)
    fit_batch(pixels, labels)
    answer(pixels)
    traced = time.perf_counter() - started
    seconds: list[float] = []
    while len(seconds) < _MAX_STEPS and sum(seconds) < _STEPS_SECONDS:
        step_started = time.perf_counter()
        fit_batch(pixels, labels)
        seconds.append(time.perf_counter() - step_started)
    step = median(seconds)
    per_mac = step / (_PER_STEP * _BATCH * scratch_macs(config, images))
    return replace(speed, training=per_mac, tracing=max(0.1, traced - 2 * step))


def _time_backbone(speed: Speed, config: Config, image_size: int, cache: RunCache, cancel: Cancel) -> Speed:
    backbone = find_backbone(config.backbone)
    raise_if_cancelled(cancel)
    started = time.perf_counter()
    weights = resolve_weights(backbone, config.weights)
    shape = (image_size, image_size, 3)
    # It isn't cancelled: a run that starts now needs the same backbone.
    _, frozen = load_frozen(
        cache, ModelName.TRANSFER, backbone, weights, shape, seed=config.seed, cut=config.cut, cancel=None
    )
    built = time.perf_counter() - started
    assert frozen is not None
    times = []
    for seed in range(3):
        started = time.perf_counter()
        frozen.read(Split(_noise(32, image_size, seed), np.zeros(32, np.int64)), cancel=cancel, keep=False)
        times.append(time.perf_counter() - started)
    batch = min(times[1:])
    forward = batch / (32 * backbone.macs(image_size, config.cut))
    return replace(speed, forward=forward, building=built, backbone_tracing=max(0.1, times[0] - batch))


def _noise(n: int, size: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), np.uint8)
