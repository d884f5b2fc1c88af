"""The data sets that come with the toolkit: three, all real, none downloaded."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_widgets.data import (
    MAX_IMAGE_SIZE,
    MIN_IMAGE_SIZE,
    ImageDataset,
    Images,
    Labels,
    Rows,
    pick,
    require_whole_number,
    split_rows,
)
from tl_widgets.errors import InputError
from tl_widgets.origin import Origin

Photograph = NDArray[np.uint8]
_Loaded = tuple[Images, Labels, tuple[Rows, Rows, Rows]]


@dataclass(frozen=True)
class DatasetInfo:
    """What a built-in data set holds.

    Attributes:
        name: what `load_dataset` takes.
        shows: what the images show, a sentence.
        class_names: one per label, in label order.
        n_train, n_validation, n_test: images in each split, all classes together.
        max_per_class: the largest `n_per_class`: training images of the scarcest class.
        source: where the images come from, a phrase.
        licence: the terms they are under, a phrase.
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

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)


_DATASETS = (
    DatasetInfo(
        name="textures",
        shows="Close-ups of a brick wall, of grass and of gravel: patches of one grey photograph each.",
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
    ),
)


def list_datasets() -> tuple[DatasetInfo, ...]:
    """The built-in data sets, `textures` first."""
    return _DATASETS


def load_dataset(
    name: str = "textures", *, image_size: int = 96, n_per_class: int | None = None, seed: int = 0
) -> ImageDataset:
    """Load a built-in data set; see `list_datasets`. Nothing is downloaded.

    The images are grey, repeated in three channels, and enlarged to `image_size` by bicubic interpolation
    (Lanczos where they shrink).

    Args:
        name: "textures", "faces" or "digits".
        image_size: side of the square images in pixels, 16-512.
        n_per_class: training images of each class; None takes all. Validation and test never change with it.
        seed: decides which `n_per_class` are taken and, for faces and digits, which image is in which split.
            The split of `textures` is fixed: its parts are regions of the photographs.

    Returns:
        Images uint8, shape (n, image_size, image_size, 3), in three splits that share no image.

    Raises:
        InputError: no such data set, or a number outside its range.
    """
    names = [info.name for info in _DATASETS]
    if name not in names:
        near = difflib.get_close_matches(str(name).lower(), names, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else "For images of your own, use load_folder(path)."
        raise InputError(f"There is no built-in data set {name!r}; there are {', '.join(names)}. {hint}")
    require_whole_number("image_size", image_size, MIN_IMAGE_SIZE, MAX_IMAGE_SIZE)
    require_whole_number("seed", seed, 0)
    info = _DATASETS[names.index(name)]
    load = {"textures": _textures, "faces": _faces, "digits": _digits}[name]
    images, labels, parts = load(image_size, seed)
    train, validation, test = (pick(images, labels, rows) for rows in parts)
    source = f"{info.source}; {info.licence}"
    origin = Origin("built-in", seed)
    dataset = ImageDataset(info.name, train, validation, test, info.class_names, source, origin=origin)
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
