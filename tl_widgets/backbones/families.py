"""The families of keras.applications; see `facts/keras_applications.csv`."""

from __future__ import annotations

import csv
import functools
import importlib.resources
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tl_widgets.backbones.cuts import Cut, measured_cuts
from tl_widgets.backbones.family import IMAGENET_STD, PREPROCESSING, Backbone, Family, Shape, literal
from tl_widgets.backbones.weights import is_published, local_weights_file, published_weights
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent
from tl_widgets.core.translation import _

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, eq=False, kw_only=True)
class KerasFamily(Family):
    """The models of one module of keras.applications, with published weights."""

    is_in_keras: bool = True

    def build(self, backbone: Backbone, image_shape: Shape) -> keras.Model:
        """Build the layers without the top."""
        import keras

        function: Callable[..., keras.Model] | None = getattr(keras.applications, backbone.name, None)
        if function is None:
            raise InputError(
                _(
                    "Keras {version} has no {backbone_name}. Choose another backbone, or install a newer Keras.",
                    version=keras.__version__,
                    backbone_name=backbone.name,
                )
            )
        return function(include_top=False, weights=None, input_shape=image_shape)

    def last_map(self, image_size: int) -> int | None:
        """Return a 32nd of the image's side; for other sizes, families round differently."""
        return None if image_size % 32 else image_size // 32

    def cuts(self, backbone: Backbone) -> tuple[Cut, ...]:
        """Return the cuts in the table of facts."""
        return measured_cuts(backbone.name)

    def find_weights(self, backbone: Backbone, on_event: OnEvent, cancel: Cancel | None) -> Path:
        """Return the published file from a cache, or download it."""
        return published_weights(backbone, on_event, cancel)

    def has_weights(self, backbone: Backbone) -> bool:
        """Return whether a cache has a file with the published name."""
        return local_weights_file(backbone.weights_file) is not None

    def load_weights(self, model: keras.Model, backbone: Backbone, path: Path) -> None:
        """Load the published file."""
        from tl_widgets.backbones.loading import load_file

        load_file(model, backbone, path, check_shapes=False)

    def script_lines(self, backbone: Backbone, weights: str | None, backbone_file: str) -> list[str]:
        """Return the lines of a plain Keras script that build the backbone."""
        return [f"backbone = {_call(backbone, None if weights is None else literal(weights))}"]


def _call(backbone: Backbone, weights: str | None) -> str:
    return f"keras.applications.{backbone.name}(weights={weights}, include_top=False, input_shape=(SIZE, SIZE, 3))"


class InceptionFamily(KerasFamily):
    """InceptionV3 and InceptionResNetV2, whose layers without padding cut off the maps' edges."""

    def last_map(self, image_size: int) -> int | None:
        """Return the side of the last feature maps."""
        return (image_size - 43) // 32


class NASNetFamily(KerasFamily):
    """NASNet, whose ImageNet weights Keras loads only at its training size."""

    def script_lines(self, backbone: Backbone, weights: str | None, backbone_file: str) -> list[str]:
        """Return lines that download the published file themselves."""
        if weights != "imagenet":
            return super().script_lines(backbone, weights, backbone_file)
        address = f"{literal(str(backbone.weights_file))}, {literal(str(backbone.weights_url))}"
        return [
            f"backbone = {_call(backbone, None)}",
            f'backbone.load_weights(keras.utils.get_file({address}, cache_subdir="models"))',
        ]


class EfficientNetFamily(KerasFamily):
    """EfficientNetB0-B7, whose files hold a standard deviation instead of a variance.

    Keras compensates with a second Rescaling by 1 / sqrt(std), but only for weights="imagenet" and not for the same
    file given as a path. Correcting the variance itself has the same effect.
    See https://github.com/tensorflow/tensorflow/issues/49930.
    """

    def load_weights(self, model: keras.Model, backbone: Backbone, path: Path) -> None:
        """Load the published file and correct its variance."""
        super().load_weights(model, backbone, path)
        self._correct_variance(model, is_certain=True)

    def finish_loading(self, model: keras.Model, backbone: Backbone, path: Path) -> None:
        """Correct the variance if the file has the published values."""
        self._correct_variance(model, is_certain=is_published(path, backbone.weights_hash))

    def _correct_variance(self, model: keras.Model, *, is_certain: bool) -> None:
        import keras

        from tl_widgets.backbones.keras_compat import scale_variance

        std = np.array(IMAGENET_STD, np.float32)
        for layer in model.layers:
            if isinstance(layer, keras.layers.Normalization):
                variance = np.asarray(layer.adapt_variance)
                if is_certain or np.allclose(variance, std, rtol=0.01):
                    scale_variance(layer, std)


@functools.cache
def _facts() -> dict[str, list[dict[str, str]]]:
    """Return the rows of the table by family."""
    text = importlib.resources.files("tl_widgets.backbones").joinpath("facts/keras_applications.csv").read_text("utf-8")
    families: dict[str, list[dict[str, str]]] = {}
    for row in csv.DictReader(text.splitlines()):
        families.setdefault(row["family"], []).append(row)
    return families


def members_of(family: str) -> tuple[Backbone, ...]:
    """Return the backbones of a family in the table of facts."""
    return tuple(map(_member, _facts()[family]))


def _member(row: dict[str, str]) -> Backbone:

    def number(column: str) -> float | None:
        return float(row[column]) if row[column] else None

    def count(column: str) -> int | None:
        return int(row[column]) if row[column] else None

    return Backbone(
        name=row["name"],
        size_mb=number("size_mb"),
        top1_pct=number("top1_pct"),
        top5_pct=number("top5_pct"),
        n_params=count("params_exact_no_top"),
        depth=count("depth"),
        default_input=count("default_input"),
        min_input=count("min_input_no_top"),
        feature_width=count("gap_feature_dim"),
        weights_file=row["weights_file"] or None,
        weights_url=row["weights_url"] or None,
        weights_hash=row["weights_hash"] or None,
        macs_224=count("macs_224"),
    )


def keras_families() -> tuple[Family, ...]:
    """Return the families of keras.applications in Keras's order."""

    def family(
        module: str,
        kind: type[KerasFamily] = KerasFamily,
        *,
        marker: str = "",
        has_dropout: bool = False,
        map_channels: int = KerasFamily.map_channels,
    ) -> Family:
        return kind(
            members=members_of(module),
            preprocessing=PREPROCESSING[_facts()[module][0]["preprocess_mode"]],
            module=f"keras.applications.{module}",
            marker=marker,
            has_dropout=has_dropout,
            map_channels=map_channels,
        )

    return (
        family("convnext"),
        family("densenet", marker="conv2_block1_concat"),
        family("efficientnet", EfficientNetFamily, has_dropout=True),
        family("efficientnet_v2", has_dropout=True),
        family("inception_resnet_v2", InceptionFamily, marker="conv_7b"),
        family("inception_v3", InceptionFamily, marker="mixed10"),
        family("mobilenet", marker="conv_pw_13"),
        family("mobilenet_v2", marker="block_16_project"),
        family("mobilenet_v3"),
        family("nasnet", NASNetFamily, marker="normal_conv_1_1"),
        family("resnet", marker="conv2_block1_add"),
        family("resnet_v2", marker="conv2_block1_preact_bn"),
        # VGG has 64 channels at the full size of the image.
        family("vgg16", marker="block5_conv3", map_channels=64),
        family("vgg19", marker="block5_conv4", map_channels=64),
        family("xception", marker="block14_sepconv2"),
    )
