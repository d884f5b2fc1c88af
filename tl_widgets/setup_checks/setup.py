"""A learner's own model and first images, in the form that the checks use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tl_widgets.backbones.keras_compat import graph_of, nodes_of, takes_logits
from tl_widgets.core.errors import InputError
from tl_widgets.data.dataset import ImageDataset, image_key
from tl_widgets.setup_checks.graph import FoundBackbone, Trace, run_until, trace

Array = NDArray[Any]
_MAX_BYTES = 200_000_000
_N_TRACED = 8  # images run through a subclassed model, keeping every layer's output
_LOSSES = {
    "sparsecategoricalcrossentropy": "sparse",
    "categoricalcrossentropy": "categorical",
    "binarycrossentropy": "binary",
}


@dataclass(frozen=True)
class Loss:
    """The loss, and the model's output that it receives.

    `kind` is "binary", "categorical", "sparse", or "" for any other loss. `activation` and `n_units`
    describe the output.
    """

    kind: str
    from_logits: bool
    activation: Literal["sigmoid", "softmax", "linear"]
    n_units: int


@dataclass(eq=False)
class Setup:
    """A built model and its data.

    Attributes:
        dataset: The training data in the learner's form.
        validation: The validation data in the learner's form, or None.
        images: A few training images in the form that the model takes: float32 (n, height, width, channels).
        labels: Their labels in the form that the loss takes, (n, ...); None if the data have none.
        backbone: The backbone inside the model, or None.
    """

    model: keras.Model
    dataset: Any
    validation: Any
    images: NDArray[np.float32]
    labels: Array | None
    backbone: FoundBackbone | None = None

    @cached_property
    def graph(self) -> Any:
        """The model's graph; None for a subclassed model."""
        return graph_of(self.model)

    @property
    def nodes(self) -> list[Any]:
        """The layer calls of the graph, from input to output."""
        return nodes_of(self.graph)

    @property
    def optimizer(self) -> Any:
        """The optimizer; None if the model isn't compiled."""
        return getattr(self.model, "optimizer", None)

    @cached_property
    def trace(self) -> Trace:
        """The trace of the first images through a model without a graph."""
        return trace(self.model, self.images[:_N_TRACED])

    @property
    def input_shape(self) -> tuple[int | None, ...] | None:
        """The model's image shape, (height, width, channels); None if unknown."""
        if self.graph is None or len(self.graph.inputs) != 1:
            return None
        return tuple(self.graph.inputs[0].shape[1:])

    @property
    def images_fit(self) -> bool:
        """Whether the images have the model's image shape; True if that is unknown."""
        expected, received = self.input_shape, self.images.shape[1:]
        return expected is None or (
            len(expected) == len(received) and all(a in (None, b) for a, b in zip(expected, received, strict=True))
        )

    @property
    def answers_shape(self) -> tuple[int | None, ...]:
        """The shape of the model's output, with None for the batch."""
        if self.graph is not None:
            return tuple(self.model.output_shape)
        return (None, *self.trace.answers.shape[1:])

    @cached_property
    def backbone_input(self) -> Array | None:
        """The backbone's input for the images (or the first few); None if unknown."""
        if self.backbone is None:
            return None
        if self.backbone.part is not None:
            return self.trace.input_of(self.backbone.part)
        return None if self.backbone.tensor is None else run_until(self.graph, self.backbone.tensor, self.images)

    @cached_property
    def loss(self) -> Loss | None:
        """The loss; None if the model isn't compiled, or has no single row per image."""
        has_one = self.graph is None or len(self.graph.outputs) == 1
        if self.optimizer is None or not has_one or len(self.answers_shape) != 2:
            return None
        if self.graph is None:
            last, answers = self.trace.last, self.trace.answers
        else:
            last = self.model.layers[-1]
            answers = np.asarray(self.model(self.images[:_N_TRACED], training=False))
        return Loss(*_loss_of(self.model), _output_activation(last, answers), answers.shape[-1])


def _loss_of(model: keras.Model) -> tuple[str, bool]:
    """Return (kind, from_logits) of a loss in any form that `compile` accepts."""
    loss = getattr(model, "loss", None)
    if isinstance(loss, dict | list | tuple) and len(loss) == 1:
        loss = next(iter(loss.values() if isinstance(loss, dict) else loss))
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    kind = _LOSSES.get(str(name).replace("_", "").lower(), "")
    return kind, takes_logits(loss)


def _output_activation(last: keras.layers.Layer | None, answers: Array) -> Literal["sigmoid", "softmax", "linear"]:
    """Return what the output is, judging by its layer, or else by its range."""
    if isinstance(last, keras.layers.Softmax):
        return "softmax"
    name = str(getattr(getattr(last, "activation", None), "__name__", ""))
    if name == "sigmoid":
        return "sigmoid"
    if name == "softmax":
        return "softmax"
    if answers.min() < 0 or answers.max() > 1:
        return "linear"
    if answers.shape[-1] > 1 and np.allclose(answers.sum(axis=-1), 1, atol=1e-3):
        return "softmax"
    return "linear" if name == "linear" else "sigmoid"


def read_setup(model: keras.Model, dataset: Any, validation: Any = None, n: int = 32) -> Setup:
    """Read at most `n` training images from any data that `check_setup` takes."""
    batches = list(_batches(dataset, n))
    if not batches:
        raise InputError("The data contain no images.")
    label_batches = [labels for _, labels in batches if labels is not None]
    labels = np.concatenate(label_batches)[:n] if len(label_batches) == len(batches) else None
    images = np.concatenate([images for images, _ in batches])[:n].astype(np.float32)
    return Setup(model, dataset, validation, images, labels)


def image_keys(data: Any, n: int = 512) -> set[bytes]:
    """Return the hashes of about `n` images from one pass over the data."""
    return {image_key(image) for images, _ in _batches(data, n) for image in images}


def _batches(data: Any, n: int) -> Iterator[tuple[Array, Array | None]]:
    """Yield batches until there are `n` images, or 200 MB."""
    n_bytes = 0
    for images, labels in _raw_batches(data, n):
        batch = np.asarray(images)
        if batch.ndim == 3:  # a tf.data.Dataset without batch()
            batch, labels = batch[None], None if labels is None else np.asarray(labels)[None]
        if batch.ndim != 4:
            raise InputError(f"Images of shape (n, height, width, channels) are needed; received {batch.shape}.")
        yield batch, None if labels is None else np.asarray(labels)
        n, n_bytes = n - len(batch), n_bytes + batch.nbytes
        if n <= 0 or n_bytes > _MAX_BYTES:
            return


def _raw_batches(data: Any, n: int) -> Iterator[tuple[Any, Any]]:
    if isinstance(data, ImageDataset):
        rows = np.unique(np.linspace(0, len(data.train) - 1, n).astype(int))  # images may be in the order of classes
        yield data.train.images[rows], data.train.labels[rows]
    elif isinstance(data, tf.data.Dataset):
        for element in data:
            yield _images_and_labels(element)
    elif isinstance(data, keras.utils.PyDataset):
        for i in range(len(data)):
            yield _images_and_labels(data[i])
    elif isinstance(data, np.ndarray):
        yield data[:n], None
    elif isinstance(data, tuple | list) and len(data) == 2 and len(data[0]) == len(data[1]):
        rows = np.unique(np.linspace(0, len(data[0]) - 1, n).astype(int))
        yield np.asarray(data[0])[rows], np.asarray(data[1])[rows]
    else:
        raise InputError(
            "check_setup takes an ImageDataset, (images, labels) as arrays, or a tf.data set of such batches; received "
            f"{type(data).__name__}."
        )


def _images_and_labels(element: Any) -> tuple[Any, Any]:
    return (element[0], element[1]) if isinstance(element, tuple | list) and len(element) > 1 else (element, None)
