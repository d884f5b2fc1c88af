"""The figure of the "sure" study."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import heading_of
from tl_widgets.core.numbers import percent, points
from tl_widgets.core.translation import _
from tl_widgets.plots.glyphs import drawable_names
from tl_widgets.plots.labels import label_of, shortened
from tl_widgets.plots.style import (
    INK,
    PALE,
    PERCENT,
    SMALL_SIZE,
    add_axes,
    color_of,
    draw_grid,
    draw_intervals,
    draw_picture,
    finish_axes,
    fitted_title,
    ink_of,
    legend_below,
    marker_of,
    new_figure,
    set_fonts,
    write_title,
)
from tl_widgets.studies.calibration.result import Bin, Calibration


@checked
def plot_calibration(study: Calibration, *, narrow: bool = False) -> Figure:
    """Draw how sure the models are against how often they are right, and what they do with pictures of something else.

    Args:
        study: a study with at least one model.
        narrow: whether the figure is for a page of half the width.

    Returns:
        A figure with a reliability diagram for each model (with Wilson's intervals; hollow with the temperature), a
        chart of accuracy against the share of images that get an answer, how sure the models are of test images and
        of pictures of none of the classes, and some of these pictures with the models' answers.

    Raises:
        InputError: no model was measured.
    """
    if not study.points:
        raise InputError(_("This study has no model to draw: it was stopped before the first was measured."))
    n = len(study.arms)
    n_columns = 1 if narrow else min(2, n)
    width = 5.2 if narrow else 8.2
    title = _(
        "What the models take pictures of something else for ({strangers_name})", strangers_name=study.strangers.name
    )
    title = fitted_title(title, width - 0.3)
    pictures = 0.5 + min(1.1, width / 5 - 0.15) + 0.17 * n + 0.2 * title.count("\n")
    heights = [(3.3 if narrow else 3.6) * -(-n // n_columns), *([3.4, 3.1] if narrow else [3.5]), pictures]
    figure = new_figure(width, sum(heights))
    pages = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False).ravel()
    grid = pages[0].add_gridspec(-(-n // n_columns), n_columns)
    for i, arm in enumerate(study.arms):
        _draw_reliability(add_axes(pages[0], grid[divmod(i, n_columns)]), study, arm)
    charts = [add_axes(page) for page in pages[1:-1]] if narrow else [
        add_axes(pages[1], place) for place in pages[1].add_gridspec(1, 2)
    ]  # fmt: skip
    _draw_answered(charts[0], study)
    _draw_strangers(charts[1], study)
    _draw_pictures(pages[-1], study, title)
    return figure


def _draw_bins(ax: Axes, bins: tuple[Bin, ...], arm: str, *, scaled: bool) -> None:
    """Draw the bins of one model, larger where there are more images; with the temperature as rings, without bars."""
    x, y, color = [found.sure for found in bins], [found.right for found in bins], color_of(arm)
    if scaled:
        color = INK  # above the others, as the two often lie on each other
        ax.plot(x, y, color=color, linestyle="--", linewidth=1, zorder=4)
    else:
        ends = [found.ci95 for found in bins]
        draw_intervals(ax, x, y, ends, color=color, linewidth=0.8, capsize=2.5, elinewidth=1.1)
    sizes = [(50 if scaled else 20) + 130 * found.n / sum(found.n for found in bins) for found in bins]
    fill = "none" if scaled else color
    ax.scatter(x, y, sizes, marker=marker_of(arm), facecolors=fill, edgecolors=color, zorder=4, clip_on=False)


def _draw_reliability(ax: Axes, study: Calibration, arm: str) -> None:
    color, marker = color_of(arm), marker_of(arm)
    ax.plot([0, 1], [0, 1], color=PALE, linestyle=":", linewidth=1.5)
    for scaled in (False, True):
        _draw_bins(ax, study.bins(arm, scaled=scaled), arm, scaled=scaled)
    before, after = (points(study.error(arm, scaled=scaled).mean) for scaled in (False, True))
    handles = [
        Line2D(
            [], [], color=color, marker=marker, linewidth=2, label=_("as trained, error {before} points", before=before)
        ),
        Line2D(
            [],
            [],
            color=INK,
            marker=marker,
            markersize=8,
            markerfacecolor="none",
            linewidth=1,
            linestyle="--",
            label=_("temperature {temperature:.2f}, error {after}", temperature=study.of(arm).temperature, after=after),
        ),
        Line2D([], [], color=PALE, linestyle=":", linewidth=1.5, label=_("as sure as right")),
    ]
    legend_below(ax, handles)
    _finish_shares(ax, heading_of(arm), x=_("how sure (mean of a tenth)"), y=_("accuracy of these answers"))


def _finish_shares(ax: Axes, title: str, *, x: str, y: str) -> None:
    ax.set_xlim(0, 1.02)
    ax.set_ylim(0, 1.04)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PERCENT)
        axis.set_ticks([0, 0.25, 0.5, 0.75, 1])
    draw_grid(ax, "both")
    finish_axes(ax, title, x=x, y=y)


def _draw_answered(ax: Axes, study: Calibration) -> None:
    handles = []
    for i, arm in enumerate(study.arms):
        n, color = len(study.of(arm).test), color_of(arm)
        dots = (3.0 * i, (1.5, 3.0 * len(study.arms) - 1.5))  # in turn, where the lines lie on each other
        rows = [row for row in study.answered(arm) if row.n_answered]
        x, y = [row.n_answered / n for row in rows], [row.accuracy for row in rows]
        ax.fill_between(x, [row.ci95[0] for row in rows], [row.ci95[1] for row in rows], color=color, alpha=0.13)
        ax.plot(x, y, color=color, marker=marker_of(arm), markersize=5, linewidth=2)
        strange = [row.strangers for row in rows]
        ax.plot(x, strange, color=color, linestyle=dots, linewidth=2)
        label = label_of(arm)
        handles += [
            Line2D(
                [], [], color=color, marker=marker_of(arm), linewidth=2, label=_("{label}: right answers", label=label)
            ),
            Line2D(
                [],
                [],
                color=color,
                linestyle=dots,
                linewidth=2,
                label=_("{label}: answers to something else", label=label),
            ),
        ]
    legend_below(ax, handles)
    _finish_shares(ax, _("“I don't know” for the others"), x=_("test images that get an answer"), y=_("share"))


def _draw_strangers(ax: Axes, study: Calibration) -> None:
    random = np.random.default_rng(0)
    names = list[str]()
    for arm in study.arms:
        point = study.of(arm)
        for label, values in ((_("test images"), point.test), (_("something else"), point.strangers)):
            y = len(names) + random.uniform(-0.22, 0.22, len(values))
            ax.plot(values, y, ".", color=color_of(arm), alpha=0.35, markersize=5)
            mean = float(np.mean(values))
            ax.plot([mean, mean], [len(names) - 0.36, len(names) + 0.36], color=INK, linewidth=2)
            names.append(f"{label_of(arm)},\n{label}: {percent(mean, 0)}")
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_xlim(0, 1.02)
    ax.xaxis.set_major_formatter(PERCENT)
    draw_grid(ax, "x")
    legend_below(ax, [Line2D([], [], color=INK, linewidth=2, label=_("mean"))])
    finish_axes(ax, _("Pictures of none of the classes"), x=_("how sure"))


def _draw_pictures(page: Any, study: Calibration, title: str) -> None:
    names = drawable_names(study.dataset.class_names)
    write_title(page, title)
    grid = page.add_gridspec(1, max(1, len(study.pictures)))
    for i in range(len(study.pictures)):
        ax = add_axes(page, grid[i])
        draw_picture(ax, study.picture(i))
        for k, arm in enumerate(study.arms):
            point = study.of(arm)
            answer = f"{shortened(names[point.answers[i]], 14)}, {percent(point.strangers[i], 0)}"
            style: dict[str, Any] = {"fontsize": SMALL_SIZE, "color": ink_of(arm), "ha": "center", "va": "top"}
            set_fonts([ax.annotate(answer, (0.5, 0), (0, -4 - 12 * k), "axes fraction", "offset points", **style)])
