"""The figure of the "time" study."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import percent, seconds_text
from tl_widgets.core.translation import _
from tl_widgets.plots.labels import label_of
from tl_widgets.plots.style import (
    PALE,
    color_of,
    finish_axes,
    fitted_title,
    legend_below,
    marker_of,
    new_axes,
    set_share_axis,
)
from tl_widgets.studies.time.result import TimeCurve, TimeStudy


@checked
def plot_time(study: TimeStudy, *, ax: Axes | None = None, narrow: bool = False) -> Axes:
    """Draw validation accuracy against seconds, including the reading of features.

    Args:
        study: a study with at least one finished epoch.
        ax: the axes to draw on; a new figure if None.
        narrow: whether the figure is for a page of half the width.

    Returns:
        The axes. Each model is a line, dotted while its features are read. A dashed line marks the target, and a
        ring the point where a model first reaches it.

    Raises:
        InputError: no epoch was finished.
    """
    curves = [curve for curve in study.curves if curve.seconds]
    if not curves:
        raise InputError(_("This study has no epoch to draw: it was stopped before the first."))
    ax = new_axes(*(5.2, 5.0) if narrow else (7.5, 4.8)) if ax is None else ax
    ax.axhline(study.target, color=PALE, linestyle="--", linewidth=1.2)
    for curve in curves:
        _draw_time(ax, curve, study.target)
    last = max(curve.seconds[-1] for curve in curves)
    ax.set_xlim(-0.02 * last, last * 1.04)
    ax.xaxis.set_major_locator(MaxNLocator(5 if narrow else 8))
    set_share_axis(ax)
    handles = [_time_handle(curve, study) for curve in curves]
    target = Line2D(
        [], [], color=PALE, linestyle="--", linewidth=1.2, label=_("target: {target}", target=percent(study.target))
    )
    reading = Line2D([], [], color=PALE, linestyle=":", linewidth=2, label=_("reading features"))
    legend_below(
        ax, [*handles, target, *([reading] if any(c.backbone for c in curves) else [])], n_columns=1 if narrow else 2
    )
    title = fitted_title(study.sentences[-1], 4.2 if narrow else 6.5)
    finish_axes(ax, title, x=_("seconds of wall-clock time"), y=_("accuracy on the validation images"))
    return ax


def _draw_time(ax: Axes, curve: TimeCurve, target: float) -> None:
    color, marker = color_of(curve.name), marker_of(curve.name)
    ax.plot(curve.seconds, curve.accuracy, color=color, marker=marker, markersize=4, linewidth=2.2)
    if curve.backbone:
        ax.plot([0, curve.reading, curve.seconds[0]], [0.015, 0.015, curve.accuracy[0]], color=color, linestyle=":")
    seconds = curve.time_to(target)
    if seconds is not None:
        ax.plot([seconds], [target], marker="o", markersize=12, color=color, fillstyle="none", linestyle="none")


def _time_handle(curve: TimeCurve, study: TimeStudy) -> Line2D:
    seconds = curve.time_to(study.target)
    end = f": {seconds_text(seconds)}" if seconds is not None else _(": not yet") if study.stopped else _(": never")
    label = label_of(curve.name, curve.backbone if curve.name == ModelName.TRANSFER else "") + end
    return Line2D([], [], color=color_of(curve.name), marker=marker_of(curve.name), linewidth=2.2, label=label)
