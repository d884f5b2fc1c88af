"""All use of Keras beyond its public API (checked with Keras 3.15.1).

tests/test_keras_compat.py has a contract test for each function, so a new Keras that breaks one fails there, by name.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import keras
from keras.src.models.functional import Functional


def all_layers(layer: keras.layers.Layer) -> tuple[keras.layers.Layer, ...]:
    """Return a layer and all layers nested in it, at any depth."""
    return tuple(layer._flatten_layers())


def direct_layers(layer: keras.layers.Layer) -> tuple[keras.layers.Layer, ...]:
    """Return the layers that are direct attributes of a layer."""
    return tuple(layer._flatten_layers(include_self=False, recursive=False))


def graph_of(model: keras.layers.Layer) -> Any:
    """Return a Sequential or functional model's graph; None for a subclassed model."""
    graph = getattr(model, "_functional", None) or model
    return graph if hasattr(graph, "_nodes_by_depth") else None


def nodes_of(graph: Any) -> list[Any]:
    """Return a graph's layer calls, from input to output; empty for None.

    A call's layer is `operation`, and its inputs are `arguments.keras_tensors`.
    """
    depths = {} if graph is None else graph._nodes_by_depth
    return [node for depth in sorted(depths, reverse=True) for node in depths[depth]]


def producer_of(tensor: Any) -> Any:
    """Return the layer that outputs a symbolic tensor; None for anything else."""
    return getattr(getattr(tensor, "_keras_history", None), "operation", None)


def run_graph(model: keras.Model, values: Any, wrap: Callable[[Any], Callable[..., Any]]) -> Any:
    """Run a functional model as calling it does, with `wrap(operation)` in place of each operation."""
    outputs = model._run_through_graph(model._standardize_inputs(values), operation_fn=wrap)
    is_alone = isinstance(outputs, list | tuple) and len(outputs) == 1
    return outputs[0] if is_alone else outputs


def is_functional(layer: Any) -> bool:
    """Return whether `run_graph` gives what calling a layer gives: a subclass may have a `call` of its own."""
    return getattr(type(layer), "call", None) is Functional.call


def takes_training(layer: Any) -> bool:
    """Return whether a layer or operation accepts the argument `training`."""
    return bool(getattr(layer, "_call_has_training_arg", False))


def is_random(layer: keras.layers.Layer) -> bool:
    """Return whether a layer's output is random in training (Dropout, RandomFlip)."""
    drop_path_rate = getattr(layer, "drop_path_rate", None)  # StochasticDepth has no generator
    has_generator = getattr(layer, "seed_generator", None) is not None
    if drop_path_rate is None and not has_generator and not type(layer).__name__.startswith("Random"):
        return False
    return bool(getattr(layer, "rate", 1 if drop_path_rate is None else drop_path_rate))


def learning_rate_schedule(optimizer: Any) -> Any:
    """Return an optimizer's learning-rate schedule; None for a constant rate.

    `optimizer.learning_rate` has only the schedule's value at the current step.
    """
    rate = getattr(optimizer, "_learning_rate", None)
    return rate if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule) else None


def variables_of(optimizer: Any) -> list[Any]:
    """Return the variables that a built optimizer updates."""
    return list(optimizer._trainable_variables)


def takes_logits(loss: Any) -> bool:
    """Return whether a loss, or a metric such as AUC, was created with from_logits=True."""
    options = getattr(loss, "_fn_kwargs", {}) or {}
    own = getattr(loss, "_from_logits", options.get("from_logits", False))
    return bool(getattr(loss, "from_logits", own))


def metrics_of(model: Any) -> Any:
    """Return the metrics that were given to `compile`, in the learner's form; None without any."""
    return getattr(getattr(model, "_compile_metrics", None), "_user_metrics", None)


def scale_variance(layer: keras.layers.Normalization, factor: Any) -> None:
    """Multiply the variance by which a Normalization layer divides."""
    layer.adapt_variance.assign(layer.adapt_variance * factor)
    layer.finalize_state()


@contextmanager
def call_replaced(layer: keras.layers.Layer, call: Callable[..., Any]) -> Iterator[None]:
    """Replace a layer's method `call` within the block, bypassing Keras's tracking."""
    object.__setattr__(layer, "call", call)
    try:
        yield
    finally:
        object.__delattr__(layer, "call")


@contextmanager
def preserved_random_state() -> Iterator[None]:
    """Restore Python's random state afterwards: Keras seeds each initializer from it."""
    state = random.getstate()
    try:
        with warnings.catch_warnings():
            # MobileNets warn about every size they weren't trained at, which users choose on purpose here.
            warnings.filterwarnings("ignore", message="`input_shape` is undefined")
            yield
    finally:
        random.setstate(state)


def freeze(model: keras.Model) -> None:
    """Make all weights of a model non-trainable and set every Dropout's rate to 0.

    Keras 3.15 runs a nested model's layers in the outer model's mode, even if it was called with `training=False`.
    """
    model.trainable = False
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0  # saved with the model, so it still holds after loading


class Adam(keras.optimizers.Adam):  # type: ignore[misc]
    """Keras's Adam for one device, without its memory leak.

    In a tf.function, the sum over replicas in Keras's `apply` registers a gradient with TensorFlow, which never
    releases it or its graph: 3 MB for each small model that is trained, 50 MB for each whole backbone
    (Keras 3.15, TensorFlow 2.21).
    """

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
        """Update the variables, except those whose gradient is None."""
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
