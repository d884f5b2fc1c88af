"""Mistakes about the pixels that a frozen backbone receives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tl_widgets.core.errors import InputError
from tl_widgets.setup_checks.mistake import Check, Finding, Mistake, Subject

if TYPE_CHECKING:
    import keras

    from tl_widgets.backbones.family import Preprocessing
    from tl_widgets.records.verdict import TwoWays
    from tl_widgets.setup_checks.graph import FoundBackbone
    from tl_widgets.setup_checks.setup import Array, Setup
    from tl_widgets.setup_checks.trial import Trial

_NEAR = 0.25  # in standard deviations of the expected pixels; above 0 because images may have been resized
_MIN_RANGE = 0.05  # any scaling done once leaves more than this between a sample's black and white


def _measure(trial: Trial, change: Callable[[Sequence[keras.layers.Layer]], Sequence[keras.layers.Layer]]) -> TwoWays:
    """Measure a transfer model without and with `change` to its preprocessing."""
    from tl_widgets.records.verdict import compare_runs

    *before, backbone, average = trial.layers()
    right = trial.run(trial.transfer(*before, backbone, average), "right")
    return compare_runs(right, trial.run(trial.transfer(*change(before), backbone, average), "wrong"))


def _raw_pixels(trial: Trial) -> TwoWays:
    """Measure a backbone without preprocessing, as in the article."""
    if trial.backbone.family.preprocessing.is_builtin:
        raise InputError(f"{trial.backbone.name} takes raw pixels: choose another backbone for this mistake.")
    return _measure(trial, lambda _: ())


def _rescaled_twice(trial: Trial) -> TwoWays:
    """Measure a division by 255, usual for networks from scratch, before the scaling."""
    import keras

    return _measure(trial, lambda before: (keras.layers.Rescaling(1 / 255), *before))


def _wrong_preprocessing(trial: Trial) -> TwoWays:
    """Measure the `preprocess_input` of ResNet50's module, mode "caffe"."""
    from tl_widgets.backbones.catalogue import find_backbone

    other = find_backbone("ResNet50").family.preprocessing
    if trial.backbone.preprocess_mode == other.mode:
        raise InputError(
            f"{trial.backbone.name} uses this preprocessing itself: choose another backbone for this mistake."
        )
    return _measure(trial, lambda _: (other.layer("preprocessing"),))


def _channel_order(trial: Trial) -> TwoWays:
    """Measure a model that was trained on RGB with test images in BGR."""
    import numpy as np

    from tl_widgets.data.dataset import Split
    from tl_widgets.records.verdict import compare_runs

    test = trial.dataset.test
    swapped = np.asarray(test.images)[..., ::-1]
    if np.array_equal(swapped, test.images):
        raise InputError(
            f"The images of {trial.dataset.name} are gray, so the order of their channels makes no difference. Choose "
            "images in color for this mistake."
        )
    right = trial.run(trial.transfer(*trial.layers()), "right")
    other = replace(trial, dataset=replace(trial.dataset, test=Split(np.ascontiguousarray(swapped), test.labels)))
    return compare_runs(right, other.run(other.transfer(*other.layers()), "wrong"))


def _find(setup: Setup) -> Iterator[Finding]:
    """Find pixels that don't have the preprocessing the backbone was trained with."""
    backbone = setup.backbone
    if backbone is None:
        yield from _find_without_contrast(setup)
        return
    if backbone.is_random and not backbone.is_frozen:
        return  # a network from scratch can learn from any scale
    received = setup.backbone_input
    if received is None:
        return
    low, high, raw = received.min(), received.max(), _raw(setup.images)
    if backbone.preprocessing is not None and raw is not None and received.shape[-1] == raw.shape[-1] == 3:
        yield from _compare(backbone, backbone.preprocessing, received, raw[: len(received)])
    elif backbone.preprocessing is None and backbone.is_frozen and low >= 0 and high > 10:
        yield Finding(
            f"Raw pixels ({low:.0f} to {high:.0f}) go into {backbone.name}, which is frozen: put the "
            "preprocessing before it with which it was trained.",
            "raw_pixels",
        )
    elif high - low < 0.1:
        yield _scaled_twice(backbone.name, received)


def _find_without_contrast(setup: Setup) -> Iterator[Finding]:
    """Find two scalings that leave a network from scratch images without contrast."""
    from tl_widgets.setup_checks.graph import first_convolution, run_until

    first = first_convolution(setup.graph)
    if first is None or setup.input_shape is None or not setup.images_fit or _range(setup.images) < _MIN_RANGE:
        return  # if the images have no contrast before the model's scaling, that may be their content
    received = run_until(setup.graph, first.arguments.keras_tensors[0], setup.images)
    if _range(received) < _MIN_RANGE:
        yield _scaled_twice(f"{first.operation.name}, the first convolution,", received)


def _range(values: Any) -> float:
    return float(values.max() - values.min())


def _raw(images: Array) -> Array | None:
    """Return the images as 0-255 RGB, judging by their range; None if none fits."""
    from tl_widgets.backbones.family import CAFFE_MEAN_BGR, IMAGENET_MEAN, IMAGENET_STD

    images = images.astype(float)
    low, high = images.min(), images.max()
    if low >= 0:
        return images if high > 1.01 else images * 255 if high > 0.05 else None
    if low >= -1.01 and high <= 1.01:
        return (images + 1) * 127.5
    if low > -3 and high < 3.5:
        return (images * IMAGENET_STD + IMAGENET_MEAN) * 255
    if images.shape[-1] == 3 and low > -130 and high < 160:
        return (images + CAFFE_MEAN_BGR)[..., ::-1]
    return None


def _distance(actual: Array, expected: Array) -> float:
    scale = max(float(expected.std()), 1e-9)
    if actual.shape == expected.shape:
        return float(abs(actual - expected).mean()) / scale
    axes = tuple(range(actual.ndim - 1))  # resized or cropped images can be compared only by channel
    means = abs(actual.mean(axes) - expected.mean(axes)).max() / scale
    return float(max(means, abs(actual.std() / scale - 1)) / 1.5)


def _compare(backbone: FoundBackbone, preprocessing: Preprocessing, actual: Array, raw: Array) -> Iterator[Finding]:
    """Compare the backbone's input with the right preprocessing of the same images."""
    from tl_widgets.backbones.family import PREPROCESSING, Preprocessing

    expected = preprocessing.apply(raw)
    if _distance(actual, expected) < _NEAR:
        return
    if actual.std() < 0.02 * expected.std() and _range(actual) < 0.1:
        yield _scaled_twice(backbone.name, actual)
        return
    only_divided = Preprocessing("0 to 1", "", "", "only divided by 255", "", scale=1 / 255)
    nearest = min((*PREPROCESSING.values(), only_divided), key=lambda kind: _distance(actual, kind.apply(raw)))
    swapped = (expected[..., ::-1], replace(preprocessing, is_bgr=not preprocessing.is_bgr).apply(raw))
    if min(_distance(actual, pixels) for pixels in swapped) < min(_NEAR, _distance(actual, nearest.apply(raw))):
        order = "blue, green, red" if preprocessing.is_bgr else "red, green, blue"
        yield Finding(
            f"Red and blue are swapped in the pixels that go into {backbone.name}, which expects {order}. Reverse the "
            "channels once: images[..., ::-1].",
            "channel_order",
        )
        return
    low, high, mistake = f"{actual.min():.3g}", f"{actual.max():.3g}", "wrong_preprocessing"
    if _distance(actual, nearest.apply(raw)) >= _NEAR:
        observation = f"Pixels from {low} to {high} go into {backbone.name}"
    elif nearest.is_builtin:
        observation, mistake = f"Raw pixels ({low} to {high}) go into {backbone.name}", "raw_pixels"
    else:
        observation = f"Pixels {nearest.received} ({low} to {high}) go into {backbone.name}"
    if preprocessing.is_builtin:
        remedy = "Leave your own scaling out."
    elif backbone.module:
        remedy = f"Use keras.applications.{backbone.module}.preprocess_input, once, and no other scaling."
    else:
        remedy = f"Put its own preprocessing before it, such as {preprocessing.code.removeprefix('keras.layers.')}."
    yield Finding(f"{observation}, which expects {preprocessing.expects}. {remedy}", mistake)


def _scaled_twice(receiver: str, actual: Array) -> Finding:
    return Finding(
        f"All pixels that {receiver} gets lie between {actual.min():.3g} and "
        f"{actual.max():.3g}: they are scaled twice. Scale them once, in the data or in the model.",
        "rescaled_twice",
    )


_CHECK = Check(Subject.PIXELS, _find)
_EASY = "Where classes are as easy to tell apart as brick, grass and gravel, distorted features do it as well"

RAW_PIXELS = Mistake(
    "raw_pixels",
    wrong="raw pixels, 0 to 255, go into the backbone",
    right="pixels are scaled as they were when the backbone was trained",
    why="Every filter answers to values about a hundred times too large, which it has never seen.",
    hides=f"{_EASY}; on harder images, and with other backbones, it costs more.",
    measure=_raw_pixels,
    check=_CHECK,
    place=10,
)

RESCALED_TWICE = Mistake(
    "rescaled_twice",
    wrong="pixels are divided by 255, then scaled once more by the model",
    right="pixels are scaled once",
    why="After the second scaling nearly all contrast is gone: each image looks almost the same to the backbone.",
    hides="A head that is trained for long enough can find what little contrast is left.",
    measure=_rescaled_twice,
    check=_CHECK,
    place=20,
)

WRONG_PREPROCESSING = Mistake(
    "wrong_preprocessing",
    wrong="pixels are prepared for another family of backbones (ImageNet mean subtracted, BGR)",
    right="pixels are prepared as this backbone's own function says",
    why="The range and the order of the colors differ between backbones, and no error reports it.",
    hides=f"{_EASY}; and in gray images the order of the colors does not matter.",
    measure=_wrong_preprocessing,
    check=_CHECK,
    place=30,
)

CHANNEL_ORDER = Mistake(
    "channel_order",
    wrong="red and blue are swapped in the test images, as OpenCV reads them: RGB where BGR is expected, or BGR where "
    "RGB is",
    right="test images have their channels in the order of the training images",
    why="The first filters look for colors: to them, an orange is now blue. No error reports it, because the shape and "
    "the range are right.",
    hides="Shapes are as they were. Where color says little about the class, and in gray images, the order hardly "
    "matters.",
    measure=_channel_order,
    check=_CHECK,
    dataset="photographs",
    n_per_class=None,
    place=35,
)
