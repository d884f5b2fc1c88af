"""Judges of answers: each returns what is wrong with an answer, or None."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tl_widgets.core.config import ScratchSpec
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.records.comparison import Comparison
from tl_widgets.records.parameters import count_rows, scratch_ledger

Problem = Callable[[Any], str | None]

MAX_PARAMETERS = 100_000


def number(right: float, wrong: Mapping[float, str], otherwise: str) -> Problem:
    """Judge a number to 1%; whole numbers above 50 must be exact."""

    def problem(answer: Any) -> str | None:
        if isinstance(answer, bool) or not hasattr(answer, "__float__"):
            return f"The answer is a number; this is {answer!r}."
        try:
            value = float(answer)
        except (TypeError, ValueError, OverflowError):  # an array of several numbers, or a number too large
            return f"The answer is one number; this is {type(answer).__name__}."

        def is_near(other: float) -> bool:
            return abs(value - other) <= (0 if other.is_integer() and abs(other) > 50 else 0.01 * abs(other))

        if is_near(float(right)):
            return None
        return next((text for other, text in wrong.items() if is_near(float(other))), otherwise)

    return problem


def choice(right: str, wrong: Mapping[str, str]) -> Problem:
    """Judge one of a few words, ignoring case."""

    def problem(answer: Any) -> str | None:
        text = str(answer).strip().lower()
        if text == right:
            return None
        return wrong.get(text, f"The answer is one of {', '.join(sorted([right, *wrong]))}; this is {answer!r}.")

    return problem


def three_parts(answer: Any) -> str | None:
    """Judge how many of 300 images are for training, validation and test."""
    if not isinstance(answer, (tuple, list)) or len(answer) != 3:
        return "Give three numbers: (training, validation, test)."
    if not all(isinstance(part, int) and not isinstance(part, bool) for part in answer):
        return "Each of the three is a whole number of images."
    train, validation, test = answer
    if sum(answer) != 300:
        return f"Together these are {sum(answer)} images, and there are 300. No image may be in two parts."
    if min(answer) <= 0:
        return "Each part needs images: to learn from, to make choices by, and to be tested on."
    if train < 150:
        return f"{train} images to learn from are less than half. What are the others for?"
    if test < 30:
        return f"With {test} test images, each one is worth {100 / test:.1f} points: too coarse to tell models apart."
    if validation < 15:
        return f"{validation} validation images are too few: any choice between two models would be luck."
    return None


def layer_before_dense(answer: Any) -> str | None:
    """Judge the name of the layer that turns feature maps into one row: two layers do."""
    name = str(getattr(answer, "__name__", answer)).strip().removesuffix("()").lower()
    if name in ("flatten", "globalaveragepooling2d", "globalmaxpooling2d"):
        return None
    if "pooling" in name:
        return "Pooling makes the maps smaller, and they are still maps. What puts them into one row?"
    if name in ("dense", "dropout"):
        return f"{answer} changes nothing about the places: there is still one answer for each of them."
    return f"Write the name of one layer of Keras; this is {answer!r}."


def few_images(answer: Any) -> str | None:
    """Judge the result of a Lab that should have trained on 5 images of each class."""
    if not isinstance(answer, Comparison):
        return "Give lab.result, the Lab's latest comparison."
    if answer.stopped:
        return "This run was stopped. Press Train both again and let it finish."
    n_each = answer.dataset.n_train / len(answer.dataset.class_names)
    if n_each != 5:
        n = answer.dataset.n_train
        return f"This result was made with {n} training images in all. Set Images per class to 5 and train again."
    return None


def small_network(answer: Any) -> str | None:
    """Judge a `ScratchSpec`: the article's blocks and fewer than 100,000 parameters."""
    spec = getattr(answer, "spec", answer)
    if not isinstance(spec, ScratchSpec):
        return "Give the panel, or its panel.spec."
    if spec.filters != (32, 64, 128) or spec.kernel_sizes != (5, 3, 3):
        return (
            f"The filters {spec.filters} or kernels {spec.kernel_sizes} were changed. Keep (32, 64, 128) and (5, 3, 3)."
        )
    if spec.dense_units != 6:
        return "Keep the hidden Dense layer as it was: set Dense units to 6 again. There is another way."
    n_params = count_rows(scratch_ledger((128, 128, 3), 2, spec)).total
    if n_params >= MAX_PARAMETERS:
        return f"{n_params:,} parameters are still too many. What if Flatten did not hand over every pixel?"
    return None


def transfer_model(answer: Any) -> str | None:
    """Judge a model for 4 classes: scaling, frozen MobileNetV2, average, and head."""
    import keras

    from tl_widgets.backbones.keras_compat import all_layers
    from tl_widgets.models.builders import count_parameters

    if not isinstance(answer, keras.Model):
        return f"The answer is a Keras model; this is {type(answer).__name__}."
    if not answer.built:
        return "It has no shapes yet: start the Sequential with keras.layers.Input((96, 96, 3))."
    if len(answer.output_shape) == 4:
        return "It gives one answer for each place in the image: a GlobalAveragePooling2D is missing before the head."
    if answer.output_shape != (None, 4):
        return f"It answers with shape {answer.output_shape}; four classes need (None, 4): include_top=False, Dense(4)."
    parts = all_layers(answer)[1:]
    head = next((part for part in reversed(parts) if isinstance(part, keras.layers.Dense)), None)
    if head is None or head.activation is not keras.activations.softmax:
        return "Exactly one of four classes is right: the last layer needs softmax, so that its answers add up to 1."
    n_trainable = count_parameters(answer).trainable
    if n_trainable != 1280 * 4 + 4:
        return f"{n_trainable:,} parameters would be trained. Freeze the backbone, so only the head's 5,124 are left."
    scalings = [part for part in parts if isinstance(part, keras.layers.Rescaling)]
    if not scalings:
        return "The backbone gets raw 0–255 pixels. MobileNetV2 expects −1 to 1: put a Rescaling layer before it."
    low, high = (float(keras.ops.mean(scalings[0](np.full((1, 1, 1, 3), pixel, np.float32)))) for pixel in (0, 255))
    if abs(low + 1) > 0.02 or abs(high - 1) > 0.02:
        return f"The Rescaling layer turns 0 to 255 into {low:g} to {high:g}; MobileNetV2 expects −1 to 1."
    return None


def repaired_model(answer: Any) -> str | None:
    """Judge a compiled model of 48-pixel textures that has no mistake left."""
    import keras

    from tl_widgets.setup_checks.check import check_setup
    from tl_widgets.setup_checks.graph import find_backbone_in

    dataset = load_dataset("textures", image_size=48, n_per_class=6)
    if not isinstance(answer, keras.Model) or not answer.built:
        return "Give a built Keras model, such as keras.Sequential([Input(dataset.image_shape), ...])."
    if tuple(answer.input_shape[1:]) != dataset.image_shape or answer.output_shape[-1] != dataset.n_classes:
        return "The model must take images of shape dataset.image_shape and answer for the 3 classes."
    if find_backbone_in(answer) is None:
        return "The backbone is missing. Keep it, and fix what is around it."
    if getattr(answer, "optimizer", None) is None:
        return "Compile it, too: the loss and the learning rate are part of the exercise."
    return next(iter(check_setup(answer, dataset)), None)
