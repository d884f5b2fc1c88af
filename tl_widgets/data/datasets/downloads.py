"""The data sets that are downloaded once."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _
from tl_widgets.data.archives import MAX_FILE_BYTES, ZipSource
from tl_widgets.data.dataset import split_sizes
from tl_widgets.data.folder import TEST_SHARE, VALIDATION_SHARE
from tl_widgets.data.hosted import GIVEN_SPLIT, HostedDataset, HostedFile, Sink, WrongContentError, tar_members

# cifar10: CIFAR-10 in its binary version, which needs no pickle.

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
CIFAR10_MEMBERS = {f"cifar-10-batches-bin/data_batch_{i}.bin": "train" for i in range(1, 6)} | {
    "cifar-10-batches-bin/test_batch.bin": "test"
}
_CIFAR10_RECORD = 1 + 3 * 32 * 32  # one byte of label, then red, green and blue planes


def _repack_cifar10(files: list[Path], sink: Sink) -> None:
    for name, data in tar_members(files[0], re.compile("|".join(map(re.escape, CIFAR10_MEMBERS)))):
        if not data or len(data) % _CIFAR10_RECORD:
            raise WrongContentError(_("{name} has {n_data:,} bytes, not whole images", name=name, n_data=len(data)))
        records = np.frombuffer(data, np.uint8).reshape(-1, _CIFAR10_RECORD)
        if records[:, 0].max() >= len(CIFAR10_CLASSES):
            raise WrongContentError(_("{name} holds labels that CIFAR-10 does not have", name=name))
        for record in records:
            pixels = np.ascontiguousarray(record[1:].reshape(3, 32, 32).transpose(1, 2, 0))
            sink.add_pixels(f"{CIFAR10_MEMBERS[name]}/{CIFAR10_CLASSES[record[0]]}", pixels)


CIFAR10 = HostedDataset(
    name="cifar10",
    place=11,
    shows=_("Animals and vehicles, 32 by 32 pixels, in color. For cat against dog choose the classes cat and dog."),
    class_names=CIFAR10_CLASSES,
    sizes=((4_000, 1_000, 1_000),) * 10,
    source=_("CIFAR-10 (Krizhevsky, 2009), www.cs.toronto.edu/~kriz/cifar.html"),
    license=_("no license is stated"),
    # Length and hash: TensorFlow Datasets (url_checksums). Keras's own loader reads the same images as pickles.
    files=(
        HostedFile(
            "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
            170_052_171,
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ),
    ),
    repack=_repack_cifar10,
    folders=GIVEN_SPLIT,
)


# fashion_mnist: Fashion-MNIST as Keras hosts it, in IDX format.

# In label order. The published name of the first is "T-shirt/top", which no folder can have.
FASHION_MNIST_CLASSES = (
    "T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
_FASHION_MNIST_URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"


def _repack_fashion_mnist(files: list[Path], sink: Sink) -> None:
    for split, i in (("train", 0), ("test", 2)):
        images, labels = _idx(files[i], 3), _idx(files[i + 1], 1)
        if len(images) != len(labels) or images.shape[1:] != (28, 28) or labels.max() >= len(FASHION_MNIST_CLASSES):
            raise WrongContentError(_("the images and labels of {split} do not belong together", split=split))
        for image, label in zip(images, labels, strict=True):
            sink.add_pixels(f"{split}/{FASHION_MNIST_CLASSES[label]}", image)


def _idx(path: Path, n_dimensions: int) -> NDArray[np.uint8]:
    """Read IDX: two zeros, type 8, number of axes, big-endian lengths, the bytes."""
    with gzip.open(path) as unzipped:
        data = unzipped.read(MAX_FILE_BYTES)
    start = 4 + 4 * n_dimensions
    if data[:4] != bytes([0, 0, 8, n_dimensions]) or len(data) < start:
        raise WrongContentError(_("{path_name} is not in MNIST's format", path_name=path.name))
    shape = tuple(int(n) for n in np.frombuffer(data, ">u4", n_dimensions, offset=4))
    if len(data) - start != int(np.prod(shape, dtype=np.int64)):
        raise WrongContentError(_("{path_name} is shorter or longer than it says", path_name=path.name))
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


FASHION_MNIST = HostedDataset(
    name="fashion_mnist",
    place=12,
    shows=_("Pieces of clothing, 28 by 28 pixels, gray."),
    class_names=tuple(sorted(FASHION_MNIST_CLASSES)),
    sizes=((4_800, 1_200, 1_000),) * 10,
    source=_("Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017), Zalando"),
    license="MIT",
    # Lengths and hashes: TensorFlow Datasets (url_checksums).
    files=(
        HostedFile(
            _FASHION_MNIST_URL + "train-images-idx3-ubyte.gz",
            26_421_880,
            "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        ),
        HostedFile(
            _FASHION_MNIST_URL + "train-labels-idx1-ubyte.gz",
            29_515,
            "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        ),
        HostedFile(
            _FASHION_MNIST_URL + "t10k-images-idx3-ubyte.gz",
            4_422_102,
            "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        ),
        HostedFile(
            _FASHION_MNIST_URL + "t10k-labels-idx1-ubyte.gz",
            5_148,
            "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        ),
    ),
    repack=_repack_fashion_mnist,
    folders=GIVEN_SPLIT,
)


# flowers: TensorFlow's flower photographs, with their license.

FLOWERS_CLASSES = ("daisy", "dandelion", "roses", "sunflowers", "tulips")
_FLOWERS_LICENSE = "flower_photos/LICENSE.txt"


def _repack_flowers(files: list[Path], sink: Sink) -> None:
    pattern = re.compile(rf"{_FLOWERS_LICENSE}|flower_photos/({'|'.join(FLOWERS_CLASSES)})/[\w.-]+\.jpg", re.ASCII)
    for name, data in tar_members(files[0], pattern):
        if name == _FLOWERS_LICENSE:
            sink.add_license(data)
        else:
            _, folder, file = name.split("/")
            sink.add(folder, file, data)


FLOWERS = HostedDataset(
    name="flowers",
    place=13,
    shows=_("Photographs of five kinds of flowers."),
    class_names=FLOWERS_CLASSES,
    sizes=tuple(split_sizes(n, VALIDATION_SHARE, TEST_SHARE) for n in (633, 898, 641, 699, 799)),
    source=_("flower_photos of the TensorFlow team (2019)"),
    license=_("CC BY 2.0, photographers in its LICENSE.txt"),
    default_size=128,
    # Length and hash: TensorFlow Datasets (url_checksums).
    files=(
        HostedFile(
            "https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz",
            228_813_984,
            "4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c",
        ),
    ),
    repack=_repack_flowers,
    folders=(("", ""),),
)


# cats_and_dogs: the filtered photographs of TensorFlow's tutorials.

# The validation set of its authors serves as the test set here.
_CATS_AND_DOGS_SPLITS = {"train": "train", "validation": "test"}
_CATS_AND_DOGS_MEMBER = re.compile(r"cats_and_dogs_filtered/(train|validation)/(cats|dogs)/([\w.-]+\.jpg)", re.ASCII)


def _repack_cats_and_dogs(files: list[Path], sink: Sink) -> None:
    try:
        source = ZipSource(files[0])
        try:
            matches = ((file, _CATS_AND_DOGS_MEMBER.fullmatch(file.name)) for file in source.listing.files)
            chosen = [(file, match) for file, match in matches if match]
            sink.n_total = len(chosen)
            for file, match in chosen:
                split, folder, name = match.groups()
                try:
                    data = source.read(file)
                except OSError as error:  # from reading the archive, not from writing to disk
                    raise WrongContentError(f"{file.name}: {error}") from error
                sink.add(f"{_CATS_AND_DOGS_SPLITS[split]}/{folder}", name, data)
        finally:
            source.close()
    except InputError as error:  # ZipSource raises it for a file that isn't a zip
        raise WrongContentError(_("it is not a readable zip archive ({error})", error=error)) from error


CATS_AND_DOGS = HostedDataset(
    name="cats_and_dogs",
    place=14,
    shows=_("Photographs of cats and of dogs."),
    class_names=("cats", "dogs"),
    sizes=((800, 200, 500),) * 2,
    source=_("cats_and_dogs_filtered of Google, from Kaggle's Dogs vs. Cats (Asirra; Elson et al., 2007)"),
    license=_("published for research; no license is stated"),
    default_size=128,
    # There is no published hash. TensorFlow's tutorials show the length.
    files=(HostedFile("https://storage.googleapis.com/mledu-datasets/cats_and_dogs_filtered.zip", 68_606_236, None),),
    repack=_repack_cats_and_dogs,
    folders=GIVEN_SPLIT,
)
