"""The backbones: the bundled EfficientNetLite0 and every model of the installed keras.applications.

The catalogue half (`list_backbones`, `find_backbone`) reads facts and Keras's source as text, so that it
answers at once; only the `build_*` half imports TensorFlow.
"""

from __future__ import annotations

import ast
import csv
import difflib
import functools
import importlib.resources
import importlib.util
import random
import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tl_widgets.backbones.weights import BUNDLED_NAME, ResolvedWeights, bundled_file, local_weights_file
from tl_widgets.core.errors import InputError, WeightsUnavailableError

if TYPE_CHECKING:
    import keras

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of RGB values in 0-1: mode "torch"
IMAGENET_STD = (0.229, 0.224, 0.225)
TENSORFLOW_BYTES = 660_000_000  # what `import tensorflow` (2.21) takes
_CAFFE_MEAN_BGR = (103.939, 116.779, 123.68)  # of BGR values in 0-255: mode "caffe"


@dataclass(frozen=True)
class Backbone:
    """What is known about one backbone; a fact that nobody states is None, never a guess.

    Attributes:
        name: what to ask for, and Keras's name of the function: "MobileNetV2".
        module: where its `preprocess_input` lives: "keras.applications.mobilenet_v2".
        function: what builds it, to be had from keras.applications itself (Keras's module mobilenet_v3 has
            no such functions); for the bundled one, from its module.
        size_mb: published size of the weights file with top, in MB.
        top1_pct: published top-1 accuracy on ImageNet's validation images, in percent.
        top5_pct: published top-5 accuracy, in percent.
        n_params: measured number of values without top, batch-normalization statistics included.
        depth: published number of layers.
        default_input: side of the square images that it was trained on, in pixels.
        min_input: smallest side that it accepts without top, in pixels.
        preprocess_mode: what it wants from raw pixels: "tf", "torch", "caffe", "lite", or "builtin_0_255".
        feature_width: length of its feature vector after global average pooling.
        bundled: whether its ImageNet weights come with this package.
        weights_file: name of the ImageNet weights without top in Keras's cache.
        weights_url: where Keras publishes them.
        weights_hash: md5 (32 digits) or sha256 (64) that Keras states for them.
    """

    name: str
    module: str
    function: str
    size_mb: float | None
    top1_pct: float | None
    top5_pct: float | None
    n_params: int | None
    depth: int | None
    default_input: int | None
    min_input: int | None
    preprocess_mode: str | None
    feature_width: int | None
    bundled: bool
    weights_file: str | None
    weights_url: str | None
    weights_hash: str | None

    @property
    def download_mb(self) -> float | None:
        """MB to download: the weights without top, 4 bytes a value. VGG16's are a ninth of the file with top."""
        return self.size_mb if self.n_params is None else 4 * self.n_params / 1e6

    @property
    def offline(self) -> bool:
        """Whether its ImageNet weights are on this machine now."""
        if not self.bundled:
            return local_weights_file(self.weights_file) is not None
        try:
            return bundled_file().is_file()
        except WeightsUnavailableError:
            return False


@functools.cache
def list_backbones() -> tuple[Backbone, ...]:
    """All backbones, the bundled one first, then those of the installed Keras in its own order."""
    facts = _read_facts()
    bundled = _record(BUNDLED_NAME, "tl_widgets.backbones.efficientnet_lite", "build_efficientnet_lite0", facts)
    found = (_record(name, f"keras.applications.{module}", name, facts) for module, name in _discover())
    return (bundled, *found)


def find_backbone(name: str) -> Backbone:
    """The backbone of that name; upper and lower case do not matter.

    Raises:
        InputError: there is none; the message suggests the nearest names.
    """
    by_name = {backbone.name.lower(): backbone for backbone in list_backbones()}
    if name.lower() in by_name:
        return by_name[name.lower()]
    near = difflib.get_close_matches(name.lower(), by_name, n=3, cutoff=0.4)
    hint = f"Did you mean {' or '.join(by_name[key].name for key in near)}? " if near else ""
    raise InputError(f'There is no backbone "{name}". {hint}`tl-widgets backbones` lists all {len(by_name)}.')


def require_backbone(name: str, image_size: int) -> Backbone:
    """The backbone of that name, if it takes images of that size.

    Args:
        name: in the catalogue.
        image_size: side of the images in pixels.

    Raises:
        InputError: there is no such backbone, or the images are too small for it.
    """
    backbone = find_backbone(name)
    if backbone.min_input and image_size < backbone.min_input:
        raise InputError(
            f"{backbone.name} needs images of at least {backbone.min_input} x {backbone.min_input} pixels; these have "
            f"{image_size} x {image_size}. Load them with image_size={backbone.min_input} or more, or choose another "
            "backbone."
        )
    return backbone


def _keras_applications() -> Path:
    spec = importlib.util.find_spec("keras")  # finds a top-level package without importing it
    if spec is None or not spec.submodule_search_locations:
        raise InputError("Keras is not installed; install it with `pip install keras tensorflow`.")
    return Path(spec.submodule_search_locations[0])


def _discover() -> Iterator[tuple[str, str]]:
    """(module, function) of each model that keras/applications/__init__.py offers, read as text."""
    source = (_keras_applications() / "applications" / "__init__.py").read_text("utf-8")
    for node in ast.parse(source).body:
        # Models are imported from a module by a capitalized name; modules themselves are all lower case.
        if isinstance(node, ast.ImportFrom) and node.module and ".applications." in node.module:
            module = node.module.rpartition(".")[2]
            yield from ((module, alias.name) for alias in node.names if alias.name[0].isupper())


def _read_facts() -> dict[str, dict[str, str]]:
    text = importlib.resources.files("tl_widgets.backbones").joinpath("facts/keras_applications.csv").read_text("utf-8")
    return {row["name"]: row for row in csv.DictReader(text.splitlines())}


def _record(name: str, module: str, function: str, facts: dict[str, dict[str, str]]) -> Backbone:
    row = facts.get(name, {})

    def number(column: str) -> float | None:
        return float(row[column]) if row.get(column) else None

    def count(column: str) -> int | None:
        return int(row[column]) if row.get(column) else None

    return Backbone(
        name=name,
        module=module,
        function=function,
        size_mb=number("size_mb"),
        top1_pct=number("top1_pct"),
        top5_pct=number("top5_pct"),
        n_params=count("params_exact_no_top"),
        depth=count("depth"),
        default_input=count("default_input"),
        min_input=count("min_input_no_top"),
        preprocess_mode=row.get("preprocess_mode") or read_preprocess_mode(module.rpartition(".")[2]),
        feature_width=count("gap_feature_dim"),
        bundled=name == BUNDLED_NAME,
        weights_file=row.get("weights_file") or None,
        weights_url=row.get("weights_url") or None,
        weights_hash=row.get("weights_hash") or None,
    )


def read_preprocess_mode(module: str) -> str | None:
    """What `preprocess_input` of a module of keras.applications does, read from its source.

    Args:
        module: "mobilenet_v2".

    Returns:
        "tf", "torch" or "caffe"; "builtin_0_255" where it hands the pixels back as they are; else None.
    """
    path = _keras_applications() / "src" / "applications" / f"{module}.py"
    if not path.is_file():
        return None
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == "preprocess_input":
            body = ast.unparse(node.body[-1])
            mode = re.search(r"mode='(tf|torch|caffe)'", body)
            return mode[1] if mode else "builtin_0_255" if body == "return x" else None
    return None


def build_backbone(
    backbone: Backbone, image_shape: tuple[int, int, int], resolved: ResolvedWeights, *, seed: int = 0
) -> keras.Model:
    """Build the frozen backbone without its top, ready to sit inside another model.

    It stays in inference mode even while the outer model trains: frozen batch normalization uses its stored
    statistics, and every Dropout inside has rate 0 (Keras 3.15 runs a nested model's layers in the outer
    model's mode, whatever `training=False` it was called with).

    Args:
        backbone: which.
        image_shape: (height, width, 3) in pixels.
        resolved: its weights, from `resolve_weights`.
        seed: for random weights; the global random states are left as they were.

    Returns:
        A functional model from preprocessed float32 images (n, height, width, 3) to features
        (n, rows, columns, feature_width), with trainable=False.

    Raises:
        InputError: the images are too small, or the weights belong to another model.
        WeightsUnavailableError: the bundled weights are missing or altered.
    """
    from tl_widgets.backbones import efficientnet_lite
    from tl_widgets.backbones import loading as weight_loading

    _check_shape(backbone, image_shape)
    with _undisturbed():
        if backbone.bundled:
            model = efficientnet_lite.build_efficientnet_lite0(image_shape)
        else:
            import keras

            function = getattr(keras.applications, backbone.function)
            model = function(include_top=False, weights=None, input_shape=image_shape)
    _freeze(model)
    if resolved.path is None:
        weight_loading.draw_random_weights(model, build_preprocessing(backbone), seed)
    elif backbone.bundled and resolved.kind == "imagenet":
        efficientnet_lite.load_bundled(model, resolved.path)
    else:
        weight_loading.load_file(model, backbone, resolved)
    return model


def _check_shape(backbone: Backbone, image_shape: tuple[int, int, int]) -> None:
    height, width, channels = image_shape
    if channels != 3:
        raise InputError(f"{backbone.name} takes images with 3 channels, not {channels}; convert them to RGB.")
    if backbone.min_input is not None and min(height, width) < backbone.min_input:
        raise InputError(
            f"{backbone.name} needs images of at least {backbone.min_input} x {backbone.min_input} pixels, "
            f"not {height} x {width}. Load the data with image_size={backbone.min_input} or more, or choose "
            f"{BUNDLED_NAME}, which takes 32 x 32."
        )


def _freeze(model: keras.Model) -> None:
    import keras

    model.trainable = False
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0  # saved with the model, so it holds after loading too


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Build layers without a trace: Keras seeds each initializer from Python's global generator."""
    state = random.getstate()
    try:
        with warnings.catch_warnings():
            # MobileNets warn about any size they were not trained at; choosing one is this toolkit's purpose.
            warnings.filterwarnings("ignore", message="`input_shape` is undefined")
            yield
    finally:
        random.setstate(state)


def build_preprocessing(backbone: Backbone) -> keras.layers.Layer | None:
    """The layer that turns raw pixels (0-255, RGB) into what the backbone wants.

    Made of plain Keras layers, so a saved model needs nothing of tl_widgets to be loaded.

    Returns:
        A layer named "preprocessing"; None where the backbone does it itself.

    Raises:
        InputError: nobody says what this backbone wants.
    """
    import keras

    name = "preprocessing"
    match backbone.preprocess_mode:
        case "builtin_0_255":
            return None
        case "tf":
            return keras.layers.Rescaling(1 / 127.5, offset=-1.0, name=name)
        case "lite":
            return keras.layers.Rescaling(1 / 128, offset=-127 / 128, name=name)
        case "torch":
            offset = [-mean / std for mean, std in zip(IMAGENET_MEAN, IMAGENET_STD, strict=True)]
            return keras.layers.Rescaling([1 / (255 * std) for std in IMAGENET_STD], offset=offset, name=name)
        case "caffe":
            inputs = keras.Input((None, None, 3))
            bgr = keras.ops.flip(inputs, axis=-1)
            outputs = keras.layers.Rescaling(1.0, offset=[-mean for mean in _CAFFE_MEAN_BGR])(bgr)
            return keras.Model(inputs, outputs, name=name)
    raise InputError(
        f"tl_widgets does not know which pixels {backbone.name} expects; choose another backbone, "
        "`tl-widgets backbones` lists them."
    )


def memory_estimate(backbone: Backbone, image_size: int, batch_size: int = 32) -> int:
    """A rough upper estimate, in bytes, of what running the frozen backbone takes beside TensorFlow itself.

    Its weights, 4 bytes each and once more while they are loaded, plus three of its largest feature maps
    (what goes in, what comes out, and one that waits for the next Add). The largest map has at most 64
    channels per pixel of the image in VGG, which starts at full resolution, and about 32 (128 channels at
    half the side) everywhere else.

    Args:
        backbone: which; an unknown parameter count is taken as 100 million.
        image_size: side of the images in pixels.
        batch_size: images per step.
    """
    channels = 64 if backbone.name.startswith("VGG") else 32
    n_params = backbone.n_params or 100_000_000
    return 2 * 4 * n_params + 3 * 4 * channels * batch_size * image_size**2


def memory_needed(backbone: Backbone, image_size: int) -> int:
    """Bytes that must be free before the frozen backbone runs: `memory_estimate`, and TensorFlow if it is not loaded.

    Args:
        backbone: which.
        image_size: side of the images in pixels.
    """
    ahead = 0 if "tensorflow" in sys.modules else TENSORFLOW_BYTES
    return ahead + memory_estimate(backbone, image_size)
