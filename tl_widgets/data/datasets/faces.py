"""The data set faces: small images of faces and of backgrounds, from scikit-image."""

from __future__ import annotations

import numpy as np

from tl_widgets.data.arrays import ArrayOfImages, GrayImages
from tl_widgets.data.catalogue import BuiltInDataset
from tl_widgets.data.dataset import Labels


def _read_array() -> tuple[GrayImages, Labels]:
    from skimage.data import lfw_subset

    # float64 in 0..1, 100 faces first, then 100 backgrounds. No two are equal (a test checks this).
    gray = np.rint(lfw_subset() * 255).astype(np.uint8)
    return gray, np.repeat(np.array([1, 0], np.int64), 100)


_SCRIPT = """
# 100 faces, then 100 pieces of background, 25 x 25 pixels, values 0..1.
gray = np.rint(lfw_subset() * 255).astype("uint8")
labels = np.repeat([1, 0], 100)
"""

_IMAGES = ArrayOfImages(_read_array, side=25, shares=(0.10, 0.40), script_lines=_SCRIPT)

DATASET = BuiltInDataset(
    name="faces",
    place=2,
    shows="Small gray pictures that show a person's face, or a piece of what was behind one.",
    class_names=("background", "face"),
    sizes=_IMAGES.sizes((100, 100)),
    source="lfw_subset in scikit-image, from Labeled Faces in the Wild (Huang et al., 2012)",
    license="published for research; no license is stated",
    read=_IMAGES.read,
    script_imports=("from PIL import Image", "from skimage.data import lfw_subset"),
    script=_IMAGES.script,
)
