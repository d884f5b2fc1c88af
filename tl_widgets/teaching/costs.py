"""What backbones cost, as a figure: milliseconds against parameters."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import short_count
from tl_widgets.plots.point_labels import NamedPoint, name_points
from tl_widgets.plots.style import COUNT, draw_grid, dress, new_axes
from tl_widgets.studies.backbones.result import BackboneCost
from tl_widgets.teaching.show import with_words


def plot_costs(costs: Sequence[BackboneCost]) -> Axes:
    """Measured milliseconds per image against parameters, a point for each backbone.

    Args:
        costs: at least one.
    """
    ax = new_axes(7.5, 4.2)
    x, y = [each.n_params for each in costs], [each.ms_per_image for each in costs]
    ax.plot(x, y, color=ModelName.TRANSFER.color, marker="s", markersize=8, linestyle="none")
    ax.set_xlim(0, 1.25 * max(x))
    ax.set_ylim(0, 1.2 * max(y))
    ax.xaxis.set_major_formatter(COUNT)
    draw_grid(ax, "both")
    name_points(ax, [NamedPoint(each.name, a, b, b, b) for each, a, b in zip(costs, x, y, strict=True)])
    sizes = " and ".join(sorted({f"{each.image_size} × {each.image_size}" for each in costs}))
    title = "Does time follow the number of parameters?"
    dress(ax, title, x="parameters without top", y=f"milliseconds for an image of {sizes} pixels")
    said = "; ".join(f"{each.name} {short_count(each.n_params)}, {each.ms_per_image:.2f} ms" for each in costs)
    return with_words(ax, f"Scatter chart of milliseconds per image against parameters: {said}.")
