"""A diagram of what learns in a model: its backbone, block by block, and the head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.translation import _
from tl_widgets.plots.style import INK, PALE, SMALL_SIZE, new_axes, set_fonts
from tl_widgets.teaching.show import with_alt_text

if TYPE_CHECKING:
    import keras


def plot_trained(model: keras.Model) -> Axes:
    """Draw the blocks of a model's backbone and the layers on top: hatched is frozen, colored learns.

    The strip at the bottom of a block is its BatchNormalization. What is drawn is read from `trainable`.

    Args:
        model: A model with another model, the backbone, as one of its layers.

    Raises:
        InputError: No layer of the model is a model.
    """
    import keras

    from tl_widgets.backbones.keras_compat import all_layers
    from tl_widgets.models.builders import count_parameters

    backbone = next((layer for layer in model.layers if isinstance(layer, keras.Model)), None)
    if backbone is None:
        raise InputError(_("This model has no backbone: none of its layers is a model."))
    blocks: dict[str, list[keras.layers.Layer]] = {}
    for layer in filter(lambda layer: layer.weights, backbone.layers):
        name = layer.name.partition("_")[0].removeprefix("block")
        blocks.setdefault("last" if name == "head" else name, []).append(layer)  # our head is another one
    above = [layer for layer in model.layers[model.layers.index(backbone) + 1 :] if layer.weights]
    ax = new_axes(8.6, 2.2)
    for x, (name, layers) in enumerate(blocks.items()):
        norms = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
        others = [layer for layer in layers if layer not in norms]
        _draw(ax, x, 0.3, 1.0, others)
        if norms:
            _draw(ax, x, 0.0, 0.3, norms)
        _label(ax, x, name)
    for x, layer in enumerate(above, start=len(blocks) + 1):
        _draw(ax, x, 0.0, 1.3, [layer])
        _label(ax, x, "Dense")
    count = count_parameters(model)
    text = _("{trainable:,} of {total:,} parameters learn", trainable=count.trainable, total=count.total)
    ax.text(0, 1.5, _("{text}; hatched is frozen, the strips are BatchNormalization", text=text), color=INK)
    for start, n, part in ((0, len(blocks), "backbone"), (len(blocks) + 1, len(above), "head")):
        ax.text(start + (n - 0.2) / 2, -0.45, part, ha="center", va="top", weight="bold", color=INK)
    set_fonts(ax.texts)
    ax.set_xlim(-0.2, len(blocks) + len(above) + 1.2)
    ax.set_ylim(-0.8, 1.9)
    ax.set_axis_off()
    learning = [name for name, layers in blocks.items() if any(_learns(layer) for layer in layers)]
    norms = [layer for layer in all_layers(backbone) if isinstance(layer, keras.layers.BatchNormalization)]
    of_these = sum(_learns(layer) for layer in norms)
    return with_alt_text(
        ax,
        _(
            "A row of {n_parts} parts of the backbone, from {first} to {last}, and the Dense layer on top. In the "
            "backbone {learning} learns, and {n} of its {n_norms} BatchNormalization layers do. {text}.",
            n_parts=len(blocks),
            first=next(iter(blocks)),
            last=next(reversed(blocks)),
            learning=", ".join(learning) or _("nothing"),
            n=of_these,
            n_norms=len(norms),
            text=text,
        ),
    )


def _learns(layer: keras.layers.Layer) -> bool:
    return bool(layer.trainable and layer.trainable_weights)


def _label(ax: Axes, x: float, text: str) -> None:
    ax.text(x + 0.4, -0.1, text, ha="center", va="top", fontsize=SMALL_SIZE, color=INK)


def _draw(ax: Axes, x: float, y: float, height: float, layers: list[keras.layers.Layer]) -> None:
    learns = any(_learns(layer) for layer in layers)
    color = ModelName.FINE_TUNED.color if learns else PALE
    face, hatch = (color, None) if learns else ("white", "////")
    ax.add_patch(Rectangle((x, y), 0.8, height, edgecolor=color, facecolor=face, hatch=hatch))
