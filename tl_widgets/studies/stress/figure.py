"""The figure of the "stress" study."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import points
from tl_widgets.core.translation import _
from tl_widgets.plots.labels import label_of
from tl_widgets.plots.style import (
    INK,
    LABEL_SIZE,
    PALE,
    SMALL_SIZE,
    TITLE_SIZE,
    add_axes,
    color_of,
    draw_intervals,
    finish_axes,
    fitted_title,
    marker_of,
    new_figure,
    set_fonts,
    set_share_axis,
)
from tl_widgets.studies.stress.changes import SEVERITIES, Change, change_images
from tl_widgets.studies.stress.result import StressTest

_PANEL = 2.75, 2.75  # inches


@checked
def plot_stress(study: StressTest, *, narrow: bool = False) -> Figure:
    """Draw accuracy against severity, with a panel for each change.

    Args:
        study: a study with at least one measured change.
        narrow: whether the figure is for a page of half the width.

    Returns:
        A figure with one panel for each change. Above its chart, a test image at each severity; in the chart, a line
        for each model with Wilson's intervals; below, transfer minus scratch at the strongest, paired by image.

    Raises:
        InputError: no change was measured.
    """
    changes = study.measured
    if not changes:
        raise InputError(_("This study has no change to draw: it was stopped before the first."))
    n_columns = min(2 if narrow else 3, len(changes))
    n_rows = ceil(len(changes) / n_columns)
    title = fitted_title(study.headline, _PANEL[0] * n_columns - 0.2)
    head = 0.4 + 0.2 * title.count("\n")  # inches
    width, height = _PANEL[0] * n_columns, _PANEL[1] * n_rows + head + 0.5
    figure = new_figure(width, height)
    figure.set_layout_engine("none")  # the pictures stand exactly above their severities
    pictures = study.pictures
    colorful = int(np.argmax(np.ptp(pictures.astype(np.int64), axis=-1).mean(axis=(1, 2))))
    for i, change in enumerate(changes):
        row, column = divmod(i, n_columns)
        left, top = column * _PANEL[0] + 0.52, height - head - 0.1 - row * _PANEL[1]
        picture = pictures[colorful if change.name == "gray" else i % len(pictures)]
        _draw_panel(figure, study, change, picture, left, top, (width, height))
    texts = [figure.text(0.08 / width, 1 - 0.1 / height, title, va="top", fontsize=TITLE_SIZE, fontweight="bold")]
    handles = [
        Line2D([], [], color=color_of(arm), marker=marker_of(arm), linewidth=2, label=label_of(arm))
        for arm in study.arms
    ]
    legend = figure.legend(
        handles=handles, loc="lower left", ncols=len(handles), frameon=False, fontsize=LABEL_SIZE, borderaxespad=0.2
    )
    set_fonts([*texts, *legend.get_texts()])
    return figure


def _draw_panel(
    figure: Figure,
    study: StressTest,
    change: Change,
    example: NDArray[np.uint8],
    left: float,
    top: float,
    page: tuple[float, float],
) -> None:
    """Draw one change, with an example; `left` and `top` are inches, `page` the figure's size."""
    wide = _PANEL[0] - 0.62
    cell = wide / 4
    chart = _place(figure, left, top - 0.28 - cell - 1.35, wide, 1.3, page)
    for severity in (0, *SEVERITIES):
        picture = _place(figure, left + severity * cell + 0.02, top - 0.25 - cell, cell - 0.04, cell - 0.04, page)
        picture.imshow(change_images(example[None], change, severity, seed=study.config.seed)[0])
        picture.set_axis_off()
    _draw_lines(chart, study, change)
    lead = study.lead(change.name, SEVERITIES[-1])
    below = ""
    if lead is not None:
        low, high = (points(end, 0) for end in lead.ci95)
        below = _(
            "transfer at strong: {lead_difference} points\n(95% interval {low} to {high})",
            lead_difference=points(lead.difference, 0, signed=True),
            low=low,
            high=high,
        )
    texts = [
        figure.text(left / page[0], (top - 0.18) / page[1], change.label, fontsize=LABEL_SIZE, fontweight="bold"),
        figure.text(left / page[0], (top - 0.28 - cell - 1.58) / page[1], below, fontsize=SMALL_SIZE - 0.5, va="top"),
    ]
    set_fonts(texts)


def _place(figure: Figure, left: float, bottom: float, wide: float, high: float, page: tuple[float, float]) -> Axes:
    axes = add_axes(figure)
    axes.set_position((left / page[0], bottom / page[1], wide / page[0], high / page[1]))
    return axes


def _draw_lines(ax: Axes, study: StressTest, change: Change) -> None:
    for i, arm in enumerate(study.arms):
        found = {s: value for s in (0, *SEVERITIES) if (value := study.accuracy(arm, change.name, s))}
        shift = 0.06 * (i - (len(study.arms) - 1) / 2)
        x, y = [severity + shift for severity in found], [value[0] for value in found.values()]
        ends = [interval for _, interval in found.values()]
        style: dict[str, Any] = {"color": color_of(arm), "marker": marker_of(arm), "markersize": 4, "linewidth": 1.8}
        draw_intervals(ax, x, y, ends, capsize=2.5, elinewidth=1.1, **style)
    ax.set_xlim(-0.5, 3.5)
    set_share_axis(ax)
    ax.set_yticks([0, 0.5, 1])
    ax.set_xticks([0, 1, 2, 3], [_("unchanged"), _("mild"), _("medium"), _("strong")])
    finish_axes(ax, "")
    ax.tick_params(labelsize=SMALL_SIZE - 1, colors=INK)
    for spine in ax.spines.values():
        spine.set_color(PALE)
