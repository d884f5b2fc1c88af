"""Traced networks that are kept for the next training of the same layers.

TensorFlow takes half a second to trace a small network, and a Lab, a study or repeats train the same layers again and
again from other weights. A training borrows a copy of the network that is traced already, gives it the weights to start
from, and writes the trained ones back.
"""

from __future__ import annotations

import json
import threading
from typing import Any

import keras
import tensorflow as tf

from tl_widgets.backbones.keras_compat import preserved_random_state
from tl_widgets.core.resources import MOST_KEPT_WEIGHTS
from tl_widgets.training.learners import ADDITIONS, Array, KerasLearner, Learner

_MOST_KEPT = 4
# Layers whose configuration says everything.
_LAYERS = (
    keras.layers.InputLayer,
    keras.layers.Rescaling,
    keras.layers.Conv2D,
    keras.layers.MaxPooling2D,
    keras.layers.AveragePooling2D,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.Flatten,
    keras.layers.Dropout,
    keras.layers.Dense,
)
_ACTIVATIONS = (None, *map(keras.activations.get, ("linear", "relu", "sigmoid", "softmax")))
_INITIALIZERS = ("kernel_initializer", "bias_initializer")
_OVERWRITTEN = ("name", "seed", *_INITIALIZERS)

_kept: list[tuple[str, KerasLearner]] = []  # the most recent is the last
_lock = threading.Lock()


def learner_for(
    model: keras.Model, dtype: tf.DType, learning_rate: float, class_weights: Array | None = None
) -> Learner:
    """Return a learner for a model: a borrowed one where the layers are plain and few, else a new one."""
    key = _key(model, dtype, class_weights)
    if key is None:
        return KerasLearner(model, dtype, learning_rate, class_weights)
    with _lock:
        found = next((i for i, (other, _) in enumerate(_kept) if other == key), None)
        learner = None if found is None else _kept.pop(found)[1]
    if learner is None:
        with preserved_random_state():  # a Dropout without a seed draws one
            copy = keras.Sequential.from_config(model.get_config())
        learner = KerasLearner(copy, dtype, learning_rate, class_weights)
    else:
        learner.restart(learning_rate)
    return BorrowedLearner(learner, model, key)


class BorrowedLearner:
    """A learner that trains a traced copy of the model.

    `write_back` gives the model its weights; after the training, `give_back` keeps the copy.
    """

    def __init__(self, learner: KerasLearner, model: keras.Model, key: str) -> None:
        self._learner, self._model, self._key = learner, model, key
        _copy_variables(model, learner.model)
        self.fit_batch, self.probabilities = learner.fit_batch, learner.probabilities

    def write_back(self) -> None:
        """Give the model the trained weights."""
        _copy_variables(self._learner.model, self._model)

    def give_back(self) -> None:
        """Keep the copy for another training. After a Stop a step may still be running, so it can't be kept."""
        with _lock:
            _kept.append((self._key, self._learner))
            del _kept[:-_MOST_KEPT]
            while sum(learner.model.count_params() for _, learner in _kept) > MOST_KEPT_WEIGHTS:
                del _kept[0]


def _key(model: keras.Model, dtype: tf.DType, class_weights: Array | None) -> str | None:
    """Return all that a traced training depends on, apart from the variables; None if that isn't known."""
    if type(model) is not keras.Sequential or not 0 < model.count_params() <= MOST_KEPT_WEIGHTS:
        return None
    if not all(map(_is_plain, model.layers)):
        return None
    if len(model.trainable_variables) != sum(len(layer.weights) for layer in model.layers if layer.trainable):
        return None  # single variables, or the model as a whole, are frozen
    configs = [(type(layer).__name__, _without_names(layer.get_config())) for layer in model.layers]
    devices = [weight.value.device for weight in model.weights]
    weights = None if class_weights is None else class_weights.tolist()
    try:
        key = [model.input_shape[1:], dtype.name, weights, devices, configs]
        return json.dumps([*key, keras.config.floatx(), keras.config.epsilon()], sort_keys=True)
    except TypeError:  # a Rescaling by arrays
        return None


def _is_plain(layer: keras.layers.Layer) -> bool:
    return (
        type(layer) in _LAYERS
        and getattr(layer, "activation", None) in _ACTIVATIONS
        and all(getattr(layer, name, None) is None for name in ADDITIONS)
        and all(map(_is_keras, [getattr(layer, name, None) for name in _INITIALIZERS]))
        and getattr(layer, "rate", None) != 0  # a Dropout that was turned off has a generator, and a copy none
    )


def _is_keras(initializer: object) -> bool:
    """Return whether an initializer, or None, is Keras's own: a configuration can't hold others."""
    return initializer is None or type(initializer).__module__.startswith("keras.")


def _without_names(config: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name not in _OVERWRITTEN}


def _copy_variables(source: keras.Model, target: keras.Model) -> None:
    """Copy weights and the states of random generators."""
    for one, other in zip(source.layers, target.layers, strict=True):
        for mine, its in zip(one.variables, other.variables, strict=True):
            its.assign(mine)
