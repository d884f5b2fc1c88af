"""Parameters as squares on one scale: their areas, not logarithms, can be compared by eye."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt

from tl_widgets.core.html import Markup
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import count_text, short_count
from tl_widgets.core.translation import _
from tl_widgets.plots.svg import FONT_SIZE, LINE, color_style, hatching, label, picture, shorten, tag, text_width
from tl_widgets.records.parameters import ParameterCount

AREAS_HEIGHT = 62.0  # CSS pixels
_SIDE = AREAS_HEIGHT - LINE - 5  # of the largest square
_POINT = 3.0  # a smaller square gets a ring, or else nobody would find it


def _squares(counts: Mapping[ModelName, ParameterCount]) -> list[tuple[ModelName, int, bool]]:
    """Return (model, parameters, whether they are frozen) for each square."""
    squares = [(model, count.trainable, False) for model, count in counts.items()]
    return squares + [(model, count.frozen, True) for model, count in counts.items() if count.frozen]


def areas(counts: Mapping[ModelName, ParameterCount], width: float, top: float) -> Markup:
    """Return the squares and their numbers as elements, `AREAS_HEIGHT` high, with their upper edge at `top`."""
    squares = _squares(counts)
    most = max((n for _, n, _ in squares), default=0)
    if not most:
        return Markup()
    sides = [_SIDE * sqrt(n / most) for _, n, _ in squares]
    texts = [
        (count_text(n) if n < 1e8 else short_count(n), _("frozen") if is_frozen else model.label)
        for model, n, is_frozen in squares
    ]
    words = [max(map(text_width, pair)) for pair in texts]
    spaces = [max(side, 10.0) for side in sides]
    gap = (width - sum(spaces) - sum(words)) / len(squares) - 5
    parts = [label(0, top + FONT_SIZE, shorten(_("Parameters as areas, all on one scale"), width), "start")]
    bottom, left = top + AREAS_HEIGHT - 2, 1.0
    for (model, n, is_frozen), side, space, pair, word in zip(squares, sides, spaces, texts, words, strict=True):
        x, middle = left + (space - side) / 2, bottom - _SIDE / 2
        parts.append(_square(model, n, x, middle - side / 2, side, is_frozen=is_frozen))
        start = left + space + 5
        parts += [label(start, middle - 2, pair[0], "start"), label(start, middle + LINE - 2, pair[1], "start")]
        left = start + word + max(gap, 2.0)
    return Markup().join(parts)


def _square(model: ModelName, n: int, x: float, y: float, side: float, *, is_frozen: bool) -> Markup:
    color = color_style(model)
    square = {"class_": "tlw-area", "x": x, "y": y, "width": side, "height": side, "data_parameters": n}
    text = (
        _("{heading}: {n} frozen parameters", heading=model.heading, n=count_text(n))
        if is_frozen
        else _("{heading}: {n} trainable parameters", heading=model.heading, n=count_text(n))
    )
    title = tag("title", text)
    parts = [title]
    if is_frozen:
        corners = [(x, y), (x + side, y), (x + side, y + side), (x, y + side)]
        parts.append(tag("path", d=hatching(corners, 4.0), style=f"stroke:{color};fill:none"))
        parts.append(tag("rect", **square, style=f"fill:none;stroke:{color}"))
    else:
        parts.append(tag("rect", **square, style=f"fill:{color}"))
    if side < _POINT:
        center = {"cx": x + side / 2, "cy": y + side / 2}
        parts.append(tag("circle", **center, r=5.0, fill="none", stroke="currentColor", stroke_dasharray="2 2"))
    return tag("g", *parts)


def areas_text(counts: Mapping[ModelName, ParameterCount]) -> str:
    """Return what the squares show, in a sentence."""
    items = [
        _("{n} frozen ({model})", n=count_text(n), model=model.label)
        if is_frozen
        else _("{n} trainable ({model})", n=count_text(n), model=model.label)
        for model, n, is_frozen in _squares(counts)
    ]
    return _("Parameters as areas on one scale: {items}.", items=", ".join(items))


def parameter_areas(counts: Mapping[ModelName, ParameterCount], *, width: float = 310) -> Markup:
    """Draw the parameters of models as squares on one scale, as SVG; frozen ones are hatched.

    Args:
        counts: Of each model.
        width: In CSS pixels, at least 300.
    """
    return picture(
        areas(counts, width, 0),
        width,
        AREAS_HEIGHT,
        text=areas_text(counts),
        name=_("Parameters as areas"),
        interactive=False,
        standalone=False,
    )
