"""Figures of a look inside: where models look, their first filters, and the test images by their features."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from math import ceil, sqrt
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.gridspec import GridSpec
from matplotlib.lines import Line2D
from matplotlib.text import Text
from numpy.typing import NDArray

from tl_widgets.errors import InputError
from tl_widgets.inside_results import AFTER, BEFORE, FeatureLayout, FirstFilters, HeatMap, LookInside, ModelMaps
from tl_widgets.plot_images import RIGHT, WRONG
from tl_widgets.plot_style import (
    COLOURS,
    INK,
    LABEL_SIZE,
    PALE,
    SMALL_SIZE,
    TITLE_SIZE,
    ShownFigure,
    add_axes,
    dress,
    label_of,
    new_figure,
    set_fonts,
)
from tl_widgets.plot_words import shortened
from tl_widgets.results import percent

WIDTH = 11.0  # inches of every page
LABELS = 1.5  # inches for the names of the rows
MOST_FILTERS = 64
MOST_NAMED = 12
_NOTHING = "This look inside was stopped before there was anything to draw: look again, to the end."
# Okabe and Ito's colours once more, in an order that keeps neighbours apart; then the same with other markers.
_CLASS_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#222222", "#F0E442")
_CLASS_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_STAGES = {
    ("scratch", BEFORE): "from scratch, before training",
    ("scratch", AFTER): "from scratch, after training",
    ("transfer", BEFORE): "backbone, random weights",
    ("transfer", AFTER): "backbone, pretrained",
    ("fine_tuned", BEFORE): "backbone, frozen",
    ("fine_tuned", AFTER): "backbone, fine-tuned",
}


def plot_grad_cam(look: LookInside) -> Figure:
    """Test images with each model's heat map for its own answer.

    Args:
        look: with at least one model's maps.

    Returns:
        A figure: a column for each image with its true class above, a row for each model, whose answers stand below.

    Raises:
        InputError: there are no maps.
    """
    height = _cam_height(look)
    figure = _page(height)
    _draw_cams(figure, look, height)
    return figure


def plot_filters(look: LookInside) -> Figure:
    """The first filters of the network from scratch and of the backbone, before and after training.

    Args:
        look: with at least one model's filters.

    Returns:
        A figure with axes for each model and stage. Grey is 0, and each filter is on a scale of its own. Filters of
        three channels are in colour, others grey: the mean of their channels.

    Raises:
        InputError: there are no filters.
    """
    height = _filters_height(look)
    figure = _page(height)
    _draw_filters(figure, look, height)
    return figure


def plot_features(look: LookInside) -> Figure:
    """The test images laid out by their features, before and after training.

    Args:
        look: with at least one layout.

    Returns:
        A figure with axes for each model and stage, one dot for each image, its colour and marker the true class.

    Raises:
        InputError: there is no layout.
    """
    height = _features_height(look)
    figure = _page(height)
    _draw_features(figure, look, height)
    return figure


def plot_inside(look: LookInside) -> Figure:
    """All of a look inside on one page: heat maps, first filters, features.

    Args:
        look: with at least one part.

    Raises:
        InputError: there is nothing to draw.
    """
    parts = [
        (draw, height(look))
        for draw, height, there in (
            (_draw_cams, _cam_height, look.maps),
            (_draw_filters, _filters_height, look.filters),
            (_draw_features, _features_height, look.layouts),
        )
        if there
    ]
    _require(bool(parts))
    heights = [height for _, height in parts]
    figure = _page(sum(heights))
    pages = figure.subfigures(len(parts), 1, height_ratios=heights, squeeze=False).ravel()
    for page, (draw, height) in zip(pages, parts, strict=True):
        draw(page, look, height)
    return figure


def inside_alt_text(look: LookInside, kind: str) -> str:
    """The text alternative of a figure.

    Args:
        look: what was plotted.
        kind: "grad_cam", "filters", "features" or "inside".

    Raises:
        InputError: there is no such kind.
    """
    said = {"grad_cam": _cam_words, "filters": _filter_words, "features": _feature_words}
    if kind == "inside":
        return " ".join(words(look) for words in said.values())
    if kind not in said:
        raise InputError(f"kind={kind!r}; it must be one of {', '.join([*said, 'inside'])}.")
    return said[kind](look)


def _page(height: float) -> ShownFigure:
    figure = new_figure(WIDTH, height)
    figure.set_layout_engine("none")  # pictures keep their shape, so that the space is known beforehand
    return figure


def _require(is_there: bool) -> None:
    if not is_there:
        raise InputError(_NOTHING)


def _grid(page: FigureBase, shape: tuple[int, int], box: tuple[float, float, float, float], height: float) -> GridSpec:
    """A grid with margins (left, right, top, bottom) in inches."""
    left, right, top, bottom = box
    return page.add_gridspec(
        *shape, left=left / WIDTH, right=1 - right / WIDTH, top=1 - top / height, bottom=bottom / height
    )


def _head(page: FigureBase, title: str, caption: str, height: float) -> None:
    """A title at the top and a small text at the bottom."""
    top: dict[str, Any] = {"x": 0.1 / WIDTH, "ha": "left", "fontweight": "bold"}
    heading = page.suptitle(title, y=1 - 0.1 / height, va="top", fontsize=TITLE_SIZE, color=INK, **top)
    style: dict[str, Any] = {"ha": "left", "va": "bottom", "fontsize": SMALL_SIZE, "color": PALE}
    foot = page.text(0.1 / WIDTH, 0.08 / height, textwrap.fill(caption, 150), **style)
    set_fonts([heading, foot])


# --- heat maps


def _cell(look: LookInside) -> float:
    """Side of an image in inches."""
    return min((WIDTH - LABELS - 0.1) / max(len(look.rows), 1) - 0.1, 1.6)


def _cam_height(look: LookInside) -> float:
    return 1.25 + (_cell(look) + 0.28) * (1 + len(look.maps))


def _draw_cams(page: FigureBase, look: LookInside, height: float) -> None:
    _require(bool(look.maps) and bool(look.rows))
    n, side = len(look.rows), _cell(look)
    right = WIDTH - LABELS - n * (side + 0.1)
    grid = _grid(page, (1 + len(look.maps), n), (LABELS, right, 0.7, 0.6), height)
    grid.update(wspace=0.1 / side, hspace=0.28 / side)
    images = look.images()
    for column, image in enumerate(images):
        ax = _picture(page, grid[0, column], image)
        name = look.dataset.class_names[look.classes[column]]
        text = ax.set_title(shortened(name, _letters(side)), fontsize=LABEL_SIZE, color=INK, x=0, ha="left")
        set_fonts([text])
        if column == 0:
            _row_name(ax, "test image,\nits true class")
        for row, model in enumerate(look.maps, 1):
            one = model.maps[column]
            ax = _picture(page, grid[row, column], _overlaid(image, one))
            _say_answer(ax, look, one, look.classes[column], side)
            if column == 0:
                _row_name(ax, f"{label_of(model.name).replace(' (', chr(10) + '(')}\n{_size_text(model)}")
    _head(
        page,
        "Where each model looks (Grad-CAM)",
        "Images on which the models disagree come first. Bright places raise the score of the model's own answer; each "
        "map is scaled to its own maximum, so that the strength of two maps cannot be compared.",
        height,
    )


def _size_text(model: ModelMaps) -> str:
    rows, columns = model.maps[0].places.shape
    return f"{rows} × {columns} places"


def _letters(inches: float) -> int:
    return max(5, int(inches * 13.5))


def _picture(page: FigureBase, place: Any, image: NDArray[Any]) -> Axes:
    ax = add_axes(page, place)  # type: ignore[arg-type]
    ax.imshow(image)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_color(PALE)
    return ax


def _row_name(ax: Axes, text: str) -> None:
    style: dict[str, Any] = {"rotation": 0, "ha": "right", "va": "center", "fontsize": LABEL_SIZE, "color": INK}
    label = ax.set_ylabel(text, labelpad=8, **style)
    set_fonts([label])


def _overlaid(image: NDArray[np.uint8], one: HeatMap) -> NDArray[np.float64]:
    """The image in grey under its heat map, 0..1 (height, width, 3)."""
    grey: NDArray[np.float64] = (image / 255.0 @ np.array([0.299, 0.587, 0.114]))[..., None].repeat(3, axis=2)
    if one.flat:
        return grey
    heat = one.at(*image.shape[:2]).clip(0, 1)
    colours = matplotlib.colormaps["inferno"](heat)[..., :3]
    overlaid: NDArray[np.float64] = 0.45 * grey + 0.55 * colours
    return overlaid


def _say_answer(ax: Axes, look: LookInside, one: HeatMap, true: int, side: float) -> None:
    is_right = one.answer == true
    share = f" {100 * one.probability:.0f}%"
    name = shortened(look.dataset.class_names[one.answer], _letters(side) - len(share) - 2)
    colour = COLOURS["transfer"] if is_right else COLOURS["scratch"]
    style: dict[str, Any] = {"fontsize": SMALL_SIZE - 0.5, "color": colour, "va": "top", "ha": "left"}
    text = f"{RIGHT if is_right else WRONG} {name}{share}"
    said: list[Text] = [ax.annotate(text, (0, 0), (0, -3), "axes fraction", "offset points", **style)]
    if one.flat:
        box = {"facecolor": "white", "edgecolor": PALE, "boxstyle": "round,pad=0.2", "alpha": 0.9}
        middle: dict[str, Any] = {"ha": "center", "va": "center", "transform": ax.transAxes, "bbox": box}
        said.append(ax.text(0.5, 0.5, "flat", fontsize=SMALL_SIZE, color=INK, **middle))
    set_fonts(said)


def _cam_words(look: LookInside) -> str:
    said = []
    for model in look.maps:
        n_right = sum(one.answer == true for one, true in zip(model.maps, look.classes, strict=True))
        n_flat = sum(bool(one.flat) for one in model.maps)
        flat = f", {n_flat} of its maps are flat" if n_flat else ""
        said.append(f"{label_of(model.name)} is right on {n_right}{flat}, brightest {_brightest(model)}")
    return f"Heat maps of {len(look.rows)} test images: {'; '.join(said)}."


def _brightest(model: ModelMaps) -> str:
    """Where the maps have their maximum, counted by thirds of the image."""
    names = (("top left", "top", "top right"), ("left", "middle", "right"), ("bottom left", "bottom", "bottom right"))
    found: dict[str, int] = {}
    for one in model.maps:
        if not one.flat:
            places = one.places.array
            row, column = np.unravel_index(int(places.argmax()), places.shape)
            name = names[int((row + 0.5) * 3 / places.shape[0])][int((column + 0.5) * 3 / places.shape[1])]
            found[name] = found.get(name, 0) + 1
    said = [f"{name} ({n})" for name, n in sorted(found.items(), key=lambda item: -item[1])]
    return ", ".join(said) or "nowhere"


# --- filters


def _shown(each: FirstFilters) -> NDArray[np.float32]:
    return each.filters.array[:MOST_FILTERS]


def _n_columns(n: int) -> int:
    return ceil(sqrt(2 * n))


def _panels(parts: Sequence[Any]) -> list[str]:
    return list(dict.fromkeys(each.name for each in parts))


def _filters_height(look: LookInside) -> float:
    return 0.95 + 2.75 * max(len(_panels(look.filters)), 1)


def _draw_filters(page: FigureBase, look: LookInside, height: float) -> None:
    _require(bool(look.filters))
    names = _panels(look.filters)
    grid = _grid(page, (len(names), 2), (0.15, 0.15, 0.75, 0.5), height)
    grid.update(wspace=0.05, hspace=0.2)
    for row, name in enumerate(names):
        for column, stage in enumerate((BEFORE, AFTER)):
            each = look.first_filters(name, stage)
            if each:
                ax = add_axes(page, grid[row, column])  # type: ignore[arg-type]
                _draw_sheet(ax, each)
    _head(
        page,
        "The first filters",
        "What the first convolution looks for in the pixels. Grey is 0; each filter is on a scale of its own.",
        height,
    )


def _draw_sheet(ax: Axes, each: FirstFilters) -> None:
    filters = _shown(each)
    n, height, width, channels = filters.shape
    if channels != 3:
        filters = filters.mean(axis=3, keepdims=True).repeat(3, axis=3)
    largest = np.abs(filters).max(axis=(1, 2, 3), keepdims=True)
    pictures = 0.5 + filters / (2 * np.where(largest > 0, largest, 1))
    n_columns = _n_columns(n)
    n_rows, gap = ceil(n / n_columns), 1
    # Several pixels of the sheet for each of a filter: gaps are then a fraction of one.
    zoom = 4
    down, across = zoom * height + gap, zoom * width + gap
    sheet = np.ones((n_rows * down - gap, n_columns * across - gap, 3))
    for i, picture in enumerate(pictures):
        y, x = i // n_columns * down, i % n_columns * across
        sheet[y : y + zoom * height, x : x + zoom * width] = picture.repeat(zoom, axis=0).repeat(zoom, axis=1)
    ax.imshow(sheet, interpolation="nearest")
    ax.set_anchor("NW")
    ax.set_xticks([])
    ax.set_yticks([])
    n_all = each.filters.shape[0]
    some = f"{n} of {n_all}" if n < n_all else f"{n}"
    kind = "" if channels == 3 else ", mean over the channels" if channels > 1 else ", one channel"
    dress(ax, _STAGES[each.name, each.stage], x=f"{some} filters of {height} × {width} × {channels}{kind}")
    ax.xaxis.label.set(x=0, ha="left", fontsize=SMALL_SIZE)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _filter_words(look: LookInside) -> str:
    said = []
    for each in look.filters:
        n, height, width, channels = each.filters.shape
        said.append(f"{_STAGES[each.name, each.stage]} {n} of {height} × {width} × {channels}")
    return f"First filters as small pictures: {'; '.join(said)}."


# --- features


def _features_height(look: LookInside) -> float:
    return 1.35 + 3.5 * max(len(_panels(look.layouts)), 1)


def _draw_features(page: FigureBase, look: LookInside, height: float) -> None:
    _require(bool(look.layouts))
    names = _panels(look.layouts)
    grid = _grid(page, (len(names), 2), (0.5, 0.2, 0.95, 1.0), height)
    grid.update(wspace=0.12, hspace=0.45)
    for row, name in enumerate(names):
        for column, stage in enumerate((BEFORE, AFTER)):
            layout = look.layout(name, stage)
            if layout:
                ax = add_axes(page, grid[row, column])  # type: ignore[arg-type]
                _draw_layout(ax, look, layout)
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
    _head(
        page,
        f"{len(look.labels)} test images by what the last layer gets to see of them",
        "Principal components. Each panel has axes of its own: compare how the classes lie, not where.",
        height,
    )


def _draw_layout(ax: Axes, look: LookInside, layout: FeatureLayout) -> None:
    positions, labels = layout.positions.array, np.array(look.labels)
    for label in range(len(look.dataset.class_names)):
        some = positions[labels == label]
        ax.plot(some[:, 0], some[:, 1], **_class_style(label))
    ax.set_aspect("equal", adjustable="datalim")
    ax.margins(0.08)
    ax.set_xticks([])
    ax.set_yticks([])
    share = percent(look.neighbour_accuracy(layout))
    dress(
        ax,
        f"{_STAGES[layout.name, layout.stage]}\nnearest neighbour of the same class: {share}",
        x=f"component 1: {percent(layout.explained[0])} of the variance of {layout.n_features:,} features",
        y=f"component 2: {percent(layout.explained[1])}",
    )
    ax.title.set_fontsize(LABEL_SIZE)
    for text in (ax.xaxis.label, ax.yaxis.label):
        text.set_fontsize(SMALL_SIZE)


def _class_style(label: int) -> dict[str, Any]:
    colour = _CLASS_COLOURS[label % len(_CLASS_COLOURS)]
    marker = _CLASS_MARKERS[(label + label // len(_CLASS_COLOURS)) % len(_CLASS_MARKERS)]
    edge = {"markeredgecolor": "white", "markeredgewidth": 0.4}
    return {"color": colour, "marker": marker, "markersize": 6, "linestyle": "none", "alpha": 0.85, **edge}


def _class_handles(look: LookInside) -> list[Line2D]:
    names = look.dataset.class_names
    handles = [Line2D([], [], label=shortened(name, 22), **_class_style(i)) for i, name in enumerate(names)]
    if len(names) <= MOST_NAMED:
        return handles
    more = Line2D([], [], linestyle="none", label=f"and {len(names) - MOST_NAMED + 1} more classes")
    return [*handles[: MOST_NAMED - 1], more]


def _feature_words(look: LookInside) -> str:
    said = [
        f"{_STAGES[layout.name, layout.stage]} {percent(look.neighbour_accuracy(layout))}" for layout in look.layouts
    ]
    return (
        f"Scatter charts of {len(look.labels)} test images by the first two principal components of their features. "
        f"Share with a nearest neighbour of their own class: {'; '.join(said)}."
    )
