"""check_setup: look for common mistakes in a learner's own Keras model and data, without training it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras

from tl_widgets.core.errors import InputError
from tl_widgets.setup_checks.general import GENERAL_CHECKS
from tl_widgets.setup_checks.graph import find_backbone_in
from tl_widgets.setup_checks.mistake import Check, Finding, Subject
from tl_widgets.setup_checks.registry import MISTAKES
from tl_widgets.setup_checks.setup import Setup, read_setup


def check_setup(model: keras.Model, dataset: Any, *, validation: Any = None) -> tuple[str, ...]:
    """Look for mistakes of the kinds that `what_goes_wrong` measures. Never trains or changes the model.

    Args:
        model: built and, for everything that concerns loss and optimizer, compiled.
        dataset: what it is trained on: an ImageDataset, (images, labels) as arrays, or a tf.data set, of which only
            the first images are read.
        validation: what it is validated on, in any of these forms; an ImageDataset brings its own.

    Returns:
        A sentence for each mistake that was found, and one that begins with "Not checked" for everything that could
        not be looked at, as in parts of a subclassed model. An empty tuple is no proof that there is no mistake.

    Raises:
        InputError: this is no Keras model, or no images in such a form.
    """
    return tuple(finding.text for finding in find_mistakes(model, dataset, validation=validation))


def find_mistakes(model: keras.Model, dataset: Any, *, validation: Any = None) -> tuple[Finding, ...]:
    """Do what `check_setup` does, and say of which mistake each finding is a case.

    Raises:
        InputError: as `check_setup` does.
    """
    if not isinstance(model, keras.Model):
        raise InputError(f"check_setup takes a keras.Model; received {type(model).__name__}.")
    setup = read_setup(model, dataset, validation)
    if not model.built:
        text = "The model has no weights yet: give its first layer an Input(shape), or call it once; then check again."
        return (Finding(text, was_checked=False),)
    found: list[Finding] = []
    try:
        setup.backbone = find_backbone_in(model)
    except Exception as error:  # whatever odd model a learner brings
        found.append(_not_checked("where the backbone is", error))
    for check in _checks():
        try:
            found += check.find(setup)
        except InputError:
            raise
        except Exception as error:
            found.append(_not_checked(check.subject.value, error))
    return (*dict.fromkeys(found), *_left_out(setup))


def _checks() -> list[Check]:
    """Every check once, in the order of subjects; first those of mistakes, which several of them may share."""
    checks = [mistake.check for mistake in MISTAKES.values() if mistake.check is not None]
    subjects = list(Subject)
    return sorted(dict.fromkeys((*checks, *GENERAL_CHECKS)), key=lambda check: subjects.index(check.subject))


def _left_out(setup: Setup) -> Iterator[Finding]:
    """What cannot be seen of a model without a graph."""
    if setup.graph is not None:
        return
    left_out = ["bottlenecks"]
    if setup.backbone is None:
        none = "no part of it is a functional or Sequential model with convolutions"
        left_out.append(f"a backbone and the pixels that reach it ({none})")
    if setup.optimizer is None:
        left_out.append("loss, labels and learning rate (it is not compiled)")
    text = f"Not checked, because a subclassed model has no graph to read: {'; '.join(left_out)}."
    yield Finding(text, was_checked=False)


def _not_checked(subject: str, error: Exception) -> Finding:
    text = f"Not checked: {subject} ({type(error).__name__}: {' '.join(str(error).split())[:150]})."
    return Finding(text, was_checked=False)
