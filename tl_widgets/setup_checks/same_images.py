"""Finding the same images in two data sets, whatever their scaling, type, channel order, mirroring or position."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.translation import _
from tl_widgets.setup_checks.data import Array, Data

_GRID = 8
_CHUNK = 256
_N_CANDIDATES = 10
_MAX_BYTES = 2_000_000_000  # of pixels of arrays; beyond, a sample spread over them
_RADIUS = 0.02  # of prints, whose length is 1; the same image scaled otherwise differs by rounding only


@dataclass(frozen=True, eq=False)
class Seen:
    """The images of one pass over a data set.

    Attributes:
        prints: (n, 64): each image in 8 x 8 cells, standardized, turned so that its brighter side is left.
        is_turned: Whether an image was mirrored for that.
        levels: (n, 2): mean and contrast of each image.
        rows: The positions of these images in the data; images without contrast have no print.
        is_complete: Whether these are all images of the data.
    """

    prints: NDArray[np.float32]
    is_turned: NDArray[np.bool_]
    levels: NDArray[np.float64]
    rows: NDArray[np.int64]
    is_complete: bool


@dataclass(frozen=True)
class Same:
    """How many images of the first data set are in the second, how many of these mirrored, and pairs of positions."""

    n: int
    n_mirrored: int
    pairs: tuple[tuple[int, int], ...] = ()

    @property
    def note(self) -> str:
        """A few words, if most of them were found mirrored."""
        return _(" (they are mirrored)") if self.n_mirrored > self.n / 2 else ""


def seen_in(data: Data, pass_number: int = 1) -> Seen:
    """Print the images of one pass over a data set; the same pass is read once."""
    if pass_number not in data.kept:
        data.kept[pass_number] = _read(data)
    seen: Seen = data.kept[pass_number]
    return seen


def _read(data: Data) -> Seen:
    parts, turned, levels, rows, n = [], [], [], [], 0
    is_complete = True
    for images, at in _chunks(data):
        prints, is_turned, keep = print_images(images)
        parts.append(prints[keep])
        turned.append(is_turned[keep])
        n_channels = images.shape[-1] if images.ndim == 4 else 1
        values = np.asarray(images, np.float32).reshape(len(images), -1, n_channels)[keep]
        # Within channels, because preprocessing may subtract another mean from each.
        contrast = np.sqrt(values.var(1, dtype=np.float64).mean(-1))
        levels.append(np.stack([values.mean((1, 2), dtype=np.float64), contrast], axis=1))
        rows.append(at[keep])
        n += len(images)
    if data.is_array:
        is_complete = n == data.n
    elif data.n is not None:
        is_complete = n >= data.n
    else:
        is_complete = n < 4000 and data.form != "generator"
    if not parts:
        empty = np.zeros((0, _GRID**2), np.float32)
        return Seen(empty, np.zeros(0, bool), np.zeros((0, 2)), np.zeros(0, np.int64), is_complete)
    whole = [np.concatenate(each) for each in (parts, turned, levels, rows)]
    return Seen(whole[0], whole[1], whole[2], whole[3], is_complete)


def _chunks(data: Data) -> Iterator[tuple[Array, NDArray[np.int64]]]:
    if not data.is_array:
        n = 0
        for batch in data.scanned():
            yield batch.images, np.arange(n, n + len(batch.images))
            n += len(batch.images)
        return
    images = data.arrays.images
    n_bytes = images.dtype.itemsize * int(np.prod(images.shape))
    n = len(images) if n_bytes <= _MAX_BYTES else max(1, int(len(images) * _MAX_BYTES / n_bytes))
    rows = np.unique(np.linspace(0, len(images) - 1, n).astype(np.int64))
    for start in range(0, len(rows), _CHUNK):
        yield np.asarray(images[rows[start : start + _CHUNK]]), rows[start : start + _CHUNK]


def print_images(images: Array) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return (prints, whether each was mirrored, whether it has contrast) of images (n, height, width[, channels])."""
    values = np.asarray(images, np.float32)
    if values.ndim < 3:
        values = values.reshape(len(values), 1, -1)
    if values.ndim == 3:
        values = values[..., None]
    if values.shape[-1] == 4:
        values = values[..., :3]
    cells = np.nan_to_num(_cells(values))  # (n, 8, 8, channels)
    low, high = cells.min((1, 2), keepdims=True), cells.max((1, 2), keepdims=True)
    spread = cells.std((1, 2), keepdims=True)
    # Each channel for itself: preprocessing scales channels differently, and may reverse them.
    scaled = (cells - cells.mean((1, 2), keepdims=True)) / np.maximum(spread, 1e-12)
    scaled = np.where(high - low > 1e-6 * np.maximum(1e-6, abs(high)), scaled, 0)
    gray = scaled.sum(-1)
    has_contrast = abs(gray).max((1, 2)) > 0
    half = _GRID // 2
    is_turned = gray[:, :, :half].sum((1, 2)) < gray[:, :, half:].sum((1, 2))
    gray = np.where(is_turned[:, None, None], gray[:, :, ::-1], gray)
    flat = gray.reshape(len(gray), -1)
    lengths = np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    return (flat / lengths).astype(np.float32), is_turned, has_contrast


def _cells(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Average images in a grid of cells; repeat the pixels of smaller ones."""
    for axis in (1, 2):
        size = values.shape[axis]
        if size < _GRID:
            values = np.repeat(values, -(-_GRID // size), axis=axis)
            size = values.shape[axis]
        starts = np.linspace(0, size, _GRID + 1).astype(int)
        mirrored = size - starts[::-1]  # the same cells in the mirrored image
        means = [
            np.add.reduceat(values, bounds[:-1], axis=axis)
            / np.diff(bounds).reshape([-1 if i == axis else 1 for i in range(values.ndim)])
            for bounds in (starts, mirrored)
        ]
        values = np.asarray((means[0] + means[1]) / 2, np.float32)
    return values


def count_same(one: Seen, other: Seen) -> Same:
    """Count the images of one data set that are in the other."""
    if not len(one.prints) or not len(other.prints):
        return Same(0, 0)
    from scipy.spatial import cKDTree

    # A few fixed projections find candidates; the whole prints decide.
    axes = np.random.default_rng(0).normal(size=(_GRID**2, 8)).astype(np.float32) / 8
    tree = cKDTree(other.prints @ axes)
    near = tree.query_ball_point(one.prints @ axes, _RADIUS)
    found = [
        (i, j)
        for i, candidates in enumerate(near)
        for j in sorted(candidates)[:_N_CANDIDATES]
        if np.linalg.norm(one.prints[i] - other.prints[j]) < _RADIUS
    ]
    if not found:
        return Same(0, 0)
    pairs = np.array(found)
    pairs = pairs[_of_one_scaling(one.levels[pairs[:, 0]], other.levels[pairs[:, 1]], pairs[:, 0])]
    if not len(pairs):
        return Same(0, 0)
    _, first = np.unique(pairs[:, 0], return_index=True)
    pairs = pairs[first]
    n_mirrored = int((one.is_turned[pairs[:, 0]] != other.is_turned[pairs[:, 1]]).sum())
    n = min(len(pairs), len(np.unique(pairs[:, 1])))
    return Same(n, n_mirrored, tuple((int(one.rows[i]), int(other.rows[j])) for i, j in pairs))


def _of_one_scaling(ours: NDArray[np.float64], theirs: NDArray[np.float64], images: Array) -> NDArray[np.bool_]:
    """Return which pairs of (mean, contrast) belong to the same image, scaled as the whole data set is.

    Prints are the same for two shapes of different brightness. If most images have a partner under one scaling, that
    scaling is the data set's; else the pixels have to be the same.
    """
    contrast = np.maximum(theirs[:, 1], 1e-12)
    ratios = np.log(contrast / np.maximum(ours[:, 1], 1e-12))
    same = (abs(ratios) < 1e-3) & (abs(ours[:, 0] - theirs[:, 0]) < 1e-3 * contrast)
    bins = np.round(ratios / 0.05)
    commonest = np.unique(bins)[np.unique(bins, return_counts=True)[1].argmax()]
    near = abs(ratios - np.median(ratios[bins == commonest])) < 0.05
    offsets = (theirs[:, 0] - np.exp(np.median(ratios[near])) * ours[:, 0]) / contrast
    near &= abs(offsets - np.median(offsets[near])) < 0.1
    n_near, n_all = len(np.unique(images[near])), len(np.unique(images))
    return near if n_near >= 0.6 * n_all and (n_all > 1 or len(images) == 1) else same
