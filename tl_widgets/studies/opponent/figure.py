"""The figure of the "opponent" study."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import points, points_range
from tl_widgets.core.translation import _
from tl_widgets.plots.labels import label_of
from tl_widgets.plots.style import (
    add_axes,
    color_of,
    draw_intervals,
    finish_axes,
    legend_below,
    marker_of,
    new_figure,
    set_share_axis,
)
from tl_widgets.studies.opponent.result import ARMS, TunedOpponent

_TITLES = {False: _("default settings"), True: _("tuned")}


@checked
def plot_tuned_opponent(study: TunedOpponent, *, narrow: bool = False) -> Figure:
    """Draw the best validation accuracy so far against the budget spent, and the test before and after tuning.

    Args:
        study: a study with at least one measured trial.
        narrow: whether the figure is for a page of half the width.

    Returns:
        A figure with two charts. In the first, small markers are trials at each pause, and the line is the best so far.
        In the second, each model's test accuracy has Wilson's interval; below it is the lead of the frozen backbone,
        paired by image.

    Raises:
        InputError: no trial was measured.
    """
    if not study.points:
        raise InputError(_("This study has no trial to draw: it was stopped before the first."))
    figure = new_figure(5.2, 7.4) if narrow else new_figure(8.6, 4.2)
    grid = figure.add_gridspec(2, 1) if narrow else figure.add_gridspec(1, 2, width_ratios=(1.25, 1))
    _draw_search(add_axes(figure, grid[0]), study)
    _draw_tests(add_axes(figure, grid[1]), study)
    return figure


def _draw_search(ax: Axes, study: TunedOpponent) -> None:
    most = max(study.spent(arm)[0] for arm in ARMS)
    for arm in ARMS:
        spent, best = 0, 0.0
        x, y = list[float](), list[float]()
        for point in (point for point in study.points if point.arm == arm):
            spent += point.passes
            ax.plot([spent], [point.val_accuracy], color=color_of(arm), marker=marker_of(arm), markersize=4, alpha=0.45)
            best = max(best, point.val_accuracy)
            x, y = [*x, spent], [*y, best]
        if x:
            ax.step([*x, most], [*y, best], where="post", color=color_of(arm), linewidth=2.2)
    ax.set_xlim(0, 1.03 * most or 1)
    style = {"markersize": 4, "linewidth": 2.2}
    handles = [
        Line2D([], [], color=color_of(arm), marker=marker_of(arm), label=label_of(arm), **style)  # type: ignore[arg-type]
        for arm in ARMS
    ]
    legend_below(ax, handles, n_columns=2)
    _finish(ax, _("Search: the best so far"), _("passes over the training images"), _("accuracy on validation"))


def _draw_tests(ax: Axes, study: TunedOpponent) -> None:
    for i, arm in enumerate(ARMS):
        found = {float(tuned): model for tuned in _TITLES if (model := study.model(arm, tuned=tuned))}
        x, models = [at + 0.05 * (i - 0.5) for at in found], found.values()
        y, ends = [model.accuracy for model in models], [model.ci95 for model in models]
        draw_intervals(ax, x, y, ends, color=color_of(arm), marker=marker_of(arm), linewidth=2, capsize=4)
    ax.set_xlim(-0.5, 1.5)
    ax.set_xticks([0, 1], [f"{title}\n{_lead_text(study, tuned)}" for tuned, title in _TITLES.items()])
    _finish(ax, _("Test, before and after"), "", _("accuracy on the test images"))


def _lead_text(study: TunedOpponent, tuned: bool) -> str:
    lead = study.lead(tuned=tuned)
    if lead is None:
        return ""
    return _(
        "transfer {lead_difference} points\n({ci95})",
        lead_difference=points(lead.difference, signed=True),
        ci95=points_range(*lead.ci95),
    )


def _finish(ax: Axes, title: str, x: str, y: str) -> None:
    set_share_axis(ax)
    finish_axes(ax, title, x=x, y=y)
