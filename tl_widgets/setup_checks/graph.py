"""Where the pretrained backbone is in a learner's own model, and which one it is. Looks only; changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from tl_widgets.setup_checks.trace import parts_of, trace

# A layer that only this family has, and what its `preprocess_input` makes of raw pixels (keras/src/applications).
_FAMILIES = (
    ("block14_sepconv2", "xception", "tf"),
    ("conv_pw_13", "mobilenet", "tf"),
    ("block_16_project", "mobilenet_v2", "tf"),
    ("conv_7b", "inception_resnet_v2", "tf"),
    ("mixed10", "inception_v3", "tf"),
    ("conv2_block1_preact_bn", "resnet_v2", "tf"),
    ("conv2_block1_concat", "densenet", "torch"),
    ("conv2_block1_1_conv", "resnet", "caffe"),
    ("block5_conv3", "vgg16", "caffe"),
    ("normal_conv_1_1", "nasnet", "tf"),
)
_SCALES = (keras.layers.Rescaling, keras.layers.Normalization)
CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)


@dataclass(frozen=True, eq=False)
class FoundBackbone:
    """A backbone inside a model.

    Attributes:
        name: of the nested model, or of the family where its layers are the model's own.
        module: of keras.applications, such as "mobilenet_v2"; "" where it is unknown.
        mode: what it wants of raw pixels, as in the catalogue; "" where that is unknown.
        layers: its layers.
        tensor: what goes into it, a symbolic tensor of the model's graph; None where that cannot be told.
        part: itself, where it is a part of a model that has no graph.
    """

    name: str
    module: str
    mode: str
    layers: tuple[keras.layers.Layer, ...]
    tensor: Any
    part: keras.Model | None = None

    @property
    def is_frozen(self) -> bool:
        """Nothing in it is trained."""
        return not any(layer.trainable_weights for layer in self.layers)

    @property
    def is_random(self) -> bool:
        """Its weights are as they are drawn: untouched averages of BatchNormalization, or biases that are all 0."""
        norms = [layer for layer in self.layers if isinstance(layer, keras.layers.BatchNormalization)]
        if norms:
            return all(not np.any(np.asarray(norm.moving_mean)) for norm in norms)
        biases = [layer.bias for layer in self.layers if getattr(layer, "bias", None) is not None]
        return bool(biases) and not any(np.any(np.asarray(bias)) for bias in biases)


def graph_of(model: keras.Model) -> Any:
    """The functional graph of a Sequential or functional model; None for a subclassed one."""
    graph = getattr(model, "_functional", None) or model
    return graph if hasattr(graph, "_nodes_by_depth") else None


def answers_shape(model: keras.Model, images: Any) -> tuple[int | None, ...]:
    """The shape of a model's answers, the first number of it open.

    Args:
        model: built.
        images: for a model without a graph, which is run with them.
    """
    if graph_of(model) is not None:
        return tuple(model.output_shape)
    return (None, *trace(model, images).answers.shape[1:])


def nodes_of(graph: Any) -> list[Any]:
    """Calls of layers in a graph, from input to output."""
    return [node for depth in sorted(graph._nodes_by_depth, reverse=True) for node in graph._nodes_by_depth[depth]]


def find_backbone_in(model: keras.Model) -> FoundBackbone | None:
    """The backbone of a model, nested or with its layers inlined; None where there is none."""
    graph = graph_of(model)
    nodes = nodes_of(graph) if graph is not None else []
    for node in nodes:
        if isinstance(node.operation, keras.Model) and _has_convolutions(node.operation):
            return _describe(node.operation.name, _inner(node.operation), node.arguments.keras_tensors[0])
    for layer in parts_of(model) if graph is None else ():
        if isinstance(layer, keras.Model) and graph_of(layer) is not None and _has_convolutions(layer):
            return replace(_describe(layer.name, _inner(layer), None), part=layer)
    if _family({layer.name for layer in model.layers}) is None:
        return None
    first = next((node for node in nodes if isinstance(node.operation, CONVOLUTIONS)), None)
    tensor = _before_padding(first.arguments.keras_tensors[0]) if first is not None else None
    own = [i for i, layer in enumerate(model.layers) if isinstance(layer, (*CONVOLUTIONS, keras.layers.Add))]
    return _describe("", tuple(model.layers[: own[-1] + 1]), tensor, scales_itself=False)


def _before_padding(tensor: Any) -> Any:
    history = getattr(tensor, "_keras_history", None)
    operation = getattr(history, "operation", None)
    return operation.input if isinstance(operation, keras.layers.ZeroPadding2D) else tensor


def _inner(model: keras.Model) -> tuple[keras.layers.Layer, ...]:
    return tuple(layer for layer in model._flatten_layers(include_self=False) if not isinstance(layer, keras.Model))


def _has_convolutions(model: keras.Model) -> bool:
    return any(isinstance(layer, CONVOLUTIONS) for layer in _inner(model))


def _family(names: set[str]) -> tuple[str, str] | None:
    return next(((module, mode) for layer, module, mode in _FAMILIES if layer in names), None)


def _describe(
    name: str, layers: tuple[keras.layers.Layer, ...], tensor: Any, *, scales_itself: bool = True
) -> FoundBackbone:
    module, mode = _family({layer.name for layer in layers}) or ("", "")
    if name.lower().startswith("efficientnetlite"):
        mode = "lite"
    elif scales_itself and any(isinstance(layer, _SCALES) for layer in layers):
        mode = "builtin_0_255"
    return FoundBackbone(name or module, module, mode, layers, tensor)
