"""Figures of data sets and comparisons, with their text alternatives as labels."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import percent
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.plots import comparison, images
from tl_widgets.plots.style import INK, PERCENT, draw_grid, finish_axes, new_axes
from tl_widgets.records.comparison import Comparison
from tl_widgets.records.statistics import wilson_interval
from tl_widgets.teaching.lab_results import tested_images
from tl_widgets.teaching.show import with_alt_text


def plot_dataset(dataset: ImageDataset, *, n_per_class: int = 6) -> Axes:
    """Draw some training images of each class, one row per class."""
    names = ", ".join(dataset.class_names)
    text = _(
        "Rows of training images, up to {n_per_class} of each class: {names}.", n_per_class=n_per_class, names=names
    )
    return with_alt_text(images.plot_dataset(dataset, n_per_class=n_per_class), text)


def plot_test_accuracy(result: Comparison) -> Axes:
    """Draw the test accuracy of each model with its 95% interval."""
    return with_alt_text(comparison.plot_test_accuracy(result), comparison.alt_text(result, "test_accuracy"))


def plot_predictions(result: Comparison) -> Figure:
    """Draw test images with both models' answers, disagreements first.

    Raises:
        InputError: The images are the learner's own.
    """
    return with_alt_text(
        images.plot_predictions(result, tested_images(result)), comparison.alt_text(result, "predictions")
    )


def with_interval(accuracy: float, n: int) -> str:
    """Write an accuracy on `n` images with its 95% interval: "93% of 80 (95% interval 85% to 97%)"."""
    low, high = wilson_interval(round(accuracy * n), n)
    return _("{accuracy:.0%} of {n} (95% interval {low:.0%} to {high:.0%})", accuracy=accuracy, n=n, low=low, high=high)


def plot_validation(scores: Mapping[str, float], *, n: int) -> Axes:
    """Draw validation accuracies of a transfer model on `n` images as bars with 95% intervals."""
    ax = new_axes(7.5, 1.4 + 0.45 * len(scores))
    for y, score in enumerate(scores.values()):
        low, high = wilson_interval(round(n * score), n)
        errors = [[max(score - low, 0)], [max(high - score, 0)]]
        ax.barh(y, score, 0.5, xerr=errors, color=ModelName.TRANSFER.color, ecolor=INK, capsize=4)
    ax.set_yticks(range(len(scores)), [f"{name}  {percent(score, 0)}" for name, score in scores.items()])
    ax.set_ylim(len(scores) - 0.4, -0.6)
    ax.set_xlim(0, 1.03)
    ax.xaxis.set_major_formatter(PERCENT)
    draw_grid(ax, "x")
    finish_axes(ax, _("The same backbone and head"), x=_("validation accuracy, with 95% interval"))
    parts = ", ".join(f"{name} {percent(score, 0)}" for name, score in scores.items())
    return with_alt_text(ax, _("Bar chart of the validation accuracy on {n} images: {parts}.", n=n, parts=parts))
