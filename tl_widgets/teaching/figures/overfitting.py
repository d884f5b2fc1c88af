"""What notebook 03 shows: labels of a friend in a hurry, and what each cure for overfitting did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import percent, points
from tl_widgets.core.translation import _
from tl_widgets.plots.style import INK, PERCENT, add_axes, draw_grid, finish_axes, legend_below, new_axes, new_figure
from tl_widgets.records.statistics import wilson_interval
from tl_widgets.teaching.show import with_alt_text

_WRONG = "#b00020"


def careless(labels: ArrayLike, *, every: int, seed: int = 0) -> NDArray[np.int64]:
    """Return the labels with those of every n-th image moved to another of these images.

    Args:
        labels: The right labels, shape (n,).
        every: 3 moves every third label; some of them are right by luck.
        seed: Decides where they go.
    """
    moved = np.array(labels)
    moved[::every] = np.random.default_rng(seed).permutation(moved[::every])
    return moved


def plot_labeled(images: ArrayLike, written: ArrayLike, labels: ArrayLike, *, n: int = 10) -> Figure:
    """Draw pictures with the label that somebody wrote above each; a wrong one is red and says what it should be.

    Args:
        images: uint8, shape (n, height, width, 3).
        written: The labels that were given, shape (n,).
        labels: The right ones, shape (n,).
        n: How many pictures, half of them with a wrong label where there are as many.
    """
    pictures, given, right = np.asarray(images), np.asarray(written), np.asarray(labels)
    wrong, fine = np.flatnonzero(given != right)[: n // 2], np.flatnonzero(given == right)
    shown = [*fine[np.linspace(0, len(fine) - 1, n - len(wrong)).astype(int)], *wrong]
    figure = new_figure(0.95 * n, 1.5)
    grid = figure.add_gridspec(1, len(shown))
    texts = [
        f"“{given[i]}”" if given[i] == right[i] else _("“{given}”, is {right}", given=given[i], right=right[i])
        for i in shown
    ]
    for k, i in enumerate(shown):
        ax = add_axes(figure, grid[k])
        ax.imshow(pictures[i])
        ax.set_xticks([])
        ax.set_yticks([])
        finish_axes(ax, texts[k])
        ax.title.set(fontsize=9, color=INK if given[i] == right[i] else _WRONG)
    return with_alt_text(
        figure, _("Pictures with the labels that were written for them: {texts}.", texts="; ".join(texts))
    )


def turning_point(history: Mapping[str, Sequence[float]]) -> str:
    """Return in a sentence when the validation loss was lowest, and how things went on from there."""
    losses, scores = history["val_loss"], history["val_accuracy"]
    best, top, last = int(np.argmin(losses)), int(np.argmax(scores)), len(losses) - 1
    start = _("The validation loss was lowest after epoch {best}, at {losse:.2f}", best=best + 1, losse=losses[best])
    if last - best <= 1:
        return _("{start}, when training ended: this network might have learned still more.", start=start)
    return _(
        "{start}, and rose to {last_val_loss:.2f} in the end, while the training loss fell from {loss:.2f} "
        "to {last_loss:.2f}. The validation accuracy was highest after epoch {epoch}, and went from "
        "{highest} to {last}.",
        start=start,
        last_val_loss=losses[last],
        loss=history["loss"][best],
        last_loss=history["loss"][last],
        epoch=top + 1,
        highest=percent(scores[top], 0),
        last=percent(scores[last], 0),
    )


def plot_cures(scores: Mapping[str, Sequence[float]], *, n: int, right: float | None = None) -> Axes:
    """Draw validation accuracy as bars with 95% intervals, and training accuracy as circles above them.

    Args:
        scores: (training accuracy, validation accuracy), 0..1, by what was changed.
        n: The number of validation images.
        right: The share of training labels that are right, 0..1, drawn as a line.
    """
    ax = new_axes(7.5, 1.5 + 0.5 * len(scores))
    if right is not None:
        ax.axvline(
            right, color=INK, linewidth=1.5, linestyle=":", label=_("right labels, {right}", right=percent(right, 0))
        )
    for y, (training, validation) in enumerate(scores.values()):
        low, high = wilson_interval(round(n * validation), n)
        errors = [[max(validation - low, 0)], [max(high - validation, 0)]]
        style: dict[str, Any] = {"color": ModelName.SCRATCH.color, "ecolor": INK, "capsize": 4}
        ax.barh(y, validation, 0.4, xerr=errors, label=_("validation") if y == 0 else None, **style)
        ax.plot(
            training,
            y - 0.36,
            "o",
            markersize=8,
            markerfacecolor="white",
            markeredgecolor=INK,
            linestyle="none",
            label=_("training, with the written labels") if y == 0 else None,
        )
    ax.set_yticks(range(len(scores)), [f"{name}  {percent(pair[1], 0)}" for name, pair in scores.items()])
    ax.set_ylim(len(scores) - 0.4, -0.6)
    ax.set_xlim(0, 1.03)
    ax.xaxis.set_major_formatter(PERCENT)
    draw_grid(ax, "x")
    legend_below(ax, ax.get_legend_handles_labels()[0], n_columns=3)
    finish_axes(ax, _("What each change did"), x=_("accuracy, with 95% interval"))
    parts = "; ".join(
        _(
            "{name}: training {training}, validation {validation}",
            name=name,
            training=percent(training, 0),
            validation=percent(validation, 0),
        )
        for name, (training, validation) in scores.items()
    )
    line = "" if right is None else _(" A line at {right} marks the share of right labels.", right=percent(right, 0))
    return with_alt_text(ax, _("Bar chart of accuracy by what was changed. {parts}.{line}", parts=parts, line=line))


def compare_cures(scores: Mapping[str, Sequence[float]], *, n: int) -> str:
    """Return in sentences which changes helped by more than noise; the first of `scores` has no change.

    Args:
        scores: (training accuracy, validation accuracy), 0..1, by what was changed.
        n: The number of validation images.
    """
    (plain, (_unused, before)), *changes = scores.items()
    # Two standard errors of the difference of two shares of n images, at worst.
    noise = 2 * (2 * 0.25 / n) ** 0.5
    gains = {name: validation - before for name, (_training, validation) in changes}
    groups = {
        _("Clearly better than {plain}", plain=plain): [name for name in gains if gains[name] > noise],
        _("Too close to call"): [name for name in gains if abs(gains[name]) <= noise],
        _("Clearly worse"): [name for name in gains if gains[name] < -noise],
    }
    texts = [
        title
        + ": "
        + ", ".join(_("{name} ({gain} points)", name=name, gain=points(gains[name], 0, signed=True)) for name in names)
        + "."
        for title, names in groups.items()
        if names
    ]
    return _(
        "With {n} validation images, a difference below {noise:.0f} points may be luck. {texts}",
        n=n,
        noise=100 * noise,
        texts=" ".join(texts),
    )
