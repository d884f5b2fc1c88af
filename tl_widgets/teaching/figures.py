"""Figures that only the notebooks need. Each carries its text alternative as the figure's label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import percent
from tl_widgets.plots.style import (
    COUNT,
    INK,
    PALE,
    PERCENT,
    SMALL_SIZE,
    TITLE_SIZE,
    add_axes,
    colour_of,
    draw_grid,
    dress,
    label_of,
    legend_below,
    marker_of,
    new_axes,
    new_figure,
    note,
    set_fonts,
)
from tl_widgets.records.comparison import Comparison, RunResult
from tl_widgets.records.parameters import LayerRow
from tl_widgets.teaching.show import with_words

Named = tuple[tuple[tuple[str, float], ...], ...]


def plot_layers(rows: Sequence[LayerRow]) -> Axes:
    """Parameters of each layer that has any, as bars.

    Args:
        rows: of a ledger, in the order of the layers.
    """
    shown = [row for row in rows if row.n_params]
    ax = new_axes(7.5, 1.2 + 0.42 * len(shown))
    ax.barh(range(len(shown)), [row.n_params for row in shown], 0.6, color=ModelName.SCRATCH.color)
    for y, row in enumerate(shown):
        note(ax, f"{row.n_params:,}", (row.n_params, y), (4, 0))
    labels = [f"{row.layer}  →  {' × '.join(map(str, row.output_shape))}" for row in shown]
    ax.set_yticks(range(len(shown)), labels)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_xlim(0, 1.15 * max(row.n_params for row in shown))
    ax.xaxis.set_major_formatter(COUNT)
    draw_grid(ax, "x")
    dress(ax, "Where the parameters are", x="number of parameters", y="layer and shape of its output")
    return with_words(ax, _layers_words(rows))


def _layers_words(rows: Sequence[LayerRow]) -> str:
    said = ", ".join(f"{row.layer} {row.n_params:,}" for row in rows if row.n_params)
    return f"Bar chart of parameters by layer, in order: {said}."


def plot_learning(comparisons: Sequence[Comparison]) -> Axes:
    """Test accuracy against the number of training images, a line for each model with its 95% intervals.

    Args:
        comparisons: on the same test images, with fewer and with more training images.
    """
    ax = new_axes(7.5, 4.4)
    for k, (name, runs) in enumerate(_by_model(comparisons).items()):
        ns = np.array([_per_class(each) for each in comparisons]) * 1.02**k  # so that intervals do not cover each other
        scores = np.array([run.n_right / len(run.labels) for run in runs])
        bounds = np.array([run.test_accuracy_ci95 for run in runs], dtype=float).T
        errors = np.abs(bounds - scores)
        style: dict[str, Any] = {
            "color": colour_of(name),
            "marker": marker_of(name),
            "capsize": 3,
            "label": label_of(name),
        }
        ax.errorbar(ns, scores, errors, **style)
    ax.set_xscale("log")
    ticks = [_per_class(each) for each in comparisons]
    ax.set_xticks(ticks, [str(n) for n in ticks])
    ax.set_xticks([], minor=True)
    ax.set_ylim(0, 1.03)
    ax.yaxis.set_major_formatter(PERCENT)
    draw_grid(ax, "y")
    legend_below(ax, ax.get_legend_handles_labels()[0], n_columns=3)
    title = f"{comparisons[0].dataset.name}: how much data each model needs"
    dress(ax, title, x="training images of each class (log scale)", y="accuracy on the test images")
    return with_words(ax, _learning_words(comparisons))


def _learning_words(comparisons: Sequence[Comparison]) -> str:
    said = [
        f"{label_of(name)} "
        + ", ".join(
            f"{percent(run.n_right / len(run.labels))} with {_per_class(each)}"
            for each, run in zip(comparisons, runs, strict=True)
        )
        for name, runs in _by_model(comparisons).items()
    ]
    return f"Line chart of test accuracy by training images of each class: {'; '.join(said)}."


def plot_named(pictures: Mapping[str, NDArray[np.uint8]], named: Named) -> Figure:
    """Pictures in a row, each with the names that a network gives it.

    Args:
        pictures: by what they show.
        named: of `name_imagenet`, in the same order.
    """
    figure = new_figure(2.05 * len(pictures), 3.1)
    grid = figure.add_gridspec(1, len(pictures))
    for i, ((what, picture), names) in enumerate(zip(pictures.items(), named, strict=True)):
        ax = add_axes(figure, grid[i])
        ax.imshow(picture)
        ax.set_xticks([])
        ax.set_yticks([])
        dress(ax, what)
        for k, (name, share) in enumerate(names):
            style: dict[str, Any] = {"fontsize": SMALL_SIZE, "color": INK if k == 0 else PALE, "va": "top"}
            text = ax.annotate(
                f"{percent(share)} {name}", (0, 0), (0, -5 - 12 * k), "axes fraction", "offset points", **style
            )
            set_fonts([text])
    heading = figure.suptitle("What the network calls each picture", fontsize=TITLE_SIZE, color=INK)
    set_fonts([heading])
    return with_words(figure, _named_words(pictures, named))


def _named_words(pictures: Mapping[str, NDArray[np.uint8]], named: Named) -> str:
    said = [
        f"{what}: {', '.join(f'{name} {percent(share)}' for name, share in names)}"
        for what, names in zip(pictures, named, strict=True)
    ]
    return f"Photographs with the most probable ImageNet classes. {'; '.join(said)}."


def plot_shares(runs: Mapping[str, RunResult], title: str) -> Axes:
    """Test accuracy of several runs with their 95% intervals, a bar for each.

    Args:
        runs: tested ones, by what to call them.
        title: above the figure.
    """
    ax = new_axes(7.5, 1.3 + 0.6 * len(runs))
    for y, run in enumerate(runs.values()):
        assert run.test_accuracy is not None
        assert run.test_accuracy_ci95 is not None
        low, high = run.test_accuracy_ci95
        errors = [[run.test_accuracy - low], [high - run.test_accuracy]]
        ax.barh(y, run.test_accuracy, 0.5, xerr=errors, color=colour_of(run.name), ecolor=INK, capsize=4)
        note(ax, percent(run.test_accuracy), (high, y), (6, 0))
    ax.set_yticks(range(len(runs)), list(runs), parse_math=False)
    ax.set_ylim(len(runs) - 0.4, -0.6)
    ax.set_xlim(0, 1.12)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1])
    ax.xaxis.set_major_formatter(PERCENT)
    draw_grid(ax, "x")
    dress(ax, title, x="accuracy on the test images, with 95% interval", y="model")
    return with_words(ax, _shares_words(runs))


def _shares_words(runs: Mapping[str, RunResult]) -> str:
    said = []
    for name, run in runs.items():
        low, high = run.test_accuracy_ci95 or (0.0, 1.0)
        said.append(f"{name} {percent(run.n_right / len(run.labels))} (95% interval {percent(low)} to {percent(high)})")
    return f"Bar chart of test accuracy: {'; '.join(said)}."


def _per_class(comparison: Comparison) -> int:
    return comparison.dataset.n_train // len(comparison.dataset.class_names)


def _by_model(comparisons: Sequence[Comparison]) -> dict[str, list[RunResult]]:
    found: dict[str, list[RunResult]] = {}
    for comparison in comparisons:
        for run in comparison.runs:
            found.setdefault(run.name, []).append(run)
    return found
