"""The data set fashion_mnist: Fashion-MNIST as Keras hosts it, in IDX format."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tl_widgets.data.archives import MAX_FILE_BYTES
from tl_widgets.data.hosted import GIVEN_SPLIT, HostedDataset, HostedFile, Sink, WrongContentError

# In label order. The published name of the first is "T-shirt/top", which no folder can have.
CLASSES = (
    "T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
_KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def _repack(files: list[Path], sink: Sink) -> None:
    for split, i in (("train", 0), ("test", 2)):
        images, labels = _idx(files[i], 3), _idx(files[i + 1], 1)
        if len(images) != len(labels) or images.shape[1:] != (28, 28) or labels.max() >= len(CLASSES):
            raise WrongContentError(f"the images and labels of {split} do not belong together")
        for image, label in zip(images, labels, strict=True):
            sink.add_pixels(f"{split}/{CLASSES[label]}", image)


def _idx(path: Path, n_dimensions: int) -> NDArray[np.uint8]:
    """Read IDX: two zeros, type 8, number of axes, big-endian lengths, the bytes."""
    with gzip.open(path) as unzipped:
        data = unzipped.read(MAX_FILE_BYTES)
    start = 4 + 4 * n_dimensions
    if data[:4] != bytes([0, 0, 8, n_dimensions]) or len(data) < start:
        raise WrongContentError(f"{path.name} is not in MNIST's format")
    shape = tuple(int(n) for n in np.frombuffer(data, ">u4", n_dimensions, offset=4))
    if len(data) - start != int(np.prod(shape, dtype=np.int64)):
        raise WrongContentError(f"{path.name} is shorter or longer than it says")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


DATASET = HostedDataset(
    name="fashion_mnist",
    place=12,
    shows="Pieces of clothing, 28 by 28 pixels, gray.",
    class_names=tuple(sorted(CLASSES)),
    sizes=((4_800, 1_200, 1_000),) * 10,
    source="Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017), Zalando",
    license="MIT",
    # Lengths and hashes: TensorFlow Datasets (url_checksums).
    files=(
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
    repack=_repack,
    folders=GIVEN_SPLIT,
)
