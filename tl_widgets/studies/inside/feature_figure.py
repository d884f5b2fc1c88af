"""Figures of first filters and features, and the page that all figures share."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from functools import partial
from math import ceil, sqrt
from typing import Any, TypeVar

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import percent
from tl_widgets.core.translation import _
from tl_widgets.plots.glyphs import drawable_names
from tl_widgets.plots.labels import shortened
from tl_widgets.plots.style import (
    INK,
    LABEL_SIZE,
    PALE,
    SMALL_SIZE,
    TITLE_SIZE,
    ShownFigure,
    add_axes,
    draw_picture,
    finish_axes,
    new_figure,
    set_fonts,
)
from tl_widgets.studies.inside.result import AFTER, BEFORE, FeatureLayout, FirstFilters, LookInside

Part = TypeVar("Part")
WIDTH = 11.0  # inches of every page
_NOTHING = _("This study was stopped before there was anything to draw. Run it again to the end.")
STAGE_LABELS: dict[tuple[str, str], str] = {
    (ModelName.SCRATCH, BEFORE): _("from scratch, before training"),
    (ModelName.SCRATCH, AFTER): _("from scratch, after training"),
    (ModelName.TRANSFER, BEFORE): _("backbone, random weights"),
    (ModelName.TRANSFER, AFTER): _("backbone, pretrained"),
    (ModelName.FINE_TUNED, BEFORE): _("backbone, frozen"),
    (ModelName.FINE_TUNED, AFTER): _("backbone, fine-tuned"),
}


def new_page(height: float) -> ShownFigure:
    """Return a page of this height in inches."""
    figure = new_figure(WIDTH, height)
    figure.set_layout_engine("none")  # pictures keep their shape, so the layout is known beforehand
    return figure


def require_drawable(is_there: bool) -> None:
    """Raise InputError if there is nothing to draw."""
    if not is_there:
        raise InputError(_NOTHING)


def grid_of(
    page: FigureBase, shape: tuple[int, int], box: tuple[float, float, float, float], height: float
) -> GridSpec:
    """Return a grid with margins (left, right, top, bottom); all sizes in inches."""
    left, right, top, bottom = box
    return page.add_gridspec(
        *shape, left=left / WIDTH, right=1 - right / WIDTH, top=1 - top / height, bottom=bottom / height
    )


def write_heading(page: FigureBase, title: str, caption: str, height: float) -> None:
    """Write the title and the caption of a page of this height in inches."""
    top: dict[str, Any] = {"x": 0.1 / WIDTH, "ha": "left", "fontweight": "bold"}
    heading = page.suptitle(title, y=1 - 0.1 / height, va="top", fontsize=TITLE_SIZE, color=INK, **top)
    style: dict[str, Any] = {"ha": "left", "va": "bottom", "fontsize": SMALL_SIZE, "color": PALE}
    foot = page.text(0.1 / WIDTH, 0.08 / height, textwrap.fill(caption, 150), **style)
    set_fonts([heading, foot])


def names_of(parts: Sequence[Any]) -> list[str]:
    """Return the names of the models of these filters or layouts, without repeats."""
    return list(dict.fromkeys(part.name for part in parts))


MOST_FILTERS = 64
MOST_NAMED = 12
# Paul Tol's muted colors, which the color-blind can tell apart and no model has; with more classes they repeat with
# other markers.
_CLASS_COLORS = ("#332288", "#DDCC77", "#AA4499", "#88CCEE", "#999933", "#CC6677", "#222222", "#882255")
_CLASS_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")


@checked
def plot_filters(look: LookInside) -> Figure:
    """Draw the first filters of the network from scratch and of the backbone.

    Args:
        look: a result with the filters of at least one model.

    Returns:
        A figure with one row per model, before and after training side by side. Gray is 0, and each filter has its
        own scale. Filters of three channels are in color; others are gray and show the mean over the channels.

    Raises:
        InputError: there are no filters.
    """
    height = filters_height(look)
    figure = new_page(height)
    draw_filters(figure, look, height)
    figure.set_label(filter_alt_text(look))
    return figure


@checked
def plot_features(look: LookInside) -> Figure:
    """Draw the test images by the principal components of their features.

    Args:
        look: a result with at least one layout.

    Returns:
        A figure with one row per model, before and after training side by side. Each dot is an image; its color and
        marker show the true class.

    Raises:
        InputError: there is no layout.
    """
    height = features_height(look)
    figure = new_page(height)
    draw_features(figure, look, height)
    figure.set_label(feature_alt_text(look))
    return figure


def filters_height(look: LookInside) -> float:
    """Return the height of the filters in inches."""
    return 0.95 + 2.75 * max(len(names_of(look.filters)), 1)


def draw_filters(page: FigureBase, look: LookInside, height: float) -> None:
    """Draw the filters into a figure or subfigure of this height in inches."""
    require_drawable(bool(look.filters))
    names = names_of(look.filters)
    grid = grid_of(page, (len(names), 2), (0.15, 0.15, 0.75, 0.5), height)
    grid.update(wspace=0.05, hspace=0.2)
    _draw_pairs(page, grid, names, look.first_filters, _draw_sheet)
    write_heading(
        page,
        _("The first filters"),
        _("What the first convolution looks for in the pixels. Gray is 0; each filter is on a scale of its own."),
        height,
    )


def _draw_pairs(
    page: FigureBase,
    grid: GridSpec,
    names: Sequence[str],
    find: Callable[[str, str], Part | None],
    draw: Callable[[Axes, Part], None],
) -> None:
    """Draw a row for each model: before training, then after it."""
    for row, name in enumerate(names):
        for column, stage in enumerate((BEFORE, AFTER)):
            part = find(name, stage)
            if part is not None:
                draw(add_axes(page, grid[row, column]), part)  # type: ignore[arg-type]


def _draw_sheet(ax: Axes, first: FirstFilters) -> None:
    filters = first.filters.array[:MOST_FILTERS]
    n, height, width, channels = filters.shape
    if channels != 3:
        filters = filters.mean(axis=3, keepdims=True).repeat(3, axis=3)
    largest = np.abs(filters).max(axis=(1, 2, 3), keepdims=True)
    pictures = 0.5 + filters / (2 * np.where(largest > 0, largest, 1))
    n_columns = ceil(sqrt(2 * n))
    n_rows, gap = ceil(n / n_columns), 1
    # Each pixel of a filter takes several of the sheet, which makes the gaps a fraction of a pixel.
    zoom = 4
    down, across = zoom * height + gap, zoom * width + gap
    sheet = np.ones((n_rows * down - gap, n_columns * across - gap, 3))
    for i, picture in enumerate(pictures):
        y, x = i // n_columns * down, i % n_columns * across
        sheet[y : y + zoom * height, x : x + zoom * width] = picture.repeat(zoom, axis=0).repeat(zoom, axis=1)
    draw_picture(ax, sheet, interpolation="nearest")
    ax.set_anchor("NW")
    n_all = first.filters.shape[0]
    count = _("{n} of {n_all}", n=n, n_all=n_all) if n < n_all else f"{n}"
    kind = "" if channels == 3 else _(", mean over the channels") if channels > 1 else _(", one channel")
    finish_axes(
        ax,
        STAGE_LABELS[first.name, first.stage],
        x=_(
            "{count} filters of {height} × {width} × {channels}{kind}",
            count=count,
            height=height,
            width=width,
            channels=channels,
            kind=kind,
        ),
    )
    ax.xaxis.label.set(x=0, ha="left", fontsize=SMALL_SIZE)
    for spine in ax.spines.values():
        spine.set_visible(False)


def filter_alt_text(look: LookInside) -> str:
    """Return the text alternative of the filters."""
    descriptions = []
    for first in look.filters:
        n, height, width, channels = first.filters.shape
        descriptions.append(
            _(
                "{stage_label} {n} of {height} × {width} × {channels}",
                stage_label=STAGE_LABELS[first.name, first.stage],
                n=n,
                height=height,
                width=width,
                channels=channels,
            )
        )
    return _("First filters as small pictures: {descriptions}.", descriptions="; ".join(descriptions))


def features_height(look: LookInside) -> float:
    """Return the height of the layouts in inches."""
    return 1.35 + 3.5 * max(len(names_of(look.layouts)), 1)


def draw_features(page: FigureBase, look: LookInside, height: float) -> None:
    """Draw the layouts into a figure or subfigure of this height in inches."""
    require_drawable(bool(look.layouts))
    names = names_of(look.layouts)
    grid = grid_of(page, (len(names), 2), (0.5, 0.2, 0.95, 1.0), height)
    grid.update(wspace=0.12, hspace=0.45)
    _draw_pairs(page, grid, names, look.layout, partial(_draw_layout, look))
    legend = page.legend(
        handles=_class_handles(look),
        loc="lower left",
        bbox_to_anchor=(0.4 / WIDTH, 0.3 / height),
        ncols=6,
        frameon=False,
        fontsize=SMALL_SIZE,
        labelcolor=INK,
    )
    set_fonts(legend.get_texts())
    write_heading(
        page,
        _("{n_labels} test images by what the last layer gets to see of them", n_labels=len(look.labels)),
        _("Principal components. Each panel has axes of its own: compare how the classes lie, not where."),
        height,
    )


def _draw_layout(look: LookInside, ax: Axes, layout: FeatureLayout) -> None:
    positions, labels = layout.positions.array, np.array(look.labels)
    for label in range(len(look.dataset.class_names)):
        dots = positions[labels == label]
        ax.plot(dots[:, 0], dots[:, 1], **_class_style(label))
    ax.set_aspect("equal", adjustable="datalim")
    ax.margins(0.08)
    ax.set_xticks([])
    ax.set_yticks([])
    share = percent(look.neighbor_accuracy(layout))
    finish_axes(
        ax,
        _(
            "{stage_label}\nnearest neighbor of the same class: {share}",
            stage_label=STAGE_LABELS[layout.name, layout.stage],
            share=share,
        ),
        x=_(
            "component 1: {explained} of the variance of {n_features:,} features",
            explained=percent(layout.explained[0]),
            n_features=layout.n_features,
        ),
        y=_("component 2: {explained}", explained=percent(layout.explained[1])),
    )
    ax.title.set_fontsize(LABEL_SIZE)
    for text in (ax.xaxis.label, ax.yaxis.label):
        text.set_fontsize(SMALL_SIZE)


def _class_style(label: int) -> dict[str, Any]:
    color = _CLASS_COLORS[label % len(_CLASS_COLORS)]
    marker = _CLASS_MARKERS[(label + label // len(_CLASS_COLORS)) % len(_CLASS_MARKERS)]
    edge = {"markeredgecolor": INK, "markeredgewidth": 0.4}
    return {"color": color, "marker": marker, "markersize": 6, "linestyle": "none", "alpha": 0.85, **edge}


def _class_handles(look: LookInside) -> list[Line2D]:
    names = drawable_names(look.dataset.class_names)
    handles = [Line2D([], [], label=shortened(name, 22), **_class_style(i)) for i, name in enumerate(names)]
    if len(names) <= MOST_NAMED:
        return handles
    more = Line2D([], [], linestyle="none", label=_("and {n_names} more classes", n_names=len(names) - MOST_NAMED + 1))
    return [*handles[: MOST_NAMED - 1], more]


def feature_alt_text(look: LookInside) -> str:
    """Return the text alternative of the layouts."""
    shares = [
        f"{STAGE_LABELS[layout.name, layout.stage]} {percent(look.neighbor_accuracy(layout))}"
        for layout in look.layouts
    ]
    return _(
        "Scatter charts of {n_labels} test images by the first two principal components of their "
        "features. Share with a nearest neighbor of their own class: {shares}.",
        n_labels=len(look.labels),
        shares="; ".join(shares),
    )
