"""The race on the stage: accuracy or loss of models while they train, as SVG text without matplotlib."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tl_widgets.core.html import Markup, escape, join
from tl_widgets.core.model_name import heading_of
from tl_widgets.core.numbers import interval_text, number_text, percent
from tl_widgets.core.translation import _
from tl_widgets.plots.labels import curves_alt_text, label_of
from tl_widgets.plots.racers import Race, Racer
from tl_widgets.plots.svg import plain, text_width
from tl_widgets.plots.svg_axes import (
    HALO,
    NORMAL,
    EndLabel,
    Scale,
    SvgAxes,
    color_css,
    epoch_ticks,
    fitted,
    interval,
    line,
    markers,
    text,
    ticks,
    whole_percent,
)
from tl_widgets.plots.svg_values import TipBox, column_stop, hidden_table
from tl_widgets.records.comparison import History

Quantity = Literal["accuracy", "loss"]

WAITING = _("Press “Train both”: the curves of both models appear here, epoch by epoch.")
_LEFT, _TOP, _BOTTOM, _LABELS, _TEST = 40, 28, 38, 156, 15  # pixels; `_TEST` for each model's test score


@dataclass(frozen=True)
class _Curve:
    """One quantity of a model by epoch; `validation`, `training` and `ghost` hold (epoch, value)."""

    racer: Racer
    validation: list[tuple[int, float]]
    training: list[tuple[int, float]]
    ghost: list[tuple[int, float]]
    diverged: int | None

    @property
    def main(self) -> list[tuple[int, float]]:
        """The values on the validation images, or those on the training images where there is no validation."""
        return self.validation or self.training


def race_chart(race: Race, quantity: Quantity = "accuracy", *, width: int = 590, height: int = 270) -> Markup:
    """Return the chart of a race, with a table of its values for screen readers.

    Args:
        race: The models and their histories.
        quantity: "accuracy" or "loss".
        width: In pixels.
        height: In pixels.

    Returns:
        HTML. Each epoch is a part with `data-stop`, which shows its values when it is the current one.
    """
    curves = [_curve(race, racer, quantity) for racer in race.racers]
    axes = _axes(race, curves, quantity, width, height)
    y_ticks = [0, 0.25, 0.5, 0.75, 1] if quantity == "accuracy" else ticks(0, axes.y.high, 5)
    digits = max((len(f"{tick:g}".partition(".")[2]) for tick in y_ticks), default=0)
    n_ticks = int((axes.x.end - axes.x.start) / (text_width(str(race.axis_end)) + 16))
    n_ticks = max(1, min(10, n_ticks))
    frame = axes.frame(
        [(epoch, str(epoch)) for epoch in epoch_ticks(race.axis_end, n_ticks)],
        [(tick, percent(tick, 0) if quantity == "accuracy" else number_text(tick, f".{digits}f")) for tick in y_ticks],
        x_title=_("epoch"),
    )
    # Its label stands above that of a low chance.
    up = 6 + (axes.y.start - axes.y(race.chance) if race.chance and race.chance < 0.2 and quantity == "accuracy" else 0)
    parts = [
        frame,
        _key(axes, quantity, curves),
        axes.level(race.chance, f"{race.baseline} {whole_percent(race.chance)}")
        if race.chance is not None and quantity == "accuracy"
        else "",
        axes.mark(race.fine_tuning_start, _("fine-tuning from here"), up=up) if race.fine_tuning_start else "",
        axes.clipped(join([part for curve in curves for part in _lines(axes, curve, quantity)])),
        _tests(axes, race) if quantity == "accuracy" else "",
        _labels(axes, race, curves, quantity),
        notes(race, width, height),
        *([] if any(curve.main for curve in curves) else [status(axes, race.status or WAITING)]),
    ]
    stops = _stops(axes, race, curves, quantity)
    alt = _alt(race, curves, quantity)
    table = _table(race, curves, quantity)
    svg = axes.svg(join([*parts, *stops]), alt, roams=bool(stops))
    return Markup('<div class="tlw-race">{}{}</div>').format(svg, table)


def _loss_text(loss: float) -> str:
    return number_text(loss, ".3f") if math.isfinite(loss) else "NaN" if math.isnan(loss) else "∞"


def _value_text(value: float, quantity: Quantity) -> str:
    if quantity == "loss":
        return _loss_text(value)
    return percent(value) if math.isfinite(value) else "NaN"


def _curve(race: Race, racer: Racer, quantity: Quantity) -> _Curve:
    def pairs(history: History, name: str) -> list[tuple[int, float]]:
        values: tuple[float, ...] = getattr(history, name)
        first = race.first_epoch(racer)
        return list(enumerate(values[first - 1 :], first))

    return _Curve(
        racer,
        pairs(racer.history, f"val_{quantity}"),
        pairs(racer.history, quantity),
        pairs(racer.ghost, f"val_{quantity}") or pairs(racer.ghost, quantity),
        race.diverged(racer),
    )


def _axes(race: Race, curves: list[_Curve], quantity: Quantity, width: int, height: int) -> SvgAxes:
    # The space for the test scores is there from the start, so the epochs don't shift when they arrive.
    right = width - _LABELS - _TEST * max(len(race.racers), 1) - 8
    last = race.axis_end
    margin = 0.03 * (last - 1) or 0.5
    x = Scale(1 - margin, last + margin, _LEFT, max(right, _LEFT + 60))
    high = 1.0
    if quantity == "loss":
        rows = [row for curve in curves for row in (curve.validation, curve.training, curve.ghost)]
        losses = sorted(loss for row in rows for _, loss in row if math.isfinite(loss))
        # A loss far above most others would press these onto the axis; its line leaves the chart instead.
        high = min(losses[-1], 4 * losses[len(losses) // 2]) if losses else 1.0
        step = ticks(0, high or 1.0, 5)
        high = math.ceil((high or 1.0) / (step[1] - step[0]) - 1e-9) * (step[1] - step[0])
    return SvgAxes(width, height, x, Scale(0, high, height - _BOTTOM, _TOP))


def _places(axes: SvgAxes, pairs: Sequence[tuple[int, float]]) -> list[tuple[float, float]]:
    return [(axes.x(epoch), axes.y(value) if math.isfinite(value) else math.nan) for epoch, value in pairs]


def _lines(axes: SvgAxes, curve: _Curve, quantity: Quantity) -> list[Markup]:
    name, is_old = curve.racer.name, bool(curve.racer.outdated)
    color = color_css(name)
    points = _places(axes, curve.validation)
    shown = points[:: -(-len(points) // 12)] if points else []

    def label(kind: str) -> str:
        return f'class="tlw-{kind}" data-model="{escape(plain(name))}"'

    parts = [
        line(
            _places(axes, curve.ghost),
            color,
            width=2,
            dash="7 5",
            more=f'{label("ghost")} stroke-opacity=".5"',
        ),
        line(
            _places(axes, curve.training),
            color,
            width=1.2,
            dash="3 2",
            more=f'{label("training")} stroke-opacity=".85"',
        ),
        line(points, color, width=2.2, dash="6 4" if is_old else "", more=label("validation")),
        markers(shown, name, hollow=is_old, radius=3.5),
    ]
    if curve.diverged:
        before = [point for point in points[: curve.diverged - 1] if math.isfinite(point[1])]
        x, y = before[-1] if before else (axes.x(curve.diverged), axes.y.end + 12)
        x, y = axes.x(curve.diverged), max(y, axes.y.end + 12)
        parts.append(Markup(f'<path d="M{x - 4:.1f} {y - 4:.1f}l8 8m0-8l-8 8" stroke="{color}" stroke-width="2.2"/>'))
        if quantity == "accuracy":
            parts.append(text(x + 6, y - 7, _("diverged"), style=f'fill="currentColor" {HALO}'))
    return parts


def _key(axes: SvgAxes, quantity: Quantity, curves: list[_Curve]) -> Markup:
    """Return what is measured, and what the kinds of lines mean."""
    entries = [(_("validation"), 2.2, ""), (_("training"), 1.2, "3 2")]
    if any(curve.ghost for curve in curves):
        entries.append((_("last run"), 2, "7 5"))
    title = _("accuracy") if quantity == "accuracy" else _("loss")
    parts = [text(4, 13, title, style='fill="currentColor" font-weight="600"')]
    x = max(axes.x.start, 4 + text_width(title) + 22)
    for name, width, dash in entries:
        opacity = ".45" if width == 2 else ".9"
        parts.append(
            line([(x, 9), (x + 22, 9)], "currentColor", width=width, dash=dash, more=f'stroke-opacity="{opacity}"')
        )
        parts.append(text(x + 27, 13, name))
        x += 27 + text_width(name) + 14
    return join(parts)


def _tests(axes: SvgAxes, race: Race) -> Markup:
    """Return the test scores with their 95% intervals, in the strip to the right of the epochs."""
    tested = [(i, racer, racer.score) for i, racer in enumerate(race.racers) if racer.score]
    if not tested:
        return Markup()
    left, top = axes.x.end + 6, axes.y.end
    width = _TEST * len(race.racers)
    parts = [
        Markup(
            f'<rect x="{left:.1f}" y="{top - 7:.1f}" width="{width}" height="{axes.y.start - top + 7:.1f}" rx="3" '
            'fill="currentColor" fill-opacity=".06"/>'
        ),
        text(left + width / 2, 13, _("test"), anchor="middle") if axes.width >= 520 else "",  # or else the key is there
    ]
    for i, racer, score in tested:
        low, high = (axes.y(end) for end in score.interval)
        parts.append(interval(_test_x(axes, i), axes.y(score.accuracy), low, high, racer.name))
    return join(parts)


def _test_x(axes: SvgAxes, i: int) -> float:
    """Return where the test score of model number `i` stands."""
    return axes.x.end + 6 + _TEST * (i + 0.5)


def _labels(axes: SvgAxes, race: Race, curves: list[_Curve], quantity: Quantity) -> Markup:
    """Return a label at the end of each line; with a test score it has a second line."""
    labels, is_tested = [], quantity == "accuracy" and any(racer.score for racer in race.racers)
    for i, curve in enumerate(curves):
        known = [(epoch, value) for epoch, value in curve.main if math.isfinite(value)]
        if not known and not curve.diverged:
            continue
        x, y = _places(axes, known[-1:] or [(1, axes.y.low)])[0]
        words = [curve.racer.heading]
        if curve.diverged and quantity == "loss":
            words.append(_("diverged"))
        elif known:
            words.append(whole_percent(known[-1][1]) if quantity == "accuracy" else number_text(known[-1][1], ".2f"))
        score, detail = curve.racer.score if quantity == "accuracy" else None, ""
        if score:  # the test counts, not the end of the curve
            words, detail = (
                [curve.racer.heading, whole_percent(score.accuracy)],
                _("test ({interval})", interval=interval_text(score.interval)),
            )
            x, y = _test_x(axes, i), axes.y(score.accuracy)  # so the labels stand in the order of what they say
        labels.append(EndLabel(curve.racer.name, " ".join(words), (x, max(y, axes.y.end)), detail))
    if not labels:
        return Markup()
    ends = max(label.end[0] for label in labels) + 10
    column = axes.x.end + 12 + _TEST * len(race.racers) if is_tested else ends
    return axes.end_labels(labels, column)


def notes(race: Race, width: int, height: int) -> Markup:
    """Return the line under the chart: which curve belongs to earlier settings, and the note on seeds."""
    outdated = [f"{racer.heading}: {racer.outdated}" for racer in race.racers if racer.outdated]
    room = width - 8 - (text_width(race.note) + 20 if race.note else 0)
    parts = [text(width - 4, height - 5, fitted(race.note, width - 8), anchor="end")] if race.note else []
    if outdated:
        content = fitted("; ".join(outdated), max(room, width / 2))
        parts.append(text(4, height - 5, content, style='fill="currentColor" font-style="italic"'))
    return join(parts)


def status(axes: SvgAxes, content: str) -> Markup:
    """Return a text in the middle of empty axes."""
    start, end = axes.x.start, axes.x.end
    if end - start < 220:  # no curve has a label yet, so their place is free
        end = axes.width
    lines = textwrap.wrap(content, max(12, int((end - start - 40) / (0.52 * NORMAL))))[:6]
    middle, top = (start + end) / 2, (axes.y.start + axes.y.end) / 2 - 9 * len(lines) + 12
    style = f'fill="currentColor" {HALO}'
    return join(
        text(middle, top + 18 * i, part, size=NORMAL, anchor="middle", style=style) for i, part in enumerate(lines)
    )


def _stops(axes: SvgAxes, race: Race, curves: list[_Curve], quantity: Quantity) -> list[Markup]:
    """Return a stop for each epoch that has values, after what they share; [] without values."""
    curves = [curve for curve in curves if curve.main or curve.ghost]
    if not curves:
        return []
    heads = [_("validation"), _("training"), *([_("last run")] if any(curve.ghost for curve in curves) else [])]
    rows = [(curve.racer.name, curve.racer.heading) for curve in curves]
    box = TipBox(rows, heads, [_("Epoch {n_drawn}", n_drawn=race.n_drawn)])
    by_epoch = [[dict(pairs) for pairs in (curve.validation, curve.training, curve.ghost)] for curve in curves]
    half = (axes.x(2) - axes.x(1)) / 2
    stops = [box.defs]
    for epoch in range(1, race.n_drawn + 1):
        shown = [[column.get(epoch) for column in columns[: len(heads)]] for columns in by_epoch]
        values = [["" if value is None else _value_text(value, quantity) for value in row] for row in shown]
        if not any(map(any, values)):
            continue
        mains = [row[0] if row[0] is not None else row[1] for row in shown]
        ys = [axes.y(main) if main is not None and main <= axes.y.high else math.nan for main in mains]
        stops.append(column_stop(axes, box, _("Epoch {epoch}", epoch=epoch), values, x=axes.x(epoch), half=half, ys=ys))
    return stops


def _alt(race: Race, curves: list[_Curve], quantity: Quantity) -> str:
    """Return the chart as sentences."""
    if quantity == "accuracy":
        histories = {racer.name: racer.history for racer in race.racers}
        sentences = [curves_alt_text(histories, n_epochs=race.n_epochs, backbone=race.backbone)]
    else:
        values = [
            _(
                "{label} {loss} after epoch {main}",
                label=label_of(curve.racer.name, race.backbone),
                loss=_loss_text(curve.main[-1][1]),
                main=curve.main[-1][0],
            )
            for curve in curves
            if curve.main
        ]
        what = "; ".join(values) or _("nothing yet")
        sentences = [_("Line chart of loss by epoch. On the validation images: {what}.", what=what)]
    for racer in race.racers:
        if racer.score and quantity == "accuracy":
            sentences.append(
                _("{heading} on the test images: {score_text}.", heading=racer.heading, score_text=racer.score.text)
            )
        if epoch := race.diverged(racer):
            sentences.append(
                _(
                    "{heading} diverged: its loss is not a finite number from epoch {epoch} on.",
                    heading=racer.heading,
                    epoch=epoch,
                )
            )
        if racer.outdated:
            sentences.append(f"{racer.heading}: {racer.outdated}.")
    if not any(curve.main for curve in curves):
        sentences.append(race.status or WAITING)
    return " ".join([*sentences, race.note]).strip()


def _table(race: Race, curves: list[_Curve], quantity: Quantity) -> Markup:
    """Return all values: a row for each epoch and one for the test."""
    columns = []
    for curve in curves:
        heading = heading_of(curve.racer.name)
        named = ((_("validation"), curve.validation), (_("training"), curve.training), (_("last run"), curve.ghost))
        columns += [(f"{heading}, {kind}", dict(pairs)) for kind, pairs in named if pairs or kind == _("validation")]
    rows = []
    for epoch in range(1, race.n_drawn + 1):
        values = [column.get(epoch) for _, column in columns]
        rows.append([str(epoch), *("" if value is None else _value_text(value, quantity) for value in values)])
    if quantity == "accuracy" and any(racer.score for racer in race.racers):
        scores = {
            _("{heading}, validation", heading=heading_of(racer.name)): racer.score.text
            for racer in race.racers
            if racer.score
        }
        rows.append([_("test (95% interval)"), *(scores.get(title, "") for title, _ in columns)])
    return hidden_table(
        _("Accuracy by epoch") if quantity == "accuracy" else _("Loss by epoch"),
        [_("epoch"), *(title for title, _values in columns)],
        rows,
    )
