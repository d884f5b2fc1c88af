"""The share of each class's test images that the models of a race recognize, as SVG text without matplotlib."""

from __future__ import annotations

from tl_widgets.core.html import Markup, join
from tl_widgets.core.model_name import heading_of
from tl_widgets.core.numbers import accuracy_text, percent
from tl_widgets.core.translation import _
from tl_widgets.plots.labels import most_different_classes
from tl_widgets.plots.race import notes, status
from tl_widgets.plots.racers import Race, Racer
from tl_widgets.plots.svg import text_width
from tl_widgets.plots.svg_axes import (
    NORMAL,
    Scale,
    SvgAxes,
    fitted,
    line,
    markers,
    text,
    whole_percent,
)
from tl_widgets.plots.svg_values import TipBox, hidden_table, row_stop
from tl_widgets.records.run import UNEVEN

UNTESTED = _("The test comes after the last epoch. Then the share of each class that a model recognizes appears here.")
_TOP, _BOTTOM, _ROW = 36, 38, 19  # pixels; `_ROW` is the lowest height of a class's row


def class_chart(race: Race, *, width: int = 590, height: int = 270) -> Markup:
    """Return a row for each class with a marker for each model, and a table of all values for screen readers.

    With more classes than there is room for, those on which the models differ most are shown.

    Args:
        race: The models; those without `per_class` are left out.
        width: In pixels.
        height: In pixels.
    """
    racers = [racer for racer in race.racers if racer.per_class]
    classes = racers[0].per_class if racers else ()
    most = max(1, (height - _TOP - _BOTTOM) // _ROW)
    shown = most_different_classes([racer.per_class for racer in racers], most)
    names = max((text_width(classes[i].name, NORMAL) for i in shown), default=0.0)
    left, right = min(max(names + 16, 60), width * 0.32), width - 34 - 46 * max(len(race.racers), 1)
    axes = SvgAxes(width, height, Scale(0, 1, left, right), Scale(len(shown) or 1, 0, height - _BOTTOM, _TOP))
    shares = (0, 0.25, 0.5, 0.75, 1) if right - left > 180 else (0, 0.5, 1)
    parts = [
        axes.frame([(tick, percent(tick, 0)) for tick in shares], [], grid="x"),
        _key(racers, width),
        *(_row(axes, racers, i, place) for place, i in enumerate(shown)),
        notes(race, width, height),
    ]
    for k, racer in enumerate(racers):
        parts.append(markers([(right + 46 * (k + 1) - 12, 26)], racer.name))
    if not racers:
        parts.append(status(axes, race.status or UNTESTED))
    box = TipBox(
        [(racer.name, racer.heading) for racer in racers], ("right", "share"), [classes[i].name for i in shown]
    )
    stops = [box.defs] if racers else []
    for place, i in enumerate(shown):
        values = [_shares(racer, i) for racer in racers]
        row = {"top": axes.y(place), "bottom": axes.y(place + 1)}
        stops.append(row_stop(axes, box, classes[i].name, values, **row))
    subset = (
        _(" ({n_shown} of {n_classes} classes)", n_shown=len(shown), n_classes=len(classes))
        if len(shown) < len(classes)
        else ""
    )
    if subset:
        parts.append(text(width - 4, height - _BOTTOM + 15, subset.strip(" ()"), anchor="end"))
    svg = axes.svg(join([*parts, *stops]), _alt(race, racers, subset), roams=bool(stops))
    return Markup('<div class="tlw-race">{}{}</div>').format(svg, _table(racers))


def _key(racers: list[Racer], width: float) -> Markup:
    """Return what is measured, and each model's marker; in a narrow chart, the button above it says what."""
    title = _("recognized in each class")
    x, parts = 4 + text_width(title) + 26, [text(4, 13, title, style='fill="currentColor" font-weight="600"')]
    if x + sum(text_width(racer.heading) + 27 for racer in racers) - 27 > width:
        x, parts = 8, []
    for racer in racers:
        parts += [markers([(x, 9)], racer.name), text(x + 9, 13, racer.heading, style='fill="currentColor"')]
        x += 9 + text_width(racer.heading) + 18
    return join(parts)


def _row(axes: SvgAxes, racers: list[Racer], i: int, place: int) -> Markup:
    y = axes.y(place + 0.5)
    known = [(racer.name, recall) for racer in racers if (recall := racer.per_class[i].recall) is not None]
    xs = [axes.x(recall) for _, recall in known]
    name = fitted(racers[0].per_class[i].name, axes.x.start - 12, NORMAL)
    parts = [text(axes.x.start - 8, y + 4, name, size=NORMAL, anchor="end", style='fill="currentColor"')]
    if xs:
        parts.append(line([(min(xs), y), (max(xs), y)], "currentColor", width=2, more='stroke-opacity=".3"'))
    # Models with the same share stand side by side instead of on top of one another.
    for k, (model, recall) in enumerate(known):
        twins = [j for j, (_, other) in enumerate(known) if abs(other - recall) < 0.012]
        shift = 9 * (twins.index(k) - (len(twins) - 1) / 2)
        parts.append(markers([(axes.x(recall) + shift, y)], model, radius=4.5))
    for k, racer in enumerate(racers):
        figures = racer.per_class[i]
        share = "–" if figures.recall is None else whole_percent(figures.recall)
        parts.append(text(axes.x.end + 46 * (k + 1), y + 4, share, anchor="end", style='fill="currentColor"'))
    return join(parts)


def _shares(racer: Racer, i: int) -> tuple[str, str]:
    figures = racer.per_class[i]
    if figures.recall is None:
        return _("no test image"), ""
    sizes = [other.n for other in racer.per_class if other.n]
    interval = figures.recall_ci95 if max(sizes) > UNEVEN * min(sizes) else None
    return _("{recall} of {figures_n}", recall=round(figures.recall * figures.n), figures_n=figures.n), accuracy_text(
        figures.recall, interval
    )


def _alt(race: Race, racers: list[Racer], subset: str) -> str:
    if not racers:
        return _("Chart of the share of each class's test images recognized. {status}", status=race.status or UNTESTED)
    parts = []
    for racer in racers:
        known = [(figures.recall, figures.name) for figures in racer.per_class if figures.recall is not None]
        if known:
            (low, worst), (high, best) = min(known), max(known)
            parts.append(
                _(
                    "{heading} from {worst} ({low}) to {best} ({high})",
                    heading=racer.heading,
                    worst=worst,
                    low=percent(low),
                    best=best,
                    high=percent(high),
                )
            )
    shares = "; ".join(parts)
    text = _("Share of each class's test images recognized{subset}: {shares}.", subset=subset, shares=shares)
    return f"{text} {race.note}".strip()


def _table(racers: list[Racer]) -> Markup:
    head = [_("class"), *(heading_of(racer.name) for racer in racers)]
    classes = racers[0].per_class if racers else ()
    rows = [
        [figures.name, *(", ".join(filter(None, _shares(racer, i))) for racer in racers)]
        for i, figures in enumerate(classes)
    ]
    return hidden_table(_("Test images of each class recognized"), head, rows)
