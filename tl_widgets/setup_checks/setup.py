"""A learner's own model and data as the checks see them. Of the data, only the first images are read."""

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
_MOST_BYTES = 200_000_000
_N_TRACED = 8  # a subclassed model is run with them, and every layer's output is kept
_LOSSES = {
    "sparsecategoricalcrossentropy": "sparse",
    "categoricalcrossentropy": "categorical",
    "binarycrossentropy": "binary",
}


@dataclass(frozen=True)
class Loss:
    """How answers and loss fit together.

    Attributes:
        kind: "binary", "categorical", "sparse", or "" for a loss that is none of these.
        from_logits: whether the loss expects answers without sigmoid or softmax.
        ending: what the model's answers are: "sigmoid", "softmax" or "linear".
        n_units: how many answers there are for each image.
    """

    kind: str
    from_logits: bool
    ending: Literal["sigmoid", "softmax", "linear"]
    n_units: int


@dataclass(eq=False)
class Setup:
    """A model and what it is trained on.

    Attributes:
        model: built.
        dataset: what it is trained on, in the learner's own form.
        validation: what it is validated on, likewise; None if nothing was given.
        images: float32 (n, height, width, channels), a few of them, as the model takes them.
        labels: of these images as the loss takes them, (n, ...); None if the data have none.
        backbone: the one inside the model; None if there is none.
    """

    model: keras.Model
    dataset: Any
    validation: Any
    images: NDArray[np.float32]
    labels: Array | None
    backbone: FoundBackbone | None = None

    @cached_property
    def graph(self) -> Any:
        """The functional graph; None for a subclassed model."""
        return graph_of(self.model)

    @property
    def nodes(self) -> list[Any]:
        """The calls of layers in the graph, from input to output."""
        return nodes_of(self.graph)

    @property
    def optimizer(self) -> Any:
        """What the model was compiled with; None if it was not."""
        return getattr(self.model, "optimizer", None)

    @cached_property
    def trace(self) -> Trace:
        """The first images on their way through a model without a graph."""
        return trace(self.model, self.images[:_N_TRACED])

    @property
    def input_shape(self) -> tuple[int | None, ...] | None:
        """The images that the model takes: (height, width, channels); None if that cannot be told."""
        if self.graph is None or len(self.graph.inputs) != 1:
            return None
        return tuple(self.graph.inputs[0].shape[1:])

    @property
    def images_fit(self) -> bool:
        """Whether the images have the shape that the model takes, as far as that can be told."""
        wanted, given = self.input_shape, self.images.shape[1:]
        return wanted is None or (
            len(wanted) == len(given) and all(a in (None, b) for a, b in zip(wanted, given, strict=True))
        )

    @property
    def answers_shape(self) -> tuple[int | None, ...]:
        """The shape of the model's answers, the first number of it open."""
        if self.graph is not None:
            return tuple(self.model.output_shape)
        return (None, *self.trace.answers.shape[1:])

    @cached_property
    def backbone_input(self) -> Array | None:
        """What the backbone receives of the images, or of the first of them; None if that cannot be told."""
        if self.backbone is None:
            return None
        if self.backbone.part is not None:
            return self.trace.input_of(self.backbone.part)
        return None if self.backbone.tensor is None else run_until(self.graph, self.backbone.tensor, self.images)

    @cached_property
    def loss(self) -> Loss | None:
        """Loss and answers; None if the model is not compiled, or doesn't answer with one row for each image."""
        has_one = self.graph is None or len(self.graph.outputs) == 1
        if self.optimizer is None or not has_one or len(self.answers_shape) != 2:
            return None
        if self.graph is None:
            last, answers = self.trace.last, self.trace.answers
        else:
            last = self.model.layers[-1]
            answers = np.asarray(self.model(self.images[:_N_TRACED], training=False))
        return Loss(*_loss_of(self.model), _ending(last, answers), answers.shape[-1])


def _loss_of(model: keras.Model) -> tuple[str, bool]:
    """(kind, from_logits) of a loss in any of its forms."""
    loss = getattr(model, "loss", None)
    if isinstance(loss, dict | list | tuple) and len(loss) == 1:
        loss = next(iter(loss.values() if isinstance(loss, dict) else loss))
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    kind = _LOSSES.get(str(name).replace("_", "").lower(), "")
    return kind, takes_logits(loss)


def _ending(last: keras.layers.Layer | None, answers: Array) -> Literal["sigmoid", "softmax", "linear"]:
    """What answers are, by the layer that they come from, or by their range."""
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
    """Take a few images of what a model is trained on.

    Args:
        model: built.
        dataset: an ImageDataset (its training images), (images, labels), a tf.data set or a keras PyDataset.
        validation: in any of these forms.
        n: about how many images, of as many classes as come first.

    Raises:
        InputError: the data have another form, or no images.
    """
    batches = list(_batches(dataset, n))
    if not batches:
        raise InputError("The data hold no image.")
    known = [labels for _, labels in batches if labels is not None]
    labels = np.concatenate(known)[:n] if len(known) == len(batches) else None
    images = np.concatenate([images for images, _ in batches])[:n].astype(np.float32)
    return Setup(model, dataset, validation, images, labels)


def image_keys(data: Any, n: int = 512) -> set[bytes]:
    """Return hashes of about the first `n` images of one pass over data in any form of `read_setup`."""
    return {image_key(image) for images, _ in _batches(data, n) for image in images}


def _batches(data: Any, n: int) -> Iterator[tuple[Array, Array | None]]:
    """Batches until there are `n` images."""
    n_bytes = 0
    for images, labels in _pieces(data, n):
        batch = np.asarray(images)
        if batch.ndim == 3:  # a tf.data set without batch()
            batch, labels = batch[None], None if labels is None else np.asarray(labels)[None]
        if batch.ndim != 4:
            raise InputError(f"Images of shape (n, height, width, channels) are needed; received {batch.shape}.")
        yield batch, None if labels is None else np.asarray(labels)
        n, n_bytes = n - len(batch), n_bytes + batch.nbytes
        if n <= 0 or n_bytes > _MOST_BYTES:
            return


def _pieces(data: Any, n: int) -> Iterator[tuple[Any, Any]]:
    if isinstance(data, ImageDataset):
        rows = np.unique(np.linspace(0, len(data.train) - 1, n).astype(int))  # of all classes
        yield data.train.images[rows], data.train.labels[rows]
    elif isinstance(data, tf.data.Dataset):
        for element in data:
            yield _pair(element)
    elif isinstance(data, keras.utils.PyDataset):
        for i in range(len(data)):
            yield _pair(data[i])
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


def _pair(element: Any) -> tuple[Any, Any]:
    return (element[0], element[1]) if isinstance(element, tuple | list) and len(element) > 1 else (element, None)
