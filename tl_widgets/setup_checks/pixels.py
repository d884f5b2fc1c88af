"""What reaches the backbone, beside what its makers' preprocessing would make of the same images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_widgets.backbones.family import IMAGENET_MEAN, IMAGENET_STD
from tl_widgets.setup_checks.graph import FoundBackbone, graph_of
from tl_widgets.setup_checks.sample import Sample
from tl_widgets.setup_checks.trace import trace

Array = NDArray[Any]
_CAFFE_MEAN = np.array([103.939, 116.779, 123.68])  # of BGR values
_WANTED = {
    "tf": "-1 to 1",
    "lite": "about -1 to 1",
    "torch": "values standardised by ImageNet's mean and deviation, about -2 to 2.6",
    "caffe": "BGR with ImageNet's mean subtracted, about -120 to 150",
    "builtin_0_255": "raw pixels, 0 to 255, because it scales them itself",
}
_NEAR = 0.25  # in standard deviations of what is wanted: images that were resized on the way are not quite the same


def check_pixels(model: keras.Model, backbone: FoundBackbone | None, sample: Sample) -> Iterator[str]:
    """Sentences on pixels that the backbone was not made for."""
    if backbone is None or (backbone.is_random and not backbone.is_frozen):
        return  # from scratch, any scale that trains is right
    got = _heard(model, backbone, sample)
    if got is None:
        return
    raw = _raw(np.asarray(sample.images, np.float64))
    if backbone.mode and raw is not None and got.shape[-1] == raw.shape[-1] == 3:
        yield from _compare(backbone, got, raw)
    elif not backbone.mode and backbone.is_frozen and got.min() >= 0 and got.max() > 10:
        yield (
            f"Raw pixels ({got.min():.0f} to {got.max():.0f}) go into {backbone.name}, which is frozen: put the "
            "preprocessing before it with which it was trained."
        )
    elif got.max() - got.min() < 0.1:
        yield _twice(backbone, got)


def _heard(model: keras.Model, backbone: FoundBackbone, sample: Sample) -> Array | None:
    """What the backbone gets; None where that cannot be told."""
    if backbone.part is not None:
        found = trace(model, sample.images).input_of(backbone.part)
        return None if found is None else found.astype(np.float64)
    if backbone.tensor is None:
        return None
    inputs = graph_of(model).inputs
    probe = keras.Model(inputs[0] if len(inputs) == 1 else inputs, backbone.tensor)  # a list of one gives a warning
    return np.asarray(probe(sample.images, training=False), np.float64)


def _raw(images: Array) -> Array | None:
    """The images as 0-255 RGB, judged by their range; None where it fits no usual scaling."""
    low, high = images.min(), images.max()
    if low >= 0:
        return images if high > 1.01 else np.asarray(images * 255) if high > 0.05 else None
    if low >= -1.01 and high <= 1.01:
        return np.asarray((images + 1) * 127.5)
    if low > -3 and high < 3.5:
        return np.asarray((images * IMAGENET_STD + IMAGENET_MEAN) * 255)
    if images.shape[-1] == 3 and low > -130 and high < 160:
        return np.asarray(images + _CAFFE_MEAN)[..., ::-1]
    return None


def _prepared(raw: Array) -> dict[str, Array]:
    """What each kind of preprocessing makes of the images."""
    return {
        "tf": raw / 127.5 - 1,
        "lite": (raw - 127) / 128,
        "torch": (raw / 255 - IMAGENET_MEAN) / IMAGENET_STD,
        "caffe": raw[..., ::-1] - _CAFFE_MEAN,
        "builtin_0_255": raw,
        "0 to 1": raw / 255,
    }


def _distance(got: Array, wanted: Array) -> float:
    scale = max(float(wanted.std()), 1e-9)
    if got.shape == wanted.shape:
        return float(np.abs(got - wanted).mean()) / scale
    axes = tuple(range(got.ndim - 1))  # resized or cropped on the way: only the channels can be compared
    means = np.abs(got.mean(axes) - wanted.mean(axes)).max() / scale
    return float(max(means, abs(got.std() / scale - 1)) / 1.5)


def _compare(backbone: FoundBackbone, got: Array, raw: Array) -> Iterator[str]:
    prepared = _prepared(raw)
    if _distance(got, prepared[backbone.mode]) < _NEAR:
        return
    if got.std() < 0.02 * prepared[backbone.mode].std() and got.max() - got.min() < 0.1:
        yield _twice(backbone, got)
        return
    nearest = min(prepared, key=lambda name: _distance(got, prepared[name]))
    low, high = f"{got.min():.3g}", f"{got.max():.3g}"
    if _distance(got, prepared[nearest]) >= _NEAR:
        seen = f"Pixels from {low} to {high} go into {backbone.name}"
    elif nearest == "builtin_0_255":
        seen = f"Raw pixels ({low} to {high}) go into {backbone.name}"
    else:
        like = {"0 to 1": "only divided by 255", "caffe": "prepared as for ResNet50 and VGG (BGR, mean subtracted)"}
        like |= {"torch": "prepared as for DenseNet (standardised)", "tf": "scaled to -1..1", "lite": "scaled to -1..1"}
        seen = f"Pixels {like[nearest]} ({low} to {high}) go into {backbone.name}"
    yield f"{seen}, which expects {_WANTED[backbone.mode]}. {_remedy(backbone)}"


def _twice(backbone: FoundBackbone, got: Array) -> str:
    return (
        f"All pixels that {backbone.name} gets lie between {got.min():.3g} and {got.max():.3g}: they are scaled twice. "
        "Scale them once, in the data or in the model."
    )


def _remedy(backbone: FoundBackbone) -> str:
    if backbone.mode == "builtin_0_255":
        return "Leave your own scaling out."
    if backbone.module:
        return f"Use keras.applications.{backbone.module}.preprocess_input, once, and no other scaling."
    return "Put its own preprocessing before it, such as Rescaling(1 / 128, offset=-127 / 128)."
