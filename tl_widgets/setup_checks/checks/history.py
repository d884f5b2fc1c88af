"""Checks of the curves of a training: what its numbers say, and why."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from tl_widgets.backbones.keras_compat import all_layers, is_random
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import percent
from tl_widgets.core.translation import _, ngettext
from tl_widgets.setup_checks.checks.label_forms import class_numbers
from tl_widgets.setup_checks.data import Array, Data
from tl_widgets.setup_checks.mistake import Check, Finding, Subject
from tl_widgets.setup_checks.setup import Setup

_ACCURACIES = ("accuracy", "acc", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy")
_FEW = 3  # epochs that say nothing yet
_WHERE = "history"


def read_history(history: Any) -> dict[str, list[float]] | None:
    """Return the curves of what `fit` returned, or of its dictionary.

    Raises:
        InputError: it's neither, or holds something else than numbers.
    """
    if history is None:
        return None
    curves = getattr(history, "history", history)
    if not isinstance(curves, Mapping):
        raise InputError(
            _(
                "history takes what fit() returned, or its history.history; received {name}.",
                name=type(history).__name__,
            )
        )
    try:
        return {str(name): [float(value) for value in values] for name, values in curves.items()}
    except (TypeError, ValueError) as error:
        raise InputError(_("The curves of history must be lists of numbers ({error}).", error=error)) from error


@dataclass(frozen=True)
class _Curves:
    """Loss and accuracy in training and validation; empty lists for what isn't there."""

    loss: list[float]
    accuracy: list[float]
    val_loss: list[float]
    val_accuracy: list[float]

    @classmethod
    def of(cls, curves: Mapping[str, list[float]]) -> _Curves:
        name = next((name for name in _ACCURACIES if name in curves), "accuracy")
        return cls(*(curves.get(key, []) for key in ("loss", name, "val_loss", f"val_{name}")))

    @property
    def n_epochs(self) -> int:
        return max(len(self.loss), len(self.accuracy))


def _find(setup: Setup) -> Iterator[Finding]:
    """Find what the curves of a training say is wrong."""
    if setup.history is None:
        return
    curves = _Curves.of(setup.history)
    if broken := _broken_loss(curves.loss):
        yield broken
        return
    if curves.n_epochs < _FEW:
        text = ngettext(
            "{n} epoch is too few to tell anything.", "{n} epochs are too few to tell anything.", curves.n_epochs
        )
        yield Finding(text, where=_WHERE, code="model.fit(..., epochs=10)", is_certain=False)
        return
    numbers = class_numbers(setup.all_labels) if isinstance(setup.all_labels, np.ndarray) else None
    chance, n_train = _chance(numbers), setup.data.n or (len(numbers) if numbers is not None else 0)
    n_validation = _count(setup.validation)
    if curves.accuracy and numbers is not None and chance and max(curves.accuracy) <= chance + _margin(chance, n_train):
        guess = _("guessing") if _most_common(numbers) is None else _("always naming the most common class")
        yield Finding(
            _(
                "After {n_epochs} epochs, the training accuracy is {curves_accuracy}, and {guess} is "
                "right {chance} of the time: the network is stuck at chance. If this report finds "
                "something else, that is the likely cause; if not, try a learning rate ten times lower "
                "and one ten times higher, and see whether the network can memorize 16 images "
                "(memorize=True).",
                n_epochs=curves.n_epochs,
                curves_accuracy=percent(curves.accuracy[-1]),
                guess=guess,
                chance=percent(chance),
            ),
            where=_WHERE,
            code="check_setup(model, data, memorize=True)",
        )
    else:
        yield from _generalization(setup, curves, chance, n_validation)
    if curves.val_accuracy and n_validation and n_validation < 100:
        half = 1.96 * math.sqrt(0.25 / n_validation)
        yield Finding(
            _(
                "The validation accuracy is measured on {n_validation} images, which leaves ± {half:.0f} "
                "points: too few to tell small differences.",
                n_validation=n_validation,
                half=100 * half,
            ),
            where=_("validation data"),
            code="tl_widgets.compare(..., folds=5)",
        )
    yield from _one_answer(setup)


def _broken_loss(loss: list[float]) -> Finding | None:
    bad = next((i for i, value in enumerate(loss) if not math.isfinite(value)), None)
    if bad is not None:
        return Finding(
            _(
                "The loss is {loss:g} from epoch {bad} on, and the weights are lost: look for NaN in the "
                "images, a learning rate that is too high, and raw pixels. Build the model anew; it "
                "can't recover.",
                loss=loss[bad],
                bad=bad + 1,
            ),
            "learning_rate",
            where=_("epoch {bad}", bad=bad + 1),
            code="keras.optimizers.Adam(1e-3, clipnorm=1.0)",
        )
    if len(loss) >= 2 and loss[-1] > 10 and loss[-1] > 3 * min(loss):
        return Finding(
            _(
                "The loss explodes, from {lowest:.3g} to {last:.3g}: each step overshoots. Lower the "
                "learning rate to a tenth.",
                lowest=min(loss),
                last=loss[-1],
            ),
            "learning_rate",
            where=_("epoch {epoch} on", epoch=1 + int(np.argmin(loss))),
            code="keras.optimizers.Adam(1e-4)",
        )
    return None


def _generalization(setup: Setup, curves: _Curves, chance: float, n: int | None) -> Iterator[Finding]:
    """Compare the curves of training and validation."""
    if curves.accuracy and curves.val_accuracy:
        known = float(np.mean(curves.accuracy[-3:]))
        new = float(np.mean(curves.val_accuracy[-3:]))
        noise = 2 * math.sqrt(max(new * (1 - new), 0.01) / (n or 100))
        if new > known + max(0.05, noise):
            yield _above(setup, known, new)
        elif known > chance + 0.3 and new <= chance + noise / 2:
            yield Finding(
                _(
                    "The training images are memorized ({known}), and on the validation images the "
                    "network does no better than chance ({new}): the labels look permuted, in one of the "
                    "two parts at least. Look at some images with their labels.",
                    known=percent(known),
                    new=percent(new),
                ),
                where="labels",
                code="plt.imshow(images[0] / 255); plt.title(class_names[labels[0]])",
                is_certain=False,
            )
            return
        elif known - new > max(0.15, noise):
            yield _overfitting(
                setup,
                curves,
                _(
                    "{known} of the training images and {new} of the validation images are right",
                    known=percent(known),
                    new=percent(new),
                ),
            )
            return
    best = int(np.argmin(curves.val_loss)) if curves.val_loss else 0
    if len(curves.val_loss) - best > 3 and curves.val_loss[-1] > 1.3 * curves.val_loss[best]:
        yield _overfitting(
            setup,
            curves,
            _(
                "the validation loss rises from {lowest:.3g} to {last:.3g} after epoch {epoch}",
                lowest=curves.val_loss[best],
                last=curves.val_loss[-1],
                epoch=best + 1,
            ),
        )


def _overfitting(setup: Setup, curves: _Curves, seen: str) -> Finding:
    best = 1 + int(np.argmin(curves.val_loss)) if curves.val_loss else 0
    stop = (
        _(" Stop at epoch {best}, where the validation loss is lowest.", best=best)
        if 0 < best < curves.n_epochs
        else ""
    )
    has_backbone = setup.backbone is not None and setup.backbone.is_pretrained
    more = _("augmentation or more images") if has_backbone else _("a pretrained backbone, augmentation or more images")
    return Finding(
        _("The network overfits: {seen}.{stop} Then try {more}.", seen=seen, stop=stop, more=more),
        where=_WHERE,
        code='keras.callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True)',
    )


def _above(setup: Setup, known: float, new: float) -> Finding:
    names = [layer.name for layer in all_layers(setup.model) if is_random(layer)]
    why = (
        _("{name} makes training harder than validation, which is as it should be", name=", ".join(names[:3]))
        if names
        else _(
            "training accuracy is a mean over an epoch in which the network still improves; if it stays "
            "so, look for images in both parts, and for an easier or very small validation set"
        )
    )
    return Finding(
        _(
            "The validation accuracy ({new}) is above the training accuracy ({known}): {why}. Compare "
            "both after the training with evaluate().",
            new=percent(new),
            known=percent(known),
            why=why,
        ),
        where=_WHERE,
        code="model.evaluate(train); model.evaluate(validation)",
        is_certain=False,
    )


def _chance(numbers: Any) -> float:
    return (
        0.0 if numbers is None or not len(numbers) else float(np.bincount(numbers - numbers.min()).max()) / len(numbers)
    )


def _most_common(numbers: Array) -> int | None:
    """Return the most common class; None if the classes are about equally large."""
    classes, counts = np.unique(numbers, return_counts=True)
    return int(classes[counts.argmax()]) if counts.max() > 1.2 * counts.min() else None


def _margin(chance: float, n: int) -> float:
    return max(0.03, 2 * math.sqrt(chance * (1 - chance) / n)) if n else 0.05


def _count(data: Data | None) -> int | None:
    """Return the number of validation images, reading labels if that is the only way; None if there may be more."""
    if data is None:
        return None
    if data.n is not None:
        return data.n
    labels = data.all_labels
    return len(labels) if isinstance(labels, np.ndarray) and len(labels) < 1000 and data.form != "generator" else None


def _one_answer(setup: Setup) -> Iterator[Finding]:
    """Find a trained model that names one class for all images."""
    labels = setup.batch.labels
    numbers = class_numbers(labels) if isinstance(labels, np.ndarray) else None
    if numbers is None or len(numbers) < 16 or len(setup.outputs) != 1 or setup.answers is None:
        return
    answers = keras.ops.convert_to_numpy(setup.model(setup.inputs(len(numbers)), training=False)).astype(np.float64)
    if answers.ndim != 2 or np.ptp(answers, axis=0).max() < 1e-6:
        return  # said already
    threshold = 0.5 if setup.outputs[0].activation == "sigmoid" else 0.0
    named = answers.argmax(1) if answers.shape[1] > 1 else (answers[:, 0] > threshold).astype(int)
    share = np.bincount(numbers - numbers.min()).max() / len(numbers)
    if len(np.unique(named)) == 1 and share < 0.8:
        in_all = class_numbers(setup.all_labels) if isinstance(setup.all_labels, np.ndarray) else None
        why = _("its answer doesn't depend on the image")
        if _most_common(numbers if in_all is None else in_all) == named[0]:
            why = _("it has learned which class is the most common, and nothing else")
        yield Finding(
            _(
                "The trained model names class {named} for each of the {n_named} training images that "
                "were tried: {why}.",
                named=named[0],
                n_named=len(named),
                why=why,
            ),
            where=setup.outputs[0].where,
            is_certain=False,
        )


def memorizes(setup: Setup, seconds: float = 15.0) -> Iterator[Finding]:
    """Train a copy of the model on a few of its own images, which any network that can learn memorizes."""
    import time

    labels = setup.batch.labels
    if setup.optimizer is None or not isinstance(labels, np.ndarray) or setup.answers is None:
        yield Finding(_("Not checked: whether the model can memorize images (compile it first)."), was_checked=False)
        return
    try:
        copy = keras.models.clone_model(setup.model)
    except Exception:  # a subclassed model may not say how it was made
        text = _("Not checked: whether the model can memorize images, because it can't be copied.")
        yield Finding(text, was_checked=False)
        return
    numbers = class_numbers(labels)
    rows = slice(0, 16)
    copy.set_weights(setup.model.get_weights())
    loss = setup.model.loss
    copy.compile(type(setup.optimizer).from_config(setup.optimizer.get_config()), loss, metrics=["accuracy"])
    images, some = setup.inputs(16), labels[rows]
    deadline, accuracy, n_steps = time.monotonic() + seconds, 0.0, 0
    while accuracy < 1 and n_steps < 300 and time.monotonic() < deadline:
        copy.reset_metrics()  # else accuracy is the mean of all steps
        result = copy.train_on_batch(images, some, return_dict=True)
        accuracy, n_steps = float(result.get("accuracy", 0)), n_steps + 1
        if not math.isfinite(float(result["loss"])):
            break
    n = len(some)
    chance = _chance(numbers[rows]) if numbers is not None else 0
    if accuracy < max(0.9, chance + 0.1):
        yield Finding(
            _(
                "A copy of the model couldn't memorize {n} of its own images in {n_steps} steps "
                "({accuracy} right): something keeps it from learning, such as the learning rate, dead "
                "ReLU units, the loss, or labels that don't belong to their images.",
                n=n,
                n_steps=n_steps,
                accuracy=percent(accuracy),
            ),
            where="model",
            is_certain=False,
        )


CHECKS = (Check(Subject.HISTORY, _find),)
