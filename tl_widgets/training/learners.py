"""What can be trained batch by batch: a Keras model, whole or its trainable end; `head` has the NumPy one."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tl_widgets.core.resources import require_memory
from tl_widgets.data.dataset import Split
from tl_widgets.models.builders import count_parameters
from tl_widgets.records.diagnosis import DeadUnits
from tl_widgets.training.metrics import count_right

Array = NDArray[np.float32]
PREDICT_BATCH = 32


class Learner(Protocol):
    """Something that can be trained batch by batch on one form of the data: images, or features of them."""

    def fit_batch(self, inputs: Any, labels: NDArray[np.int64]) -> tuple[float, int]:
        """One step; the mean loss and the number of right answers before it."""

    def probabilities(self, inputs: Any) -> Array:
        """Answers, float32 (n, 1) or (n, n_classes)."""


class Adam(keras.optimizers.Adam):  # type: ignore[misc]
    """Keras's Adam for one device, without what `apply` leaves behind.

    In a tf.function its sum over replicas enters a gradient into TensorFlow's registry, which is never emptied and
    holds the whole graph: from 3 MB for a small model to 50 MB for a whole backbone that was ever trained
    (Keras 3.15, TensorFlow 2.21).
    """

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Move the variables by their gradients; one that is None belongs to a variable the loss does not depend on."""
        variables = list(self._trainable_variables if trainable_variables is None else trainable_variables)
        if not self.built:
            self.build(variables)
        for gradient, variable in zip(grads, variables, strict=True):
            if gradient is None:
                continue
            self.update_step(gradient, variable, self.learning_rate)
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable))
        self.iterations.assign_add(1)


class KerasLearner:
    """A Keras model, or the trainable end of one, with Adam and the loss that fits its last layer."""

    def __init__(self, model: keras.Model, dtype: tf.DType, learning_rate: float) -> None:
        shape = tuple(model.input_shape[1:])
        optimizer = Adam(learning_rate)
        optimizer.build(model.trainable_variables)
        losses = keras.losses
        is_sigmoid = model.output_shape[-1] == 1

        # The batch dimension is left open: the last, smaller batch would be traced anew.
        @tf.function(input_signature=[tf.TensorSpec((None, *shape), dtype), tf.TensorSpec((None,), tf.int64)])  # type: ignore[untyped-decorator]
        def step(inputs: Any, labels: Any) -> Any:
            with tf.GradientTape() as tape:
                answers = model(tf.cast(inputs, tf.float32), training=True)
                if is_sigmoid:
                    loss = losses.binary_crossentropy(tf.cast(labels[:, None], tf.float32), answers)
                else:
                    loss = losses.sparse_categorical_crossentropy(labels, answers)
                total = tf.reduce_mean(loss) + tf.add_n([tf.constant(0.0), *model.losses])
            gradients = tape.gradient(total, model.trainable_variables)
            optimizer.apply(gradients, model.trainable_variables)
            return total, answers

        @tf.function(input_signature=[tf.TensorSpec((PREDICT_BATCH, *shape), dtype)])  # type: ignore[untyped-decorator]
        def answer(inputs: Any) -> Any:
            return model(tf.cast(inputs, tf.float32), training=False)

        self._step, self._answer = step, answer

    def fit_batch(self, inputs: Any, labels: NDArray[np.int64]) -> tuple[float, int]:
        """One step of Adam; the mean loss and the number of right answers before it."""
        loss, answers = self._step(tf.constant(inputs), tf.constant(labels))
        return float(loss), count_right(answers.numpy(), labels)

    def probabilities(self, inputs: Any) -> Array:
        """Answers to at most `PREDICT_BATCH` inputs, float32 (n, 1) or (n, n_classes)."""
        n = len(inputs)
        if n < PREDICT_BATCH:
            inputs = np.concatenate([inputs, np.zeros((PREDICT_BATCH - n, *inputs.shape[1:]), inputs.dtype)])
        answers: Array = self._answer(tf.constant(inputs)).numpy()[:n]
        return answers


def require_training_memory(model: keras.Model, batch_size: int) -> None:
    """Refuse a model that cannot be trained here.

    It takes weights, their gradients and Adam's two moments, and each layer's maps with their gradients.
    """
    maps = sum(prod(layer.output.shape[1:]) for layer in model.layers)
    n_bytes = 4 * (4 * count_parameters(model).total + 2 * batch_size * maps)
    require_memory(
        n_bytes,
        f"Training {model.name!r} in batches of {batch_size}",
        "Use smaller images, a smaller batch size, fewer filters or global average pooling",
    )


def count_dead_units(model: keras.Model, split: Split, *, n_images: int = 128) -> tuple[DeadUnits, ...]:
    """Count ReLU units that answer 0 to every image: no gradient passes them, so that they never learn again.

    Args:
        model: a Sequential; a unit is a filter of a Conv2D or a unit of a Dense layer.
        split: images to show it.
        n_images: how many of them.

    Returns:
        One record for each layer with ReLU units.
    """
    relus = [layer for layer in model.layers if getattr(layer, "activation", None) is keras.activations.relu]
    if not relus:
        return ()
    probe = keras.Model(model.inputs[0], [layer.output for layer in relus])
    maximum: list[Any] = [0.0] * len(relus)
    rows = np.unique(np.linspace(0, len(split) - 1, n_images).astype(int))  # of all classes: rows may be in class order
    for start in range(0, len(rows), PREDICT_BATCH):
        images = np.asarray(split.images[rows[start : start + PREDICT_BATCH]])
        for i, answer in enumerate(keras.tree.flatten(probe(images.astype(np.float32), training=False))):
            values = np.asarray(answer)
            maximum[i] = np.maximum(maximum[i], values.reshape(-1, values.shape[-1]).max(axis=0))
    return tuple(
        DeadUnits(type(layer).__name__, int((values <= 0).sum()), len(values))
        for layer, values in zip(relus, maximum, strict=True)
    )
