"""A learner's own model and data, in the form that the checks use."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_widgets.backbones.keras_compat import graph_of, nodes_of
from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.setup_checks.data import Array, Batch, Data, at, leaves
from tl_widgets.setup_checks.graph import FoundBackbone
from tl_widgets.setup_checks.outputs import Output, outputs_of
from tl_widgets.setup_checks.pixel_forms import Form, form_of
from tl_widgets.setup_checks.tracing import WEIGHTED, Reached, Trace, run_until, trace

_N_RUN = 8  # images that are run through the model


@dataclass(eq=False)
class Setup:
    """A built model and its data.

    Attributes:
        model: The learner's model.
        data: The training data.
        validation: The validation data, or None.
        batch: A few training images with their labels, as they come.
        backbone: The backbone inside the model, or None.
        history: The curves of a training: {"loss": [...], ...}; None if there was none.
    """

    model: keras.Model
    data: Data
    validation: Data | None
    batch: Batch
    backbone: FoundBackbone | None = None
    history: dict[str, list[float]] | None = None

    @cached_property
    def images(self) -> NDArray[np.float32]:
        """A few training images, float32 (n, height, width, channels)."""
        return np.asarray(self.batch.images, np.float32)

    @cached_property
    def is_image(self) -> bool:
        """Whether the data are images with an axis for channels."""
        return self.images.ndim == 4

    @cached_property
    def form(self) -> Form:
        """How the training images were prepared."""
        return form_of(self.images)

    @cached_property
    def all_labels(self) -> Any:
        """The labels of all training images, or of the first thousands; None if the data have none."""
        return self.data.all_labels

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

    @property
    def input_shape(self) -> tuple[int | None, ...] | None:
        """The model's image shape, (height, width, channels); None if unknown."""
        shapes = _input_shapes(self.graph)
        return max(shapes, key=len) if shapes else None

    @property
    def missing_inputs(self) -> tuple[str, ...]:
        """The names of the model's inputs that a dictionary of inputs doesn't hold."""
        if self.graph is None or not isinstance(self.batch.inputs, dict):
            return ()
        return tuple(name for name in _input_names(self.graph) if name not in self.batch.inputs)

    @property
    def images_fit(self) -> bool:
        """Whether the images have the model's image shape; True if that is unknown."""
        expected, received = self.input_shape, self.images.shape[1:]
        if self.missing_inputs:
            return False
        if expected is None:
            return True
        return len(expected) == len(received) and all(a in (None, b) for a, b in zip(expected, received, strict=True))

    def inputs(self, n: int = _N_RUN) -> Any:
        """Return what the model takes, for the first `n` images."""
        return keras.tree.map_structure(
            lambda leaf: leaf[:n].astype(np.float32) if leaf.dtype.kind in "uifb" else leaf[:n], self.batch.inputs
        )

    @cached_property
    def trace(self) -> Trace:
        """The trace of the first images through a model without a graph."""
        return trace(self.model, self.inputs())

    @cached_property
    def answers(self) -> Any:
        """The model's answers to a few images, as arrays; None if the images don't fit."""
        if not self.images_fit:
            return None
        if self.graph is None:
            return self.trace.answers
        return keras.tree.map_structure(keras.ops.convert_to_numpy, self.model(self.inputs(), training=False))

    @cached_property
    def outputs(self) -> tuple[Output, ...]:
        """The model's outputs with their losses and labels."""
        trace_of_answers = self.trace if self.graph is None and self.answers is not None else None
        return outputs_of(self.model, self.answers, self.all_labels, trace_of_answers)

    @property
    def answers_shape(self) -> tuple[int | None, ...]:
        """The shape of the model's only output, with None for the batch; () if it has several."""
        if self.graph is not None:
            shape = self.model.output_shape
            return tuple(shape) if not isinstance(shape, list | dict) and isinstance(shape[0], int | None) else ()
        answers = self.answers
        return (None, *answers.shape[1:]) if isinstance(answers, np.ndarray) else ()

    @cached_property
    def first_layer(self) -> Reached | None:
        """What the first layer with a kernel receives."""
        return run_until(self.model, self.inputs(), lambda layer: isinstance(layer, WEIGHTED))

    @cached_property
    def backbone_input(self) -> Array | None:
        """The backbone's input for the first images; None if unknown."""
        entrance = None if self.backbone is None else self.backbone.entrance
        if entrance is None:
            return None
        reached = run_until(self.model, self.inputs(), lambda layer: layer is entrance)
        return None if reached is None else reached.values


def _input_shapes(graph: Any) -> list[tuple[int | None, ...]]:
    return [tuple(tensor.shape[1:]) for tensor in graph.inputs] if graph is not None else []


def _input_names(graph: Any) -> list[str]:
    return [str(tensor.name) for tensor in graph.inputs]


def read_setup(model: keras.Model, dataset: Any, validation: Any = None) -> Setup:
    """Read a few training images from any data that `check_setup` takes."""
    shapes = _input_shapes(graph_of(model)) if model.built else []
    rank = 1 + max(map(len, shapes), default=3)
    if isinstance(validation, float) and not isinstance(dataset, ImageDataset):
        dataset, validation = _split(Data(dataset, rank), validation)
    data = Data(dataset, rank)
    other: Data | None = None
    if validation is not None:
        other = data if validation is dataset else Data(validation, rank)
    elif isinstance(dataset, ImageDataset):
        other = Data(dataset, rank, "validation")
    batch = data.sample
    images = batch.images
    is_odd = images.ndim < 2 if shapes else images.ndim != 4
    if images.dtype.kind not in "uifb" or is_odd:
        raise InputError(
            _(
                "Images of shape (n, height, width, channels) are needed; received {dtype} {shape}.",
                dtype=images.dtype,
                shape=images.shape,
            )
        )
    return Setup(model, data, other, batch)


def _split(data: Data, fraction: float) -> tuple[Any, Any]:
    """Split arrays as `fit(validation_split=)` does: the last images become the validation data."""
    if not data.is_array or not 0 < fraction < 1:
        raise InputError(
            _(
                "validation={fraction} stands for fit(validation_split={fraction}): it takes arrays and "
                "a share between 0 and 1. Otherwise give the validation data themselves.",
                fraction=str(fraction),
            )
        )
    whole = data.arrays
    n = len(whole.images)
    first, last = slice(0, int(n * (1 - fraction))), slice(int(n * (1 - fraction)), n)
    if whole.labels is None or any(len(leaf) != n for leaf in leaves(whole.labels).values()):
        raise InputError(_("There must be one label for each image."))
    parts = [(at(whole.inputs, rows), at(whole.labels, rows)) for rows in (first, last)]
    return parts[0], parts[1]
