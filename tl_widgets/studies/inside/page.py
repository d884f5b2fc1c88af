"""The page that figures of a look inside are drawn on: margins in inches, a title, a small text below."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import FigureBase
from matplotlib.gridspec import GridSpec

from tl_widgets.core.errors import InputError
from tl_widgets.core.model_name import ModelName
from tl_widgets.plots.style import INK, PALE, SMALL_SIZE, TITLE_SIZE, ShownFigure, new_figure, set_fonts
from tl_widgets.studies.inside.result import AFTER, BEFORE

WIDTH = 11.0  # inches of every page
_NOTHING = "This look inside was stopped before there was anything to draw: look again, to the end."
STAGE_LABELS: dict[tuple[str, str], str] = {
    (ModelName.SCRATCH, BEFORE): "from scratch, before training",
    (ModelName.SCRATCH, AFTER): "from scratch, after training",
    (ModelName.TRANSFER, BEFORE): "backbone, random weights",
    (ModelName.TRANSFER, AFTER): "backbone, pretrained",
    (ModelName.FINE_TUNED, BEFORE): "backbone, frozen",
    (ModelName.FINE_TUNED, AFTER): "backbone, fine-tuned",
}


def new_page(height: float) -> ShownFigure:
    """A page of that height in inches."""
    figure = new_figure(WIDTH, height)
    figure.set_layout_engine("none")  # pictures keep their shape, so that the space is known beforehand
    return figure


def require_drawable(is_there: bool) -> None:
    """Raise `InputError` where there is nothing to draw."""
    if not is_there:
        raise InputError(_NOTHING)


def grid_of(
    page: FigureBase, shape: tuple[int, int], box: tuple[float, float, float, float], height: float
) -> GridSpec:
    """A grid with margins (left, right, top, bottom) in inches."""
    left, right, top, bottom = box
    return page.add_gridspec(
        *shape, left=left / WIDTH, right=1 - right / WIDTH, top=1 - top / height, bottom=bottom / height
    )


def write_head(page: FigureBase, title: str, caption: str, height: float) -> None:
    """A title at the top and a small text at the bottom."""
    top: dict[str, Any] = {"x": 0.1 / WIDTH, "ha": "left", "fontweight": "bold"}
    heading = page.suptitle(title, y=1 - 0.1 / height, va="top", fontsize=TITLE_SIZE, color=INK, **top)
    style: dict[str, Any] = {"ha": "left", "va": "bottom", "fontsize": SMALL_SIZE, "color": PALE}
    foot = page.text(0.1 / WIDTH, 0.08 / height, textwrap.fill(caption, 150), **style)
    set_fonts([heading, foot])


def names_of(parts: Sequence[Any]) -> list[str]:
    """The models that filters or layouts are of, each once."""
    return list(dict.fromkeys(each.name for each in parts))
