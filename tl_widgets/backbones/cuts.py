"""Cutting a backbone after one of its blocks. Loads neither Keras nor TensorFlow."""

from __future__ import annotations

import csv
import functools
import importlib.resources
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _

if TYPE_CHECKING:
    import keras

# Matches block_16_project, block7a_expand_conv, conv5_block3_out, block14_sepconv1 and SqueezeNet's fire9_concat.
KERAS_BLOCKS = re.compile(r"(conv\d+_block\d+|block_?\d+[a-z]?|fire\d+)(_|$)")


@dataclass(frozen=True)
class Cut:
    """A backbone that ends after one of its blocks.

    Attributes:
        block: The block's name in Keras.
        layer: The name of its last layer, or that layer's number where Keras draws the name anew for each model.
        n_params: Parameters up to there.
        feature_width: Number of feature maps there.
        macs_224: Multiply-accumulates up to there for one image of 224 pixels.
        stride: Pixels of the image for each pixel of those maps; 0 if that isn't a whole number.
    """

    block: str
    layer: str
    n_params: int
    feature_width: int
    macs_224: int
    stride: int

    @property
    def expression(self) -> str:
        """The Python expression for the last layer of a model `backbone`."""
        return f"backbone.layers[{self.layer}]" if self.layer.isdigit() else f'backbone.get_layer("{self.layer}")'

    def last_map(self, image_size: int) -> int | None:
        """Return the side of those maps for square images, in pixels; None if only building it tells."""
        return image_size // self.stride if self.stride and image_size % self.stride == 0 else None

    def last_layer(self, backbone: keras.Model) -> keras.layers.Layer:
        """Return the layer of a whole backbone after which this one ends."""
        return backbone.layers[int(self.layer)] if self.layer.isdigit() else backbone.get_layer(self.layer)

    def apply(self, backbone: keras.Model) -> keras.Model:
        """Return the frozen part of a whole backbone that ends here; both share their layers."""
        import keras

        part = keras.Model(backbone.input, self.last_layer(backbone).output, name=backbone.name)
        part.trainable = False
        return part


@functools.cache
def _facts() -> dict[str, tuple[Cut, ...]]:
    text = importlib.resources.files("tl_widgets.backbones").joinpath("facts/cuts.csv").read_text("utf-8")
    cuts: dict[str, list[Cut]] = {}
    for name, block, layer, *numbers in list(csv.reader(text.splitlines()))[1:]:
        cuts.setdefault(name, []).append(Cut(block, layer, *map(int, numbers)))
    return {name: tuple(rows) for name, rows in cuts.items()}


def measured_cuts(name: str) -> tuple[Cut, ...]:
    """Return where a backbone in the table of facts can be cut, after its first block first.

    After its last block the backbone is whole, so that is no cut.
    """
    return _facts().get(name, ())


def block_names(backbone: keras.Model, pattern: re.Pattern[str] = KERAS_BLOCKS) -> tuple[str, ...]:
    """Return the names of the blocks that a built backbone's layers show, in order."""
    return tuple(dict.fromkeys(match[1] for layer in backbone.layers if (match := pattern.match(layer.name))))


def find_cut(backbone: keras.Model, n_blocks: int, pattern: re.Pattern[str] = KERAS_BLOCKS) -> tuple[str, int]:
    """Find where a backbone can be cut before its last blocks, without changing it.

    Return (name of the first block above the cut, position of the last layer below it).
    """
    order, blocks = backbone.layers, block_names(backbone, pattern)
    if len(blocks) < 2:
        raise InputError(
            _(
                "The layer names of {backbone_name} do not show its blocks, so its last blocks cannot be "
                "found; fine-tune another backbone, such as EfficientNetLite0 or MobileNetV2.",
                backbone_name=backbone.name,
            )
        )
    if not 1 <= n_blocks < len(blocks):
        raise InputError(
            _(
                "{backbone_name} has {n_blocks} blocks; n_blocks={received} must leave at least one of "
                "them frozen: give 1 to {most}.",
                backbone_name=backbone.name,
                n_blocks=len(blocks),
                received=n_blocks,
                most=len(blocks) - 1,
            )
        )
    above = set(blocks[-n_blocks:])
    first = next(i for i, layer in enumerate(order) if (match := pattern.match(layer.name)) and match[1] in above)
    cut = next((i for i in reversed(range(first)) if _is_cut(order, i)), None)
    if not cut:
        raise InputError(
            _(
                "{backbone_name} cannot be cut before {block}; choose another n_blocks.",
                backbone_name=backbone.name,
                block=blocks[-n_blocks],
            )
        )
    return blocks[-n_blocks], cut


def _is_cut(order: Sequence[keras.layers.Layer], i: int) -> bool:
    """Return whether later layers take only layer `i`'s output from layers up to `i`.

    Keras lists each layer of a functional model after the layers that it takes input from.
    """
    import keras

    below: dict[int, int] = {id(tensor): j for j in range(i + 1) for tensor in keras.tree.flatten(order[j].output)}
    crossing: set[Any] = set()
    for layer in order[i + 1 :]:
        crossing |= {below[id(tensor)] for tensor in keras.tree.flatten(layer.input) if id(tensor) in below}
    return crossing == {i}
