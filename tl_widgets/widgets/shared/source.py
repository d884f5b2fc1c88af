"""Where a Lab's images come from, loaded once for each data set, choice of classes and size."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from tl_widgets.collections.collection import ImageCollection
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent, ignore
from tl_widgets.core.numbers import size_text
from tl_widgets.data.catalogue import NamedDataset, find_dataset, list_datasets, load_dataset
from tl_widgets.data.dataset import ImageDataset, Split, choose_classes, require_classes
from tl_widgets.records.comparison import DatasetSummary
from tl_widgets.records.provenance import Origin
from tl_widgets.widgets.shared.costs import DataFacts
from tl_widgets.widgets.shared.settings import LabSettings


@dataclass(frozen=True)
class Counts:
    """Images of each class in train, validation and test."""

    class_names: tuple[str, ...]
    images: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]

    @classmethod
    def of(cls, dataset: ImageDataset) -> Counts:
        """Those of a loaded data set."""

        def count_in(split: Split) -> tuple[int, ...]:
            return tuple(int(n) for n in np.bincount(split.labels, minlength=dataset.n_classes))

        return cls(dataset.class_names, (count_in(dataset.train), count_in(dataset.validation), count_in(dataset.test)))

    def facts(self, name: str, classes: tuple[str, ...] | None) -> DataFacts:
        """What is known about the data set, or some of its classes.

        Args:
            name: what it is called.
            classes: names of the chosen ones, at least two; None for all.

        Raises:
            InputError: there is no such class.
        """
        names = self.class_names if classes is None else require_classes(classes, self.class_names, name)
        places = [self.class_names.index(each) for each in names]
        train, validation, test = ([counts[i] for i in places] for counts in self.images)
        return DataFacts(name, names, sum(train), sum(validation), sum(test), min(train))


@dataclass(frozen=True)
class OwnImages:
    """A learner's images: how many there were when they came, and how to load them again."""

    name: str
    collection: ImageCollection
    counts: Counts
    source: str
    origin: Origin | None

    @classmethod
    def of(cls, collection: ImageCollection, dataset: ImageDataset) -> OwnImages:
        """What came of a collection."""
        return cls(dataset.name, collection, Counts.of(dataset), dataset.source, dataset.origin)

    def load(self, settings: LabSettings, on_event: OnEvent, cancel: Cancel | None) -> ImageDataset:
        """The images in the size that the settings ask for.

        Raises:
            InputError: they are no longer there, or too few.
            CancelledError: `cancel` was set.
        """
        dataset = self.collection.build(
            image_size=settings.image_size, classes=settings.classes, on_event=on_event, cancel=cancel
        )
        return replace(dataset, name=self.name)

    def summary(self, settings: LabSettings) -> DatasetSummary:
        """What a record would say of them, before they are loaded."""
        facts, origin = self.counts.facts(self.name, settings.classes), self.origin
        if origin is not None:
            origin = replace(origin, n_per_class=settings.n_per_class, classes=settings.classes or ())
        n_train = facts.n_train if settings.n_per_class is None else settings.n_per_class * facts.n_classes
        sizes = (n_train, facts.n_validation, facts.n_test)
        return DatasetSummary(self.name, settings.image_size, facts.class_names, *sizes, self.source, origin)


class DataSource:
    """Knows and loads the images that settings ask for; from any thread.

    Args:
        own: a data set that somebody brought, which takes the place of the built-in ones; None for those.
    """

    def __init__(self, own: ImageDataset | None = None) -> None:
        self.own = own
        self._brought: dict[str, OwnImages] = {}
        self._kept: tuple[tuple[object, ...], ImageDataset] | None = None
        self._lock = threading.Lock()

    def menu(self) -> list[tuple[str, str]]:
        """The data sets that can be chosen: (text, name); the text says what one costs to have."""
        if self.own is not None:
            return [(self.own.name, self.own.name)]
        named = [(f"{info.name} · {_where(info)}", info.name) for info in list_datasets()]
        return [*((f"{name} · yours", name) for name in self._brought), *named]

    def bring(self, collection: ImageCollection, dataset: ImageDataset) -> str:
        """Offer a learner's images beside the built-in data sets.

        Args:
            collection: they come from, to load them again in another size.
            dataset: what came of it; its name is used where it is free.

        Returns:
            What the data set is called here. The same images with other edits are another data set, so that the runs
            before keep theirs.
        """
        with self._lock:
            same = (each.name for each in self._brought.values() if each.collection == collection)
            name = next(same, None) or self._free_name(dataset.name)
            dataset = replace(dataset, name=name)
            self._brought[name] = OwnImages.of(collection, dataset)
            self._kept = ((name, None, dataset.image_size), dataset)
        return name

    def _free_name(self, name: str) -> str:
        taken = {info.name for info in list_datasets()} | self._brought.keys()
        names = (name if i == 1 else f"{name} {i}" for i in count(1))
        return next(each for each in names if each not in taken)

    def forget(self) -> None:
        """Let go of loaded images."""
        self._kept = None

    def knows(self, name: str) -> bool:
        """Whether there is a data set of that name.

        Args:
            name: of the data set.
        """
        return name in [known for _, known in self.menu()]

    def class_names(self, name: str) -> tuple[str, ...]:
        """All classes of a data set, in label order.

        Args:
            name: of the data set.

        Raises:
            InputError: there is none of that name.
        """
        return self.facts(LabSettings(dataset=name)).class_names

    def facts(self, settings: LabSettings) -> DataFacts:
        """What is known about the images of some settings before they are loaded.

        Args:
            settings: their data set and classes count.

        Raises:
            InputError: there is no such data set, or no such class.
        """
        name, classes = settings.dataset, settings.classes
        if self.own is not None:
            if self.own.name != name:
                raise InputError(f"There is no data set {name!r} here; this Lab was made for {self.own.name}.")
            return Counts.of(self.own).facts(name, classes)
        if name in self._brought:
            return self._brought[name].counts.facts(name, classes)
        for info in list_datasets():
            if info.name == name:
                chosen = info.choose(classes)
                sizes = chosen.n_train, chosen.n_validation, chosen.n_test
                missing = 0 if info.offline else info.n_bytes
                return DataFacts(name, chosen.class_names, *sizes, chosen.max_per_class, missing)
        known = ", ".join([*self._brought, *(info.name for info in list_datasets())])
        raise InputError(f"There is no data set {name!r} here; there are {known}.")

    def summary(self, settings: LabSettings) -> DatasetSummary:
        """What a record would say of the images of some settings.

        Args:
            settings: which images.

        Raises:
            InputError: there is no such data set, or no such class.
        """
        from tl_widgets.experiments.comparison import summarize

        if self.own is not None:
            return summarize(self.load(settings))
        if settings.dataset in self._brought:
            return self._brought[settings.dataset].summary(settings)
        return find_dataset(settings.dataset).summary(
            image_size=settings.image_size,
            n_per_class=settings.n_per_class,
            classes=settings.classes,
        )

    def whole(self, settings: LabSettings, on_event: OnEvent = ignore, cancel: Cancel | None = None) -> ImageDataset:
        """The data set with all its training images.

        Args:
            settings: which data set, which of its classes, and how large its images are.
            on_event: hears of a download.
            cancel: stops one.

        Raises:
            InputError: it cannot be loaded.
            CancelledError: `cancel` was set.
        """
        if self.own is not None:
            return self.own if settings.classes is None else choose_classes(self.own, settings.classes)
        key = (settings.dataset, settings.classes, settings.image_size)
        with self._lock:
            if self._kept is None or self._kept[0] != key:
                brought = self._brought.get(settings.dataset)
                if brought is None:
                    found = load_dataset(settings.dataset, image_size=settings.image_size, classes=settings.classes,
                                         on_event=on_event, cancel=cancel)  # fmt: skip
                else:
                    found = self._read_again(brought, settings, on_event, cancel)
                self._kept = (key, found)
            return self._kept[1]

    def _read_again(
        self, brought: OwnImages, settings: LabSettings, on_event: OnEvent, cancel: Cancel | None
    ) -> ImageDataset:
        """A learner's images from where they came; what was read last stays where they cannot be."""
        try:
            return brought.load(settings, on_event, cancel)
        except InputError as error:
            if self._kept is None or self._kept[0][0] != brought.name or not brought.collection.is_gone:
                raise
            _, classes, size = self._kept[0]
            way = f"Image size {size}" if classes == settings.classes else f"Image size {size} and the classes of then"
            raise InputError(f"{error} What was read before is still here: {way} can go on without it.") from error

    def load(self, settings: LabSettings, on_event: OnEvent = ignore, cancel: Cancel | None = None) -> ImageDataset:
        """The data set with as many training images as the settings say; arguments as in `whole`.

        Raises:
            InputError: it cannot be loaded, or has fewer.
            CancelledError: `cancel` was set.
        """
        dataset = self.whole(settings, on_event, cancel)
        return dataset if settings.n_per_class is None else dataset.take(settings.n_per_class)


def _where(info: NamedDataset) -> str:
    if not info.n_bytes:
        return "built in"
    return "on disk" if info.offline else f"{size_text(info.n_bytes)} to download"
