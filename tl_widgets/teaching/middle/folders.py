"""What notebook 04 writes and draws: a data set as a folder of pictures, and validation accuracies."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes

from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import percent
from tl_widgets.data.dataset import ImageDataset
from tl_widgets.plots.style import INK, PERCENT, draw_grid, finish_axes, new_axes
from tl_widgets.records.statistics import wilson_interval
from tl_widgets.teaching.show import with_alt_text


def write_folder(dataset: ImageDataset) -> Path:
    """Write a data set as PNG files into a new folder: train/CLASS, validation/CLASS and test/CLASS.

    Returns:
        The folder, among the system's temporary files.
    """
    from PIL import Image

    folder = Path(tempfile.mkdtemp(prefix="tl_widgets-"))
    for part in ("train", "validation", "test"):
        split = getattr(dataset, part)
        for i, (image, label) in enumerate(zip(split.images[:], split.labels, strict=True)):
            place = folder / part / dataset.class_names[label]
            place.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(place / f"{i:03}.png")
    return folder


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
    finish_axes(ax, "The same backbone and head", x="validation accuracy, with 95% interval")
    parts = ", ".join(f"{name} {percent(score, 0)}" for name, score in scores.items())
    return with_alt_text(ax, f"Bar chart of the validation accuracy on {n} images: {parts}.")
