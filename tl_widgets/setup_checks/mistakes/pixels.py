"""Mistakes with the pixels that a frozen backbone gets, in plain Keras layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras

from tl_widgets.backbones.builder import build_preprocessing
from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.core.errors import InputError
from tl_widgets.setup_checks.mistakes.mistake import TwoWays
from tl_widgets.setup_checks.mistakes.trial import Lesson, two_runs

Layers = Sequence[keras.layers.Layer]


def raw_pixels(lesson: Lesson) -> TwoWays:
    """No preprocessing at all, as in the article.

    Raises:
        InputError: the backbone takes raw pixels.
    """
    if lesson.entry.preprocess_mode == "builtin_0_255":
        raise InputError(f"{lesson.entry.name} takes raw pixels: choose another backbone for this mistake.")
    return _with_other_pixels(lesson, lambda _: ())


def rescaled_twice(lesson: Lesson) -> TwoWays:
    """Divided by 255, as every tutorial on networks from scratch does, before the model's own scaling."""
    return _with_other_pixels(lesson, lambda before: (keras.layers.Rescaling(1 / 255), *before))


def wrong_preprocessing(lesson: Lesson) -> TwoWays:
    """`preprocess_input` imported from ResNet50's module, mode "caffe".

    Raises:
        InputError: that is the right one for this backbone.
    """
    if lesson.entry.preprocess_mode == "caffe":
        raise InputError(f"{lesson.entry.name} is prepared so: choose another backbone for this mistake.")
    other = build_preprocessing(find_backbone("ResNet50"))
    assert other is not None
    return _with_other_pixels(lesson, lambda _: (other,))


def _with_other_pixels(lesson: Lesson, change: Callable[[Layers], Layers]) -> TwoWays:
    """Right, and with the layers before the backbone changed."""
    layers = lesson.layers()
    before, rest = layers[:-2], layers[-2:]
    right = lesson.run(lesson.transfer(*layers), "right")
    return two_runs(right, lesson.run(lesson.transfer(*change(before), *rest), "wrong"))
