"""What `check_setup` looks for beyond the mistakes that the study measures."""

from __future__ import annotations

from collections.abc import Iterator

from tl_widgets.setup_checks.mistake import Check, Finding, Subject
from tl_widgets.setup_checks.setup import Array, Setup


def _size(setup: Setup) -> Iterator[Finding]:
    """Images of another shape than the model takes."""
    if not setup.images_fit and (wanted := setup.input_shape):
        given = setup.images.shape[1:]
        yield Finding(
            f"The images are {_by(given)}, and the model takes {_by(wanted)}: load them in that size, or build "
            f"the model with Input({given})."
        )


def _by(shape: tuple[int | None, ...]) -> str:
    return " × ".join("any" if n is None else str(n) for n in shape)


def _random_weights(setup: Setup) -> Iterator[Finding]:
    """A backbone that is frozen with its initial weights."""
    if setup.backbone is not None and setup.backbone.is_random and setup.backbone.is_frozen:
        yield Finding(
            f"{setup.backbone.name} is frozen with random weights, so that it has learned nothing and never will: load "
            'pretrained ones (weights="imagenet" or a file), or let it train.'
        )


def _answer_per_pixel(setup: Setup) -> Iterator[Finding]:
    """One answer for each pixel where one for each image is wanted."""
    shape = setup.answers_shape
    if len(shape) == 4 and (setup.labels is None or setup.labels.ndim <= 2):
        yield Finding(
            f"The model's answers have the shape {shape}, one for each pixel: put Flatten or GlobalAveragePooling2D "
            "before the Dense layers."
        )


def _loss(setup: Setup) -> Iterator[Finding]:
    """A last layer, a loss and labels that do not go together."""
    if setup.loss is None:
        return
    kind, ending, units = setup.loss.kind, setup.loss.ending, setup.loss.n_units
    if ending == "softmax" and units == 1:
        yield Finding("Softmax over 1 unit is always 1: end with sigmoid, or with one unit for each class.")
    if not kind:
        return
    if not setup.loss.from_logits and ending == "linear":
        yield Finding("The model ends without sigmoid or softmax: add it, or give the loss from_logits=True.")
    if kind == "binary" and ending == "softmax" and units > 1:
        yield Finding(
            f"A binary loss judges the {units} softmax answers one by one: use SparseCategoricalCrossentropy, or "
            "CategoricalCrossentropy with one-hot labels."
        )
    elif kind != "binary" and ending == "sigmoid" and units > 1:
        yield Finding(
            f"The {units} sigmoid units do not share 100% out, as a categorical loss expects: end with softmax."
        )
    elif kind != "binary" and units == 1:
        yield Finding(
            "A categorical loss needs one unit for each class, and there is 1: use BinaryCrossentropy with sigmoid."
        )
    elif setup.labels is not None:
        yield from map(Finding, _labels(kind, units, setup.labels))


def _labels(kind: str, units: int, labels: Array) -> Iterator[str]:
    one_hot = labels.ndim == 2 and labels.shape[1] > 1
    if kind == "sparse" and one_hot:
        yield "The labels are one-hot and the loss is sparse: use CategoricalCrossentropy."
    elif kind == "categorical" and not one_hot:
        yield "The labels are whole numbers and the loss is categorical: use SparseCategoricalCrossentropy."
    elif kind == "sparse" and labels.max() >= units:
        yield f"There is a label {labels.max():g}, and {units} units can answer 0 to {units - 1} only."
    elif kind == "binary" and (labels.min() < 0 or labels.max() > 1):
        yield f"The labels run from {labels.min():g} to {labels.max():g}; a binary loss takes 0 and 1."


GENERAL_CHECKS = (
    Check(Subject.IMAGES, _size),
    Check(Subject.BACKBONE, _random_weights),
    Check(Subject.ANSWERS, _answer_per_pixel),
    Check(Subject.LOSS, _loss),
)
