"""Declare, register and load data sets by name.

Every data set that a module of `tl_widgets.data.datasets` declares is registered; `register` adds others.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import pkgutil
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from tl_widgets.core.arguments import checked
from tl_widgets.core.config import MAX_IMAGE_SIZE, MIN_IMAGE_SIZE, ImageSettings
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent, ignore
from tl_widgets.core.settings import Whole
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _
from tl_widgets.data import datasets
from tl_widgets.data.dataset import (
    ImageDataset,
    Images,
    Labels,
    Rows,
    choose_classes,
    pick,
    require_classes,
)
from tl_widgets.records.comparison import DatasetSummary
from tl_widgets.records.provenance import Origin

Sizes = tuple[int, int, int]
Splits = tuple[Images, Labels, tuple[Rows, Rows, Rows]]


@dataclass(frozen=True, kw_only=True)
class NamedDataset(ABC):
    """A data set with a name, declared once.

    `load_dataset`, `tl-widgets datasets`, `fetch` and `doctor`, the Lab's menu, records and scripts all use this
    declaration.

    Attributes:
        name: the argument of `load_dataset`: lowercase letters, digits and "_".
        shows: what the images show, as a sentence.
        class_names: one per label, in label order.
        sizes: (train, validation, test) images of each class. For a download, they still count images that it
            contains twice.
        source: where the images come from, as a phrase.
        license: the license of the images, as a phrase.
        default_size: a side in pixels that suits the images.
        place: position in lists; lower numbers come first.
        is_listed: whether lists and menus have it; otherwise it is found by name only.
    """

    name: str
    shows: str
    class_names: tuple[str, ...]
    sizes: tuple[Sizes, ...]
    source: str
    license: str
    default_size: int = 96
    place: int = 1000
    is_listed: bool = True

    @property
    def about(self) -> str:
        """What the images show, where they come from, and their license, in two sentences."""
        return _("{shows} From {source}; {license}.", shows=self.shows, source=self.source, license=self.license)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def _totals(self) -> Sizes:
        train, validation, test = map(sum, zip(*self.sizes, strict=True))
        return train, validation, test

    @property
    def n_train(self) -> int:
        """Number of training images in all classes."""
        return self._totals[0]

    @property
    def n_validation(self) -> int:
        """Number of validation images in all classes."""
        return self._totals[1]

    @property
    def n_test(self) -> int:
        """Number of test images in all classes."""
        return self._totals[2]

    @property
    def max_per_class(self) -> int:
        """Largest possible `n_per_class`: training images in the smallest class."""
        return min(train for train, _, _ in self.sizes)

    @property
    def n_bytes(self) -> int:
        """Size of the download in bytes; 0 for a data set that comes with tl_widgets."""
        return 0

    @property
    def path(self) -> Path | None:
        """File of a downloaded data set; None for one that comes with tl_widgets."""
        return None

    @property
    def offline(self) -> bool:
        """Whether the data set is on this machine now."""
        return self.path is None or self.path.is_file()

    @property
    @abstractmethod
    def origin(self) -> Origin:
        """Origin of the whole data set, with seed 0."""

    @abstractmethod
    def load(
        self,
        *,
        image_size: int,
        n_per_class: int | None,
        seed: int,
        classes: Sequence[str] | None,
        on_event: OnEvent,
        cancel: Cancel | None,
    ) -> ImageDataset:
        """Load the images; arguments, result and errors are those of `load_dataset`."""

    def choose(self, classes: Sequence[str] | None) -> Self:
        """Return the declaration with only some of the classes, at least two; all for None."""
        if classes is None:
            return self
        names = require_classes(classes, self.class_names, self.name)
        sizes = tuple(self.sizes[self.class_names.index(name)] for name in names)
        return replace(self, class_names=names, sizes=sizes)

    def summary(
        self,
        *,
        image_size: int = 96,
        n_per_class: int | None = None,
        seed: int = 0,
        classes: Sequence[str] | None = None,
    ) -> DatasetSummary:
        """Return what records say about these images, without loading them.

        The arguments are those of `load_dataset`.
        """
        chosen = self.choose(classes)
        n_train = chosen.n_train if n_per_class is None else n_per_class * chosen.n_classes
        origin = replace(self.origin, seed=seed, n_per_class=n_per_class)
        if classes is not None and (self.path or chosen.class_names != self.class_names):
            origin = replace(origin, classes=chosen.class_names)
        counts = (n_train, chosen.n_validation, chosen.n_test)
        return DatasetSummary(self.name, image_size, chosen.class_names, *counts, self.source, origin)


@dataclass(frozen=True, kw_only=True)
class BuiltInDataset(NamedDataset):
    """A data set that needs no download.

    Attributes:
        read: takes (image_size, seed) and returns the images, uint8, shape (n, image_size, image_size, 3); the labels,
            int64, shape (n,); and the rows of train, validation and test.
        script_imports: import lines of a plain Keras script, besides NumPy's.
        script: takes the image size and returns the lines of that script that define x_train, y_train, x_validation,
            y_validation, x_test and y_test. They may use SIZE, CLASSES, DATA_SEED and np.
    """

    read: Callable[[int, int], Splits]
    script_imports: tuple[str, ...]
    script: Callable[[int], str]

    @property
    def origin(self) -> Origin:
        """Origin of the whole data set, with seed 0."""
        return Origin("built-in")

    def load(
        self,
        *,
        image_size: int,
        n_per_class: int | None,
        seed: int,
        classes: Sequence[str] | None,
        on_event: OnEvent = ignore,  # noqa: ARG002 - there is nothing to wait for
        cancel: Cancel | None = None,  # noqa: ARG002
    ) -> ImageDataset:
        """Load the images; arguments, result and errors are those of `load_dataset`."""
        images, labels, parts = self.read(image_size, seed)
        train, validation, test = (pick(images, labels, rows) for rows in parts)
        source, origin = self.source + "; " + self.license, replace(self.origin, seed=seed)
        dataset = ImageDataset(self.name, train, validation, test, self.class_names, source, origin=origin)
        if classes is not None:
            dataset = choose_classes(dataset, classes)
        return dataset if n_per_class is None else dataset.take(n_per_class, seed=seed)


_registry: dict[str, NamedDataset] = {}


@functools.cache
def _discover() -> None:
    """Register the data sets that the modules of `tl_widgets.data.datasets` declare."""
    for module_info in pkgutil.iter_modules(datasets.__path__):
        module = importlib.import_module(f"{datasets.__name__}.{module_info.name}")
        declared = (value for value in vars(module).values() if isinstance(value, NamedDataset))
        _registry.update((dataset.name, dataset) for dataset in declared)


def register(dataset: NamedDataset) -> None:
    """Add a named data set; it replaces one with the same name."""
    if not re.fullmatch("[a-z0-9_]+", dataset.name):
        raise InputError(
            _(
                "A data set cannot be named {dataset_name!r}. Use lowercase letters, digits and underscores.",
                dataset_name=dataset.name,
            )
        )
    _discover()
    _registry[dataset.name] = dataset


def unregister(name: str) -> None:
    """Remove the data set with this name, if there is one."""
    _registry.pop(name, None)


def list_datasets() -> tuple[NamedDataset, ...]:
    """Return the named data sets to choose from, built-in ones first, then those to download."""
    _discover()
    return tuple(
        sorted((dataset for dataset in _registry.values() if dataset.is_listed), key=lambda dataset: dataset.place)
    )


def get_dataset(name: str) -> NamedDataset | None:
    """Return the data set with this name; None if there is none."""
    _discover()
    return _registry.get(name)


def find_dataset(name: str) -> NamedDataset:
    """Return the data set with this name.

    Raises:
        InputError: there is none; the message suggests a similar name.
    """
    if dataset := get_dataset(name):
        return dataset
    names = [dataset.name for dataset in list_datasets()]
    near = difflib.get_close_matches(str(name).lower(), names, n=1)
    hint = _("Did you mean {near!r}?", near=near[0]) if near else _("For images of your own, use load_folder(path).")
    raise InputError(
        _("There is no data set {name}; there are {names}. {hint}", name=shown(name), names=", ".join(names), hint=hint)
    )


def default_dataset() -> str:
    """Return the data set for when none is named: "stamps" if it is on this machine, else "textures"."""
    stamps = get_dataset("stamps")
    return stamps.name if stamps is not None and stamps.offline else ImageSettings().dataset


@checked
def load_dataset(
    name: str | None = None,
    *,
    image_size: int = 96,
    n_per_class: int | None = None,
    seed: int = 0,
    classes: Sequence[str] | None = None,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> ImageDataset:
    """Load a data set by its name; see `list_datasets`.

    Some data sets come with tl_widgets. The others are downloaded once (`tl-widgets fetch NAME` does it beforehand)
    and then read like a folder of images. If the authors split their data set into training and test images, that
    split is kept.

    Images are resized to `image_size`: bicubic interpolation enlarges them, and Lanczos shrinks them. Gray images are
    repeated in three channels.

    Args:
        name: "textures", "faces", "digits" or another name that `list_datasets` lists; None for "stamps" if it is on
            this machine, else "textures".
        image_size: side of the square images in pixels, 16-512.
        n_per_class: training images of each class; None takes all. Validation and test never change with it.
        seed: decides which `n_per_class` images are taken and, for faces and digits, which split an image is in.
            The split of `textures` is fixed: its parts are regions of the photographs.
        classes: names of the classes to use, at least two; None for all.
        on_event: receives progress events: first "download", in bytes, if there is one, then "decode".
        cancel: set it to stop the download or the decoding.

    Returns:
        The data set. Its three splits share no image; images are uint8, shape (n, image_size, image_size, 3).

    Raises:
        InputError: there is no such data set, a number is outside its range, or the data set is not on this machine
            and can't be downloaded now.
        CancelledError: `cancel` was set.
    """
    dataset = find_dataset(default_dataset() if name is None else name)
    Whole(MIN_IMAGE_SIZE, MAX_IMAGE_SIZE).check("image_size", image_size)
    Whole(0).check("seed", seed)
    return dataset.load(image_size=image_size, n_per_class=n_per_class, seed=seed, classes=classes,
                        on_event=on_event, cancel=cancel)  # fmt: skip
