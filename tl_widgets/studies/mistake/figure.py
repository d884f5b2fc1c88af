"""Figures of the "mistake" study."""

from __future__ import annotations

import textwrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import percent, points
from tl_widgets.core.translation import _
from tl_widgets.plots.style import (
    INK,
    PALE,
    PERCENT,
    draw_grid,
    draw_intervals,
    finish_axes,
    fitted_title,
    legend_below,
    new_axes,
    note,
)
from tl_widgets.records.statistics import Interval
from tl_widgets.records.verdict import TwoWays
from tl_widgets.studies.mistake.result import MistakeStudies, MistakeStudy

# Full and hollow ink: colors belong to the models, and neither way is one.
_FULL, _HOLLOW = "#9a9a9a", "#ffffff"
_RIGHT: dict[str, Any] = {"color": INK, "marker": "s", "markerfacecolor": INK}
_WRONG: dict[str, Any] = {"color": INK, "marker": "o", "markerfacecolor": _HOLLOW}


def plot_mistake_study(study: MistakeStudy | MistakeStudies, *, narrow: bool = False) -> Axes:
    """Draw one mistake or several."""
    if isinstance(study, MistakeStudy):
        return plot_mistake(study, narrow=narrow)
    return plot_mistakes(study, narrow=narrow)


@checked
def plot_mistake(study: MistakeStudy, *, ax: Axes | None = None, narrow: bool = False) -> Axes:
    """Draw a mistake beside the right way, as two bars.

    Args:
        study: the result for one mistake.
        ax: the axes to draw on; a new figure if None.
        narrow: whether the figure is for a page of half the width.

    Returns:
        The axes. The bar of the right way is above that of the mistake. Each has its number and, if that is an
        estimate, its 95% interval. The title holds the verdict.
    """
    ax = new_axes(5.2 if narrow else 8, 3.2) if ax is None else ax
    mistake, measured = study.declared, study.measured
    bars = ax.barh([0, 1], [measured.right, measured.wrong], 0.55, color=[_FULL, _HOLLOW], edgecolor=INK)
    bars[1].set_hatch("///")
    for y, value, interval in _ways(measured):
        low, high = interval or (value, value)
        if interval:
            ax.plot([low, high], [y, y], color=INK, linewidth=1.6, marker="|", markersize=9)
        note(ax, percent(value), (max(value, high), y), (6, 0))
    labels = [
        textwrap.fill(text, 19 if narrow else 34)
        for text in (_("right: {right}", right=mistake.right), _("wrong: {wrong}", wrong=mistake.wrong))
    ]
    ax.set_yticks([0, 1], labels, parse_math=False)
    ax.set_ylim(1.5, -0.5)
    _percent_axis(ax)
    verdict = _("a clear difference") if measured.is_clear else study.verdict
    title = fitted_title(f"{mistake.title}: {verdict}", 3.4 if narrow else 5.5)
    finish_axes(ax, title, x=textwrap.fill(mistake.figure, 40 if narrow else 70))
    return ax


@checked
def plot_mistakes(studies: MistakeStudies, *, ax: Axes | None = None, narrow: bool = False) -> Axes:
    """Draw several mistakes beside the right way, one row for each.

    Args:
        studies: the results for at least one mistake.
        ax: the axes to draw on; a new figure if None.
        narrow: whether the figure is for a page of half the width.

    Returns:
        The axes. Each row has a square (right) and a circle (wrong) with their 95% intervals, joined by a line, and
        the difference or the verdict at the edge.

    Raises:
        InputError: no mistake was measured.
    """
    if not studies.studies:
        raise InputError(_("No mistake was measured: it was stopped before the first."))
    n = len(studies.studies)
    ax = new_axes(5.2 if narrow else 9, 1.8 + 0.48 * n) if ax is None else ax
    for y, study in enumerate(studies.studies):
        _draw_row(ax, y, study)
    ax.set_yticks(range(n), [_row_label(study) for study in studies.studies], parse_math=False)
    ax.set_ylim(n - 0.4, -0.6)
    _percent_axis(ax, room=0.7 if narrow else 0.36)
    n_clear = sum(study.measured.is_clear for study in studies.studies)
    title = _("What goes wrong: {n_clear} of {n} mistakes make a clear difference", n_clear=n_clear, n=n)
    label = _("the figure that is compared (test accuracy, mostly); bars: 95% intervals")
    label = textwrap.fill(label, 42 if narrow else 90)
    handles = [_handle(_("right way"), _RIGHT), _handle(_("with the mistake"), _WRONG)]
    legend_below(ax, handles, n_columns=2, n_lines=1 + label.count("\n"))
    finish_axes(ax, fitted_title(title, 3.2 if narrow else 6.5), x=label)
    return ax


def _ways(measured: TwoWays) -> tuple[tuple[float, float, Interval | None], ...]:
    return (0, measured.right, measured.right_ci95), (1, measured.wrong, measured.wrong_ci95)


def _percent_axis(ax: Axes, room: float = 0.14) -> None:
    ax.set_xlim(-0.015, 1 + room)
    ax.xaxis.set_major_formatter(PERCENT)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1])
    draw_grid(ax, "x")


def _draw_row(ax: Axes, y: int, study: MistakeStudy) -> None:
    measured = study.measured
    ax.plot([measured.right, measured.wrong], [y, y], color=PALE, linewidth=1, linestyle=":")
    # Shifted a little, so overlapping intervals do not hide each other.
    for (_unused, value, interval), look, shift in zip(_ways(measured), (_RIGHT, _WRONG), (-0.1, 0.1), strict=True):
        style: dict[str, Any] = {**look, "markersize": 6, "capsize": 3, "elinewidth": 1.4}
        draw_intervals(ax, [value], [y + shift], [interval], axis="x", linestyle="none", **style)
    flatters = study.declared.flatters
    difference = _("{wrong} points", wrong=points(measured.wrong - measured.right, 0, signed=True))
    text = study.verdict
    if measured.is_clear:
        text = _("{difference}, flatters", difference=difference) if flatters else difference
    note(ax, text, (1.04, y), (3, 0), color=INK if measured.is_clear else PALE)


def _row_label(study: MistakeStudy) -> str:
    return f"{study.declared.title}\n({study.dataset.name})"


def _handle(label: str, look: dict[str, Any]) -> Line2D:
    return Line2D([], [], linewidth=1.4, label=label, **look)
