"""Figures of accuracy: by epoch, and on the test images."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from tl_widgets.plot_style import (
    INK,
    PALE,
    PERCENT,
    SMALL_SIZE,
    TITLE_SIZE,
    colour_of,
    draw_grid,
    dress,
    epoch_margin,
    epoch_ticks,
    in_columns,
    legend_below,
    marker_of,
    new_axes,
    note,
    run_label,
    set_rows,
)
from tl_widgets.plot_words import Result, chance_level, runs_of
from tl_widgets.results import RunResult, percent


def plot_accuracy(result: Result, *, ax: Axes | None = None) -> Axes:
    """Accuracy of all models by epoch, and what they reach on the test images.

    Args:
        result: a comparison, a run, or several runs.
        ax: where to draw; a new figure without it.

    Returns:
        The axes: a solid line for the validation images of each model, a dashed one for its training images,
        a point with its 95% interval for the test images, a dotted line at chance.

    Raises:
        InputError: there is no run.
    """
    runs = runs_of(result)
    ax = new_axes(7.5, 4.8) if ax is None else ax
    n_epochs = max(1, *(len(run.history.val_accuracy) for run in runs), *(len(run.history.accuracy) for run in runs))
    for run in runs:
        draw_curves(ax, run)
        if run.fine_tuning:
            start = run.fine_tuning.start + 0.5
            ax.axvline(start, color=colour_of(run.name), linestyle="-.", linewidth=1.2)
            note(ax, "fine-tuning starts", (start, 0.05), (4, 0), color=colour_of(run.name))
    if not any(run.history.val_accuracy for run in runs):
        ax.text(1, 0.5, "no epoch was finished", ha="center", va="center", fontsize=TITLE_SIZE, color=INK)
    chance = chance_level(runs)
    ax.axhline(chance, color=PALE, linestyle=":", linewidth=1.5)
    right = _draw_tests(ax, runs, n_epochs)
    ax.set_xlim(1 - epoch_margin(n_epochs), right)
    ax.set_ylim(0, 1.03)
    draw_grid(ax, "y")
    ax.yaxis.set_major_formatter(PERCENT)
    ax.set_xticks(epoch_ticks(n_epochs))
    handles = [_model_handle(run) for run in runs]
    legend_below(ax, in_columns(handles, _kind_handles(runs, chance)), n_columns=2)
    dress(ax, "Accuracy by epoch", x="epoch", y="accuracy (% of images)")
    return ax


def draw_curves(ax: Axes, run: RunResult) -> None:
    """Draw training and validation accuracy of one run."""
    colour = colour_of(run.name)
    for label, values, style in (
        ("training", run.history.accuracy, {"linestyle": "--", "linewidth": 1.2, "alpha": 0.75}),
        ("validation", run.history.val_accuracy, {"linestyle": "-", "linewidth": 2.2}),
    ):
        n = len(values)
        markers = (
            {"marker": marker_of(run.name), "markersize": 5, "markevery": max(1, n // 10)}
            if style["linestyle"] == "-"
            else {}
        )
        ax.plot(range(1, n + 1), values, color=colour, label=f"{run_label(run)}, {label}", **style, **markers)  # type: ignore[arg-type]


def _draw_tests(ax: Axes, runs: tuple[RunResult, ...], n_epochs: int) -> float:
    """Draw test accuracies beside the last epoch; return where the axes end."""
    span = max(n_epochs - 1, 1)
    tested = [run for run in runs if run.labels]
    if not tested:
        return n_epochs + epoch_margin(n_epochs)
    start, end = n_epochs + 0.05 * span, n_epochs + (0.09 + 0.05 * len(tested)) * span
    ax.axvspan(start, end, color="#f3f3f3", zorder=0)
    ax.text((start + end) / 2, 0.012, "test", ha="center", va="bottom", fontsize=SMALL_SIZE, color=INK)
    for i, run in enumerate(tested):
        draw_interval(ax, run, x=start + (0.045 + 0.05 * i) * span)
    return end


def draw_interval(ax: Axes, run: RunResult, *, x: float | None = None, y: float | None = None) -> None:
    """Draw the test accuracy of a tested run with its 95% interval: upright at `x` or lying at `y`."""
    accuracy, interval = run.test_accuracy, run.test_accuracy_ci95
    assert accuracy is not None
    assert interval is not None
    reach = [[accuracy - interval[0]], [interval[1] - accuracy]]
    where: dict[str, Any] = (
        {"x": x, "y": accuracy, "yerr": reach} if y is None else {"x": accuracy, "y": y, "xerr": reach}
    )
    ax.errorbar(
        **where,
        color=colour_of(run.name),
        marker=marker_of(run.name),
        markersize=7,
        markeredgecolor="white",
        capsize=4,
        elinewidth=1.8,
        linestyle="none",
        label=f"{run_label(run)}, test",
        zorder=3,
    )


def _model_handle(run: RunResult) -> Line2D:
    test = f": test {percent(run.test_accuracy)}" if run.test_accuracy is not None else ": not tested"
    colour, marker = colour_of(run.name), marker_of(run.name)
    return Line2D([], [], color=colour, marker=marker, linewidth=2.2, markersize=5, label=run_label(run) + test)


def _kind_handles(runs: tuple[RunResult, ...], chance: float) -> list[Line2D]:
    handles = [
        Line2D([], [], color=INK, linewidth=2.2, label="validation images"),
        Line2D([], [], color=INK, linewidth=1.2, linestyle="--", label="training images"),
        Line2D([], [], color=PALE, linewidth=1.5, linestyle=":", label=f"chance ({percent(chance)})"),
    ]
    if any(run.labels for run in runs):
        test = Line2D([], [], color=INK, marker="|", markersize=12, markeredgewidth=1.8, linestyle="none")
        test.set_label("test images, 95% interval")
        handles.insert(2, test)
    return handles


def plot_test_accuracy(result: Result, *, ax: Axes | None = None) -> Axes:
    """Accuracy of each model on the test images with its 95% interval, and chance.

    Args:
        result: a comparison, a run, or several runs.
        ax: where to draw; a new figure without it.

    Raises:
        InputError: there is no run.
    """
    runs = runs_of(result)
    ax = new_axes(6.5, 1.3 + 0.6 * len(runs)) if ax is None else ax
    chance = chance_level(runs)
    ax.axvline(chance, color=PALE, linestyle=":", linewidth=1.5)
    for i, run in enumerate(runs):
        if run.test_accuracy is None or run.test_accuracy_ci95 is None:
            ax.text(0.02, i, "not tested", va="center", fontsize=SMALL_SIZE, color=INK)
            continue
        draw_interval(ax, run, y=i)
        low, high = run.test_accuracy_ci95
        text = f"{percent(run.test_accuracy)}  ({100 * low:.0f} to {100 * high:.0f})"
        # Above its interval, growing towards the side where there is room.
        x, side = (high, "right") if run.test_accuracy > 0.5 else (low, "left")
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
        note(ax, text, (x, i), (0, 7), ha=side, va="bottom", bbox=box)
    ax.set_xlim(0, 1.03)
    ax.xaxis.set_major_formatter(PERCENT)
    set_rows(ax, runs)
    dress(ax, "On the test images", x=f"accuracy with 95% interval; dotted: chance, {percent(chance)}")
    return ax
