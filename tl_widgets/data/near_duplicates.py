"""Images that look almost the same in two splits: copies that were saved again, resized, or shot in one burst.

Two steps. A difference hash (N. Krawetz, "Kind of Like That", hackerfactor.com, 2013) makes candidates: the grey
image is averaged over 8 x 9 fields, and each of 64 bits says whether a field is brighter than its right neighbour.
That survives another size, compression and brightness, but 64 bits also agree by chance. So a candidate counts only
when small colour versions of both correlate almost perfectly, too. Measured on textures, faces and photographs of
flowers: of copies made brighter, with more contrast, at half the size or as JPEG of quality 30, nine in ten are found
(of grass and gravel as such JPEGs, two in three); of copies cropped by 2 % at each side about half, by 5 % none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tl_widgets.data.dataset import ImageDataset, Rows, Split

MAX_BITS = 10  # of 64 that may differ
MIN_CORRELATION = 0.99  # of the small versions' pixels
MAX_IMAGES = 10_000  # of each split that are looked at, evenly spaced: a second for a hundred million pairs
_SIDE = 16  # of the small versions, in pixels
_FLAT = 2.0  # standard deviation in grey levels, below which an image shows nothing that could be recognised
_BLOCK = 256
_N_BITS = np.array([bin(i).count("1") for i in range(1 << 16)], np.uint8)


@dataclass(frozen=True)
class Likeness:
    """An image that is almost the same as a training image.

    Attributes:
        split: where it is.
        row: its row in that split.
        train_row: row of the most similar training image.
        n_bits: how many of the 64 bits of their difference hashes differ.
        correlation: of their small versions' pixels, at most 1.
    """

    split: Literal["validation", "test"]
    row: int
    train_row: int
    n_bits: int
    correlation: float


def find_likenesses(dataset: ImageDataset) -> tuple[Likeness, ...]:
    """Images of validation and test that look almost like a training image.

    Args:
        dataset: of splits with more than `MAX_IMAGES` images, so many are looked at, evenly spaced.

    Returns:
        The most similar training image for each that has one, in the order of the splits and rows.
    """
    train = _Looked.at(dataset.train)
    found = []
    parts: tuple[tuple[Literal["validation", "test"], Split], ...] = (
        ("validation", dataset.validation),
        ("test", dataset.test),
    )
    for name, split in parts:
        some = _Looked.at(split)
        for i, j, n_bits, correlation in _pairs(some, train):
            found.append(Likeness(name, int(some.rows[i]), int(train.rows[j]), n_bits, correlation))
    return tuple(found)


def difference_hashes(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """The 64-bit difference hash of each image.

    Args:
        images: uint8, shape (n, height, width, 3), sides of at least 9 pixels.

    Returns:
        uint64, shape (n,).
    """
    grey = _fields(images, 8, 9) @ np.array([0.299, 0.587, 0.114], np.float32)  # luma of ITU-R BT.601
    bits = (grey[:, :, :-1] > grey[:, :, 1:]).reshape(len(images), 64)
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]


def _fields(images: NDArray[np.uint8], n_rows: int, n_columns: int) -> NDArray[np.float32]:
    """Means over a grid of fields, float32, shape (n, n_rows, n_columns, 3)."""
    _, height, width, _ = images.shape
    tops = np.linspace(0, height, n_rows + 1).astype(int)
    lefts = np.linspace(0, width, n_columns + 1).astype(int)
    sums = np.add.reduceat(images, tops[:-1], axis=1, dtype=np.float32)
    sums = np.add.reduceat(sums, lefts[:-1], axis=2)
    return np.asarray(sums / np.multiply.outer(np.diff(tops), np.diff(lefts))[:, :, None], np.float32)


@dataclass(frozen=True, eq=False)
class _Looked:
    """What was computed of some images of a split: their rows, hashes (n,) and small versions (n, 768) of length 1."""

    rows: Rows
    hashes: NDArray[np.uint64]
    small: NDArray[np.float32]

    @classmethod
    def at(cls, split: Split) -> _Looked:
        n = len(split)
        rows = np.linspace(0, n - 1, min(n, MAX_IMAGES)).astype(np.int64)
        hashes, small = [np.empty(0, np.uint64)], [np.empty((0, 3 * _SIDE**2), np.float32)]
        for start in range(0, len(rows), _BLOCK):
            images = np.asarray(split.images[rows[start : start + _BLOCK]])
            hashes.append(difference_hashes(images))
            flat = _fields(images, _SIDE, _SIDE).reshape(len(images), -1)
            flat -= flat.mean(axis=1, keepdims=True)
            length = np.linalg.norm(flat, axis=1, keepdims=True)
            small.append(flat / np.maximum(length, _FLAT * np.sqrt(flat.shape[1], dtype=np.float32)))
        return cls(rows, np.concatenate(hashes), np.concatenate(small))


def _pairs(some: _Looked, train: _Looked) -> Iterator[tuple[int, int, int, float]]:
    """(i, j, bits, correlation) of the most similar training image j for each image i that has one."""
    for i in range(len(some.rows)):
        differing = np.bitwise_xor(train.hashes, some.hashes[i]).view(np.uint16).reshape(-1, 4)
        n_bits = _N_BITS[differing].sum(axis=1)
        near = np.flatnonzero(n_bits <= MAX_BITS)
        if not len(near):
            continue
        correlations = train.small[near] @ some.small[i]
        best = int(correlations.argmax())
        if correlations[best] >= MIN_CORRELATION:
            yield i, int(near[best]), int(n_bits[near[best]]), min(float(correlations[best]), 1.0)
