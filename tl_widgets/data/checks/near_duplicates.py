"""Find near-duplicates, also mirrored and turned ones.

Near-duplicates are images in two splits that look almost the same: saved again, resized, or shot in one burst. They are
found in two steps. A difference hash (N. Krawetz, "Kind of Like That", hackerfactor.com, 2013) finds candidates: the
gray image is averaged over 8 x 9 fields, and 64 bits say whether a field is brighter than its right neighbor. The hash
is robust to size, compression and brightness, but it can also agree by chance. So a candidate counts only if small
color versions of both images correlate almost perfectly. Measured on textures, faces and photographs of flowers, this
finds nine in ten copies that are brighter, have more contrast, half the size or JPEG quality 30 (two in three for such
JPEGs of grass and gravel); about half of the copies cropped by 2% at each side, and none cropped by 5%.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset, Images, Rows, Split

MAX_BITS = 10  # largest number of the 64 bits that may differ
MIN_CORRELATION = 0.99  # between the pixels of the small versions
MAX_IMAGES = 10_000  # compared in each split, evenly spaced: a hundred million pairs take a second
_SIDE = 16  # of the small versions, in pixels
_FLAT = 2.0  # standard deviation in gray levels; below it, an image is too uniform to be recognized
_BLOCK = 256
MAX_TURNED = 2_000  # images of each split that are also compared mirrored and turned, evenly spaced

TURNS: Mapping[str, Callable[[Images], Images]] = {
    "mirrored": lambda images: images[:, :, ::-1],
    _("upside down"): lambda images: images[:, ::-1],
    _("turned by 180°"): lambda images: images[:, ::-1, ::-1],
    _("turned by 90°"): lambda images: images.swapaxes(1, 2)[:, ::-1],
    _("turned by 270°"): lambda images: images.swapaxes(1, 2)[:, :, ::-1],
    _("mirrored and turned"): lambda images: images.swapaxes(1, 2),
    _("mirrored and turned by 270°"): lambda images: images.swapaxes(1, 2)[:, ::-1, ::-1],
}


@dataclass(frozen=True)
class NearDuplicate:
    """An image that is almost the same as a training image.

    Attributes:
        row: its row in `split`.
        train_row: row of the most similar training image.
        n_bits: how many of the 64 bits of their difference hashes differ.
        correlation: between the pixels of their small versions, at most 1.
        turn: how it has to be turned to look like the training image, one of `TURNS`; "" for not at all.
    """

    split: Literal["validation", "test"]
    row: int
    train_row: int
    n_bits: int
    correlation: float
    turn: str = ""


def alike_pairs(splits: Sequence[Split]) -> Iterator[tuple[int, int]]:
    """Find all pairs of images that look almost the same, by their rows in the splits one after another.

    Mirrored and turned copies are found, too, among up to `MAX_TURNED` images.
    """
    known = _joined([_Fingerprints.of(split) for split in splits], splits)
    turned = []
    if sum(map(len, splits)) <= MAX_TURNED:
        turned = [_joined([_Fingerprints.of(split, turn) for split in splits], splits) for turn in TURNS]
    for i in range(len(known.rows)):
        for other in (known, *turned):
            for j in i + 1 + _like(other.hashes[i + 1 :], other.small[i + 1 :], known.hashes[i], known.small[i])[0]:
                yield int(known.rows[i]), int(known.rows[j])


def _joined(parts: Sequence[_Fingerprints], splits: Sequence[Split]) -> _Fingerprints:
    """Return the fingerprints of several splits, with rows that count on."""
    starts = np.cumsum([0, *map(len, splits)])
    rows = np.concatenate([part.rows + start for part, start in zip(parts, starts, strict=False)])
    return _Fingerprints(
        rows, np.concatenate([part.hashes for part in parts]), np.concatenate([part.small for part in parts])
    )


def _like(
    hashes: NDArray[np.uint64], small: NDArray[np.float32], hashed: np.uint64, one: NDArray[np.float32]
) -> tuple[Rows, NDArray[np.float32]]:
    """Return the rows of images that are almost the same as one, and their correlations with it."""
    near = np.flatnonzero(np.bitwise_count(hashes ^ hashed) <= MAX_BITS)
    correlations = small[near] @ one
    is_alike = correlations >= MIN_CORRELATION
    return near[is_alike].astype(np.int64), correlations[is_alike]


def find_near_duplicates(dataset: ImageDataset) -> tuple[NearDuplicate, ...]:
    """Find validation and test images that look almost like a training image, also mirrored or turned.

    Splits with more than `MAX_IMAGES` images are sampled, evenly spaced.
    """
    train = _Fingerprints.of(dataset.train)
    duplicates = []
    parts: tuple[tuple[Literal["validation", "test"], Split], ...] = (
        ("validation", dataset.validation),
        ("test", dataset.test),
    )
    for name, split in parts:
        found: dict[int, NearDuplicate] = {}
        for turn in ("", *TURNS):
            fingerprints = _Fingerprints.of(split, turn)
            for row, hashed, small in zip(fingerprints.rows, fingerprints.hashes, fingerprints.small, strict=True):
                if int(row) in found:
                    continue
                rows, correlations = _like(train.hashes, train.small, hashed, small)
                if len(rows):
                    best = rows[correlations.argmax()]
                    correlation = min(float(correlations.max()), 1.0)
                    n_bits = int(np.bitwise_count(train.hashes[best] ^ hashed))
                    found[int(row)] = NearDuplicate(name, int(row), int(train.rows[best]), n_bits, correlation, turn)
        duplicates += [found[row] for row in sorted(found)]
    return tuple(duplicates)


def difference_hashes(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return each image's 64-bit difference hash; sides are at least 9 pixels."""
    gray = fields(images, 8, 9) @ np.array([0.299, 0.587, 0.114], np.float32)  # luma of ITU-R BT.601
    bits = (gray[:, :, :-1] > gray[:, :, 1:]).reshape(len(images), 64)
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]


def fields(images: NDArray[np.uint8], n_rows: int, n_columns: int) -> NDArray[np.float32]:
    """Return means over a grid of fields, float32 (n, n_rows, n_columns, 3)."""
    _, height, width, _ = images.shape
    tops = np.linspace(0, height, n_rows + 1).astype(int)
    lefts = np.linspace(0, width, n_columns + 1).astype(int)
    sums = np.add.reduceat(images, tops[:-1], axis=1, dtype=np.float32)
    sums = np.add.reduceat(sums, lefts[:-1], axis=2)
    return np.asarray(sums / np.multiply.outer(np.diff(tops), np.diff(lefts))[:, :, None], np.float32)


@dataclass(frozen=True, eq=False)
class _Fingerprints:
    """Rows and hashes of images, shape (n,), and small versions of them, (n, 768)."""

    rows: Rows
    hashes: NDArray[np.uint64]
    small: NDArray[np.float32]

    @classmethod
    def of(cls, split: Split, turn: str = "") -> _Fingerprints:
        n = len(split)
        rows = np.linspace(0, n - 1, min(n, MAX_TURNED if turn else MAX_IMAGES)).astype(np.int64)
        hashes, small = [np.empty(0, np.uint64)], [np.empty((0, 3 * _SIDE**2), np.float32)]
        for start in range(0, len(rows), _BLOCK):
            images = np.asarray(split.images[rows[start : start + _BLOCK]])
            images = TURNS[turn](images) if turn else images
            hashes.append(difference_hashes(images))
            flat = fields(images, _SIDE, _SIDE).reshape(len(images), -1)
            flat -= flat.mean(axis=1, keepdims=True)
            length = np.linalg.norm(flat, axis=1, keepdims=True)
            least = _FLAT * np.sqrt(flat.shape[1], dtype=np.float32)
            is_plain = flat.reshape(len(images), -1, 3).std(axis=1).max(axis=1) < _FLAT  # of one color, perhaps tinted
            small.append(np.where(is_plain[:, None], 0, flat / np.maximum(length, least)))
        return cls(rows, np.concatenate(hashes), np.concatenate(small))
