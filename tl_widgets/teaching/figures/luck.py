"""How luck with the test photographs decides who looks best."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import percent
from tl_widgets.plots.style import INK, PERCENT, add_axes, draw_grid, finish_axes, legend_below, new_figure
from tl_widgets.teaching.show import with_alt_text


def plot_luck(shown: ArrayLike, true: float) -> Figure:
    """Draw what equally good models show in a test, and below it what the best of each contest shows.

    Args:
        shown: Accuracies, 0..1, shape (contests, models).
        true: The accuracy that all of them have.
    """
    scores = np.asarray(shown, np.float64)
    best = scores.max(axis=1)
    steps = np.unique(scores)
    width = float(np.diff(steps).min()) if len(steps) > 1 else 0.01
    figure = new_figure(7.5, 4.8)
    grid = figure.add_gridspec(2, 1)
    series = (("any one of them", scores.ravel()), (f"the best of {scores.shape[1]}", best))
    for i, (name, values) in enumerate(series):
        ax = add_axes(figure, grid[i])
        at, counts = np.unique(values, return_counts=True)
        ax.bar(at, counts / len(values), 0.6 * width, color=ModelName.TRANSFER.color)
        ax.axvline(true, color=INK, linestyle=":", linewidth=1.5, label=f"all are this good ({percent(true, 0)})")
        ax.set_xlim(steps[0] - width, max(steps[-1], true) + width)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(PERCENT)
        draw_grid(ax, "y")
        title = f"What {name} shows: {percent(values.mean(), 0)} on average"
        finish_axes(ax, title, x="accuracy in the test" if i else "", y="how often")
    legend_below(ax, ax.get_legend_handles_labels()[0])
    return with_alt_text(
        figure,
        f"Two bar charts of {len(scores):,} contests. All models are right about {percent(true, 0)}. One model shows "
        f"{percent(scores.mean(), 0)} on average, the best of {scores.shape[1]} {percent(best.mean(), 0)}.",
    )
