"""DataSource, which describes and loads a Lab's images, and what it needs to load a learner's own again."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from tl_widgets.collections.collection import ImageCollection
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent, ignore
from tl_widgets.core.numbers import size_text
from tl_widgets.core.translation import _
from tl_widgets.data.catalogue import NamedDataset, find_dataset, get_dataset, list_datasets, load_dataset
from tl_widgets.data.dataset import ImageDataset, Split, choose_classes, require_classes
from tl_widgets.records.comparison import DatasetSummary
from tl_widgets.records.provenance import Edits, Origin
from tl_widgets.widgets.shared.costs import DataFacts
from tl_widgets.widgets.shared.settings import LabSettings


@dataclass(frozen=True)
class Counts:
    """The number of images of each class in train, validation and test."""

    class_names: tuple[str, ...]
    images: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]

    @classmethod
    def of(cls, dataset: ImageDataset) -> Counts:
        """Return the counts of a loaded data set."""

        def count_in(split: Split) -> tuple[int, ...]:
            return tuple(int(n) for n in np.bincount(split.labels, minlength=dataset.n_classes))

        return cls(dataset.class_names, (count_in(dataset.train), count_in(dataset.validation), count_in(dataset.test)))

    def facts(self, name: str, classes: tuple[str, ...] | None) -> DataFacts:
        """Return the facts about a data set called `name`, with these classes or all."""
        names = self.class_names if classes is None else require_classes(classes, self.class_names, name)
        labels = [self.class_names.index(class_name) for class_name in names]
        train, validation, test = ([counts[label] for label in labels] for counts in self.images)
        return DataFacts(name, names, sum(train), sum(validation), sum(test), min(train), is_own=True)


@dataclass(frozen=True)
class OwnImages:
    """A learner's images: how many there were when they were added, and how to load them again."""

    name: str
    collection: ImageCollection
    counts: Counts
    source: str
    origin: Origin | None

    @classmethod
    def of(cls, collection: ImageCollection, dataset: ImageDataset) -> OwnImages:
        """Describe the data set that a collection gave."""
        return cls(dataset.name, collection, Counts.of(dataset), dataset.source, dataset.origin)

    def load(self, settings: LabSettings, on_event: OnEvent, cancel: Cancel | None) -> ImageDataset:
        """Load the images in the size that the settings ask for."""
        dataset = self.collection.build(
            image_size=settings.image_size, classes=settings.classes, on_event=on_event, cancel=cancel
        )
        return replace(dataset, name=self.name)

    def summary(self, settings: LabSettings) -> DatasetSummary:
        """Return the summary that goes into a record, without loading the images."""
        facts, origin = self.counts.facts(self.name, settings.classes), self.origin
        if origin is not None:
            origin = replace(origin, n_per_class=settings.n_per_class, classes=settings.classes or ())
        n_train = facts.n_train if settings.n_per_class is None else settings.n_per_class * facts.n_classes
        sizes = (n_train, facts.n_validation, facts.n_test)
        return DatasetSummary(self.name, settings.image_size, facts.class_names, *sizes, self.source, origin)


class DataSource:
    """Describes and loads the images that settings ask for, from any thread. The last data set stays in memory.

    Args:
        own: a data set that replaces the built-in ones; None for those.
    """

    def __init__(self, own: ImageDataset | None = None) -> None:
        self.own = own
        self._own_images: dict[str, OwnImages] = {}
        self._earlier: list[OwnImages] = []  # with other edits, for the settings of earlier runs
        self._loaded: tuple[tuple[object, ...], ImageDataset] | None = None
        self._lock = threading.Lock()

    def menu(self) -> list[tuple[str, str]]:
        """Return the menu of data sets as (text, name); the text says what there is to download."""
        if self.own is not None:
            return [(self.own.name, self.own.name)]
        named = [(info.name + _download(info), info.name) for info in list_datasets()]
        return [*((_("{name} · yours", name=name), name) for name in self._own_images), *named]

    def add_collection(self, collection: ImageCollection, dataset: ImageDataset) -> str:
        """Add a learner's images to the menu, and return the data set's name there: with a number if it is taken.

        The same folder or zip keeps its name and its place in the menu, whatever was changed in it since.
        """
        with self._lock:
            same = (images for images in self._own_images.values() if images.collection.path == collection.path)
            before = next(same, None)
            name = before.name if before else self._free_name(dataset.name)
            dataset = replace(dataset, name=name)
            self._replace(OwnImages.of(collection, dataset))
            self._loaded = ((name, None, dataset.image_size), dataset)
        return name

    def bring_back(self, name: str, edits: Edits) -> None:
        """Use a learner's images again with the edits that they had when they were added; otherwise do nothing."""
        with self._lock:
            current = self._own_images.get(name)
            if current is None or current.collection.edits == edits:
                return
            earlier = (images for images in reversed(self._earlier) if images.name == name)
            images = next((images for images in earlier if images.collection.edits == edits), None)
            if images is not None:
                self._replace(images)
                self._loaded = None

    def _replace(self, images: OwnImages) -> None:
        before = self._own_images.get(images.name)
        self._own_images[images.name] = images
        self._earlier = [earlier for earlier in self._earlier if earlier is not images]
        if before is not None:
            self._earlier.append(before)

    def _free_name(self, name: str) -> str:
        taken = {info.name for info in list_datasets()} | self._own_images.keys()
        names = (name if i == 1 else f"{name} {i}" for i in count(1))
        return next(candidate for candidate in names if candidate not in taken)

    def release(self) -> None:
        """Release the loaded images."""
        self._loaded = None

    def has_dataset(self, name: str) -> bool:
        """Return whether a data set has this name."""
        return name in [known for _, known in self.menu()]

    def class_names(self, name: str) -> tuple[str, ...]:
        """Return all class names of a data set, in label order."""
        return self.facts(LabSettings(dataset=name)).class_names

    def facts(self, settings: LabSettings) -> DataFacts:
        """Return the facts about the settings' data set and classes, without loading images."""
        name, classes = settings.dataset, settings.classes
        if self.own is not None:
            if self.own.name != name:
                raise InputError(
                    _(
                        "There is no data set {name!r} here; this Lab was made for {own_name}.",
                        name=name,
                        own_name=self.own.name,
                    )
                )
            known = get_dataset(name)
            is_own = known is None or not self.own.source.startswith(known.source)
            return replace(Counts.of(self.own).facts(name, classes), is_own=is_own)
        if name in self._own_images:
            return self._own_images[name].counts.facts(name, classes)
        info = get_dataset(name)
        if info is None:
            names = ", ".join([*self._own_images, *(info.name for info in list_datasets())])
            raise InputError(_("There is no data set {name!r} here; there are {known}.", name=name, known=names))
        chosen = info.choose(classes)
        sizes = chosen.n_train, chosen.n_validation, chosen.n_test
        missing = 0 if info.offline else info.n_bytes
        return DataFacts(name, chosen.class_names, *sizes, chosen.max_per_class, missing, info.about)

    def summary(self, settings: LabSettings) -> DatasetSummary:
        """Return the summary of the settings' images that goes into a record."""
        from tl_widgets.experiments.comparison import summarize

        if self.own is not None:
            return summarize(self.load(settings))
        if settings.dataset in self._own_images:
            return self._own_images[settings.dataset].summary(settings)
        return find_dataset(settings.dataset).summary(
            image_size=settings.image_size,
            n_per_class=settings.n_per_class,
            classes=settings.classes,
        )

    def load_whole(
        self, settings: LabSettings, on_event: OnEvent = ignore, cancel: Cancel | None = None
    ) -> ImageDataset:
        """Load the settings' data set with all its training images, whatever their `n_per_class`."""
        if self.own is not None:
            return self.own if settings.classes is None else choose_classes(self.own, settings.classes)
        key = (settings.dataset, settings.classes, settings.image_size)
        with self._lock:
            if self._loaded is None or self._loaded[0] != key:
                images = self._own_images.get(settings.dataset)
                if images is None:
                    dataset = load_dataset(settings.dataset, image_size=settings.image_size, classes=settings.classes,
                                           on_event=on_event, cancel=cancel)  # fmt: skip
                else:
                    dataset = self._reload(images, settings, on_event, cancel)
                self._loaded = (key, dataset)
            return self._loaded[1]

    def loaded(self, settings: LabSettings) -> ImageDataset | None:
        """Return the settings' whole data set if it is in memory."""
        if self.own is not None:
            return self.own if settings.classes is None else None
        last = self._loaded
        key = (settings.dataset, settings.classes, settings.image_size)
        return last[1] if last is not None and last[0][:3] == key else None

    def _reload(
        self, images: OwnImages, settings: LabSettings, on_event: OnEvent, cancel: Cancel | None
    ) -> ImageDataset:
        """Load a learner's images again; if their files are gone, the error says which are still in memory."""
        try:
            return images.load(settings, on_event, cancel)
        except InputError as error:
            if self._loaded is None or self._loaded[0][0] != images.name or not images.collection.is_gone:
                raise
            _unused, classes, size = self._loaded[0]
            what = (
                _("Image size {size}", size=size)
                if classes == settings.classes
                else _("Image size {size} and the same classes as before", size=size)
            )
            raise InputError(
                _("{error} The images are still in memory: you can continue with {what}.", error=error, what=what)
            ) from error

    def load(self, settings: LabSettings, on_event: OnEvent = ignore, cancel: Cancel | None = None) -> ImageDataset:
        """Load the settings' data set with as many training images as they ask for."""
        dataset = self.load_whole(settings, on_event, cancel)
        return dataset if settings.n_per_class is None else dataset.take(settings.n_per_class)


def _download(info: NamedDataset) -> str:
    """Return what there is to download, for a menu; "" if nothing is."""
    return "" if info.offline or not info.n_bytes else _(" · get {n_bytes}", n_bytes=size_text(info.n_bytes))
