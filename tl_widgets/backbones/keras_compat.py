"""Everything this package takes from Keras that is no part of its public interface (checked on Keras 3.15.1).

Each function rests on an assumption about Keras's own code; tests/test_keras_compat.py holds a contract test for each,
so a new Keras that breaks one fails there, by name, and not in the middle of an experiment.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras


def all_layers(layer: keras.layers.Layer) -> tuple[keras.layers.Layer, ...]:
    """Return a layer and all layers inside it, at any depth."""
    return tuple(layer._flatten_layers())


def direct_layers(layer: keras.layers.Layer) -> tuple[keras.layers.Layer, ...]:
    """Return the layers that are attributes of a layer, without those inside them."""
    return tuple(layer._flatten_layers(include_self=False, recursive=False))


def graph_of(model: keras.layers.Layer) -> Any:
    """Return the functional graph of a Sequential or functional model; None for a subclassed one."""
    graph = getattr(model, "_functional", None) or model
    return graph if hasattr(graph, "_nodes_by_depth") else None


def nodes_of(graph: Any) -> list[Any]:
    """Return the calls of layers in a graph, from input to output; none if there is no graph.

    Each has `operation`, the layer, and `arguments.keras_tensors`, its inputs.
    """
    depths = {} if graph is None else graph._nodes_by_depth
    return [node for depth in sorted(depths, reverse=True) for node in depths[depth]]


def producer_of(tensor: Any) -> Any:
    """Return the layer whose output a symbolic tensor is; None for anything else."""
    return getattr(getattr(tensor, "_keras_history", None), "operation", None)


def run_graph(model: keras.Model, values: Any, wrap: Callable[[Any], Callable[..., Any]]) -> Any:
    """Run a functional model on one input with each of its operations replaced by `wrap(operation)`.

    Keras has no public walk through a graph.
    """
    return model._run_through_graph([values], operation_fn=wrap)


def is_functional(layer: Any) -> bool:
    """Return whether `run_graph` can run a layer."""
    return isinstance(layer, keras.Model) and hasattr(layer, "_run_through_graph")


def takes_training(layer: Any) -> bool:
    """Return whether a layer or operation accepts the argument `training`."""
    return bool(getattr(layer, "_call_has_training_arg", False))


def is_random(layer: keras.layers.Layer) -> bool:
    """Return whether a layer answers by chance in training (Dropout, StochasticDepth, RandomFlip)."""
    drop_path_rate = getattr(layer, "drop_path_rate", None)  # StochasticDepth has no generator of its own
    has_generator = getattr(layer, "seed_generator", None) is not None
    if drop_path_rate is None and not has_generator and not type(layer).__name__.startswith("Random"):
        return False
    return bool(getattr(layer, "rate", 1 if drop_path_rate is None else drop_path_rate))


def learning_rate_schedule(optimizer: Any) -> Any:
    """Return the schedule of an optimizer's learning rate; None for a constant one.

    `optimizer.learning_rate` is a schedule's value at the present step alone.
    """
    rate = getattr(optimizer, "_learning_rate", None)
    return rate if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule) else None


def variables_of(optimizer: Any) -> list[Any]:
    """Return the variables that a built optimizer moves."""
    return list(optimizer._trainable_variables)


def takes_logits(loss: Any) -> bool:
    """Return whether a loss was made with from_logits=True."""
    options = getattr(loss, "_fn_kwargs", {}) or {}
    return bool(getattr(loss, "from_logits", options.get("from_logits", False)))


def scale_variance(layer: keras.layers.Normalization, factor: Any) -> None:
    """Multiply the variance by which a Normalization layer divides."""
    layer.adapt_variance.assign(layer.adapt_variance * factor)
    layer.finalize_state()


@contextmanager
def call_replaced(layer: keras.layers.Layer, call: Callable[..., Any]) -> Iterator[None]:
    """Let `call` stand in for a layer's own method `call` within the block.

    Keras would take note of a new attribute, so it is set past Keras.
    """
    object.__setattr__(layer, "call", call)
    try:
        yield
    finally:
        object.__delattr__(layer, "call")


@contextmanager
def undisturbed() -> Iterator[None]:
    """Build layers without a trace: Keras seeds each initializer from Python's global generator."""
    state = random.getstate()
    try:
        with warnings.catch_warnings():
            # MobileNets warn about any size they were not trained at; choosing one is this toolkit's purpose.
            warnings.filterwarnings("ignore", message="`input_shape` is undefined")
            yield
    finally:
        random.setstate(state)


def freeze(model: keras.Model) -> None:
    """Make all weights of a model non-trainable and switch off every Dropout inside.

    Keras runs a nested model's layers in the outer model's mode, whatever `training=False` it was called with.
    """
    model.trainable = False
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0  # saved with the model, so it holds after loading too


class Adam(keras.optimizers.Adam):  # type: ignore[misc]
    """Keras's Adam for one device, without what `apply` leaves behind.

    In a tf.function its sum over replicas enters a gradient into TensorFlow's registry, which is never emptied and
    holds the whole graph: from 3 MB for a small model to 50 MB for a whole backbone that was ever trained
    (Keras 3.15, TensorFlow 2.21).
    """

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Move the variables by their gradients; one that is None belongs to a variable the loss does not depend on."""
        variables = list(variables_of(self) if trainable_variables is None else trainable_variables)
        if not self.built:
            self.build(variables)
        for gradient, variable in zip(grads, variables, strict=True):
            if gradient is None:
                continue
            self.update_step(gradient, variable, self.learning_rate)
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable))
        self.iterations.assign_add(1)
