"""Parts of drawings as SVG text: text that is certain to fit, hatching, and the element itself."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from tl_widgets.core.html import Markup, escape
from tl_widgets.core.model_name import ModelName

FONT_SIZE = 11.0  # CSS pixels
LINE = 13.0  # height of a line of text, in CSS pixels
_NARROW, _WIDE = set("iljt.,:;'|!()[] ·fr"), set("mwMW@%—…")
_FONT = "font-family:'DejaVu Sans',Verdana,Helvetica,Arial,sans-serif"

Point = tuple[float, float]


def color_style(model: ModelName) -> str:
    """Return the CSS color of a model; a dark theme may replace it."""
    return f"var(--tlw-{model},{model.color})"


def tag(name: str, *content: str, **attributes: object) -> Markup:
    """Return an element; text and attributes are escaped, an attribute `data_click` becomes `data-click`."""
    values = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_number(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    parts = (part if isinstance(part, Markup) else escape(plain(part)) for part in content)
    return Markup(f"<{name}{values}>{''.join(parts)}</{name}>")


def _number(value: object) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".") if isinstance(value, float) else escape(plain(str(value)))


@lru_cache(maxsize=1024)
def text_width(text: str, size: float = FONT_SIZE) -> float:
    """Return the most CSS pixels that a text takes, in the widest of the usual fonts."""
    return size * sum(map(_advance, text))


def _advance(character: str) -> float:
    if character in _WIDE or unicodedata.east_asian_width(character) in "WF" or ord(character) > 0x2FFF:
        return 1.05
    if character in _NARROW:
        return 0.42
    return 0.83 if character in "×÷+<>=~" else 0.76 if character.isupper() else 0.65


def plain(text: str) -> str:
    """Return a text of one line; characters that XML doesn't allow or that turn text around become spaces."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def shorten(text: str, width: float) -> str:
    """Return a text of one line that fits, with an ellipsis where something was left out."""
    text = plain(text[: int(width)])  # no character is narrower than a pixel
    if text_width(text) <= width:
        return text
    while text and text_width(text) + FONT_SIZE * 1.05 > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


def wrap(text: str, width: float) -> list[str]:
    """Return the lines of a text that fit into a width."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer) <= width or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return [shorten(line, width) for line in lines]


def label(x: float, y: float, text: str, anchor: str = "middle", *, bold: bool = False) -> Markup:
    """Return a line of text; `y` is its baseline."""
    weight = 600 if bold else None
    return tag("text", text, x=x, y=y, text_anchor=anchor, fill="currentColor", font_weight=weight)


def polygon(points: Sequence[Point], **attributes: object) -> Markup:
    """Return a closed shape."""
    return tag("polygon", points=" ".join(f"{x:.2f},{y:.2f}" for x, y in points), **attributes)


def hatching(points: Sequence[Point], step: float = 5.0) -> str:
    """Return the path of lines that hatch a convex shape.

    An SVG pattern would need an id, and ids clash where a page shows several drawings.
    """
    sums = [x + y for x, y in points]
    pieces, at = [], min(sums) + step / 2
    while at < max(sums):
        ends = []
        for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
            start, end = x0 + y0, x1 + y1
            if start != end and min(start, end) <= at < max(start, end):
                share = (at - start) / (end - start)
                ends.append((x0 + share * (x1 - x0), y0 + share * (y1 - y0)))
        if len(ends) == 2:
            (x0, y0), (x1, y1) = ends
            pieces.append(f"M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}")
        at += step
    return "".join(pieces)


def picture(
    body: str, width: float, height: float, *, text: str, name: str, interactive: bool, standalone: bool
) -> Markup:
    """Return a whole SVG.

    Args:
        body: Its elements.
        width: In CSS pixels.
        height: In CSS pixels.
        text: The text alternative.
        name: What it shows, in a few words.
        interactive: Whether its parts can be clicked; otherwise it is one image for screen readers.
        standalone: Whether it is a file of its own, which has no page to take color and font from.
    """
    look = f"color:#222;background:#fff;{_FONT}" if standalone else "font-family:inherit;color:inherit"
    pad = 8.0 if standalone else 0.0
    return tag(
        "svg",
        *([tag("desc", text)] if interactive else []),
        *([tag("rect", x=-pad, y=-pad, width=width + 2 * pad, height=height + 2 * pad, fill="#fff")] if pad else []),
        body,
        xmlns="http://www.w3.org/2000/svg",
        width=float(width + 2 * pad),
        height=float(height + 2 * pad),
        viewBox=f"{0 - pad:g} {0 - pad:g} {width + 2 * pad:g} {height + 2 * pad:g}",
        role="group" if interactive else "img",
        aria_label=name if interactive else text,
        style=f"{look};font-size:{FONT_SIZE:g}px",
    )
