"""The outputs of a learner's model, each with its loss, metrics and labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_widgets.backbones.keras_compat import graph_of, metrics_of, nodes_of, producer_of, takes_logits
from tl_widgets.core.translation import _
from tl_widgets.setup_checks.tracing import Trace

Array = NDArray[Any]
_LOSSES = {
    "sparsecategoricalcrossentropy": "sparse",
    "categoricalcrossentropy": "categorical",
    "categoricalfocalcrossentropy": "categorical",
    "kldivergence": "categorical",
    "kullbackleiblerdivergence": "categorical",
    "binarycrossentropy": "binary",
    "binaryfocalcrossentropy": "binary",
    "mse": "regression",
    "mae": "regression",
    "meansquarederror": "regression",
    "meanabsoluteerror": "regression",
    "huber": "regression",
    "logcosh": "regression",
}
# Activations that no classification loss can take.
ODD_ENDS = ("relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "tanh", "softplus", "softsign")
_PASSING = (
    keras.layers.Flatten,
    keras.layers.Reshape,
    keras.layers.Identity,
    keras.layers.Rescaling,
    keras.layers.Dropout,
)


@dataclass(frozen=True, eq=False)
class Output:
    """One output of a model.

    Attributes:
        name: Its name; "" if it's the only one.
        answers: What the model outputs for a few images.
        activation: "sigmoid", "softmax", "linear", or the name of another activation.
        layer: The name of its last layer; "" if unknown.
        kind: "binary", "categorical", "sparse", "regression", or "" for any other loss or none.
        from_logits: Whether the loss applies sigmoid or softmax itself.
        loss: The name of the loss; "" if there is none.
        labels: The labels that are known, (n, ...); None if there are none.
        metrics: The metrics in the learner's form.
    """

    name: str
    answers: Array
    activation: str
    layer: str
    kind: str
    from_logits: bool
    loss: str
    labels: Array | None
    metrics: tuple[Any, ...]

    @property
    def n_units(self) -> int:
        """The number of values for each image."""
        return int(self.answers.shape[-1]) if self.answers.ndim == 2 else 0

    @property
    def where(self) -> str:
        """The last layer, for a message."""
        return _("layer {layer}", layer=self.layer) if self.layer else _("the last layer")


def outputs_of(model: keras.Model, answers: Any, all_labels: Any, trace: Trace | None) -> tuple[Output, ...]:
    """Return the model's outputs.

    Args:
        model: The learner's model.
        answers: What it outputs for a few images; None gives no outputs.
        all_labels: The labels that are known, in the learner's form.
        trace: The run that gave the answers, for a model without a graph.
    """
    graph = graph_of(model)
    if answers is None:
        return ()
    if isinstance(answers, Mapping):
        names, values = list(map(str, answers)), list(answers.values())
    elif isinstance(answers, tuple | list):
        names = [str(name) for name in getattr(model, "output_names", range(len(answers)))]
        values = list(answers)
    else:
        names, values = [str(name) for name in getattr(model, "output_names", None) or ("",)][:1], [answers]
    tensors = graph.outputs if graph is not None else [None] * len(values)
    if len(names) != len(values) or len(tensors) != len(values):
        return ()
    found = []
    for i, (name, value, tensor) in enumerate(zip(names, values, tensors, strict=True)):
        if graph is None:
            layer, activation = _named(trace.last_of(value) if trace is not None else None)
        else:
            layer, activation = _end_of(tensor)
        loss = _part(getattr(model, "loss", None), i, name, len(values))
        kind, from_logits, loss_name = _kind(loss)
        labels = _part(all_labels, i, name, len(values))
        found.append(
            Output(
                name if len(values) > 1 else "",
                value,
                _judged(activation, value),
                layer,
                kind,
                from_logits,
                loss_name,
                labels if isinstance(labels, np.ndarray) else None,
                tuple(_metrics(metrics_of(model), i, name, len(values))),
            )
        )
    return tuple(found)


def _part(whole: Any, i: int, name: str, n: int) -> Any:
    """Return the part of a loss or of labels that belongs to one output."""
    if isinstance(whole, Mapping):
        return whole.get(name, next(iter(whole.values())) if len(whole) == n == 1 else None)
    if isinstance(whole, tuple | list):
        return whole[i] if len(whole) == n else None
    return whole if n == 1 or isinstance(whole, str) or callable(whole) else None


def _metrics(metrics: Any, i: int, name: str, n: int) -> Iterator[Any]:
    part = _part(metrics, i, name, n) if isinstance(metrics, Mapping) or n > 1 else metrics
    for metric in part if isinstance(part, tuple | list) else (part,):
        if isinstance(metric, tuple | list):
            yield from metric
        elif metric is not None:
            yield metric


def _kind(loss: Any) -> tuple[str, bool, str]:
    """Return (kind, from_logits, name) of a loss in any form that `compile` accepts."""
    if loss is None:
        return "", False, ""
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    return _LOSSES.get(str(name).replace("_", "").lower(), ""), takes_logits(loss), str(name)


def _named(layer: Any) -> tuple[str, str]:
    """Return the name and the activation of a layer or operation."""
    if layer is None:
        return "", ""
    kind = type(layer).__name__
    if isinstance(layer, keras.layers.Softmax) or kind in ("Softmax", "Sigmoid"):
        return str(layer.name), kind.lower()
    if isinstance(layer, keras.layers.ReLU | keras.layers.LeakyReLU | keras.layers.ELU):
        return str(layer.name), kind.lower().replace("leakyrelu", "leaky_relu")
    if kind in ("Relu", "Relu6", "Tanh", "Gelu", "Elu", "Selu"):
        return str(layer.name), kind.lower()
    return str(layer.name), str(getattr(getattr(layer, "activation", None), "__name__", ""))


def _end_of(tensor: Any) -> tuple[str, str]:
    """Return the name and the activation of the layer that decides one output of a graph."""
    layer = producer_of(tensor)
    while True:
        graph = graph_of(layer) if isinstance(layer, keras.Model) else None
        if graph is not None:
            layer = producer_of(graph.outputs[0])
        elif isinstance(layer, _PASSING) or (
            isinstance(layer, keras.layers.Activation) and layer.activation is keras.activations.linear
        ):
            layer = producer_of(layer.input)
        else:
            return _named(layer)


def _judged(name: str, answers: Array) -> str:
    """Return what the output is, by its layer's activation or else by its range."""
    if name in ("sigmoid", "softmax", *ODD_ENDS):
        return name
    values = np.asarray(answers, np.float64)
    if not values.size or values.min() < 0 or values.max() > 1:
        return "linear"
    if values.shape[-1] > 1 and np.allclose(values.sum(axis=-1), 1, atol=5e-3):
        return "softmax"
    return "linear" if name == "linear" else "sigmoid"


def is_compiled(model: Any) -> bool:
    """Return whether a model has an optimizer."""
    return getattr(model, "optimizer", None) is not None


def softmax_inside(graph: Any) -> Iterator[keras.layers.Layer]:
    """Yield layers with softmax whose output another Dense layer takes."""
    nodes = nodes_of(graph)
    for node in nodes:
        _, activation = _named(node.operation)
        if isinstance(node.operation, keras.Model):
            inner = graph_of(node.operation)
            activation = _end_of(inner.outputs[0])[1] if inner is not None else ""
        if activation != "softmax":
            continue
        ids = {id(tensor) for tensor in node.outputs}
        takers = [other for other in nodes if any(id(t) in ids for t in other.arguments.keras_tensors)]
        while takers and isinstance(takers[0].operation, _PASSING):
            ids = {id(tensor) for tensor in takers[0].outputs}
            takers = [other for other in nodes if any(id(t) in ids for t in other.arguments.keras_tensors)]
        if takers and isinstance(takers[0].operation, keras.layers.Dense):
            yield node.operation
