"""Which images a model in a `.keras` file was trained and tested on: an extra entry in the file's archive."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

from tl_widgets.core.errors import InputError
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.records.codec import dump, from_plain, load, to_plain
from tl_widgets.records.comparison import Comparison

_ENTRY = "tl_widgets.json"  # which Keras doesn't read
_MOST_BYTES = 10_000_000


@dataclass(frozen=True)
class TrainedOn:
    """The images of a saved model.

    Attributes:
        name: Of the data set.
        class_names: One for each answer of the model.
        fingerprint: A hash of all images and labels in their splits (`ImageDataset.fingerprint`).
        test_fingerprint: One of the test images and labels alone; "" if they weren't there when the model was saved.
        is_cross_validated: Whether the model learned from one fold, in which images of the test split may be.
    """

    name: str
    class_names: tuple[str, ...]
    fingerprint: str
    test_fingerprint: str = ""
    is_cross_validated: bool = False

    @classmethod
    def of(cls, comparison: Comparison, dataset: ImageDataset | None = None) -> TrainedOn:
        """Return the images of a comparison's models."""
        summary, is_cross_validated = comparison.dataset, comparison.folds is not None
        test = "" if dataset is None else _of_test_images(dataset)
        return cls(summary.name, summary.class_names, summary.fingerprint, test, is_cross_validated)

    def has_same_test(self, dataset: ImageDataset) -> bool:
        """Return whether a data set's test images are those of the model, which it hasn't learned from."""
        if self.test_fingerprint:
            return self.test_fingerprint == _of_test_images(dataset)
        return self.fingerprint == replace(dataset, name=self.name).fingerprint  # a folder may have a new name


def _of_test_images(dataset: ImageDataset) -> str:
    parts = (dataset.class_names, dataset.image_shape, dataset.test.keys, dataset.test.labels.tolist())
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()


def write_trained_on(path: Path, trained_on: TrainedOn) -> None:
    """Add the entry to a `.keras` file that has none."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(_ENTRY, dump(to_plain(trained_on)))


def read_trained_on(path: Path) -> TrainedOn | None:
    """Return the entry of a file; None for HDF5 files and those of other programs or older versions."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo(_ENTRY).file_size > _MOST_BYTES:
                return None
            return from_plain(TrainedOn, load(archive.read(_ENTRY).decode()))
    except (InputError, KeyError, OSError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
        return None
