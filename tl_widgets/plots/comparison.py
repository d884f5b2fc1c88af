"""Figures of results: accuracy, parameters, seconds, and all of them on one page.

Compute once, plot as often as you like: every function takes a finished record and draws it, in axes of
its own or in `ax`. None uses pyplot, so they work from any thread; none imports TensorFlow.
"""

from __future__ import annotations

import textwrap

from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec

from tl_widgets.plots.alt_text import alt_text, dataset_alt_text
from tl_widgets.plots.classes import plot_confusion, plot_recall
from tl_widgets.plots.costs import plot_parameters, plot_seconds
from tl_widgets.plots.curves import plot_accuracy, plot_test_accuracy
from tl_widgets.plots.images import plot_dataset, plot_predictions
from tl_widgets.plots.labels import runs_of, seeds_text
from tl_widgets.plots.live import LiveCurves
from tl_widgets.plots.style import (
    INK,
    PALE,
    SMALL_SIZE,
    TITLE_SIZE,
    add_axes,
    figure_html,
    figure_png,
    new_figure,
    set_fonts,
)
from tl_widgets.records.comparison import Comparison

__all__ = [
    "LiveCurves",
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


def plot_comparison(comparison: Comparison, *, narrow: bool = False) -> Figure:
    """A comparison on one page: verdict, accuracy, parameters, seconds, recall of each class.

    Args:
        comparison: with at least one trained model.
        narrow: the axes one below the other, for a page of half the width.

    Returns:
        A figure with five axes: accuracy by epoch, test accuracy, parameters, seconds, recall.

    Raises:
        InputError: no model came to be trained.
    """
    runs = runs_of(comparison)
    # A narrow page is shown under the verdict's own words: there it would take a third of the height.
    title = "" if narrow else textwrap.fill(comparison.verdict.text, 128)
    more = max(0, len(runs) - 2)
    figure = new_figure(6, 16 + 1.7 * more) if narrow else new_figure(11, 7.9 + 0.2 * title.count("\n") + 0.5 * more)
    places = _one_below_the_other(figure) if narrow else _two_rows(figure)
    drawn = (plot_accuracy, plot_test_accuracy, plot_parameters, plot_seconds, plot_recall)
    for plot, place in zip(drawn, places, strict=True):
        plot(comparison, ax=add_axes(figure, place))
    heading = figure.suptitle(title, x=0.01, ha="left", fontsize=TITLE_SIZE, color=INK)
    words = _caption(comparison, 85 if narrow else 160)
    caption = figure.supxlabel(words, x=0.01, ha="left", fontsize=SMALL_SIZE, color=PALE)
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
    epochs = f"{config.epochs} epoch{'s' if config.epochs != 1 else ''}"
    text = (
        f"{data.name}: {data.n_train:,} training, {data.n_validation:,} validation and {data.n_test:,} test "
        f"images of {data.image_size} × {data.image_size} pixels in {len(data.class_names)} classes; "
        f"{epochs}, batches of {config.batch_size}, learning rate {config.learning_rate:g}, "
        f"{seeds_text(comparison)}."
    )
    if config.fine_tuning:
        tuning = config.fine_tuning
        blocks = "the last block" if tuning.n_blocks == 1 else f"the last {tuning.n_blocks} blocks"
        more = f"{tuning.epochs} more epoch{'s' if tuning.epochs != 1 else ''}"
        text += f" Fine-tuned: {blocks}, {more}, learning rate {tuning.learning_rate:g}."
    return textwrap.fill(text, width)
