"""How a learner's model was compiled: loss, labels, learning rate, and `trainable` that changed later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_widgets.setup_checks.graph import FoundBackbone, answers_shape, graph_of
from tl_widgets.setup_checks.sample import Sample
from tl_widgets.setup_checks.trace import trace

_HIGHEST_RATE = 0.03
_HIGHEST_FINE_TUNING_RATE = 1e-3
_N_IMAGES = 8
_STEPS = (0, 10, 100, 1_000, 10_000)  # a schedule may warm up
_ADAPTIVE = (keras.optimizers.Adam, keras.optimizers.RMSprop, keras.optimizers.Adamax, keras.optimizers.Nadam)


def check_compiled(model: keras.Model, backbone: FoundBackbone | None, sample: Sample) -> Iterator[str]:
    """Everything that compile() was told."""
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return
    yield from _rate(optimizer, backbone)
    if optimizer.built:
        known = {id(weight) for weight in optimizer._trainable_variables}
        if known != {id(weight) for weight in model.trainable_variables}:
            yield "trainable was changed after the model was compiled, which has no effect: compile it again."
    graph = graph_of(model)
    if (graph is None or len(graph.outputs) == 1) and len(answers_shape(model, sample.images[:_N_IMAGES])) == 2:
        yield from _loss(model, sample)


def _rate(optimizer: Any, backbone: FoundBackbone | None) -> Iterator[str]:
    schedule = getattr(optimizer, "_learning_rate", None)
    if isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        rate = max(float(np.asarray(schedule(step))) for step in _STEPS)
    else:
        rate = float(np.asarray(optimizer.learning_rate))
    name = type(optimizer).__name__
    is_adaptive = isinstance(optimizer, _ADAPTIVE)
    tunes = backbone is not None and not backbone.is_random and not backbone.is_frozen
    if rate > (_HIGHEST_RATE if is_adaptive else 1):
        yield f"The learning rate of {name} is {rate:g}; 0.001 is usual, and 100 times as much often ends at chance."
    elif tunes and is_adaptive and rate >= _HIGHEST_FINE_TUNING_RATE:
        yield (
            f"The pretrained backbone trains along at a learning rate of {rate:g}, which washes away what it knows: "
            "train the head first, then fine-tune at 1e-5 to 1e-4."
        )


def _kind(loss: Any) -> tuple[str, bool]:
    """("binary", "categorical", "sparse" or "", from_logits) of a loss in any of its forms."""
    if isinstance(loss, dict | list | tuple) and len(loss) == 1:
        loss = next(iter(loss.values() if isinstance(loss, dict) else loss))
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    plain = str(name).replace("_", "").lower()
    kinds = {"sparsecategoricalcrossentropy": "sparse", "categoricalcrossentropy": "categorical"}
    kinds["binarycrossentropy"] = "binary"
    options = getattr(loss, "_fn_kwargs", {}) or {}
    return kinds.get(plain, ""), bool(getattr(loss, "from_logits", options.get("from_logits", False)))


def _end(model: keras.Model, sample: Sample) -> tuple[str, int]:
    """What the answers are, sigmoid, softmax or linear, and how many for each image."""
    if graph_of(model) is None:
        found = trace(model, sample.images[:_N_IMAGES])
        return _judged(found.last, found.answers), found.answers.shape[-1]
    answers = np.asarray(model(sample.images[:_N_IMAGES], training=False))
    return _judged(model.layers[-1], answers), model.output_shape[-1]


def _judged(last: keras.layers.Layer | None, answers: NDArray[Any]) -> str:
    """Sigmoid, softmax or linear, by the layer that the answers come from, or by their range."""
    if isinstance(last, keras.layers.Softmax):
        return "softmax"
    name = str(getattr(getattr(last, "activation", None), "__name__", ""))
    if name in ("sigmoid", "softmax"):
        return name
    if answers.min() < 0 or answers.max() > 1:
        return "linear"
    if answers.shape[-1] > 1 and np.allclose(answers.sum(axis=-1), 1, atol=1e-3):
        return "softmax"
    return "linear" if name == "linear" else "sigmoid"


def _loss(model: keras.Model, sample: Sample) -> Iterator[str]:
    kind, from_logits = _kind(getattr(model, "loss", None))
    end, units = _end(model, sample)
    if end == "softmax" and units == 1:
        yield "Softmax over 1 unit is always 1: end with sigmoid, or with one unit for each class."
    if not kind:
        return
    if from_logits and end in ("sigmoid", "softmax"):
        yield f"The model ends with {end} and the loss is told from_logits=True: leave out one of the two."
    if not from_logits and end == "linear":
        yield "The model ends without sigmoid or softmax: add it, or give the loss from_logits=True."
    if kind == "binary" and end == "softmax" and units > 1:
        yield (
            f"A binary loss judges the {units} softmax answers one by one: use SparseCategoricalCrossentropy, or "
            "CategoricalCrossentropy with one-hot labels."
        )
    elif kind != "binary" and end == "sigmoid" and units > 1:
        yield f"The {units} sigmoid units do not share 100% out, as a categorical loss expects: end with softmax."
    elif kind != "binary" and units == 1:
        yield "A categorical loss needs one unit for each class, and there is 1: use BinaryCrossentropy with sigmoid."
    elif sample.labels is not None:
        yield from _labels(kind, units, sample.labels)


def _labels(kind: str, units: int, labels: Any) -> Iterator[str]:
    one_hot = labels.ndim == 2 and labels.shape[1] > 1
    if kind == "sparse" and one_hot:
        yield "The labels are one-hot and the loss is sparse: use CategoricalCrossentropy."
    elif kind == "categorical" and not one_hot:
        yield "The labels are whole numbers and the loss is categorical: use SparseCategoricalCrossentropy."
    elif kind == "sparse" and labels.max() >= units:
        yield f"There is a label {labels.max():g}, and {units} units can answer 0 to {units - 1} only."
    elif kind == "binary" and (labels.min() < 0 or labels.max() > 1):
        yield f"The labels run from {labels.min():g} to {labels.max():g}; a binary loss takes 0 and 1."
