"""Load and resize small gray images in one array, here and in a Keras script."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tl_widgets.data.dataset import Images, Labels, Rows, split_rows, split_sizes

GrayImages = NDArray[np.uint8]


@dataclass(frozen=True)
class ArrayOfImages:
    """All images of a data set as one array, and how they are split.

    Attributes:
        read_array: returns images, uint8, shape (n, side, side), and labels, int64, shape (n,).
        side: side of the images in pixels.
        shares: shares of the validation and test splits in each class, 0-1.
        script_lines: lines of a plain Keras script that define `gray` and `labels`.
    """

    read_array: Callable[[], tuple[GrayImages, Labels]]
    side: int
    shares: tuple[float, float]
    script_lines: str

    def read(self, image_size: int, seed: int) -> tuple[Images, Labels, tuple[Rows, Rows, Rows]]:
        """Implement `BuiltInDataset.read`."""
        gray, labels = self.read_array()
        return enlarged(gray, image_size), labels, split_rows(labels, *self.shares, seed)

    def script(self, image_size: int) -> str:
        """Implement `BuiltInDataset.script`."""
        enlarge = SCRIPT_ENLARGE.replace("RESAMPLING", resampling(self.side, image_size))
        return SCRIPT_SPLIT + self.script_lines + enlarge + script_parts(*self.shares)

    def sizes(self, counts: Sequence[int]) -> tuple[tuple[int, int, int], ...]:
        """Return `NamedDataset.sizes`, given the number of images of each class."""
        return tuple(split_sizes(n, *self.shares) for n in counts)


def resampling(side: int, image_size: int) -> str:
    """Return the Pillow filter that resizes from `side` pixels to `image_size`."""
    return "LANCZOS" if image_size < side else "BICUBIC"


def enlarged(gray: GrayImages, image_size: int) -> Images:
    """Return gray images (n, side, side) as (n, image_size, image_size, 3)."""
    from PIL import Image

    resample = Image.Resampling[resampling(gray.shape[1], image_size)]
    size = (image_size, image_size)
    resized = np.stack([np.asarray(Image.fromarray(image).resize(size, resample)) for image in gray])
    return np.repeat(resized[..., None], 3, axis=3)


def script_parts(validation: float, test: float) -> str:
    """Return the lines that divide `images` and `labels` into three splits."""
    return f"""
train, validation, test = split(labels, {validation}, {test})
x_train, y_train = images[train], labels[train]
x_validation, y_validation = images[validation], labels[validation]
x_test, y_test = images[test], labels[test]
"""


SCRIPT_SPLIT = '''
def split(labels, validation, test):
    """Shuffle each class by itself and cut it, so that every part has the same share of every class."""
    parts = [], [], []
    for label in range(len(CLASSES)):
        rows = np.random.default_rng((DATA_SEED, label)).permutation(np.flatnonzero(labels == label))
        n_validation, n_test = (max(1, round(part * len(rows))) if part else 0 for part in (validation, test))
        n_train = len(rows) - n_validation - n_test
        for part, chosen in zip(parts, np.split(rows, [n_train, n_train + n_validation])):
            part.append(chosen)
    return [np.sort(np.concatenate(part)) for part in parts]

'''

SCRIPT_ENLARGE = """
images = np.stack([
    np.asarray(Image.fromarray(image).resize((SIZE, SIZE), Image.Resampling.RESAMPLING).convert("RGB"))
    for image in gray
])
"""
