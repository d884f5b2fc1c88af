"""Confusion matrices, and the recall of each class."""

from __future__ import annotations

import textwrap
from typing import Any, overload

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _
from tl_widgets.plots.glyphs import drawable_names
from tl_widgets.plots.labels import Result, most_different_classes, run_label, runs_of, seed_suffix, shortened
from tl_widgets.plots.style import (
    GRID,
    INK,
    PALE,
    PERCENT,
    SMALL_SIZE,
    TITLE_SIZE,
    add_axes,
    color_of,
    draw_grid,
    draw_placeholder,
    finish_axes,
    marker_of,
    new_axes,
    new_figure,
    set_fonts,
)
from tl_widgets.records.comparison import Comparison, RunResult

MAX_COUNTED = 15  # with more classes than this, counts in the cells become too small to read
MAX_LABELED = 25
MAX_RECALLS = 10
_LETTERS_BESIDE_EACH_OTHER = 33  # under a matrix that is 2.6 inches wide


@overload
def plot_confusion(result: RunResult, *, ax: Axes | None = None) -> Axes: ...
@overload
def plot_confusion(result: Comparison | tuple[RunResult, ...], *, ax: None = None) -> Figure: ...
@checked
def plot_confusion(result: Result, *, ax: Axes | None = None) -> Axes | Figure:
    """Draw which class each model takes for which, as confusion matrices.

    Several matrices stand side by side, four of them in two rows.

    Args:
        result: A run (one matrix), a comparison, or several runs.
        ax: Where to draw the matrix of a single run; None makes a new figure.

    Returns:
        The axes for one run, the figure for several. Rows are the true classes, columns the answers. The darker
        a cell, the larger its share of the row.

    Raises:
        InputError: There is no run, or `ax` was given for several.
    """
    if isinstance(result, RunResult):
        size = _panel_size(result)
        axes = new_axes(size, size) if ax is None else ax
        _draw_matrix(axes, result)
        return axes
    if ax is not None:
        raise InputError(_("plot_confusion draws several matrices in a new figure; give `ax` only with a single run."))
    runs = runs_of(result)
    size = _panel_size(runs[0])
    n_columns = confusion_columns(len(runs))
    n_rows = -(-len(runs) // n_columns)
    figure = new_figure(size * n_columns, size * n_rows)
    grid = figure.add_gridspec(n_rows, n_columns)
    for i, run in enumerate(runs):
        _draw_matrix(add_axes(figure, grid[i // n_columns, i % n_columns]), run)
    heading = figure.suptitle(
        _("Which class is taken for which{seed_suffix}", seed_suffix=seed_suffix(result)),
        fontsize=TITLE_SIZE,
        color=INK,
    )
    set_fonts([heading])
    return figure


def confusion_columns(n_runs: int) -> int:
    """Return the number of matrices in a row; four would be too small to read."""
    return n_runs if n_runs <= 3 else 2


def _panel_size(run: RunResult) -> float:
    """Return the side of one matrix in inches."""
    return 4.0 + 0.16 * min(max(len(run.class_names) - 3, 0), MAX_LABELED - 3)


def _draw_matrix(ax: Axes, run: RunResult) -> None:
    n = len(run.class_names)
    title = run_label(run)
    if run.test_accuracy is None:
        draw_placeholder(ax, _("not tested"), title)
        return
    matrix = run.confusion_matrix
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    image = ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if n <= MAX_COUNTED:
        size = 11 if n <= 4 else 9 if n <= 8 else 7.5
        for (i, j), count in np.ndenumerate(matrix):
            color = "white" if shares[i, j] > 0.55 else INK if count else PALE
            ax.text(j, i, str(count), ha="center", va="center", fontsize=size, color=color)
    else:
        _draw_color_key(ax, image)
    step = -(-n // MAX_LABELED)
    shown = range(0, n, step)
    class_names = drawable_names(run.class_names)
    names = [_class_label(class_names[i], n) for i in shown]
    longest = max(len(line) for name in names for line in name.split("\n"))
    upright = n > 3 or n * longest > _LETTERS_BESIDE_EACH_OTHER
    ax.set_xticks(shown, names, rotation=90 if upright else 0, parse_math=False)
    ax.set_yticks(shown, names, parse_math=False)
    n_right, n_test = run.n_right, len(run.labels)
    sampling = _(" (one name in {step})", step=step) if step > 1 else ""
    finish_axes(
        ax,
        _("{title}\n{n_right} of {n_test} right", title=title, n_right=n_right, n_test=n_test),
        x=_("answer{sampling}", sampling=sampling),
        y=_("true class{sampling}", sampling=sampling),
    )
    for spine in ax.spines.values():
        spine.set_visible(False)


def _draw_color_key(ax: Axes, image: AxesImage) -> None:
    key = ax.figure.colorbar(image, ax=ax, shrink=0.7, format=PERCENT)
    key.ax.tick_params(labelsize=SMALL_SIZE, colors=INK)
    key.set_label(_("share of the true class"), fontsize=SMALL_SIZE, color=INK)
    key.outline.set_edgecolor(GRID)


def _class_label(name: str, n: int) -> str:
    """Return a class name for one of `n` rows; with few rows it may take four lines."""
    if n > 6:
        return shortened(name, 20)
    return "\n".join(textwrap.wrap(shortened(name, 42), 14, break_long_words=True)) or name


@checked
def plot_recall(result: Result, *, ax: Axes | None = None) -> Axes:
    """Draw the share of each class's test images that each model recognizes.

    Args:
        result: A comparison, a run, or several runs.
        ax: Where to draw; None makes a new figure.

    Returns:
        The axes, with a row for each class and a marker for each model; where classes differ in size, each marker has
        its 95% interval. With more than 10 classes, only the 10 on
        which the models differ most are shown.

    Raises:
        InputError: There is no run.
    """
    tested = [run for run in runs_of(result) if run.labels]
    ax = new_axes(6.5, 4) if ax is None else ax
    if not tested:
        draw_placeholder(ax, _("not tested"), _("Recall of each class"))
        return ax
    rows = most_different_classes([run.per_class for run in tested], MAX_RECALLS)
    _draw_recalls(ax, tested, rows)
    names = drawable_names(tested[0].class_names)
    ax.set_yticks(range(len(rows)), [_class_label(names[i], len(rows)) for i in rows], parse_math=False)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlim(-0.02, 1.02)
    ax.xaxis.set_major_formatter(PERCENT)
    draw_grid(ax, "x")
    intervals = ", 95% intervals" if tested[0].is_uneven else ""
    subset = (
        _("\n({n_rows} of {n_names} classes)", n_rows=len(rows), n_names=len(names)) if len(rows) < len(names) else ""
    )
    finish_axes(
        ax,
        _("Recall of each class{seed_suffix}", seed_suffix=seed_suffix(result)),
        x=_("test images recognized{intervals}{subset}", intervals=intervals, subset=subset),
    )
    return ax


def _draw_recalls(ax: Axes, tested: list[RunResult], rows: list[int]) -> None:
    """Draw a marker for each model, slightly shifted, and a line that spans them."""
    recalls = [[run.per_class[i].recall for i in rows] for run in tested]
    for y, values in enumerate(zip(*recalls, strict=True)):
        known = [recall for recall in values if recall is not None]
        if known:
            ends = [min(known), max(known)]
            ax.plot(ends, [y, y], color=GRID, linewidth=3, zorder=1, solid_capstyle="round")
    for k, run in enumerate(tested):
        shift = 0.16 * (k - (len(tested) - 1) / 2)
        points = [(recall, y + shift) for y, recall in enumerate(recalls[k]) if recall is not None]
        marker: dict[str, Any] = {"marker": marker_of(run.name), "color": color_of(run.name), "markersize": 7}
        xs, ys = [x for x, _ in points], [y for _, y in points]
        if run.is_uneven:
            ends = [ci95 for i in rows if (ci95 := run.per_class[i].recall_ci95) is not None]
            reach = [[x - low for x, (low, _) in zip(xs, ends, strict=True)],
                     [high - x for x, (_, high) in zip(xs, ends, strict=True)]]  # fmt: skip
            ax.errorbar(xs, ys, xerr=reach, color=color_of(run.name), linestyle="none", elinewidth=1.2, capsize=2.5)
        ax.plot(xs, ys, linestyle="none", label=run_label(run), clip_on=False, zorder=2 + k, **marker)
