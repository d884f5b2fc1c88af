"""Parameter counts by arithmetic, layer by layer, without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass

from tl_widgets.core.config import ScratchSpec
from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _
from tl_widgets.records.kinds import Count


@dataclass(frozen=True)
class ParameterCount:
    """The number of parameters of a model.

    Attributes:
        trainable: Parameters that training changes.
        frozen: Parameters that training leaves unchanged: a frozen backbone, the moving averages of BatchNormalization.
    """

    trainable: Count
    frozen: Count

    @property
    def total(self) -> int:
        """Trainable and frozen together."""
        return self.trainable + self.frozen


@dataclass(frozen=True)
class LayerRow:
    """One layer of a model.

    Attributes:
        layer: Its Keras class, or the backbone's name.
        output_shape: The shape without the batch dimension.
        arithmetic: Where `n_params` comes from: "5x5x3x32+32"; "" for a layer without parameters.
    """

    layer: str
    output_shape: tuple[int, ...]
    n_params: int = 0
    arithmetic: str = ""
    frozen: bool = False


def _dense(n_inputs: int, n_units: int) -> LayerRow:
    return LayerRow("Dense", (n_units,), n_inputs * n_units + n_units, f"{n_inputs}x{n_units}+{n_units}")


def output_units(n_classes: int) -> int:
    """Return the output units: one sigmoid for two classes, else a softmax unit for each."""
    return 1 if n_classes == 2 else n_classes


def scratch_ledger(image_shape: tuple[int, int, int], n_classes: int, spec: ScratchSpec) -> tuple[LayerRow, ...]:
    """Return the layers of `build_scratch` and their parameters, the output layer last.

    `image_shape` is (height, width, channels) in pixels.
    """
    height, width, channels = image_shape
    rows = [LayerRow("Rescaling", image_shape)]
    for n_filters, kernel in zip(spec.filters, spec.kernel_sizes, strict=True):
        n_params = kernel * kernel * channels * n_filters + n_filters
        arithmetic = f"{kernel}x{kernel}x{channels}x{n_filters}+{n_filters}"
        rows.append(LayerRow("Conv2D", (height, width, n_filters), n_params, arithmetic))
        channels = n_filters
        if spec.pooling != "none":
            height, width = height // 2, width // 2
            if not height or not width:
                raise InputError(
                    _(
                        "{n_blocks} blocks with pooling halve an image of {side} pixels until "
                        "none is left. Use fewer blocks, no pooling, or images of at least {least} "
                        "pixels.",
                        n_blocks=len(spec.filters),
                        side=image_shape[0],
                        least=2 ** len(spec.filters),
                    )
                )
            name = "MaxPooling2D" if spec.pooling == "max" else "AveragePooling2D"
            rows.append(LayerRow(name, (height, width, channels)))
    if spec.head == "flatten":
        width = height * width * channels
        rows.append(LayerRow("Flatten", (width,)))
    else:
        width = channels
        rows.append(LayerRow("GlobalAveragePooling2D", (width,)))
    if spec.dense_units:
        rows.append(_dense(width, spec.dense_units))
        width = spec.dense_units
    if spec.dropout:
        rows.append(LayerRow("Dropout", (width,)))
    return (*rows, _dense(width, output_units(n_classes)))


def transfer_ledger(
    image_shape: tuple[int, int, int],
    n_classes: int,
    *,
    backbone: str,
    feature_width: int,
    backbone_params: int,
    head_dropout: float = 0.0,
) -> tuple[LayerRow, ...]:
    """Return the layers of `build_transfer` and their parameters, the output layer last.

    The backbone is a single row. `image_shape` is (height, width, 3) in pixels, `feature_width` the number of channels
    in the backbone's last feature maps.
    """
    rows = [
        LayerRow("Preprocessing", image_shape),
        LayerRow(backbone, (feature_width,), backbone_params, _("frozen"), frozen=True),
        LayerRow("GlobalAveragePooling2D", (feature_width,)),
    ]
    if head_dropout:
        rows.append(LayerRow("Dropout", (feature_width,)))
    return (*rows, _dense(feature_width, output_units(n_classes)))


def count_rows(rows: tuple[LayerRow, ...]) -> ParameterCount:
    """Return the sum over all layers."""
    return ParameterCount(
        trainable=sum(row.n_params for row in rows if not row.frozen),
        frozen=sum(row.n_params for row in rows if row.frozen),
    )
