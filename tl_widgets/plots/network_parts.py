"""The parts of a network from left to right, with the words and numbers that a drawing of it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tl_widgets.core.numbers import count_text, short_count
from tl_widgets.core.translation import _, ngettext
from tl_widgets.plots.svg import LINE, plain, shorten
from tl_widgets.records.parameters import LayerRow

_MANY_NAMES, _LONG_NAME = 10, 60  # in sentences; a record may hold names of any length

Ledger = tuple[LayerRow, ...] | str  # the layers, or the sentence that says why there are none


@dataclass(frozen=True)
class BackboneFacts:
    """What a drawing of the transfer model says beyond its layers.

    Attributes:
        last_map: Side of the backbone's last feature maps in pixels; None if unknown.
        is_random: Whether its weights are random.
        n_trained_blocks: How many of its last blocks are fine-tuned.
    """

    last_map: int | None = None
    is_random: bool = False
    n_trained_blocks: int = 0


@dataclass(frozen=True)
class Column:
    """A part of a network, from left to right.

    Attributes:
        key: What a click on it says.
        title: Its sentence, with the arithmetic.
        above: How many filters, numbers or units it has.
        below: What it is or how large its maps are, the longest text first.
        side: Height and width of its maps in pixels; None for a vector.
        n_filters: Number of its maps.
        is_learned: Whether training changes it.
    """

    key: str
    title: str
    above: str = ""
    below: tuple[str, ...] = ("",)
    side: tuple[int, int] | None = None
    n_filters: int = 0
    is_learned: bool = True

    def text(self, density: int) -> str:
        """Return the text below; the denser the drawing, the shorter."""
        return self.below[min(density, len(self.below) - 1)]


def _count(n: int) -> str:
    return count_text(n) if n < 100_000 else short_count(n)


def _arithmetic(row: LayerRow) -> str:
    return _(
        "{replace} = {n_params} parameters",
        replace=row.arithmetic.replace("x", " × ").replace("+", " + "),
        n_params=count_text(row.n_params),
    )


def _maps(shape: Sequence[int], separator: str = "×") -> str:
    return f"{shape[0]}{separator}{shape[1]}"


def _map_texts(shape: Sequence[int]) -> tuple[str, ...]:
    short = _("{shape} px", shape=shape[0])
    return (_maps(shape), short, short, str(shape[0])) if shape[0] == shape[1] else (_maps(shape),)


def names_text(class_names: Sequence[str]) -> str:
    """Return the class names for a sentence."""
    names = [plain(name[: _LONG_NAME + 1]) for name in class_names[:_MANY_NAMES]]
    text = ", ".join(name if len(name) <= _LONG_NAME else f"{name[:_LONG_NAME]}…" for name in names)
    more = len(class_names) - _MANY_NAMES
    return _("{text} and {more} more", text=text, more=more) if more > 0 else text


def name_lines(class_names: Sequence[str], room: float, width: float) -> list[str]:
    """Return the first class names, and how many more there are, as lines for a drawing with this much room."""
    n_lines = max(3, int(room // LINE) + 1)
    shown = class_names if len(class_names) <= n_lines else class_names[: n_lines - 1]
    lines = [shorten(name, width) for name in shown]
    return lines if len(shown) == len(class_names) else [*lines, f"+{len(class_names) - len(shown)}"]


def input_column(rows: Sequence[LayerRow]) -> Column:
    """Return the image."""
    shape = rows[0].output_shape
    title = _("Image: {maps} pixels, {shape} colors", maps=_maps(shape, " × "), shape=shape[2])
    texts = _map_texts(shape)
    return Column("input", title, "", (*texts[:1] * 3, texts[min(1, len(texts) - 1)]), (shape[0], shape[1]), shape[2])


def output_column(row: LayerRow, class_names: Sequence[str], key: str) -> Column:
    """Return the last layer."""
    kind = (
        _("one sigmoid unit")
        if row.output_shape == (1,)
        else _("{output_shape} softmax units", output_shape=row.output_shape[0])
    )
    title = _(
        "Output: Dense, {kind} for {n_class_names} classes ({names}); {arithmetic}",
        kind=kind,
        n_class_names=len(class_names),
        names=names_text(class_names),
        arithmetic=_arithmetic(row),
    )
    return Column(key, title)


def blocks_of(rows: Sequence[LayerRow]) -> list[tuple[LayerRow, LayerRow]]:
    """Return each block's Conv2D and its last layer, whose maps the next block gets."""
    blocks: list[tuple[LayerRow, LayerRow]] = []
    for row in rows:
        if row.layer == "Conv2D":
            blocks.append((row, row))
        elif row.layer.endswith("Pooling2D") and len(row.output_shape) == 3:
            blocks[-1] = (blocks[-1][0], row)
    return blocks


def scratch_columns(rows: Sequence[LayerRow], class_names: Sequence[str]) -> list[Column]:
    """Return the parts of the network from scratch."""
    columns = [input_column(rows)]
    for i, (convolution, last) in enumerate(blocks_of(rows)):
        height, width, n_filters = last.output_shape
        title = ngettext(
            "Block {i}: {n} filter, feature maps of {height} × {width} pixels; Conv2D, {arithmetic}",
            "Block {i}: {n} filters, feature maps of {height} × {width} pixels; Conv2D, {arithmetic}",
            n_filters,
            i=i + 1,
            height=height,
            width=width,
            arithmetic=_arithmetic(convolution),
        )
        if last is not convolution:
            title += _("; {layer} halves {maps}", layer=last.layer, maps=_maps(convolution.output_shape, " × "))
        columns.append(
            Column(f"filters:{i}", title, str(n_filters), _map_texts(last.output_shape), (height, width), n_filters)
        )
    columns.append(vector_column(rows, "flatten"))
    dense = [row for row in rows if row.layer == "Dense"]
    if len(dense) > 1:
        (n_units,) = dense[0].output_shape
        title = _("Dense: {n_units} units; {arithmetic}", n_units=n_units, arithmetic=_arithmetic(dense[0]))
        columns.append(Column("dense", title, _count(n_units), ("Dense",)))
    return [*columns, output_column(rows[-1], class_names, "output")]


def transfer_columns(rows: Sequence[LayerRow], class_names: Sequence[str], facts: BackboneFacts) -> list[Column]:
    """Return the parts of the transfer model."""
    row = rows[1]
    maps = (
        _(", feature maps of {last_map} × {last_map} pixels at its end", last_map=facts.last_map)
        if facts.last_map
        else ""
    )
    title = _(
        "Backbone {layer}: {n_params} parameters, all frozen{maps}",
        layer=row.layer,
        n_params=count_text(row.n_params),
        maps=maps,
    )
    if note := backbone_note(facts):
        title += f"; {note}"
    vector, output = vector_column(rows, "average"), output_column(rows[-1], class_names, "head")
    return [input_column(rows), Column("backbone", title), vector, output]


def vector_column(rows: Sequence[LayerRow], key: str) -> Column:
    """Return the layer that turns maps into a list of numbers."""
    row = next(row for row in rows if row.layer in ("Flatten", "GlobalAveragePooling2D"))
    (n_numbers,) = row.output_shape
    is_flat = row.layer == "Flatten"
    what = _("all numbers of the last maps in one list") if is_flat else _("the average of each of the last maps")
    title = _(
        "{layer}: {what}, {n_numbers} numbers; no parameters",
        layer=row.layer,
        what=what,
        n_numbers=count_text(n_numbers),
    )
    return Column(key, title, _count(n_numbers), (_("flatten") if is_flat else _("average"),), is_learned=False)


def backbone_note(facts: BackboneFacts, *, short: bool = False) -> str:
    """Return what is special about the backbone; "" for a frozen one with pretrained weights."""
    n = facts.n_trained_blocks
    blocks = _("the last block learns") if n == 1 else _("the last {n} blocks learn", n=n)
    notes = [_("random weights")] if facts.is_random else []
    notes += [_("then {blocks}", blocks=blocks) if short else _("then {blocks}, too", blocks=blocks)] if n else []
    return ", ".join(notes)
