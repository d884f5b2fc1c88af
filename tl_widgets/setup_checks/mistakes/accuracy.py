"""Mistakes with what accuracy is measured on: a split that leaks, and the training images."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from tl_widgets.core.events import raise_if_cancelled
from tl_widgets.records.intervals import difference_interval, wilson_interval
from tl_widgets.setup_checks.mistakes.mistake import TwoWays
from tl_widgets.setup_checks.mistakes.trial import Lesson, two_means
from tl_widgets.training.learners import PREDICT_BATCH
from tl_widgets.training.linear_head import LinearHead
from tl_widgets.training.metrics import count_right

_N_LOTS = 5
_HEAD_RATE = 1e-2  # the head must learn its images by heart


def leaky_split(lesson: Lesson) -> TwoWays:
    """A data set that shuffles in every pass, split with take and skip; labels drawn by lot, five times."""
    features = lesson.frozen().read(lesson.dataset.train, on_event=lesson.on_event, cancel=lesson.cancel).values
    found: dict[str, list[float]] = {"right": [], "wrong": []}
    for seed in range(lesson.config.seed, lesson.config.seed + _N_LOTS):
        labels = np.random.default_rng(seed).permutation(np.arange(len(features)) % 2)
        for way, values in found.items():
            values.append(_by_lot(lesson, features, labels, seed=seed, way=way))
    return two_means(found["right"], found["wrong"], n_images=len(features) - _n_train(len(features)))


def _n_train(n: int) -> int:
    """How many of `n` images are trained on."""
    return n * 7 // 10


def _by_lot(lesson: Lesson, features: Any, labels: Any, *, seed: int, way: str) -> float:
    """Validation accuracy of a head on the backbone's features."""
    n, n_train, started = len(features), _n_train(len(features)), time.perf_counter()
    # What tf.data's shuffle(n) does to n positions, of which take and skip then have their part. Its own numbers depend
    # on TensorFlow's global seed as well, which is the learner's: the study's must not. A test has the real thing.
    numbers = np.random.default_rng([seed, 1])
    first = numbers.permutation(n)

    def one_pass() -> Any:
        return numbers.permutation(n) if way == "wrong" else first

    start = np.zeros((features.shape[1], 1), np.float32), np.zeros(1, np.float32)
    head = LinearHead(*start, learning_rate=_HEAD_RATE, dropout=0.0, seed=seed)
    n_epochs = lesson.config.epochs
    for epoch in range(n_epochs):
        raise_if_cancelled(lesson.cancel)
        train = one_pass()[:n_train]
        for at in range(0, n_train, 16):
            head.fit_batch(features[train[at : at + 16]], labels[train[at : at + 16]])
        lesson.say(way, epoch + 1, n_epochs, time.perf_counter() - started)
    held = one_pass()[n_train:]
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
