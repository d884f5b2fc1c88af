"""Figures of what a model costs: parameters and seconds."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from tl_widgets.core.numbers import seconds_text
from tl_widgets.plots.labels import Result, runs_of, seed_words
from tl_widgets.plots.style import (
    COUNT,
    PALE,
    colour_of,
    dress,
    legend_below,
    new_axes,
    note,
    set_rows,
)
from tl_widgets.records.comparison import RunResult


def plot_parameters(result: Result, *, ax: Axes | None = None) -> Axes:
    """How many parameters each model has, trainable and frozen, on a logarithmic scale.

    Args:
        result: a comparison, a run, or several runs.
        ax: where to draw; a new figure without it.

    Returns:
        The axes: for each model a plain bar (trainable) and a hatched one (frozen), each with its number.

    Raises:
        InputError: there is no run.
    """
    runs = runs_of(result)
    ax = new_axes(6.5, 1.5 + 0.8 * len(runs)) if ax is None else ax
    counts = [n for run in runs for n in (run.params.trainable, run.params.frozen)]
    positive = [n for n in counts if n > 0] or [1]
    left = 10 ** max(0, len(str(min(positive))) - 2)  # a bar of any length needs a start; log scales have no 0
    ax.set_xscale("log")
    for i, run in enumerate(runs):
        for n, y, frozen in ((run.params.trainable, i - 0.19, False), (run.params.frozen, i + 0.19, True)):
            face = "white" if frozen else colour_of(run.name)
            hatch = "////" if frozen else None
            width = max(n - left, 0)
            ax.barh(y, width, 0.34, left=left, color=face, edgecolor=colour_of(run.name), hatch=hatch)
            note(ax, f"{n:,}", (max(n, left), y), (4, 0))
    ax.set_xlim(left, max(positive) * (max(positive) / left) ** 0.45 * 3)
    ax.xaxis.set_major_locator(LogLocator(10, numticks=6))
    ax.xaxis.set_major_formatter(COUNT)
    ax.xaxis.set_minor_locator(NullLocator())
    set_rows(ax, runs)
    legend_below(
        ax,
        [
            Patch(facecolor=PALE, edgecolor=PALE, label="trainable"),
            Patch(facecolor="white", edgecolor=PALE, hatch="////", label="frozen"),
        ],
        n_columns=2,
    )
    dress(ax, "Parameters", x="number of parameters (log scale)")
    return ax


_PHASES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("prepare", "reading features", {"alpha": 0.45}),
    ("train", "training", {}),
    ("evaluate", "testing", {"alpha": 0.7, "hatch": "...."}),
)


def plot_seconds(result: Result, *, ax: Axes | None = None) -> Axes:
    """Seconds that each model took, and what kept features saved.

    Args:
        result: a comparison, a run, or several runs.
        ax: where to draw; a new figure without it.

    Returns:
        The axes: for each model a bar of reading features, training and testing, end to end; then, in dashes,
        what it did not have to spend because features were kept from an earlier run.

    Raises:
        InputError: there is no run.
    """
    runs = runs_of(result)
    ax = new_axes(6.5, 1.5 + 0.6 * len(runs)) if ax is None else ax
    for i, run in enumerate(runs):
        _draw_seconds(ax, i, run)
    longest = max(run.seconds.total + run.seconds.saved for run in runs)
    ax.set_xlim(0, (longest or 1) * 1.5)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    set_rows(ax, runs)
    handles = [Patch(facecolor=PALE, edgecolor="white", label=label, **style) for _, label, style in _PHASES]
    if any(run.seconds.saved for run in runs):
        handles.append(Patch(facecolor="none", edgecolor=PALE, linestyle="--", label="saved time"))
    legend_below(ax, handles, n_columns=2)
    dress(ax, f"Seconds{seed_words(result)}", x="seconds of wall-clock time")
    return ax


def _draw_seconds(ax: Axes, y: int, run: RunResult) -> None:
    colour, end = colour_of(run.name), 0.0
    for phase, _, style in _PHASES:
        seconds = getattr(run.seconds, phase)
        ax.barh(y, seconds, 0.5, left=end, color=colour, edgecolor="white", linewidth=0.5, **style)
        end += seconds
    text, saved = seconds_text(run.seconds.total), run.seconds.saved
    if saved:
        ax.barh(y, saved, 0.5, left=end, color="none", edgecolor=colour, linestyle="--")
        text += f" (saved {seconds_text(saved)})"
    note(ax, text, (end + saved, y), (4, 0))
