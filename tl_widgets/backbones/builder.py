"""Building a frozen backbone with its weights, and its preprocessing layer."""

from __future__ import annotations

import keras

from tl_widgets.backbones.family import Backbone, Shape
from tl_widgets.backbones.keras_compat import freeze, preserved_random_state
from tl_widgets.backbones.loading import draw_random_weights, load_file
from tl_widgets.backbones.weights import ResolvedWeights
from tl_widgets.core.errors import InputError


def build_backbone(backbone: Backbone, image_shape: Shape, resolved: ResolvedWeights, *, seed: int = 0) -> keras.Model:
    """Build a frozen backbone without its top.

    The functional model maps preprocessed float32 images (n, height, width, 3) to features
    (n, rows, columns, feature_width). It stays in inference mode even while an outer model trains: frozen batch
    normalization uses its stored statistics, and every Dropout inside has rate 0. Global random states don't change.

    Raises:
        InputError: The images are too small, or the weights belong to another model.
        WeightsUnavailableError: The bundled weights are missing or altered.
    """
    height, width, channels = image_shape
    if channels != 3:
        raise InputError(f"{backbone.name} takes images with 3 channels, not {channels}; convert them to RGB.")
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
