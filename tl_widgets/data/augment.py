"""Changed copies of training images: mirrored, shifted, brighter or darker. NumPy only.

The copies are made once, before training, so that a frozen backbone has to look at each of them only once, and
so that the model from scratch and the transfer model see the very same ones.
"""

from __future__ import annotations

import numpy as np

from tl_widgets.core.resources import require_memory
from tl_widgets.data.dataset import Images, Split

_MAX_SHIFT = 0.1  # of the side
_BRIGHTNESS = 0.2


def augment_images(images: Images, *, seed: int = 0) -> Images:
    """Return one changed copy of each image.

    Args:
        images: uint8 (n, h, w, 3); left as they are.
        seed: decides mirroring (even odds), shift (up to a tenth of the side, the edge repeated) and
            brightness (times 0.8 to 1.2) of each.

    Returns:
        uint8 (n, h, w, 3).
    """
    random = np.random.default_rng([seed, 2])
    changed = np.empty(images.shape, np.uint8)
    height, width = images.shape[1:3]
    for i, image in enumerate(images):
        if random.random() < 0.5:
            image = image[:, ::-1]
        down = random.integers(-int(_MAX_SHIFT * height), int(_MAX_SHIFT * height) + 1)
        right = random.integers(-int(_MAX_SHIFT * width), int(_MAX_SHIFT * width) + 1)
        rows = np.clip(np.arange(height) - down, 0, height - 1)
        columns = np.clip(np.arange(width) - right, 0, width - 1)
        factor = random.uniform(1 - _BRIGHTNESS, 1 + _BRIGHTNESS)
        changed[i] = np.clip(np.rint(image[rows][:, columns] * factor), 0, 255).astype(np.uint8)
    return changed


def with_augmented(split: Split, n_copies: int, *, seed: int = 0) -> Split:
    """Return a split with `n_copies` changed copies of each image after the images themselves.

    Args:
        split: training images, n of them.
        n_copies: 0 gives back the split itself.
        seed: decides the changes.

    Returns:
        (1 + n_copies) * n images and labels.
    """
    if not n_copies:
        return split
    require_memory(
        2 * (1 + n_copies) * split.images.nbytes,
        f"Keeping {n_copies} changed copies of {len(split):,} images",
        "Use fewer copies, fewer images or smaller ones",
    )
    images = np.asarray(split.images)
    # Copy j is the same whatever n_copies is, so that its features stay of use.
    copies = [augment_images(images, seed=seed * 1000 + j) for j in range(n_copies)]
    return Split(np.concatenate([images, *copies]), np.tile(split.labels, 1 + n_copies))
