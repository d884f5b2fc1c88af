"""Checks of the validation data against the training data: shape, range, channel order, classes, augmentation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.setup_checks.checks.label_forms import class_numbers, form_of_labels
from tl_widgets.setup_checks.data import Array, Data, leaves
from tl_widgets.setup_checks.mistake import Check, Finding, Subject
from tl_widgets.setup_checks.pixel_forms import form_of
from tl_widgets.setup_checks.same_images import Seen, count_same, print_images, seen_in
from tl_widgets.setup_checks.setup import Setup

_WHERE = _("validation data")
_SURE = 1e-4  # how improbable something must be by chance


def _find(setup: Setup) -> Iterator[Finding]:
    """Find validation data that aren't like the training data."""
    validation = setup.validation
    if validation is None or validation is setup.data or isinstance(setup.data.source, ImageDataset):
        return
    images = np.asarray(validation.sample.images, np.float32)
    if images.ndim == setup.images.ndim:
        if images.shape[1:] != setup.images.shape[1:] and setup.images_fit:
            here, there = (" × ".join(map(str, array.shape[1:])) for array in (images, setup.images))
            yield Finding(
                _(
                    "The validation images are {here}, and the training images {there}: load both in the same way.",
                    here=here,
                    there=there,
                ),
                where=_WHERE,
            )
        elif (finding := _range(setup, images)) or (finding := _order(setup, validation)):
            yield finding
    yield from _classes(setup, validation)
    yield from _passes(setup.data, validation)


def _range(setup: Setup, images: Array) -> Finding | None:
    """Return a finding if the validation images are scaled in another way."""
    if not np.isfinite(images).all():
        return Finding(_("The validation images contain NaN or infinite values."), where=_WHERE)
    train, other = setup.form, form_of(images)
    bounds = [_("{low:.3g} to {high:.3g}", low=array.min(), high=array.max()) for array in (images, setup.images)]
    is_other = train.is_known and other.is_known and train.name != other.name
    if train.name == "tf" and other.name == "unit" and images.min() > 0.02:
        is_other = setup.images.min() < -0.5  # a few bright images in -1..1 would look like this
    ratio = images.std() / max(float(setup.images.std()), 1e-12)
    shift = abs(float(images.mean() - setup.images.mean())) / max(float(setup.images.std()), 1e-12)
    if not is_other and 0.15 < ratio < 6 and shift < 4:
        return None
    return Finding(
        _(
            "The validation images run from {validation}, and the training images from {training}: they are "
            "scaled in another way. Prepare both with the same function.",
            validation=bounds[0],
            training=bounds[1],
        ),
        where=_WHERE,
        code=_("train, validation = (data.map(prepare) for data in (train, validation))")
        if setup.data.form == "tf.data"
        else _("validation_images = prepare(raw_validation_images)  # as the training images"),
    )


def _order(setup: Setup, validation: Data) -> Finding | None:
    """Return a finding if red and blue are swapped between training and validation, by the images' colors."""
    train_batch, other_batch = _some(setup.data), _some(validation)
    if train_batch[0].shape[-1] != 3 or train_batch[0].ndim != 4 or other_batch[0].shape[-1] != 3:
        return None
    sides = []
    for images, labels in (train_batch, other_batch):
        tints = images.reshape(len(images), -1, 3).mean(1)
        sides.append((tints[:, 0] - tints[:, 2], labels))
    (train, train_labels), (other, other_labels) = sides
    if train_labels is not None and other_labels is not None:
        shared = set(train_labels) & set(other_labels)
        train = train[np.isin(train_labels, list(shared))]
        other = other[np.isin(other_labels, list(shared))]
    if min(len(train), len(other)) < 8:
        return None
    errors = [max(values.std() / np.sqrt(len(values)), 1e-9) for values in (train, other)]
    a, b = float(train.mean()), float(other.mean())
    is_swapped = a * b < 0 and abs(a) > 6 * errors[0] and abs(b) > 6 * errors[1] and 0.5 < abs(a / b) < 2
    if not is_swapped:
        return None
    return Finding(
        _(
            "Red and blue are swapped between the training and the validation images, as when only one "
            "of them was read by OpenCV."
        ),
        "channel_order",
        where=_WHERE,
        code="validation_images = validation_images[..., ::-1]",
    )


def _some(data: Data) -> tuple[Array, Array | None]:
    """Return up to 256 images, spread over arrays, with their classes."""
    if data.is_array:
        rows = np.unique(np.linspace(0, len(data.arrays.images) - 1, 256).astype(int))
        images, labels = data.arrays.images[rows], data.arrays.labels
        fits = isinstance(labels, np.ndarray) and len(labels) == len(data.arrays.images)
        return np.asarray(images, np.float32), class_numbers(labels[rows]) if fits else None
    labels = data.sample.labels
    return np.asarray(data.sample.images, np.float32), class_numbers(labels) if isinstance(labels, np.ndarray) else None


def _classes(setup: Setup, validation: Data) -> Iterator[Finding]:
    """Find other classes, or another order of classes."""
    names = setup.data.class_names, validation.class_names
    if all(names) and names[0] != names[1]:
        same = sorted(names[0]) == sorted(names[1])
        here, there = ", ".join(names[1][:5]), ", ".join(names[0][:5])
        yield Finding(
            _(
                "The validation data have the classes in another order ({here}) than the training data ({there}), so "
                "labels mean something else: give both the same class_names.",
                here=here,
                there=there,
            )
            if same
            else _(
                "The validation data have other classes ({here}) than the training data ({there}), so labels mean "
                "something else: give both the same class_names.",
                here=here,
                there=there,
            ),
            where=_WHERE,
            code="class_names=train.class_names",
        )
        return
    ours, theirs = setup.all_labels, validation.all_labels
    if ours is None or theirs is None or leaves(ours).keys() != leaves(theirs).keys():
        return
    for name, labels in leaves(ours).items():
        other = leaves(theirs)[name]
        forms = form_of_labels(np.asarray(labels)), form_of_labels(np.asarray(other))
        if {forms[0].name, forms[1].name} in ({"whole", "one-hot"}, {"whole", "text"}, {"one-hot", "text"}):
            text = _(
                "The training labels are {training}, and the validation labels {validation}.",
                training=forms[0].name,
                validation=forms[1].name,
            )
            yield Finding(_("{text} Prepare both in the same way.", text=text), where=_("validation labels"))
            continue
        if forms[0].name == forms[1].name == "one-hot" and forms[0].width != forms[1].width:
            yield Finding(
                _(
                    "The training labels have {training} columns, and the validation labels {validation}.",
                    training=forms[0].width,
                    validation=forms[1].width,
                ),
                where=_("validation labels"),
            )
            continue
        numbers = class_numbers(np.asarray(labels)), class_numbers(np.asarray(other))
        if numbers[0] is None or numbers[1] is None:
            continue
        yield from _sets(setup, numbers[0], numbers[1])


def _sets(setup: Setup, ours: Array, theirs: Array) -> Iterator[Finding]:
    classes, counts = np.unique(ours, return_counts=True)
    new = sorted(set(theirs.tolist()) - set(classes.tolist()))
    code = "order = np.random.default_rng(0).permutation(len(images)); images, labels = images[order], labels[order]"
    why = _("such as when data in the order of the classes are split at the end (validation_split): shuffle first.")
    share_new = 1 - np.isin(theirs, new).mean()  # of a validation label that training may hold
    is_missed = setup.data.was_read_whole or share_new ** len(ours) < _SURE
    if new and len(ours) >= 20 and is_missed:
        listed = ", ".join(map(str, new[:5]))
        yield Finding(
            _("The validation labels hold {listed}, which the training labels never do, {why}", listed=listed, why=why),
            where=_WHERE,
            code=code,
        )
        return
    missing = [int(number) for number in classes if number not in theirs]
    share = 1 - counts[np.isin(classes, missing)].sum() / counts.sum()
    is_improbable = share ** len(theirs) < _SURE and len(theirs) > 4
    if missing and is_improbable and setup.validation is not None and setup.validation.was_read_whole:
        listed = ", ".join(map(str, missing[:5]))
        yield Finding(
            _(
                "The {n_theirs} validation labels never hold {listed}, which the training labels often do, {why}",
                n_theirs=len(theirs),
                listed=listed,
                why=why,
            ),
            where=_WHERE,
            code=code,
        )
    elif setup.validation is not None:
        yield from _permuted(setup, setup.validation, ours, theirs)


def _permuted(setup: Setup, validation: Data, ours: Array, theirs: Array) -> Iterator[Finding]:
    """Find validation labels that name the classes in another order, by what the images look like."""
    if len(ours) < 20 or len(theirs) < 20:
        return
    sides = []
    for data, numbers in ((setup.data, ours), (validation, theirs)):
        images, labels = _some(data)
        if labels is None or len(images) < 16:
            return
        thumbs = np.concatenate([print_images(images)[0], images.reshape(len(images), -1, images.shape[-1]).mean(1)], 1)
        sides.append((thumbs, labels, numbers))
    (train, train_labels, _unused), (other, other_labels, _unused) = sides
    classes = sorted(set(train_labels.tolist()) & set(other_labels.tolist()))
    if len(classes) < 2 or train.shape[1] != other.shape[1]:
        return
    scale = np.maximum(train.std(0), 1e-9)
    means = np.array([train[train_labels == number].mean(0) for number in classes]) / scale

    def nearest(thumbs: Array) -> Array:
        return np.asarray(np.array(classes)[((thumbs[:, None] / scale - means) ** 2).sum(-1).argmin(1)])

    known = nearest(train) == train_labels
    guesses, kept = nearest(other), np.isin(other_labels, classes)
    n, chance = int(kept.sum()), 1 / len(classes)
    right = (guesses == other_labels)[kept].mean()
    renamed = {number: _commonest(other_labels[kept & (guesses == number)]) for number in classes}
    after = np.mean([renamed[guess] == label for guess, label in zip(guesses[kept], other_labels[kept], strict=True)])
    is_permutation = sorted(map(str, renamed.values())) == sorted(map(str, classes))
    if known.mean() > 0.85 and n >= 20 and right < chance / 2 and after > 0.85 and is_permutation:
        yield Finding(
            _(
                "The validation labels seem to name the classes in another order than the training "
                "labels: by their looks, class {class_text} of training is class {renamed} of validation.",
                class_text=classes[0],
                renamed=renamed[classes[0]],
            ),
            where=_("validation labels"),
            code="class_names=train.class_names",
            is_certain=False,
        )


def _commonest(labels: Array) -> Any:
    values, counts = np.unique(labels, return_counts=True)
    return values[counts.argmax()].item() if len(values) else None


def _passes(data: Data, validation: Data) -> Iterator[Finding]:
    """Find validation data that are augmented, or shuffled apart from their list of classes."""
    source = validation.source
    generator = getattr(source, "image_data_generator", None)
    augments = [
        name
        for name in ("rotation_range", "width_shift_range", "height_shift_range", "shear_range", "zoom_range",
                     "channel_shift_range", "horizontal_flip", "vertical_flip", "brightness_range")
        if _is_on(getattr(generator, name, None))
    ]  # fmt: skip
    text = ""
    if augments:
        text = _("The validation images are augmented ({augments})", augments=", ".join(augments))
    elif validation.form in ("tf.data", "sequence") and _differs(data, validation):
        text = _("The validation images differ from pass to pass, so they are augmented")
    if text:
        yield Finding(
            _("{text}: each evaluation measures other images. Augment the training images only.", text=text),
            where=_WHERE,
            code="validation = validation_generator.flow(...)  # a second ImageDataGenerator, without augmentation"
            if augments
            else "validation = validation_images.map(scale)  # without augmentation",
        )
    if getattr(source, "shuffle", None) is True and len(getattr(source, "classes", ())):
        yield Finding(
            _(
                "The validation generator shuffles, so predict() answers in another order than its list "
                "of classes: a confusion matrix of both is wrong."
            ),
            where=_WHERE,
            code="shuffle=False",
            is_certain=False,
        )


def _is_on(setting: Any) -> bool:
    return bool(setting) and setting not in ([1, 1], [1.0, 1.0], (1, 1))


def _differs(data: Data, validation: Data) -> bool:
    """Return whether two passes hold other pixels for the same images."""
    one, other = seen_in(validation), seen_in(validation, 2)
    if len(one.prints) != len(other.prints) or not len(one.prints):
        return False
    if not one.is_complete and not _same_order(validation):
        return False  # shuffled, and only partly read
    if _n_lost(one, other) <= len(one.prints) / 2:
        return False
    return _n_lost(other, seen_in(data)) > len(other.prints) / 2  # else take() and skip() of data shuffled anew


def _n_lost(one: Seen, other: Seen) -> int:
    return len(one.prints) - len(count_same(one, other).pairs)


def _same_order(data: Data) -> bool:
    first, second = (np.asarray(next(data.batches()).labels, dtype=object) for _ in range(2))
    return len(first) >= 8 and np.array_equal(first, second)


CHECKS = (Check(Subject.VALIDATION, _find),)
