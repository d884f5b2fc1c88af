"""Figures of results: parameters, seconds, and a whole comparison on one page.

Every function draws a finished record, in new axes or in `ax`. None uses pyplot, so they work from any thread;
none imports TensorFlow.
"""

from __future__ import annotations

import textwrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from tl_widgets.core.arguments import checked
from tl_widgets.core.numbers import count_text, seconds_text
from tl_widgets.core.translation import _, ngettext
from tl_widgets.plots.classes import plot_confusion, plot_recall
from tl_widgets.plots.curves import plot_accuracy, plot_test_accuracy
from tl_widgets.plots.images import plot_dataset, plot_predictions
from tl_widgets.plots.labels import Result, alt_text, dataset_alt_text, images_text, runs_of, seed_suffix, seeds_text
from tl_widgets.plots.style import (
    COUNT,
    INK,
    PALE,
    SMALL_SIZE,
    TITLE_SIZE,
    add_axes,
    color_of,
    figure_html,
    figure_png,
    finish_axes,
    legend_below,
    new_axes,
    new_figure,
    note,
    set_fonts,
    set_rows,
)
from tl_widgets.records.comparison import Comparison, RunResult

__all__ = [
    "alt_text",
    "dataset_alt_text",
    "figure_html",
    "figure_png",
    "plot_accuracy",
    "plot_comparison",
    "plot_confusion",
    "plot_dataset",
    "plot_parameters",
    "plot_predictions",
    "plot_recall",
    "plot_seconds",
    "plot_test_accuracy",
]


@checked
def plot_comparison(comparison: Comparison, *, narrow: bool = False) -> Figure:
    """Draw a comparison on one page: verdict, accuracy, cost, recall.

    Args:
        comparison: A comparison with at least one trained model.
        narrow: Whether to stack the axes, for a page of half the width.

    Returns:
        A figure with five axes: accuracy by epoch, test accuracy, parameters, seconds, recall.

    Raises:
        InputError: No model was trained.
    """
    runs = runs_of(comparison)
    # A narrow page shows the verdict above the figure; as a title it would take a third of the height.
    title = "" if narrow else textwrap.fill(comparison.verdict.text, 128)
    extra = max(0, len(runs) - 2)
    figure = new_figure(6, 16 + 1.7 * extra) if narrow else new_figure(11, 7.9 + 0.2 * title.count("\n") + 0.5 * extra)
    places = _one_below_the_other(figure) if narrow else _two_rows(figure)
    plot_functions = (plot_accuracy, plot_test_accuracy, plot_parameters, plot_seconds, plot_recall)
    for plot, place in zip(plot_functions, places, strict=True):
        plot(comparison, ax=add_axes(figure, place))
    heading = figure.suptitle(title, x=0.01, ha="left", fontsize=TITLE_SIZE, color=INK)
    caption_text = _caption(comparison, 85 if narrow else 160)
    caption = figure.supxlabel(caption_text, x=0.01, ha="left", fontsize=SMALL_SIZE, color=PALE)
    set_fonts([heading, caption])
    return figure


def _two_rows(figure: Figure) -> list[SubplotSpec]:
    rows = figure.add_gridspec(2, 1, height_ratios=(1.15, 1))
    top, bottom = rows[0].subgridspec(1, 2, width_ratios=(1.35, 1)), rows[1].subgridspec(1, 3)
    return [top[0], top[1], bottom[0], bottom[1], bottom[2]]


def _one_below_the_other(figure: Figure) -> list[SubplotSpec]:
    grid = figure.add_gridspec(5, 1, height_ratios=(1.5, 1, 1, 1, 1))
    return [grid[row] for row in range(5)]


def _caption(comparison: Comparison, width: int) -> str:
    data, config = comparison.dataset, comparison.config
    epochs = ngettext("{n} epoch", "{n} epochs", config.epochs)
    text = _(
        "{data_name}: {images} of {image_size} × {image_size} pixels in {n_class_names} classes; "
        "{epochs}, batches of {batch_size}, learning rate {learning_rate:g}, {seeds}.",
        data_name=data.name,
        images=images_text(comparison),
        image_size=data.image_size,
        n_class_names=len(data.class_names),
        epochs=epochs,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        seeds=seeds_text(comparison),
    )
    if config.fine_tuning:
        tuning = config.fine_tuning
        blocks = (
            _("the last block") if tuning.n_blocks == 1 else _("the last {n_blocks} blocks", n_blocks=tuning.n_blocks)
        )
        extra = ngettext("{n} more epoch", "{n} more epochs", tuning.epochs)
        text += _(
            " Fine-tuned: {blocks}, {extra}, learning rate {learning_rate:g}.",
            blocks=blocks,
            extra=extra,
            learning_rate=tuning.learning_rate,
        )
    return textwrap.fill(text, width)


@checked
def plot_parameters(result: Result, *, ax: Axes | None = None) -> Axes:
    """Draw how many parameters each model has, on a logarithmic scale.

    Args:
        result: A comparison, a run, or several runs.
        ax: Where to draw; None makes a new figure.

    Returns:
        The axes. Each model has a plain bar (trainable) and a hatched one (frozen), each with its number.

    Raises:
        InputError: There is no run.
    """
    runs = runs_of(result)
    ax = new_axes(6.5, 1.5 + 0.8 * len(runs)) if ax is None else ax
    counts = [n for run in runs for n in (run.params.trainable, run.params.frozen)]
    positive = [n for n in counts if n > 0] or [1]
    left = 10 ** max(0, len(str(min(positive))) - 2)  # a log scale has no 0, so bars start at a power of 10
    ax.set_xscale("log")
    for i, run in enumerate(runs):
        for n, y, frozen in ((run.params.trainable, i - 0.19, False), (run.params.frozen, i + 0.19, True)):
            face = "white" if frozen else color_of(run.name)
            hatch = "////" if frozen else None
            width = max(n - left, 0)
            ax.barh(y, width, 0.34, left=left, color=face, edgecolor=color_of(run.name), hatch=hatch)
            note(ax, count_text(n), (max(n, left), y), (4, 0))
    ax.set_xlim(left, max(positive) * (max(positive) / left) ** 0.45 * 3)
    ax.xaxis.set_major_locator(LogLocator(10, numticks=6))
    ax.xaxis.set_major_formatter(COUNT)
    ax.xaxis.set_minor_locator(NullLocator())
    set_rows(ax, runs)
    legend_below(
        ax,
        [
            Patch(facecolor=PALE, edgecolor=PALE, label=_("trainable")),
            Patch(facecolor="white", edgecolor=PALE, hatch="////", label=_("frozen")),
        ],
        n_columns=2,
    )
    finish_axes(ax, _("Parameters"), x=_("number of parameters (log scale)"))
    return ax


_PHASES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("prepare", _("reading features"), {"alpha": 0.45}),
    ("train", _("training"), {}),
    ("evaluate", _("testing"), {"alpha": 0.7, "hatch": "...."}),
)


@checked
def plot_seconds(result: Result, *, ax: Axes | None = None) -> Axes:
    """Draw the seconds that each model took, and those that cached features saved.

    Args:
        result: A comparison, a run, or several runs.
        ax: Where to draw; None makes a new figure.

    Returns:
        The axes. Each model has a bar of reading features, training and testing, end to end. A dashed part shows
        the time saved because features were kept from an earlier run.

    Raises:
        InputError: There is no run.
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
        handles.append(Patch(facecolor="none", edgecolor=PALE, linestyle="--", label=_("saved time")))
    legend_below(ax, handles, n_columns=2)
    finish_axes(ax, _("Seconds{seed_suffix}", seed_suffix=seed_suffix(result)), x=_("seconds of wall-clock time"))
    return ax


def _draw_seconds(ax: Axes, y: int, run: RunResult) -> None:
    color, end = color_of(run.name), 0.0
    for phase, _unused, style in _PHASES:
        seconds = getattr(run.seconds, phase)
        ax.barh(y, seconds, 0.5, left=end, color=color, edgecolor="white", linewidth=0.5, **style)
        end += seconds
    text, saved = seconds_text(run.seconds.total), run.seconds.saved
    if saved:
        ax.barh(y, saved, 0.5, left=end, color="none", edgecolor=color, linestyle="--")
        text = _("{text} (saved {saved})", text=text, saved=seconds_text(saved))
    note(ax, text, (end + saved, y), (4, 0))
