"""Augment training images by mirrored, shifted, brighter or darker copies.

The copies are made once, before training. A frozen backbone then processes each of them only once, and the model
from scratch and the transfer model train on the same copies.
"""

from __future__ import annotations

import numpy as np

from tl_widgets.core.resources import require_memory
from tl_widgets.data.dataset import Images, Split

_MAX_SHIFT = 0.1  # of the side
_BRIGHTNESS = 0.2


def augment_images(images: Images, *, seed: int = 0) -> Images:
    """Return one augmented copy of each image, uint8, shape (n, height, width, 3).

    Each image is mirrored with probability 1/2, shifted by up to a tenth of its side (the edge pixels are repeated)
    and multiplied by a brightness of 0.8 to 1.2.
    """
    random = np.random.default_rng([seed, 2])
    augmented = np.empty(images.shape, np.uint8)
    height, width = images.shape[1:3]
    for i, image in enumerate(images):
        if random.random() < 0.5:
            image = image[:, ::-1]
        down = random.integers(-int(_MAX_SHIFT * height), int(_MAX_SHIFT * height) + 1)
        right = random.integers(-int(_MAX_SHIFT * width), int(_MAX_SHIFT * width) + 1)
        rows = np.clip(np.arange(height) - down, 0, height - 1)
        columns = np.clip(np.arange(width) - right, 0, width - 1)
        factor = random.uniform(1 - _BRIGHTNESS, 1 + _BRIGHTNESS)
        augmented[i] = np.clip(np.rint(image[rows][:, columns] * factor), 0, 255).astype(np.uint8)
    return augmented


def with_augmented(split: Split, n_copies: int, *, seed: int = 0) -> Split:
    """Return the images, then `n_copies` augmented copies of each of them."""
    if not n_copies:
        return split
    require_memory(
        2 * (1 + n_copies) * split.images.nbytes,
        f"Keeping {n_copies} changed copies of {len(split):,} images",
        "Use fewer copies, fewer images or smaller ones",
    )
    images = np.asarray(split.images)
    # Copy j does not depend on n_copies, so its cached features can be reused.
    copies = [augment_images(images, seed=seed * 1000 + j) for j in range(n_copies)]
    return Split(np.concatenate([images, *copies]), np.tile(split.labels, 1 + n_copies))
