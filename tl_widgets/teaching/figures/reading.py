"""Figures of what a model answers, and of how a learning curve is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import number_text, percent
from tl_widgets.core.translation import _
from tl_widgets.plots.labels import label_of
from tl_widgets.plots.style import INK, PERCENT, draw_grid, finish_axes, legend_below, marker_of, new_axes, note
from tl_widgets.studies.learning_curve.result import LearningCurve
from tl_widgets.teaching.figures.named import plot_named
from tl_widgets.teaching.show import with_alt_text

if TYPE_CHECKING:
    import keras


def plot_top_classes(
    model: keras.Model, pictures: Mapping[str, NDArray[np.uint8]], class_names: Sequence[str], *, n_shown: int = 2
) -> Figure:
    """Draw pictures of the model's size in a row, each with the classes that get the largest shares."""
    named = []
    for shares in model.predict(np.stack([*pictures.values()]), verbose=0):
        if len(shares) == 1:  # of the second of two classes
            shares = np.array([1 - shares[0], shares[0]])
        best = np.argsort(-shares)[:n_shown]
        named.append(tuple((class_names[k], float(shares[k])) for k in best))
    return plot_named(pictures, tuple(named))


def plot_asked_again(reported: Sequence[float], again: float) -> Axes:
    """Draw the training accuracy that `fit` reported by epoch, and what `evaluate` finds for the same images."""
    ax = new_axes(7.5, 3.2)
    epochs, color = range(1, len(reported) + 1), ModelName.FINE_TUNED.color
    ax.plot(epochs, reported, color=color, linewidth=1.6, linestyle="--", label=_("training, as fit reports it"))
    ax.plot(epochs[-1:], [again], "o", color=INK, markersize=9, label=_("the same images, asked again"))
    note(ax, percent(again, 0), (epochs[-1], again), (0, -14))
    ax.set_ylim(0, 1.03)
    ax.yaxis.set_major_formatter(PERCENT)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    draw_grid(ax, "y")
    legend_below(ax, ax.get_legend_handles_labels()[0], n_columns=2)
    finish_axes(ax, _("Accuracy on the training digits"), x=_("epoch"), y=_("accuracy"))
    words = _(
        "fit reports {first} to {last} over {n_epochs} epochs",
        first=percent(reported[0]),
        last=percent(reported[-1]),
        n_epochs=len(epochs),
    )
    return with_alt_text(
        ax, _("Training accuracy by epoch: {words}. Asked again, it is {again}.", words=words, again=percent(again))
    )


def plot_sideways(curve: LearningCurve, accuracy: float) -> Axes:
    """Draw both learning curves, and below them the numbers of images that an accuracy takes.

    Args:
        curve: A learning curve of the network from scratch and the frozen backbone.
        accuracy: The height at which both are read, 0..1.
    """
    ax = new_axes(7.5, 3.8)
    words = []
    for arm in (ModelName.SCRATCH, ModelName.TRANSFER):
        sizes, means = zip(*((n, mean.mean) for n, mean in curve.means(arm)), strict=True)
        ax.plot(sizes, means, color=arm.color, marker=marker_of(arm), linewidth=2, label=label_of(arm))
        needed = curve.images_for(arm, accuracy)
        if needed is None:
            words.append(_("{label} doesn't get there", label=label_of(arm)))
            continue
        at_least = _("at most ") if needed == curve.n_per_class[0] else ""
        words.append(_("{label} needs {at_least}{needed:.1f}", label=label_of(arm), at_least=at_least, needed=needed))
        ax.plot([needed, needed], [0, accuracy], color=arm.color, linewidth=1.5, linestyle=":")
        note(ax, at_least + number_text(needed, ".1f"), (needed, 0.05), (5, 0), color=arm.color)
    ax.axhline(accuracy, color=INK, linewidth=1)
    note(
        ax,
        _("{accuracy}: read sideways", accuracy=percent(accuracy, 0)),
        (curve.n_per_class[0], accuracy),
        (0, 8),
        ha="left",
    )
    ax.set_xscale("log")
    ax.set_xlim(0.85 * curve.n_per_class[0], 1.25 * curve.n_per_class[-1])
    ax.set_xticks(curve.n_per_class, [str(n) for n in curve.n_per_class])
    ax.set_xticks([], minor=True)
    ax.set_ylim(0, 1.03)
    ax.yaxis.set_major_formatter(PERCENT)
    draw_grid(ax, "y")
    legend_below(ax, ax.get_legend_handles_labels()[0], n_columns=2)
    finish_axes(
        ax, _("The same curves, read sideways"), x=_("training images of each class (log scale)"), y=_("accuracy")
    )
    return with_alt_text(
        ax,
        _(
            "Both learning curves with a line at {accuracy}: {words}.",
            accuracy=percent(accuracy, 0),
            words="; ".join(words),
        ),
    )
