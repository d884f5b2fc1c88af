"""Two models picture by picture."""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _
from tl_widgets.plots.labels import label_of
from tl_widgets.plots.style import INK, PALE, color_of, finish_axes, legend_below, new_axes
from tl_widgets.records.run import RunResult
from tl_widgets.teaching.show import with_alt_text


def plot_pairs(first: RunResult, second: RunResult) -> Axes:
    """Draw each test image as a square that shows which of two models got it right.

    Raises:
        InputError: They weren't tested on the same images.
    """
    if not first.labels or first.labels != second.labels:
        raise InputError(_("These two models weren't tested on the same images."))
    right1, right2 = (np.equal(run.predictions, run.labels) for run in (first, second))
    kinds = (
        (_("only {label} right", label=label_of(first.name)), right1 & ~right2, color_of(first.name)),
        (_("only {label} right", label=label_of(second.name)), right2 & ~right1, color_of(second.name)),
        (_("both right"), right1 & right2, "#dddddd"),
        (_("neither right"), ~right1 & ~right2, "white"),
    )
    colors = [color for _, rows, color in kinds for _ in range(rows.sum())]
    n_rows = max(2, ceil(sqrt(len(colors) / 6)))
    n_columns = ceil(len(colors) / n_rows)
    ax = new_axes(7.5, 1.3 + 7 * n_rows / n_columns)
    for i, color in enumerate(colors):
        column, row = divmod(i, n_rows)
        ax.add_patch(Rectangle((column, -row), 0.86, 0.86, facecolor=color, edgecolor=PALE, linewidth=0.8))
    ax.set_xlim(-0.1, n_columns)
    ax.set_ylim(0.96 - n_rows, 1)
    ax.set_aspect("equal")
    ax.set_xticks([])
    ax.set_yticks([])
    counts = [f"{name}: {rows.sum()}" for name, rows, _ in kinds]
    handles = [
        Rectangle((0, 0), 1, 1, facecolor=color, edgecolor=INK, linewidth=0.5, label=count)
        for (_, _, color), count in zip(kinds, counts, strict=True)
    ]
    legend_below(ax, handles, n_columns=2)
    finish_axes(ax, _("The {n_colors} test images, one square each", n_colors=len(colors)))
    ax.spines[:].set_visible(False)
    return with_alt_text(
        ax,
        _(
            "A square for each of {n_colors} test images, colored. {counts}.",
            n_colors=len(colors),
            counts="; ".join(counts),
        ),
    )
