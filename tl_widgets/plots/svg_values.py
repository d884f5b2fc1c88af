"""The values in an SVG chart: boxes that appear on hover or by arrow keys, and tables for screen readers.

A part with `data-stop` shows its `tlw-tip` while it has the class `tlw-current` (widgets/shared/stage.css).
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from tl_widgets.core.html import Markup, escape
from tl_widgets.plots.svg import plain, text_width
from tl_widgets.plots.svg_axes import LINE, PALE, SvgAxes, color_css


@dataclass(frozen=True)
class TipBox:
    """The box in which each stop of a chart shows its values: a row for each model under named columns.

    What all stops have in common is in `defs` once, or a chart of 100 epochs would be too large to send often.

    Attributes:
        rows: The model's name, for its color, and what the row is called.
        heads: The names of the columns.
        titles: What the boxes are headed with, for their width.
    """

    rows: Sequence[tuple[str, str]]
    heads: Sequence[str]
    titles: Sequence[str]

    @cached_property
    def _names(self) -> float:
        widths = [*(text_width(title) for title in self.titles), *(text_width(label) + 12 for _, label in self.rows)]
        return max(widths, default=0.0) + 14

    @cached_property
    def _ends(self) -> list[int]:
        widths = [max(text_width(head), 42.0) + 12 for head in self.heads]
        return [round(self._names + sum(widths[: i + 1])) for i in range(len(widths))]

    @property
    def width(self) -> float:
        """The width in pixels."""
        return (self._ends[-1] if self._ends else self._names) + 8

    @property
    def height(self) -> int:
        """The height in pixels."""
        return LINE * (len(self.rows) + 1) + 8

    @cached_property
    def _shared(self) -> str:
        parts = [
            f'<rect width="{self.width:.0f}" height="{self.height}" rx="3" stroke="var(--jp-border-color1, #bbb)" '
            'fill="var(--tlw-paper, var(--jp-layout-color1, #fff))"/>'
        ]
        for i, (name, label) in enumerate(self.rows, 1):
            y, stroke = 16 + LINE * i, f'stroke="{color_css(name)}" stroke-width="4"'
            parts.append(f'<path d="M8 {y - 4}h8" {stroke}/><text x="20" y="{y}">{escape(plain(label))}</text>')
        for end, head in zip(self._ends, self.heads, strict=True):
            parts.append(f'<text x="{end}" y="16" text-anchor="end" {PALE}>{escape(plain(head))}</text>')
        return "".join(parts)

    @cached_property
    def _id(self) -> str:
        return f"tlw-{zlib.crc32(self._shared.encode()):08x}"  # two charts with the same id have the same box

    @property
    def defs(self) -> Markup:
        """What the chart must hold once."""
        return Markup(f'<defs><g id="{self._id}">{self._shared}</g></defs>')

    def at(self, x: float, y: float, title: str, values: Sequence[Sequence[str]]) -> str:
        """Return the box with its top left corner there; `values` holds a text for each row and column."""
        cells = "".join(
            f'<text x="{end}" y="{16 + LINE * i}">{escape(plain(value))}</text>'
            for i, row in enumerate(values, 1)
            for end, value in zip(self._ends, row, strict=True)
            if value
        )
        return (
            f'<g transform="translate({x:.0f} {y:.0f})"><use href="#{self._id}"/>'
            f'<text x="8" y="16" font-weight="600">{escape(plain(title))}</text><g text-anchor="end">{cells}</g></g>'
        )

    def spoken(self, title: str, values: Sequence[Sequence[str]]) -> str:
        """Return the values as a sentence."""
        rows = [
            f"{label} {', '.join(f'{head} {value}' for head, value in zip(self.heads, row, strict=True) if value)}"
            for (_, label), row in zip(self.rows, values, strict=True)
            if any(row)
        ]
        return f"{title}: {'; '.join(rows)}"


def column_stop(
    axes: SvgAxes,
    box: TipBox,
    title: str,
    values: Sequence[Sequence[str]],
    *,
    x: float,
    half: float,
    ys: Sequence[float],
) -> Markup:
    """Return a part that shows values beside a vertical line.

    Args:
        axes: The chart.
        box: Its box of values.
        title: What the line stands at, such as "Epoch 3"; unique in the chart.
        values: A text for each row and column; "" for none.
        x: The line's pixel.
        half: How far the part reaches to both sides, in pixels.
        ys: The pixel of each row's point on the line; NaN marks none.
    """
    top, bottom, left, right = axes.y.end, axes.y.start, max(x - half, axes.x.start), min(x + half, axes.x.end)
    marks = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" stroke="{color_css(name)}"/>'
        for (name, _), y in zip(box.rows, ys, strict=True)
        if math.isfinite(y)
    )
    known = [y for y in ys if math.isfinite(y)]
    is_high = sum(known) < len(known) * (top + bottom) / 2  # then the box stands under the points
    corner = x + 10 if x + 10 + box.width < axes.width else max(0.0, x - 10 - box.width)
    return _stop(
        title,
        box.spoken(title, values),
        (left, top, right, bottom),
        f'<path d="M{x:.1f} {bottom:.1f}V{top:.1f}" stroke="currentColor"/><g fill="none" stroke-width="2">{marks}</g>'
        + box.at(corner, bottom - box.height - 3 if is_high else top + 2, title, values),
    )


def row_stop(
    axes: SvgAxes, box: TipBox, title: str, values: Sequence[Sequence[str]], *, top: float, bottom: float
) -> Markup:
    """Return a part as wide as the chart that shows a frame, with values above or below; see `column_stop`."""
    y = bottom + 2 if bottom + 2 + box.height < axes.height else max(0.0, top - 2 - box.height)
    frame = f'<path d="M1 {top:.1f}H{axes.width - 1:g}V{bottom:.1f}H1z" fill="none" stroke="currentColor"/>'
    area = (0.0, top, axes.width, bottom)
    x = max(2.0, min(axes.x.start + 8, axes.width - box.width - 2))
    return _stop(title, box.spoken(title, values), area, frame + box.at(x, y, title, values))


def _stop(key: str, spoken: str, area: tuple[float, float, float, float], content: str) -> Markup:
    left, top, right, bottom = area
    return Markup(
        f'<g data-stop="{escape(plain(key))}" aria-label="{escape(plain(spoken))}"><rect x="{left:.1f}" y="{top:.1f}" '
        f'width="{right - left:.1f}" height="{bottom - top:.1f}" fill="transparent"/>'
        f'<g class="tlw-tip" visibility="hidden">{content}</g></g>'
    )


def hidden_table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Markup:
    """Return a table that only screen readers show."""
    heads = "".join(f'<th scope="col">{escape(plain(name))}</th>' for name in head)
    lines = []
    for row in rows:
        cells = "".join(f"<td>{escape(plain(cell))}</td>" for cell in row[1:])
        lines.append(f'<tr><th scope="row">{escape(plain(row[0]))}</th>{cells}</tr>')
    return Markup(
        f'<div class="tlw-sr"><table><caption>{escape(plain(caption))}</caption><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )
