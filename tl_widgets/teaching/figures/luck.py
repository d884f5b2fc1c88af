"""How luck with the test photographs decides who looks best."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import percent
from tl_widgets.core.translation import _
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
    series = ((_("any one of them"), scores.ravel()), (_("the best of {shape}", shape=scores.shape[1]), best))
    for i, (name, values) in enumerate(series):
        ax = add_axes(figure, grid[i])
        at, counts = np.unique(values, return_counts=True)
        ax.bar(at, counts / len(values), 0.6 * width, color=ModelName.TRANSFER.color)
        ax.axvline(
            true, color=INK, linestyle=":", linewidth=1.5, label=_("all are this good ({true})", true=percent(true, 0))
        )
        ax.set_xlim(steps[0] - width, max(steps[-1], true) + width)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(PERCENT)
        draw_grid(ax, "y")
        title = _("What {name} shows: {mean} on average", name=name, mean=percent(values.mean(), 0))
        finish_axes(ax, title, x=_("accuracy in the test") if i else "", y=_("how often"))
    legend_below(ax, ax.get_legend_handles_labels()[0])
    return with_alt_text(
        figure,
        _(
            "Two bar charts of {n_scores:,} contests. All models are right about {true}. One model shows "
            "{single} on average, the best of {n} {best}.",
            n_scores=len(scores),
            true=percent(true, 0),
            single=percent(scores.mean(), 0),
            n=scores.shape[1],
            best=percent(best.mean(), 0),
        ),
    )
