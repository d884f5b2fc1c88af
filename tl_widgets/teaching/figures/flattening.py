"""A diagram: Flatten next to global average pooling, with the parameters that follow."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tl_widgets.core.model_name import ModelName
from tl_widgets.core.translation import _
from tl_widgets.plots.style import INK, add_axes, new_figure, set_fonts
from tl_widgets.teaching.show import with_alt_text


def plot_flatten_gap(side: int, n_maps: int, n_units: int) -> Figure:
    """Draw what Flatten and GlobalAveragePooling2D make of feature maps, and the weights of a Dense layer behind them.

    The squares on the right have the areas of the numbers of weights.

    Args:
        side: Height and width of each map.
        n_maps: How many maps there are.
        n_units: Units of the Dense layer.
    """
    figure = new_figure(8.6, 4.0)
    ax = add_axes(figure, figure.add_gridspec(1, 1)[0])
    flat = side * side * n_maps
    largest = flat * n_units
    rows = ((_("Flatten: every place is kept"), flat), (_("Global average: one number for each map"), n_maps))
    for y, (title, n_numbers) in zip((2.3, 0.3), rows, strict=True):
        n_weights = n_numbers * n_units
        _draw_maps(ax, 0.2, y, _("{n_maps} maps of {side} × {side}", n_maps=n_maps, side=side))
        _arrow(ax, 2.1, 3.0, y + 0.6)
        height = 1.3 if n_numbers == flat else 0.3
        ax.add_patch(Rectangle((3.2, y + 0.65 - height / 2), 0.18, height, color=ModelName.SCRATCH.color))
        ax.text(3.5, y + 0.6, _("{n_numbers:,} numbers", n_numbers=n_numbers), va="center", color=INK)
        _arrow(ax, 5.0, 5.9, y + 0.6)
        area = 1.4 * (n_weights / largest) ** 0.5
        ax.add_patch(Rectangle((6.1, y + 0.6 - area / 2), area, area, color=ModelName.SCRATCH.color))
        ax.text(
            6.25 + area,
            y + 0.6,
            _("× {n_units} units\n= {n_weights:,} weights", n_units=n_units, n_weights=n_weights),
            va="center",
            color=INK,
        )
        ax.text(0.2, y + 1.55, title, color=INK, weight="bold")
    set_fonts(ax.texts)
    ax.set_xlim(0, 9.6)
    ax.set_ylim(0, 4.2)
    ax.set_axis_off()
    return with_alt_text(
        figure,
        _(
            "Two ways from {n_maps} feature maps of {side} × {side} places to a Dense layer of {n_units} "
            "units. Flatten keeps all {flat:,} numbers, which takes {largest:,} weights. Global average "
            "pooling keeps {n_maps}, which takes {n_weights:,}.",
            n_maps=n_maps,
            side=side,
            n_units=n_units,
            flat=flat,
            largest=largest,
            n_weights=n_maps * n_units,
        ),
    )


def _draw_maps(ax: Axes, x: float, y: float, text: str) -> None:
    for k in range(4):
        place = (x + 0.18 * k, y + 0.45 - 0.1 * k)
        ax.add_patch(Rectangle(place, 0.75, 0.75, facecolor="white", edgecolor=ModelName.SCRATCH.color))
    ax.text(x, y - 0.12, text, color=INK)


def _arrow(ax: Axes, start: float, end: float, y: float) -> None:
    ax.annotate("", (end, y), (start, y), arrowprops={"arrowstyle": "->", "color": INK})
