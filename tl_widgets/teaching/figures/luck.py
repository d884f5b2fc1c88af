"""How luck with the test photographs decides who looks best."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import percent
from tl_widgets.plots.style import INK, PALE, PERCENT, draw_grid, finish_axes, legend_below, new_axes
from tl_widgets.teaching.show import with_alt_text


def plot_luck(shown: ArrayLike, true: float) -> Axes:
    """Draw what equally good models show in a test, and what the best of each contest shows.

    Args:
        shown: Accuracies, 0..1, shape (contests, models).
        true: The accuracy that all of them have.
    """
    scores = np.asarray(shown, np.float64)
    best = scores.max(axis=1)
    steps = np.unique(scores)
    width = float(np.diff(steps).min()) if len(steps) > 1 else 0.01
    ax = new_axes(7.5, 3.6)
    series = (
        ("one model", scores.ravel(), PALE, -1),
        (f"the best of {scores.shape[1]}", best, ModelName.TRANSFER.color, 1),
    )
    for label, values, color, side in series:
        at, counts = np.unique(values, return_counts=True)
        ax.bar(at + side * width / 4, counts / len(values), width / 2, color=color, label=label)
    ax.axvline(true, color=INK, linestyle=":", linewidth=1.5, label=f"all are this good ({percent(true, 0)})")
    ax.xaxis.set_major_formatter(PERCENT)
    ax.yaxis.set_major_formatter(PERCENT)
    draw_grid(ax, "y")
    legend_below(ax, ax.get_legend_handles_labels()[0], n_columns=3)
    finish_axes(ax, "Choosing the best chooses the luckiest", x="accuracy in the test", y="how often")
    return with_alt_text(
        ax,
        f"Bar chart of {len(scores):,} contests. All models are right about {percent(true, 0)}. One model shows "
        f"{percent(scores.mean(), 0)} on average, the best of {scores.shape[1]} {percent(best.mean(), 0)}.",
    )
