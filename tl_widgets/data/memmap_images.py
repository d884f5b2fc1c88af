"""Images that stay in a file until they are indexed, which saves memory."""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from tl_widgets.core.translation import _

_BLOCK = 256  # images per read when iterating over all of them: 12 MB at 128 pixels


class IndexedImages:
    """Some images of a file, read when indexed; behaves like a uint8 array.

    `images[3]`, `images[8:40]` and `images[indices]` (integers or a mask, along the first axis only) return new plain
    arrays. `shape`, `dtype`, `ndim`, `nbytes`, `len` and iteration work as for an array, and `np.asarray(images)`
    reads everything. Several threads may read at once.

    Mapped pages that were read count toward the process's memory, and an epoch reads all of them. So each read
    releases its pages (`MADV_DONTNEED`, if the system has it). They stay in the system's file cache, which the system
    can free, and the process holds only one batch.

    Attributes:
        shape: (n, height, width, 3).
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, pool: NDArray[np.uint8], rows: NDArray[np.int64], mapping: mmap.mmap | None = None) -> None:
        self._pool = pool
        self._rows = rows
        self._mapping = mapping
        self.shape: tuple[int, int, int, int] = (len(rows), pool.shape[1], pool.shape[2], pool.shape[3])

    @classmethod
    def open(cls, path: Path) -> IndexedImages:
        """Open a .npy file of images, uint8, shape (n, height, width, 3), n at least 1.

        Raises:
            OSError: the file cannot be opened.
            ValueError: the file is something else.
        """
        with path.open("rb") as file:
            if np.lib.format.read_magic(file) != (1, 0):
                raise ValueError(f"{path} is not a .npy file of version 1.0")
            shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
            if fortran_order or dtype != cls.dtype or len(shape) != 4:
                raise ValueError(f"{path} holds {dtype} {shape}, not uint8 images")
            offset = file.tell()
            mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        pool: NDArray[np.uint8] = np.ndarray(shape, np.uint8, buffer=mapping, offset=offset)
        return cls(pool, np.arange(shape[0], dtype=np.int64), mapping)

    @property
    def nbytes(self) -> int:
        """Size of all these images in memory, in bytes."""
        return int(np.prod(self.shape, dtype=np.int64))

    def select(self, rows: NDArray[np.int64]) -> IndexedImages:
        """Return the images at `rows`, int64, shape (m,), without reading them."""
        return IndexedImages(self._pool, self._rows[rows], self._mapping)

    @classmethod
    def joined(cls, parts: Sequence[IndexedImages]) -> IndexedImages:
        """Return the images of several selections; those of one file are not read."""
        first = parts[0]
        if any(part._pool is not first._pool for part in parts):
            pool = np.concatenate([np.asarray(part) for part in parts])
            return cls(pool, np.arange(len(pool), dtype=np.int64))
        return cls(first._pool, np.concatenate([part._rows for part in parts]), first._mapping)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: int | np.integer[Any] | slice | Sequence[int] | NDArray[Any]) -> NDArray[np.uint8]:
        images = self._pool.take(self._rows[key], axis=0)
        if self._mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
            self._mapping.madvise(mmap.MADV_DONTNEED)
        return images

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        for start in range(0, len(self), _BLOCK):
            yield from self[start : start + _BLOCK]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("these images are in a file: an array of them is always a copy")
        # Imported here because reading a data set's records should need only NumPy.
        from tl_widgets.core.resources import require_memory

        advice = _("Read them in batches, images[i:j], or take fewer images of each class")
        require_memory(self.nbytes, _("an array of {n:,} images", n=len(self)), advice)
        return self[:] if dtype is None else self[:].astype(dtype, copy=False)

    def __repr__(self) -> str:
        return f"IndexedImages(shape={self.shape}, dtype=uint8)"
