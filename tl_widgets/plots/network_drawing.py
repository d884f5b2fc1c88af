"""The shapes and texts of one network on its area, and how they are fitted into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from tl_widgets.core.html import Markup
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import count_text, short_count
from tl_widgets.core.translation import _, ngettext
from tl_widgets.plots.network_parts import (
    BackboneFacts,
    Column,
    Ledger,
    backbone_note,
    name_lines,
    scratch_columns,
    transfer_columns,
)
from tl_widgets.plots.svg import (
    LINE,
    color_style,
    hatching,
    label,
    polygon,
    shorten,
    tag,
    text_width,
    wrap,
)
from tl_widgets.records.parameters import LayerRow, count_rows

_SMALL_IMAGE = 64  # pixels; smaller images are drawn smaller, larger ones as large as there is room
_PIXELS_PER_FILTER = 0.3
_HEADING, _MARGIN = 15.0, 3.0
_BELOW_ROWS = 2
_WORD_GAP = 4.0
_BAR = 5.0  # width of a vector


@dataclass(frozen=True)
class _Density:
    """How close together parts are drawn: the less room, the shorter their texts."""

    gap: float
    names: float  # most width of the class names
    image: float = 1.0  # share of the height that an image takes


_DENSITIES = (_Density(7, 78), _Density(5, 62), _Density(4, 52, 0.85), _Density(3, 44, 0.7))


@dataclass
class Sheet:
    """The area of one network, and what was drawn on it."""

    model: ModelName
    width: float
    top: float
    height: float
    interactive: bool
    current: str = ""  # key of the part that is chosen
    elements: list[Markup] = field(default_factory=list)

    @property
    def room(self) -> float:
        """Most height of an image."""
        rest = self.height - _HEADING - LINE * (1 + _BELOW_ROWS) - 2 * _MARGIN
        return max(20.0, min(rest, 0.2 * self.width))

    @property
    def axis(self) -> float:
        """Height of the middle of all shapes."""
        above = self.top + _HEADING + LINE + _MARGIN
        free = self.height - _HEADING - LINE * (1 + _BELOW_ROWS) - 2 * _MARGIN - self.room
        return above + max(0.0, free / 2) + self.room / 2

    @property
    def color(self) -> str:
        """The model's CSS color."""
        return color_style(self.model)

    def heading(self, text: str) -> None:
        """Write the model's name, in its color's company, and a few words."""
        y = self.top + 11
        swatch = tag("rect", x=0.0, y=y - 9, width=9.0, height=9.0, style=f"fill:{self.color}")
        name = self.model.heading
        start = 14 + text_width(name) * 1.1 + 6
        words = label(start, y, shorten(text, self.width - start), "start")
        self.elements += [swatch, label(14, y, name, "start", bold=True), words]

    def part(self, column: Column, left: float, right: float, *shapes: Markup) -> None:
        """Add a part that shows its sentence to the mouse, and can be clicked on its whole width."""
        bottom = self.axis + self.room / 2 + _BELOW_ROWS * LINE
        top = self.axis - self.room / 2 - LINE
        area = tag(
            "rect",
            x=left,
            y=top,
            width=right - left,
            height=bottom - top,
            fill="none",
            pointer_events="all",
            class_="tlw-hit",
        )
        click = {"data_click": column.key, "aria_label": column.title} if self.interactive else {}
        click |= {"aria_pressed": "true"} if column.key == self.current else {}
        self.elements.append(tag("g", tag("title", column.title), area, *shapes, **click))

    def link(self, left: float, right: float) -> None:
        """Draw what leads from one shape to the next."""
        if right > left:
            line = {"x1": left, "x2": right, "y1": self.axis, "y2": self.axis}
            self.elements.append(tag("line", **line, stroke="currentColor", opacity=0.55))

    def above(self, x: float, text: str) -> Markup:
        """Return a text in the row above the shapes."""
        return label(x, self.axis - self.room / 2 - 4, text)

    def below(self, x: float, text: str, row: int = 0) -> Markup:
        """Return a text in a row below the shapes."""
        return label(x, self.axis + self.room / 2 + (1 + row) * LINE - 1, text)


def _image_scale(side: int, room: float) -> float:
    """Return CSS pixels for each pixel of the image."""
    return room / max(side, _SMALL_IMAGE)


def _draw_output(sheet: Sheet, column: Column, class_names: Sequence[str], left: float, lines: list[str]) -> None:
    color, shapes = sheet.color, []
    top = sheet.axis - LINE * len(lines) / 2
    for i, line in enumerate(lines):
        y = top + LINE * (i + 0.5)
        if not (i == len(lines) - 1 and len(lines) < len(class_names)):
            shapes.append(tag("circle", cx=left + 3, cy=y, r=3.0, style=f"fill:{color}"))
        shapes.append(label(left + 9, y + 4, line, "start"))
    sheet.part(column, left, sheet.width, *shapes)


def _image(sheet: Sheet, left: float, width: float, height: float) -> Markup:
    """Return the image: a frame of true size, with hills and a sun."""
    top = sheet.axis - height / 2

    def at(x: float, y: float) -> tuple[float, float]:
        return left + x * width, top + y * height

    frame = tag(
        "rect", class_="tlw-image", x=left, y=top, width=width, height=height, fill="none", stroke="currentColor"
    )
    hills = polygon(
        [at(0, 1), at(0, 0.8), at(0.3, 0.45), at(0.5, 0.7), at(0.68, 0.55), at(1, 0.9), at(1, 1)],
        fill="currentColor",
        opacity=0.3,
    )
    x, y = at(0.74, 0.26)
    sun = tag("circle", cx=x, cy=y, r=0.11 * min(width, height), fill="currentColor", opacity=0.3)
    return Markup().join([frame, hills, sun])


def _bar(sheet: Sheet, x: float, *, is_learned: bool) -> Markup:
    """Return a list of numbers: its length is said, not drawn."""
    height = 0.8 * sheet.room
    fill = sheet.color if is_learned else "none"
    return tag(
        "rect",
        x=x - _BAR / 2,
        y=sheet.axis - height / 2,
        width=_BAR,
        height=height,
        rx=2,
        style=f"fill:{fill};stroke:{sheet.color}",
    )


@dataclass(frozen=True)
class _Layout:
    """Where the parts of a network stand.

    Attributes:
        middles: Of each part but the output, in CSS pixels.
        widths: Of their shapes.
        texts: Under each; a vector's stand in a row of their own where they need it.
        names: Width of the output.
    """

    density: int
    per_pixel: float
    middles: tuple[float, ...]
    widths: tuple[float, ...]
    texts: tuple[tuple[str, str], ...]
    names: float


def _texts(column: Column, density: int) -> tuple[str, str]:
    """Return what stands above and below a part."""
    if column.side is None and density == len(_DENSITIES) - 1:
        return "", f"{column.text(density)} {column.above}"
    above = column.above
    if column.key == "filters:0" and density == 0:
        above = ngettext("{above} filter", "{above} filters", column.n_filters, above=above)
    return above, column.text(density)


def _fit(sheet: Sheet, columns: Sequence[Column], class_names: Sequence[str]) -> _Layout:
    """Find the roomiest layout that fits."""
    shape, parts = columns[0].side or (1, 1), columns[:-1]
    widest = max(column.n_filters for column in parts[1:])
    layout = None
    for density, how in enumerate(_DENSITIES):
        per_pixel = _image_scale(max(shape), sheet.room) * how.image
        names = max(map(text_width, name_lines(class_names, sheet.room, how.names))) + 10
        texts = tuple(_texts(column, density) for column in parts)
        above = [text_width(text) for text, _ in texts]
        below = [text_width(text) if column.side else 0.0 for column, (_, text) in zip(parts, texts, strict=True)]
        per_filter = _PIXELS_PER_FILTER * sheet.width / 310
        while True:
            widths = [_BAR if column.side is None else column.n_filters * per_filter for column in parts]
            widths[0] = shape[1] * per_pixel
            steps = [
                max(
                    0.0,
                    (widths[i] + widths[i + 1]) / 2 + how.gap,
                    *((row[i] + row[i + 1]) / 2 + _WORD_GAP for row in (above, below) if row[i] and row[i + 1]),
                )
                for i in range(len(parts) - 1)
            ]
            first = max(widths[0] + 2, below[0]) / 2
            last = max(widths[-1] / 2 + how.gap, above[-1] / 2 + 3)
            free = sheet.width - first - sum(steps) - last - names
            if free >= 0 or per_filter * widest < 10:
                break
            per_filter *= 0.93
        extra = min(max(free, 0.0) / len(parts), 24.0)
        middles = tuple(accumulate((step + extra for step in steps), initial=first))
        layout = _Layout(density, per_pixel, middles, tuple(widths), texts, names + max(0.0, free - extra * len(parts)))
        if free >= 0:
            break
    assert layout is not None
    return layout


def _word_places(layout: _Layout, columns: Sequence[Column], limit: float) -> list[tuple[float, int]]:
    """Return (middle, row) of the text below each part."""
    widths = [text_width(text) for _, text in layout.texts]
    places = [(max(x, width / 2), 0) for x, width in zip(layout.middles, widths, strict=True)]
    vectors = [i for i, column in enumerate(columns[:-1]) if column.side is None]
    end = limit
    for i in reversed(vectors):
        places[i] = (min(layout.middles[i], end - widths[i] / 2), 0)
        end = places[i][0] - widths[i] / 2 - 5
    before = vectors[0] - 1
    if end < places[before][0] + widths[before] / 2:
        for i in vectors:
            places[i] = (places[i][0], 1)
    return places


def _draw_scratch(sheet: Sheet, rows: Sequence[LayerRow], class_names: Sequence[str]) -> None:
    columns = scratch_columns(rows, class_names)
    layout = _fit(sheet, columns, class_names)
    output = sheet.width - layout.names
    places = _word_places(layout, columns, output - 4)
    end = 0.0
    edges = [0.0, *((x + y) / 2 for x, y in pairwise(layout.middles)), output - 2]
    for i, (column, x, width) in enumerate(zip(columns, layout.middles, layout.widths, strict=False)):
        if i:
            sheet.link(end, x - width / 2)
        end = x + width / 2
        if column.side is None:
            shape = _bar(sheet, x, is_learned=column.is_learned)
        elif i == 0:
            shape = _image(sheet, x - width / 2, width, column.side[0] * layout.per_pixel)
        else:
            height = column.side[0] * layout.per_pixel
            shape = tag(
                "rect",
                class_="tlw-maps",
                x=x - width / 2,
                y=sheet.axis - height / 2,
                width=width,
                height=height,
                style=f"fill:{sheet.color};fill-opacity:0.35;stroke:{sheet.color}",
            )
        above, below = layout.texts[i]
        middle, row = places[i]
        sheet.part(column, edges[i], edges[i + 1], shape, sheet.above(x, above), sheet.below(middle, below, row))
    sheet.link(end, output - 1)
    lines = name_lines(class_names, sheet.room, _DENSITIES[layout.density].names)
    _draw_output(sheet, columns[-1], class_names, output, lines)


def _draw_transfer(sheet: Sheet, rows: Sequence[LayerRow], class_names: Sequence[str], facts: BackboneFacts) -> None:
    image, backbone, vector, output = transfer_columns(rows, class_names, facts)
    shape = image.side or (1, 1)
    scale = _image_scale(max(shape), sheet.room)
    lines = name_lines(class_names, sheet.room, _DENSITIES[0].names)
    gap = 9.0
    drawn = shape[1] * scale
    image_width = max(drawn, text_width(image.text(0)))
    vector_width = max(_BAR, text_width(vector.above), text_width(vector.text(0)))
    out = sheet.width - max(map(text_width, lines)) - 10
    x = image_width / 2 + 1
    picture_ = _image(sheet, x - drawn / 2, drawn, shape[0] * scale)
    sheet.part(image, 0, image_width + gap / 2, picture_, sheet.below(x, image.text(0)))
    left, right = image_width + gap, out - vector_width - 2 * gap
    sheet.link(x + drawn / 2, left)
    _draw_backbone(sheet, backbone, rows[1], facts, (left, right), (shape[0] * scale, scale))
    at = right + gap + vector_width / 2
    sheet.link(right, at - _BAR / 2)
    texts = [sheet.above(at, vector.above), sheet.below(at, vector.text(0))]
    sheet.part(vector, right + gap / 2, out - gap / 2, _bar(sheet, at, is_learned=False), *texts)
    sheet.link(at + _BAR / 2, out)
    _draw_output(sheet, output, class_names, out, lines)


def _draw_backbone(
    sheet: Sheet,
    column: Column,
    row: LayerRow,
    facts: BackboneFacts,
    ends: tuple[float, float],
    heights: tuple[float, float],
) -> None:
    """Draw the backbone: as high as the image at its beginning, as high as its last maps at its end."""
    (left, right), (first, scale) = ends, heights
    last = max(1.5, facts.last_map * scale if facts.last_map else first / 32)
    # How many blocks there are is known only once it is built: their share of the width is no measure.
    share = 1 - min(0.6, 0.16 * facts.n_trained_blocks)
    cut = left + share * (right - left)

    def slice_(start: float, end: float) -> list[tuple[float, float]]:
        def half(x: float) -> float:
            return (first + (last - first) * (x - left) / (right - left)) / 2

        return [
            (start, sheet.axis - half(start)),
            (end, sheet.axis - half(end)),
            (end, sheet.axis + half(end)),
            (start, sheet.axis + half(start)),
        ]

    dashes = "4 3" if facts.is_random else None
    frozen = slice_(left, cut)
    shapes = [
        tag("path", class_="tlw-frozen", d=hatching(frozen), style=f"stroke:{sheet.color};fill:none", opacity=0.8),
        polygon(frozen, style=f"fill:none;stroke:{sheet.color}", stroke_dasharray=dashes),
    ]
    if facts.n_trained_blocks:
        style = f"fill:{color_style(ModelName.FINE_TUNED)};stroke:{color_style(ModelName.FINE_TUNED)}"
        shapes.append(polygon(slice_(cut, right), class_="tlw-trained", style=style))
    middle, room = (left + right) / 2, right - left
    name, _comma, used = row.layer.partition(", ")  # "EfficientNetLite0, 5 of 16 blocks"
    half = text_width(name := shorten(name, right - 4)) / 2  # there is room above the image
    texts = [
        sheet.above(max(half, min(middle, right - half)), name),
        sheet.below(middle, shorten(_("{n_params} frozen", n_params=short_count(row.n_params)), room)),
    ]
    if note := ", ".join(filter(None, (used, backbone_note(facts, short=True)))):
        words = shorten(note, sheet.width)
        at = max(middle, text_width(words) / 2)
        texts.append(sheet.below(at, words, 1))
    sheet.part(column, left - 4, right + 4, *shapes, *texts)


def _draw_sentence(sheet: Sheet, sentence: str) -> None:
    """Write what is wrong in the place of the drawing."""
    n_lines = int((sheet.height - _HEADING - 6) // LINE)
    for i, line in enumerate(wrap(sentence, sheet.width - 4)[:n_lines]):
        sheet.elements.append(label(1, sheet.top + _HEADING + 16 + i * LINE, line, "start"))


def _learn(rows: Sequence[LayerRow]) -> str:
    return _("{trainable} parameters learn", trainable=count_text(count_rows(tuple(rows)).trainable))


def draw_body(sheet: Sheet, ledger: Ledger, class_names: Sequence[str], facts: BackboneFacts) -> Markup:
    """Draw a network, or the sentence that says why it can't be built."""
    if isinstance(ledger, str):
        sheet.heading("")
        _draw_sentence(sheet, ledger)
    else:
        sheet.heading(_learn(ledger))
        if sheet.model == ModelName.SCRATCH:
            _draw_scratch(sheet, ledger, class_names)
        else:
            _draw_transfer(sheet, ledger, class_names, facts)
    if not sheet.interactive or isinstance(ledger, str):
        return Markup().join(sheet.elements)
    return tag(  # one Tab stop for each network; keys are unique within it
        "g",
        *sheet.elements,
        class_="tlw-network",
        role="group",
        aria_label=sheet.model.heading,
        data_roam="",
        tabindex=0,
    )
