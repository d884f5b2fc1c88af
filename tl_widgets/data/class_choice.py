"""Some of a data set's classes: cat against dog out of CIFAR-10's ten."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tl_widgets.core.errors import InputError
from tl_widgets.data.dataset import ImageDataset, Split, first_few, pick
from tl_widgets.records.provenance import Origin

_MOST_NAMED = 20


def require_classes(classes: Sequence[str], known: Sequence[str], where: str) -> tuple[str, ...]:
    """The chosen classes in the order of their labels.

    Args:
        classes: names, in any order.
        known: all names, in label order.
        where: what they are the classes of, for messages.

    Raises:
        InputError: fewer than two, or one that is not there.
    """
    wanted = {classes} if isinstance(classes, str) else set(classes)
    if unknown := sorted(map(str, wanted - set(known))):
        raise InputError(f"{where} has no class {unknown[0]!r}; its classes are {first_few([*known], _MOST_NAMED)}.")
    if len(wanted) < 2:
        raise InputError(f"classes={classes!r}; it takes at least two, of {first_few([*known], _MOST_NAMED)}.")
    return tuple(name for name in known if name in wanted)


def choose_classes(dataset: ImageDataset, classes: Sequence[str]) -> ImageDataset:
    """The same data set with some of its classes only; every image stays in its split.

    Args:
        dataset: any.
        classes: names of at least two of its classes.

    Returns:
        Its labels count the chosen classes alone, in the old order. The origin of a folder is lost: `load_folder`
        with these classes would draw another split.

    Raises:
        InputError: fewer than two, or one that is not there.
    """
    names = require_classes(classes, dataset.class_names, dataset.name)
    if names == dataset.class_names:
        return dataset
    places = np.array([dataset.class_names.index(name) for name in names], np.int64)

    def chosen(split: Split) -> Split:
        rows = np.flatnonzero(np.isin(split.labels, places)).astype(np.int64)
        some = pick(split.images, split.labels, rows)
        return Split(some.images, np.searchsorted(places, some.labels).astype(np.int64))

    train, validation, test = map(chosen, (dataset.train, dataset.validation, dataset.test))
    origin = _origin(dataset.origin, names)
    return replace(dataset, train=train, validation=validation, test=test, class_names=names, origin=origin)


def _origin(origin: Origin | None, names: tuple[str, ...]) -> Origin | None:
    if origin is None or origin.kind != "built-in" or origin.n_per_class is not None or origin.classes:
        return None
    return replace(origin, classes=names)
