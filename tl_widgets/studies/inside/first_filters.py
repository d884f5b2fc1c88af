"""The filters of a model's first convolution: what it looks for in the pixels themselves."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import numpy as np

from tl_widgets.core.errors import InputError
from tl_widgets.studies.inside.grad_cam import CONVOLUTIONS
from tl_widgets.studies.inside.result import Array


def first_filters(model: keras.Model) -> Array:
    """The filters of a model's first convolution, nested models included.

    Args:
        model: built.

    Returns:
        float32 (n_filters, height, width, channels), in the order in which the layer gets its channels: a backbone
        with "caffe" preprocessing (VGG, ResNet) gets blue, green, red. A filter of a DepthwiseConv2D or
        SeparableConv2D looks at one channel only.

    Raises:
        InputError: it has no convolution with weights.
    """
    parts = _parts(model) if isinstance(model, keras.Model) else iter(())
    found = next((part for part in parts if isinstance(part, CONVOLUTIONS) and part.built), None)
    if found is None:
        raise InputError(
            f"A model with a convolution that has its weights is needed, to show its first filters; received {model!r}."
        )
    return _filters_of(found)


def _parts(model: keras.Model) -> Iterator[keras.layers.Layer]:
    # Keras's own _flatten_layers lists the layers of a nested model from last to first.
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _parts(layer)
        else:
            yield layer


def _filters_of(layer: keras.layers.Layer) -> Array:
    if isinstance(layer, keras.layers.DepthwiseConv2D | keras.layers.SeparableConv2D):
        kernel = layer.depthwise_kernel if isinstance(layer, keras.layers.SeparableConv2D) else layer.kernel
        values = np.asarray(kernel, np.float32)  # (height, width, channels, filters of each channel)
        return values.reshape(*values.shape[:2], 1, -1).transpose(3, 0, 1, 2)
    values = np.asarray(layer.kernel, np.float32)
    # Conv2DTranspose has (height, width, filters, channels), Conv2D (height, width, channels, filters).
    return values.transpose((2, 0, 1, 3) if isinstance(layer, keras.layers.Conv2DTranspose) else (3, 0, 1, 2))
