"""The figure of the "data" study."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import number_text
from tl_widgets.core.translation import _
from tl_widgets.plots.labels import label_of
from tl_widgets.plots.style import (
    INK,
    PALE,
    color_of,
    draw_chance,
    draw_intervals,
    finish_axes,
    fitted_title,
    legend_below,
    marker_of,
    new_axes,
    set_share_axis,
)
from tl_widgets.studies.learning_curve.result import LearningCurve


@checked
def plot_learning_curve(curve: LearningCurve, *, ax: Axes | None = None, narrow: bool = False) -> Axes:
    """Draw test accuracy against training images per class.

    Args:
        curve: a learning curve with at least one point.
        ax: the axes to draw on; a new figure if None.
        narrow: whether the figure is for a page of half the width.

    Returns:
        The axes. Each model is a line of means with t intervals over the seeds, and a small dot for each seed. A
        dotted line marks chance, and an arrow joins the sizes at which both models are equally accurate.

    Raises:
        InputError: no point was measured.
    """
    if not curve.points:
        raise InputError(_("This learning curve has no point to draw: it was stopped before the first."))
    ax = new_axes(*(5.2, 5.6) if narrow else (7.5, 5.2)) if ax is None else ax
    sizes = curve.n_per_class
    for i, arm in enumerate(curve.arms):
        _draw_arm(ax, curve, arm, shift=1.03 ** (i - 1))
    chance = draw_chance(ax, curve.chance)
    _draw_ratio(ax, curve)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_locator(FixedLocator(list(sizes)))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda n, _: number_text(n)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.set_xlim(sizes[0] / 1.25, sizes[-1] * 1.25)
    set_share_axis(ax)
    legend_below(ax, [*_handles(curve), chance], n_columns=1 if narrow else 2)
    title = fitted_title(curve.sentences[0], 4.2 if narrow else 6.5) if curve.sentences else _("How much data")
    finish_axes(ax, title, x=_("training images per class (log scale)"), y=_("accuracy on the test images"))
    return ax


def _draw_arm(ax: Axes, curve: LearningCurve, arm: str, *, shift: float) -> None:
    color, means = color_of(arm), curve.means(arm)
    points = [point for point in curve.points if point.arm == arm]
    ax.plot(
        [point.n_per_class * shift * 1.03 for point in points],  # beside the bar, which would hide them
        [point.test_accuracy for point in points],
        color=color,
        marker=".",
        markersize=7,
        alpha=0.6,
        linestyle="none",
    )
    # Shifted a little, so intervals at the same size do not hide each other.
    x, y, ends = [n * shift for n, _ in means], [mean.mean for _, mean in means], [mean.ci95 for _, mean in means]
    draw_intervals(ax, x, y, ends, color=color, marker=marker_of(arm), linewidth=2.2, capsize=4, elinewidth=1.4)


def _draw_ratio(ax: Axes, curve: LearningCurve) -> None:
    ratio = curve.data_ratio
    if curve.stopped or ratio is None or 0.8 < ratio.ratio < 1.25:
        return
    ends = sorted((ratio.scratch, ratio.transfer))
    arrow = {"arrowstyle": "<->", "color": INK, "linewidth": 1.2}
    ax.annotate("", (ends[0], ratio.accuracy), (ends[1], ratio.accuracy), arrowprops=arrow, zorder=4)


def _handles(curve: LearningCurve) -> list[Line2D]:
    handles = [
        Line2D([], [], color=color_of(arm), marker=marker_of(arm), linewidth=2.2, label=label_of(arm, _backbone(curve)))
        for arm in curve.arms
    ]
    n = len(curve.seeds)
    seeds = _("each seed; bars: 95% t interval of the mean of {n}", n=n) if n > 1 else _("the one seed: no interval")
    handles.append(Line2D([], [], color=PALE, marker=".", linestyle="none", label=seeds))
    return handles


def _backbone(curve: LearningCurve) -> str:
    return curve.config.backbone
