"""What passes through a model that has no graph to read, a subclassed one: a batch is run, the layers are heard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Trace:
    """One batch, run in inference mode.

    Attributes:
        answers: of the model, (n, ...).
        calls: (layer, what went into it first, what came out) in the order in which the layers were called.
    """

    answers: Array
    calls: list[tuple[keras.layers.Layer, Any, Any]] = field(default_factory=list)

    def input_of(self, layer: keras.layers.Layer) -> Array | None:
        """What went into a layer at its first call, if it was called."""
        return next((np.asarray(got) for called, got, _ in self.calls if called is layer), None)

    @property
    def last(self) -> keras.layers.Layer | None:
        """The layer whose output is the model's answer; None where something else comes after all layers."""
        for layer, _, made in reversed(self.calls):
            if getattr(made, "shape", None) == self.answers.shape and np.array_equal(np.asarray(made), self.answers):
                return layer
        return None


def parts_of(model: keras.layers.Layer) -> Iterator[keras.layers.Layer]:
    """The layers that code of one's own calls: models with a graph, and layers without layers of their own."""
    for layer in model._flatten_layers(include_self=False, recursive=False):
        yield layer
        if not hasattr(getattr(layer, "_functional", None) or layer, "_nodes_by_depth"):
            yield from parts_of(layer)


def trace(model: keras.Model, images: Array) -> Trace:
    """Run a batch through a model, and hear what each of its parts gets and gives.

    Args:
        model: built; it is the same afterwards.
        images: as the model gets them, (n, height, width, channels).
    """
    calls: list[tuple[keras.layers.Layer, Any, Any]] = []
    with ExitStack() as heard:
        for layer in {id(part): part for part in parts_of(model)}.values():
            heard.enter_context(_hear(layer, calls))
        answers = model(images, training=False)
    return Trace(np.asarray(answers), calls)


@contextmanager
def _hear(layer: keras.layers.Layer, calls: list[tuple[keras.layers.Layer, Any, Any]]) -> Iterator[None]:
    """Let a layer's calls be noted for a while: its own method is hidden by one of the instance, and seen again."""
    call: Callable[..., Any] = layer.call

    def noting(*args: Any, **kwargs: Any) -> Any:
        made = call(*args, **kwargs)
        calls.append((layer, args[0] if args else next(iter(kwargs.values()), None), made))
        return made

    # Past Keras, which would take note of a new attribute.
    object.__setattr__(layer, "call", noting)
    try:
        yield
    finally:
        object.__delattr__(layer, "call")
