"""Folds: the images of a data set, divided so that each of them is tested once."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np

from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset, Images, Rows, Split, split_rows, subset
from tl_widgets.data.folder import CARVED_VALIDATION_SHARE
from tl_widgets.data.groups import split_groups
from tl_widgets.data.memmap_images import IndexedImages
from tl_widgets.records.comparison import Comparison


def pooled_images(dataset: ImageDataset) -> Images | IndexedImages:
    """Return the training, validation and test images of a data set in one array."""
    parts = [split.images for split in (dataset.train, dataset.validation, dataset.test)]
    if all(isinstance(part, IndexedImages) for part in parts):
        return IndexedImages.joined(parts)  # type: ignore[arg-type]  # checked in the line above
    return np.concatenate([part[:] for part in parts])


def answered_images(comparison: Comparison, dataset: ImageDataset) -> Images | IndexedImages:
    """Return the images of a comparison's answers, in their order: those of the test, or of all folds.

    Args:
        comparison: The comparison.
        dataset: The data set that was compared.
    """
    if comparison.folds is None:
        return dataset.test.images
    images, rows = pooled_images(dataset), comparison.folds.rows
    if len(rows) == len(images):
        return images
    return images.select(rows) if isinstance(images, IndexedImages) else images[rows]


def pool(dataset: ImageDataset) -> Split:
    """Return training, validation and test images as one split, in this order."""
    splits = (dataset.train, dataset.validation, dataset.test)
    groups = [split.groups for split in splits if split.groups is not None]
    return Split(
        pooled_images(dataset),
        np.concatenate([split.labels for split in splits]),
        np.concatenate(groups) if len(groups) == len(splits) else None,
    )


@dataclass(frozen=True)
class FoldRows:
    """The rows of the pooled images that one fold trains on, checks on and tests, each ascending."""

    train: Rows
    validation: Rows
    test: Rows


def divide(pooled: Split, class_names: tuple[str, ...], n_folds: int, seed: int) -> tuple[FoldRows, ...]:
    """Divide images into stratified folds, as scikit-learn does; images of one group are in the same fold.

    A fifth of each fold's training images becomes its validation set, as in a folder without one.

    Raises:
        InputError: A class has too few images, or too few groups, for this number of folds.
    """
    labels, groups = pooled.labels, pooled.groups
    counted = labels if groups is None else _label_of_groups(labels, groups)
    _require_enough(counted, class_names, n_folds, _("images") if groups is None else _("groups"))
    fold_of = _stratified(labels, n_folds, seed) if groups is None else _grouped(labels, groups, n_folds, seed)
    folds = []
    for fold in range(n_folds):
        rest, test = np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold)
        shares = (CARVED_VALIDATION_SHARE, 0.0, seed)
        if groups is None:
            train, validation, _unused = split_rows(labels[rest], *shares)
        else:
            train, validation, _unused = split_groups(labels[rest], groups[rest], *shares, class_names)
        folds.append(FoldRows(rest[train].astype(np.int64), rest[validation].astype(np.int64), test.astype(np.int64)))
    return tuple(folds)


def _stratified(labels: Rows, n_folds: int, seed: int) -> Rows:
    """Return the fold of each image, the same as scikit-learn's StratifiedKFold, whose import takes 0.1 GB."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    encoded = np.argsort(np.argsort(first))[inverse]  # classes in the order in which they occur
    ordered = np.sort(encoded)
    counts = [np.bincount(ordered[i::n_folds], minlength=len(first)) for i in range(n_folds)]
    fold_of, rng = np.empty(len(labels), np.int64), np.random.RandomState(seed)
    for k in range(len(first)):
        folds = np.repeat(np.arange(n_folds), [count[k] for count in counts])
        rng.shuffle(folds)
        fold_of[encoded == k] = folds
    return fold_of


def _grouped(labels: Rows, groups: Rows, n_folds: int, seed: int) -> Rows:
    """Return the fold of each image, with all images of a group in one fold."""
    from sklearn.model_selection import StratifiedGroupKFold

    splitter, fold_of = StratifiedGroupKFold(n_folds, shuffle=True, random_state=seed), np.empty(len(labels), np.int64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about classes with few images, which are checked here
        for fold, (_unused, test) in enumerate(splitter.split(np.zeros(len(labels)), labels, groups)):
            fold_of[test] = fold
    return fold_of


def _label_of_groups(labels: Rows, groups: Rows) -> Rows:
    """Return a label for each pair of a group and a class in it."""
    return np.unique(np.stack([groups, labels], axis=1), axis=0)[:, 1]


def _require_enough(labels: Rows, class_names: tuple[str, ...], n_folds: int, what: str) -> None:
    """Raise `InputError` unless each class leaves one for training and one for validation in every fold."""
    counts = np.bincount(labels, minlength=len(class_names))
    scarcest = int(counts.argmin())
    n = int(counts[scarcest])
    if n < n_folds or n - -(-n // n_folds) < 2:
        most = n if n > 3 else 3 if n == 3 else 0
        advice = _("Use at most {most} folds", most=most) if most else _("Add images, or leave this class out")
        raise InputError(
            _(
                "{n_folds} folds need at least {least} {what} of each class, but {class_name!r} has {n}. {advice}.",
                n_folds=n_folds,
                least=max(n_folds, 3 if n_folds > 2 else 4),
                what=what,
                class_name=class_names[scarcest],
                n=n,
                advice=advice,
            )
        )


def fold_dataset(dataset: ImageDataset, pooled: Split, rows: FoldRows) -> ImageDataset:
    """Return the data set with the split of one fold."""
    train, validation, test = (subset(pooled, part) for part in (rows.train, rows.validation, rows.test))
    return replace(dataset, train=train, validation=validation, test=test, origin=None)
