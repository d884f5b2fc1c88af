"""`check_setup`, and checks for problems that no study measures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from tl_widgets.core.errors import InputError
from tl_widgets.setup_checks.graph import find_backbone_in
from tl_widgets.setup_checks.mistake import Check, Finding, Subject
from tl_widgets.setup_checks.registry import MISTAKES
from tl_widgets.setup_checks.setup import Array, Setup, read_setup


def check_setup(model: keras.Model, dataset: Any, *, validation: Any = None) -> tuple[str, ...]:
    """Look for common mistakes in a model and its data, without training the model.

    They include the mistakes that `what_goes_wrong` measures.

    Args:
        model: A built model. The checks of loss and optimizer also require that it's compiled.
        dataset: The training data: an ImageDataset, (images, labels) as arrays, or a tf.data.Dataset, from which
            only the first images are read.
        validation: The validation data in any of these forms; not needed with an ImageDataset, which has its own.

    Returns:
        A sentence for each mistake that was found, and one that begins with "Not checked" for anything that couldn't
        be checked, such as parts of a subclassed model. An empty tuple doesn't prove that there is no mistake.

    Raises:
        InputError: `model` isn't a Keras model, or the data have another form or no images.
    """
    return tuple(finding.text for finding in find_mistakes(model, dataset, validation=validation))


def find_mistakes(model: keras.Model, dataset: Any, *, validation: Any = None) -> tuple[Finding, ...]:
    """Do what `check_setup` does, and name the mistake behind each finding."""
    if not isinstance(model, keras.Model):
        raise InputError(f"check_setup takes a keras.Model; received {type(model).__name__}.")
    setup = read_setup(model, dataset, validation)
    if not model.built:
        text = "The model has no weights yet: give its first layer an Input(shape), or call it once; then check again."
        return (Finding(text, was_checked=False),)
    findings: list[Finding] = []
    try:
        setup.backbone = find_backbone_in(model)
    except Exception as error:  # a learner's model can be anything
        findings.append(_not_checked("where the backbone is", error))
    for check in _checks():
        try:
            findings += check.find(setup)
        except InputError:
            raise
        except Exception as error:
            findings.append(_not_checked(check.subject.value, error))
    return (*dict.fromkeys(findings), *_skipped_checks(setup))


def _size(setup: Setup) -> Iterator[Finding]:
    """Find images whose shape the model doesn't take."""
    if not setup.images_fit and (expected := setup.input_shape):
        received = setup.images.shape[1:]
        yield Finding(
            f"The images are {_shape_text(received)}, and the model takes {_shape_text(expected)}: load them in that "
            f"size, or build the model with Input({received})."
        )


def _shape_text(shape: tuple[int | None, ...]) -> str:
    return " × ".join("any" if n is None else str(n) for n in shape)


def _random_weights(setup: Setup) -> Iterator[Finding]:
    """Find a backbone that is frozen with its initial weights."""
    if setup.backbone is not None and setup.backbone.is_random and setup.backbone.is_frozen:
        yield Finding(
            f"{setup.backbone.name} is frozen with random weights, so it has learned nothing and never will: load "
            'pretrained ones (weights="imagenet" or a file), or let it train.'
        )


def _answer_per_pixel(setup: Setup) -> Iterator[Finding]:
    """Find a model that outputs one row per pixel instead of one per image."""
    shape = setup.answers_shape
    if len(shape) == 4 and (setup.labels is None or setup.labels.ndim <= 2):
        yield Finding(
            f"The model's answers have the shape {shape}, one for each pixel: put Flatten or GlobalAveragePooling2D "
            "before the Dense layers."
        )


def _loss(setup: Setup) -> Iterator[Finding]:
    """Find a last layer, a loss and labels that don't fit together."""
    if setup.loss is None:
        return
    kind, activation, units = setup.loss.kind, setup.loss.activation, setup.loss.n_units
    if activation == "softmax" and units == 1:
        yield Finding("Softmax over 1 unit is always 1: end with sigmoid, or with one unit for each class.")
    if not kind:
        return
    if not setup.loss.from_logits and activation == "linear":
        yield Finding("The model ends without sigmoid or softmax: add it, or give the loss from_logits=True.")
    if kind == "binary" and activation == "softmax" and units > 1:
        yield Finding(
            f"A binary loss scores each of the {units} softmax answers separately: use SparseCategoricalCrossentropy, "
            "or CategoricalCrossentropy with one-hot labels."
        )
    elif kind != "binary" and activation == "sigmoid" and units > 1:
        yield Finding(
            f"The {units} sigmoid units do not add up to 100%, as a categorical loss expects: end with softmax."
        )
    elif kind != "binary" and units == 1:
        yield Finding(
            "A categorical loss needs one unit for each class, but there is only 1: use BinaryCrossentropy with "
            "sigmoid."
        )
    elif setup.labels is not None:
        yield from map(Finding, _labels(kind, units, setup.labels))


def _labels(kind: str, units: int, labels: Array) -> Iterator[str]:
    one_hot = labels.ndim == 2 and labels.shape[1] > 1
    if kind == "sparse" and one_hot:
        yield "The labels are one-hot, but the loss is sparse: use CategoricalCrossentropy."
    elif kind == "categorical" and not one_hot:
        yield "The labels are whole numbers, but the loss is categorical: use SparseCategoricalCrossentropy."
    elif kind == "sparse" and labels.max() >= units:
        yield f"There is a label {labels.max():g}, but {units} units can only answer 0 to {units - 1}."
    elif kind == "binary" and (labels.min() < 0 or labels.max() > 1):
        yield f"The labels run from {labels.min():g} to {labels.max():g}; a binary loss takes 0 and 1."


# Problems that the study doesn't measure.
_GENERAL_CHECKS = (
    Check(Subject.IMAGES, _size),
    Check(Subject.BACKBONE, _random_weights),
    Check(Subject.ANSWERS, _answer_per_pixel),
    Check(Subject.LOSS, _loss),
)


def _checks() -> list[Check]:
    """Return each check once, by subject, with the mistakes' checks first."""
    checks = [mistake.check for mistake in MISTAKES.values() if mistake.check is not None]
    subjects = list(Subject)
    return sorted(dict.fromkeys((*checks, *_GENERAL_CHECKS)), key=lambda check: subjects.index(check.subject))


def _skipped_checks(setup: Setup) -> Iterator[Finding]:
    """Name the checks that need a graph, if the model has none."""
    if setup.graph is not None:
        return
    skipped = ["bottlenecks"]
    if setup.backbone is None:
        none = "no part of it is a functional or Sequential model with convolutions"
        skipped.append(f"a backbone and the pixels that reach it ({none})")
    if setup.optimizer is None:
        skipped.append("loss, labels and learning rate (it is not compiled)")
    text = f"Not checked, because a subclassed model has no graph to read: {'; '.join(skipped)}."
    yield Finding(text, was_checked=False)


def _not_checked(subject: str, error: Exception) -> Finding:
    text = f"Not checked: {subject} ({type(error).__name__}: {' '.join(str(error).split())[:150]})."
    return Finding(text, was_checked=False)
