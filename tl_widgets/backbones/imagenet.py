"""ImageNet's 1000 classes, and naming images with a bundled network and its top."""

from __future__ import annotations

import functools
import importlib.resources
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tl_widgets.backbones.catalogue import find_backbone, list_backbones
from tl_widgets.backbones.family import Backbone
from tl_widgets.backbones.packaged import PackagedFamily
from tl_widgets.core.arguments import checked
from tl_widgets.core.config import Config
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import ignore
from tl_widgets.core.translation import _

if TYPE_CHECKING:
    import keras


_FEW = 8  # images that need no graph of the network, which takes 0.1 GB and as long as ten images


@functools.cache
def imagenet_classes() -> tuple[str, ...]:
    """Return the 1000 class names of ImageNet, in the order of the network's outputs."""
    text = importlib.resources.files("tl_widgets.backbones").joinpath("facts/imagenet_classes.txt").read_text("utf-8")
    return tuple(text.splitlines())


@functools.lru_cache(maxsize=1)
def _classifier(name: str, size: int) -> keras.Model:
    return build_classifier(find_backbone(name), size)


def build_classifier(backbone: Backbone, image_size: int) -> keras.Model:
    """Build a bundled network with its ImageNet top, frozen.

    It maps preprocessed float32 images, (n, image_size, image_size, 3), to probabilities, (n, 1000).
    """
    family = backbone.family
    if not isinstance(family, PackagedFamily):
        names = [member.name for member in list_backbones() if isinstance(member.family, PackagedFamily)]
        raise InputError(
            _(
                "{backbone_name} has no 1000-way top here. Choose one of {names}.",
                backbone_name=backbone.name,
                names=", ".join(names),
            )
        )
    model = family.build_network(backbone, (image_size, image_size, 3), include_top=True)
    family.load_weights(model, backbone, family.find_weights(backbone, ignore, None))
    model.trainable = False
    return model


@checked
def name_imagenet(
    images: NDArray[np.uint8], *, top: int = 5, backbone: str = Config.backbone
) -> tuple[tuple[tuple[str, float], ...], ...]:
    """Classify images into ImageNet's 1000 classes with a bundled network.

    Args:
        images: uint8, (n, height, width, 3). The central square of each is resized to the
            network's size, such as 224 x 224.
        top: How many classes to return for each image, 1 to 1000.
        backbone: A bundled backbone: "EfficientNetLite0", "EfficientNetLite1", "EfficientNetLite2" or "SqueezeNet".

    Returns:
        For each image, `top` pairs of a class name and its probability (0 to 1), the most probable first.

    Raises:
        InputError: The images have another shape or dtype, or the backbone isn't bundled.
        WeightsUnavailableError: The bundled weights are missing or altered.
    """
    import keras

    if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8 or not images.size:
        raise InputError(
            _(
                "name_imagenet takes uint8 images of shape (n, height, width, 3), not {dtype} {shape}.",
                dtype=images.dtype,
                shape=images.shape,
            )
        )
    entry = find_backbone(backbone)
    size = entry.default_input or 224
    model = _classifier(entry.name, size)
    side = min(images.shape[1:3])
    y, x = ((length - side) // 2 for length in images.shape[1:3])
    squares = images[:, y : y + side, x : x + side].astype(np.float32)
    resized = np.asarray(keras.ops.image.resize(squares, (size, size), antialias=True))
    prepared = entry.family.preprocessing.apply(resized)
    if len(prepared) <= _FEW:
        probabilities = np.concatenate([np.asarray(model(image[None], training=False)) for image in prepared])
    else:
        probabilities = np.asarray(model.predict(prepared, batch_size=1, verbose=0))  # large images
    names = imagenet_classes()
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :top]
    return tuple(
        tuple((names[j], float(row[j])) for j in order) for row, order in zip(probabilities, best, strict=True)
    )
