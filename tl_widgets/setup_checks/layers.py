"""What is wrong inside a learner's model: its backbone's state, a bottleneck, an answer for every pixel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from tl_widgets.setup_checks.graph import FoundBackbone, answers_shape, graph_of, nodes_of
from tl_widgets.setup_checks.sample import Sample

_NARROW = 8
_N_IMAGES = 2  # a step in training mode, on copies of the weights


def check_backbone(model: keras.Model, backbone: FoundBackbone | None, sample: Sample) -> Iterator[str]:
    """Random weights that are frozen, and BatchNormalization that training would change."""
    if backbone is None:
        return
    if backbone.is_random:
        if backbone.is_frozen:
            yield (
                f"{backbone.name} is frozen with random weights, so that it has learned nothing and never will: load "
                'pretrained ones (weights="imagenet" or a file), or let it train.'
            )
        return
    norms = [layer for layer in backbone.layers if isinstance(layer, keras.layers.BatchNormalization)]
    if not any(norm.trainable for norm in norms):
        return  # frozen, Keras runs them in inference mode whatever they are called with
    with keras.StatelessScope() as scope:  # on values beside the model: its own averages stay as they are
        model(sample.images[:_N_IMAGES], training=True)
    averages = [variable for norm in norms for variable in (norm.moving_mean, norm.moving_variance)]
    now = [(old, scope.get_current_value(old)) for old in averages]
    if any(new is not None and not np.allclose(np.asarray(old), np.asarray(new)) for old, new in now):
        yield (
            f"BatchNormalization inside {backbone.name} is trainable and runs in training mode in fit(), so that the "
            "averages of a few batches replace those it was trained with: set trainable = False on these layers and "
            f"compile again.{_although(model)}"
        )


def _although(model: keras.Model) -> str:
    """What to say to those who called the backbone with training=False, as older guides do."""
    graph = graph_of(model)
    calls = nodes_of(graph) if graph is not None else []
    if any(node.arguments.kwargs.get("training") is False for node in calls):
        return f" With this Keras ({keras.__version__}), training=False in the call does not prevent it."
    return ""


def check_output(model: keras.Model, backbone: FoundBackbone | None, sample: Sample) -> Iterator[str]:  # noqa: ARG001
    """One answer for each pixel where one for each image is wanted."""
    shape = answers_shape(model, sample.images[:_N_IMAGES])
    if len(shape) == 4 and (sample.labels is None or sample.labels.ndim <= 2):
        yield (
            f"The model's answers have the shape {shape}, one for each pixel: put Flatten or GlobalAveragePooling2D "
            "before the Dense layers."
        )


def check_bottleneck(model: keras.Model, backbone: FoundBackbone | None, sample: Sample) -> Iterator[str]:  # noqa: ARG001
    """Few ReLU units that everything must pass."""
    graph = graph_of(model)
    for node in nodes_of(graph) if graph is not None else ():
        layer = node.operation
        is_narrow = isinstance(layer, keras.layers.Dense) and layer.units <= _NARROW and len(model.output_shape) == 2
        if is_narrow and _is_relu(graph, node) and _all_pass(graph, node):
            yield f"All must pass the {layer.units} ReLU units of {layer.name}, which easily die: give it 64."


def _is_relu(graph: Any, node: Any) -> bool:
    if node.operation.activation is keras.activations.relu:
        return True
    made = {id(tensor) for tensor in node.outputs}
    takers = [other.operation for other in nodes_of(graph) if any(id(t) in made for t in other.arguments.keras_tensors)]
    return (
        bool(takers)
        and all(
            isinstance(taker, keras.layers.ReLU) or getattr(taker, "activation", None) is keras.activations.relu
            for taker in takers
            if not isinstance(taker, keras.layers.Dense)
        )
        and not any(isinstance(taker, keras.layers.Dense) for taker in takers)
    )


def _all_pass(graph: Any, node: Any) -> bool:
    """Whether no path leads from the inputs to the outputs beside this call: a squeeze-and-excite block has one."""
    reached = {id(tensor) for tensor in graph.inputs}
    for other in nodes_of(graph):
        if other is not node and any(id(tensor) in reached for tensor in other.arguments.keras_tensors):
            reached |= {id(tensor) for tensor in other.outputs}
    return not any(id(tensor) in reached for tensor in graph.outputs)
