"""The figure of the "size" study."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import points
from tl_widgets.core.translation import _
from tl_widgets.plots.labels import label_of
from tl_widgets.plots.style import (
    INK,
    PALE,
    add_axes,
    color_of,
    draw_grid,
    draw_intervals,
    draw_picture,
    finish_axes,
    legend_below,
    marker_of,
    new_figure,
    set_share_axis,
)
from tl_widgets.records.statistics import Mean
from tl_widgets.studies.image_size.result import ARMS, SizeStudy


@checked
def plot_size_study(study: SizeStudy, *, narrow: bool = False) -> Figure:
    """Draw accuracy and the lead of the frozen backbone by image size, or by kind of images.

    Args:
        study: a study with at least one point.
        narrow: whether the figure is for a page of half the width.

    Returns:
        A figure with a test image of each condition, a chart of both accuracies, and a chart of their difference, with
        t intervals over the images.

    Raises:
        InputError: no point was measured.
    """
    if not study.points:
        raise InputError(_("This study has no point to draw: it was stopped before the first."))
    n = len(study.conditions)
    figure = new_figure(5.2, 8.2) if narrow else new_figure(8.6, 5.2)
    heights = (1.2, 7) if narrow else (1.2, 4)
    pictures, charts = figure.subfigures(2, 1, height_ratios=heights, squeeze=False).ravel()
    row = pictures.add_gridspec(1, n)
    for i, name in enumerate(study.names):
        ax = add_axes(pictures, row[0, i])
        draw_picture(ax, study.picture(i), interpolation="nearest")
        finish_axes(ax, "", x=name)
        for spine in ax.spines.values():
            spine.set_visible(False)
    grid = charts.add_gridspec(2, 1) if narrow else charts.add_gridspec(1, 2)
    _draw_accuracies(add_axes(charts, grid[0]), study)
    _draw_leads(add_axes(charts, grid[1]), study)
    return figure


def _draw_accuracies(ax: Axes, study: SizeStudy) -> None:
    for i, arm in enumerate(ARMS):
        found = {at: mean for at in range(len(study.conditions)) if (mean := study.accuracy(at, arm))}
        _draw_means(ax, study, found, 0.08 * (i - 0.5), color_of(arm), marker_of(arm))
    handles = [Line2D([], [], color=color_of(arm), marker=marker_of(arm), label=label_of(arm)) for arm in ARMS]
    legend_below(ax, handles, n_columns=2)
    set_share_axis(ax)
    _finish(ax, study, _("Both models"), _("accuracy on the test images"))


def _draw_leads(ax: Axes, study: SizeStudy) -> None:
    found = {at: lead for at in range(len(study.conditions)) if (lead := study.lead(at))}
    ax.axhline(0, color=PALE, linewidth=1.2)
    _draw_means(ax, study, found, 0.0, INK, "D")
    ax.yaxis.set_major_formatter(lambda lead, _: points(lead, 0, signed=abs(lead) > 1e-9))
    _finish(ax, study, _("Transfer minus scratch"), _("points of accuracy, paired by image"))


def _draw_means(ax: Axes, study: SizeStudy, found: dict[int, Mean], shift: float, color: str, marker: str) -> None:
    style = "-" if study.vary == "size" else "none"  # kinds of images have no order
    means = found.values()
    x, y, ends = [at + shift for at in found], [mean.mean for mean in means], [mean.ci95 for mean in means]
    draw_intervals(ax, x, y, ends, color=color, marker=marker, linestyle=style, linewidth=2)


def _finish(ax: Axes, study: SizeStudy, title: str, y: str) -> None:
    ax.set_xlim(-0.5, len(study.conditions) - 0.5)
    ax.set_xticks(range(len(study.conditions)), list(study.names), parse_math=False)
    draw_grid(ax, "y")
    finish_axes(ax, title, x=_("image size") if study.vary == "size" else _("kind of images"), y=y)
