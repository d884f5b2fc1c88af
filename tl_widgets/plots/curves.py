"""Figures of accuracy: by epoch, live or afterwards, and on the test images."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from tl_widgets.core.arguments import checked
from tl_widgets.core.numbers import percent
from tl_widgets.core.translation import _
from tl_widgets.plots.labels import (
    Result,
    Score,
    baseline_text,
    chance_level,
    epochs_to_draw,
    run_label,
    runs_of,
    scores_of,
    seed_suffix,
)
from tl_widgets.plots.style import (
    INK,
    PALE,
    PERCENT,
    SMALL_SIZE,
    TITLE_SIZE,
    color_of,
    draw_grid,
    epoch_margin,
    epoch_ticks,
    finish_axes,
    in_columns,
    legend_below,
    legend_columns,
    mark_fine_tuning,
    marker_of,
    new_axes,
    note,
    set_rows,
)
from tl_widgets.records.comparison import RunResult


@checked
def plot_accuracy(result: Result, *, ax: Axes | None = None) -> Axes:
    """Draw the accuracy of all models by epoch and on the test images.

    Args:
        result: A comparison, a run, or several runs.
        ax: Where to draw; None makes a new figure.

    Returns:
        The axes. Each model has a solid line for the validation images, a dashed one for its training images, and
        a point with a 95% interval for the test images; a dotted line marks chance, or always naming the
        largest class where classes differ in size. With repeats, the curves are
        those of the first seed, and each point is a mean beside a dot for each seed. With folds, the curves are means
        over the folds, and each point, over all images, has a dot for each fold beside it.

    Raises:
        InputError: There is no run.
    """
    runs = runs_of(result)
    ax = new_axes(7.5, 4.8) if ax is None else ax
    n_epochs = max(1, *(len(run.history.val_accuracy) for run in runs), *(len(run.history.accuracy) for run in runs))
    for run in runs:
        draw_curves(ax, run)
        if run.fine_tuning:
            mark_fine_tuning(ax, run.fine_tuning.start)
    if not any(run.history.val_accuracy for run in runs):
        ax.text(1, 0.5, _("no epoch was finished"), ha="center", va="center", fontsize=TITLE_SIZE, color=INK)
    chance = chance_level(runs)
    ax.axhline(chance, color=PALE, linestyle=":", linewidth=1.5)
    scores = scores_of(result)
    right = _draw_tests(ax, runs, scores, n_epochs)
    ax.set_xlim(1 - epoch_margin(n_epochs), right)
    ax.set_ylim(0, 1.03)
    draw_grid(ax, "y")
    ax.yaxis.set_major_formatter(PERCENT)
    ax.set_xticks(epoch_ticks(n_epochs))
    handles = [_model_handle(run, scores.get(run.name)) for run in runs]
    kinds, n_columns = _kind_handles(scores, chance, baseline_text(runs)), legend_columns(ax)
    legend_below(ax, in_columns(handles, kinds) if n_columns == 2 else [*handles, *kinds], n_columns=n_columns)
    finish_axes(
        ax,
        _("Accuracy by epoch{seed_suffix}", seed_suffix=seed_suffix(result)),
        x=_("epoch"),
        y=_("accuracy (% of images)"),
    )
    return ax


def draw_curves(ax: Axes, run: RunResult) -> None:
    """Draw accuracy by epoch; a fine-tuned model's starts after its frozen stage."""
    epochs = epochs_to_draw(run)
    dashed: dict[str, Any] = {"linestyle": "--", "linewidth": 1.2, "alpha": 0.75}
    solid: dict[str, Any] = {"linestyle": "-", "linewidth": 2.2, "marker": marker_of(run.name), "markersize": 5}
    for label, values, style in (
        (_("training"), run.history.accuracy, dashed),
        (_("validation"), run.history.val_accuracy, {**solid, "markevery": max(1, len(epochs) // 10)}),
    ):
        shown = [epoch for epoch in epochs if epoch <= len(values)]
        label = f"{run_label(run)}, {label}"
        ax.plot(shown, [values[epoch - 1] for epoch in shown], color=color_of(run.name), label=label, **style)


def _draw_tests(ax: Axes, runs: tuple[RunResult, ...], scores: dict[str, Score], n_epochs: int) -> float:
    """Draw test accuracies beside the last epoch; return the x at which the axes end."""
    span = max(n_epochs - 1, 1)
    tested = [run for run in runs if run.name in scores]
    if not tested:
        return n_epochs + epoch_margin(n_epochs)
    start, end = n_epochs + 0.05 * span, n_epochs + (0.09 + 0.05 * len(tested)) * span
    ax.axvspan(start, end, color="#f3f3f3", zorder=0)
    ax.text((start + end) / 2, 0.012, _("test"), ha="center", va="bottom", fontsize=SMALL_SIZE, color=INK)
    for i, run in enumerate(tested):
        draw_score(ax, run, scores[run.name], x=start + (0.04 + 0.05 * i) * span, aside=0.02 * span)
    return end


def draw_score(
    ax: Axes, run: RunResult, score: Score, *, x: float | None = None, y: float | None = None, aside: float
) -> None:
    """Draw a test accuracy with its 95% interval, and a dot for each seed or fold.

    The interval is vertical at `x`, or horizontal at `y`. The dots are shifted by `aside`, in the data's units.
    """
    accuracy, interval = score.accuracy, score.interval
    part, accuracies = score.parts
    if accuracies:
        seeds = np.asarray(accuracies)
        dots: dict[str, Any] = {"marker": "o", "markersize": 4, "markeredgewidth": 0, "alpha": 0.55}
        dots |= {
            "linestyle": "none",
            "color": color_of(run.name),
            "label": _("{run_label}, each {part}", run_label=run_label(run), part=part),
        }
        if x is not None:
            ax.plot(np.full(len(seeds), x + aside), seeds, **dots)
        elif y is not None:
            ax.plot(seeds, np.full(len(seeds), y + aside), **dots)
    reach = [[accuracy - interval[0]], [interval[1] - accuracy]]
    position: dict[str, Any] = (
        {"x": x, "y": accuracy, "yerr": reach} if y is None else {"x": accuracy, "y": y, "xerr": reach}
    )
    ax.errorbar(
        **position,
        color=color_of(run.name),
        marker=marker_of(run.name),
        markersize=7,
        markeredgecolor="white",
        capsize=4,
        elinewidth=1.8,
        linestyle="none",
        label=_("{run_label}, test", run_label=run_label(run)),
        zorder=3,
    )


def _model_handle(run: RunResult, score: Score | None) -> Line2D:
    if not score:
        test = _(": not tested")
    elif score.seeds:  # the curve shows one seed, the number the mean of all
        test = _(": mean test {accuracy}", accuracy=percent(score.accuracy))
    else:
        test = _(": test {accuracy}", accuracy=percent(score.accuracy))
    color, marker = color_of(run.name), marker_of(run.name)
    return Line2D([], [], color=color, marker=marker, linewidth=2.2, markersize=5, label=run_label(run) + test)


def _kind_handles(scores: dict[str, Score], chance: float, baseline: str = _("chance")) -> list[Line2D]:
    handles = [
        Line2D([], [], color=INK, linewidth=2.2, label=_("validation images")),
        Line2D([], [], color=INK, linewidth=1.2, linestyle="--", label=_("training images")),
        Line2D([], [], color=PALE, linewidth=1.5, linestyle=":", label=f"{baseline} ({percent(chance)})"),
    ]
    if scores:
        test = Line2D([], [], color=INK, marker="|", markersize=12, markeredgewidth=1.8, linestyle="none")
        is_over_seeds = any(score.seeds for score in scores.values())
        test.set_label(_("test images, 95% over seeds") if is_over_seeds else _("test images, 95% interval"))
        handles.insert(2, test)
    return handles


def plot_test_accuracy(result: Result, *, ax: Axes | None = None) -> Axes:
    """Draw the test accuracy of each model with its 95% interval, and chance.

    Where classes differ in size, the line of chance is that of always naming the largest class.
    With repeats or folds there is also a dot for each seed or fold.
    """
    runs = runs_of(result)
    ax = new_axes(6.5, 1.3 + 0.6 * len(runs)) if ax is None else ax
    chance, scores = chance_level(runs), scores_of(result)
    ax.axvline(chance, color=PALE, linestyle=":", linewidth=1.5)
    for i, run in enumerate(runs):
        score = scores.get(run.name)
        if score is None:
            ax.text(0.02, i, _("not tested"), va="center", fontsize=SMALL_SIZE, color=INK)
            continue
        draw_score(ax, run, score, y=i, aside=0.2)
        low, high = score.interval
        # The text stands above the interval and extends to the side that has room.
        x, side = (high, "right") if score.accuracy > 0.5 else (low, "left")
        box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
        note(ax, score.text, (x, i), (0, 7), ha=side, va="bottom", bbox=box)
    ax.set_xlim(0, 1.03)
    ax.xaxis.set_major_formatter(PERCENT)
    set_rows(ax, runs)
    n_seeds, chance_text = (
        max((len(score.seeds) for score in scores.values()), default=0),
        f"{baseline_text(runs)}, {percent(chance)}",
    )
    x_label = _(
        "accuracy with 95% interval\ndotted line: {chance_text}", chance_text=chance_text
    )  # one line would be wider than narrow axes
    if n_seeds:
        x_label = _(
            "mean of {n_seeds} seeds with 95% interval\nover seeds; dots: each seed\ndotted line: {chance_text}",
            n_seeds=n_seeds,
            chance_text=chance_text,
        )
    if n_folds := max((len(score.folds) for score in scores.values()), default=0):
        x_label = _(
            "accuracy over {n_folds} folds with 95% interval\ndots: each fold; dotted line: {chance_text}",
            n_folds=n_folds,
            chance_text=chance_text,
        )
    finish_axes(ax, _("On the test images"), x=x_label)
    return ax
