"""Memory estimates for a frozen backbone and for training, without loading Keras."""

from __future__ import annotations

import sys

from tl_widgets.backbones.family import Backbone
from tl_widgets.core.resources import require_memory

TENSORFLOW_BYTES = 660_000_000  # of `import tensorflow` (2.21)


def memory_estimate(backbone: Backbone, image_size: int, batch_size: int = 32) -> int:
    """Estimate the bytes for running a frozen backbone, on the high side.

    Beside TensorFlow itself, it needs its weights, 4 bytes each and twice while they load, and three of its largest
    feature maps (a layer's input, its output, and one that waits for the next Add). An unknown parameter count is
    taken as 100 million.
    """
    n_params = backbone.n_params or 100_000_000
    return 2 * 4 * n_params + 3 * 4 * backbone.family.map_channels * batch_size * image_size**2


def memory_needed(backbone: Backbone, image_size: int) -> int:
    """Return the bytes to run a backbone, with TensorFlow's if it isn't loaded yet."""
    tensorflow_bytes = 0 if "tensorflow" in sys.modules else TENSORFLOW_BYTES
    return tensorflow_bytes + memory_estimate(backbone, image_size)


def require_training_memory(subject: str, *, n_params: int, n_values: int, batch_size: int) -> None:
    """Raise `InputError` if there is too little free memory to train a network.

    Training needs the weights, their gradients and Adam's two moments, and each layer's output with its gradient.

    Args:
        subject: The subject of the message: "Training the network from scratch".
        n_params: Number of parameters.
        n_values: Number of values in all layers' outputs for one image.
        batch_size: Images per step.
    """
    require_memory(
        4 * (4 * n_params + 2 * batch_size * n_values),
        subject,
        "Use smaller images, a smaller batch size, fewer filters or global average pooling",
    )
