"""Well-known data sets that Keras and TensorFlow host: fetched once, checked, kept as one zip each.

A data set that was fetched is `home_folder()/datasets/NAME.zip`, whose folders are its classes, below train/ and
test/ where its makers split it: what `load_folder` reads, and anybody can look into. It appears in one step when
its files came whole, had the published hash, and were repacked; until then there is nothing of that name.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path

from tl_widgets.core.download import atomic_file, download, why_not
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent, ignore, raise_if_cancelled
from tl_widgets.core.numbers import size_text
from tl_widgets.core.resources import home_folder, require_disk
from tl_widgets.data import repack
from tl_widgets.records.provenance import Origin

_SECONDS_UNTIL_ABANDONED = 86_400


@dataclass(frozen=True)
class HostedFile:
    """One file on a server.

    Attributes:
        url: where it is.
        n_bytes: its length.
        sha256: its published hash; None where nobody publishes one, and only the length can be checked.
    """

    url: str
    n_bytes: int
    sha256: str | None

    @property
    def name(self) -> str:
        """The last part of its address."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True)
class HostedDataset:
    """Where a data set is to be had.

    Attributes:
        name: what to ask for.
        files: to download.
        repack: writes their images into a zip of class folders: (downloaded files, zip, on_event, cancel).
        folders: where the class folders lie in that zip, as in `Origin`.
        default_size: a side in pixels that suits its images.
    """

    name: str
    files: tuple[HostedFile, ...]
    repack: Callable[[list[Path], repack.Sink, OnEvent, Cancel | None], None]
    folders: tuple[tuple[str, str], ...]
    default_size: int

    @property
    def n_bytes(self) -> int:
        """Bytes to download."""
        return sum(file.n_bytes for file in self.files)

    @property
    def path(self) -> Path:
        """Where it is when it was fetched."""
        return home_folder() / "datasets" / f"{self.name}.zip"

    @property
    def offline(self) -> bool:
        """Whether it is on this machine now."""
        return self.path.is_file()

    def origin(self, seed: int, n_per_class: int | None) -> Origin:
        """What `load_folder` would note as the origin of these images."""
        return Origin("folder", seed, n_per_class, str(self.path.resolve()), self.folders)


_GIVEN = (("train", "train"), ("test", "test"))
_KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
# Lengths and hashes of the first three: TensorFlow Datasets (url_checksums). Keras's own loader of CIFAR-10 takes
# the same images as Python pickles; the binary version beside them on its makers' page needs no pickle.
HOSTED = (
    HostedDataset(
        "cifar10",
        (
            HostedFile(
                "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                170_052_171,
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ),
        ),
        repack.repack_cifar10,
        _GIVEN,
        96,
    ),
    HostedDataset(
        "fashion_mnist",
        (
            HostedFile(
                _KERAS + "train-images-idx3-ubyte.gz",
                26_421_880,
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            HostedFile(
                _KERAS + "train-labels-idx1-ubyte.gz",
                29_515,
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
            HostedFile(
                _KERAS + "t10k-images-idx3-ubyte.gz",
                4_422_102,
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            HostedFile(
                _KERAS + "t10k-labels-idx1-ubyte.gz",
                5_148,
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        ),
        repack.repack_fashion_mnist,
        _GIVEN,
        96,
    ),
    HostedDataset(
        "flowers",
        (
            HostedFile(
                "https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz",
                228_813_984,
                "4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c",
            ),
        ),
        repack.repack_flowers,
        (("", ""),),
        128,
    ),
    HostedDataset(
        "cats_and_dogs",
        # Nobody publishes a hash of it. TensorFlow's tutorials show its length.
        (HostedFile("https://storage.googleapis.com/mledu-datasets/cats_and_dogs_filtered.zip", 68_606_236, None),),
        repack.repack_cats_and_dogs,
        _GIVEN,
        128,
    ),
)


def find_hosted(name: str) -> HostedDataset | None:
    """The data set of that name; None where it is not one of `HOSTED`."""
    return next((one for one in HOSTED if one.name == name), None)


def is_whole(path: Path) -> bool:
    """Whether every member of a data set's zip has the checksum that it was written with; takes seconds.

    Args:
        path: an existing file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError):
        return False


def fetch_dataset(dataset: HostedDataset, *, on_event: OnEvent = ignore, cancel: Cancel | None = None) -> Path:
    """The zip of a data set, downloaded and repacked where it is not on this machine yet.

    Several processes may do so at once: each works in a folder of its own, and the last one to finish wins.

    Args:
        dataset: one of `HOSTED`.
        on_event: hears how the download goes (phase "download", in bytes), then the repacking ("decode").
        cancel: set it to stop; nothing is left behind.

    Returns:
        Its path.

    Raises:
        InputError: it is neither here nor to be had now.
        CancelledError: `cancel` was set.
    """
    if dataset.offline:
        return dataset.path
    try:
        # The downloaded files, then the zip beside them, which is larger for PNGs of tiny images.
        require_disk(dataset.path.parent, 2 * dataset.n_bytes, f"Fetching {dataset.name}")
        dataset.path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(dataset.path.parent)
        with tempfile.TemporaryDirectory(prefix="fetching-", dir=dataset.path.parent) as folder:
            _fetch_into(Path(folder), dataset, on_event, cancel)
    except (OSError, HTTPException) as error:  # URLError, time-outs and a full disk are all OSErrors
        raise InputError(_ways_out(dataset, why_not(error))) from error
    return dataset.path


def _fetch_into(folder: Path, dataset: HostedDataset, on_event: OnEvent, cancel: Cancel | None) -> None:
    files = [
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
    raise_if_cancelled(cancel)
    if dataset.offline:  # another process was quicker
        return
    try:
        with atomic_file(dataset.path) as target, repack.Sink(target) as sink:
            dataset.repack(files, sink, on_event, cancel)
    except repack.WrongContentError as error:
        raise OSError(f"what {dataset.files[0].url} sent is not the data set: {error}") from error


def _sweep(folder: Path) -> None:
    """Remove what processes that were killed left half-fetched a day ago or earlier."""
    for left in folder.glob("fetching-*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _SECONDS_UNTIL_ABANDONED:
                shutil.rmtree(left, ignore_errors=True)


def _ways_out(dataset: HostedDataset, reason: str) -> str:
    return (
        f"The data set {dataset.name} ({size_text(dataset.n_bytes)}) is not on this machine and could not be fetched "
        f"({reason}). Three ways out: take textures, faces or digits, which need no network; use images of your own "
        f"(the Lab's tab Images, or load_folder); or run `tl-widgets fetch {dataset.name}` on a connected machine and "
        f"copy {dataset.path.name} from its folder to {dataset.path}."
    )
