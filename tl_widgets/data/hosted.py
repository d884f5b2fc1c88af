"""Hosted data sets: downloaded once, checked, and repacked into one zip each.

A fetched data set is `home_folder()/datasets/NAME.zip`, with class folders (inside train/ and test/ if its authors
split it) for `load_folder`. The file appears in one step, when everything is downloaded, checked and repacked.

Nothing from the network is trusted, unpickled, or extracted under a name from an archive. Archives are read as
streams, and only members with an expected name are used.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from http.client import HTTPException
from pathlib import Path
from typing import IO, BinaryIO, Self, cast

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.download import atomic_file, download, failure_reason, remove_abandoned
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore, raise_if_cancelled
from tl_widgets.core.numbers import size_text
from tl_widgets.core.resources import home_folder, require_disk
from tl_widgets.core.translation import _
from tl_widgets.data.archives import MAX_FILE_BYTES
from tl_widgets.data.catalogue import NamedDataset, list_datasets
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.data.folder import load_folder
from tl_widgets.records.provenance import Origin

GIVEN_SPLIT = (("train", "train"), ("test", "test"))
_ABANDONED_AFTER = 86_400
_MAX_STREAM_BYTES = 1_000_000_000  # of a decompressed archive; the largest of these data sets has 0.25 GB
_IMAGES_PER_EVENT = 500
# What zipfile, tarfile, gzip and NumPy raise for a file that is damaged or of another kind.
_DAMAGE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, ValueError, gzip.BadGzipFile)


@dataclass(frozen=True)
class HostedFile:
    """A file on a server; without a published hash, only its length is checked."""

    url: str
    n_bytes: int
    sha256: str | None

    @property
    def name(self) -> str:
        """Last part of the URL."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True)
class HostedDataset(NamedDataset):
    """A data set that is downloaded once.

    Attributes:
        files: the files to download.
        repack: writes the images of the downloaded files into a zip of class folders.
        folders: (split, folder) for each folder of that zip that holds class folders, as in `Origin`.
        installed: returns a folder of this system that `repack` takes in place of the downloaded files; None if there
            is none.
        installer: how to get that folder, as a clause; "" if there is no way.
    """

    files: tuple[HostedFile, ...]
    repack: Callable[[list[Path], Sink], None]
    folders: tuple[tuple[str, str], ...]
    installed: Callable[[], Path | None] = lambda: None
    installer: str = ""

    @property
    def n_bytes(self) -> int:
        """Size of the download in bytes."""
        return sum(file.n_bytes for file in self.files)

    @property
    def path(self) -> Path:
        """File that holds the downloaded data set."""
        return home_folder() / "datasets" / f"{self.name}.zip"

    @property
    def offline(self) -> bool:
        """Whether the data set is on this machine now, or is installed here."""
        return self.path.is_file() or self.installed() is not None

    @property
    def origin(self) -> Origin:
        """Origin of the whole data set, with seed 0, as `load_folder` records it."""
        return Origin("folder", path=str(self.path.resolve()), folders=self.folders)

    def load(
        self,
        *,
        image_size: int,
        n_per_class: int | None,
        seed: int,
        classes: Sequence[str] | None,
        on_event: OnEvent = ignore,
        cancel: Cancel | None = None,
    ) -> ImageDataset:
        """Load the images, after a download if needed, as `load_dataset` does."""
        path = fetch_dataset(self, on_event=on_event, cancel=cancel)
        try:
            loaded = load_folder(path, image_size=image_size, n_per_class=n_per_class, seed=seed, classes=classes,
                                 on_event=on_event, cancel=cancel)  # fmt: skip
        except InputError as error:
            if is_intact(path):
                raise
            raise InputError(
                _("{path} is damaged. Run `tl-widgets fetch {name}` to download it again.", path=path, name=self.name)
            ) from error
        return replace(loaded, source=f"{self.source}; {self.license}")


def is_intact(path: Path) -> bool:
    """Return whether all members of a zip match their checksums; takes seconds."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (*_DAMAGE, OSError, NotImplementedError, RuntimeError):
        return False


def fetch_dataset(dataset: HostedDataset, *, on_event: OnEvent = ignore, cancel: Cancel | None = None) -> Path:
    """Return the path of a data set's zip, downloaded (unless it is installed) and repacked if necessary.

    Several processes may do so at once: each works in its own folder, and the last to finish wins. `on_event` receives
    "download" events, in bytes, then "decode" events while images are repacked.

    Raises:
        InputError: the data set is not on this machine and can't be downloaded now.
        CancelledError: `cancel` was set; nothing is left behind.
    """
    if dataset.path.is_file():
        return dataset.path
    try:
        installed = dataset.installed()
        # Room for the downloaded files and the zip, which is larger than they are for PNGs of tiny images.
        if installed is None:
            require_disk(
                dataset.path.parent, 2 * dataset.n_bytes, _("Fetching {dataset_name}", dataset_name=dataset.name)
            )
        dataset.path.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(dataset.path.parent, "fetching-*", _ABANDONED_AFTER)
        with tempfile.TemporaryDirectory(prefix="fetching-", dir=dataset.path.parent) as folder:
            _fetch_into(Path(folder), dataset, installed, on_event, cancel)
    except (OSError, HTTPException) as error:  # URLError, time-outs and a full disk are all OSErrors
        raise InputError(_unavailable_message(dataset, failure_reason(error))) from error
    return dataset.path


def _fetch_into(
    folder: Path, dataset: HostedDataset, installed: Path | None, on_event: OnEvent, cancel: Cancel | None
) -> None:
    files = (
        [installed]
        if installed
        else [
            download(
                file.url,
                folder / file.name,
                published_hash=file.sha256,
                subject=dataset.name,
                on_event=on_event,
                cancel=cancel,
                n_bytes=file.n_bytes,
            )
            for file in dataset.files
        ]
    )
    raise_if_cancelled(cancel)
    if dataset.path.is_file():  # another process was quicker
        return
    try:
        with atomic_file(dataset.path) as target, Sink(target, dataset.name, on_event, cancel) as sink:
            try:
                dataset.repack(files, sink)
            except _DAMAGE as error:
                raise WrongContentError(_("it is damaged ({error})", error=error or type(error).__name__)) from error
            sink.require([f"{place}/{name}" if place else name
                          for _, place in dataset.folders for name in dataset.class_names])  # fmt: skip
    except WrongContentError as error:
        source = installed or _("the file from {url}", url=dataset.files[0].url)
        raise OSError(f"{source} is not the data set: {error}") from error


def _unavailable_message(dataset: HostedDataset, reason: str) -> str:
    *others, last = [info.name for info in list_datasets() if not info.n_bytes]
    problem = _(
        "The data set {dataset_name} ({n_bytes}) is not on this machine and could not be downloaded ({reason}).",
        dataset_name=dataset.name,
        n_bytes=size_text(dataset.n_bytes),
        reason=reason,
    )
    fetch = _("run `tl-widgets fetch {dataset_name}`", dataset_name=dataset.name)
    copy = _(
        "on a connected machine and copy {path_name} from its folder to {dataset_path}",
        path_name=dataset.path.name,
        dataset_path=dataset.path,
    )
    if dataset.installer:
        return _(
            "{problem} There are three ways to get it: {installer}; {fetch} when this machine has a "
            "network; or {fetch} {copy}. Meanwhile {others} and {last} need neither.",
            problem=problem,
            installer=dataset.installer,
            fetch=fetch,
            copy=copy,
            others=", ".join(others),
            last=last,
        )
    return _(
        "{problem} You have three choices: use {others} or {last}, which need no network; use your "
        "own images (My pictures in the Lab, or load_folder); or {fetch} {copy}.",
        problem=problem,
        others=", ".join(others),
        last=last,
        fetch=fetch,
        copy=copy,
    )


class WrongContentError(Exception):
    """A downloaded file is not the data set; the message is a clause that says why."""


class Sink:
    """The zip that a data set is repacked into.

    The zip stores images as they are, because they are already compressed. Members have a fixed date, so the same
    images always give the same file.

    Attributes:
        counts: number of images in each folder.
        n_total: number of images to expect, for progress events; 0 if unknown.
    """

    def __init__(self, target: BinaryIO, name: str, on_event: OnEvent, cancel: Cancel | None) -> None:
        self._archive = zipfile.ZipFile(target, "w", zipfile.ZIP_STORED)
        self._name, self._on_event, self._cancel = name, on_event, cancel
        self._n_done = 0
        self.counts: dict[str, int] = {}
        self.n_total = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._archive.close()

    def add(self, folder: str, name: str, data: bytes) -> None:
        """Write an image file into a folder, such as "train/daisy"."""
        self.counts[folder] = self.counts.get(folder, 0) + 1
        self._archive.writestr(zipfile.ZipInfo(f"{folder}/{name}"), data)
        self._n_done += 1
        if self._n_done % _IMAGES_PER_EVENT == 0 or self._n_done == self.n_total:
            raise_if_cancelled(self._cancel)
            total = _(" of {n_total:,}", n_total=self.n_total) if self.n_total else ""
            text = _("unpacking {name}: {n_done:,}{total} images", name=self._name, n_done=self._n_done, total=total)
            self._on_event(Event("decode", text, n_done=self._n_done, n_total=self.n_total))

    def add_pixels(self, folder: str, pixels: NDArray[np.uint8]) -> None:
        """Write an image, uint8, shape (height, width) or (height, width, 3), as PNG."""
        from PIL import Image

        data = io.BytesIO()
        Image.fromarray(pixels).save(data, "PNG", compress_level=1)
        self.add(folder, f"{self.counts.get(folder, 0):05d}.png", data.getvalue())

    def add_license(self, text: bytes) -> None:
        """Write LICENSE.txt, which must accompany the images."""
        self._archive.writestr(zipfile.ZipInfo("LICENSE.txt"), text)

    def require(self, folders: Sequence[str]) -> None:
        """Raise `WrongContentError` if any of the folders has no images."""
        if missing := [folder for folder in folders if folder not in self.counts]:
            raise WrongContentError(_("it has no image of {missing}", missing=missing[0]))


def tar_members(path: Path, pattern: re.Pattern[str]) -> Iterator[tuple[str, bytes]]:
    """Yield (name, bytes) of each regular file in a .tar.gz with a matching name."""
    with gzip.open(path) as unzipped, tarfile.open(fileobj=cast("IO[bytes]", _Limited(unzipped)), mode="r|") as archive:
        for member in archive:
            if not member.isreg() or not pattern.fullmatch(member.name):
                continue
            if member.size > MAX_FILE_BYTES:
                raise WrongContentError(
                    _("{member_name!r} in it is too large for an image file", member_name=member.name[:80])
                )
            stream = archive.extractfile(member)  # writes nothing to disk
            assert stream is not None
            yield member.name, stream.read()


class _Limited:
    """A stream that raises WrongContentError beyond `_MAX_STREAM_BYTES`."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream, self._n_left = stream, _MAX_STREAM_BYTES

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes."""
        if not 0 <= size <= self._n_left:
            raise WrongContentError(_("it unpacks to far more than the data set contains"))
        data = self._stream.read(size)
        self._n_left -= len(data)
        return data
