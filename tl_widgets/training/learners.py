"""Learners, which train batch by batch, and the augmented images that they train on.

A learner is a Keras model, or a Dense layer in NumPy. Augmented copies are made once, before training: a frozen
backbone then processes each only once, and all models train on the same copies.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tl_widgets.backbones.keras_compat import Adam
from tl_widgets.core.resources import require_memory
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import Images, Split
from tl_widgets.records.run import DeadUnits

_MAX_SHIFT = 0.1  # of the side
_BRIGHTNESS = 0.2
PREDICT_BATCH = 32
_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-7  # Adam's constants, as in Keras
_TINY = 1e-7  # Keras clips probabilities here before the logarithm
# What layers may have beyond their arithmetic; `LinearHead` doesn't implement it.
ADDITIONS = ("kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint", "bias_constraint")


def augment_images(images: Images, *, seed: int = 0) -> Images:
    """Return one augmented copy of each image, uint8, shape (n, height, width, 3).

    Each image is mirrored with probability 1/2, shifted by up to a tenth of its side (the edge pixels are repeated)
    and multiplied by a brightness of 0.8 to 1.2.
    """
    random = np.random.default_rng([seed, 2])
    augmented = np.empty(images.shape, np.uint8)
    height, width = images.shape[1:3]
    for i, image in enumerate(images):
        if random.random() < 0.5:
            image = image[:, ::-1]
        down = random.integers(-int(_MAX_SHIFT * height), int(_MAX_SHIFT * height) + 1)
        right = random.integers(-int(_MAX_SHIFT * width), int(_MAX_SHIFT * width) + 1)
        rows = np.clip(np.arange(height) - down, 0, height - 1)
        columns = np.clip(np.arange(width) - right, 0, width - 1)
        factor = random.uniform(1 - _BRIGHTNESS, 1 + _BRIGHTNESS)
        augmented[i] = np.clip(np.rint(image[rows][:, columns] * factor), 0, 255).astype(np.uint8)
    return augmented


def with_augmented(split: Split, n_copies: int, *, seed: int = 0) -> Split:
    """Return the images, then `n_copies` augmented copies of each of them."""
    if not n_copies:
        return split
    require_memory(
        2 * (1 + n_copies) * split.images.nbytes,
        _("Keeping {n_copies} changed copies of {n_split:,} images", n_copies=n_copies, n_split=len(split)),
        _("Use fewer copies, fewer images or smaller ones"),
    )
    images = np.asarray(split.images)
    # Copy j does not depend on n_copies, so its cached features can be reused.
    copies = [augment_images(images, seed=seed * 1000 + j) for j in range(n_copies)]
    return Split(np.concatenate([images, *copies]), np.tile(split.labels, 1 + n_copies))


Array = NDArray[np.float32]


def balanced_weights(labels: NDArray[np.int64], n_classes: int) -> Array:
    """Return a weight for each class, float32 (n_classes,), with which all classes count the same.

    It is n / (n_classes * n_of_class), as scikit-learn's "balanced", so the mean weight of an image is 1.
    """
    counts = np.bincount(labels, minlength=n_classes)
    return (len(labels) / (n_classes * np.maximum(counts, 1))).astype(np.float32)


def cross_entropy(probabilities: Array, labels: NDArray[np.int64], class_weights: Array | None = None) -> float:
    """Return the mean loss of probabilities, (n, 1) for a sigmoid or (n, n_classes).

    With class weights, each image's loss is multiplied by its class's, and divided by n all the same, as in Keras.
    """
    if probabilities.shape[1] == 1:
        right = np.where(labels == 1, probabilities[:, 0], 1 - probabilities[:, 0])
    else:
        right = probabilities[np.arange(len(labels)), labels]
    losses = -np.log(np.clip(right, _TINY, 1 - _TINY))
    return float(losses.mean() if class_weights is None else (losses * class_weights[labels]).mean())


def predicted_classes(probabilities: Array) -> NDArray[np.int64]:
    """Return each row's most probable class, int64 (n,); for a sigmoid, 1 above 0.5."""
    if probabilities.shape[1] == 1:
        return (probabilities[:, 0] > 0.5).astype(np.int64)
    classes: NDArray[np.int64] = probabilities.argmax(axis=1)
    return classes


def count_right(probabilities: Array, labels: NDArray[np.int64]) -> int:
    """Return how many rows have the label as their most probable class."""
    return int((predicted_classes(probabilities) == labels).sum())


def batches(n: int, batch_size: int, *, seed: int, epoch: int) -> Iterator[NDArray[np.int64]]:
    """Yield batches of indices, in an order that depends only on seed and epoch.

    So every model of a comparison trains on the same batches. The last batch may be smaller.
    """
    order = np.random.default_rng([seed, 0, epoch]).permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size]


class Learner(Protocol):
    """A model that trains batch by batch, on images or on their features."""

    def fit_batch(self, inputs: Any, labels: NDArray[np.int64]) -> tuple[float, int]:
        """Train one step; return the mean loss and the correct answers before it."""

    def probabilities(self, inputs: Any) -> Array:
        """Return the probabilities, float32 (n, 1) or (n, n_classes)."""


class LinearHead:
    """A Dense layer with softmax or one sigmoid unit, trained in NumPy as in Keras.

    Keras spends about 2 seconds on 450 steps of a layer with 15,000 weights, nearly all of it overhead. The same
    arithmetic in a loop takes a fortieth of that, so a slider feels instant. A test compares the two.

    Source: D. P. Kingma, J. Ba: Adam, ICLR 2015, in the form at the end of section 2, which Keras uses.
    """

    def __init__(
        self,
        kernel: Array,
        bias: Array,
        *,
        learning_rate: float,
        dropout: float,
        seed: int,
        class_weights: Array | None = None,
    ) -> None:
        self.kernel, self.bias = kernel.astype(np.float32), bias.astype(np.float32)
        self._learning_rate, self._dropout, self._class_weights = learning_rate, dropout, class_weights
        self._random = np.random.default_rng([seed, 1])
        self._step = 0
        self._moments = [(np.zeros_like(weight), np.zeros_like(weight)) for weight in (self.kernel, self.bias)]

    @property
    def is_sigmoid(self) -> bool:
        """Whether one sigmoid unit stands for two classes."""
        return bool(self.kernel.shape[1] == 1)

    def probabilities(self, features: Array) -> Array:
        """Return float32 (n, n_units) for features float32 (n, n_features)."""
        logits: Array = features @ self.kernel + self.bias
        if self.is_sigmoid:
            answers: Array = np.float32(0.5) * (1 + np.tanh(np.float32(0.5) * logits))  # exp() would overflow
            return answers
        logits -= logits.max(axis=1, keepdims=True)
        np.exp(logits, out=logits)
        logits /= logits.sum(axis=1, keepdims=True)
        return logits

    def fit_batch(self, features: Array, labels: NDArray[np.int64]) -> tuple[float, int]:
        """Train one Adam step; return the mean loss and the correct answers before it."""
        if self._dropout:
            kept = self._random.random(features.shape, np.float32) >= self._dropout
            features = features * kept / np.float32(1 - self._dropout)
        answers = self.probabilities(features)
        mean_loss, n_right = cross_entropy(answers, labels, self._class_weights), count_right(answers, labels)
        error = answers.copy()
        if self.is_sigmoid:
            error[:, 0] -= labels
        else:
            error[np.arange(len(labels)), labels] -= 1
        error /= len(labels)
        if self._class_weights is not None:
            error *= self._class_weights[labels][:, None]
        self._step += 1
        self._adam(0, self.kernel, features.T @ error)
        self._adam(1, self.bias, error.sum(axis=0))
        return mean_loss, n_right

    def _adam(self, i: int, weight: Array, gradient: Array) -> None:
        mean, variance = self._moments[i]
        rate = self._learning_rate * np.sqrt(1 - _BETA2**self._step) / (1 - _BETA1**self._step)
        mean += (gradient - mean) * np.float32(1 - _BETA1)
        np.square(gradient, out=gradient)
        gradient -= variance
        gradient *= np.float32(1 - _BETA2)
        variance += gradient
        np.sqrt(variance, out=gradient)
        gradient += np.float32(_EPSILON)
        np.divide(mean, gradient, out=gradient)
        gradient *= np.float32(rate)
        weight -= gradient


class KerasLearner:
    """A Keras model or its trainable end (`model`), with Adam and a loss for its last layer."""

    def __init__(
        self, model: keras.Model, dtype: tf.DType, learning_rate: float, class_weights: Array | None = None
    ) -> None:
        shape = tuple(model.input_shape[1:])
        self.model = model
        self._optimizer = optimizer = Adam(learning_rate)
        optimizer.build(model.trainable_variables)
        losses = keras.losses
        is_sigmoid = model.output_shape[-1] == 1

        # The batch dimension is open: otherwise the smaller last batch would be traced again.
        @tf.function(
            input_signature=[tf.TensorSpec((None, *shape), dtype), tf.TensorSpec((None,), tf.int64)],
            autograph=False,  # nothing depends on a tensor
        )  # type: ignore[untyped-decorator]
        def step(inputs: Any, labels: Any) -> Any:
            with tf.GradientTape() as tape:
                answers = model(tf.cast(inputs, tf.float32), training=True)
                if is_sigmoid:
                    loss = losses.binary_crossentropy(tf.cast(labels[:, None], tf.float32), answers)
                else:
                    loss = losses.sparse_categorical_crossentropy(labels, answers)
                if class_weights is not None:
                    loss *= tf.gather(tf.constant(class_weights), labels)
                total = tf.reduce_mean(loss) + tf.add_n([tf.constant(0.0), *model.losses])
            gradients = tape.gradient(total, model.trainable_variables)
            optimizer.apply(gradients, model.trainable_variables)
            return total, answers

        @tf.function(input_signature=[tf.TensorSpec((PREDICT_BATCH, *shape), dtype)], autograph=False)  # type: ignore[untyped-decorator]
        def answer(inputs: Any) -> Any:
            return model(tf.cast(inputs, tf.float32), training=False)

        self._step, self._answer = step, answer

    def restart(self, learning_rate: float) -> None:
        """Forget what Adam knows, for another training."""
        for variable in self._optimizer.variables:
            variable.assign(keras.ops.zeros_like(variable))
        self._optimizer.learning_rate = learning_rate

    def fit_batch(self, inputs: Any, labels: NDArray[np.int64]) -> tuple[float, int]:
        """Train one Adam step; return the mean loss and the correct answers before it."""
        loss, answers = self._step(tf.constant(inputs), tf.constant(labels))
        return float(loss), count_right(answers.numpy(), labels)

    def probabilities(self, inputs: Any) -> Array:
        """Return float32 (n, 1) or (n, n_classes) for at most `PREDICT_BATCH` inputs."""
        n = len(inputs)
        if n < PREDICT_BATCH:
            inputs = np.concatenate([inputs, np.zeros((PREDICT_BATCH - n, *inputs.shape[1:]), inputs.dtype)])
        answers: Array = self._answer(tf.constant(inputs)).numpy()[:n]
        return answers


def count_dead_units(model: keras.Model, split: Split, *, n_images: int = 128) -> tuple[DeadUnits, ...]:
    """Count the dead units and filters in each ReLU layer of a Sequential model.

    A dead unit outputs 0 for every image. No gradient passes it, so it never learns again.
    """
    relus = [layer for layer in model.layers if getattr(layer, "activation", None) is keras.activations.relu]
    if not relus:
        return ()
    probe = keras.Model(model.inputs[0], [layer.output for layer in relus])
    maximum: list[Any] = [0.0] * len(relus)
    rows = np.unique(np.linspace(0, len(split) - 1, n_images).astype(int))  # rows may be in the order of classes
    for start in range(0, len(rows), PREDICT_BATCH):
        images = np.asarray(split.images[rows[start : start + PREDICT_BATCH]])
        for i, answer in enumerate(keras.tree.flatten(probe(images.astype(np.float32), training=False))):
            values = np.asarray(answer)
            maximum[i] = np.maximum(maximum[i], values.reshape(-1, values.shape[-1]).max(axis=0))
    return tuple(
        DeadUnits(type(layer).__name__, int((values <= 0).sum()), len(values))
        for layer, values in zip(relus, maximum, strict=True)
    )
