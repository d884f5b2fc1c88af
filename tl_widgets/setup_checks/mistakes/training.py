"""Mistakes with how a model is trained, in plain Keras."""

from __future__ import annotations

import time
import warnings
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import raise_if_cancelled
from tl_widgets.setup_checks.mistakes.mistake import TwoWays
from tl_widgets.setup_checks.mistakes.trial import Lesson, two_answers, two_runs
from tl_widgets.training.fine_tuning import cut_backbone
from tl_widgets.training.learners import Adam
from tl_widgets.training.metrics import batches, predicted_classes

_BATCH = Config.batch_size


def batch_norm_training(lesson: Lesson) -> TwoWays:
    """The backbone's BatchNormalization layers are trainable, so that Keras runs them in training mode.

    Raises:
        InputError: the backbone has none.
    """
    layers = lesson.layers()
    norms = [one for one in layers[-2].layers if isinstance(one, keras.layers.BatchNormalization)]
    if not norms:
        raise InputError(f"{lesson.entry.name} has no BatchNormalization: choose another backbone for this mistake.")
    right = lesson.run(lesson.transfer(*layers), "right")
    layers[-2].trainable = True
    for layer in layers[-2].layers:
        layer.trainable = layer in norms
    return two_runs(right, lesson.run(lesson.transfer(*layers), "wrong"))


def trainable_without_compile(lesson: Lesson) -> TwoWays:
    """The last block unfrozen after the first step, with and without compiling again."""
    right, n = _share_moved(lesson, compile_again=True)
    wrong, _ = _share_moved(lesson, compile_again=False)
    return TwoWays(right, wrong, n, n, "weights")


def _share_moved(lesson: Lesson, *, compile_again: bool) -> tuple[float, int]:
    """Share of the unfrozen weight arrays that two batches move, and how many arrays there are."""
    raise_if_cancelled(lesson.cancel)
    way, started = "right" if compile_again else "wrong", time.perf_counter()
    layers, split = lesson.layers(), lesson.dataset.train
    model, backbone = lesson.transfer(*layers), layers[-2]
    images, labels = np.asarray(split.images[:8]), split.labels[:8]
    loss = "binary_crossentropy" if model.output_shape[-1] == 1 else "sparse_categorical_crossentropy"
    model.compile(Adam(1e-3), loss)
    model.train_on_batch(images, labels)
    lesson.say(way, 1, 3, time.perf_counter() - started)
    cut_backbone(backbone, 1)  # unfreezes its last block, which is quicker than all of it
    if compile_again:
        model.compile(Adam(1e-3), loss)
    weights = backbone.trainable_weights
    before = [weight.numpy() for weight in weights]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some versions of Keras warn of the very mistake
        for step in (2, 3):
            raise_if_cancelled(lesson.cancel)
            model.train_on_batch(images, labels)
            lesson.say(way, step, 3, time.perf_counter() - started)
    pairs = zip(weights, before, strict=True)
    return float(np.mean([not np.array_equal(weight.numpy(), old) for weight, old in pairs])), len(weights)


def sigmoid_from_logits(lesson: Lesson) -> TwoWays:
    """A head with a sigmoid of its own, on the question "is it the last class?", which any data set can be asked."""
    frozen, splits = lesson.frozen(), (lesson.dataset.train, lesson.dataset.test)
    seen, tested = (frozen.read(s, on_event=lesson.on_event, cancel=lesson.cancel).values for s in splits)
    labels, truth = ((split.labels == lesson.dataset.n_classes - 1).astype(np.int64) for split in splits)
    right, wrong = (_sigmoid_answers(lesson, seen, labels, tested, from_logits=each) for each in (False, True))
    return two_answers(right == truth, wrong == truth)


def _sigmoid_answers(
    lesson: Lesson, seen: Any, labels: NDArray[np.int64], tested: Any, *, from_logits: bool
) -> NDArray[np.int64]:
    """What a head says to `tested` (features), trained on `seen`, by Keras."""
    raise_if_cancelled(lesson.cancel)
    config, started = lesson.config, time.perf_counter()
    way = "wrong" if from_logits else "right"
    dense = keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(seed=config.seed))
    # Keras undoes a sigmoid that it sees as a layer's activation; one that is written out it cannot see.
    model = keras.Sequential([keras.layers.Input(seen.shape[1:]), dense, keras.layers.Lambda(_own_sigmoid)])
    model.compile(Adam(Config.learning_rate), keras.losses.BinaryCrossentropy(from_logits=from_logits))
    for epoch in range(config.epochs):
        for chosen in batches(len(seen), _BATCH, seed=config.seed, epoch=epoch):
            raise_if_cancelled(lesson.cancel)
            model.train_on_batch(seen[chosen], labels[chosen])
        lesson.say(way, epoch + 1, config.epochs, time.perf_counter() - started)
    return predicted_classes(np.asarray(model.predict_on_batch(tested)))


def _own_sigmoid(logits: Any) -> Any:
    return 1 / (1 + keras.ops.exp(-logits))


def bottleneck(lesson: Lesson) -> TwoWays:
    """The article's hidden layer, Dense(6, relu)."""
    return two_runs(lesson.run(lesson.scratch(), "right"), lesson.run(lesson.scratch(6), "wrong"))


def learning_rate(lesson: Lesson) -> TwoWays:
    """A network from scratch with Adam's usual rate, and with a hundred times that."""
    rate = Config.learning_rate
    return two_runs(
        lesson.run(lesson.scratch(), "right"), lesson.run(lesson.scratch(), "wrong", learning_rate=100 * rate)
    )
