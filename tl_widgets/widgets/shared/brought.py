"""A learner's images as a Lab knows them: how many there are, and how to load them again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tl_widgets.collections.collection import ImageCollection
from tl_widgets.core.events import Cancel, OnEvent
from tl_widgets.data.dataset import ImageDataset, Split, require_classes
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
class Brought:
    """A learner's images, as they were when they were brought."""

    name: str
    collection: ImageCollection
    counts: Counts
    source: str
    origin: Origin | None

    @classmethod
    def of(cls, collection: ImageCollection, dataset: ImageDataset) -> Brought:
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
