"""The options of a learner's guess on the axes of a study's chart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tl_widgets.core.html import Markup, escape, join
from tl_widgets.core.translation import _
from tl_widgets.plots.svg import plain, text_width
from tl_widgets.plots.svg_axes import HALO, PALE, SvgAxes, spread, text

CHIP = 18  # height of an option, in pixels
_INK = 'fill="currentColor"'
_Place = tuple[float, float, float]  # left, top and width of an option, in pixels


@dataclass(frozen=True)
class GuessMarks:
    """The options of a guess on the axes.

    Attributes:
        axis: "x" or "y".
        options: the options, and the range that each stands for on the axis.
        chosen: the chosen option; "" for none.
        is_open: whether it can be chosen by a click.
    """

    axis: str
    options: tuple[tuple[str, tuple[float, float]], ...]
    chosen: str = ""
    is_open: bool = True

    @property
    def labels(self) -> list[str]:
        """The options without what they say in parentheses."""
        return [option.split(" (")[0] for option, _ in self.options]

    @property
    def column(self) -> float:
        """The width of the options beside the y axis."""
        return max(text_width(option) for option, _ in self.options)

    def rows(self, width: float) -> list[_Place]:
        """Return the places of the options in rows from the top left, as few as they need."""
        sizes = [text_width(label) + 12 for label in self.labels]
        rows: list[list[float]] = [[]]
        for size in sizes:
            if rows[-1] and sum(rows[-1]) + size + 5 * len(rows[-1]) > width - 4:
                rows.append([])
            rows[-1].append(size)
        places: list[_Place] = []
        for i, row in enumerate(rows):
            gap = min(8.0, (width - 4 - sum(row)) / max(1, len(row) - 1))
            places += [(2 + sum(row[:k]) + k * gap, i * (CHIP + 2.0), size) for k, size in enumerate(row)]
        return places


def guess_svg(axes: SvgAxes, guess: GuessMarks, rows: Sequence[_Place] | None, top: float) -> Markup:
    """Draw the chosen option as a band, and all options as long as they can be chosen.

    Args:
        axes: the chart's axes.
        guess: the options.
        rows: their places in rows above the axes; None puts each beside its place on the y axis. On the x axis, they
            could be taken for places on it.
        top: the top of the first row.
    """
    is_x = guess.axis == "x"
    places = [(x, top + y, width) for x, y, width in rows] if rows is not None else _beside(axes, guess)
    parts: list[str] = []
    for i, (label, (option, span), (x, y, width)) in enumerate(zip(guess.labels, guess.options, places, strict=True)):
        is_chosen = option == guess.chosen
        if is_chosen:
            scale = axes.x if is_x else axes.y
            ends = sorted((scale.start, scale.end))
            reach = [min(max(scale(value), ends[0]), ends[1]) for value in span]
            parts.append(_band(axes, reach, _("your guess: {label}", label=label), is_x=is_x))
        if not (guess.is_open or (is_chosen and rows is None)):
            continue
        name = _("My guess: {option}", option=option)
        click = (
            f'data-click="guess:{i}" aria-pressed="{str(is_chosen).lower()}" aria-label="{escape(plain(name))}"'
            if guess.is_open
            else ""
        )
        chip = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{CHIP - 2}" rx="8"'
        look = 'fill="currentColor" fill-opacity=".14"' if is_chosen else 'fill="transparent"'
        weight = ' font-weight="600"' if is_chosen else ""
        parts += [
            Markup(f'<g class="tlw-option" {click}><rect {chip} {look} stroke="currentColor" stroke-opacity=".35"/>'),
            text(x + width / 2, y + 12, label, anchor="middle", style=_INK + weight),
            Markup("</g>"),
        ]
    return join(parts)


def _beside(axes: SvgAxes, guess: GuessMarks) -> list[_Place]:
    """Return the places of the options to the right of the axes, each at its range or near it."""
    ends = sorted((axes.y.start, axes.y.end))
    centers = [sum(min(max(axes.y(value), ends[0]), ends[1]) for value in span) / 2 for _, span in guess.options]
    at = spread(centers, [CHIP + 2.0] * len(centers), *ends)
    widths = [text_width(label) + 10 for label in guess.labels]
    return [(axes.x.end + 4, center - CHIP / 2, width) for center, width in zip(at, widths, strict=True)]


def _band(axes: SvgAxes, span: Iterable[float], label: str, *, is_x: bool) -> Markup:
    low, high = sorted(span)
    left, right, bottom, top = axes.x.start, axes.x.end, axes.y.start, axes.y.end
    if is_x:
        box = f'x="{low:.1f}" y="{top:.1f}" width="{max(high - low, 1):.1f}" height="{bottom - top:.1f}"'
        edges = f"M{low:.1f} {bottom:.1f}V{top:.1f}M{high:.1f} {bottom:.1f}V{top:.1f}"
        wide = text_width(label) + 8
        inside = high - low >= wide
        at, anchor = (high + 4, "start") if not inside and high + wide <= right else (high if inside else low, "end")
        note = text(at - 4 if anchor == "end" else at, bottom - 6, label, anchor=anchor, style=f"{PALE} {HALO}")
    else:
        box = f'x="{left:.1f}" y="{low:.1f}" width="{right - left:.1f}" height="{max(high - low, 1):.1f}"'
        edges = f"M{left:.1f} {low:.1f}H{right:.1f}M{left:.1f} {high:.1f}H{right:.1f}"
        note = text(left + 6, low + 13, _("your guess"), style=f"{PALE} {HALO}")
    return (
        Markup(
            f'<g class="tlw-guess-mark"><rect {box} fill="currentColor" fill-opacity=".07"/>'
            f'<path d="{edges}" stroke="currentColor" stroke-opacity=".6" stroke-dasharray="4 3" fill="none"/></g>'
        )
        + note
    )
