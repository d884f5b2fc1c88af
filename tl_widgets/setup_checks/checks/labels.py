"""Checks of labels, last layer, loss and metrics against each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from tl_widgets.backbones.keras_compat import takes_logits
from tl_widgets.core.translation import _, ngettext
from tl_widgets.setup_checks.checks.label_forms import (
    LabelForm,
    class_numbers,
    form_of_labels,
    labels_and_units,
    metric_name,
)
from tl_widgets.setup_checks.data import Array, leaves
from tl_widgets.setup_checks.mistake import Check, Finding, Subject
from tl_widgets.setup_checks.outputs import ODD_ENDS, Output, is_compiled
from tl_widgets.setup_checks.setup import Setup

_CLASSIFYING = ("binary", "categorical", "sparse")
_IMBALANCE = 10  # the most frequent class against the rarest
_WHERE = "labels"
_FOR_IMBALANCE = ("auc", "precision", "recall", "f1", "fbeta", "balanced", "focal", "specificity", "sensitivity")


def _labels(setup: Setup) -> Iterator[Finding]:
    """Find labels that tell of a mistake by themselves."""
    labels = setup.all_labels
    if labels is None:
        return
    for name, leaf in leaves(labels).items():
        output = next((output for output in setup.outputs if output.name == name), None)
        for finding in _labels_alone(setup, np.asarray(leaf), output):
            yield replace(finding, where=_("labels {name!r}", name=name) if name else _WHERE)


def _labels_alone(setup: Setup, labels: Array, output: Output | None) -> Iterator[Finding]:
    n = setup.data.n if setup.data.is_array else None
    if n is not None and len(labels) != n:
        yield Finding(_("There are {n} images and {n_labels} labels: each image needs one.", n=n, n_labels=len(labels)))
        return
    form = form_of_labels(labels)
    if form.name == "text":
        yield Finding(
            _("The labels are texts such as {flat!r}, and the loss takes numbers.", flat=str(labels.flat[0])),
            code=_("names, labels = np.unique(labels, return_inverse=True)"),
        )
    elif form.name == "nan":
        yield Finding(_("The labels contain NaN, so the loss becomes NaN: an image has no label."))
    numbers = class_numbers(labels)
    if numbers is None or (output is not None and output.kind == "regression") or len(numbers) < 8:
        return
    classes, counts = np.unique(numbers, return_counts=True)
    if len(classes) == 1:
        yield Finding(
            _(
                "All {n_numbers} labels are {class_text}, so there is nothing to tell apart: the labels "
                "of the other classes are missing, or the data are in the order of the classes and only "
                "their beginning is read.",
                n_numbers=len(numbers),
                class_text=classes[0],
            ),
        )
        return
    if not setup.data.is_array and _is_ordered(setup, numbers):
        yield Finding(
            _(
                "The images come in the order of their classes, and fit() doesn't shuffle such data: each batch holds "
                "one class, and the network forgets the others."
            ),
            code="dataset = dataset.unbatch().shuffle(10_000).batch(32)" if setup.data.form == "tf.data" else "",
        )
    n_units = output.n_units if output is not None else 0
    classifies = output is not None and (output.kind in _CLASSIFYING or n_units >= max(2, len(classes)))
    is_uneven = counts.min() * _IMBALANCE <= counts.max() and len(numbers) >= 40
    if is_uneven and classifies and not _is_handled(setup):
        rarest, commonest = classes[counts.argmin()], classes[counts.argmax()]
        yield Finding(
            _(
                "Class {rarest} has {fewest} of {n} images, and class {commonest} has "
                "{most}: always answering {commonest} is right {share:.0%} of the time. Give the "
                "rare classes more weight, and look at recall for each class.",
                rarest=rarest,
                fewest=counts.min(),
                n=len(numbers),
                commonest=commonest,
                most=counts.max(),
                share=counts.max() / len(numbers),
            ),
            code="weights = len(labels) / (n_classes * np.bincount(labels)); model.fit(..., "
            "class_weight=dict(enumerate(weights)))",
            is_certain=False,
        )


def _is_ordered(setup: Setup, numbers: Array) -> bool:
    """Return whether the first labels of a stream change as rarely as sorted ones, across several batches."""
    size = 1 if setup.data.is_unbatched else len(setup.data.first.images)
    n_changes, n_classes = int((np.diff(numbers) != 0).sum()), len(np.unique(numbers))
    if len(numbers) < 20 or len(numbers) < 2 * size:
        return False
    mean_run = len(numbers) / (n_changes + 1)
    shares = np.unique(numbers, return_counts=True)[1] / len(numbers)
    expected = 1 / max(1e-9, 1 - float((shares**2).sum()))  # of a shuffled order
    return n_changes <= 2 * n_classes and mean_run > 4 * expected and mean_run >= 5


def _is_handled(setup: Setup) -> bool:
    """Return whether weights, loss or metrics show that the learner knows of rare classes."""
    if setup.batch.is_weighted:
        return True
    names = [metric_name(metric) for output in setup.outputs for metric in output.metrics]
    names += [output.loss.lower() for output in setup.outputs]
    return any(word in name for name in names for word in _FOR_IMBALANCE)


def _loss(setup: Setup) -> Iterator[Finding]:
    """Find a last layer, a loss and labels that don't fit together."""
    for output in setup.outputs:
        if output.answers.ndim != 2:
            continue
        for finding in _fit(output):
            text = f"Output {output.name!r}: {finding.text}" if output.name else finding.text
            yield replace(finding, text=text, where=finding.where or output.where)


def _fit(output: Output) -> Iterator[Finding]:
    found = next(_end_and_loss(output), None)
    if found is not None:
        yield found
        return
    labels = output.labels
    if labels is None or labels.ndim > 3:
        return
    if labels.ndim == 3:
        text = _(
            "The labels have the shape {shape}, with one axis too many: one-hot was applied twice.", shape=labels.shape
        )
        yield Finding(text, where=_WHERE, code="labels = labels.argmax(axis=-1)")
        return
    form = form_of_labels(labels)
    if form.name in ("text", "nan", "other"):
        return
    for text, code in labels_and_units(output, labels, form):
        yield Finding(text, where=_WHERE, code=code)
        return
    yield from _unused_units(output, labels)


def _end_and_loss(output: Output) -> Iterator[Finding]:
    """Find a last layer and a loss that don't fit."""
    kind, end, units = output.kind, output.activation, output.n_units
    right = "sigmoid" if kind == "binary" or units == 1 else "softmax"
    if end in ODD_ENDS and kind in _CLASSIFYING:
        yield Finding(
            ngettext(
                "The model ends with {end} ({n} unit), whose answers are no probabilities: end with {right}.",
                "The model ends with {end} ({n} units), whose answers are no probabilities: end with {right}.",
                units,
                end=end,
                right=right,
            ),
            code=f'keras.layers.Dense({units}, activation="{right}")',
        )
    if end == "softmax" and units == 1:
        yield Finding(
            _("Softmax over 1 unit is always 1: end with sigmoid, or with one unit for each class."),
            code='keras.layers.Dense(1, activation="sigmoid")',
        )
    if kind not in _CLASSIFYING:
        return
    if not output.from_logits and end == "linear":
        yield Finding(
            _("The model ends without sigmoid or softmax: add it, or give the loss from_logits=True."),
            code=f'keras.layers.Dense({units}, activation="{right}")',
        )
    if kind == "binary" and end == "softmax" and units > 2:
        yield Finding(
            _(
                "A binary loss scores each of the {units} softmax answers separately: use "
                "SparseCategoricalCrossentropy, or CategoricalCrossentropy with one-hot labels.",
                units=units,
            ),
            where="loss",
        )
    elif kind != "binary" and end == "sigmoid" and units > 1:
        yield Finding(
            _(
                "The {units} sigmoid units do not add up to 100%, as a categorical loss expects: end with softmax.",
                units=units,
            ),
            code=f'keras.layers.Dense({units}, activation="softmax")',
        )
    elif kind != "binary" and units == 1:
        yield Finding(
            _(
                "A categorical loss needs one unit for each class, but there is only 1: use "
                "BinaryCrossentropy with sigmoid."
            ),
            where="loss",
            code='model.compile("adam", "binary_crossentropy", metrics=["accuracy"])',
        )


def _unused_units(output: Output, labels: Array) -> Iterator[Finding]:
    numbers, units = class_numbers(labels), output.n_units
    if numbers is None or units < 3 or output.activation not in ("softmax", "linear") or output.kind == "regression":
        return
    n_classes = int(numbers.max()) + 1
    is_enough = len(numbers) >= (20 if units == 1000 else 3 * units)
    if is_enough and units >= 2 * n_classes and units >= n_classes + 3 and len(np.unique(numbers)) > 1:
        yield Finding(
            _(
                "The model has {units} units, but the labels name only {n_classes} classes (0 to "
                "{last}): give the last layer one unit for each class.",
                units=units,
                n_classes=n_classes,
                last=n_classes - 1,
            ),
            code=f'keras.layers.Dense({n_classes}, activation="softmax")',
            is_certain=units == 1000,
        )


def _metrics(setup: Setup) -> Iterator[Finding]:
    """Find metrics that don't measure what the learner takes them for."""
    for output in setup.outputs:
        if output.answers.ndim != 2 or not is_compiled(setup.model):
            continue
        for metric in output.metrics:
            text, code = _metric(output, metric_name(metric), metric)
            if text:
                yield Finding(f"Output {output.name!r}: {text}" if output.name else text, where="metrics", code=code)


_ACCURACY = 'metrics=["accuracy"]'


def _metric(output: Output, name: str, metric: Any) -> tuple[str, str]:
    """Return (what is wrong with a metric, mended code)."""
    units, kind = output.n_units, output.kind
    form = LabelForm("") if output.labels is None else form_of_labels(output.labels)
    is_text = isinstance(metric, str)
    if name == "accuracy" and not is_text:
        return (
            _(
                "metrics.Accuracy() counts answers that equal the label exactly, which probabilities "
                "never do: it stays near 0."
            ),
            _ACCURACY,
        )
    if kind not in ("sparse", "categorical", "binary"):
        return "", ""
    if name == "binaryaccuracy" and kind != "binary" and units > 1:
        return (
            _(
                "{name} compares each of the {units} answers with 0.5, which looks far too good for {units} classes.",
                name=name,
                units=units,
            ),
            _ACCURACY,
        )
    if name in ("categoricalaccuracy", "sparsecategoricalaccuracy") and units == 1:
        return _(
            "{name} takes the largest of several answers, and there is only 1: use binary accuracy.", name=name
        ), _ACCURACY
    if name == "categoricalaccuracy" and form.name == "whole":
        return _("CategoricalAccuracy takes one-hot labels, and these are whole numbers."), _ACCURACY
    if name == "sparsecategoricalaccuracy" and form.name == "one-hot" and units > 1:
        return _("SparseCategoricalAccuracy takes whole numbers, and these labels are one-hot."), _ACCURACY
    if kind == "sparse" and units > 1 and name in ("precision", "recall", "auc", "f1score", "fbetascore"):
        return _(
            "{name} takes one-hot labels, and these are numbers.", name=type(metric).__name__ if not is_text else metric
        ), ""
    is_logit = output.activation == "linear" and not takes_logits(metric)
    if name == "auc" and is_logit:
        return _("AUC takes probabilities, and the model gives logits."), "keras.metrics.AUC(from_logits=True)"
    return "", ""


CHECKS = (Check(Subject.LABELS, _labels), Check(Subject.LOSS, _loss), Check(Subject.METRICS, _metrics))
