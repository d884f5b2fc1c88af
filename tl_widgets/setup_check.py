"""check_setup: look for common mistakes in a learner's own Keras model and data, without training it."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np

from tl_widgets.data import ImageDataset

_HIGHEST_RATE = 0.03
_NARROW = 8


def check_setup(model: keras.Model, dataset: ImageDataset) -> tuple[str, ...]:
    """Look for mistakes of the kinds that `what_goes_wrong` measures.

    Args:
        model: built and, for all that concerns loss and optimizer, compiled; it is not changed.
        dataset: its images.

    Returns:
        A sentence for each mistake that was found; an empty tuple is no proof that there is none.
    """
    return (*_pixels(model, dataset), *_layers(model), *_compiled(model), *_splits(dataset))


def _backbone(model: keras.Model) -> keras.Model | None:
    """The nested model with convolutions, if there is one."""
    nested = (layer for layer in model.layers if isinstance(layer, keras.Model))
    return next((one for one in nested if any(isinstance(x, keras.layers.Conv2D) for x in one.layers)), None)


def _pixels(model: keras.Model, dataset: ImageDataset) -> Iterator[str]:
    backbone = _backbone(model)
    if backbone is None or not isinstance(model, keras.Sequential):
        return
    if any(isinstance(layer, keras.layers.Rescaling | keras.layers.Normalization) for layer in backbone.layers):
        return  # it scales its pixels by itself
    values = np.asarray(dataset.train.images[:16]).astype(np.float32)
    for layer in model.layers[: model.layers.index(backbone)]:
        values = np.asarray(layer(values, training=False))
    low, high = float(values.min()), float(values.max())
    if low >= 0 and high > 10:
        yield (
            f"Raw pixels ({low:.0f} to {high:.0f}) go into {backbone.name}: put its own preprocessing before it, "
            "usually Rescaling(1 / 127.5, offset=-1)."
        )
    elif high - low < 0.1:
        yield f"All pixels that {backbone.name} gets lie between {low:.3g} and {high:.3g}: they are scaled twice."


def _layers(model: keras.Model) -> Iterator[str]:
    backbone = _backbone(model)
    norms = keras.layers.BatchNormalization
    if backbone is not None and any(isinstance(layer, norms) and layer.trainable for layer in backbone.layers):
        yield (
            f"BatchNormalization inside {backbone.name} is trainable, so that the averages of a few batches replace "
            "those it was trained with: set trainable = False on these layers and compile again."
        )
    for layer in model.layers[:-1]:
        if isinstance(layer, keras.layers.Dense) and layer.units <= _NARROW and _activation(layer) == "relu":
            yield f"All must pass the {layer.units} ReLU units of {layer.name}, which easily die: give it 64."


def _activation(layer: keras.layers.Layer) -> str:
    return str(getattr(getattr(layer, "activation", None), "__name__", ""))


def _compiled(model: keras.Model) -> Iterator[str]:
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None:
        return
    end, loss = _activation(model.layers[-1]), getattr(model, "loss", None)
    from_logits = getattr(loss, "from_logits", getattr(loss, "_fn_kwargs", {}).get("from_logits", False))
    if from_logits and end in ("sigmoid", "softmax"):
        yield f"The model ends with {end} and the loss is told from_logits=True: leave out one of the two."
    if not from_logits and end == "linear":
        yield "The model ends without sigmoid or softmax: add it, or give the loss from_logits=True."
    rate = float(np.asarray(optimizer.learning_rate))
    if rate > _HIGHEST_RATE and isinstance(optimizer, keras.optimizers.Adam):
        yield f"The learning rate of Adam is {rate:g}; 0.001 is usual, and 0.1 often ends at chance."
    if optimizer.built:
        known = {id(weight) for weight in optimizer._trainable_variables}
        if known != {id(weight) for weight in model.trainable_variables}:
            yield "trainable was changed after the model was compiled, which has no effect: compile it again."


def _splits(dataset: ImageDataset) -> Iterator[str]:
    train, others = set(dataset.train.keys), {*dataset.validation.keys, *dataset.test.keys}
    n = len(train & others)
    if n:
        yield f"{n} training images are validation or test images as well, so that accuracy flatters: split once."
