"""What is wrong with answers that are networks, comparisons or sets. Each function gives a sentence, or None."""

from __future__ import annotations

from typing import Any

import numpy as np

from tl_widgets.core.config import ScratchSpec
from tl_widgets.records.comparison import Comparison
from tl_widgets.records.parameters import count_rows, scratch_ledger

MOST_PARAMETERS = 100_000
UNFAIR = {
    "B": "B: one model trains for 50 epochs and the other for 5. More training is a chance that only one of them got.",
    "D": "D: the best of five seeds against the first seed. Luck was selected for one model only.",
    "E": "E: the test images decide when to stop. Then the test is no longer new to the model.",
}
_FAIR = {
    "A": "A is fair: both learn from the same split.",
    "C": "C is fair: how many parameters a model trains is what the models are, not a chance given to one.",
}


def judge_few_images(answer: Any) -> str | None:
    """Judge the result of a Lab that was to train on 5 images of each class."""
    if not isinstance(answer, Comparison):
        return "Hand over lab.result, the comparison that the Lab made last."
    if answer.stopped:
        return "This run was stopped. Press Train both again and let it finish."
    n_each = answer.dataset.n_train / len(answer.dataset.class_names)
    if n_each != 5:
        return (
            f"This result was made with {n_each:.0f} images of each class. Set Images per class to 5 and train again."
        )
    return None


def judge_small_network(answer: Any) -> str | None:
    """Judge a `ScratchSpec` with the article's blocks and at most 100,000 parameters."""
    spec = getattr(answer, "spec", answer)
    if not isinstance(spec, ScratchSpec):
        return "Hand over the panel, or its panel.spec."
    if spec.filters != (32, 64, 128) or spec.kernel_sizes != (5, 3, 3):
        return (
            f"The filters {spec.filters} or kernels {spec.kernel_sizes} were moved. Keep (32, 64, 128) and (5, 3, 3)."
        )
    if spec.dense_units != 6:
        return "Keep the hidden Dense layer as it was: set Dense units to 6 again. There is another way."
    n_params = count_rows(scratch_ledger((128, 128, 3), 2, spec)).total
    if n_params >= MOST_PARAMETERS:
        return f"{n_params:,} parameters are still too many. What if Flatten did not hand over every pixel?"
    return None


def judge_transfer_model(answer: Any) -> str | None:
    """Judge a Keras model: MobileNetV2 frozen, scaling, global average, four classes, images of 96 pixels."""
    import keras

    from tl_widgets.models.builders import count_parameters

    if not isinstance(answer, keras.Model):
        return f"The answer is a Keras model; this is {type(answer).__name__}."
    if not answer.built:
        return "It has no shapes yet: begin the Sequential with keras.layers.Input((96, 96, 3))."
    if len(answer.output_shape) == 4:
        return "It gives one answer for each place in the image: a GlobalAveragePooling2D is missing before the head."
    if answer.output_shape != (None, 4):
        return f"It answers with shape {answer.output_shape}; four classes need (None, 4): include_top=False, Dense(4)."
    parts = list(answer._flatten_layers(include_self=False))
    head = next((part for part in reversed(parts) if isinstance(part, keras.layers.Dense)), None)
    if head is None or head.activation is not keras.activations.softmax:
        return "Exactly one of four classes is right: the last layer needs softmax, so that its answers add up to 1."
    n_trainable = count_parameters(answer).trainable
    if n_trainable != 1280 * 4 + 4:
        return (
            f"{n_trainable:,} parameters would be trained. Freeze the backbone, so that only the head is left: 5,124."
        )
    scalings = [part for part in parts if isinstance(part, keras.layers.Rescaling)]
    if not scalings:
        return "The backbone gets raw 0–255 pixels. MobileNetV2 expects −1 to 1: put a Rescaling layer before it."
    low, high = (float(keras.ops.mean(scalings[0](np.full((1, 1, 1, 3), pixel, np.float32)))) for pixel in (0, 255))
    if abs(low + 1) > 0.02 or abs(high - 1) > 0.02:
        return f"The Rescaling layer turns 0 to 255 into {low:g} to {high:g}; MobileNetV2 expects −1 to 1."
    return None


def judge_unfair(answer: Any) -> str | None:
    """Judge which of A to E are unfair: B, D and E."""
    if not isinstance(answer, (str, list, tuple, set)):
        return f'Write the letters of the unfair ones as one text, such as "AB"; this is {type(answer).__name__}.'
    letters = {letter for letter in "".join(map(str, answer)).upper() if letter.isalpha()}
    unknown = letters - UNFAIR.keys() - _FAIR.keys()
    if unknown:
        return f"The letters are A to E; {', '.join(sorted(unknown))} is none of them."
    wrongly = sorted(letters & _FAIR.keys())
    if wrongly:
        return f"{_FAIR[wrongly[0]]} Look again at the others."
    missing = sorted(UNFAIR.keys() - letters)
    if missing:
        return f"Something is missing. Think again about {UNFAIR[missing[0]]}"
    return None
