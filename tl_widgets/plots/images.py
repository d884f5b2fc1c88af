"""Figures of images, and cards in HTML: examples of a data set, and the models' answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.html import Markup, image as html_image, join
from tl_widgets.core.model_name import heading_of
from tl_widgets.core.numbers import percent
from tl_widgets.core.translation import _
from tl_widgets.data.dataset import Images
from tl_widgets.data.memmap_images import IndexedImages
from tl_widgets.plots.glyphs import drawable_names
from tl_widgets.plots.labels import answering_runs, label_of, n_disagreed, shortened
from tl_widgets.plots.style import (
    INK,
    LABEL_SIZE,
    PALE,
    SMALL_SIZE,
    TITLE_SIZE,
    add_axes,
    answer_color,
    draw_picture,
    finish_axes,
    new_axes,
    new_figure,
    root_figure,
    set_fonts,
)
from tl_widgets.records.answers import interest
from tl_widgets.records.comparison import Comparison, RunResult

if TYPE_CHECKING:
    from tl_widgets.data.dataset import ImageDataset
    from tl_widgets.data.memmap_images import IndexedImages

RIGHT, WRONG = "✓", "✗"
MAX_CLASSES = 12
N_COLUMNS = 6
CELL = 1.9  # inches from one image to the next


@checked
def plot_dataset(dataset: ImageDataset, *, n_per_class: int = 6, ax: Axes | None = None) -> Axes:
    """Draw the first training images of each class, one row per class.

    Args:
        dataset: The data set; with more than 12 classes, only the first 12 are shown.
        n_per_class: Images in a row, at least 1. A class with fewer images has a shorter row.
        ax: Where to draw; None makes a new figure.

    Returns:
        The axes. Each row is labeled with its class and the number of its images.

    Raises:
        InputError: `n_per_class` is below 1.
    """
    if n_per_class < 1:
        raise InputError(
            _("n_per_class={n_per_class}; it must be a whole number of at least 1.", n_per_class=n_per_class)
        )
    labels = dataset.train.labels
    n_rows = min(dataset.n_classes, MAX_CLASSES)
    counts = [int((labels == i).sum()) for i in range(n_rows)]
    n_columns = max(1, min(n_per_class, max(counts)))
    side, gap = dataset.image_size, max(2, dataset.image_size // 16)
    sheet = np.full((n_rows * (side + gap) - gap, n_columns * (side + gap) - gap, 3), 255, np.uint8)
    for i in range(n_rows):
        rows = np.flatnonzero(labels == i)[:n_columns]
        for j, image in enumerate(dataset.train.images[rows]):
            y, x = i * (side + gap), j * (side + gap)
            sheet[y : y + side, x : x + side] = image
    inches = 1.0 if n_rows <= 5 else 0.75
    names = [shortened(name, 26) for name in drawable_names(dataset.class_names)[:n_rows]]
    ax = _sheet_axes(inches * n_columns, inches * n_rows, names) if ax is None else ax
    ax.imshow(sheet)
    ax.set_xticks([])
    rows_named = [_("{name}\n{n:,} images", name=name, n=n) for name, n in zip(names, counts, strict=True)]
    ax.set_yticks([i * (side + gap) + side / 2 for i in range(n_rows)], rows_named, parse_math=False)
    subset = (
        _(", {n_rows} of {n_classes} classes", n_rows=n_rows, n_classes=dataset.n_classes)
        if n_rows < dataset.n_classes
        else ""
    )
    finish_axes(ax, _("{shortened}: training images{subset}", shortened=shortened(dataset.name, 40), subset=subset))
    ax.tick_params(length=0, labelsize=LABEL_SIZE)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax


def _sheet_axes(width: float, height: float, names: list[str]) -> Axes:
    """Return new axes, sized in inches, with room for these row labels."""
    # Letters outside ASCII may be as wide as they are high.
    left = 0.25 + max(0.75, *(len(name) * (0.072 if name.isascii() else 0.1) for name in names))
    ax = new_axes(max(left + width + 0.2, 6), height + 0.5)
    figure = root_figure(ax)
    # Constrained layout ignores fixed aspect ratios.
    figure.set_layout_engine("none")
    page_width, page_height = figure.get_size_inches()
    ax.set_position((left / page_width, 0.1 / page_height, width / page_width, height / page_height))
    ax.set_anchor("NW")
    return ax


@checked
def plot_predictions(comparison: Comparison, images: NDArray[np.uint8] | IndexedImages, *, n: int = 12) -> Figure:
    """Draw test images with the models' answers, disagreements first.

    Args:
        comparison: A comparison with at least one tested model; the control is left out.
        images: The test images (`dataset.test.images`), uint8, shape (n_test, height, width, 3).
        n: The number of images to show, at least 1.

    Returns:
        A figure with axes for each image: its class above, ✓ or ✗ and each model's answer below.

    Raises:
        InputError: No model was tested, or the number of images differs from that of the test.
    """
    tested = answering_runs(comparison.runs)
    if not tested:
        raise InputError(_("No model was tested, so there are no answers to show. Let a run finish."))
    if len(images) != len(tested[0].labels):
        raise InputError(
            _(
                "{n_images} images, but the models were tested on {n_labels}. Give `dataset.test.images` "
                "of the data set that was compared.",
                n_images=len(images),
                n_labels=len(tested[0].labels),
            )
        )
    chosen = interesting_rows(tested)[: max(1, n)]
    n_columns = min(N_COLUMNS, len(chosen))
    n_rows = math.ceil(len(chosen) / n_columns)
    below = 0.17 * len(tested) + 0.1  # inches of text under each image
    width, height = max(CELL * n_columns, 5.5) + 0.15, 0.45 + (CELL + 0.25 + below) * n_rows
    figure = new_figure(width, height)
    figure.set_layout_engine("none")  # it would shrink the images to fit long answers; the texts are cut instead
    grid = figure.add_gridspec(
        n_rows,
        n_columns,
        left=0.1 / width,
        right=(CELL * n_columns + 0.05) / width,
        bottom=below / height,
        top=1 - 0.7 / height,
        wspace=0.08,
        hspace=(0.25 + below) / CELL,
    )
    for k, (row, image) in enumerate(zip(chosen, images[np.asarray(chosen)], strict=True)):
        _draw_answer(add_axes(figure, grid[k // n_columns, k % n_columns]), image, tested, row)
    set_fonts([figure.suptitle(_heading(tested), fontsize=TITLE_SIZE, color=INK)])
    return figure


def interesting_rows(tested: list[RunResult]) -> list[int]:
    """Return all test rows: first disagreements, then images that all get wrong."""
    return sorted(range(len(tested[0].labels)), key=lambda row: interest(tested, row))


def _draw_answer(ax: Axes, image: NDArray[np.uint8], tested: list[RunResult], row: int) -> None:
    names = drawable_names(tested[0].class_names)
    draw_picture(ax, image)
    for k, run in enumerate(tested):
        right = run.predictions[row] == run.labels[row]
        text = f"{RIGHT if right else WRONG} {label_of(run.name)}: {names[run.predictions[row]]}"
        style: dict[str, Any] = {
            "color": answer_color(right),
            "fontsize": SMALL_SIZE - 0.5,
        }
        ax.annotate(
            shortened(text, 27),
            (0, 0),
            (0, -3 - 11 * k),
            "axes fraction",
            "offset points",
            va="top",
            ha="left",
            **style,
        )
    finish_axes(ax, "")
    ax.set_title(
        shortened(names[tested[0].labels[row]], 22),
        fontsize=LABEL_SIZE,
        color=INK,
        x=0,
        ha="left",
    )
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set_color(PALE)


def _heading(tested: list[RunResult]) -> str:
    n = len(tested[0].labels)
    if len(tested) == 1:
        return _("Wrong answers first: {n_wrong} of {n} test images", n_wrong=n - tested[0].n_right, n=n)
    differ = n_disagreed(tested)
    models = _("The two models") if len(tested) == 2 else _("The {n_tested} models", n_tested=len(tested))
    if not differ:
        return _("{models} give the same answers to all {n} test images", models=models, n=n)
    return _("{models} disagree on {differ} of {n} test images; these come first", models=models, differ=differ, n=n)


_SIDE = 96  # CSS pixels


def cards(images: Images | IndexedImages, rows: Sequence[int], runs: Sequence[RunResult]) -> Markup:
    """Return test images as cards; `images` is uint8, (n_test, height, width, 3)."""
    pixels = images[np.asarray(rows, np.int64)] if len(rows) else ()
    shown = [_card(picture, row, runs) for picture, row in zip(pixels, rows, strict=True)]
    return Markup('<div class="tlw-cards">{}</div>').format(join(shown))


def _card(pixels: NDArray[np.uint8], row: int, runs: Sequence[RunResult]) -> Markup:
    names = runs[0].class_names
    true = names[runs[0].labels[row]]
    lines = []
    for run in runs:
        is_right = run.predictions[row] == run.labels[row]
        mark, kind = ("✓", "tlw-right-answer") if is_right else ("✗", "tlw-wrong-answer")
        word = _("right") if is_right else _("wrong")
        confidence = percent(max(run.probabilities[row])) if run.probabilities else ""
        line = Markup(
            '<span class="{}"><span role="img" aria-label="{}">{}</span> {}: {} <small>{}</small></span>'
        ).format(kind, word, mark, heading_of(run.name), names[run.predictions[row]], confidence)
        lines.append(line)
    picture = html_image(pixels, _("Test image {row}, {true}", row=row + 1, true=true), _SIDE)
    return Markup("<figure>{}<figcaption><b>{}</b>{}</figcaption></figure>").format(picture, true, join(lines))
