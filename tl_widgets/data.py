"""ImageDataset: images, labels and the split that was made once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Labels = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Split:
    """Some images and their labels.

    Attributes:
        images: uint8, shape (n, height, width, 3), values 0-255, read-only; may be a np.memmap.
        labels: int64, shape (n,), values 0 .. n_classes - 1.
    """

    images: Images
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def keys(self) -> tuple[bytes, ...]:
        """One 16-byte BLAKE2b hash per image, over its pixels and shape."""
        shape = repr(self.images.shape[1:]).encode()
        return tuple(
            hashlib.blake2b(np.ascontiguousarray(image).data, digest_size=16, key=shape).digest()
            for image in self.images
        )


@dataclass(frozen=True)
class LoadReport:
    """What happened to the files of a folder: how many were read, which were not and why.

    Attributes:
        n_read: images that are in the data set's pool.
        skipped: (file, reason) for each file that could not be read.
        duplicates: (file, the file it equals) for each one left out because its content was there already.
    """

    n_read: int
    skipped: tuple[tuple[str, str], ...] = ()
    duplicates: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, eq=False)
class ImageDataset:
    """Labelled images in three splits that share no image.

    Attributes:
        name: what to call it in a table.
        train, validation, test: the splits.
        class_names: one per label, in label order.
        source: where the images come from, in a sentence, for the caption and the record.
        report: for folders: what was skipped.
    """

    name: str
    train: Split
    validation: Split
    test: Split
    class_names: tuple[str, ...]
    source: str = ""
    report: LoadReport | None = field(default=None)

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
