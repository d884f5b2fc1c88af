"""A few photographs that scikit-image brings along, as squares of one size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PHOTOGRAPHS = {"cat": "chelsea", "coffee": "coffee", "camera": "camera", "rocket": "rocket", "brick wall": "brick"}


def photographs(image_size: int = 224) -> dict[str, NDArray[np.uint8]]:
    """Photographs by what they show: a cat, a cup of coffee, a man with a camera, a rocket, a brick wall.

    Args:
        image_size: side of the middle square in pixels.

    Returns:
        Each uint8, shape (image_size, image_size, 3). Two of them are grey.
    """
    from PIL import Image, ImageOps
    from skimage import data

    found = {}
    for name, function in PHOTOGRAPHS.items():
        picture = Image.fromarray(getattr(data, function)()).convert("RGB")
        found[name] = np.asarray(ImageOps.fit(picture, (image_size, image_size)))
    return found
