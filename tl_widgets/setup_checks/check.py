"""`check_setup`: all checks of a learner's own model and data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import keras

from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _
from tl_widgets.setup_checks.checks import history as curves, images, labels, network, validation as validation_checks
from tl_widgets.setup_checks.graph import find_backbone_in
from tl_widgets.setup_checks.mistake import Check, Finding, Report, Subject
from tl_widgets.setup_checks.outputs import is_compiled
from tl_widgets.setup_checks.registry import MISTAKES
from tl_widgets.setup_checks.setup import Setup, read_setup

_COLOR_CODES = re.compile(r"\x1b\[[0-9;]*m")


def check_setup(
    model: keras.Model, dataset: Any, *, validation: Any = None, history: Any = None, memorize: bool = False
) -> Report:
    """Look for common mistakes in a model and its data, without training the model.

    They include the mistakes that `what_goes_wrong` measures.

    Args:
        model: A built model. The checks of loss, labels and optimizer also require that it's compiled.
        dataset: The training data: an ImageDataset, (images, labels) as arrays, a tf.data.Dataset, or a PyDataset or
            generator of batches. Only the first thousands of images of a stream are read, and the first 256 of a
            generator.
        validation: The validation data in any of these forms, or the share that `fit(validation_split=)` gets; not
            needed with an ImageDataset, which has its own.
        history: What `fit` returned, or its `history.history`: then the curves are checked, too.
        memorize: Train a copy of the model on 16 of its images, which a network that can learn memorizes; at most 20
            seconds.

    Returns:
        A sentence for each mistake that was found, and one that begins with "Not checked" for anything that couldn't
        be checked, such as parts of a subclassed model. Printed, it also shows where each mistake is, how sure that
        is, the fixed line of code, and how to measure what it costs; `findings` holds all that. An empty report
        doesn't prove that there is no mistake.

    Raises:
        InputError: `model` isn't a Keras model, or the data have another form or no images.
    """
    return Report(find_mistakes(model, dataset, validation=validation, history=history, memorize=memorize))


def find_mistakes(
    model: keras.Model, dataset: Any, *, validation: Any = None, history: Any = None, memorize: bool = False
) -> tuple[Finding, ...]:
    """Do what `check_setup` does, and return the findings with all that is known of them."""
    if not isinstance(model, keras.Model):
        raise InputError(_("check_setup takes a keras.Model; received {name}.", name=type(model).__name__))
    setup = read_setup(model, dataset, validation)
    if not model.built:
        text = _(
            "The model has no weights yet: give its first layer an Input(shape), or call it once; then check again."
        )
        return (Finding(text, was_checked=False),)
    setup.history = curves.read_history(history)
    findings: list[Finding] = []
    try:
        setup.backbone = find_backbone_in(model)
    except Exception as error:  # a learner's model can be anything
        findings.append(_not_checked(_("where the backbone is"), error))
    extra = [Check(Subject.HISTORY, curves.memorizes)] if memorize else []
    for check in (*_checks(), *extra):
        try:
            findings += check.find(setup)
        except InputError:
            raise
        except Exception as error:
            findings.append(_not_checked(check.subject.value, error))
    return (*dict.fromkeys(findings), *_skipped_checks(setup))


def _checks() -> list[Check]:
    """Return each check once, by subject, with the mistakes' checks first."""
    checks = [mistake.check for mistake in MISTAKES.values() if mistake.check is not None]
    general = [*images.CHECKS, *network.CHECKS, *labels.CHECKS, *validation_checks.CHECKS, *curves.CHECKS]
    subjects = list(Subject)
    return sorted(dict.fromkeys((*checks, *general)), key=lambda check: subjects.index(check.subject))


def _skipped_checks(setup: Setup) -> Iterator[Finding]:
    """Name the checks that couldn't be made, and what would make them possible."""
    compiled = is_compiled(setup.model)
    if setup.graph is not None:
        if not compiled:
            text = _("Not checked, because the model isn't compiled: loss, labels against the loss, and learning rate.")
            yield Finding(text, was_checked=False, code="model.compile(...)")
        return
    skipped = [Subject.BOTTLENECKS.value]
    if setup.backbone is None:
        none = _("no part of it is a functional or Sequential model with convolutions")
        skipped.append(_("a backbone and the pixels that reach it ({none})", none=none))
    if not compiled:
        skipped.append(_("loss, labels and learning rate (it is not compiled)"))
    text = _("Not checked, because a subclassed model has no graph to read: {skipped}.", skipped="; ".join(skipped))
    yield Finding(text, was_checked=False)


def _not_checked(subject: str, error: Exception) -> Finding:
    message = " ".join(_COLOR_CODES.sub("", str(error)).split())[:150]
    return Finding(
        _(
            "Not checked: {subject} ({name}: {problem}).",
            subject=subject,
            name=type(error).__name__,
            problem=message,
        ),
        was_checked=False,
    )
