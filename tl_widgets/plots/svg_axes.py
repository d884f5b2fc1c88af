"""Charts as SVG text, without matplotlib: scales, ticks, axes, lines, points and labels.

Pixels count from the top left corner. Texts are escaped here; colors come from `color_css` or from CSS.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tl_widgets.core.html import Markup, escape, join
from tl_widgets.core.model_name import find_model
from tl_widgets.core.numbers import percent
from tl_widgets.plots.svg import color_style, plain, shorten, text_width

SMALL, NORMAL = 11, 12  # font sizes in pixels
PALE = 'fill="var(--tlw-pale, #666)"'
HALO = 'paint-order="stroke" stroke="var(--tlw-paper, var(--jp-layout-color1, #fff))" stroke-width="3"'
LINE = 15  # pixels from one line of text to the next

Point = tuple[float, float]
Tick = tuple[float, str]


def color_css(name: str) -> str:
    """Return a model's color as a CSS value, which a dark theme can replace."""
    model = find_model(name)
    return color_style(model) if model else "var(--tlw-other, #a85587)"


def fitted(content: str, width: float, size: float = SMALL) -> str:
    """Return a text, cut at its end to `width` pixels."""
    return shorten(content, width * SMALL / size)


def whole_percent(share: float) -> str:
    """Return a share as "91%", with a decimal where rounding would claim all or none: "99.7%"."""
    rounded = round(100 * share)
    return percent(share, 1 if (rounded == 100 and share < 1) or (rounded == 0 and share > 0) else 0)


@dataclass(frozen=True)
class Scale:
    """Maps values from `low` to `high` to pixels from `start` to `end`, evenly or by logarithm."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the pixel of a value; a logarithmic scale takes values above 0."""
        low, high = self.low, self.high
        if self.log:
            low, high, value = math.log(low), math.log(high), math.log(value)
        share = (value - low) / (high - low) if high != low else 0.5
        return self.start + share * (self.end - self.start)


def ticks(low: float, high: float, most: int = 8, *, whole: bool = False) -> list[float]:
    """Return at most `most` round values from `low` to `high`; their step is 1, 2 or 5 times a power of 10."""
    if not high > low:
        return [low]
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    steps = [power * factor for factor in (1, 2, 5, 10, 20) if not whole or power * factor >= 1]
    for step in steps or [1.0]:
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            break
    return [round(i * step, 12) for i in range(first, last + 1)]


def epoch_ticks(n_epochs: int, most: int = 10) -> list[int]:
    """Return round epochs up to `n_epochs`, and the first."""
    epochs = [int(tick) for tick in ticks(0, n_epochs, most + 1, whole=True) if tick >= 1]
    return [1, *epochs] if epochs[0] > 2 else epochs


def log_ticks(low: float, high: float, most: int = 8) -> list[float]:
    """Return 1, 2 and 5 times each power of 10 from `low` to `high`, or only the powers if there are too many."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1,)):
        values = [factor * 10.0**decade for decade in decades for factor in factors]
        values = [value for value in values if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]
        if len(values) <= most:
            break
    return values


def spread(centers: Sequence[float], heights: Sequence[float], low: float, high: float) -> list[float]:
    """Move the centers of labels, as little as needed, until none overlaps another.

    Args:
        centers: Where each label would stand best, in pixels.
        heights: The height of each.
        low: Where the range of all begins.
        high: Where it ends; if there isn't enough room, the last labels leave it.

    Returns:
        The new centers, in the order given.
    """
    groups: list[tuple[float, float, list[int]]] = []  # the group's middle and height, and its labels
    for i in sorted(range(len(centers)), key=lambda i: centers[i]):
        middle, height, members = centers[i], heights[i], [i]
        while True:
            middle = max(low + height / 2, min(middle, high - height / 2))
            if not groups or groups[-1][0] + groups[-1][1] / 2 <= middle - height / 2 + 1e-9:
                break
            _, other_height, others = groups.pop()
            members, height = [*others, *members], height + other_height
            offsets = [sum(heights[k] for k in members[:n]) + heights[j] / 2 for n, j in enumerate(members)]
            tops = [centers[j] - offset for j, offset in zip(members, offsets, strict=True)]
            middle = sum(tops) / len(tops) + height / 2
        groups.append((middle, height, members))
    result = [0.0] * len(centers)
    for middle, height, members in groups:
        top = middle - height / 2
        for j in members:
            result[j] = top + heights[j] / 2
            top += heights[j]
    return result


def text(x: float, y: float, content: str, *, size: int = SMALL, anchor: str = "start", style: str = PALE) -> Markup:
    """Return a text whose baseline is at `y`; `style` holds further attributes."""
    side = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return Markup(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}"{side} {style}>{escape(plain(content))}</text>')


def line(points: Iterable[Point], color: str, *, width: float, dash: str = "", more: str = "") -> Markup:
    """Return a line with a gap at each point whose `y` isn't finite; a point between two gaps is a dot."""
    parts: list[list[str]] = [[]]
    for x, y in points:
        if math.isfinite(y):
            parts[-1].append(f"{x:.1f} {y:.1f}")
        elif parts[-1]:
            parts.append([])
    lines = "".join(f"M{'L'.join(part)}" for part in parts if len(part) > 1)
    dots = "".join(f"M{part[0]}h0" for part in parts if len(part) == 1)
    stroke = f'fill="none" stroke="{color}" {more}'
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return Markup(
        (f'<path d="{lines}" {stroke} stroke-width="{width}" stroke-linejoin="round"{dashes}/>' if lines else "")
        + (f'<path d="{dots}" {stroke} stroke-width="{width + 2}" stroke-linecap="round"/>' if dots else "")
    )


_SHAPES = {  # for a marker of radius 1
    "o": "m-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0z",
    "s": "m-.9-.9h1.8v1.8h-1.8z",
    "D": "m0-1.25l1.25 1.25l-1.25 1.25l-1.25-1.25z",
    "^": "m0-1.15l1.1 2h-2.2z",
    "v": "m0 1.15l1.1-2h-2.2z",
}


def markers(points: Iterable[Point], name: str, *, hollow: bool = False, radius: float = 4) -> Markup:
    """Return a marker, of the shape that a model has in every figure, at each point whose `y` is finite."""
    model = find_model(name)
    shape, color = _SHAPES[model.marker if model else "v"], color_css(name)
    fill = "var(--tlw-paper, var(--jp-layout-color1, #fff))" if hollow else color
    stroke = f' stroke="{color}" stroke-width="{1.6 / radius:.2f}"' if hollow else ""
    places = "".join(f"M{x / radius:.2f} {y / radius:.2f}{shape}" for x, y in points if math.isfinite(y))
    return Markup(f'<path d="{places}" transform="scale({radius})" fill="{fill}"{stroke}/>' if places else "")


def interval(x: float, y: float, low: float, high: float, name: str, *, upright: bool = True) -> Markup:
    """Return a point with its interval bar, in pixels; `low` and `high` are on the y axis, or on x if not `upright`."""
    if upright:
        bar = f"M{x:.1f} {low:.1f}V{high:.1f}M{x - 3.5:.1f} {low:.1f}h7M{x - 3.5:.1f} {high:.1f}h7"
    else:
        bar = f"M{low:.1f} {y:.1f}H{high:.1f}M{low:.1f} {y - 3.5:.1f}v7M{high:.1f} {y - 3.5:.1f}v7"
    stroke = f'stroke="{color_css(name)}" stroke-width="1.8"'
    return Markup(f'<path class="tlw-interval" d="{bar}" fill="none" {stroke}/>') + markers([(x, y)], name)


@dataclass(frozen=True)
class EndLabel:
    """A model's label at the end of its line.

    Attributes:
        name: The model's name, for marker and color.
        text: The label.
        detail: A second, smaller line.
        end: The pixel at which the line ends.
    """

    name: str
    text: str
    end: Point
    detail: str = ""


@dataclass(frozen=True)
class SvgAxes:
    """A chart of `width` by `height` pixels, whose axes lie where its scales map to."""

    width: float
    height: float
    x: Scale
    y: Scale

    def frame(self, x_ticks: Sequence[Tick], y_ticks: Sequence[Tick], *, x_title: str = "", grid: str = "y") -> Markup:
        """Return axes with tick labels and pale grid lines; `x_title` stands to the right of the x axis."""
        left, right, bottom, top = self.x.start, self.x.end, self.y.start, self.y.end
        ys, xs = [self.y(value) for value, _ in y_ticks], [self.x(value) for value, _ in x_ticks]
        lines = "".join(f"M{left:.1f} {y:.1f}H{right:.1f}" for y in ys) if "y" in grid else ""
        lines += "".join(f"M{x:.1f} {bottom:.1f}V{top:.1f}" for x in xs) if "x" in grid else ""
        small = "".join(f"M{x:.1f} {bottom:.1f}v4" for x in xs)
        parts: list[str] = [
            Markup(f'<path d="{lines}" stroke="currentColor" stroke-opacity=".13"/>'),
            Markup(
                f'<path d="M{left:.1f} {bottom:.1f}H{right:.1f}{small}" stroke="currentColor" stroke-opacity=".5"/>'
            ),
            *(text(x, bottom + 15, label, anchor="middle") for x, (_, label) in zip(xs, x_ticks, strict=True)),
            *(text(left - 6, y + 4, label, anchor="end") for y, (_, label) in zip(ys, y_ticks, strict=True)),
        ]
        last = text_width(x_ticks[-1][1]) / 2 if x_ticks else 0.0
        parts.append(text(max(right, xs[-1] + last if xs else right) + 6, bottom + 15, x_title) if x_title else "")
        return join(parts)

    def clipped(self, content: str, *, margin: float = 6) -> Markup:
        """Return content of which only the part between the axes, and `margin` pixels around, is visible."""
        x, y = self.x.start - margin, self.y.end - margin
        width, height = self.x.end - self.x.start + 2 * margin, self.y.start - self.y.end + 2 * margin
        box = " ".join(f"{length:.1f}" for length in (x, y, width, height))
        place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
        return Markup(f'<svg {place} viewBox="{box}" overflow="hidden">{content}</svg>')

    def level(self, value: float, label: str) -> Markup:
        """Return a dotted horizontal line at a value, such as chance, with its label at the right end."""
        y = self.y(value)
        baseline = y + 14 if y + 18 < self.y.start else y - 5
        return Markup(
            f'<path class="tlw-level" d="M{self.x.start:.1f} {y:.1f}H{self.x.end:.1f}" stroke="var(--tlw-pale, #666)" '
            'stroke-width="1.5" stroke-dasharray="1.5 3.5"/>'
        ) + text(self.x.end - 2, baseline, label, anchor="end", style=f"{PALE} {HALO}")

    def diagonal(self, label: str) -> Markup:
        """Return a dotted line on which x and y are equal, with its label below its lower end."""
        low, high = max(self.x.low, self.y.low), min(self.x.high, self.y.high)
        ends, color = [(self.x(value), self.y(value)) for value in (low, high)], "var(--tlw-pale, #666)"
        at = low + 0.1 * (high - low)
        return line(ends, color, width=1.5, dash="1.5 3.5") + text(
            self.x(at) + 8, self.y(at) + 10, label, style=f"{PALE} {HALO}"
        )

    def mark(self, value: float, label: str, *, dash: str = "4 3", up: float = 5) -> Markup:
        """Return a vertical line at a value, such as a guess, with its label `up` pixels above the x axis."""
        x = self.x(value)
        is_left = x + 5 + text_width(label) > self.x.end
        return Markup(
            f'<path class="tlw-mark" d="M{x:.1f} {self.y.start:.1f}V{self.y.end:.1f}" stroke="currentColor" '
            f'stroke-opacity=".6" stroke-dasharray="{dash}"/>'
        ) + text(
            x - 5 if is_left else x + 5,
            self.y.start - up,
            label,
            anchor="end" if is_left else "start",
            style=f"{PALE} {HALO}",
        )

    def end_labels(self, labels: Sequence[EndLabel], x: float) -> Markup:
        """Return labels in one column at `x`, none over another, each joined to the end of its line."""
        heights = [2.0 * LINE if label.detail else LINE + 1.0 for label in labels]
        centers = spread([label.end[1] for label in labels], heights, self.y.end - 8, self.y.start + 8)
        parts: list[str] = []
        for label, center, height in zip(labels, centers, heights, strict=True):
            (end, y), room = label.end, self.width - x - 13
            middle = center - height / 2 + LINE / 2
            if x - end > 16 or abs(middle - y) > 5:
                lead = f'stroke="{color_css(label.name)}" stroke-opacity=".7" stroke-dasharray="1.5 2.5"'
                parts.append(Markup(f'<path d="M{end + 6:.1f} {y:.1f}L{x - 1:.1f} {middle:.1f}" {lead}/>'))
            content = fitted(label.text, room, NORMAL)
            parts += [
                Markup(f'<g class="tlw-end" data-model="{escape(plain(label.name))}">'),
                markers([(x + 5, middle)], label.name),
                text(x + 13, middle + 4, content, size=NORMAL, style=f'fill="currentColor" font-weight="600" {HALO}'),
                text(x + 13, middle + 4 + LINE - 1, fitted(label.detail, room), style=f"{PALE} {HALO}")
                if label.detail
                else "",
                Markup("</g>"),
            ]
        return join(parts)

    def svg(self, content: str, label: str, *, roams: bool) -> Markup:
        """Return the whole chart; `roams` makes it one Tab stop whose arrow keys move among its stops."""
        role = 'role="group" data-roam="" tabindex="0"' if roams else 'role="img"'
        return Markup(
            f'<svg class="tlw-chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {self.height:g}" '
            f'width="{self.width:g}" height="{self.height:g}" font-family="inherit" font-size="{SMALL}" '
            f'{role} aria-label="{escape(plain(label))}">{content}</svg>'
        )
