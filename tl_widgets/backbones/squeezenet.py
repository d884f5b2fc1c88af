"""SqueezeNet 1.1, a small network of another family: no BatchNormalization, and images in BGR minus ImageNet's mean.

The weights come from the package `ndf`, whose NumPy implementation is the oracle of the tests. F. N. Iandola et al.:
SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size, 2016.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tl_widgets.backbones.family import PREPROCESSING, Backbone, Preprocessing, Shape
from tl_widgets.backbones.numpy_reader import read_pickled_arrays
from tl_widgets.backbones.packaged import PackagedFamily, PackagedFile
from tl_widgets.backbones.torch_reader import Arrays
from tl_widgets.core.translation import _

if TYPE_CHECKING:
    import keras

_FILE = PackagedFile(
    distribution="ndf",
    version="0.1.4",
    module="ndf",
    path="example_models/weights/squeezenet_weights.pkl",
    sha256="f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1",
    converted_name="squeezenet.npz",
    converted_sha256="8290733ff6c7809991348129be3c1830c9aeb4f166c101a4701d7aa1109fee40",
)
_PREPROCESSING = replace(
    PREPROCESSING["caffe"],
    comment=_("It expects blue, green, red with ImageNet's mean subtracted, as VGG16 does."),
    code="keras.layers.Lambda(keras.applications.vgg16.preprocess_input)",
)
# Filters of the squeeze layer, and of each of the two expand layers, of fire2, fire3, ...
_FIRES = ((16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256))
_POOLED = (2, 4, 6)  # the fire modules that max pooling comes before


def build_squeezenet(image_shape: Shape, *, include_top: bool = False) -> keras.Model:
    """Build the layers with Keras's initial weights and without preprocessing.

    The input is BGR minus ImageNet's mean, float32, (n, height, width, 3), at least 32 pixels a side. The output is
    (n, rows, columns, 512), or (n, 1000) with the convolution, pooling and softmax of the top.
    """
    import keras

    inputs = keras.Input(image_shape)
    x = keras.layers.Conv2D(64, 3, 2, "same", activation="relu", name="conv1")(inputs)
    for number, (squeezed, expanded) in enumerate(_FIRES, start=2):
        if number in _POOLED:
            x = keras.layers.MaxPooling2D(3, 2, name=f"pool{number - 1}")(x)
        x = _fire(x, f"fire{number}", squeezed, expanded)
    if include_top:
        x = keras.layers.Conv2D(1000, 1, name="conv10")(x)
        x = keras.layers.GlobalAveragePooling2D(name="pooling")(x)
        x = keras.layers.Softmax(name="predictions")(x)
    return keras.Model(inputs, x, name="squeezenet")


def _fire(x: Any, name: str, squeezed: int, expanded: int) -> Any:
    """Build a fire module: few 1 x 1 filters, then more of 1 x 1 beside more of 3 x 3."""
    import keras

    x = keras.layers.Conv2D(squeezed, 1, activation="relu", name=f"{name}_squeeze1x1")(x)
    left = keras.layers.Conv2D(expanded, 1, activation="relu", name=f"{name}_expand1x1")(x)
    right = keras.layers.Conv2D(expanded, 3, padding="same", activation="relu", name=f"{name}_expand3x3")(x)
    return keras.layers.Concatenate(name=f"{name}_concat")([left, right])


@dataclass(frozen=True, eq=False, kw_only=True)
class SqueezeNetFamily(PackagedFamily):
    """SqueezeNet 1.1, whose weights are installed with tl_widgets."""

    preprocessing: Preprocessing = _PREPROCESSING
    files: Mapping[str, PackagedFile] = field(default_factory=lambda: {"SqueezeNet": _FILE})
    module: str = "tl_widgets.backbones.squeezenet"
    function: str = "build_squeezenet"
    marker: str = "fire2_squeeze1x1"
    map_channels: int = 16  # 64 channels at half the side

    def build_network(self, backbone: Backbone, image_shape: Shape, *, include_top: bool = False) -> keras.Model:
        """Build the layers; see `build_squeezenet`."""
        return build_squeezenet(image_shape, include_top=include_top)

    def read(self, backbone: Backbone, data: bytes) -> Arrays:
        """Return the package's arrays under the names of our layers."""
        return {name.replace("/", "_", name.count("/") - 1): array for name, array in read_pickled_arrays(data).items()}

    def last_map(self, image_size: int) -> int | None:
        """Return the side of the last feature maps, after a convolution and three poolings of stride 2."""
        side = -(-image_size // 2)
        for _unused in _POOLED:
            side = (side - 1) // 2
        return side
