"""Figures of accuracy against cost and against published ImageNet accuracy."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from math import ceil, floor, log10
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import number_text, percent
from tl_widgets.core.text import any_of, shown
from tl_widgets.core.translation import _, ngettext
from tl_widgets.plots.point_labels import NamedPoint, name_points
from tl_widgets.plots.style import (
    COUNT,
    INK,
    PALE,
    PERCENT,
    SMALL_SIZE,
    add_axes,
    draw_grid,
    draw_intervals,
    finish_axes,
    fitted_title,
    legend_below,
    legend_columns,
    new_axes,
    new_figure,
    root_figure,
    set_fonts,
)
from tl_widgets.studies.backbones.result import BackbonePoint, BackboneStudy

# What the horizontal axis can show: its value for a point, its label, and its number format.
_COSTS: dict[str, tuple[Callable[[BackbonePoint], float], str, FuncFormatter]] = {
    "milliseconds": (
        lambda point: point.cost.ms_per_image,
        _("milliseconds per image, in batches of 16 (log scale)"),
        FuncFormatter(lambda ms, _: number_text(ms)),
    ),
    "parameters": (lambda point: point.cost.n_params, _("parameters without top (log scale)"), COUNT),
}
_MOST_NAMED = 12
_STEPS = (1, 2, 5, 10)  # between ticks, which then fall on whole percents


@checked
def plot_backbones(study: BackboneStudy, *, cost: str = "milliseconds", ax: Axes | None = None) -> Axes:
    """Draw the test accuracy of each backbone against the cost of running it.

    Args:
        study: a study with at least one backbone.
        cost: "milliseconds" per image or "parameters".
        ax: the axes to draw on; a new figure if None.

    Returns:
        The axes. Each backbone is a square with its name and its 95% interval over the test images, and a small dot
        for each seed. A ring marks the choice, a dashed line the Pareto front (against milliseconds only), a diamond
        random weights, and a dotted line chance if it is in view.

    Raises:
        InputError: no backbone was measured, or `cost` is neither of the two.
    """
    if cost not in _COSTS:
        raise InputError(_("cost must be {costs}; received {cost}.", costs=any_of(_COSTS), cost=shown(cost)))
    points = _points(study)
    value, label, formatter = _COSTS[cost]
    ax = new_axes(7.5, 5.2) if ax is None else ax
    _frame(ax, study, points)
    _log_scale(ax, [value(point) for point in points], formatter)
    if cost == "milliseconds":
        _draw_front(ax, study)
    for point in points:
        _draw_point(ax, study, point, value(point))
    _name(ax, study, points, value)
    chance = study.chance if study.chance > ax.get_ylim()[0] else None
    legend_below(ax, _handles(study, cost, chance), n_columns=legend_columns(ax))
    finish_axes(ax, _titled(ax, study.sentences[0]), x=label, y=_("accuracy on the test images"))
    return ax


@checked
def plot_imagenet(study: BackboneStudy, *, ax: Axes | None = None) -> Axes:
    """Draw the test accuracy of each backbone against its ImageNet accuracy.

    Args:
        study: a study with at least one backbone whose ImageNet accuracy is published.
        ax: the axes to draw on; a new figure if None.

    Returns:
        The axes. Each backbone is a square with its name and its 95% interval over the test images.

    Raises:
        InputError: no measured backbone has a published ImageNet accuracy.
    """
    points = [point for point in study.points if point.top1_pct is not None]
    if not points:
        raise InputError(_("No backbone of this study has a published accuracy on ImageNet: there is nothing to draw."))
    ax = new_axes(7.5, 4.6) if ax is None else ax
    shares = [(point.top1_pct or 0.0) / 100 for point in points]
    _frame(ax, study, points)
    for point, share in zip(points, shares, strict=True):
        _draw_point(ax, study, point, share)
    reach = max(shares) - min(shares)
    ax.set_xlim(min(shares) - 0.02 - 0.2 * reach, max(shares) + 0.02 + 0.2 * reach)
    ax.xaxis.set_major_formatter(PERCENT)
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=_STEPS))
    _name(ax, study, points, lambda point: (point.top1_pct or 0.0) / 100)
    title = _titled(ax, study.imagenet_sentence)
    finish_axes(ax, title, x=_("published accuracy on ImageNet"), y=_("accuracy on the test images here"))
    return ax


@checked
def plot_backbone_study(study: BackboneStudy, *, narrow: bool = False) -> Figure:
    """Draw accuracy against milliseconds and ImageNet accuracy on one page.

    Args:
        study: a study with at least one backbone.
        narrow: whether to put one chart below the other, for a page of half the width.

    Returns:
        The figure. It has only the first chart if no measured backbone has a published ImageNet accuracy.

    Raises:
        InputError: no backbone was measured.
    """
    _points(study)
    known = any(point.top1_pct is not None for point in study.points)
    if narrow:
        figure = new_figure(6, 10.5 if known else 5.6)
        grid = figure.add_gridspec(2 if known else 1, 1)
    else:
        figure = new_figure(12 if known else 7.5, 5.4)
        grid = figure.add_gridspec(1, 2 if known else 1, width_ratios=(1.25, 1) if known else None)
    plot_backbones(study, ax=add_axes(figure, grid[0]))
    if known:
        plot_imagenet(study, ax=add_axes(figure, grid[1]))
    data = study.dataset
    epochs = ngettext("{n} epoch", "{n} epochs", study.config.epochs)
    caption = _(
        "{data_name}: {n_train:,} training, {n_validation:,} validation and {n_test:,} test images "
        "of {image_size} × {image_size} pixels; {epochs}. Accuracies do not begin at 0.",
        data_name=data.name,
        n_train=data.n_train,
        n_validation=data.n_validation,
        n_test=data.n_test,
        image_size=data.image_size,
        epochs=epochs,
    )
    caption = textwrap.fill(caption, 85 if narrow else 160)
    set_fonts([figure.supxlabel(caption, x=0.01, ha="left", fontsize=SMALL_SIZE, color=PALE)])
    return figure


def _points(study: BackboneStudy) -> list[BackbonePoint]:
    if not study.points:
        raise InputError(_("This study has no backbone to draw: it was stopped before the first."))
    return [*study.points, *([study.control] if study.control else [])]


def _frame(ax: Axes, study: BackboneStudy, points: Sequence[BackbonePoint]) -> None:
    """Set a vertical axis that shows every interval; it need not begin at 0."""
    low = min(min(point.test_accuracy_ci95[0], *point.test_accuracies) for point in points)
    low = max(0.0, low - 0.08 * (1 - low))
    ax.set_ylim(low, 1 + 0.06 * (1 - low))
    ax.set_yticks([tick for tick in MaxNLocator(7, steps=_STEPS).tick_values(low, 1) if low <= tick <= 1])
    ax.yaxis.set_major_formatter(PERCENT)
    draw_grid(ax, "y")
    if study.chance > low:
        ax.axhline(study.chance, color=PALE, linestyle=":", linewidth=1.5)


def _log_scale(ax: Axes, values: Sequence[float], formatter: FuncFormatter) -> None:
    """Set a logarithmic horizontal axis with room for names on both sides."""
    low, high = min(values), max(values)
    room = 2.6 * (high / low) ** 0.05
    ax.set_xscale("log")
    ax.set_xlim(low / room, high * room)
    steps = (1, 2, 5) if high / low < 300 else (1,)
    decades = range(floor(log10(low / room)), ceil(log10(high * room)) + 1)
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    ax.set_xticks([tick for tick in ticks if low / room <= tick <= high * room])
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(formatter)


def _titled(ax: Axes, text: str) -> str:
    """Break a title into lines that fit the width of the axes."""
    inches = ax.get_window_extent().width / root_figure(ax).dpi
    return fitted_title(text, inches)


def _draw_point(ax: Axes, study: BackboneStudy, point: BackbonePoint, x: float) -> None:
    is_control = point is study.control
    color, y = (ModelName.CONTROL if is_control else ModelName.TRANSFER).color, point.test_accuracy
    marker = "D" if is_control else "s"
    style: dict[str, Any] = {"color": color, "marker": marker, "markersize": 7, "zorder": 3}
    draw_intervals(ax, [x], [y], [point.test_accuracy_ci95], capsize=4, elinewidth=1.4, **style)
    if len(point.answers) > 1:
        n = len(point.answers)
        ax.plot([x] * n, point.test_accuracies, color=INK, marker=".", markersize=4, linestyle="none", zorder=4)
    if point is study.chosen:
        ax.plot([x], [y], color=INK, marker="o", markersize=15, fillstyle="none", linestyle="none", zorder=4)


def _draw_front(ax: Axes, study: BackboneStudy) -> None:
    front = study.front
    x = [point.cost.ms_per_image for point in front]
    y = [point.test_accuracy for point in front]
    # It rises straight up at the fastest and ends level at the most accurate: the front beats all points below it.
    ax.step(
        [x[0], *x, ax.get_xlim()[1]],
        [ax.get_ylim()[0], *y, y[-1]],
        where="post",
        color=PALE,
        linestyle="--",
        linewidth=1.2,
        zorder=1,
    )


def _name(
    ax: Axes, study: BackboneStudy, points: Sequence[BackbonePoint], value: Callable[[BackbonePoint], float]
) -> None:
    """Write the names beside the points; if there are many, only beside the best."""
    best_first = sorted(points, key=lambda point: (point is not study.chosen, -point.test_accuracy))[:_MOST_NAMED]
    named = []
    for point in best_first:
        name = _("{point_name}, random", point_name=point.name) if point.weights == "random" else point.name
        named.append(NamedPoint(name, value(point), point.test_accuracy, *point.test_accuracy_ci95))
    name_points(ax, named)


def _handles(study: BackboneStudy, cost: str, chance: float | None) -> list[Line2D]:
    blue, gray = ModelName.TRANSFER.color, ModelName.CONTROL.color
    n = len(study.points[0].answers[0])
    handles = [
        Line2D(
            [],
            [],
            color=blue,
            marker="s",
            linestyle="none",
            label=_("pretrained; bars: 95% interval, {n} test images", n=n),
        )
    ]
    if len(study.seeds) > 1:
        handles.append(Line2D([], [], color=INK, marker=".", linestyle="none", label=_("each seed")))
    ring = {"marker": "o", "markersize": 10, "fillstyle": "none", "linestyle": "none"}
    handles.append(Line2D([], [], color=INK, label=_("the choice, by the validation images"), **ring))  # type: ignore[arg-type]
    if cost == "milliseconds":
        handles.append(
            Line2D([], [], color=PALE, linestyle="--", label=_("Pareto front: whatever lies below it is beaten"))
        )
    if study.control:
        handles.append(Line2D([], [], color=gray, marker="D", linestyle="none", label=_("random weights: the floor")))
    if chance is not None:
        handles.append(Line2D([], [], color=PALE, linestyle=":", label=_("chance ({chance})", chance=percent(chance))))
    return handles
