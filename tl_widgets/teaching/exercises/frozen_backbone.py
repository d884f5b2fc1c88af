"""The exercises on frozen backbones (notebook 04), with their judges."""

from __future__ import annotations

from typing import Any

import numpy as np

from tl_widgets.core.translation import _
from tl_widgets.teaching.exercises.exercise import Exercise
from tl_widgets.teaching.exercises.judges import number


def transfer_model(answer: Any) -> str | None:
    """Judge a model for 4 classes: scaling, frozen MobileNetV2, average, and head."""
    import keras

    from tl_widgets.backbones.keras_compat import all_layers
    from tl_widgets.models.builders import count_parameters

    if not isinstance(answer, keras.Model):
        return _("The answer is a Keras model; this is {name}.", name=type(answer).__name__)
    if not answer.built:
        return _("It has no shapes yet: start the Sequential with keras.layers.Input((96, 96, 3)).")
    if len(answer.output_shape) == 4:
        return _(
            "It gives one answer for each place in the image: a GlobalAveragePooling2D is missing before the head."
        )
    if answer.output_shape != (None, 4):
        return _(
            "It answers with shape {output_shape}; four classes need (None, 4): include_top=False, Dense(4).",
            output_shape=answer.output_shape,
        )
    parts = all_layers(answer)[1:]
    head = next((part for part in reversed(parts) if isinstance(part, keras.layers.Dense)), None)
    if head is None or head.activation is not keras.activations.softmax:
        return _("Exactly one of four classes is right: the last layer needs softmax, so that its answers add up to 1.")
    n_trainable = count_parameters(answer).trainable
    if n_trainable != 1280 * 4 + 4:
        return _(
            "{n_trainable:,} parameters would be trained. Freeze the backbone, so only the head's 5,124 are left.",
            n_trainable=n_trainable,
        )
    scalings = [part for part in parts if isinstance(part, keras.layers.Rescaling)]
    if not scalings:
        return _("The backbone gets raw 0–255 pixels. MobileNetV2 expects −1 to 1: put a Rescaling layer before it.")
    low, high = (float(keras.ops.mean(scalings[0](np.full((1, 1, 1, 3), pixel, np.float32)))) for pixel in (0, 255))
    if abs(low + 1) > 0.02 or abs(high - 1) > 0.02:
        return _(
            "The Rescaling layer turns 0 to 255 into {low:g} to {high:g}; MobileNetV2 expects −1 to 1.",
            low=low,
            high=high,
        )
    return None


_CHANGES = {
    "B": _("B: each epoch brings other pictures, so the kept numbers belong to pictures that never come again."),
    "D": _("D: a backbone that learns gives other numbers after each step."),
    "E": _("E: at another size the backbone sees other pixels and gives other numbers."),
}


def valid_features(answer: Any) -> str | None:
    """Judge the letters of the cases in which kept features are valid, A and C."""
    letters = {letter for letter in str(answer).upper() if letter.isalpha()}
    if not isinstance(answer, str | list | tuple | set) or not letters or not letters <= set("ABCDE"):
        return _('Write letters from A to E as one text, such as "AB"; this is {answer!r:.60}.', answer=answer)
    for letter in sorted(letters & _CHANGES.keys()):
        return _("Not in case {change}", change=_CHANGES[letter])
    if "A" not in letters:
        return _("A is missing: more epochs train the head on the same numbers.")
    return None if "C" in letters else _("C is missing: the numbers come from the backbone, whatever head is on top.")


FROZEN_BACKBONE_EXERCISES: dict[str, Exercise] = {
    "04-a": Exercise(
        _("What does the head receive? Look at the shape of the features, before and after."),
        _(
            "The feature maps have more places, but average pooling still leaves 1,280 numbers. So the "
            "head has 1,280 weights and one bias, at any size."
        ),
        number(
            1_281,
            {
                1_280: _("Nearly: the unit also has a bias."),
                2_562: _("That would be two units. One with sigmoid is enough for two classes."),
                11_521: _("That would be Flatten: 3 × 3 places of 1,280 maps. Here they are averaged."),
                3_413_024: _("That is the backbone, and it is frozen. How many numbers learn?"),
            },
            _("count_parameters prints how many are trainable."),
        ),
        _("Average pooling leaves one number for each of 1,280 maps, however large the maps are. And one unit learns."),
    ),
    "04-b": Exercise(
        _(
            "Input, Rescaling, the frozen backbone without top, GlobalAveragePooling2D, Dense with "
            "softmax: in this order."
        ),
        _("5,124 parameters to learn, and everything else is frozen."),
        transfer_model,
        _(
            "applications.MobileNetV2(include_top=False, weights=None, input_shape=(96, 96, 3)), then "
            "trainable = False. Rescaling(1 / 127.5, offset=-1) makes −1 to 1 of 0 to 255."
        ),
    ),
    "04-c": Exercise(
        _("What does softmax make of a single score? And which class does that answer mean?"),
        _(
            "Softmax on one unit is always 1, which means class 1. So every picture is a dog, and 70 of "
            "100 are. No step can change that. One unit needs sigmoid; two can have softmax."
        ),
        number(
            0.7,
            {
                70: _("That many are right. Write the accuracy as a share, from 0 to 1."),
                0.3: _("That's the share of cats. The answer is always 1: which class is that?"),
                0.5: _("Half would be right if it guessed. It doesn't guess: it gives all pictures the same answer."),
                1: _("1 is what the unit always answers. How often is that right?"),
            },
            _("The unit answers 1, whatever it is shown. Count the pictures for which that is right."),
        ),
        _("Compute np.exp(score) / np.exp(score).sum() for a row of one score, then for another. Dogs are class 1."),
    ),
    "04-d": Exercise(
        _("Ask of each: would the backbone still give exactly the numbers that were kept?"),
        _(
            "More epochs and other heads change nothing below the head. New pictures, a backbone that "
            "learns and another size do."
        ),
        valid_features,
        _("Two of the five change nothing about the picture, the preprocessing or the backbone."),
    ),
}
