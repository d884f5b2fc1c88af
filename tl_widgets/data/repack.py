"""Turn what the network sent into a zip of class folders. Nothing is trusted, unpickled, or written elsewhere.

Archives are read as a stream, member by member; a member is taken only under the very name that is expected, and
nothing is ever extracted under a name that an archive gives.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Self, cast

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, raise_if_cancelled
from tl_widgets.data.archives import MAX_FILE_BYTES, ZipSource

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
# In the order of their labels. "T-shirt/top" is the published name of the first, which a folder cannot bear.
FASHION_CLASSES = (
    "T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
FLOWER_CLASSES = ("daisy", "dandelion", "roses", "sunflowers", "tulips")

_MAX_STREAM_BYTES = 1_000_000_000  # of an archive, decompressed: the largest of ours has 0.25 GB
_CIFAR_MEMBERS = {f"cifar-10-batches-bin/data_batch_{i}.bin": "train" for i in range(1, 6)} | {
    "cifar-10-batches-bin/test_batch.bin": "test"
}
_CIFAR_RECORD = 1 + 3 * 32 * 32  # one byte of label, then red, green and blue planes
_DAMAGE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, gzip.BadGzipFile)


class WrongContentError(Exception):
    """The file holds something else than it should; the text says what, as a clause."""


class Sink:
    """The zip that is being written, and how many images of each split and class it has.

    Images are compressed already, so the zip stores them as they are. Members bear a fixed date: the same
    images always give the same file.
    """

    def __init__(self, target: BinaryIO) -> None:
        self._archive = zipfile.ZipFile(target, "w", zipfile.ZIP_STORED)
        self.counts: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._archive.close()

    def add(self, folder: str, name: str, data: bytes) -> None:
        """Write one image's file into a folder."""
        self.counts[folder] = self.counts.get(folder, 0) + 1
        self._archive.writestr(zipfile.ZipInfo(f"{folder}/{name}"), data)

    def add_licence(self, text: bytes) -> None:
        """Write the terms under which the images may be passed on."""
        self._archive.writestr(zipfile.ZipInfo("LICENSE.txt"), text)

    def add_pixels(self, folder: str, pixels: NDArray[np.uint8]) -> None:
        """Write one image, uint8, shape (height, width) or (height, width, 3), as a PNG."""
        from PIL import Image

        data = io.BytesIO()
        Image.fromarray(pixels).save(data, "PNG", compress_level=1)
        self.add(folder, f"{self.counts.get(folder, 0):05d}.png", data.getvalue())

    def require(self, folders: list[str]) -> None:
        """Raise `WrongContentError` when one of the folders has no image."""
        if missing := [folder for folder in folders if folder not in self.counts]:
            raise WrongContentError(f"there is no image of {missing[0]} in it")


class _Limited:
    """A stream that ends in an error when it gives more than `_MAX_STREAM_BYTES`: no archive fills the memory."""

    def __init__(self, inner: gzip.GzipFile) -> None:
        self._inner, self._left = inner, _MAX_STREAM_BYTES

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`."""
        if not 0 <= size <= self._left:
            raise WrongContentError("it unpacks to far more than the data set has")
        data = self._inner.read(size)
        self._left -= len(data)
        return data


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise WrongContentError(f"it is damaged ({error or type(error).__name__})") from error


def _tar_members(path: Path, wanted: re.Pattern[str]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each plain file of a .tar.gz whose whole name matches."""
    with gzip.open(path) as unzipped, tarfile.open(fileobj=cast(IO[bytes], _Limited(unzipped)), mode="r|") as archive:
        for member in archive:
            if not member.isreg() or not wanted.fullmatch(member.name):
                continue
            if member.size > MAX_FILE_BYTES:
                raise WrongContentError(f"{member.name[:80]!r} in it is larger than any image file may be")
            opened = archive.extractfile(member)  # a stream to read from: nothing is written
            assert opened is not None
            yield member.name, opened.read()


def _tell(on_event: OnEvent, cancel: Cancel | None, name: str, n_done: int, n_total: int = 0) -> None:
    """Every 500 images: say how far it is, and stop if that is wanted."""
    if n_done % 500 == 0 or n_done == n_total:
        raise_if_cancelled(cancel)
        of = f" of {n_total:,}" if n_total else ""
        on_event(Event("decode", f"unpacking {name}: {n_done:,}{of} images", n_done=n_done, n_total=n_total))


def repack_cifar10(files: list[Path], sink: Sink, on_event: OnEvent, cancel: Cancel | None) -> None:
    """CIFAR-10's binary version (https://www.cs.toronto.edu/~kriz/cifar.html).

    Raises:
        WrongContentError: it is something else.
        CancelledError: `cancel` was set.
    """
    n_done = 0
    with _damage_told():
        for name, data in _tar_members(files[0], re.compile("|".join(map(re.escape, _CIFAR_MEMBERS)))):
            if not data or len(data) % _CIFAR_RECORD:
                raise WrongContentError(f"{name} has {len(data):,} bytes, not whole images")
            records = np.frombuffer(data, np.uint8).reshape(-1, _CIFAR_RECORD)
            if records[:, 0].max() >= len(CIFAR10_CLASSES):
                raise WrongContentError(f"{name} holds labels that CIFAR-10 does not have")
            for record in records:
                pixels = np.ascontiguousarray(record[1:].reshape(3, 32, 32).transpose(1, 2, 0))
                sink.add_pixels(f"{_CIFAR_MEMBERS[name]}/{CIFAR10_CLASSES[record[0]]}", pixels)
                n_done += 1
                _tell(on_event, cancel, "cifar10", n_done)
        sink.require([f"{split}/{name}" for split in ("train", "test") for name in CIFAR10_CLASSES])


def _idx(path: Path, n_dimensions: int) -> NDArray[np.uint8]:
    """An array of bytes in MNIST's IDX format: two zeros, type 8, dimensions, big-endian lengths, then the bytes."""
    with gzip.open(path) as unzipped:
        data = unzipped.read(MAX_FILE_BYTES)
    start = 4 + 4 * n_dimensions
    if data[:4] != bytes([0, 0, 8, n_dimensions]) or len(data) < start:
        raise WrongContentError(f"{path.name} is not in MNIST's format")
    shape = tuple(int(n) for n in np.frombuffer(data, ">u4", n_dimensions, offset=4))
    if len(data) - start != int(np.prod(shape, dtype=np.int64)):
        raise WrongContentError(f"{path.name} is shorter or longer than it says")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def repack_fashion_mnist(files: list[Path], sink: Sink, on_event: OnEvent, cancel: Cancel | None) -> None:
    """Fashion-MNIST: images and labels of train, then of test.

    Raises:
        WrongContentError: it is something else.
        CancelledError: `cancel` was set.
    """
    n_done = 0
    with _damage_told():
        for split, i in (("train", 0), ("test", 2)):
            images, labels = _idx(files[i], 3), _idx(files[i + 1], 1)
            if len(images) != len(labels) or images.shape[1:] != (28, 28) or labels.max() >= len(FASHION_CLASSES):
                raise WrongContentError(f"the images and labels of {split} do not belong together")
            for image, label in zip(images, labels, strict=True):
                sink.add_pixels(f"{split}/{FASHION_CLASSES[label]}", image)
                n_done += 1
                _tell(on_event, cancel, "fashion_mnist", n_done)
        sink.require([f"{split}/{name}" for split in ("train", "test") for name in FASHION_CLASSES])


def repack_flowers(files: list[Path], sink: Sink, on_event: OnEvent, cancel: Cancel | None) -> None:
    """TensorFlow's flower photographs, as they are, with the text that names their photographers.

    Raises:
        WrongContentError: it is something else.
        CancelledError: `cancel` was set.
    """
    licence = "flower_photos/LICENSE.txt"
    wanted = re.compile(rf"{licence}|flower_photos/({'|'.join(FLOWER_CLASSES)})/[\w.-]+\.jpg", re.ASCII)
    n_done = 0
    with _damage_told():
        for name, data in _tar_members(files[0], wanted):
            if name == licence:
                sink.add_licence(data)
                continue
            _, folder, file = name.split("/")
            sink.add(folder, file, data)
            n_done += 1
            _tell(on_event, cancel, "flowers", n_done)
        sink.require(list(FLOWER_CLASSES))


def repack_cats_and_dogs(files: list[Path], sink: Sink, on_event: OnEvent, cancel: Cancel | None) -> None:
    """The filtered cats and dogs; what its makers call validation is what models are tested on.

    Raises:
        WrongContentError: it is something else.
        CancelledError: `cancel` was set.
    """
    wanted = re.compile(r"cats_and_dogs_filtered/(train|validation)/(cats|dogs)/([\w.-]+\.jpg)", re.ASCII)
    try:
        source = ZipSource(files[0])
        try:
            chosen = [(one, found) for one in source.listing.files if (found := wanted.fullmatch(one.name))]
            for n_done, (one, found) in enumerate(chosen, 1):
                split, folder, file = found.groups()
                split = "test" if split == "validation" else split
                with _damage_told():
                    try:
                        data = source.read(one)
                    except OSError as error:  # of the archive, not of the disk that is written to
                        raise WrongContentError(f"{one.name}: {error}") from error
                sink.add(f"{split}/{folder}", file, data)
                _tell(on_event, cancel, "cats_and_dogs", n_done, len(chosen))
        finally:
            source.close()
    except InputError as error:  # what ZipSource says of a file that is no zip
        raise WrongContentError(f"it is no zip archive that can be read ({error})") from error
    sink.require([f"{split}/{name}" for split in ("train", "test") for name in ("cats", "dogs")])
