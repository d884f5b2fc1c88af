"""Checks of the images themselves: shape, range, and values that can't be pixels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tl_widgets.core.translation import _
from tl_widgets.setup_checks.data import Array
from tl_widgets.setup_checks.mistake import Check, Finding, Subject
from tl_widgets.setup_checks.setup import Setup

_TRAINING = _("training data")
_FEW_LEVELS = 8  # of 255


def unusable_values(setup: Setup) -> Iterator[Finding]:
    """Find NaN, blank images, images of different ranges, and values that an integer type cut off."""
    images, received = setup.images, setup.batch.images
    if not np.isfinite(images).all():
        text = (
            _("The images contain NaN values, which turn every weight into NaN: find the file or the division.")
            if np.isnan(images).any()
            else _(
                "The images contain infinite values, which turn every weight into NaN: find the file or the division."
            )
        )
        yield Finding(text, where=_TRAINING, code=_("assert np.isfinite(images).all()"))
        return
    if setup.form.name == "blank":
        yield Finding(_("The images are blank: every pixel is {flat:g}.", flat=images.flat[0]), where=_TRAINING)
        return
    levels = float(np.ptp(images))
    if setup.form.name == "raw" and levels <= _FEW_LEVELS:
        yield Finding(
            _(
                "The images hold almost no contrast: their pixels differ by {levels:g} of 255 levels "
                "({low:g} to {high:g}).",
                levels=levels,
                low=images.min(),
                high=images.max(),
            ),
            where=_TRAINING,
            is_certain=False,
        )
    if len(images) > 2 and all(np.array_equal(image, images[0]) for image in images[1:]):
        yield Finding(
            _("All of the first {n_images} images are the same picture.", n_images=len(images)), where=_TRAINING
        )
    if received.dtype.kind in "ui" and (text := _cut_off(received)):
        yield Finding(text, where=_TRAINING, code="images.astype('float32') / 255", is_certain=False)
    elif received.dtype == np.int8 and received.min() < 0:
        text = _("The images are int8, so every pixel above 127 became negative: keep them as uint8.")
        yield Finding(text, where=_TRAINING, code="images.astype('uint8')")
    if setup.is_image:
        yield from _mixed(images)


def _cut_off(images: Array) -> str:
    """Say what an integer type did to pixels that had been scaled; "" if it did nothing."""
    values = np.unique(images[:8])
    if len(values) <= 3 and set(values.tolist()) <= {-1, 0, 1, 255} and np.mean(images == 0) > 0.98:
        return _(
            "The images are {dtype}, and nearly every pixel is 0: they were scaled and then turned "
            "into whole numbers, which cut the values off.",
            dtype=images.dtype,
        )
    return ""


def _mixed(images: Array) -> Iterator[Finding]:
    lows, highs = images.min((1, 2, 3)), images.max((1, 2, 3))
    small = (highs <= 1.01) & (lows > -1.01) & (images.std((1, 2, 3)) > 0.02) & (highs > 0.3)
    small &= np.array([not np.array_equal(image, np.round(image)) for image in images])
    n_large = int((highs > 20).sum())
    if small.sum() > 0 and n_large and small.sum() + n_large >= 0.9 * len(images):
        yield Finding(
            _(
                "{n} of {n_images} images are scaled to {low:.2g}..{high:.2g} and {n_large} are not (up "
                "to {highs:.0f}): scale all of them in the same way, once.",
                n=small.sum(),
                n_images=len(images),
                low=lows[small].min(),
                high=highs[small].max(),
                n_large=n_large,
                highs=highs.max(),
            ),
            where=_TRAINING,
        )


def _shape(setup: Setup) -> Iterator[Finding]:
    """Find images whose shape the model doesn't take, and a tf.data set without batch()."""
    data, expected = setup.data, setup.input_shape
    if data.is_unbatched:
        yield Finding(
            _("The data set hands out one image at a time, because batch() was forgotten; fit() doesn't take it."),
            where=_TRAINING,
            code="dataset = dataset.batch(32)",
        )
    if setup.missing_inputs:
        names = ", ".join(map(repr, setup.missing_inputs))
        keys = ", ".join(map(repr, setup.batch.inputs))
        yield Finding(
            _(
                "The data name their inputs {keys}, and the model's input is called {names}: give both the same name.",
                keys=keys,
                names=names,
            ),
            where=_TRAINING,
            code=f"keras.Input(shape, name={next(iter(setup.batch.inputs))!r})",
        )
        return
    if setup.images_fit or expected is None:
        return
    received = tuple(setup.images.shape[1:])
    if len(received) == len(expected) + 1 and len(received) > 3:
        yield Finding(
            _(
                "A batch has the shape {shape}, with one axis too many: batch() was called twice.",
                shape=setup.images.shape,
            ),
            where=_TRAINING,
            code="dataset = dataset.unbatch()",
        )
        return
    text, code = shape_advice(received, expected)
    yield Finding(
        _(
            "The images are {shape}, and the model takes {expected}: {text}",
            shape=shape_text(received),
            expected=shape_text(expected),
            text=text,
        ),
        where=_TRAINING,
        code=code,
    )


def shape_advice(received: tuple[int, ...], expected: tuple[int | None, ...]) -> tuple[str, str]:
    """Return what to do with images of another shape, and the line of code."""
    channels = expected[-1] if len(expected) == 3 else None
    if len(received) == 2 and len(expected) == 3:
        if channels == 1:
            return _("add the axis for the channel."), "images = images[..., None]"
        return _("they are gray, so repeat them for each channel."), "images = np.repeat(images[..., None], 3, axis=-1)"
    if len(received) == len(expected) == 3:
        first, last = received[0], received[-1]
        if first in (1, 3, 4) and last > 4 and channels in (1, 3, 4):
            order = _("the channels come first, and Keras takes them last.")
            if first == 1 and channels == 3:
                return _(
                    "{order} They are gray, too.", order=order
                ), "images = np.repeat(images.transpose(0, 2, 3, 1), 3, axis=-1)"
            if first == 4 and channels == 3:
                return _(
                    "{order} Drop the fourth, alpha.", order=order
                ), "images = images.transpose(0, 2, 3, 1)[..., :3]"
            return order, "images = images.transpose(0, 2, 3, 1)"
        if expected[0] in (1, 3) and expected[-1] not in (1, 3, 4) and last == expected[0]:
            return _("the model takes the channels first."), "images = images.transpose(0, 3, 1, 2)"
        if last != channels and channels is not None:
            return _channels(last, channels)
        size = tuple(expected[:2])
        if None not in size:
            code = f"images = tf.image.resize(images, {size})"
            shape = ", ".join(map(str, received))
            return _("load them in that size, or build a model for yours with Input(({shape})).", shape=shape), code
    flat = [n for n in expected if n is not None]
    if len(expected) == 1 and flat and flat[0] == int(np.prod(received)):
        return _("the model takes them flattened."), "images = images.reshape(len(images), -1)"
    return _("load them in the shape that the model takes."), ""


def _channels(last: int, channels: int) -> tuple[str, str]:
    if last == 1 and channels == 3:
        return _("they are gray, so repeat the channel."), "images = np.repeat(images, 3, axis=-1)"
    if last == 4 and channels == 3:
        return _("drop the fourth channel, alpha."), "images = images[..., :3]"
    if channels == 1 and last in (3, 4):
        return _("the model takes gray images."), "images = tf.image.rgb_to_grayscale(images[..., :3])"
    if last == 3 and channels == 4:
        text = _("the model takes a fourth channel, so add one, or build the model for 3.")
        return text, "images = np.concatenate([images, np.full_like(images[..., :1], 255)], axis=-1)"
    return _(
        "they have {last} channels; choose {channels} of them.", last=last, channels=channels
    ), f"images = images[..., :{channels}]"


def shape_text(shape: tuple[int | None, ...]) -> str:
    """Return a shape for a message: 64 × 64 × 3."""
    return " × ".join(_("any") if n is None else str(n) for n in shape)


CHECKS = (Check(Subject.DATA, unusable_values), Check(Subject.IMAGES, _shape))
