"""The data sets that go by a name: three that come with the toolkit, all real, and those of `hosted`."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.config import MAX_IMAGE_SIZE, MIN_IMAGE_SIZE
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent, ignore
from tl_widgets.data.dataset import (
    ImageDataset,
    Images,
    Labels,
    Rows,
    choose_classes,
    pick,
    require_classes,
    require_whole_number,
    split_rows,
)
from tl_widgets.data.folder import TEST_SHARE, VALIDATION_SHARE, load_folder
from tl_widgets.data.hosted import fetch_dataset, find_hosted, is_whole
from tl_widgets.data.repack import CIFAR10_CLASSES, FASHION_CLASSES, FLOWER_CLASSES
from tl_widgets.records.provenance import Origin

Photograph = NDArray[np.uint8]
_Loaded = tuple[Images, Labels, tuple[Rows, Rows, Rows]]


@dataclass(frozen=True)
class DatasetInfo:
    """What a data set holds.

    Attributes:
        name: what `load_dataset` takes.
        shows: what the images show, a sentence.
        class_names: one per label, in label order.
        n_train, n_validation, n_test: images in each split, all classes together; of one that is downloaded, before
            images that are in it twice are left out.
        max_per_class: the largest `n_per_class`: training images of the scarcest class.
        source: where the images come from, a phrase.
        licence: the terms they are under, a phrase.
        n_of_each: images of each class, all splits together; () where every class has as many.
        shares: of validation and test in each class, where `n_of_each` is given.
    """

    name: str
    shows: str
    class_names: tuple[str, ...]
    n_train: int
    n_validation: int
    n_test: int
    max_per_class: int
    source: str
    licence: str
    n_of_each: tuple[int, ...] = ()
    shares: tuple[float, float] = (0.0, 0.0)

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def n_bytes(self) -> int:
        """Bytes to download; 0 for one that comes with the toolkit."""
        hosted = find_hosted(self.name)
        return hosted.n_bytes if hosted else 0

    @property
    def offline(self) -> bool:
        """Whether it is on this machine now."""
        hosted = find_hosted(self.name)
        return hosted is None or hosted.offline

    def choose(self, classes: Sequence[str] | None) -> DatasetInfo:
        """What it holds with some of its classes only.

        Args:
            classes: names, at least two; None for all.

        Raises:
            InputError: fewer than two, or one that is not there.
        """
        if classes is None:
            return self
        names = require_classes(classes, self.class_names, self.name)
        sizes = (self.n_train, self.n_validation, self.n_test)
        parts = [tuple(n // self.n_classes for n in sizes)] * len(names)
        if self.n_of_each:
            parts = [_parts(self.n_of_each[self.class_names.index(name)], *self.shares) for name in names]
        train, validation, test = (sum(part[i] for part in parts) for i in range(3))
        most = min(part[0] for part in parts)
        return replace(self, class_names=names, n_train=train, n_validation=validation, n_test=test,
                       max_per_class=most)  # fmt: skip


def _parts(n: int, validation: float, test: float) -> tuple[int, int, int]:
    """Images of a class in train, validation and test: the arithmetic of `split_rows`."""
    n_validation, n_test = (max(1, round(share * n)) for share in (validation, test))
    return n - n_validation - n_test, n_validation, n_test


_DATASETS = (
    DatasetInfo(
        name="textures",
        shows="Close-ups of a brick wall, of grass and of gravel: patches of one grey photograph each, the "
        "test's from other regions of it.",
        class_names=("brick", "grass", "gravel"),
        n_train=150,
        n_validation=60,
        n_test=90,
        max_per_class=50,
        source="photographs in scikit-image (cc0textures.com, deviantart.com/linolafett)",
        licence="CC0",
    ),
    DatasetInfo(
        name="faces",
        shows="Small grey pictures that show a person's face, or a piece of what was behind one.",
        class_names=("background", "face"),
        n_train=100,
        n_validation=20,
        n_test=80,
        max_per_class=50,
        source="lfw_subset in scikit-image, from Labeled Faces in the Wild (Huang et al., 2012)",
        licence="published for research; no licence is stated",
    ),
    DatasetInfo(
        name="digits",
        shows="Handwritten digits, 8 by 8 pixels, grey.",
        class_names=tuple("0123456789"),
        n_train=809,
        n_validation=269,
        n_test=719,
        max_per_class=78,
        source="scikit-learn, from Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, 1998)",
        licence="CC BY 4.0",
        n_of_each=(178, 182, 177, 183, 181, 182, 181, 179, 174, 180),
        shares=(0.15, 0.40),
    ),
    DatasetInfo(
        name="cifar10",
        shows="Animals and vehicles, 32 by 32 pixels, in colour. For cat against dog choose the classes cat and dog.",
        class_names=CIFAR10_CLASSES,
        n_train=40_000,
        n_validation=10_000,
        n_test=10_000,
        max_per_class=4_000,
        source="CIFAR-10 (Krizhevsky, 2009), www.cs.toronto.edu/~kriz/cifar.html",
        licence="no licence is stated",
    ),
    DatasetInfo(
        name="fashion_mnist",
        shows="Pieces of clothing, 28 by 28 pixels, grey.",
        class_names=tuple(sorted(FASHION_CLASSES)),
        n_train=48_000,
        n_validation=12_000,
        n_test=10_000,
        max_per_class=4_800,
        source="Fashion-MNIST (Xiao, Rasul and Vollgraf, 2017), Zalando",
        licence="MIT",
    ),
    DatasetInfo(
        name="flowers",
        shows="Photographs of five kinds of flowers.",
        class_names=FLOWER_CLASSES,
        n_train=2_202,
        n_validation=551,
        n_test=917,
        max_per_class=380,
        source="flower_photos of the TensorFlow team (2019)",
        licence="CC BY 2.0, photographers in its LICENSE.txt",
        n_of_each=(633, 898, 641, 699, 799),
        shares=(VALIDATION_SHARE, TEST_SHARE),
    ),
    DatasetInfo(
        name="cats_and_dogs",
        shows="Photographs of cats and of dogs.",
        class_names=("cats", "dogs"),
        n_train=1_600,
        n_validation=400,
        n_test=1_000,
        max_per_class=800,
        source="cats_and_dogs_filtered of Google, from Kaggle's Dogs vs. Cats (Asirra; Elson et al., 2007)",
        licence="published for research; no licence is stated",
    ),
)


def list_datasets() -> tuple[DatasetInfo, ...]:
    """All data sets that have a name: the built-in ones, `textures` first, then those that are downloaded once."""
    return _DATASETS


def load_dataset(
    name: str = "textures",
    *,
    image_size: int = 96,
    n_per_class: int | None = None,
    seed: int = 0,
    classes: Sequence[str] | None = None,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> ImageDataset:
    """Load a data set by its name; see `list_datasets`.

    "textures", "faces" and "digits" come with the toolkit. The others are downloaded once (`tl-widgets fetch NAME`
    does so beforehand) and then read like a folder of images; where their makers split them into training and
    test images, that split is kept.

    Small images are enlarged to `image_size` by bicubic interpolation (Lanczos where they shrink), and grey ones
    are repeated in three channels.

    Args:
        name: "textures", "faces", "digits", "cifar10", "fashion_mnist", "flowers" or "cats_and_dogs".
        image_size: side of the square images in pixels, 16-512.
        n_per_class: training images of each class; None takes all. Validation and test never change with it.
        seed: decides which `n_per_class` are taken and, for faces and digits, which image is in which split.
            The split of `textures` is fixed: its parts are regions of the photographs.
        classes: names of the classes to use, at least two; None for all.
        on_event: hears how a download goes (phase "download", in bytes), then "decode".
        cancel: stops a download or the reading.

    Returns:
        Images uint8, shape (n, image_size, image_size, 3), in three splits that share no image.

    Raises:
        InputError: no such data set, a number outside its range, or it is neither here nor to be had now.
        CancelledError: `cancel` was set.
    """
    names = [info.name for info in _DATASETS]
    if name not in names:
        near = difflib.get_close_matches(str(name).lower(), names, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "For images of your own, use load_folder(path)."
        raise InputError(f"There is no data set {name!r}; there are {', '.join(names)}. {hint}")
    require_whole_number("image_size", image_size, MIN_IMAGE_SIZE, MAX_IMAGE_SIZE)
    require_whole_number("seed", seed, 0)
    info = _DATASETS[names.index(name)]
    if hosted := find_hosted(name):
        path = fetch_dataset(hosted, on_event=on_event, cancel=cancel)
        try:
            loaded = load_folder(path, image_size=image_size, n_per_class=n_per_class, seed=seed, classes=classes,
                                 on_event=on_event, cancel=cancel)  # fmt: skip
        except InputError as error:
            if is_whole(path):
                raise
            raise InputError(f"{path} is damaged. `tl-widgets fetch {name}` fetches it again.") from error
        return replace(loaded, source=f"{info.source}; {info.licence}")
    load = {"textures": _textures, "faces": _faces, "digits": _digits}[name]
    images, labels, parts = load(image_size, seed)
    train, validation, test = (pick(images, labels, rows) for rows in parts)
    source = f"{info.source}; {info.licence}"
    origin = Origin("built-in", seed)
    dataset = ImageDataset(info.name, train, validation, test, info.class_names, source, origin=origin)
    if classes is not None:
        dataset = choose_classes(dataset, classes)
    return dataset if n_per_class is None else dataset.take(n_per_class, seed=seed)


# Where patches of a photograph of 512 x 512 pixels are cut. 48 pixels still show a joint between bricks, a
# blade of grass, a few stones. Ten rows, and per split some columns of patches; between two splits lie 16
# pixels that nobody sees. Patches never overlap, so that 30 test patches of a class are 30 observations.
PATCH_SIZE = 48
PATCH_TOPS = tuple(range(16, 496, PATCH_SIZE))
PATCH_LEFTS = {
    "train": tuple(range(0, 240, PATCH_SIZE)),
    "validation": tuple(range(256, 352, PATCH_SIZE)),
    "test": tuple(range(368, 512, PATCH_SIZE)),
}


def _textures(image_size: int, seed: int) -> _Loaded:  # noqa: ARG001 - the split is fixed by place
    from skimage import data as photographs

    patches: list[Photograph] = []
    labels: list[int] = []
    parts: dict[str, list[int]] = {split: [] for split in PATCH_LEFTS}
    for label, photograph in enumerate((photographs.brick(), photographs.grass(), photographs.gravel())):
        for split, lefts in PATCH_LEFTS.items():
            for top in PATCH_TOPS:
                for left in lefts:
                    parts[split].append(len(patches))
                    patches.append(photograph[top : top + PATCH_SIZE, left : left + PATCH_SIZE])
                    labels.append(label)
    rows = [np.array(parts[split], dtype=np.int64) for split in PATCH_LEFTS]
    return _enlarged(np.stack(patches), image_size), np.array(labels, np.int64), (rows[0], rows[1], rows[2])


def _faces(image_size: int, seed: int) -> _Loaded:
    from skimage.data import lfw_subset

    # float64 in 0..1, 100 faces first, then 100 backgrounds. No two are equal (a test checks).
    grey = np.rint(lfw_subset() * 255).astype(np.uint8)
    labels = np.repeat(np.array([1, 0], np.int64), 100)
    return _enlarged(grey, image_size), labels, split_rows(labels, 0.10, 0.40, seed)


def _digits(image_size: int, seed: int) -> _Loaded:
    from sklearn.datasets import load_digits

    digits = load_digits()
    # Whole numbers 0..16. No two images are equal (a test checks).
    grey = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    labels = digits.target.astype(np.int64)
    return _enlarged(grey, image_size), labels, split_rows(labels, 0.15, 0.40, seed)


def _enlarged(grey: Photograph, image_size: int) -> Images:
    """Grey images (n, side, side) as colour images (n, image_size, image_size, 3)."""
    from PIL import Image

    resampling = Image.Resampling.LANCZOS if image_size < grey.shape[1] else Image.Resampling.BICUBIC
    sizes = (image_size, image_size)
    resized = np.stack([np.asarray(Image.fromarray(one).resize(sizes, resampling)) for one in grey])
    return np.repeat(resized[..., None], 3, axis=3)
