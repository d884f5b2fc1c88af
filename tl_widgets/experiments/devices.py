"""Whether a GPU trains as the CPU does: the same small training and the same features on both.

`tl-widgets doctor` runs this module in a process of its own, which a faulty driver may end.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.config import Config
from tl_widgets.core.numbers import percent
from tl_widgets.core.translation import _

_SIDE, _N_CLASSES, _N_IMAGES, _N_STEPS = 32, 3, 96, 40
# GPUs round in other places, and newer ones to 10 bits. Rounding all weights so after each step moved the loss by at
# most 0.0005; half the learning rate moved it by 0.39.
_TOLERANCE = 0.05
_FEATURE_TOLERANCE = 0.02  # as a share of the features' length


@dataclass(frozen=True, eq=False)
class Known:
    """What the known training gave on one device.

    Attributes:
        losses: The loss before each step.
        accuracy: The share of the training images that the trained network names correctly.
        features: The frozen default backbone's features of a few images, float32 (n, n_features).
    """

    losses: NDArray[np.float64]
    accuracy: float
    features: NDArray[np.float32]


@dataclass(frozen=True)
class GPUReport:
    """What `doctor` needs to know about the GPU.

    Attributes:
        name: The GPU that TensorFlow uses; "" if it sees none.
        problem: Where GPU and CPU disagree, as a sentence; "" if they agree.
        accuracy: What the known training reached on the GPU.
    """

    name: str = ""
    problem: str = ""
    accuracy: float = 0.0


def look_at_gpu() -> GPUReport:
    """Run the known training on the CPU and on the first GPU, if TensorFlow sees one; a minute at most."""
    import tensorflow as tf

    from tl_widgets.training.loop import device_name

    if not tf.config.get_visible_devices("GPU"):
        return GPUReport()
    cpu, gpu = run_known("CPU:0"), run_known("GPU:0")
    return GPUReport(device_name(), disagreement(cpu, gpu), gpu.accuracy)


def run_known(device: str, learning_rate: float = Config.learning_rate) -> Known:
    """Train the network from scratch on fixed images, and run the default backbone, all on one device."""
    import tensorflow as tf

    from tl_widgets.backbones.catalogue import find_backbone
    from tl_widgets.backbones.weights import resolve_weights
    from tl_widgets.models.builders import build_scratch, frozen_layers
    from tl_widgets.training.learners import PREDICT_BATCH, KerasLearner

    shape = (_SIDE, _SIDE, 3)
    images, labels = _stripes()
    entry = find_backbone(Config.backbone)
    with tf.device("CPU:0"):  # devices may draw other random numbers
        initial = build_scratch(shape, _N_CLASSES).get_weights()
    with tf.device(device):
        model = build_scratch(shape, _N_CLASSES)
        model.set_weights(initial)
        learner = KerasLearner(model, tf.uint8, learning_rate)
        losses = []
        for step in range(_N_STEPS):
            rows = np.arange(step * 16, step * 16 + 16) % _N_IMAGES
            losses.append(learner.fit_batch(images[rows], labels[rows])[0])
        starts = range(0, _N_IMAGES, PREDICT_BATCH)
        answers = np.concatenate([learner.probabilities(images[i : i + PREDICT_BATCH]) for i in starts])
        values: Any = tf.constant(images[:8], tf.float32)
        for layer in frozen_layers(entry, shape, resolve_weights(entry, "imagenet")):
            values = layer(values, training=False)
    return Known(np.array(losses), float((answers.argmax(1) == labels).mean()), np.asarray(values))


def _stripes() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return noisy pictures of stripes in three directions, uint8 (n, side, side, 3), and the directions."""
    random = np.random.default_rng(0)
    labels = np.arange(_N_IMAGES) % _N_CLASSES
    y, x = np.mgrid[:_SIDE, :_SIDE]
    waves = np.stack([np.sin(place * 0.8) for place in (x, y, x + y)])
    shifted = np.stack([np.roll(waves[label], random.integers(_SIDE), axis=(0, 1)) for label in labels])
    values = 127 + 60 * shifted[..., None] + random.normal(0, 40, (_N_IMAGES, _SIDE, _SIDE, 3))
    return values.clip(0, 255).astype(np.uint8), labels


def disagreement(cpu: Known, gpu: Known) -> str:
    """Say where a GPU's results differ from the CPU's by more than rounding; "" if they don't."""
    length = np.linalg.norm(cpu.features, axis=1)
    apart = np.linalg.norm(gpu.features - cpu.features, axis=1)
    if not np.all(apart <= _FEATURE_TOLERANCE * length):  # also if they are NaN
        return _("The frozen backbone's features of the same images are not the CPU's.")
    wrong = ~(abs(gpu.losses - cpu.losses) <= _TOLERANCE)
    if wrong.any():
        step = int(wrong.argmax())
        return _(
            "At step {step} of the same training, the loss is {cpu:.2f} on the CPU and {gpu:.2f} on the GPU.",
            step=step + 1,
            cpu=float(cpu.losses[step]),
            gpu=float(gpu.losses[step]),
        )
    if abs(cpu.accuracy - gpu.accuracy) > _TOLERANCE:
        return _(
            "The same training reaches {cpu} on the CPU and {gpu} on the GPU.",
            cpu=percent(cpu.accuracy),
            gpu=percent(gpu.accuracy),
        )
    return ""


def main() -> None:
    """Write the report as one line of JSON, the last line of stdout."""
    from tl_widgets.core.lazy_tensorflow import import_tensorflow

    import_tensorflow()
    sys.stdout.write("\n" + json.dumps(asdict(look_at_gpu())) + "\n")


if __name__ == "__main__":
    main()
