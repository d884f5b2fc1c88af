"""What a backbone is, and what its family declares: one object for everything that differs between families."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent

if TYPE_CHECKING:
    import keras

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of RGB values in 0-1: mode "torch"
IMAGENET_STD = (0.229, 0.224, 0.225)
CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)  # of BGR values in 0-255: mode "caffe"
# The names that keras.applications gives: block_16_project, block7a_expand_conv, conv5_block3_out, block14_sepconv1.
KERAS_BLOCKS = re.compile(r"(conv\d+_block\d+|block_?\d+[a-z]?)(_|$)")

Shape = tuple[int | None, int | None, int]  # (height, width, channels) of images; None: of any size


@dataclass(frozen=True)
class Preprocessing:
    """What a backbone expects of raw pixels (0-255, RGB): each channel times `scale`, plus `offset`.

    Attributes:
        mode: short name in tables and records.
        label: a few words for a table.
        expects: a phrase for messages: a backbone that expects "-1 to 1".
        received: a phrase for messages: pixels "scaled to -1..1".
        scale: for all channels, or for each.
        offset: for all channels, or for each.
        is_bgr: whether the channels are first put in the order blue, green, red.
        comment: a sentence for the plain Keras script.
        code: the expression that makes the layer in that script, with `{module}` for the module of the family in
            keras.applications; "" where the backbone scales raw pixels itself.
    """

    mode: str
    label: str
    expects: str
    received: str
    comment: str
    code: str = ""
    scale: float | tuple[float, ...] = 1.0
    offset: float | tuple[float, ...] = 0.0
    is_bgr: bool = False

    @property
    def is_builtin(self) -> bool:
        """Whether the backbone takes raw pixels."""
        return (self.scale, self.offset, self.is_bgr) == (1.0, 0.0, False)

    def apply(self, raw: NDArray[Any]) -> NDArray[Any]:
        """Return what the backbone expects in place of raw pixels (..., 3)."""
        ordered = raw[..., ::-1] if self.is_bgr else raw
        return np.asarray(ordered * np.array(self.scale) + np.array(self.offset))

    def layer(self, name: str) -> keras.layers.Layer | None:
        """Build the Keras layer that does the same; None where the backbone takes raw pixels."""
        import keras

        if self.is_builtin:
            return None
        scale, offset = (list(value) if isinstance(value, tuple) else value for value in (self.scale, self.offset))
        if not self.is_bgr:
            return keras.layers.Rescaling(scale, offset=offset, name=name)
        inputs = keras.Input((None, None, 3))
        return keras.Model(inputs, keras.layers.Rescaling(scale, offset=offset)(keras.ops.flip(inputs, -1)), name=name)


_OWN_FUNCTION = "It wants pixels as its own function makes them."
_LAMBDA = "keras.layers.Lambda(keras.applications.{module}.preprocess_input)"
PREPROCESSING = {
    kind.mode: kind
    for kind in (
        Preprocessing(
            "builtin_0_255",
            "built in",
            "raw pixels, 0 to 255, because it scales them itself",
            "raw",
            "It scales raw pixels itself.",
        ),
        Preprocessing(
            "tf",
            "-1 to 1",
            "-1 to 1",
            "scaled to -1..1",
            "It wants pixels in -1..1.",
            "keras.layers.Rescaling(1 / 127.5, offset=-1)",
            scale=1 / 127.5,
            offset=-1.0,
        ),
        Preprocessing(
            "lite",
            "(x - 127) / 128",
            "about -1 to 1",
            "scaled to -1..1",
            "It wants (pixels - 127) / 128.",
            "keras.layers.Rescaling(1 / 128, offset=-127 / 128)",
            scale=1 / 128,
            offset=-127 / 128,
        ),
        Preprocessing(
            "torch",
            "mean and deviation",
            "values standardised by ImageNet's mean and deviation, about -2 to 2.6",
            "prepared as for DenseNet (standardised)",
            _OWN_FUNCTION,
            _LAMBDA,
            scale=tuple(1 / (255 * std) for std in IMAGENET_STD),
            offset=tuple(-mean / std for mean, std in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True)),
        ),
        Preprocessing(
            "caffe",
            "BGR minus mean",
            "BGR with ImageNet's mean subtracted, about -120 to 150",
            "prepared as for ResNet50 and VGG (BGR, mean subtracted)",
            _OWN_FUNCTION,
            _LAMBDA,
            offset=tuple(-mean for mean in CAFFE_MEAN_BGR),
            is_bgr=True,
        ),
    )
}


@dataclass(frozen=True)
class Backbone:
    """What is known about one backbone; a fact that nobody states is None, never a guess.

    Attributes:
        name: what to ask for; for a model of Keras, its function's name: "MobileNetV2".
        size_mb: published size of the weights file with top, in MB.
        top1_pct: published top-1 accuracy on ImageNet's validation images, in percent.
        top5_pct: published top-5 accuracy, in percent.
        n_params: measured number of values without top, batch-normalization statistics included.
        depth: published number of layers.
        default_input: side of the square images that it was trained on, in pixels.
        min_input: smallest side that it accepts without top, in pixels.
        feature_width: length of its feature vector after global average pooling.
        weights_file: name of the ImageNet weights without top in Keras's cache.
        weights_url: where Keras publishes them.
        weights_hash: md5 (32 digits) or sha256 (64) that Keras states for them.
        family: what it has in common with its relatives; set by the family itself.
    """

    name: str
    size_mb: float | None = None
    top1_pct: float | None = None
    top5_pct: float | None = None
    n_params: int | None = None
    depth: int | None = None
    default_input: int | None = None
    min_input: int | None = None
    feature_width: int | None = None
    weights_file: str | None = None
    weights_url: str | None = None
    weights_hash: str | None = None
    family: Family = field(default=None, compare=False, repr=False)  # type: ignore[assignment]  # see Family

    @property
    def module(self) -> str:
        """The module that holds the function which builds it: "keras.applications.mobilenet_v2"."""
        return self.family.module

    @property
    def function(self) -> str:
        """What builds it: a name in `module`."""
        return self.family.function or self.name

    @property
    def preprocess_mode(self) -> str:
        """What it expects of raw pixels: "tf", "torch", "caffe", "lite", or "builtin_0_255"."""
        return self.family.preprocessing.mode

    @property
    def bundled(self) -> bool:
        """Whether its ImageNet weights come with this package."""
        return self.family.is_bundled

    @property
    def script_file(self) -> str | None:
        """Name of the .keras file that a plain Keras script loads it from; None where Keras builds it itself."""
        return None if self.family.is_in_keras else f"{self.name.lower()}.keras"

    @property
    def download_mb(self) -> float | None:
        """MB to download: the weights without top, 4 bytes a value. VGG16's are a ninth of the file with top."""
        return self.size_mb if self.n_params is None else 4 * self.n_params / 1e6

    @property
    def offline(self) -> bool:
        """Whether its ImageNet weights are on this machine now."""
        return self.family.has_weights(self)

    def require_size(self, height: int, width: int | None = None) -> None:
        """Raise `InputError` if images of this size are too small.

        Args:
            height: in pixels.
            width: in pixels; as the height where it is None.
        """
        if self.min_input is not None and min(height, width or height) < self.min_input:
            size = str(height) if width in (None, height) else f"{height} x {width}"
            raise InputError(
                f"{self.name} needs images of at least {self.min_input} pixels; these have {size}. Choose a larger "
                f"image size (image_size={self.min_input} or more) or another backbone."
            )


@dataclass(frozen=True, eq=False, kw_only=True)
class Family(ABC):
    """Backbones that are built, fed, loaded and cut in the same way.

    To add one, subclass this, implement the abstract methods, and give an instance to `register_family`.

    Attributes:
        members: the backbones; each gets this family as its `family`.
        preprocessing: what they expect of raw pixels.
        module: the module that holds what builds them.
        function: the function in it; "" where it has the backbone's own name.
        is_bundled: whether their ImageNet weights are on every machine that has tl_widgets.
        is_in_keras: whether keras.applications builds them. A script loads any other backbone from a file.
        blocks: matches the names of layers that belong to a block; group 1 is the block's name.
        map_channels: channels of the largest feature map, for each pixel of the image. It is 32 (128 channels at
            half the side) or less for most networks.
        has_dropout: whether Dropout layers are inside, which a frozen backbone must not use.
        marker: name of a layer that only this family has, or a variant of it that comes later in the catalogue; ""
            where there is none.
        repair: the command that installs bundled weights again.
    """

    members: tuple[Backbone, ...]
    preprocessing: Preprocessing
    module: str = ""
    function: str = ""
    is_bundled: bool = False
    is_in_keras: bool = False
    blocks: re.Pattern[str] = KERAS_BLOCKS
    map_channels: int = 32
    has_dropout: bool = False
    marker: str = ""
    repair: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", tuple(replace(member, family=self) for member in self.members))

    @abstractmethod
    def build(self, backbone: Backbone, image_shape: Shape) -> keras.Model:
        """Build the layers without top, with any weights.

        Args:
            backbone: a member.
            image_shape: (height, width, 3) in pixels.

        Returns:
            A functional model from preprocessed images to feature maps.
        """

    @abstractmethod
    def find_weights(self, backbone: Backbone, on_event: OnEvent, cancel: Cancel | None) -> Path:
        """Find the file of ImageNet weights, or download it.

        Args:
            backbone: a member.
            on_event: receives the progress of a download.
            cancel: stops a download.

        Raises:
            WeightsUnavailableError: they are neither on this machine nor available from the network.
        """

    @abstractmethod
    def has_weights(self, backbone: Backbone) -> bool:
        """Return whether the ImageNet weights are on this machine."""

    @abstractmethod
    def load_weights(self, model: keras.Model, backbone: Backbone, path: Path) -> None:
        """Load the file of `find_weights` into a model of `build`."""

    def finish_loading(self, model: keras.Model, backbone: Backbone, path: Path) -> None:  # noqa: B027 - optional
        """Correct a model after a weights file of the user's own was loaded into it."""

    def script_lines(self, backbone: Backbone, weights: str | None, backbone_file: str) -> list[str]:
        """Return the lines of a plain Keras script that make the variable `backbone`.

        The script has defined SIZE, the side of the images.

        Args:
            backbone: a member.
            weights: "imagenet", the path of a weights file, or None for random weights.
            backbone_file: path of the file that holds the backbone with its ImageNet weights, for a family that
                is not in keras.applications.
        """
        lines = [f"backbone = keras.models.load_model({literal(backbone_file)}, compile=False)"]
        if weights is None:
            lines.append("backbone = keras.models.clone_model(backbone)  # the layers without their weights")
        elif weights != "imagenet":
            lines.append(f"backbone.load_weights({literal(weights)})")
        return lines


def literal(text: str) -> str:
    """Return the text as a Python literal, in double quotes where nothing in it needs care."""
    return f'"{text}"' if text.isprintable() and not set(text) & {'"', "\\"} else repr(text)
