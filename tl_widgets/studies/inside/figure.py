"""Figures of a look inside on one page, and what all of them show in words."""

from __future__ import annotations

from matplotlib.figure import Figure

from tl_widgets.core.errors import InputError
from tl_widgets.studies.inside.feature_figure import (
    draw_features,
    draw_filters,
    feature_words,
    features_height,
    filter_words,
    filters_height,
    plot_features,
    plot_filters,
)
from tl_widgets.studies.inside.heat_map_figure import cam_height, cam_words, draw_cams, plot_grad_cam
from tl_widgets.studies.inside.page import new_page, require_drawable
from tl_widgets.studies.inside.result import LookInside

__all__ = ["inside_alt_text", "plot_features", "plot_filters", "plot_grad_cam", "plot_inside"]


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
    return figure


def inside_alt_text(look: LookInside, kind: str) -> str:
    """The text alternative of a figure.

    Args:
        look: what was plotted.
        kind: "grad_cam", "filters", "features" or "inside".

    Raises:
        InputError: there is no such kind.
    """
    said = {"grad_cam": cam_words, "filters": filter_words, "features": feature_words}
    if kind == "inside":
        return " ".join(words(look) for words in said.values())
    if kind not in said:
        raise InputError(f"kind={kind!r}; it must be one of {', '.join([*said, 'inside'])}.")
    return said[kind](look)
