"""How much memory it takes to run a backbone, or to train a network; answers at once, without Keras."""

from __future__ import annotations

import sys

from tl_widgets.backbones.family import Backbone
from tl_widgets.core.resources import require_memory

TENSORFLOW_BYTES = 660_000_000  # what `import tensorflow` (2.21) takes


def memory_estimate(backbone: Backbone, image_size: int, batch_size: int = 32) -> int:
    """Estimate the bytes, rather too many than too few, that running a frozen backbone takes beside TensorFlow.

    Its weights, 4 bytes each and once more while they are loaded, plus three of its largest feature maps
    (what goes in, what comes out, and one that waits for the next Add).

    Args:
        backbone: which; an unknown parameter count is taken as 100 million.
        image_size: side of the images in pixels.
        batch_size: images per step.
    """
    n_params = backbone.n_params or 100_000_000
    return 2 * 4 * n_params + 3 * 4 * backbone.family.map_channels * batch_size * image_size**2


def memory_needed(backbone: Backbone, image_size: int) -> int:
    """Return the bytes that must be free before a frozen backbone runs, with TensorFlow if it is not loaded yet.

    Args:
        backbone: which.
        image_size: side of the images in pixels.
    """
    ahead = 0 if "tensorflow" in sys.modules else TENSORFLOW_BYTES
    return ahead + memory_estimate(backbone, image_size)


def require_training_memory(what: str, *, n_params: int, n_values: int, batch_size: int) -> None:
    """Raise `InputError` if a network cannot be trained in the memory that is free.

    It takes weights, their gradients and Adam's two moments, and each layer's output with its gradient.

    Args:
        what: the subject of the message: "Training the network from scratch".
        n_params: numbers in the network.
        n_values: numbers in all layers' outputs for one image.
        batch_size: images for each step.
    """
    require_memory(
        4 * (4 * n_params + 2 * batch_size * n_values),
        what,
        "Use smaller images, a smaller batch size, fewer filters or global average pooling",
    )
