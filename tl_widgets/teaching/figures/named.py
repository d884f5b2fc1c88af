"""Figures for the notebooks; a figure's label is its text alternative."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from tl_widgets.core.model_name import heading_of
from tl_widgets.core.numbers import percent
from tl_widgets.core.translation import _
from tl_widgets.plots.style import (
    INK,
    PALE,
    PERCENT,
    SMALL_SIZE,
    TITLE_SIZE,
    add_axes,
    color_of,
    draw_grid,
    finish_axes,
    legend_below,
    new_axes,
    new_figure,
    note,
    set_fonts,
)
from tl_widgets.records.comparison import RunResult
from tl_widgets.teaching.show import with_alt_text

Named = tuple[tuple[tuple[str, float], ...], ...]
PHOTOGRAPHS = {"cat": "chelsea", "coffee": "coffee", "camera": "camera", "rocket": "rocket", "brick wall": "brick"}


def plot_named(pictures: Mapping[str, NDArray[np.uint8]], named: Named) -> Figure:
    """Draw pictures in a row, each with the names that `name_imagenet` gives it."""
    figure = new_figure(2.05 * len(pictures), 3.1)
    grid = figure.add_gridspec(1, len(pictures))
    for i, ((subject, picture), names) in enumerate(zip(pictures.items(), named, strict=True)):
        ax = add_axes(figure, grid[i])
        ax.imshow(picture)
        ax.set_xticks([])
        ax.set_yticks([])
        finish_axes(ax, subject)
        ax.spines[:].set_visible(True)
        for k, (name, share) in enumerate(names):
            style: dict[str, Any] = {"fontsize": SMALL_SIZE, "color": INK if k == 0 else PALE, "va": "top"}
            text = ax.annotate(
                f"{percent(share)} {name}", (0, 0), (0, -5 - 12 * k), "axes fraction", "offset points", **style
            )
            set_fonts([text])
    heading = figure.suptitle(_("What the network calls each picture"), fontsize=TITLE_SIZE, color=INK)
    set_fonts([heading])
    return with_alt_text(figure, _named_alt_text(pictures, named))


def _named_alt_text(pictures: Mapping[str, NDArray[np.uint8]], named: Named) -> str:
    descriptions = [
        f"{subject}: {', '.join(f'{name} {percent(share)}' for name, share in names)}"
        for subject, names in zip(pictures, named, strict=True)
    ]
    return _("Photographs with the most probable classes. {descriptions}.", descriptions="; ".join(descriptions))


def plot_shares(runs: Mapping[str, RunResult], title: str) -> Axes:
    """Draw the test accuracy of tested runs with their 95% intervals, as bars.

    Args:
        runs: The runs by what to write beside them; a gap follows where the text before the first comma changes.
        title: What to write above.
    """
    groups = [name.partition(",")[0] for name in runs]
    places = [i + 0.6 * sum(a != b for a, b in pairwise(groups[: i + 1])) for i in range(len(groups))]
    ax = new_axes(7.5, 1.5 + 0.45 * (places[-1] + 1))
    for y, run in zip(places, runs.values(), strict=True):
        assert run.test_accuracy is not None
        assert run.test_accuracy_ci95 is not None
        low, high = run.test_accuracy_ci95
        errors = [[run.test_accuracy - low], [high - run.test_accuracy]]
        ax.barh(y, run.test_accuracy, 0.5, xerr=errors, color=color_of(run.name), ecolor=INK, capsize=4)
        note(ax, percent(run.test_accuracy), (high, y), (6, 0))
    ax.set_yticks(places, list(runs), parse_math=False)
    ax.set_ylim(places[-1] + 0.6, -0.6)
    ax.set_xlim(0, 1.12)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1])
    ax.xaxis.set_major_formatter(PERCENT)
    draw_grid(ax, "x")
    names = dict.fromkeys(run.name for run in runs.values())
    legend_below(ax, [Patch(color=color_of(name), label=heading_of(name)) for name in names], n_columns=len(names))
    finish_axes(ax, title, x=_("accuracy on the test images, with 95% interval"))
    return with_alt_text(ax, _shares_alt_text(runs))


def _shares_alt_text(runs: Mapping[str, RunResult]) -> str:
    parts = []
    for name, run in runs.items():
        low, high = run.test_accuracy_ci95 or (0.0, 1.0)
        parts.append(
            _(
                "{name} {n_right} (95% interval {low} to {high})",
                name=name,
                n_right=percent(run.n_right / len(run.labels)),
                low=percent(low),
                high=percent(high),
            )
        )
    return _("Bar chart of test accuracy: {parts}.", parts="; ".join(parts))


def photographs(image_size: int = 224) -> dict[str, NDArray[np.uint8]]:
    """Return photographs of a cat, coffee, a man with a camera, a rocket, and bricks.

    Args:
        image_size: The side of the middle square in pixels.

    Returns:
        Arrays by what they show: uint8, shape (image_size, image_size, 3). Two of them are gray.
    """
    from PIL import Image, ImageOps
    from skimage import data

    pictures = {}
    for name, function in PHOTOGRAPHS.items():
        picture = Image.fromarray(getattr(data, function)()).convert("RGB")
        pictures[name] = np.asarray(ImageOps.fit(picture, (image_size, image_size)))
    return pictures
