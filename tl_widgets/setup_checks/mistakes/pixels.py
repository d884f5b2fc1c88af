"""Mistakes about the pixels that a frozen backbone receives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _, in_english
from tl_widgets.setup_checks.mistake import Check, Finding, Mistake, Subject

if TYPE_CHECKING:
    import keras

    from tl_widgets.backbones.family import Preprocessing
    from tl_widgets.records.verdict import TwoWays
    from tl_widgets.setup_checks.data import Array
    from tl_widgets.setup_checks.graph import FoundBackbone
    from tl_widgets.setup_checks.setup import Setup
    from tl_widgets.setup_checks.trial import Trial

_NEAR = 0.25  # in standard deviations of the expected pixels; above 0 because images may have been resized


def _measure(trial: Trial, change: Callable[[Sequence[keras.layers.Layer]], Sequence[keras.layers.Layer]]) -> TwoWays:
    """Measure a transfer model without and with `change` to its preprocessing."""
    from tl_widgets.records.verdict import compare_runs

    *before, backbone, average = trial.layers()
    right = trial.run(trial.transfer(*before, backbone, average), "right")
    return compare_runs(right, trial.run(trial.transfer(*change(before), backbone, average), "wrong"))


def _raw_pixels(trial: Trial) -> TwoWays:
    """Measure a backbone without preprocessing, as in the article."""
    if trial.backbone.family.preprocessing.is_builtin:
        raise InputError(
            _(
                "{backbone_name} takes raw pixels: choose another backbone for this mistake.",
                backbone_name=trial.backbone.name,
            )
        )
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
            _(
                "{backbone_name} uses this preprocessing itself: choose another backbone for this mistake.",
                backbone_name=trial.backbone.name,
            )
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
            _(
                "The images of {dataset_name} are gray, so the order of their channels makes no "
                "difference. Choose images in color for this mistake.",
                dataset_name=trial.dataset.name,
            )
        )
    layers = trial.layers()
    right = trial.run(trial.transfer(*layers), "right")
    other = replace(trial, dataset=replace(trial.dataset, test=Split(np.ascontiguousarray(swapped), test.labels)))
    return compare_runs(right, other.run(other.transfer(*layers), "wrong"))


def find_wrong_pixels(setup: Setup) -> Iterator[Finding]:
    """Find pixels that don't have the preprocessing the backbone was trained with, or no contrast."""
    import numpy as np

    from tl_widgets.setup_checks.pixel_forms import MIN_CONTRAST

    form, backbone = setup.form, setup.backbone
    if not setup.images_fit or form.name == "blank" or not np.isfinite(setup.images).all():
        return
    reached = setup.first_layer
    contrast = None if reached is None else _contrast(reached.values)
    if form.name == "twice":
        is_mended = contrast is not None and contrast > max(0.5, 3 * _contrast(setup.images))  # by Normalization
        if not is_mended:
            yield _scaled_twice(_("the model"), setup.images, form.words, where=_("training data"))
        return
    if backbone is not None and backbone.is_pretrained and backbone.preprocessing is not None:
        # A convolution of the learner's own before the backbone may learn any scaling.
        is_first = reached is None or any(layer is reached.layer for layer in backbone.layers)
        received = setup.backbone_input if is_first else None
        if received is not None and received.ndim == 4 and received.shape[-1] == 3:
            yield from _compare(backbone, backbone.preprocessing, received, form.raw)
            return
    # BatchNormalization before the first convolution restores the contrast in training.
    if reached is not None and contrast is not None and contrast < MIN_CONTRAST and not reached.norms:
        first = _("{name}, the first Dense layer,") if reached.values.ndim == 2 else _("{name}, the first convolution,")
        name = first.format(name=reached.layer.name)
        yield _scaled_twice(name, reached.values, where=_("before layer {layer_name}", layer_name=reached.layer.name))


def _contrast(values: Array) -> float:
    """Return the difference between black and white, in the channel where it's largest."""
    if values.ndim < 4:
        return float(values.max() - values.min())
    height, width = values.shape[1:3]
    inner = values[:, height // 8 : height - height // 8, width // 8 : width - width // 8]  # without zero padding
    return float((inner.max((0, 1, 2)) - inner.min((0, 1, 2))).max())


def _distance(actual: Array, expected: Array) -> float:
    scale = max(float(expected.std()), 1e-9)
    if actual.shape == expected.shape:
        return float(abs(actual - expected).mean()) / scale
    axes = tuple(range(actual.ndim - 1))  # resized or cropped images can be compared only by channel
    means = abs(actual.mean(axes) - expected.mean(axes)).max() / scale
    return float(max(means, abs(actual.std() / scale - 1)) / 1.5)


_BOUNDS = {  # what correctly prepared pixels can't exceed, with room for resizing and augmentation
    "tf": (-1.3, 1.3),
    "lite": (-1.3, 1.3),
    "torch": (-2.8, 3.3),
    "caffe": (-160, 190),
    "builtin_0_255": (-60, 320),
}


def _compare(
    backbone: FoundBackbone, preprocessing: Preprocessing, actual: Array, raw: Array | None
) -> Iterator[Finding]:
    """Compare the backbone's input with the right preprocessing of the same images."""
    from tl_widgets.backbones.family import PREPROCESSING, Preprocessing
    from tl_widgets.setup_checks.pixel_forms import form_of

    where, remedy, code = (
        _("before layer {backbone_name}", backbone_name=backbone.name),
        *_remedy(backbone, preprocessing),
    )
    low, high, mistake = f"{actual.min():.3g}", f"{actual.max():.3g}", "wrong_preprocessing"
    received = form_of(actual)
    if received.name == "twice":
        yield _scaled_twice(backbone.name, actual, received.words, where=where)
        return
    if raw is None:
        lowest, highest = _BOUNDS[preprocessing.mode]
        outside = actual.min() < lowest or actual.max() > highest
        if outside or (preprocessing.is_builtin and received.name == "standardized"):
            yield Finding(
                _(
                    "Pixels from {low} to {high} go into {backbone_name}, which expects {expects}. {remedy}",
                    low=low,
                    high=high,
                    backbone_name=backbone.name,
                    expects=preprocessing.expects,
                    remedy=remedy,
                ),
                "raw_pixels" if received.name == "raw" else mistake,
                where=where,
                code=code,
            )
        return
    raw = raw[: len(actual)]
    expected = preprocessing.apply(raw)
    if raw.shape[-1] != 3 or _distance(actual, expected) < _NEAR:
        return
    if actual.std() < 0.02 * expected.std() and _contrast(actual) < 0.1:
        yield _scaled_twice(backbone.name, actual, where=where)
        return
    only_divided = Preprocessing("0 to 1", "", "", _("only divided by 255"), "", scale=1 / 255)
    nearest = min((*PREPROCESSING.values(), only_divided), key=lambda kind: _distance(actual, kind.apply(raw)))
    swapped = (expected[..., ::-1], replace(preprocessing, is_bgr=not preprocessing.is_bgr).apply(raw))
    if min(_distance(actual, pixels) for pixels in swapped) < min(_NEAR, _distance(actual, nearest.apply(raw))):
        order = _("blue, green, red") if preprocessing.is_bgr else _("red, green, blue")
        yield Finding(
            _(
                "Red and blue are swapped in the pixels that go into {backbone_name}, which expects "
                "{order}. Reverse the channels once: images[..., ::-1].",
                backbone_name=backbone.name,
                order=order,
            ),
            "channel_order",
            where=where,
            code="images = images[..., ::-1]",
        )
        return
    if _distance(actual, nearest.apply(raw)) >= _NEAR:
        observation = _(
            "Pixels from {low} to {high} go into {backbone_name}", low=low, high=high, backbone_name=backbone.name
        )
    elif nearest.is_builtin:
        observation, mistake = (
            _("Raw pixels ({low} to {high}) go into {backbone_name}", low=low, high=high, backbone_name=backbone.name),
            "raw_pixels",
        )
    else:
        observation = _(
            "Pixels {received} ({low} to {high}) go into {backbone_name}",
            received=nearest.received,
            low=low,
            high=high,
            backbone_name=backbone.name,
        )
    yield Finding(
        _(
            "{observation}, which expects {expects}. {remedy}",
            observation=observation,
            expects=preprocessing.expects,
            remedy=remedy,
        ),
        mistake,
        where=where,
        code=code,
    )


def _remedy(backbone: FoundBackbone, preprocessing: Preprocessing) -> tuple[str, str]:
    """Return what to do about wrong pixels, and the line of code."""
    if preprocessing.is_builtin:
        return _("Leave your own scaling out."), f"x = {backbone.name}(images)  # raw pixels, 0 to 255"
    if backbone.module:
        function = f"keras.applications.{backbone.module}.preprocess_input"
        return _("Use {function}, once, and no other scaling.", function=function), f"x = {function}(x)"
    code = preprocessing.code.removeprefix("keras.layers.")
    return _("Put its own preprocessing before it, such as {code}.", code=code), preprocessing.code


def _scaled_twice(receiver: str, actual: Array, how: str = "", *, where: str = "") -> Finding:
    axes = tuple(range(actual.ndim - 1))
    spread = (actual.max(axes) - actual.min(axes)).max()
    english = in_english(how)
    if how and "two" not in english and actual.max() - actual.min() > 3 * spread:
        text = _(
            "In each channel, the pixels that {receiver} gets lie within {spread:.3g} of each other",
            receiver=receiver,
            spread=spread,
        )
    else:
        text = _(
            "All pixels that {receiver} gets lie between {low:.3g} and {high:.3g}",
            receiver=receiver,
            low=actual.min(),
            high=actual.max(),
        )
    cause = (
        how
        if "scaled twice" in english
        else _("they are scaled twice ({how})", how=how)
        if how
        else _("they are scaled twice")
    )
    return Finding(
        _("{text}: {cause}. Scale them once, in the data or in the model.", text=text, cause=cause),
        "rescaled_twice",
        where=where,
        code="images = raw_images  # 0 to 255, and the scaling in the model only",
    )


_CHECK = Check(Subject.PIXELS, find_wrong_pixels)
_EASY = _("Where classes are as easy to tell apart as brick, grass and gravel, distorted features do it as well")

RAW_PIXELS = Mistake(
    "raw_pixels",
    label=_("Raw pixels"),
    wrong=_("raw pixels, 0 to 255, go into the backbone"),
    right=_("pixels are scaled as they were when the backbone was trained"),
    why=_("Every filter answers to values about a hundred times too large, which it has never seen."),
    hides=_("{easy}; on harder images, and with other backbones, it costs more.", easy=_EASY),
    measure=_raw_pixels,
    check=_CHECK,
    place=10,
)

RESCALED_TWICE = Mistake(
    "rescaled_twice",
    label=_("Rescaled twice"),
    wrong=_("pixels are divided by 255, then scaled once more by the model"),
    right=_("pixels are scaled once"),
    why=_("After the second scaling nearly all contrast is gone: each image looks almost the same to the backbone."),
    hides=_("A head that is trained for long enough can find what little contrast is left."),
    measure=_rescaled_twice,
    check=_CHECK,
    place=20,
)

WRONG_PREPROCESSING = Mistake(
    "wrong_preprocessing",
    label=_("Wrong preprocessing"),
    wrong=_("pixels are prepared for another family of backbones (ImageNet mean subtracted, BGR)"),
    right=_("pixels are prepared as this backbone's own function says"),
    why=_("The range and the order of the colors differ between backbones, and no error reports it."),
    hides=_("{easy}; and in gray images the order of the colors does not matter.", easy=_EASY),
    measure=_wrong_preprocessing,
    check=_CHECK,
    place=30,
)

CHANNEL_ORDER = Mistake(
    "channel_order",
    label=_("Channel order"),
    wrong=_(
        "red and blue are swapped in the test images, as OpenCV reads them: RGB where BGR is expected, "
        "or BGR where RGB is"
    ),
    right=_("test images have their channels in the order of the training images"),
    why=_(
        "The first filters look for colors: to them, an orange is now blue. No error reports it, because "
        "the shape and the range are right."
    ),
    hides=_(
        "Shapes are as they were. Where color says little about the class, and in gray images, the order "
        "hardly matters."
    ),
    measure=_channel_order,
    check=_CHECK,
    dataset="photographs",
    n_per_class=None,
    place=35,
)
