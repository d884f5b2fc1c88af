"""Building the network from scratch and the transfer model, and saving models."""

from __future__ import annotations

import tempfile
from math import prod
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import keras
from keras import layers

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.cuts import Cut
from tl_widgets.backbones.family import Backbone
from tl_widgets.backbones.loading import build_backbone, build_preprocessing
from tl_widgets.backbones.weights import ResolvedWeights, resolve_weights
from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config, ScratchSpec
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent, ignore
from tl_widgets.core.files import UNFINISHED
from tl_widgets.core.settings import settings_of, whole_number
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _
from tl_widgets.models.trained_on import TrainedOn, write_trained_on
from tl_widgets.records.parameters import ParameterCount, output_units, scratch_ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

# Each layer has its own seed, so no global seed is needed.
_SEEDS_PER_MODEL = 1000
_HEAD_SEED = 999


def _check_shape(image_shape: object) -> None:
    if not (isinstance(image_shape, tuple | list) and len(image_shape) == 3):
        raise InputError(
            _(
                "image_shape must be (height, width, channels) in pixels; received {image_shape}.",
                image_shape=shown(image_shape),
            )
        )
    for side in image_shape:
        whole_number("image_shape", side)


def _check_classes(n_classes: int) -> None:
    n_classes = whole_number("n_classes", n_classes)
    if n_classes < 2:
        raise InputError(_("A classifier needs at least 2 classes; received {n_classes}.", n_classes=n_classes))


def _kernel_initializer(seed: int, layer: int) -> keras.initializers.Initializer:
    return keras.initializers.GlorotUniform(seed=seed * _SEEDS_PER_MODEL + layer)


def _output_layer(n_classes: int, seed: int) -> keras.layers.Layer:
    units = output_units(n_classes)
    return layers.Dense(
        units,
        activation="sigmoid" if units == 1 else "softmax",
        kernel_initializer=_kernel_initializer(seed, _HEAD_SEED),
        name="output",
    )


@checked
def build_scratch(
    image_shape: tuple[int, int, int],
    n_classes: int,
    *,
    filters: Sequence[int] = ScratchSpec.filters,
    kernel_sizes: Sequence[int] = ScratchSpec.kernel_sizes,
    pooling: str = ScratchSpec.pooling,
    head: str = ScratchSpec.head,
    dense_units: int = ScratchSpec.dense_units,
    dropout: float = ScratchSpec.dropout,
    seed: int = 0,
) -> keras.Sequential:
    """Build a convolutional network with random initial weights.

    Args:
        image_shape: (height, width, channels) in pixels.
        n_classes: At least 2. Two classes get one sigmoid unit; more get softmax.
        filters: Number of filters of each Conv2D.
        kernel_sizes: Side of each Conv2D's kernel in pixels, one for each of `filters`.
        pooling: Pooling after each Conv2D: "max", "average" or "none".
        head: "flatten" or "global_average".
        dense_units: Units of the hidden Dense layer; 0 for none.
        dropout: Dropout rate before the last layer; 0 for none.
        seed: Determines the initial weights.

    Returns:
        A model that takes raw pixels in 0-255, float or uint8, shape `(n, *image_shape)`, and outputs probabilities:
        (n, 1) for two classes, otherwise (n, n_classes).

    Raises:
        InputError: An argument isn't allowed, or pooling would leave no pixel.
    """
    # ScratchSpec converts sequences to tuples and rejects anything else.
    spec = ScratchSpec(filters, kernel_sizes, pooling, head, dense_units, dropout)  # type: ignore[arg-type]
    return scratch_model(image_shape, n_classes, spec, seed=seed)


def scratch_model(
    image_shape: tuple[int, int, int], n_classes: int, spec: ScratchSpec, *, seed: int = 0
) -> keras.Sequential:
    """Do what `build_scratch` does, with its settings as one record."""
    _check_classes(n_classes)
    _check_shape(image_shape)
    scratch_ledger(image_shape, n_classes, spec)  # raises InputError if it can't be built
    stack: list[keras.layers.Layer] = [layers.Input(image_shape), layers.Rescaling(1 / 127.5, offset=-1.0)]
    for i, (n_filters, kernel) in enumerate(zip(spec.filters, spec.kernel_sizes, strict=True)):
        initializer = _kernel_initializer(seed, i)
        stack.append(
            layers.Conv2D(n_filters, kernel, activation="relu", padding="same", kernel_initializer=initializer)
        )
        if spec.pooling != "none":
            stack.append(layers.MaxPooling2D(2) if spec.pooling == "max" else layers.AveragePooling2D(2))
    stack.append(layers.Flatten() if spec.head == "flatten" else layers.GlobalAveragePooling2D())
    if spec.dense_units:
        initializer = _kernel_initializer(seed, len(spec.filters))
        stack.append(layers.Dense(spec.dense_units, activation="relu", kernel_initializer=initializer))
    if spec.dropout:
        stack.append(layers.Dropout(spec.dropout, seed=seed))
    return keras.Sequential([*stack, _output_layer(n_classes, seed)], name="scratch")


@checked
def build_transfer(
    image_shape: tuple[int, int, int],
    n_classes: int,
    *,
    backbone: str = "EfficientNetLite0",
    weights: str | PathLike[str] | ResolvedWeights | None = "imagenet",
    head_dropout: float = 0.0,
    seed: int = 0,
    cut: int | None = None,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> keras.Sequential:
    """Build a frozen backbone with global average pooling and a new Dense head.

    The first layer is the backbone's preprocessing, unless the backbone takes raw pixels.

    Args:
        image_shape: (height, width, 3) in pixels, at least the backbone's minimum.
        n_classes: At least 2. Two classes get one sigmoid unit; more get softmax.
        backbone: A name in the catalogue (`list_backbones`).
        weights: "imagenet", the path of a weights file, or None for random weights.
        head_dropout: Dropout rate before the last layer; 0 for none.
        seed: Determines the initial weights of the head, and of a backbone with random weights.
        cut: How many of the backbone's blocks to use, from the first one on; None for the whole backbone.
        on_event: Receives the progress of a download.
        cancel: Stops a download when set.

    Returns:
        A model that takes raw pixels in 0-255, float or uint8, shape `(n, *image_shape)`, and outputs probabilities:
        (n, 1) for two classes, otherwise (n, n_classes). Only its last layer is trainable.

    Raises:
        InputError: An argument isn't allowed.
        WeightsUnavailableError: The weights aren't on this machine and can't be downloaded.
    """
    _check_classes(n_classes)
    _check_shape(image_shape)
    head_dropout = settings_of(Config)["head_dropout"].check(head_dropout)
    seed = settings_of(Config)["seed"].check(seed)
    entry = find_backbone(backbone)
    end = entry.cut_after(settings_of(Config)["cut"].check(cut))
    if not isinstance(weights, ResolvedWeights):
        weights = resolve_weights(entry, weights, on_event=on_event, cancel=cancel)
    frozen = frozen_layers(entry, image_shape, weights, seed=seed, cut=end)
    return stack_head(frozen, image_shape, n_classes, head_dropout=head_dropout, seed=seed)


def frozen_layers(
    backbone: Backbone,
    image_shape: tuple[int, int, int],
    weights: ResolvedWeights,
    *,
    seed: int = 0,
    cut: Cut | None = None,
) -> tuple[keras.layers.Layer, ...]:
    """Build a transfer model's layers below the head, beginning with preprocessing."""
    preprocessing = build_preprocessing(backbone)
    scaling = () if preprocessing is None else (preprocessing,)
    whole = build_backbone(backbone, image_shape, weights, seed=seed)
    return (*scaling, cut.apply(whole) if cut else whole, layers.GlobalAveragePooling2D())


def stack_head(
    frozen: Sequence[keras.layers.Layer],
    image_shape: tuple[int, ...],
    n_classes: int,
    *,
    head_dropout: float = 0.0,
    seed: int = 0,
) -> keras.Sequential:
    """Put a new head on layers from `frozen_layers`, which several models may share.

    Without layers, the head alone takes features of the shape `image_shape`, (n_features,).
    """
    dropout = [layers.Dropout(head_dropout, seed=seed)] if head_dropout else []
    stack = [layers.Input(image_shape), *frozen, *dropout, _output_layer(n_classes, seed)]
    return keras.Sequential(stack, name="transfer")


@checked
def count_parameters(model: keras.Model) -> ParameterCount:
    """Count the parameters of a model, as `model.summary()` does.

    Args:
        model: A built model.

    Returns:
        The number of trainable parameters, and of frozen ones.

    Raises:
        InputError: The model isn't built yet.
    """
    if not model.built:
        raise InputError(_("This model has no weights yet: give its first layer an Input(shape), or call it once."))
    return ParameterCount(
        trainable=sum(prod(weight.shape) for weight in model.trainable_weights),
        frozen=sum(prod(weight.shape) for weight in model.non_trainable_weights),
    )


def save_model(model: keras.Model, path: Path, trained_on: TrainedOn | None = None) -> None:
    """Save a model to a .keras file that plain Keras loads in its safe mode; it may say which images it learned from.

    An existing file is replaced only once the new one is complete.

    Raises:
        OSError: The file can't be written; nothing is left behind.
    """
    target = path.absolute()
    # Keras requires the suffix .keras, so the unfinished file goes into a temporary folder.
    with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=target.parent) as folder:
        unfinished = Path(folder) / "model.keras"
        try:
            model.save(unfinished)
            if trained_on is not None:
                write_trained_on(unfinished, trained_on)
        except (RuntimeError, ValueError) as error:  # what HDF5 raises on a full disk
            raise OSError(f"{target.name} could not be written: {error}") from error
        unfinished.replace(target)
