"""The forms that labels have, and whether one goes with the units of the last layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tl_widgets.core.translation import _
from tl_widgets.setup_checks.data import Array
from tl_widgets.setup_checks.outputs import Output

_CLASSIFYING = ("binary", "categorical", "sparse")


@dataclass(frozen=True)
class LabelForm:
    """The form of labels: "text", "whole" (n,), "one-hot", "several" (multi-hot), "soft", "real", "nan" or "other"."""

    name: str
    width: int = 1


def form_of_labels(labels: Array) -> LabelForm:
    """Recognize the form of labels (n, ...)."""
    if labels.dtype.kind in "USO":
        return LabelForm("text")
    if labels.dtype.kind not in "uifb" or not labels.size or labels.ndim > 2:
        return LabelForm("other")
    if not np.isfinite(labels.astype(np.float64)).all():
        return LabelForm("nan")
    if labels.ndim == 1 or labels.shape[1] == 1:
        return LabelForm("whole" if np.all(labels == np.round(labels)) else "real")
    sums, width = labels.sum(axis=1), labels.shape[1]
    if np.all((labels == 0) | (labels == 1)):
        return LabelForm("one-hot" if np.all(sums == 1) else "several", width)
    return LabelForm("soft" if np.allclose(sums, 1, atol=1e-3) and labels.min() >= 0 else "other", width)


def class_numbers(labels: Array) -> Array | None:
    """Return the class of each image as a number, if the labels say it."""
    form = form_of_labels(labels)
    if form.name == "whole":
        return labels.reshape(len(labels)).astype(np.int64)
    return np.asarray(labels.argmax(axis=1)) if form.name in ("one-hot", "soft") else None


_SPARSE = 'model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])'
_CATEGORICAL = 'model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])'


def labels_and_units(output: Output, labels: Array, form: LabelForm) -> Iterator[tuple[str, str]]:
    """Yield (what doesn't fit, mended code)."""
    kind, units = output.kind, output.n_units
    low, high = float(labels.min()), float(labels.max())
    is_row = form.name in ("one-hot", "several", "soft")
    if kind in _CLASSIFYING and form.name == "real" and kind != "binary":
        yield (
            _(
                "The labels are no whole numbers (such as {flat:g}), and the loss takes class numbers.",
                flat=labels.flat[0],
            ),
            "",
        )
    elif kind == "sparse" and is_row:
        yield _("The labels are one-hot, but the loss is sparse: use CategoricalCrossentropy."), _CATEGORICAL
    elif kind == "categorical" and not is_row and units > 1:
        yield (
            _("The labels are whole numbers, but the loss is categorical: use SparseCategoricalCrossentropy."),
            _SPARSE,
        )
    elif kind in ("categorical", "binary") and is_row and form.width != units:
        if units == 1:
            yield (
                _(
                    "The labels are one-hot with {width} columns, but the model has 1 unit: give it one "
                    "label for each image.",
                    width=form.width,
                ),
                "labels = labels.argmax(axis=1)",
            )
        else:
            yield (
                _(
                    "The labels have {width} columns, but the model has {units} units: give the last "
                    "layer one unit for each column.",
                    width=form.width,
                    units=units,
                ),
                f"keras.layers.Dense({form.width}, ...)",
            )
    elif kind == "categorical" and form.name == "several":
        sums = labels.sum(axis=1)
        yield (
            _(
                "Rows of labels add up to {low:g} to {high:g}, so an image can have several classes, "
                "and softmax allows one: use sigmoid and BinaryCrossentropy.",
                low=sums.min(),
                high=sums.max(),
            ),
            f'keras.layers.Dense({units}, activation="sigmoid")',
        )
    elif kind == "sparse" and low < 0:
        yield (
            _("There is a label {low:g}; class numbers begin at 0.", low=low),
            _("names, labels = np.unique(labels, ...)"),
        )
    elif kind == "sparse" and high >= units and low >= 1 and high == units:
        yield (
            _(
                "There is a label {high:g}, but {units} units can only answer 0 to {most}: the labels "
                "begin at {low:g}, and have to begin at 0.",
                high=high,
                units=units,
                most=units - 1,
                low=low,
            ),
            "labels = labels - 1",
        )
    elif kind == "sparse" and high >= units:
        yield (
            _(
                "There is a label {high:g}, but {units} units can only answer 0 to {most}: give the "
                "last layer one unit for each class.",
                high=high,
                units=units,
                most=units - 1,
            ),
            f"keras.layers.Dense({int(high) + 1}, ...)",
        )
    elif kind == "binary" and not is_row and units > 1:
        yield (
            _(
                "There is one label for each image, but a binary loss compares it with {units} units: "
                "use SparseCategoricalCrossentropy and softmax.",
                units=units,
            ),
            _SPARSE,
        )
    elif kind == "binary" and (low < 0 or high > 1):
        code = _two_values(high, labels)
        yield _("The labels run from {low:g} to {high:g}; a binary loss takes 0 and 1.", low=low, high=high), code
    elif kind == "regression" and units > 1 and form.name == "whole":
        yield (
            _(
                "{loss} compares a class number with {units} answers: it is no loss for classes. Use "
                "SparseCategoricalCrossentropy.",
                loss=output.loss,
                units=units,
            ),
            _SPARSE,
        )
    elif kind == "regression" and output.activation == "softmax" and form.name == "one-hot":
        yield (
            _(
                "{loss} on softmax answers learns slowly, because wrong and certain answers have almost "
                "no gradient: use CategoricalCrossentropy.",
                loss=output.loss,
            ),
            _CATEGORICAL,
        )
    elif kind == "regression" and units == 1 and high > 1 and _has_accuracy(output) and form.name == "whole":
        yield (
            _(
                "{loss} with 1 unit takes class numbers for amounts, and accuracy means nothing for "
                "them: end with {high} softmax units and SparseCategoricalCrossentropy.",
                loss=output.loss,
                high=int(high) + 1,
            ),
            _SPARSE,
        )


def _two_values(high: float, labels: Array) -> str:
    if len(np.unique(labels)) == 2:
        return f"labels = (labels == {high:g}).astype('float32')"
    return _('keras.layers.Dense(n_classes, activation="softmax") with "sparse_categorical_crossentropy"')


def metric_name(metric: Any) -> str:
    """Return the name of a metric."""
    name = metric if isinstance(metric, str) else getattr(metric, "__name__", type(metric).__name__)
    return str(name).replace("_", "").lower()


def _has_accuracy(output: Output) -> bool:
    return any("acc" in metric_name(metric) for metric in output.metrics)
