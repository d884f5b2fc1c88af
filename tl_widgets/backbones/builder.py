"""Build a frozen backbone and the preprocessing that belongs to it."""

from __future__ import annotations

import keras

from tl_widgets.backbones.family import Backbone, Shape
from tl_widgets.backbones.keras_compat import freeze, undisturbed
from tl_widgets.backbones.loading import draw_random_weights, load_file
from tl_widgets.backbones.weights import ResolvedWeights
from tl_widgets.core.errors import InputError


def build_backbone(backbone: Backbone, image_shape: Shape, resolved: ResolvedWeights, *, seed: int = 0) -> keras.Model:
    """Build the frozen backbone without its top, ready to sit inside another model.

    It stays in inference mode even while the outer model trains: frozen batch normalization uses its stored
    statistics, and every Dropout inside has rate 0 (Keras 3.15 runs a nested model's layers in the outer
    model's mode, whatever `training=False` it was called with).

    Args:
        backbone: which.
        image_shape: (height, width, 3) in pixels; (None, None, 3) for images of any size.
        resolved: its weights, from `resolve_weights`.
        seed: for random weights; the global random states are left as they were.

    Returns:
        A functional model from preprocessed float32 images (n, height, width, 3) to features
        (n, rows, columns, feature_width), with trainable=False.

    Raises:
        InputError: the images are too small, or the weights belong to another model.
        WeightsUnavailableError: the bundled weights are missing or altered.
    """
    height, width, channels = image_shape
    if channels != 3:
        raise InputError(f"{backbone.name} takes images with 3 channels, not {channels}; convert them to RGB.")
    if height and width:
        backbone.require_size(height, width)
    with undisturbed():
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
    """Build the layer that turns raw pixels (0-255, RGB) into what the backbone expects.

    Made of plain Keras layers, so a saved model needs nothing of tl_widgets to be loaded.

    Returns:
        A layer named "preprocessing"; None where the backbone does it itself.
    """
    return backbone.family.preprocessing.layer("preprocessing")
