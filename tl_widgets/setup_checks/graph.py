"""Inspecting a learner's own model without changing it: graph, backbone, outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_widgets.backbones.catalogue import recognize_family
from tl_widgets.backbones.family import PREPROCESSING, Preprocessing
from tl_widgets.backbones.keras_compat import (
    all_layers,
    call_replaced,
    direct_layers,
    graph_of,
    nodes_of,
    producer_of,
)

Array = NDArray[Any]

_SCALES = (keras.layers.Rescaling, keras.layers.Normalization)
_CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)


@dataclass(frozen=True, eq=False)
class FoundBackbone:
    """A backbone inside a model.

    Attributes:
        name: Name of the nested model, or of the module if its layers are inlined in the model.
        module: Module of keras.applications, such as "mobilenet_v2"; "" if it's unknown or not from there.
        preprocessing: How raw pixels are prepared for it; None if unknown.
        layers: Its layers, without nested models.
        tensor: Its input, a symbolic tensor of the model's graph; None if there is none.
        part: The nested model itself, if the outer model has no graph.
    """

    name: str
    module: str
    preprocessing: Preprocessing | None
    layers: tuple[keras.layers.Layer, ...]
    tensor: Any
    part: keras.Model | None = None

    @property
    def norms(self) -> list[keras.layers.BatchNormalization]:
        """Its BatchNormalization layers."""
        return [layer for layer in self.layers if isinstance(layer, keras.layers.BatchNormalization)]

    @property
    def is_frozen(self) -> bool:
        """Whether it has no trainable weights."""
        return not any(layer.trainable_weights for layer in self.layers)

    @property
    def is_random(self) -> bool:
        """Whether it's untrained: BatchNormalization averages, or else biases, are 0."""
        if norms := self.norms:
            return all(not np.any(np.asarray(norm.moving_mean)) for norm in norms)
        biases = [layer.bias for layer in self.layers if getattr(layer, "bias", None) is not None]
        return bool(biases) and not any(np.any(np.asarray(bias)) for bias in biases)


def first_convolution(graph: Any) -> Any:
    """Return the first call of a convolution in a graph, or None."""
    return next((node for node in nodes_of(graph) if isinstance(node.operation, _CONVOLUTIONS)), None)


def run_until(graph: Any, tensor: Any, images: Array) -> Array:
    """Run a graph from its inputs to one of its tensors, in inference mode."""
    inputs = graph.inputs[0] if len(graph.inputs) == 1 else graph.inputs  # Keras warns about a list of one
    return np.asarray(keras.Model(inputs, tensor)(images, training=False), np.float64)


def find_backbone_in(model: keras.Model) -> FoundBackbone | None:
    """Find a model's backbone, nested or inlined; None if it has none."""
    graph = graph_of(model)
    nodes = nodes_of(graph)
    for node in nodes:
        if isinstance(node.operation, keras.Model) and _has_convolutions(node.operation):
            return _describe(node.operation.name, _inner(node.operation), node.arguments.keras_tensors[0])
    for layer in _sublayers(model) if graph is None else ():
        if isinstance(layer, keras.Model) and graph_of(layer) is not None and _has_convolutions(layer):
            return replace(_describe(layer.name, _inner(layer), None), part=layer)
    if recognize_family("", {layer.name for layer in model.layers}) is None:
        return None
    first = first_convolution(graph)
    tensor = _before_padding(first.arguments.keras_tensors[0]) if first is not None else None
    positions = [i for i, layer in enumerate(model.layers) if isinstance(layer, (*_CONVOLUTIONS, keras.layers.Add))]
    return _describe("", tuple(model.layers[: positions[-1] + 1]), tensor, scales_itself=False)


def _before_padding(tensor: Any) -> Any:
    operation = producer_of(tensor)
    return operation.input if isinstance(operation, keras.layers.ZeroPadding2D) else tensor


def _inner(model: keras.Model) -> tuple[keras.layers.Layer, ...]:
    return tuple(layer for layer in all_layers(model)[1:] if not isinstance(layer, keras.Model))


def _has_convolutions(model: keras.Model) -> bool:
    return any(isinstance(layer, _CONVOLUTIONS) for layer in _inner(model))


def _describe(
    name: str, layers: tuple[keras.layers.Layer, ...], tensor: Any, *, scales_itself: bool = True
) -> FoundBackbone:
    family = recognize_family(name, {layer.name for layer in layers})
    module = family.module.rpartition(".")[2] if family is not None and family.is_in_keras else ""
    preprocessing = None if family is None else family.preprocessing
    if scales_itself and any(isinstance(layer, _SCALES) for layer in layers):
        preprocessing = PREPROCESSING["builtin_0_255"]
    return FoundBackbone(name or module, module, preprocessing, layers, tensor)


@dataclass(frozen=True, eq=False)
class Trace:
    """One batch's run through a model in inference mode: the output, and (layer, first input, output) of each call."""

    answers: Array
    calls: list[tuple[keras.layers.Layer, Any, Any]] = field(default_factory=list)

    def input_of(self, layer: keras.layers.Layer) -> Array | None:
        """Return the input of a layer's first call; None if it wasn't called."""
        return next((np.asarray(value, np.float64) for called, value, _ in self.calls if called is layer), None)

    @property
    def last(self) -> keras.layers.Layer | None:
        """The layer that makes the model's output; None if another operation does."""
        for layer, _, output in reversed(self.calls):
            if getattr(output, "shape", None) == self.answers.shape and np.array_equal(
                np.asarray(output), self.answers
            ):
                return layer
        return None


def trace(model: keras.Model, images: Array) -> Trace:
    """Run a batch through a model without a graph, recording each layer's calls."""
    calls: list[tuple[keras.layers.Layer, Any, Any]] = []
    with ExitStack() as recording:
        for layer in {id(part): part for part in _sublayers(model)}.values():
            recording.enter_context(_recorded_calls(layer, calls))
        answers = model(images, training=False)
    return Trace(np.asarray(answers), calls)


def _sublayers(model: keras.layers.Layer) -> Iterator[keras.layers.Layer]:
    """Yield nested layers, but not those inside models with a graph."""
    for layer in direct_layers(model):
        yield layer
        if graph_of(layer) is None:
            yield from _sublayers(layer)


@contextmanager
def _recorded_calls(layer: keras.layers.Layer, calls: list[tuple[keras.layers.Layer, Any, Any]]) -> Iterator[None]:
    """Record a layer's calls within the block."""
    call: Callable[..., Any] = layer.call

    def record(*args: Any, **kwargs: Any) -> Any:
        output = call(*args, **kwargs)
        calls.append((layer, args[0] if args else next(iter(kwargs.values()), None), output))
        return output

    with call_replaced(layer, record):
        yield
