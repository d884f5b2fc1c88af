"""Mistakes with what accuracy is measured on: a split that leaks, and the training images."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import tensorflow as tf

from tl_widgets.events import raise_if_cancelled
from tl_widgets.head import LinearHead
from tl_widgets.intervals import difference_interval, wilson_interval
from tl_widgets.learners import PREDICT_BATCH
from tl_widgets.mistake_bench import Lesson, two_means
from tl_widgets.mistake_results import TwoWays
from tl_widgets.scores import count_right

_N_LOTS = 5
_HEAD_RATE = 1e-2  # the head must learn its images by heart


def leaky_split(lesson: Lesson) -> TwoWays:
    """A tf.data set that shuffles in every pass, split with take and skip; labels drawn by lot, five times."""
    features = lesson.frozen().read(lesson.dataset.train, on_event=lesson.on_event, cancel=lesson.cancel).values
    found: dict[str, list[float]] = {"right": [], "wrong": []}
    for seed in range(lesson.config.seed, lesson.config.seed + _N_LOTS):
        labels = np.random.default_rng(seed).permutation(np.arange(len(features)) % 2)
        for way, values in found.items():
            values.append(_by_lot(lesson, features, labels, seed=seed, way=way))
    return two_means(found["right"], found["wrong"])


def _by_lot(lesson: Lesson, features: Any, labels: Any, *, seed: int, way: str) -> float:
    """Validation accuracy of a head on the backbone's features."""
    n, n_train, started = len(features), len(features) * 7 // 10, time.perf_counter()
    # Positions instead of images: the same take and skip, without carrying the images along.
    pool = tf.data.Dataset.range(n).shuffle(n, seed=seed, reshuffle_each_iteration=way == "wrong")
    train, validation = pool.take(n_train), pool.skip(n_train)
    start = np.zeros((features.shape[1], 1), np.float32), np.zeros(1, np.float32)
    head = LinearHead(*start, learning_rate=_HEAD_RATE, dropout=0.0, seed=seed)
    n_epochs = lesson.config.epochs
    for epoch in range(n_epochs):
        raise_if_cancelled(lesson.cancel)
        for chosen in train.batch(16).as_numpy_iterator():
            head.fit_batch(features[chosen], labels[chosen])
        lesson.say(way, epoch + 1, n_epochs, time.perf_counter() - started)
    held = np.array(list(validation.as_numpy_iterator()))
    return count_right(head.probabilities(features[held]), labels[held]) / len(held)


def training_accuracy(lesson: Lesson) -> TwoWays:
    """One network from scratch, its accuracy read off the training images and measured on the test images."""
    run, split = lesson.run(lesson.scratch(), "right"), lesson.dataset.train
    n_known = 0
    for start in range(0, len(split), PREDICT_BATCH):
        raise_if_cancelled(lesson.cancel)
        rows = slice(start, start + PREDICT_BATCH)
        answers = np.asarray(run.model(np.asarray(split.images[rows], np.float32), training=False))
        n_known += count_right(answers, split.labels[rows])
    tested, known = (run.n_right, len(run.labels)), (n_known, len(split))
    return TwoWays(
        tested[0] / tested[1],
        known[0] / known[1],
        tested[1],
        known[1],
        "other images",
        wilson_interval(*tested),
        wilson_interval(*known),
        difference_interval(*tested, *known),
    )
