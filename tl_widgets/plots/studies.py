"""Figures of the studies of data and of time."""

from __future__ import annotations

import textwrap

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from tl_widgets.core.errors import InputError
from tl_widgets.plots.labels import seconds_text
from tl_widgets.plots.style import (
    INK,
    PALE,
    PERCENT,
    colour_of,
    draw_grid,
    dress,
    label_of,
    legend_below,
    marker_of,
    new_axes,
)
from tl_widgets.records.comparison import percent
from tl_widgets.records.curves import LearningCurve, TimeCurve, TimeStudy


def plot_learning_curve(curve: LearningCurve, *, ax: Axes | None = None) -> Axes:
    """Test accuracy against training images per class.

    Args:
        curve: with at least one point.
        ax: where to draw; a new figure without it.

    Returns:
        The axes: for each model a line of means with t intervals over the seeds, a small dot for each seed, a dotted
        line at chance, and an arrow between the sizes with which both models are equally good.

    Raises:
        InputError: no point was measured.
    """
    if not curve.points:
        raise InputError("This learning curve has no point to draw: it was stopped before the first.")
    ax = new_axes(7.5, 5.2) if ax is None else ax
    sizes = curve.n_per_class
    for i, arm in enumerate(curve.arms):
        _draw_arm(ax, curve, arm, shift=1.03 ** (i - 1))
    ax.axhline(curve.chance, color=PALE, linestyle=":", linewidth=1.5)
    _draw_ratio(ax, curve)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_locator(FixedLocator(list(sizes)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda n, _: f"{n:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(sizes[0] / 1.25, sizes[-1] * 1.25)
    ax.set_ylim(0, 1.04)
    ax.yaxis.set_major_formatter(PERCENT)
    draw_grid(ax, "y")
    legend_below(ax, _handles(curve), n_columns=2)
    title = textwrap.fill(curve.sentences[0], 76) if curve.sentences else "How much data"
    dress(ax, title, x="training images per class (log scale)", y="accuracy on the test images")
    return ax


def _draw_arm(ax: Axes, curve: LearningCurve, arm: str, *, shift: float) -> None:
    colour, means = colour_of(arm), curve.means(arm)
    points = [point for point in curve.points if point.arm == arm]
    ax.plot(
        [point.n_per_class * shift for point in points],
        [point.test_accuracy for point in points],
        color=colour,
        marker=".",
        markersize=5,
        alpha=0.4,
        linestyle="none",
    )
    # A hair beside each other, so that intervals at the same size can be told apart.
    x, y = [n * shift for n, _ in means], [mean.mean for _, mean in means]
    intervals = [mean.ci95 or (mean.mean, mean.mean) for _, mean in means]
    reach = [
        [a - low for a, (low, _) in zip(y, intervals, strict=True)],
        [high - a for a, (_, high) in zip(y, intervals, strict=True)],
    ]
    ax.errorbar(x, y, yerr=reach, color=colour, marker=marker_of(arm), linewidth=2.2, capsize=4, elinewidth=1.4)


def _draw_ratio(ax: Axes, curve: LearningCurve) -> None:
    ratio = curve.data_ratio
    if ratio is None or 0.8 < ratio.ratio < 1.25:
        return
    ends = sorted((ratio.scratch, ratio.transfer))
    arrow = {"arrowstyle": "<->", "color": INK, "linewidth": 1.2}
    ax.annotate("", (ends[0], ratio.accuracy), (ends[1], ratio.accuracy), arrowprops=arrow, zorder=4)


def _handles(curve: LearningCurve) -> list[Line2D]:
    handles = [
        Line2D(
            [], [], color=colour_of(arm), marker=marker_of(arm), linewidth=2.2, label=label_of(arm, _backbone(curve))
        )
        for arm in curve.arms
    ]
    n = len(curve.seeds)
    seeds = f"each seed; bars: 95% t interval of the mean of {n}" if n > 1 else "the one seed: no interval"
    handles.append(Line2D([], [], color=PALE, marker=".", linestyle="none", label=seeds))
    chance = f"chance ({percent(curve.chance)})"
    handles.append(Line2D([], [], color=PALE, linestyle=":", linewidth=1.5, label=chance))
    return handles


def _backbone(curve: LearningCurve) -> str:
    return curve.config.backbone


def plot_time(study: TimeStudy, *, ax: Axes | None = None) -> Axes:
    """Accuracy on the validation images against seconds, the reading of features included.

    Args:
        study: with at least one model that finished an epoch.
        ax: where to draw; a new figure without it.

    Returns:
        The axes: a line for each model, dotted while features are read, a dashed line at the target, and a
        ring where each model first reaches it.

    Raises:
        InputError: no epoch was finished.
    """
    curves = [curve for curve in study.curves if curve.seconds]
    if not curves:
        raise InputError("This study has no epoch to draw: it was stopped before the first.")
    ax = new_axes(7.5, 4.8) if ax is None else ax
    ax.axhline(study.target, color=PALE, linestyle="--", linewidth=1.2)
    for curve in curves:
        _draw_time(ax, curve, study.target)
    last = max(curve.seconds[-1] for curve in curves)
    ax.set_xlim(-0.02 * last, last * 1.04)
    ax.xaxis.set_major_locator(MaxNLocator(8))
    ax.set_ylim(0, 1.04)
    ax.yaxis.set_major_formatter(PERCENT)
    draw_grid(ax, "y")
    handles = [_time_handle(curve, study.target) for curve in curves]
    target = Line2D([], [], color=PALE, linestyle="--", linewidth=1.2, label=f"target: {percent(study.target)}")
    reading = Line2D([], [], color=PALE, linestyle=":", linewidth=2, label="reading features")
    legend_below(ax, [*handles, target, *([reading] if any(c.backbone for c in curves) else [])], n_columns=2)
    title = textwrap.fill(study.sentences[-1], 76)
    dress(ax, title, x="seconds of wall-clock time", y="accuracy on the validation images")
    return ax


def _draw_time(ax: Axes, curve: TimeCurve, target: float) -> None:
    colour, marker = colour_of(curve.name), marker_of(curve.name)
    ax.plot(curve.seconds, curve.accuracy, color=colour, marker=marker, markersize=4, linewidth=2.2)
    if curve.backbone:
        ax.plot([0, curve.reading, curve.seconds[0]], [0.015, 0.015, curve.accuracy[0]], color=colour, linestyle=":")
    seconds = curve.time_to(target)
    if seconds is not None:
        ax.plot([seconds], [target], marker="o", markersize=12, color=colour, fillstyle="none", linestyle="none")


def _time_handle(curve: TimeCurve, target: float) -> Line2D:
    seconds = curve.time_to(target)
    end = f": {seconds_text(seconds)}" if seconds is not None else ": never"
    label = label_of(curve.name, curve.backbone if curve.name == "transfer" else "") + end
    return Line2D([], [], color=colour_of(curve.name), marker=marker_of(curve.name), linewidth=2.2, label=label)
