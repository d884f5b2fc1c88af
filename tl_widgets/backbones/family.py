"""Backbones, and the memory they need. A family declares what differs from other families."""

from __future__ import annotations

import re
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.backbones.cuts import KERAS_BLOCKS, Cut
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent
from tl_widgets.core.resources import require_memory
from tl_widgets.core.translation import _

if TYPE_CHECKING:
    import keras

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of RGB values in 0-1: mode "torch"
IMAGENET_STD = (0.229, 0.224, 0.225)
CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)  # of BGR values in 0-255: mode "caffe"

Shape = tuple[int | None, int | None, int]  # (height, width, channels) of images; None for any size


@dataclass(frozen=True)
class Preprocessing:
    """Preparation of raw pixels (0-255, RGB): channel * `scale` + `offset`.

    Attributes:
        mode: Short name in tables and records.
        label: A few words for a table.
        expects: A phrase for messages: a backbone that expects "-1 to 1".
        received: A phrase for messages: pixels "scaled to -1..1".
        scale: One value for all channels, or one for each.
        offset: One value for all channels, or one for each.
        is_bgr: Whether the channels are first reordered to blue, green, red.
        comment: A sentence for the plain Keras script.
        code: The expression that builds the layer in that script, with `{module}` for the family's module in
            keras.applications; "" if the backbone scales raw pixels itself.
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
        """Return raw pixels (..., 3) prepared for the backbone."""
        ordered = raw[..., ::-1] if self.is_bgr else raw
        return np.asarray(ordered * np.array(self.scale) + np.array(self.offset))

    def layer(self, name: str) -> keras.layers.Layer | None:
        """Build the Keras layer that does the same; None if there is nothing to do."""
        import keras

        if self.is_builtin:
            return None
        scale, offset = (list(value) if isinstance(value, tuple) else value for value in (self.scale, self.offset))
        if not self.is_bgr:
            return keras.layers.Rescaling(scale, offset=offset, name=name)
        inputs = keras.Input((None, None, 3))
        return keras.Model(inputs, keras.layers.Rescaling(scale, offset=offset)(keras.ops.flip(inputs, -1)), name=name)


_OWN_FUNCTION = _("It expects pixels prepared by its own function.")
_LAMBDA = "keras.layers.Lambda(keras.applications.{module}.preprocess_input)"
PREPROCESSING = {
    kind.mode: kind
    for kind in (
        Preprocessing(
            "builtin_0_255",
            _("built in"),
            _("raw pixels, 0 to 255, because it scales them itself"),
            "raw",
            _("It scales raw pixels itself."),
        ),
        Preprocessing(
            "tf",
            _("-1 to 1"),
            _("-1 to 1"),
            _("scaled to -1..1"),
            _("It expects pixels in -1..1."),
            "keras.layers.Rescaling(1 / 127.5, offset=-1)",
            scale=1 / 127.5,
            offset=-1.0,
        ),
        Preprocessing(
            "lite",
            "(x - 127) / 128",
            _("about -1 to 1"),
            _("scaled to -1..1"),
            _("It expects (pixels - 127) / 128."),
            "keras.layers.Rescaling(1 / 128, offset=-127 / 128)",
            scale=1 / 128,
            offset=-127 / 128,
        ),
        Preprocessing(
            "torch",
            _("mean and deviation"),
            _("values standardized by ImageNet's mean and deviation, about -2 to 2.6"),
            _("prepared as for DenseNet (standardized)"),
            _OWN_FUNCTION,
            _LAMBDA,
            scale=tuple(1 / (255 * std) for std in IMAGENET_STD),
            offset=tuple(-mean / std for mean, std in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True)),
        ),
        Preprocessing(
            "caffe",
            _("BGR minus mean"),
            _("BGR with ImageNet's mean subtracted, about -120 to 150"),
            _("prepared as for ResNet50 and VGG (BGR, mean subtracted)"),
            _OWN_FUNCTION,
            _LAMBDA,
            offset=tuple(-mean for mean in CAFFE_MEAN_BGR),
            is_bgr=True,
        ),
    )
}


@dataclass(frozen=True)
class Backbone:
    """The facts about one backbone; an unpublished fact is None, never a guess.

    Attributes:
        name: The name to use in `find_backbone`; for a Keras model, its function's name: "MobileNetV2".
        size_mb: Published size of the weights file with the top, in MB.
        top1_pct: Published top-1 accuracy on ImageNet's validation images, in percent.
        top5_pct: Published top-5 accuracy, in percent.
        n_params: Measured number of parameters without the top, including batch-normalization statistics.
        depth: Published number of layers.
        default_input: Side of the square images it was trained on, in pixels.
        min_input: Smallest side it accepts without the top, in pixels.
        feature_width: Length of its feature vector after global average pooling.
        weights_file: File name of the ImageNet weights without the top in Keras's cache.
        weights_url: Where Keras publishes them.
        weights_hash: MD5 (32 digits) or SHA-256 (64 digits) that Keras states for them.
        macs_224: Counted multiply-accumulates for one image of 224 pixels, without the top.
        family: The family it belongs to; set by the family itself.
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
    macs_224: int | None = None
    family: Family = field(default=None, compare=False, repr=False)  # type: ignore[assignment]  # see Family

    @property
    def module(self) -> str:
        """The module with the function that builds it: "keras.applications.mobilenet_v2"."""
        return self.family.module

    @property
    def function(self) -> str:
        """The name of the function in `module` that builds it."""
        return self.family.function or self.name

    @property
    def preprocess_mode(self) -> str:
        """Its preprocessing: "tf", "torch", "caffe", "lite", or "builtin_0_255" for none."""
        return self.family.preprocessing.mode

    @property
    def bundled(self) -> bool:
        """Whether its ImageNet weights come with this package."""
        return self.family.is_bundled

    @property
    def script_file(self) -> str | None:
        """File that a script loads it from; None if keras.applications builds it."""
        return None if self.family.is_in_keras else f"{self.name.lower()}.keras"

    @property
    def download_mb(self) -> float | None:
        """MB of its weights without the top, as they are downloaded; for VGG16 only a ninth of `size_mb`."""
        return self.size_mb if self.n_params is None else 4 * self.n_params / 1e6

    @property
    def cuts(self) -> tuple[Cut, ...]:
        """Where it can be cut: after each block but the last; empty if that isn't known."""
        return self.family.cuts(self)

    def cut_after(self, block: int | None) -> Cut | None:
        """Return the cut after a block, counted from 1; None for the whole backbone.

        Raises:
            InputError: The backbone has no such block, or nobody knows its blocks.
        """
        if block is None:
            return None
        cuts = self.cuts
        if not cuts:
            raise InputError(
                _(
                    "{name} cannot be cut, because its layers' names do not show where a block ends. Use "
                    "the whole backbone, or cut another one, such as EfficientNetLite0 or MobileNetV2.",
                    name=self.name,
                )
            )
        if not 1 <= block <= len(cuts):
            raise InputError(
                _(
                    "cut must be 1 to {most} for {name}, which has {n_blocks} blocks; received "
                    "{received}. Leave it out for the whole backbone.",
                    most=len(cuts),
                    name=self.name,
                    n_blocks=len(cuts) + 1,
                    received=block,
                )
            )
        return cuts[block - 1]

    def described(self, cut: int | None) -> str:
        """Return its name, and how many of its blocks are used if it is cut."""
        return (
            self.name
            if cut is None
            else _("{name}, {cut} of {n_cuts} blocks", name=self.name, cut=cut, n_cuts=len(self.cuts) + 1)
        )

    def macs(self, image_size: int, cut: int | None = None) -> float:
        """Return the multiply-accumulates for a square image; an uncounted backbone is taken as a small one."""
        part = self.cut_after(cut)
        macs_224 = part.macs_224 if part else self.macs_224 or 50 * (self.n_params or 0)
        return macs_224 * (image_size / 224) ** 2

    @property
    def offline(self) -> bool:
        """Whether its ImageNet weights are on this machine now."""
        return self.family.has_weights(self)

    def require_size(self, height: int, width: int | None = None) -> None:
        """Raise InputError unless images of this height and width (None: the same), in pixels, are large enough."""
        if self.min_input is not None and min(height, width or height) < self.min_input:
            size = str(height) if width in (None, height) else f"{height} x {width}"
            raise InputError(
                _(
                    "{name} needs images of at least {min_input} pixels; these have {size}. Choose a "
                    "larger image size (image_size={min_input} or more) or another backbone.",
                    name=self.name,
                    min_input=self.min_input,
                    size=size,
                )
            )


@dataclass(frozen=True, eq=False, kw_only=True)
class Family(ABC):
    """Backbones that share how they are built, preprocessed, loaded and cut.

    To add a family, subclass this, implement the abstract methods, and pass an instance to `register_family`.

    Attributes:
        members: The backbones; each gets this family as its `family`.
        preprocessing: How raw pixels are prepared for them.
        module: The module with the function that builds them.
        function: That function; "" if it has the backbone's name.
        is_bundled: Whether their ImageNet weights are installed with tl_widgets.
        is_in_keras: Whether keras.applications builds them. A script loads any other backbone from a file.
        blocks: Matches the names of layers that belong to a block; group 1 is the block's name.
        map_channels: Values in the largest feature map for each pixel of the image. For most networks this is at
            most 32 (128 channels at half the side).
        has_dropout: Whether they contain Dropout layers, which a frozen backbone must not use.
        marker: Name of a layer that only this family has, or a variant that comes later in the catalogue; "" if
            there is none.
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "members", tuple(replace(member, family=self) for member in self.members))

    @abstractmethod
    def build(self, backbone: Backbone, image_shape: Shape) -> keras.Model:
        """Build a functional model from preprocessed images to feature maps."""

    @abstractmethod
    def find_weights(self, backbone: Backbone, on_event: OnEvent, cancel: Cancel | None) -> Path:
        """Return the file with the ImageNet weights, downloading it if necessary."""

    @abstractmethod
    def has_weights(self, backbone: Backbone) -> bool:
        """Return whether the ImageNet weights are on this machine."""

    @abstractmethod
    def load_weights(self, model: keras.Model, backbone: Backbone, path: Path) -> None:
        """Load the file from `find_weights` into a model from `build`."""

    def cuts(self, backbone: Backbone) -> tuple[Cut, ...]:
        """Return where a member can be cut, after its first block first; empty if that isn't known."""
        return ()

    def repair(self, backbone: Backbone) -> str:
        """Return the command that installs bundled weights again; "" without one."""
        return ""

    def converted_file(self, backbone: Backbone) -> str:
        """Return the name of the converted copy in the folder for weights; "" if there is none."""
        return ""

    def finish_loading(self, model: keras.Model, backbone: Backbone, path: Path) -> None:  # noqa: B027 - optional
        """Correct a model after loading the user's weights file into it."""

    def last_map(self, image_size: int) -> int | None:
        """Return the side of the last feature maps for square images, in pixels; None if only building it tells."""
        return None

    def script_lines(self, backbone: Backbone, weights: str | None, backbone_file: str) -> list[str]:
        """Return the lines of a plain Keras script that assign the variable `backbone`.

        The script has already defined SIZE, the side of the images.

        Args:
            backbone: One of the family's members.
            weights: "imagenet", the path of a weights file, or None for random weights.
            backbone_file: Path of a .keras file with the backbone and its ImageNet weights, for a family that isn't
                in keras.applications.
        """
        lines = [f"backbone = keras.models.load_model({literal(backbone_file)}, compile=False)"]
        if weights is None:
            lines.append("backbone = keras.models.clone_model(backbone)  # the layers without their weights")
        elif weights != "imagenet":
            lines.append(f"backbone.load_weights({literal(weights)})")
        return lines


def literal(text: str) -> str:
    """Return the text as a Python literal, in double quotes if possible."""
    return f'"{text}"' if text.isprintable() and not set(text) & {'"', "\\"} else repr(text)


TENSORFLOW_BYTES = 660_000_000  # of `import tensorflow` (2.21)


def memory_estimate(backbone: Backbone, image_size: int, batch_size: int = 32) -> int:
    """Estimate the bytes for running a frozen backbone, on the high side.

    Beside TensorFlow itself, it needs its weights, 4 bytes each and twice, because those that run have the
    BatchNormalization in them (`training.folded`), and three of its largest feature maps (a layer's input, its output,
    and one that waits for the next Add). An unknown parameter count is taken as 100 million.
    """
    n_params = backbone.n_params or 100_000_000
    return 2 * 4 * n_params + 3 * 4 * backbone.family.map_channels * batch_size * image_size**2


def memory_needed(backbone: Backbone, image_size: int) -> int:
    """Return the bytes to run a backbone, with TensorFlow's if it isn't loaded yet."""
    tensorflow_bytes = 0 if "tensorflow" in sys.modules else TENSORFLOW_BYTES
    return tensorflow_bytes + memory_estimate(backbone, image_size)


def require_memory_for(backbone: Backbone, image_size: int) -> None:
    """Raise `InputError` if there is too little free memory to run a backbone."""
    require_memory(
        memory_needed(backbone, image_size),
        _("Running {name} on images of {image_size} pixels", name=backbone.name, image_size=image_size),
        _("Use smaller images or a smaller backbone"),
    )
