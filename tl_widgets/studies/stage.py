"""The chart of a study: axes that stand there before anything is measured, points that drop in, and the guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import hypot, isfinite

from tl_widgets.core.html import Markup, join
from tl_widgets.core.model_name import find_model, heading_of
from tl_widgets.core.numbers import interval_text, number_text, percent
from tl_widgets.core.translation import _
from tl_widgets.plots.svg import shorten, text_width, wrap
from tl_widgets.plots.svg_axes import (
    HALO,
    LINE,
    Scale,
    SvgAxes,
    Tick,
    color_css,
    interval,
    line,
    log_ticks,
    markers,
    text,
    ticks,
)
from tl_widgets.plots.svg_values import TipBox, column_stop, hidden_table, row_stop
from tl_widgets.records.statistics import Interval
from tl_widgets.studies.stage_guess import CHIP, GuessMarks, guess_svg

_INK = 'fill="currentColor"'
_NARROW = 440  # pixels
RIGHT, WRONG = _("right way"), _("with the mistake")  # series that are no models: ink, full and hollow
TESTED, TRAINED = _("test images"), _("training images")  # likewise
_FULL = (RIGHT, TESTED)


@dataclass(frozen=True)
class Axis:
    """One axis: its title, its range, its ticks, and whether it is logarithmic."""

    title: str
    low: float
    high: float
    ticks: tuple[Tick, ...]
    log: bool = False

    @staticmethod
    def share(title: str) -> Axis:
        """Return an axis from 0 to 100%."""
        return Axis(title, 0.0, 1.0, tuple((i / 4, percent(i / 4, 0)) for i in range(5)))

    @staticmethod
    def even(title: str, low: float, high: float) -> Axis:
        """Return an axis with whole numbers."""
        values = ticks(low, high, 9, whole=True)
        return Axis(title, low, high, tuple((value, number_text(value)) for value in values))

    @staticmethod
    def of_values(title: str, values: Sequence[float], low: float, high: float) -> Axis:
        """Return a logarithmic axis from `low` to `high`, or further if a value lies outside."""
        low, high = min([low, *(value for value in values if value > 0)]), max([high, *values])
        return Axis(title, low, high, tuple((tick, number_text(tick)) for tick in log_ticks(low, high, 9)), log=True)


@dataclass(frozen=True)
class Dot:
    """One measured point.

    Attributes:
        series: the model's name, or `RIGHT` or `WRONG`.
        x, y: its place on the axes; in a chart of rows, `y` is the row's number.
        ci95: its 95% interval, if it has one.
        label: what it was measured with, such as "5 images per class"; dots with the same label are compared.
        name: a text beside the dot.
        is_small: whether it is one of several of which another dot is the mean.
    """

    series: str
    x: float
    y: float
    ci95: Interval | None = None
    label: str = ""
    name: str = ""
    is_small: bool = False


@dataclass(frozen=True)
class StageChart:
    """What a study shows while it measures, and afterwards.

    Attributes:
        title: what the chart shows, for screen readers.
        x, y: the axes.
        series: the models that are measured.
        dots: what was measured so far.
        rows: names of rows in place of the y axis; the intervals then lie on the x axis.
        joined: whether the dots of a model are joined by a line.
        level: a value on the y axis with a label, such as chance.
        diagonal: the label of a line on which x and y are equal; "" for none.
    """

    title: str
    x: Axis
    y: Axis
    series: tuple[str, ...]
    dots: tuple[Dot, ...] = ()
    rows: tuple[str, ...] = ()
    joined: bool = True
    level: tuple[float, str] | None = None
    diagonal: str = ""


def stage_svg(chart: StageChart, guess: GuessMarks | None, *, width: float, height: float) -> Markup:
    """Return the chart as SVG, with a table for screen readers.

    Options of an open guess have `data-click="guess:NUMBER"`. In a narrow chart, the legend, the options and names of
    rows have lines of their own.
    """
    is_narrow = width < _NARROW
    heading, n_lines = _heading(chart, width)
    above = 9 if is_narrow else 21  # from the options of a guess to the axes, without options
    top = 4.0 + LINE * n_lines + above
    rows = guess.rows(width) if guess and (guess.axis == "x" or is_narrow) else None
    beside = guess.column if guess and rows is None else 0
    under = max((y for _, y, _ in rows), default=0) + CHIP if rows else 0
    title = wrap(chart.x.title, width - 4)
    foot = 36 + LINE * (len(title) - 1)
    y_labels, is_above = _row_names(chart, width, height - foot - top - under)
    left, right = 12 + (0 if is_above else max(map(text_width, y_labels))), 16 + beside
    x = Scale(chart.x.low, chart.x.high, left, width - right, chart.x.log)
    x_ticks, lower = _tick_rows(chart.x.ticks, x)
    foot += LINE if lower else 0
    low, high = (len(chart.rows) - 0.5, -0.5) if chart.rows else (chart.y.low, chart.y.high)
    axes = SvgAxes(width, height, x, Scale(low, high, height - foot, top + under))
    places = range(len(chart.rows)) if chart.rows else [value for value, _ in chart.y.ticks]
    y_ticks = [] if is_above else list(zip(places, y_labels, strict=True))
    half = max(map(text_width, title)) / 2 + 2
    center = min(max((left + width - right) / 2, half), width - half)
    parts = [
        axes.frame(x_ticks, y_ticks, grid="x" if chart.rows else "y"),
        *(text(axes.x(value), axes.y.start + 15 + LINE, label, anchor="middle") for value, label in lower),
        *(text(center, height - 4 - LINE * i, part, anchor="middle") for i, part in enumerate(reversed(title))),
        heading,
        axes.level(*chart.level) if chart.level else "",
        axes.diagonal(chart.diagonal) if chart.diagonal else "",
        guess_svg(axes, guess, rows, top - above) if guess else "",
        *(text(left, axes.y(row) - 9, name, style=_INK) for row, name in enumerate(y_labels if is_above else ())),
        *([_dots(axes, chart), _stops(axes, chart)] if chart.dots else []),
    ]
    roams = bool(chart.dots) or (guess is not None and guess.is_open)
    state = "" if chart.dots else _(" Nothing is measured yet.")
    return join([axes.svg(join(parts), f"{chart.title}.{state}", roams=roams), _table(chart)])


def _heading(chart: StageChart, width: float) -> tuple[Markup, int]:
    """Return the title of the y axis and the legend, and their number of lines; both stand in one line if they fit."""
    title = "" if chart.rows else chart.y.title
    entries = [(name, _label(name)) for name in chart.series]
    sizes = [text_width(label) + 28 for _, label in entries]
    parts = [text(2, 12, title)] if title else []
    at, row = width - 4 - sum(sizes), 0
    if text_width(title) + 10 > at:
        at, row = -8.0, 1 if title else 0
    for (name, label), size in zip(entries, sizes, strict=True):
        if at + size > width and at > 0:
            at, row = -8.0, row + 1
        y = 12 + LINE * row
        parts += [_marker(at + 18, y - 4, name), text(at + 28, y, label, style=_INK)]
        at += size
    return join(parts), row + 1


def _row_names(chart: StageChart, width: float, height: float) -> tuple[list[str], bool]:
    """Return the labels of the y axis, and whether they stand above their rows, as long names do if there is room."""
    labels = list(chart.rows) or [label for _, label in chart.y.ticks]
    if not chart.rows or max(map(text_width, labels)) < 0.42 * width:
        return labels, False
    is_above = height / len(labels) >= 2 * LINE
    return [shorten(label, (0.9 if is_above else 0.42) * width) for label in labels], is_above


def _tick_rows(ticks: Sequence[Tick], x: Scale) -> tuple[list[Tick], list[Tick]]:
    """Return the ticks with labels that don't touch, and those whose labels stand in a second row.

    Where there is no room, names take two rows, and of numbers some stay away.
    """

    def touch(one: Tick, other: Tick) -> bool:
        return abs(x(one[0]) - x(other[0])) < (text_width(one[1]) + text_width(other[1])) / 2 + 4

    if not any(touch(one, other) for one, other in pairwise(ticks)):
        return list(ticks), []
    if sum(label[:1].isalpha() for _, label in ticks) > len(ticks) / 2:
        upper = [(value, label if i % 2 == 0 else "") for i, (value, label) in enumerate(ticks)]
        return upper, [tick for i, tick in enumerate(ticks) if i % 2]
    kept: list[Tick] = []
    for tick in reversed(ticks):
        if not any(touch(tick, other) for other in kept[:1]):
            kept.insert(0, tick)
    return kept, []


def _label(name: str) -> str:
    model = find_model(name)
    return model.label if model else name


def _marker(x: float, y: float, series: str, radius: float = 4.5) -> Markup:
    if find_model(series):
        return markers([(x, y)], series, radius=radius)
    fill = "currentColor" if series in _FULL else "var(--tlw-paper, var(--jp-layout-color1, #fff))"
    return Markup(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}" stroke="currentColor" stroke-width="1.8"/>'
    )


def _dots(axes: SvgAxes, chart: StageChart) -> Markup:
    parts: list[str] = []
    for name in chart.series if chart.joined else ():
        path = [(axes.x(dot.x), axes.y(dot.y)) for dot in chart.dots if dot.series == name and not dot.is_small]
        color = f"var(--tlw-{name})" if find_model(name) else "currentColor"
        parts.append(line(path, color, width=2, more='stroke-opacity=".8"') if len(path) > 1 else "")
    for dot in sorted(chart.dots, key=lambda dot: not dot.is_small):
        x, y = axes.x(dot.x), axes.y(dot.y)
        parts.append(Markup(f'<g class="tlw-dot"{" opacity=" + chr(34) + ".6" + chr(34) if dot.is_small else ""}>'))
        if dot.is_small:
            parts.append(_marker(x, y, dot.series, 2.6))
        elif dot.ci95 is None or not find_model(dot.series):
            parts += [_bar(axes, chart, dot) if dot.ci95 else "", _marker(x, y, dot.series)]
        else:
            low, high = map(axes.y, dot.ci95)
            parts.append(interval(x, y, low, high, dot.series))
        parts.append(Markup("</g>"))
    parts.append(_names(axes, chart))
    return axes.clipped(join(parts), margin=9)


def _bar(axes: SvgAxes, chart: StageChart, dot: Dot) -> Markup:
    """Return the interval of a dot that belongs to no model."""
    assert dot.ci95 is not None
    low, high = map(axes.x, dot.ci95)
    y = axes.y(dot.y)
    shift = 0 if len(chart.rows) < 3 else -1 if dot.series in _FULL else 1
    path = f"M{low:.1f} {y + shift:.1f}H{high:.1f}M{low:.1f} {y - 4:.1f}v8M{high:.1f} {y - 4:.1f}v8"
    return Markup(f'<path class="tlw-interval" d="{path}" stroke="currentColor" stroke-width="1.6" fill="none"/>')


def _names(axes: SvgAxes, chart: StageChart) -> Markup:
    """Name the dots, the highest first, each at the nearest place where it covers no dot, interval or other name."""
    taken, names = [_box(axes, chart, dot) for dot in chart.dots], list[_Box]()
    parts: list[str] = []
    for dot in sorted(chart.dots, key=lambda dot: -dot.y):
        if not dot.name:
            continue
        x, y, width = axes.x(dot.x), axes.y(dot.y), text_width(dot.name)
        for right, down in _PLACES:
            left = x + right if right > 0 else x + right - width
            box = left - 2, y + down - 7, left + width + 2, y + down + 7
            inside = box[0] >= axes.x.start and box[2] <= axes.x.end and axes.y.end - 8 <= box[1] <= axes.y.start - 14
            end = left - 1 if right > 0 else left + width + 1
            leader = _along(x, y, end, y + down) if abs(right) > 9 or abs(down) > 4 else []
            free = not any(_overlap(box, other) for other in taken)
            if inside and free and not any(_overlap(step, name) for step in leader for name in names):
                break
        else:  # no room; its box of values still names it
            continue
        names.append(box)
        taken += [box, *leader]
        if leader:
            parts.append(line([(x, y), (end, y + down)], "currentColor", width=0.8, more='stroke-opacity=".5"'))
        parts.append(text(left, y + down + 4, dot.name, style=f"{_INK} {HALO}"))
    return join(parts)


_Box = tuple[float, float, float, float]  # left, top, right, bottom
# Where a name may stand: pixels from its dot to its left end (or, if negative, to its right end), and down.
_PLACES = sorted(
    ((side * right, down) for right in range(9, 130, 10) for down in range(-140, 141, 7) for side in (1, -1)),
    key=lambda place: (hypot(place[0], place[1]), -place[0]),
)


def _box(axes: SvgAxes, chart: StageChart, dot: Dot) -> _Box:
    """Return the pixels that a dot takes, with its interval."""
    x, y = axes.x(dot.x), axes.y(dot.y)
    low, high = (axes.y(end) for end in dot.ci95) if dot.ci95 and not chart.rows else (y, y)
    return x - 6, min(high, y - 6), x + 6, max(low, y + 6)


def _along(x: float, y: float, end: float, to: float) -> list[_Box]:
    """Return small boxes along a line."""
    steps = [(x + (end - x) * i / 9, y + (to - y) * i / 9) for i in range(1, 9)]
    return [(across - 1, down - 1, across + 1, down + 1) for across, down in steps]


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _by_label(chart: StageChart) -> dict[str, dict[str, Dot]]:
    """Return the dots that are compared with one another, by label and series."""
    groups: dict[str, dict[str, Dot]] = {}
    for dot in chart.dots:
        if not dot.is_small and isfinite(dot.y):
            groups.setdefault(dot.label, {})[dot.series] = dot
    return groups


def _value(chart: StageChart, dot: Dot | None) -> tuple[str, str]:
    if dot is None:
        return "", ""
    return percent(dot.x if chart.rows else dot.y), interval_text(dot.ci95) if dot.ci95 else ""


def _stops(axes: SvgAxes, chart: StageChart) -> Markup:
    groups = _by_label(chart)
    heads = (_("value"), _("95% interval"))
    box = TipBox([(name, _label(name)) for name in chart.series], heads, list(groups))
    if box.width > axes.width:
        box = replace(box, heads=heads[:1])
    parts: list[str] = [box.defs]
    places = sorted({axes.x(dot.x) for group in groups.values() for dot in group.values()})
    gaps = [after - before for before, after in pairwise(places)]
    half = min([40.0, *(gap / 2 for gap in gaps)]) if not chart.rows else 0.0
    for label, group in groups.items():
        values = [_value(chart, group.get(name))[: len(box.heads)] for name in chart.series]
        one = next(iter(group.values()))
        if chart.rows:
            y, reach = axes.y(one.y), abs(axes.y(1) - axes.y(0)) / 2
            parts.append(row_stop(axes, box, label, values, top=y - reach + 1, bottom=y + reach - 1))
            continue
        ys = [axes.y(group[name].y) if name in group else float("nan") for name in chart.series]
        parts.append(column_stop(axes, box, label, values, x=axes.x(one.x), half=max(half, 3.0), ys=ys))
    # A series that is no model is drawn in ink, in its box of values, too.
    return Markup(join(parts).replace(color_css(""), "currentColor"))


def _table(chart: StageChart) -> Markup:
    rows = [
        [label, *(" ".join(part for part in _value(chart, group.get(name)) if part) for name in chart.series)]
        for label, group in _by_label(chart).items()
    ]
    heads = ["", *(heading_of(name) for name in chart.series)]
    return hidden_table(chart.title, heads, rows) if rows else Markup("")
