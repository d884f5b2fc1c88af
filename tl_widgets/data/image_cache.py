"""A cache on disk of a folder's decoded images, keyed by their content.

Below `home_folder()/images`:

    <hash of names and size>-<hash of content>/
        images.npy    uint8, shape (n, size, size, 3): the readable images
        entry.json    for each file, the image's key or why there is none; how many bits 16-bit files use; a checksum
    index/<hash of path, names, sizes, times>    the name of this folder's entry

The index makes a second load fast, because it needs only names, sizes and times. A copy or a zip of the folder has
other times, so its bytes are compared, which is still far faster than decoding. An entry is written under a temporary
name and renamed when it is complete.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tl_widgets.core.download import atomic_file, remove_abandoned
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent
from tl_widgets.core.resources import home_folder, require_disk, require_memory
from tl_widgets.core.translation import _
from tl_widgets.data.archives import ImageSource
from tl_widgets.data.dataset import Rows, image_key
from tl_widgets.data.decode import readable_formats
from tl_widgets.data.folder_layout import LabelledFile
from tl_widgets.data.memmap_images import IndexedImages
from tl_widgets.data.reading import FileContent, file_digests, find_depth, read_images

_VERSION = 2  # raise it when the format of entries or the decoding of images changes
_ABANDONED_AFTER = 86_400


@dataclass(frozen=True)
class Pool:
    """The decoded images of some files.

    Attributes:
        images: the readable images, in the order of the files; None if there are none.
        keys: `image_key` of each file's image; b"" if it has none.
        reasons: why each file has no image; "" if it has one.
        depth: bits that the values of 16-bit files use; 0 without such files.
    """

    images: IndexedImages | None
    keys: tuple[bytes, ...]
    reasons: tuple[str, ...]
    depth: int = 0

    @property
    def rows(self) -> Rows:
        """Row of each file in `images`, int64, shape (n_files,); -1 if it has none."""
        has_image = np.array([bool(key) for key in self.keys], dtype=bool)
        return np.where(has_image, np.cumsum(has_image) - 1, -1).astype(np.int64)

    def select(self, files: Rows) -> Pool:
        """Return the pool of the files with these indices, in that order."""
        rows = self.rows[files]
        rows = rows[rows >= 0]
        images = self.images.select(rows) if self.images is not None and len(rows) else None
        return Pool(images, tuple(self.keys[i] for i in files), tuple(self.reasons[i] for i in files), self.depth)


def load_pool(
    source: ImageSource,
    files: Sequence[LabelledFile],
    image_size: int,
    on_event: OnEvent,
    cancel: Cancel | None,
) -> Pool:
    """Load the images of `files` from the cache, or decode them now.

    If the cache can't be written, the images are held in memory.

    Raises:
        InputError: there isn't enough room for them, neither on disk nor in memory.
        CancelledError: `cancel` was set; nothing is left behind.
    """
    home = home_folder() / "images"
    shape_key = _hash(
        _VERSION, readable_formats(), image_size, *(f"{labelled.name} {labelled.file.n_bytes}" for labelled in files)
    )
    stamps = [f"{labelled.file.name} {labelled.file.stamp}" for labelled in files]
    index = home / "index" / _hash(shape_key, str(source.path), *stamps)
    name = _read_index(index)
    if name.startswith(f"{shape_key}-") and (pool := _open_entry(home / name, len(files))):
        return pool
    depth = find_depth(source, [labelled.file for labelled in files], cancel)
    with contextlib.suppress(OSError):
        if any(home.glob(f"{shape_key}-*")):
            name = _entry_name(shape_key, depth, file_digests(source, [labelled.file for labelled in files], cancel))
            if pool := _open_entry(home / name, len(files)):
                _write_index(index, name)
                return pool

    def decoded() -> contextlib.closing[Generator[FileContent, None, None]]:
        # Closing the generator ends its threads, even after an error or Ctrl-C.
        files_only = [labelled.file for labelled in files]
        return contextlib.closing(read_images(source, files_only, image_size, depth, on_event, cancel))

    try:
        n_bytes = len(files) * image_size**2 * 3
        require_disk(home, n_bytes, _("The decoded copy of {n_files:,} images", n_files=len(files)))
        with decoded() as contents:
            name = _write_entry(home, shape_key, contents, len(files), image_size, depth)
        _write_index(index, name)
        if pool := _open_entry(home / name, len(files)):
            return pool
        problem = _("what was written to {home} cannot be read back", home=home)
    except (OSError, InputError) as error:  # problems of the cache; those of a source file are in FileContent.reason
        problem = str(error)
    advice = _(
        "They cannot be stored on disk either ({value}). Use a smaller image size or fewer images",
        value=problem.rstrip("."),
    )
    require_memory(len(files) * image_size**2 * 3, _("Holding {n_files:,} images", n_files=len(files)), advice)
    with decoded() as contents:
        return replace(_read_into_memory(contents, len(files), image_size), depth=depth)


def _hash(*parts: object) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(str(part).encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def _entry_name(shape_key: str, depth: int, digests: list[bytes]) -> str:
    return f"{shape_key}-{hashlib.blake2b(bytes([depth]) + b''.join(digests), digest_size=16).hexdigest()}"


def _read_index(index: Path) -> str:
    """Return the name of the entry in the file `index`; "" if there is none."""
    try:
        name = index.read_text().strip()
    except (OSError, ValueError):
        return ""
    return name if set(name) <= set("0123456789abcdef-") else ""


def _write_index(index: Path, name: str) -> None:
    """Write `name` into `index` if possible; without it, the next load is slower."""
    with contextlib.suppress(OSError), atomic_file(index) as file:
        file.write(name.encode())


def _open_entry(entry: Path, n_files: int) -> Pool | None:
    """Return the pool stored in `entry`, or None; remove an entry whose images aren't what was written."""
    if not entry.is_dir():
        return None
    with contextlib.suppress(Exception):  # what a damaged file raises is documented nowhere
        record = json.loads((entry / "entry.json").read_text())
        keys = tuple(bytes.fromhex(key) for key in record["keys"])
        reasons = tuple(str(reason) for reason in record["reasons"])
        n_images = sum(bool(key) for key in keys)
        images = IndexedImages.open(entry / "images.npy") if n_images else None
        found = [image_key(image) for image in images] if images is not None else []
        is_intact = record["checksum"] == _hash(*record["keys"], *reasons, record["depth"])
        if is_intact and len(reasons) == len(keys) == n_files and found == [key for key in keys if key]:
            return Pool(images, keys, reasons, int(record["depth"]))
    shutil.rmtree(entry, ignore_errors=True)
    return None


def _write_entry(
    home: Path, shape_key: str, contents: Iterator[FileContent], n_files: int, image_size: int, depth: int
) -> str:
    """Write `contents` into an entry and return its name."""
    home.mkdir(parents=True, exist_ok=True)
    remove_abandoned(home, "writing-*", _ABANDONED_AFTER)
    staging = Path(tempfile.mkdtemp(prefix="writing-", dir=home))
    try:
        digests: list[bytes] = []
        keys: list[str] = []
        reasons: list[str] = []
        with (staging / "images.npy").open("wb") as file:
            _write_header(file, n_files, image_size)
            for content in contents:
                digests.append(content.digest)
                keys.append(content.key.hex())
                reasons.append(content.reason)
                if content.image is not None:
                    file.write(content.image.tobytes())
            # NumPy pads the header, so the final count of images fits into the space of the first.
            file.seek(0)
            _write_header(file, sum(bool(key) for key in keys), image_size)
        checksum = _hash(*keys, *reasons, depth)
        record = {"keys": keys, "reasons": reasons, "depth": depth, "checksum": checksum}
        (staging / "entry.json").write_text(json.dumps(record))
        name = _entry_name(shape_key, depth, digests)
        # This fails if another process has written the same entry first.
        with contextlib.suppress(OSError):
            staging.rename(home / name)
        return name
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _write_header(file: io.BufferedWriter, n_images: int, image_size: int) -> None:
    shape = (n_images, image_size, image_size, 3)
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _read_into_memory(contents: Iterator[FileContent], n_files: int, image_size: int) -> Pool:
    """Return `contents` as a pool in memory, for when the cache can't be written."""
    images = np.empty((n_files, image_size, image_size, 3), np.uint8)
    keys: list[bytes] = []
    reasons: list[str] = []
    n_images = 0
    for content in contents:
        keys.append(content.key)
        reasons.append(content.reason)
        if content.image is not None:
            images[n_images] = content.image
            n_images += 1
    images.flags.writeable = False
    indexed = IndexedImages(images, np.arange(n_images, dtype=np.int64)) if n_images else None
    return Pool(indexed, tuple(keys), tuple(reasons))
