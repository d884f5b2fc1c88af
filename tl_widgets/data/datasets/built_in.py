"""The data sets that need no download: their images come with scikit-image and scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.translation import _
from tl_widgets.data.catalogue import BuiltInDataset, Splits
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
    images = np.empty((len(gray), image_size, image_size, 3), np.uint8)
    for i, image in enumerate(gray):
        images[i] = np.asarray(Image.fromarray(image).resize(size, resample))[..., None]
    return images


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


# Where patches are cut from a photograph of 512 x 512 pixels. A patch of 48 pixels still shows a joint between bricks,
# a blade of grass or a few stones. There are ten rows of patches, and each split has its own columns, with a gap of 16
# pixels between splits. Patches never overlap, so 30 test patches of a class are 30 observations.
PATCH_SIZE = 48
PATCH_TOPS = range(16, 496, PATCH_SIZE)
PATCH_LEFTS = {
    "train": range(0, 240, PATCH_SIZE),
    "validation": range(256, 352, PATCH_SIZE),
    "test": range(368, 512, PATCH_SIZE),
}


def _read_textures(image_size: int, seed: int) -> Splits:  # noqa: ARG001 - the split is fixed by position
    from skimage import data as photographs

    patches: list[GrayImages] = []
    labels: list[int] = []
    parts: dict[str, list[int]] = {split: [] for split in PATCH_LEFTS}
    for label, photograph in enumerate((photographs.brick(), photographs.grass(), photographs.gravel())):
        for split, lefts in PATCH_LEFTS.items():
            for top in PATCH_TOPS:
                for left in lefts:
                    parts[split].append(len(patches))
                    patches.append(photograph[top : top + PATCH_SIZE, left : left + PATCH_SIZE])
                    labels.append(label)
    train, validation, test = (np.array(rows, dtype=np.int64) for rows in parts.values())
    return enlarged(np.stack(patches), image_size), np.array(labels, np.int64), (train, validation, test)


def _script_of_textures(image_size: int) -> str:
    text = _TEXTURES_SCRIPT.replace("SIDE", str(PATCH_SIZE)).replace("TOPS", _range(PATCH_TOPS))
    lines = [f"x_{part}, y_{part} = patches({_range(lefts)})\n" for part, lefts in PATCH_LEFTS.items()]
    return text.replace("RESAMPLING", resampling(PATCH_SIZE, image_size)) + "".join(lines)


def _range(places: range) -> str:
    return f"range({places[0]}, {places[-1] + places.step}, {places.step})"


_TEXTURES_SCRIPT = '''
def patches(lefts):
    """Patches of SIDE x SIDE pixels of each photograph, enlarged to SIZE x SIZE: (images, labels)."""
    images, labels = [], []
    for label, photograph in enumerate((photographs.brick(), photographs.grass(), photographs.gravel())):
        for top in TOPS:
            for left in lefts:
                patch = Image.fromarray(photograph[top : top + SIDE, left : left + SIDE])
                patch = patch.resize((SIZE, SIZE), Image.Resampling.RESAMPLING)
                images.append(np.asarray(patch.convert("RGB")))
                labels.append(label)
    return np.stack(images), np.array(labels)


# The parts lie side by side in the photographs and never touch: nothing of the test is seen in training.
'''

TEXTURES = BuiltInDataset(
    name="textures",
    place=1,
    shows=_(
        "Close-ups of a brick wall, of grass and of gravel: patches of one gray photograph each, the "
        "test's from other regions of it."
    ),
    class_names=("brick", "grass", "gravel"),
    sizes=((50, 20, 30),) * 3,
    source=_("photographs in scikit-image (cc0textures.com, deviantart.com/linolafett)"),
    license="CC0",
    read=_read_textures,
    script_imports=("from PIL import Image", "from skimage import data as photographs"),
    script=_script_of_textures,
)


# faces: small images of faces and of backgrounds, from scikit-image.


def _read_faces() -> tuple[GrayImages, Labels]:
    from skimage.data import lfw_subset

    # float64 in 0..1, 100 faces first, then 100 backgrounds. No two are equal (a test checks this).
    gray = np.rint(lfw_subset() * 255).astype(np.uint8)
    return gray, np.repeat(np.array([1, 0], np.int64), 100)


_FACES_SCRIPT = """
# 100 faces, then 100 pieces of background, 25 x 25 pixels, values 0..1.
gray = np.rint(lfw_subset() * 255).astype("uint8")
labels = np.repeat([1, 0], 100)
"""

_FACES_IMAGES = ArrayOfImages(_read_faces, side=25, shares=(0.10, 0.40), script_lines=_FACES_SCRIPT)

FACES = BuiltInDataset(
    name="faces",
    place=2,
    shows=_("Small gray pictures that show a person's face, or a piece of what was behind one."),
    class_names=("background", "face"),
    sizes=_FACES_IMAGES.sizes((100, 100)),
    source=_("lfw_subset in scikit-image, from Labeled Faces in the Wild (Huang et al., 2012)"),
    license=_("published for research; no license is stated"),
    read=_FACES_IMAGES.read,
    script_imports=("from PIL import Image", "from skimage.data import lfw_subset"),
    script=_FACES_IMAGES.script,
)


# digits: handwritten digits from scikit-learn.


def _read_digits() -> tuple[GrayImages, Labels]:
    # Only its file: importing scikit-learn takes a second and 0.1 GB.
    sklearn = find_spec("sklearn")
    if sklearn is None or sklearn.origin is None:
        raise ModuleNotFoundError("No module named 'sklearn'", name="sklearn")
    rows = np.loadtxt(Path(sklearn.origin).parent / "datasets" / "data" / "digits.csv.gz", delimiter=",")
    # Values are whole numbers 0..16, then the digit. No two images are equal (a test checks this).
    return np.rint(rows[:, :-1].reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8), rows[:, -1].astype(np.int64)


_DIGITS_SCRIPT = """
# 8 x 8 pixels, values 0..16.
digits = load_digits()
gray = np.rint(digits.images * (255 / 16)).astype("uint8")
labels = digits.target
"""

_DIGITS_IMAGES = ArrayOfImages(_read_digits, side=8, shares=(0.15, 0.40), script_lines=_DIGITS_SCRIPT)

DIGITS = BuiltInDataset(
    name="digits",
    place=3,
    shows=_("Handwritten digits, 8 by 8 pixels, gray."),
    class_names=tuple("0123456789"),
    sizes=_DIGITS_IMAGES.sizes((178, 182, 177, 183, 181, 182, 181, 179, 174, 180)),
    source=_("scikit-learn, from Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, 1998)"),
    license=_("CC BY 4.0"),
    read=_DIGITS_IMAGES.read,
    script_imports=("from PIL import Image", "from sklearn.datasets import load_digits"),
    script=_DIGITS_IMAGES.script,
)
