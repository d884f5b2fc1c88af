"""Building a frozen backbone, and loading its weights from a file or at random."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]
import keras
import numpy as np
from numpy.typing import NDArray

from tl_widgets.backbones.family import Backbone, Shape
from tl_widgets.backbones.keras_compat import freeze, preserved_random_state
from tl_widgets.backbones.weights import ResolvedWeights
from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _

Shapes = Counter[tuple[int, ...]]

_N_NOISE_IMAGES = 8
_BIG_MEMBER, _MOST_SHRUNK = 10_000_000, 100


def load_file(model: keras.Model, backbone: Backbone, path: Path, *, check_shapes: bool = True) -> None:
    """Load a .weights.h5, .h5 or .keras file into a model without the top.

    With `check_shapes`, the file must hold exactly the model's arrays. Keras itself accepts more, such as a top.
    """
    expected = Counter(tuple(weight.shape) for weight in model.weights if _counts(weight.dtype, weight.shape))
    try:
        if check_shapes:
            file_shapes = _file_shapes(path)
            if file_shapes != expected:
                raise ValueError(f"it holds {_describe(file_shapes)}")
        model.load_weights(path)
        if not all(np.isfinite(weight).all() for weight in model.get_weights()):
            raise ValueError("it holds values that are NaN or infinite")
    except Exception as error:  # what h5py, zipfile and Keras raise for a damaged file is documented nowhere
        reason = str(error).partition("\n")[0][:200] or type(error).__name__
        raise InputError(
            _(
                "{path_name} does not fit {backbone_name}: {reason}. It needs the weights without the "
                "top: {describe}. Give the file that belongs to {backbone_name} (saved with "
                "include_top=False), or choose the backbone it was made for.",
                path_name=path.name,
                backbone_name=backbone.name,
                reason=reason,
                describe=_describe(expected),
            )
        ) from error


def _counts(dtype: Any, shape: tuple[int, ...]) -> bool:
    # Counters and the states of random generators depend on Keras's version; they aren't weights.
    return len(shape) > 0 and "float" in str(dtype)


def _file_shapes(path: Path) -> Shapes:
    source: Any = path
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            # Only this member is read. Real weights hardly compress, so a high ratio means a zip bomb.
            member = archive.getinfo("model.weights.h5")
            if member.file_size > _BIG_MEMBER and member.file_size > _MOST_SHRUNK * member.compress_size:
                raise ValueError("its weights grow far too much when unpacked")
            source = io.BytesIO(archive.read("model.weights.h5"))
    shapes: Shapes = Counter()

    def visit(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and "optimizer" not in name and _counts(item.dtype, item.shape):
            if item.external:
                raise ValueError("it refers to data in other files")
            shapes[tuple(item.shape)] += 1

    with h5py.File(source, "r") as file:
        file.visititems(visit)
    return shapes


def _describe(shapes: Shapes) -> str:
    n_values = sum(n * int(np.prod(shape)) for shape, n in shapes.items())
    return _("{n:,} arrays with {n_values:,} values", n=sum(shapes.values()), n_values=n_values)


def draw_random_weights(model: keras.Model, preprocessing: keras.layers.Layer | None, seed: int) -> None:
    """Give a frozen model random weights that pass a signal on, for the `control`.

    Keras's initial values don't work for a frozen network: batch normalization without statistics normalizes
    nothing, and the features shrink to 1e-13 by the end of EfficientNetLite0, too small for any head to learn from.
    So kernels are normal with variance 2 / fan-in (He et al., 2015), and batch normalization gets the statistics of
    one batch of noise, as in the first step of training. No image of the learner's data is used, and no global
    random state is read or changed.
    """
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        for weight in layer.weights:
            if weight.path.endswith("kernel"):
                noise = rng.standard_normal(weight.shape, dtype=np.float32)
                weight.assign(noise * np.float32(np.sqrt(2 / _fan_in(layer, weight))))
    height, width, _ = model.input_shape[1:]
    batch = noise_images(_N_NOISE_IMAGES, height, width, rng)
    _take_statistics(model, preprocessing(batch) if preprocessing else batch)


def _fan_in(layer: keras.layers.Layer, weight: Any) -> int:
    """Return how many inputs each output of a kernel sums."""
    depthwise = weight.path.endswith("depthwise_kernel") or isinstance(layer, keras.layers.DepthwiseConv2D)
    return int(np.prod(weight.shape[:2] if depthwise else weight.shape[:-1]))


def noise_images(n: int, height: int, width: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return noise like that of photographs: float32, (n, height, width, 3), 0-255.

    Its amplitude falls with 1 / frequency (Field, 1987).
    """
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    frequency[0, 0] = 1.0
    spectrum = np.fft.rfft2(rng.standard_normal((n, 3, height, width))) / frequency
    noise = np.fft.irfft2(spectrum, s=(height, width))
    noise *= 64 / noise.std(axis=(1, 2, 3), keepdims=True)
    return np.clip(noise + 127, 0, 255).transpose(0, 2, 3, 1).astype(np.float32)


def _take_statistics(model: keras.Model, batch: Any) -> None:
    """Set each batch normalization to the statistics of a batch."""
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        layer.trainable, layer.momentum = True, 0.0  # a frozen layer would ignore the batch
    model(batch, training=True)
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.trainable, layer.momentum = False, momentum


def build_backbone(backbone: Backbone, image_shape: Shape, resolved: ResolvedWeights, *, seed: int = 0) -> keras.Model:
    """Build a frozen backbone without its top.

    The functional model maps preprocessed float32 images (n, height, width, 3) to features
    (n, rows, columns, feature_width). It stays in inference mode even while an outer model trains: frozen batch
    normalization uses its stored statistics, and every Dropout inside has rate 0. Global random states don't change.
    """
    height, width, channels = image_shape
    if channels != 3:
        raise InputError(
            _(
                "{backbone_name} takes images with 3 channels, not {channels}; convert them to RGB.",
                backbone_name=backbone.name,
                channels=channels,
            )
        )
    if height and width:
        backbone.require_size(height, width)
    with preserved_random_state():
        model = backbone.family.build(backbone, image_shape)
    freeze(model)
    if resolved.path is None:
        draw_random_weights(model, build_preprocessing(backbone), seed)
    elif resolved.kind == "imagenet":
        backbone.family.load_weights(model, backbone, resolved.path)
    else:
        load_file(model, backbone, resolved.path)
        backbone.family.finish_loading(model, backbone, resolved.path)
    return model


def build_preprocessing(backbone: Backbone) -> keras.layers.Layer | None:
    """Build the layer for raw pixels (0-255, RGB); None if the backbone takes them.

    It is named "preprocessing" and consists of plain Keras layers, so a saved model loads without tl_widgets.
    """
    return backbone.family.preprocessing.layer("preprocessing")
