"""Finding the backbone inside a learner's own model."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from tl_widgets.backbones.catalogue import recognize_family
from tl_widgets.backbones.family import PREPROCESSING, Family, Preprocessing
from tl_widgets.backbones.keras_compat import all_layers, direct_layers, graph_of, nodes_of
from tl_widgets.setup_checks.tracing import CONVOLUTIONS

Array = NDArray[Any]
_SCALES = (keras.layers.Rescaling, keras.layers.Normalization)
# Layers that a family has from the beginning, for a backbone that was cut: (all of these, none of these, module).
_EARLY: tuple[tuple[set[str], set[str], str], ...] = (
    ({"block1_conv1", "block1_conv1_bn"}, set(), "xception"),
    ({"block1_conv1", "block1_conv2"}, {"block1_conv1_bn"}, "vgg16"),
    ({"Conv1", "bn_Conv1"}, set(), "mobilenet_v2"),
    ({"conv1", "conv_dw_1"}, set(), "mobilenet"),
    ({"conv_bn", "expanded_conv_depthwise"}, {"Conv1"}, "mobilenet_v3"),
    ({"conv1_conv", "conv2_block1_preact_bn"}, set(), "resnet_v2"),
    ({"conv1_conv", "conv2_block1_1_conv"}, {"pool1", "conv2_block1_preact_bn"}, "resnet"),
    ({"conv1_conv", "pool1", "conv2_block1_0_bn"}, set(), "densenet"),
    ({"stem_conv", "block1a_dwconv"}, set(), "efficientnet"),
    ({"stem_conv", "block1a_project_conv"}, {"block1a_dwconv"}, "efficientnet_v2"),
    ({"stem_conv1", "stem_bn1"}, set(), "nasnet"),
    ({"mixed_5b"}, set(), "inception_resnet_v2"),
    ({"mixed0"}, set(), "inception_v3"),
)


@dataclass(frozen=True, eq=False)
class FoundBackbone:
    """A backbone inside a model.

    Attributes:
        name: Name of the nested model, or of the module if its layers are inlined in the model.
        module: Module of keras.applications, such as "mobilenet_v2"; "" if it's unknown or not from there.
        preprocessing: How raw pixels are prepared for it; None if unknown.
        layers: Its layers, without nested models.
        entrance: The nested model itself, or its first layer if its layers are inlined.
        is_known: Whether it's of a family with published weights.
        is_inlined: Whether its layers are those of the outer model.
    """

    name: str
    module: str
    preprocessing: Preprocessing | None
    layers: tuple[keras.layers.Layer, ...]
    entrance: keras.layers.Layer
    is_known: bool
    is_inlined: bool = False

    @property
    def norms(self) -> list[keras.layers.BatchNormalization]:
        """Its BatchNormalization layers."""
        return [layer for layer in self.layers if isinstance(layer, keras.layers.BatchNormalization)]

    @property
    def is_frozen(self) -> bool:
        """Whether it has no trainable weights."""
        return not any(layer.trainable_weights for layer in self.layers)

    @property
    def is_random(self) -> bool:
        """Whether it's untrained: BatchNormalization averages, or else biases, are 0."""
        if norms := self.norms:
            return all(not np.any(np.asarray(norm.moving_mean)) for norm in norms)
        biases = [layer.bias for layer in self.layers if getattr(layer, "bias", None) is not None]
        return bool(biases) and not any(np.any(np.asarray(bias)) for bias in biases)

    @property
    def is_pretrained(self) -> bool:
        """Whether it's of a known family, and its weights aren't random or those of a short training from scratch."""
        return self.is_known and not self.is_random and not self.is_fresh

    @property
    def is_fresh(self) -> bool:
        """Whether its weights have hardly left what Keras initializes them with.

        A few epochs from scratch leave kernels near the bounds that they were drawn in, and move the scales of
        BatchNormalization (or the biases) a little. Long training gives kernels heavy tails.
        """
        moved = [np.asarray(norm.gamma) - 1 for norm in self.norms if norm.gamma is not None]
        if not moved:
            moved = [np.asarray(layer.bias) for layer in self.layers if getattr(layer, "bias", None) is not None]
        largest = max((float(abs(values).max()) for values in moved), default=0.0)
        if not 0 < largest < (0.3 if self.norms else 0.03):
            return False
        kernels = [layer for layer in self.layers if type(layer) is keras.layers.Conv2D]
        return all(_within_bounds(layer) for layer in (kernels[0], kernels[-1])) if kernels else False


def _within_bounds(layer: keras.layers.Conv2D) -> bool:
    kernel = np.asarray(layer.kernel)
    n_in, n_out = kernel.shape[2], kernel.shape[3]
    bound = np.sqrt(6 / (kernel.shape[0] * kernel.shape[1] * (n_in + n_out)))
    return bool(np.quantile(abs(kernel), 0.999) < 2 * bound)


def find_backbone_in(model: keras.Model) -> FoundBackbone | None:
    """Find a model's backbone, nested or inlined; None if it has none."""
    nested = [part for part in _nested(model) if _has_convolutions(part)]
    known = [part for part in nested if _family(part.name, _names(part)) is not None]
    part = next(iter(known or nested), None)
    if part is not None:
        return _describe(part.name, _inner(part), part)
    if _family("", _names(model)) is None:
        return None
    layers = model.layers
    first = next((i for i, layer in enumerate(layers) if isinstance(layer, CONVOLUTIONS)), None)
    if first is None:
        return None
    last = max(i for i, layer in enumerate(layers) if isinstance(layer, (*CONVOLUTIONS, keras.layers.Add)))
    is_padded = first > 0 and isinstance(layers[first - 1], keras.layers.ZeroPadding2D)
    return _describe("", tuple(layers[: last + 1]), layers[first - is_padded], is_inlined=True)


def _nested(model: keras.layers.Layer) -> Iterator[keras.Model]:
    """Yield the nested models that have a graph, outer ones first."""
    graph = graph_of(model)
    operations = direct_layers(model) if graph is None else [node.operation for node in nodes_of(graph)]
    for layer in operations:
        if isinstance(layer, keras.Model) and graph_of(layer) is not None:
            yield layer
        if isinstance(layer, keras.layers.Layer):
            yield from _nested(layer)


def _names(model: keras.Model) -> set[str]:
    return {layer.name for layer in model.layers}


def _inner(model: keras.Model) -> tuple[keras.layers.Layer, ...]:
    return tuple(layer for layer in all_layers(model)[1:] if not isinstance(layer, keras.Model))


def _has_convolutions(model: keras.Model) -> bool:
    return any(isinstance(layer, CONVOLUTIONS) for layer in _inner(model))


def _family(model_name: str, names: Collection[str]) -> Family | None:
    """Return the family, also of a backbone that was cut somewhere."""
    family = recognize_family(model_name, names)
    if family is not None:
        return family
    found = set(names)
    if any(name.startswith("convnext_") and "_stage_" in name for name in found):
        return recognize_family("ConvNeXtTiny", ())
    module = next((module for has, hasnt, module in _EARLY if has <= found and not hasnt & found), "")
    return None if not module else _family_of(module)


def _family_of(module: str) -> Family | None:
    from tl_widgets.backbones.families import keras_families

    return next((family for family in keras_families() if family.module.endswith(f".{module}")), None)


def _describe(
    name: str, layers: tuple[keras.layers.Layer, ...], entrance: keras.layers.Layer, *, is_inlined: bool = False
) -> FoundBackbone:
    family = _family(name, {layer.name for layer in layers})
    module = family.module.rpartition(".")[2] if family is not None and family.is_in_keras else ""
    preprocessing = None if family is None else family.preprocessing
    if not is_inlined and any(isinstance(layer, _SCALES) for layer in layers):
        preprocessing = PREPROCESSING["builtin_0_255"]
    elif is_inlined and preprocessing is not None and preprocessing.is_builtin:
        preprocessing = None  # its own scaling can't be told from the learner's
    return FoundBackbone(name or module, module, preprocessing, layers, entrance, family is not None, is_inlined)
