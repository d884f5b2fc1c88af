"""Running a batch through a model and recording what its layers receive; nothing in the model is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_widgets.backbones.keras_compat import all_layers, call_replaced, direct_layers, graph_of

Array = NDArray[Any]

CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.SeparableConv2D)
WEIGHTED = (*CONVOLUTIONS, keras.layers.Dense)


class _Reached(Exception):  # noqa: N818 - not an error: it ends a run early
    """Ends a run at the layer that was looked for."""


@dataclass(frozen=True, eq=False)
class Reached:
    """The first call of a layer that was looked for.

    Attributes:
        layer: The layer.
        values: Its input.
        norms: The BatchNormalization layers that were called before it.
    """

    layer: keras.layers.Layer
    values: Array
    norms: tuple[keras.layers.Layer, ...]


def run_until(
    model: keras.Model, inputs: Any, is_goal: Callable[[keras.layers.Layer], bool], *, training: bool = False
) -> Reached | None:
    """Run a batch until the first call of a layer that `is_goal`; None if there is no such call."""
    found: list[Reached] = []
    norms: list[keras.layers.Layer] = []

    def notice(layer: keras.layers.Layer, value: Any) -> None:
        if is_goal(layer):
            values = np.asarray(keras.ops.convert_to_numpy(value), np.float64)
            found.append(Reached(layer, values, tuple(norms)))
            raise _Reached
        norms.append(layer)

    with ExitStack() as recording:
        for layer in {id(part): part for part in all_layers(model)[1:]}.values():
            if is_goal(layer) or isinstance(layer, keras.layers.BatchNormalization):
                recording.enter_context(_noticed_calls(layer, notice))
        try:
            with keras.StatelessScope() if training else ExitStack():
                model(inputs, training=training)
        except Exception:  # Keras may have wrapped it
            if not found:
                raise
    return found[0] if found else None


@dataclass(frozen=True, eq=False)
class Trace:
    """One batch's run through a model in inference mode: the output, and (layer, first input, output) of each call."""

    answers: Any
    calls: list[tuple[keras.layers.Layer, Any, Any]] = field(default_factory=list)

    @property
    def last(self) -> keras.layers.Layer | None:
        """The layer that makes the model's output; None if another operation does."""
        return self.last_of(self.answers)

    def last_of(self, answers: Array) -> keras.layers.Layer | None:
        """Return the layer that makes one of the outputs."""
        for layer, _, output in reversed(self.calls):
            if getattr(output, "shape", None) == answers.shape and np.array_equal(
                keras.ops.convert_to_numpy(output), answers
            ):
                return layer
        return None


def trace(model: keras.Model, inputs: Any) -> Trace:
    """Run a batch through a model without a graph, recording each layer's calls."""
    calls: list[tuple[keras.layers.Layer, Any, Any]] = []

    with ExitStack() as recording:
        for layer in {id(part): part for part in _sublayers(model)}.values():
            recording.enter_context(_recorded_calls(layer, calls))
        answers = model(inputs, training=False)
    return Trace(keras.tree.map_structure(keras.ops.convert_to_numpy, answers), calls)


def _sublayers(model: keras.layers.Layer) -> Iterator[keras.layers.Layer]:
    """Yield nested layers, but not those inside models with a graph."""
    for layer in direct_layers(model):
        yield layer
        if graph_of(layer) is None:
            yield from _sublayers(layer)


def _first_input(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return args[0] if args else next(iter(kwargs.values()), None)


@contextmanager
def _noticed_calls(layer: keras.layers.Layer, notice: Callable[[keras.layers.Layer, Any], None]) -> Iterator[None]:
    """Report a layer's calls within the block, before they are made."""
    call: Callable[..., Any] = layer.call

    def report(*args: Any, **kwargs: Any) -> Any:
        notice(layer, _first_input(args, kwargs))
        return call(*args, **kwargs)

    with call_replaced(layer, report):
        yield


@contextmanager
def _recorded_calls(layer: keras.layers.Layer, calls: list[tuple[keras.layers.Layer, Any, Any]]) -> Iterator[None]:
    """Record a layer's calls within the block."""
    call: Callable[..., Any] = layer.call

    def record(*args: Any, **kwargs: Any) -> Any:
        output = call(*args, **kwargs)
        calls.append((layer, _first_input(args, kwargs), output))
        return output

    with call_replaced(layer, record):
        yield
