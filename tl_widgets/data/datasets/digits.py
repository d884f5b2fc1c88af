"""The data set digits: handwritten digits from scikit-learn."""

from __future__ import annotations

import numpy as np

from tl_widgets.data.arrays import ArrayOfImages, GrayImages
from tl_widgets.data.catalogue import BuiltInDataset
from tl_widgets.data.dataset import Labels


def _read_array() -> tuple[GrayImages, Labels]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    # Values are whole numbers 0..16. No two images are equal (a test checks this).
    return np.rint(digits.images * (255 / 16)).astype(np.uint8), digits.target.astype(np.int64)


_SCRIPT = """
# 8 x 8 pixels, values 0..16.
digits = load_digits()
gray = np.rint(digits.images * (255 / 16)).astype("uint8")
labels = digits.target
"""

_IMAGES = ArrayOfImages(_read_array, side=8, shares=(0.15, 0.40), script_lines=_SCRIPT)

DATASET = BuiltInDataset(
    name="digits",
    place=3,
    shows="Handwritten digits, 8 by 8 pixels, gray.",
    class_names=tuple("0123456789"),
    sizes=_IMAGES.sizes((178, 182, 177, 183, 181, 182, 181, 179, 174, 180)),
    source="scikit-learn, from Optical Recognition of Handwritten Digits (Alpaydin and Kaynak, 1998)",
    license="CC BY 4.0",
    read=_IMAGES.read,
    script_imports=("from PIL import Image", "from sklearn.datasets import load_digits"),
    script=_IMAGES.script,
)
