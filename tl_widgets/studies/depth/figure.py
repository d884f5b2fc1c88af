"""The figure of the "depth" study."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import count_text, milliseconds_text
from tl_widgets.core.translation import _
from tl_widgets.plots.style import (
    INK,
    add_axes,
    color_of,
    draw_chance,
    draw_intervals,
    finish_axes,
    fitted_title,
    legend_below,
    marker_of,
    new_figure,
    set_share_axis,
    write_title,
)
from tl_widgets.studies.depth.result import DepthStudy, weights_of


@checked
def plot_depth(study: DepthStudy, *, narrow: bool = False) -> Figure:
    """Draw accuracy, and the share of the backbone's parameters and time, against the block after which it is cut.

    Args:
        study: a study with at least one point.
        narrow: whether the figure is for a page of half the width.

    Returns:
        A figure with a chart of test accuracy (Wilson's intervals), in which a vertical line marks the cut that the
        validation images choose, and a chart of what each cut costs.

    Raises:
        InputError: no point was measured.
    """
    if not study.points:
        raise InputError(_("This study has no point to draw: it was stopped before the first."))
    title = fitted_title(study.headline, 4.9 if narrow else 8.3)
    height = (6.6 if narrow else 3.7) + 0.22 * title.count("\n")
    figure = new_figure(5.2 if narrow else 8.6, height)
    grid = figure.add_gridspec(2, 1) if narrow else figure.add_gridspec(1, 2, width_ratios=(1.5, 1))
    _draw_accuracy(add_axes(figure, grid[0]), study)
    _draw_cost(add_axes(figure, grid[1]), study)
    write_title(figure, title)
    return figure


def _draw_accuracy(ax: Axes, study: DepthStudy) -> None:
    for i, arm in enumerate(study.arms):
        found = [point for depth in study.depths if (point := study.point(arm, depth.block))]
        x = [point.block + 0.14 * (i - (len(study.arms) - 1) / 2) for point in found]
        style: dict[str, Any] = {"color": color_of(arm), "marker": marker_of(arm), "markersize": 5, "linewidth": 1.8}
        ends = [point.ci95 for point in found]
        draw_intervals(ax, x, [point.accuracy for point in found], ends, capsize=2.5, elinewidth=1.1, **style)
    chosen = study.chosen
    handles = [Line2D([], [], color=color_of(arm), marker=marker_of(arm), label=weights_of(arm)) for arm in study.arms]
    handles.append(draw_chance(ax, study.chance))
    if chosen:
        color = ModelName.TRANSFER.color
        ax.axvline(chosen.block, color=color, linestyle="--", linewidth=1.1, zorder=0)
        handles.append(
            Line2D([], [], color=color, linestyle="--", linewidth=1.1, label=_("chosen by validation images"))
        )
    legend_below(ax, handles, n_columns=2)
    _finish(ax, study, _("Accuracy on the test images"))


def _draw_cost(ax: Axes, study: DepthStudy) -> None:
    whole = study.whole
    lines: tuple[tuple[str, list[float], Any, str, str], ...] = (
        (
            _("time"),
            [depth.ms_per_image for depth in study.depths],
            "-",
            "o",
            _("{milliseconds} an image", milliseconds=milliseconds_text(whole.ms_per_image)),
        ),
        (_("parameters"), [depth.n_params for depth in study.depths], "--", "s", count_text(whole.n_params)),
    )
    blocks = [depth.block for depth in study.depths]
    handles = []
    for name, values, style, marker, text in lines:
        shares = [value / max(values[-1], 1e-9) for value in values]
        ax.plot(blocks, shares, color=INK, linestyle=style, marker=marker, markersize=4, linewidth=1.6)
        label = _("{name} (whole: {text})", name=name, text=text)
        handles.append(Line2D([], [], color=INK, linestyle=style, marker=marker, markersize=4, label=label))
    legend_below(ax, handles)
    _finish(ax, study, _("Share of the whole backbone"))


def _finish(ax: Axes, study: DepthStudy, title: str) -> None:
    n = study.whole.block
    ax.set_xlim(0.5, n + 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    set_share_axis(ax)
    finish_axes(ax, title, x=_("cut after block (of {n}; the last: whole)", n=n))
