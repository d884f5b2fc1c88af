"""Figures of a look inside: heat maps, and all parts on one page."""

from __future__ import annotations

import textwrap
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.text import Text
from numpy.typing import NDArray

from tl_widgets.core.arguments import checked
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import percent
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _, pgettext
from tl_widgets.plots.glyphs import drawable_names
from tl_widgets.plots.images import RIGHT, WRONG
from tl_widgets.plots.labels import label_of, shortened
from tl_widgets.plots.style import INK, LABEL_SIZE, PALE, SMALL_SIZE, add_axes, answer_color, draw_picture, set_fonts
from tl_widgets.studies.inside.feature_figure import (
    WIDTH,
    draw_features,
    draw_filters,
    feature_alt_text,
    features_height,
    filter_alt_text,
    filters_height,
    grid_of,
    new_page,
    plot_features,
    plot_filters,
    require_drawable,
    write_heading,
)
from tl_widgets.studies.inside.result import HeatMap, LookInside, ModelMaps

__all__ = ["inside_alt_text", "plot_features", "plot_filters", "plot_grad_cam", "plot_inside"]


@checked
def plot_inside(look: LookInside) -> Figure:
    """Draw heat maps, first filters and features on one page.

    Args:
        look: a result with at least one of these parts.

    Returns:
        A figure with the parts that were measured, one below the other.

    Raises:
        InputError: no part was measured.
    """
    parts = [
        (draw, height(look))
        for draw, height, there in (
            (draw_cams, cam_height, look.maps),
            (draw_filters, filters_height, look.filters),
            (draw_features, features_height, look.layouts),
        )
        if there
    ]
    require_drawable(bool(parts))
    heights = [height for _, height in parts]
    figure = new_page(sum(heights))
    pages = figure.subfigures(len(parts), 1, height_ratios=heights, squeeze=False).ravel()
    for page, (draw, height) in zip(pages, parts, strict=True):
        draw(page, look, height)
    figure.set_label(inside_alt_text(look, "inside"))
    return figure


def inside_alt_text(look: LookInside, kind: str) -> str:
    """Return the text alternative of "grad_cam", "filters", "features" or "inside".

    Raises:
        InputError: `kind` is none of these.
    """
    describers = {"grad_cam": cam_alt_text, "filters": filter_alt_text, "features": feature_alt_text}
    if kind == "inside":
        return " ".join(describe(look) for describe in describers.values())
    if kind not in describers:
        kinds = ", ".join([*describers, "inside"])
        raise InputError(_("kind={kind}; it must be one of {kinds}.", kind=shown(kind), kinds=kinds))
    return describers[kind](look)


LABELS = 1.5  # inches for the row names


@checked
def plot_grad_cam(look: LookInside) -> Figure:
    """Draw test images with each model's heat map for its own answer.

    Args:
        look: a result with the heat maps of at least one model.

    Returns:
        A figure with a column for each image, the true class above it, and a row for each model, whose answer is
        written below the map.

    Raises:
        InputError: there are no heat maps.
    """
    height = cam_height(look)
    figure = new_page(height)
    draw_cams(figure, look, height)
    figure.set_label(cam_alt_text(look))
    return figure


def _cell(look: LookInside) -> float:
    """Return the side of an image in inches."""
    return min((WIDTH - LABELS - 0.1) / max(len(look.shown), 1) - 0.1, 1.6)


def _gap(look: LookInside) -> float:
    """Return the inches below an image: enough for an answer of two lines where a class has a long name."""
    longest = max(len(name) for name in look.dataset.class_names)
    return 0.42 if longest > _max_letters(_cell(look), 15.5) - 7 else 0.28


def cam_height(look: LookInside) -> float:
    """Return the height of the heat maps in inches."""
    return 1.02 + _gap(look) + (_cell(look) + _gap(look)) * (1 + len(look.maps))


def draw_cams(page: FigureBase, look: LookInside, height: float) -> None:
    """Draw the heat maps into a figure or subfigure of this height in inches."""
    require_drawable(bool(look.maps) and bool(look.shown))
    n, side = len(look.shown), _cell(look)
    right = WIDTH - LABELS - n * (side + 0.1)
    grid = grid_of(page, (1 + len(look.maps), n), (LABELS, right, 0.7, 0.37 + _gap(look)), height)
    grid.update(wspace=0.1 / side, hspace=_gap(look) / side)
    images = look.images()
    for column, image in enumerate(images):
        ax = _picture(page, grid[0, column], image)
        name = drawable_names(look.dataset.class_names)[look.classes[column]]
        text = ax.set_title(_in_two_lines(name, _max_letters(side)), fontsize=LABEL_SIZE, color=INK, x=0, ha="left")
        set_fonts([text])
        if column == 0:
            _row_name(ax, _("test image,\nits true class"))
        for row, model in enumerate(look.maps, 1):
            heat_map = model.maps[column]
            heat = None if heat_map.flat else heat_map.at(*image.shape[:2])
            ax = _picture(page, grid[row, column], overlaid(image, heat))
            _write_answer(ax, look, heat_map, look.classes[column], side)
            if column == 0:
                _row_name(ax, f"{label_of(model.name).replace(' (', chr(10) + '(')}\n{_size_text(model)}")
    draw_heat_key(page, (1 - 2.4 / WIDTH, 1 - 0.3 / height, 1.6 / WIDTH, 0.2 / height))
    write_heading(
        page,
        _("Where each model looks (Grad-CAM)"),
        _(
            "Images on which the models disagree come first. Bright places raise the score of the "
            "model's own answer; each map is scaled to its own maximum, so that the strength of two maps "
            "cannot be compared."
        ),
        height,
    )


def _size_text(model: ModelMaps) -> str:
    rows, columns = model.maps[0].places.shape
    return _("{rows} × {columns} places", rows=rows, columns=columns)


def _max_letters(inches: float, per_inch: float = 13.5) -> int:
    """Return how many letters fit over an image of this width."""
    return max(5, int(inches * per_inch))


def _in_two_lines(text: str, most: int, keep: int = 0) -> str:
    """Return a text in at most two lines of so many letters, shortened before its last `keep` letters."""
    if len(text) <= most:
        return text
    lines = textwrap.wrap(text, most)
    if len(lines) <= 2:
        return "\n".join(lines)
    end = len(text) - keep
    return f"{shortened(text[:end], most - keep)}{text[end:]}"


def _picture(page: FigureBase, place: Any, image: NDArray[Any]) -> Axes:
    ax = add_axes(page, place)  # type: ignore[arg-type]
    draw_picture(ax, image)
    for spine in ax.spines.values():
        spine.set_color(PALE)
    return ax


def _row_name(ax: Axes, text: str) -> None:
    style: dict[str, Any] = {"rotation": 0, "ha": "right", "va": "center", "fontsize": LABEL_SIZE, "color": INK}
    label = ax.set_ylabel(text, labelpad=8, **style)
    set_fonts([label])


def overlaid(image: NDArray[np.uint8], heat: NDArray[np.float32] | None) -> NDArray[np.float64]:
    """Return the image in gray, (height, width, 3), under its heat map, (height, width); both 0..1."""
    gray: NDArray[np.float64] = (image / 255.0 @ np.array([0.299, 0.587, 0.114]))[..., None].repeat(3, axis=2)
    if heat is None:
        return gray
    colors: NDArray[np.float64] = matplotlib.colormaps["inferno"](heat.clip(0, 1))[..., :3]
    return 0.45 * gray + 0.55 * colors


def draw_heat_key(page: FigureBase, place: tuple[float, float, float, float]) -> None:
    """Draw the colors of a heat map from no heat to most, above over white and below over black.

    `place` is left, bottom, width and height, 0..1.
    """
    ax = add_axes(page)  # type: ignore[arg-type]
    ax.set_position(place)
    heat = np.linspace(0, 1, 100, dtype=np.float32)[None].repeat(2, axis=0)
    grays = np.broadcast_to(np.array([255, 0], np.uint8)[:, None, None], (2, 100, 3))
    draw_picture(ax, overlaid(grays, heat), aspect="auto", interpolation="nearest")
    style: dict[str, Any] = {"va": "center", "fontsize": SMALL_SIZE, "color": INK, "transform": ax.transAxes}
    set_fonts(
        [ax.text(-0.04, 0.5, _("no heat"), ha="right", **style), ax.text(1.04, 0.5, _("most"), ha="left", **style)]
    )


def _write_answer(ax: Axes, look: LookInside, heat_map: HeatMap, true: int, side: float) -> None:
    is_right = heat_map.answer == true
    share = f" {percent(heat_map.probability, 0)}"
    most = _max_letters(side, 15.5) - 2
    name = _in_two_lines(f"{drawable_names(look.dataset.class_names)[heat_map.answer]}{share}", most, keep=len(share))
    style: dict[str, Any] = {"fontsize": SMALL_SIZE - 0.5, "color": answer_color(is_right), "va": "top", "ha": "left"}
    text = f"{RIGHT if is_right else WRONG} {name}"
    labels: list[Text] = [ax.annotate(text, (0, 0), (0, -3), "axes fraction", "offset points", **style)]
    if heat_map.flat:
        box = {"facecolor": "white", "edgecolor": PALE, "boxstyle": "round,pad=0.2", "alpha": 0.9}
        middle: dict[str, Any] = {"ha": "center", "va": "center", "transform": ax.transAxes, "bbox": box}
        labels.append(ax.text(0.5, 0.5, _("flat"), fontsize=SMALL_SIZE, color=INK, **middle))
    set_fonts(labels)


def cam_alt_text(look: LookInside) -> str:
    """Return the text alternative of the heat maps."""
    descriptions = []
    for model in look.maps:
        n_right = sum(heat_map.answer == true for heat_map, true in zip(model.maps, look.classes, strict=True))
        n_flat = sum(bool(heat_map.flat) for heat_map in model.maps)
        flat = _(", {n_flat} of its maps are flat", n_flat=n_flat) if n_flat else ""
        descriptions.append(
            _(
                "{label} is right on {n_right}{flat}, brightest {brightest}",
                label=label_of(model.name),
                n_right=n_right,
                flat=flat,
                brightest=_brightest(model),
            )
        )
    return _(
        "Heat maps of {n_shown} test images: {descriptions}.",
        n_shown=len(look.shown),
        descriptions="; ".join(descriptions),
    )


def _brightest(model: ModelMaps) -> str:
    """Say where the maps have their maximum, counted by thirds of the image."""
    names = (
        (_("top left"), _("top"), _("top right")),
        (_("left"), _("middle"), pgettext("side", "right")),
        (_("bottom left"), _("bottom"), _("bottom right")),
    )
    counts: dict[str, int] = {}
    for heat_map in model.maps:
        if not heat_map.flat:
            places = heat_map.places.array
            row, column = np.unravel_index(int(places.argmax()), places.shape)
            name = names[int((row + 0.5) * 3 / places.shape[0])][int((column + 0.5) * 3 / places.shape[1])]
            counts[name] = counts.get(name, 0) + 1
    parts = [f"{name} ({n})" for name, n in sorted(counts.items(), key=lambda item: -item[1])]
    return ", ".join(parts) or _("nowhere")
