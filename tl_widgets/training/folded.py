"""Frozen layers as functions in which convolutions do the work of BatchNormalization, which is faster.

In inference, BatchNormalization multiplies and shifts each channel by constants. Multiplying the kernel of the
convolution before it gives the same up to rounding (Jacob et al., arXiv 1712.05877, section 3.2), without a pass over
the feature maps, and TensorFlow computes convolution, bias and ReLU in one step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tl_widgets.backbones.keras_compat import graph_of, is_functional, nodes_of, run_graph

Array = NDArray[np.float64]
_CONVOLUTIONS = {keras.layers.Conv2D: keras.ops.conv, keras.layers.DepthwiseConv2D: keras.ops.depthwise_conv}


def inference_of(layer: keras.layers.Layer) -> Callable[..., Any]:
    """Return a function for `layer(values, training=False)`, with the weights that the layer has now."""
    if not is_functional(layer):
        return partial(_infer, layer) if isinstance(layer, keras.layers.Layer) else layer
    pairs = _foldable(layer)
    functions = {id(convolution): _fold(convolution, norm) for convolution, norm in pairs.items()}
    functions |= {id(norm): _without_change for norm in pairs.values()}
    for node in nodes_of(graph_of(layer)):
        if id(node.operation) not in functions:
            functions[id(node.operation)] = inference_of(node.operation)

    def run(inputs: Any, mask: Any = None, **_: Any) -> Any:
        if mask is not None:
            return _infer(layer, inputs, mask=mask)
        return run_graph(layer, inputs, lambda operation: functions[id(operation)])

    return run


def _infer(layer: keras.layers.Layer, *values: Any, **options: Any) -> Any:
    # Also a layer without the argument may hold layers that have it.
    return layer(*values, **{**options, "training": False})


def _foldable(model: keras.Model) -> dict[keras.layers.Layer, keras.layers.BatchNormalization]:
    """Return the convolutions whose output goes into one BatchNormalization and nowhere else."""
    nodes = nodes_of(graph_of(model))
    n_calls = Counter(id(node.operation) for node in nodes)
    readers: dict[int, list[Any]] = {id(tensor): [None] for tensor in model.outputs}
    for node in nodes:
        for tensor in node.arguments.keras_tensors:
            readers.setdefault(id(tensor), []).append(node.operation)
    found = {}
    for node in nodes:
        convolution, (norm, *others) = node.operation, readers.get(id(node.outputs[0]), [None])
        is_alone = not others and n_calls[id(convolution)] == n_calls[id(norm)] == 1
        if is_alone and _is_plain_convolution(convolution) and _is_plain_norm(norm):
            found[convolution] = norm
    return found


def _is_plain_convolution(layer: Any) -> bool:
    return (
        type(layer) in _CONVOLUTIONS
        and layer.activation is keras.activations.linear
        and layer.data_format == "channels_last"
        and layer.compute_dtype == "float32"
    )


def _is_plain_norm(layer: Any) -> bool:
    is_norm = type(layer) is keras.layers.BatchNormalization
    return is_norm and layer.axis in (-1, 3) and layer.compute_dtype == "float32"


def _fold(convolution: Any, norm: keras.layers.BatchNormalization) -> Callable[..., Any]:
    kernel, bias = map(partial(tf.Variable, trainable=False, dtype=tf.float32), _folded_weights(convolution, norm))
    convolve = _CONVOLUTIONS[type(convolution)]
    options = {
        "strides": convolution.strides,
        "padding": convolution.padding,
        "data_format": convolution.data_format,
        "dilation_rate": convolution.dilation_rate,
    }
    return lambda inputs, **_: tf.nn.bias_add(convolve(tf.cast(inputs, tf.float32), kernel, **options), bias)


def _folded_weights(convolution: Any, norm: keras.layers.BatchNormalization) -> tuple[Array, Array]:
    """Return the float64 kernel and bias of a convolution that normalizes its output."""
    kernel, mean, variance = (
        np.asarray(weight, np.float64) for weight in (convolution.kernel, norm.moving_mean, norm.moving_variance)
    )
    scale = 1 / np.sqrt(variance + norm.epsilon)
    if norm.scale:
        scale = scale * np.asarray(norm.gamma)
    bias = ((np.asarray(convolution.bias) if convolution.use_bias else 0) - mean) * scale
    if norm.center:
        bias = bias + np.asarray(norm.beta)
    # A kernel's last axis is the output channel; a depthwise one's last two are, channel by channel.
    n_last = 2 if type(convolution) is keras.layers.DepthwiseConv2D else 1
    return kernel * scale.reshape(kernel.shape[-n_last:]), bias


def _without_change(inputs: Any, **_: Any) -> Any:
    return inputs
