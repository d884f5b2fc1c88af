"""ImageDataset: images and labels in three fixed splits, and subsets of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.config import LAST_SEED
from tl_widgets.core.errors import InputError
from tl_widgets.core.settings import Whole
from tl_widgets.core.text import is_text, shown
from tl_widgets.core.translation import _
from tl_widgets.data.load_report import LoadReport as LoadReport, first_few as first_few
from tl_widgets.data.memmap_images import IndexedImages
from tl_widgets.data.names import one_form
from tl_widgets.records.provenance import Origin

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]
Rows = NDArray[np.int64]

# Up to this many bytes (4,000 images at 128 pixels), images are plain arrays; larger data sets stay in a file.
IN_MEMORY_BYTES = 200_000_000


def image_key(image: Images) -> bytes:
    """Return a 16-byte BLAKE2b hash of an image's pixels and shape."""
    shape = repr(image.shape).encode()
    return hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16, key=shape).digest()


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return the array, or a copy if it, or an array that it is a view of, can be changed."""
    part: Any = array
    while isinstance(part, np.ndarray) and not part.flags.writeable:
        part = part.base
    if part is not None and not isinstance(part, bytes):
        array = array.copy()
        array.flags.writeable = False
    return array


@dataclass(frozen=True, eq=False)
class Split:
    """Images and their labels.

    Attributes:
        images: uint8, shape (n, height, width, 3), values 0-255, read-only. A plain array or, for a data set of more
            than `IN_MEMORY_BYTES`, an `IndexedImages`, which reads `images[i:j]` or `images[indices]` from disk.
        labels: int64, shape (n,), values 0 .. n_classes - 1, read-only.
        groups: int64, shape (n,), read-only: images with the same number belong together, in all splits, and must not
            be trained on and tested at once; None if every image stands for itself.
    """

    images: Images | IndexedImages
    labels: Labels
    groups: Labels | None = None

    def __post_init__(self) -> None:
        images, labels, groups = self.images, self.labels, self.groups
        shape: tuple[int, ...] = getattr(images, "shape", ())
        if len(shape) != 4 or shape[3] != 3 or getattr(images, "dtype", None) != np.uint8:
            raise InputError(
                _(
                    "images must be a uint8 array of shape (n, height, width, 3) with values 0-255; "
                    "received {value} {shape}.",
                    value=getattr(images, "dtype", type(images).__name__),
                    shape=tuple(shape),
                )
            )
        is_whole = isinstance(labels, np.ndarray) and np.issubdtype(labels.dtype, np.integer)
        if not is_whole or labels.shape != (shape[0],):
            raise InputError(
                _(
                    "labels must be an array of {n} whole numbers, one for each image; received {kind} {shape}.",
                    n=shape[0],
                    kind=getattr(labels, "dtype", type(labels).__name__),
                    shape=np.shape(labels),
                )
            )
        if groups is not None:
            if not np.issubdtype(np.asarray(groups).dtype, np.integer) or np.shape(groups) != (shape[0],):
                raise InputError(
                    _(
                        "groups must be an array of {n} whole numbers, one for each image; received {kind} {shape}.",
                        n=shape[0],
                        kind=getattr(groups, "dtype", type(groups).__name__),
                        shape=np.shape(groups),
                    )
                )
            object.__setattr__(self, "groups", _read_only(np.asarray(groups).astype(np.int64, copy=False)))
        # Keys and results are cached for these pixels, so they must not change afterwards.
        object.__setattr__(self, "labels", _read_only(labels.astype(np.int64, copy=False)))
        if isinstance(images, np.ndarray):
            object.__setattr__(self, "images", _read_only(images))

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        n_classes = len(np.unique(self.labels))
        return f"<Split: {len(self):,} images {tuple(self.images.shape[1:])} of {n_classes} classes>"

    @cached_property
    def keys(self) -> tuple[bytes, ...]:
        """16-byte BLAKE2b hash of each image's pixels and shape."""
        return tuple(image_key(image) for image in self.images)


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """Labeled images in three splits that share no image.

    Attributes:
        name: name of the data set in tables.
        train, validation, test: the splits.
        class_names: one per label, in label order.
        source: where the images come from, as text for captions and records.
        report: for folders, which files were skipped; otherwise None.
        origin: how to load the same images again; None if unknown.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    class_names: tuple[str, ...]
    source: str = ""
    report: LoadReport | None = field(default=None)
    origin: Origin | None = None

    def __repr__(self) -> str:
        sizes = ", ".join(f"{len(getattr(self, split)):,} {split}" for split in ("train", "validation", "test"))
        side = _("{image_size} x {image_size} pixels", image_size=self.image_size)
        classes = _(
            "{n_classes} classes: {first_few}", n_classes=self.n_classes, first_few=first_few([*self.class_names], 5)
        )
        return f"<ImageDataset {self.name!r}: {sizes}; {side}; {classes}>"

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, 3)."""
        _, height, width, channels = self.train.images.shape
        return height, width, channels

    @property
    def image_size(self) -> int:
        """Side of the square images in pixels."""
        return self.image_shape[0]

    @property
    def n_classes(self) -> int:
        """Number of classes, at least 2."""
        return len(self.class_names)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 hash of all images, labels and names, in hexadecimal."""
        digest = hashlib.sha256(repr((self.name, self.class_names, self.image_shape)).encode())
        for split in (self.train, self.validation, self.test):
            digest.update(len(split).to_bytes(8, "little") + b"".join(split.keys) + split.labels.tobytes())
        return digest.hexdigest()

    def take(self, n_per_class: int, *, seed: int = 0) -> ImageDataset:
        """Return the data set with fewer training images and the same other splits.

        The choices are nested: with the same seed, `take(10)` contains the images of `take(5)`.

        Args:
            n_per_class: training images of each class, at least 1.
            seed: decides which images are taken, 0 or more.

        Raises:
            InputError: a class has fewer training images.
        """
        Whole(1).check("n_per_class", n_per_class)
        Whole(0).check("seed", seed)
        counts = np.bincount(self.train.labels, minlength=self.n_classes)
        scarcest = int(counts.argmin())
        if n_per_class > counts[scarcest]:
            raise InputError(
                _(
                    "n_per_class={n_per_class}, but class {class_name!r} of {name} has {count} training "
                    "images. Ask for at most {count}.",
                    n_per_class=n_per_class,
                    class_name=self.class_names[scarcest],
                    name=self.name,
                    count=counts[scarcest],
                )
            )
        # The third number makes this choice independent of the one that made the split.
        shuffled = [
            np.random.default_rng((seed, label, 1)).permutation(np.flatnonzero(self.train.labels == label))
            for label in range(self.n_classes)
        ]
        rows = np.sort(np.concatenate([rows_of_class[:n_per_class] for rows_of_class in shuffled]))
        origin = self.origin and self.origin.take(n_per_class, seed)
        return replace(self, train=subset(self.train, rows), origin=origin)


def pick(images: Images | IndexedImages, labels: Labels, rows: Rows) -> Split:
    """Return a read-only split of the images at `rows`, int64, shape (m,).

    Images on disk are read into memory up to `IN_MEMORY_BYTES`; larger subsets stay on disk.
    """
    chosen: Images | IndexedImages
    if isinstance(images, IndexedImages):
        selected = images.select(rows)
        chosen = selected[:] if selected.nbytes <= IN_MEMORY_BYTES else selected
    else:
        chosen = images[rows]
    chosen_labels = labels[rows].astype(np.int64)
    chosen_labels.flags.writeable = False
    if isinstance(chosen, np.ndarray):
        chosen.flags.writeable = False
    return Split(chosen, chosen_labels)


def subset(split: Split, rows: Rows) -> Split:
    """Return a read-only split of some rows of another, with their groups."""
    chosen = pick(split.images, split.labels, rows)
    return chosen if split.groups is None else replace(chosen, groups=split.groups[rows])


def split_rows(labels: Labels, validation: float, test: float, seed: int) -> tuple[Rows, Rows, Rows]:
    """Return the rows of train, validation and test, stratified and ascending.

    `validation` and `test` are shares, 0-1. Each class gives at least one row to each part with a share above 0, so
    it needs 3 rows (2 if `test` is 0). Each class is shuffled by itself, so files of one class don't move another's.
    """
    parts: tuple[list[Rows], list[Rows], list[Rows]] = ([], [], [])
    for label in np.unique(labels):
        rows = np.random.default_rng((seed, int(label))).permutation(np.flatnonzero(labels == label))
        n_train, n_validation, _ = split_sizes(len(rows), validation, test)
        for part, rows_of_part in zip(parts, np.split(rows, [n_train, n_train + n_validation]), strict=True):
            part.append(rows_of_part)
    train, validated, tested = (np.sort(np.concatenate(part)).astype(np.int64) for part in parts)
    return train, validated, tested


def split_sizes(n_images: int, validation: float, test: float) -> tuple[int, int, int]:
    """Return how many images of a class `split_rows` puts into each split."""
    n_validation, n_test = (max(1, round(share * n_images)) if share else 0 for share in (validation, test))
    return n_images - n_validation - n_test, n_validation, n_test


def require_dataset(dataset: object) -> None:
    """Raise `InputError` unless models can be trained and tested on this data set.

    Every split needs images of one size, every label a class name, and every class a training image.
    """
    if not isinstance(dataset, ImageDataset):
        raise InputError(
            _(
                "Give an ImageDataset, such as load_dataset('textures') or load_folder('my_photos'); "
                "received {dataset}.",
                dataset=shown(dataset),
            )
        )
    for name in ("train", "validation", "test"):
        if not isinstance(getattr(dataset, name), Split):
            raise InputError(
                _(
                    "{name} of a data set must be a Split; received {value}.",
                    name=name,
                    value=shown(getattr(dataset, name)),
                )
            )
    if not isinstance(dataset.class_names, Iterable):
        raise InputError(
            _(
                "class_names of a data set must be names in a list; received {class_names}.",
                class_names=shown(dataset.class_names),
            )
        )
    if wrong := [name for name in (dataset.name, *dataset.class_names) if not is_text(name)]:
        raise InputError(
            _("The names of a data set and its classes must be text; received {wrong}.", wrong=shown(wrong[0]))
        )
    for name in ("train", "validation", "test"):
        split = getattr(dataset, name)
        if not len(split):
            raise InputError(
                _(
                    "The {name} split of {dataset_name} is empty; each split needs images.",
                    name=name,
                    dataset_name=dataset.name,
                )
            )
        if tuple(split.images.shape[1:]) != dataset.image_shape:
            raise InputError(
                _(
                    "The {name} images of {dataset_name} have the shape {shape}, those for training "
                    "{image_shape}; all must have the same size.",
                    name=name,
                    dataset_name=dataset.name,
                    shape=tuple(split.images.shape[1:]),
                    image_shape=dataset.image_shape,
                )
            )
        if split.labels.min() < 0 or split.labels.max() >= dataset.n_classes:
            raise InputError(
                _(
                    "The {name} labels of {dataset_name} run from {low} to {high}; with "
                    "{n_classes} class names they must run from 0 to {most}.",
                    name=name,
                    dataset_name=dataset.name,
                    low=split.labels.min(),
                    high=split.labels.max(),
                    n_classes=dataset.n_classes,
                    most=dataset.n_classes - 1,
                )
            )
    missing = sorted(set(range(dataset.n_classes)) - set(dataset.train.labels.tolist()))
    if missing or dataset.n_classes < 2:
        names = ", ".join(repr(dataset.class_names[label]) for label in missing) or _("a second one")
        raise InputError(
            _(
                "{dataset_name} needs at least 2 classes, each with training images: {names} has none.",
                dataset_name=dataset.name,
                names=names,
            )
        )


def require_seeds(seeds: Iterable[int]) -> tuple[int, ...]:
    """Return the seeds as a tuple, or raise InputError if one is invalid or repeated."""
    chosen = tuple(seeds)
    if not chosen or len(set(chosen)) < len(chosen):
        raise InputError(_("seeds must be one or more different numbers; received {chosen}.", chosen=chosen))
    return tuple(Whole(0, LAST_SEED).check("seeds", seed) for seed in chosen)


_MAX_NAMED = 20


def require_classes(classes: Sequence[str], known: Sequence[str], source_name: str) -> tuple[str, ...]:
    """Return the chosen classes in label order; `source_name` names the data set."""
    requested = {one_form(str(name)) for name in ([classes] if isinstance(classes, str) else classes)}
    if unknown := sorted(map(str, requested - set(known))):
        raise InputError(
            _(
                "{source_name} has no class {unknown!r}; its classes are {first_few}.",
                source_name=source_name,
                unknown=unknown[0],
                first_few=first_few([*known], _MAX_NAMED),
            )
        )
    if len(requested) < 2:
        raise InputError(
            _(
                "classes={classes}; choose at least two of {first_few}.",
                classes=shown(classes),
                first_few=first_few([*known], _MAX_NAMED),
            )
        )
    return tuple(name for name in known if name in requested)


def choose_classes(dataset: ImageDataset, classes: Sequence[str]) -> ImageDataset:
    """Return the data set with some of its classes, in the same splits.

    Labels are renumbered in the old order. A folder's data set loses its origin, because `load_folder` with these
    classes would make a different split.
    """
    names = require_classes(classes, dataset.class_names, dataset.name)
    if names == dataset.class_names:
        return dataset
    old_labels = np.array([dataset.class_names.index(name) for name in names], np.int64)

    def chosen(split: Split) -> Split:
        rows = np.flatnonzero(np.isin(split.labels, old_labels)).astype(np.int64)
        part = subset(split, rows)
        return replace(part, labels=np.searchsorted(old_labels, part.labels).astype(np.int64))

    train, validation, test = map(chosen, (dataset.train, dataset.validation, dataset.test))
    origin = _subset_origin(dataset.origin, names)
    return replace(dataset, train=train, validation=validation, test=test, class_names=names, origin=origin)


def _subset_origin(origin: Origin | None, names: tuple[str, ...]) -> Origin | None:
    if origin is None or origin.kind != "built-in" or origin.n_per_class is not None or origin.classes:
        return None
    return replace(origin, classes=names)
