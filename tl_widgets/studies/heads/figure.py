"""The figure of the "heads" study."""

from __future__ import annotations

from math import ceil
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import percent, seconds_text
from tl_widgets.core.translation import _
from tl_widgets.plots.glyphs import drawable_names
from tl_widgets.plots.labels import shortened
from tl_widgets.plots.style import (
    INK,
    LABEL_SIZE,
    PALE,
    PERCENT,
    SMALL_SIZE,
    add_axes,
    answer_color,
    color_of,
    draw_grid,
    draw_intervals,
    draw_picture,
    finish_axes,
    fitted_title,
    new_figure,
    note,
    set_fonts,
    write_title,
)
from tl_widgets.studies.heads.result import HEAD_NAMES, HeadStudy, Picture, SearchPoint

_SMALL = SMALL_SIZE - 1


@checked
def plot_heads(study: HeadStudy, *, narrow: bool = False) -> Figure:
    """Draw the accuracy of each head, and test images with their nearest training images.

    Args:
        study: a study with at least one point.
        narrow: whether the figure is for a page of half the width.

    Returns:
        A figure with a dot chart of the heads (Wilson's intervals), and for each backbone rows of images: a test image,
        then its nearest training images. ✓ marks a neighbor of the same class, ✗ another.

    Raises:
        InputError: nothing was measured.
    """
    if not (study.heads or study.searches):
        raise InputError(_("This study has nothing to draw: it was stopped before the first head."))
    n_beside = 1 if narrow else min(2, max(len(study.searches), 1))
    width = 5.2 if narrow else 8.6
    cell = min((width / n_beside - 0.3) / (1 + study.n_neighbors), 0.95)
    title = fitted_title(study.headline, width - 0.3)
    n_rows = ceil(len(study.searches) / n_beside)
    heads = (0.9 + 0.36 * len(study.heads) + 0.2 * title.count("\n")) if study.heads else 0.4
    gallery = 0.5 + (cell + 0.36) * len(study.queries)
    figure = new_figure(width, heads + gallery * n_rows + 0.2)
    pages = figure.subfigures(1 + n_rows, 1, height_ratios=[heads, *[gallery] * n_rows], squeeze=False).ravel()
    write_title(pages[0], title)
    if study.heads:
        _draw_heads(add_axes(pages[0]), study)
    halves = [half for page in pages[1:] for half in page.subfigures(1, n_beside, squeeze=False).ravel()]
    for half, search in zip(halves, study.searches, strict=False):
        _draw_search(half, study, search)
    return figure


def _draw_heads(ax: Axes, study: HeadStudy) -> None:
    for y, head in enumerate(study.heads):
        style = {"color": color_of(ModelName.TRANSFER), "marker": "s"}
        draw_intervals(ax, [head.accuracy], [y], [head.ci95], axis="x", **style)
        choice = f"{head.choice_text}, " if head.choice else ""
        note(ax, f"{percent(head.accuracy)}\n{choice}{seconds_text(head.seconds)}", (1.0, y), (8, 0))
    ax.axvline(study.chance, color=PALE, linestyle=":", linewidth=1.5)
    note(ax, _("chance ({chance})", chance=percent(study.chance)), (study.chance, -0.5), (3, 0), color=PALE)
    ax.set_yticks(range(len(study.heads)), [HEAD_NAMES[head.head] for head in study.heads], parse_math=False)
    ax.set_ylim(len(study.heads) - 0.4, -0.7)
    ax.set_xlim(0, 1.0)
    ax.xaxis.set_major_formatter(PERCENT)
    draw_grid(ax, "x")
    finish_axes(ax, "", x=_("right, of {n_test} test images (bars: 95% intervals)", n_test=study.dataset.n_test))


def _draw_search(page: Any, study: HeadStudy, search: SearchPoint) -> None:
    names = drawable_names(study.dataset.class_names)
    pictures = {picture.row: picture for picture in study.pictures}
    text = _(
        "{search_name}:\n{text} of the neighbors are right", search_name=search.name, text=study.share(search).text
    )
    set_fonts([page.suptitle(text, fontsize=LABEL_SIZE, fontweight="bold", color=INK, x=0.02, ha="left")])
    grid = page.add_gridspec(max(len(study.queries), 1), 1 + study.n_neighbors)
    for i, (query, found) in enumerate(zip(study.queries, search.neighbors, strict=True)):
        shown: list[Picture] = [query, *(pictures[row] for row in found)]
        for j, picture in enumerate(shown):
            ax = add_axes(page, grid[i, j])
            draw_picture(ax, study.pixels(picture))
            is_right = picture.label == query.label
            mark, color = ("", INK) if j == 0 else ("✓ " if is_right else "✗ ", answer_color(is_right))
            ax.set_xlabel(f"{mark}{shortened(names[picture.label], 9)}", fontsize=_SMALL, color=color, labelpad=2)
            if i == 0 and j < 2:
                ax.set_title(_("nearest") if j else _("test image"), fontsize=_SMALL, color=INK, pad=3)
            for spine in ax.spines.values():
                spine.set(color=color, linewidth=2.2 if j == 0 or not is_right else 1.2)
            set_fonts([ax.xaxis.label, ax.title])
