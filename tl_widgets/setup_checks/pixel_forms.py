"""Recognizing how pixels were prepared, from their values alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tl_widgets.backbones.family import CAFFE_MEAN_BGR, IMAGENET_MEAN, IMAGENET_STD
from tl_widgets.core.translation import _
from tl_widgets.setup_checks.data import Array

MIN_CONTRAST = 0.05  # any scaling done once leaves more than this between a sample's black and white
_MEAN, _STD, _CAFFE = np.array(IMAGENET_MEAN), np.array(IMAGENET_STD), np.array(CAFFE_MEAN_BGR)


@dataclass(frozen=True, eq=False)
class Form:
    """How pixels seem to have been prepared.

    Attributes:
        name: "raw", "unit" (0..1), "tf" (-1..1), "half" (-0.5..0.5), "torch", "caffe", "caffe_rgb", "standardized",
            "deep" (more than 8 bits), "twice" (scaled twice), "blank" or "unknown".
        words: A phrase: pixels are "0 to 255".
        raw: The pixels as 0-255 RGB; None if that can't be told.
    """

    name: str
    words: str
    raw: Array | None = None

    @property
    def is_known(self) -> bool:
        """Whether the range says how the pixels were prepared."""
        return self.name not in ("unknown", "blank")


def form_of(images: Array) -> Form:
    """Recognize the form of images (n, height, width, channels)."""
    values = np.asarray(images, np.float64)
    low, high = float(values.min()), float(values.max())
    axes = tuple(range(values.ndim - 1))
    lows, highs = values.min(axes), values.max(axes)
    contrast = float((highs - lows).max())
    is_color = values.shape[-1] == 3
    if contrast == 0:
        return Form("blank", _("all {low:g}", low=low))
    if twice := _scaled_twice(lows, highs, contrast):
        return Form("twice", twice)
    if low >= 0:
        return _positive(values, high)
    if low >= -0.51 and high <= 0.51 and low < -0.4 and high > 0.4:
        return Form("half", _("-0.5 to 0.5"), (values + 0.5) * 255)
    if low >= -1.01 and high <= 1.01:
        return Form("tf", _("-1 to 1"), (values + 1) * 127.5)
    if is_color and _is_near(lows, highs, -_MEAN / _STD, (1 - _MEAN) / _STD, 0.03):
        return Form("torch", _("standardized by ImageNet's mean and deviation"), (values * _STD + _MEAN) * 255)
    if abs(values.mean()) < 0.5 and 0.5 < values.std() < 1.6 and low > -8 and high < 8:
        return Form("standardized", _("standardized, with mean 0 and deviation 1"))
    if is_color and contrast > 60:
        if _is_near(lows, highs, -_CAFFE, 255 - _CAFFE, 2):
            return Form("caffe", _("BGR with ImageNet's mean subtracted"), (values + _CAFFE)[..., ::-1])
        if _is_near(lows, highs, -_CAFFE[::-1], 255 - _CAFFE[::-1], 2):
            return Form("caffe_rgb", _("RGB with ImageNet's mean subtracted"), values + _CAFFE[::-1])
    return Form("unknown", _("{low:.3g} to {high:.3g}", low=low, high=high))


def _positive(values: Array, high: float) -> Form:
    if high <= 1.01:
        return Form("unit", _("0 to 1"), values * 255)
    if 8 < high <= 300:
        return Form("raw", _("0 to 255"), values)
    if high > 300:
        for bits in (10, 12, 14, 16):
            if high < 2**bits:
                return Form(
                    "deep",
                    _("0 to {high} ({bits} bits)", high=2**bits - 1, bits=bits),
                    values * (255 / (2**bits - 1)),
                )
    return Form("unknown", _("{values:.3g} to {high:.3g}", values=values.min(), high=high))


def _is_near(lows: Array, highs: Array, low: Array, high: Array, margin: float) -> bool:
    """Return whether values keep within bounds for each channel, and touch one of them as black or white does."""
    if np.any(lows < low - margin) or np.any(highs > high + margin):
        return False
    return bool(np.any(abs(lows - low) <= margin) or np.any(abs(highs - high) <= margin))


def _scaled_twice(lows: Array, highs: Array, contrast: float) -> str:
    """Return how pixels were scaled twice, judging by the little that is left of their contrast; "" if they weren't."""
    low, high = float(lows.min()), float(highs.max())
    if len(lows) == 3 and contrast <= 2.1 and np.all(lows < -100):
        for order in (_CAFFE, _CAFFE[::-1]):
            if np.all(abs(lows + order) < 2.2):
                return _("ImageNet's mean was subtracted from pixels that were already scaled")
    if len(lows) == 3 and np.all(abs(lows + _CAFFE + _CAFFE[::-1]) < 12) and 60 < contrast < 260:
        return _("ImageNet's mean was subtracted twice")
    if contrast >= MIN_CONTRAST:
        if len(lows) == 3 and contrast < 0.12 and np.all(abs(lows + _MEAN / _STD) < 0.06):
            return _("ImageNet's mean and deviation were applied to pixels that were already scaled")
        return ""
    if low >= 0 and high <= 0.0042:
        return _("they were divided by 255 twice")
    if -0.0081 <= low < 0 and high <= 0.0081:
        return _("they were scaled to -1..1 and divided by 255 as well")
    if abs(low + 1) < 0.03 and high < -0.96:
        return (
            _("they were scaled to -1..1 twice") if low < -1.0003 else _("they were scaled to 0..1 and then to -1..1")
        )
    if len(lows) == 3 and np.all(abs(lows + _MEAN / _STD) < 0.06):
        return _("ImageNet's mean and deviation were applied to pixels that were already scaled")
    return _("they were scaled twice, or hold almost no contrast")
