"""Whether images and model fit each other at all: their size and their contrast."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np

from tl_widgets.setup_checks.graph import CONVOLUTIONS, FoundBackbone, graph_of, nodes_of
from tl_widgets.setup_checks.sample import Sample

_LEAST_RANGE = 0.05  # of pixels that were scaled once, whatever to; a sample of many images has black and white


def check_input(model: keras.Model, backbone: FoundBackbone | None, sample: Sample) -> Iterator[str]:
    """Images of another shape than the model takes, and images that two scalings have left grey."""
    graph = graph_of(model)
    if graph is None or len(graph.inputs) != 1:
        return
    wanted, given = tuple(graph.inputs[0].shape[1:]), sample.images.shape[1:]
    fits = len(wanted) == len(given) and all(a in (None, b) for a, b in zip(wanted, given, strict=True))
    if not fits:
        yield (
            f"The images are {_size(given)}, and the model takes {_size(wanted)}: load them in that size, or build "
            f"the model with Input({given})."
        )
    elif backbone is None:
        yield from _contrast(graph, sample)


def _size(shape: tuple[int | None, ...]) -> str:
    return " × ".join("any" if n is None else str(n) for n in shape)


def _contrast(graph: keras.Model, sample: Sample) -> Iterator[str]:
    first = next((node for node in nodes_of(graph) if isinstance(node.operation, CONVOLUTIONS)), None)
    if first is None or np.ptp(sample.images) < _LEAST_RANGE:
        return  # without contrast before any scaling of the model's, the images may be so
    probe = keras.Model(graph.inputs[0], first.arguments.keras_tensors[0])
    got = np.asarray(probe(sample.images, training=False))
    if np.ptp(got) < _LEAST_RANGE:
        yield (
            f"All pixels that {first.operation.name}, the first convolution, gets lie between {got.min():.3g} and "
            f"{got.max():.3g}: they are scaled twice. Scale them once, in the data or in the model."
        )
