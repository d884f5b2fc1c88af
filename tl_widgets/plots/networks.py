"""Drawings of both networks as SVG, made from their layers alone: no TensorFlow and no Matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tl_widgets.core.html import Markup
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import count_text
from tl_widgets.core.translation import _, ngettext
from tl_widgets.plots.network_drawing import Sheet, draw_body
from tl_widgets.plots.network_parts import (
    BackboneFacts,
    Ledger,
    backbone_note,
    blocks_of,
    names_text,
    scratch_columns,
    transfer_columns,
    vector_column,
)
from tl_widgets.plots.parameter_areas import AREAS_HEIGHT, areas
from tl_widgets.plots.svg import picture
from tl_widgets.records.parameters import LayerRow, ParameterCount, count_rows

__all__ = [
    "BackboneFacts",
    "Ledger",
    "draw_network",
    "draw_networks",
    "layer_text",
    "network_text",
    "networks_text",
]


def network_text(model: ModelName, ledger: Ledger, class_names: Sequence[str], facts: BackboneFacts) -> str:
    """Return what the drawing of a network shows, in a sentence or two."""
    if isinstance(ledger, str):
        return f"{model.heading}: {ledger}"
    image = " × ".join(map(str, ledger[0].output_shape[:2]))
    classes = _("{n_class_names} classes: {names}", n_class_names=len(class_names), names=names_text(class_names))
    vector = vector_column(ledger, "")
    if model == ModelName.SCRATCH:
        maps = ", ".join(_maps_text(*last.output_shape) for _, last in blocks_of(ledger))
        how = _("flattened") if vector.below == (_("flatten"),) else _("averaged")
        hidden = [row for row in ledger if row.layer == "Dense"][:-1]
        dense = "".join(
            _(", a Dense layer of {output_shape} units", output_shape=row.output_shape[0]) for row in hidden
        )
        return _(
            "{heading}: an image of {image} pixels becomes {maps}, {how} to {length} numbers{dense}, "
            "and an answer for {classes}. All {total} parameters learn.",
            heading=model.heading,
            image=image,
            maps=maps,
            how=how,
            length=count_text(_length(ledger)),
            dense=dense,
            classes=classes,
            total=count_text(count_rows(ledger).total),
        )
    note = backbone_note(facts)
    count = count_rows(ledger)
    return _(
        "{heading}: an image of {image} pixels goes through the frozen backbone {backbone}, whose {frozen} parameters "
        "don't learn. The head turns the average of each of its {n_maps} feature maps into an answer for {classes}. "
        "Its {trainable} parameters learn.",
        heading=model.heading,
        image=image,
        backbone=f"{ledger[1].layer} ({note})" if note else ledger[1].layer,
        frozen=count_text(count.frozen),
        n_maps=count_text(_length(ledger)),
        classes=classes,
        trainable=count_text(count.trainable),
    )


def _maps_text(height: int, width: int, n_filters: int) -> str:
    return ngettext(
        "{n} feature map of {height} × {width}",
        "{n} feature maps of {height} × {width}",
        n_filters,
        height=height,
        width=width,
    )


def _length(ledger: Sequence[LayerRow]) -> int:
    return next(row.output_shape[0] for row in ledger if row.layer in ("Flatten", "GlobalAveragePooling2D"))


def draw_network(
    model: ModelName,
    ledger: Ledger,
    class_names: Sequence[str],
    facts: BackboneFacts | None = None,
    *,
    width: float = 310,
    height: float = 140,
    interactive: bool = True,
    current: str = "",
) -> Markup:
    """Draw one network as SVG.

    The height of feature maps is their size and their width the number of filters, each on one scale.

    Args:
        model: `SCRATCH` or `TRANSFER`.
        ledger: Its layers, or the sentence that is shown if it can't be built.
        class_names: In label order.
        facts: About the backbone, for `TRANSFER`.
        width: In CSS pixels, at least 300.
        height: In CSS pixels, at least 100.
        interactive: Whether parts carry `data-click`: "input", "filters:0" and so on, "flatten", "dense", "output";
            for the transfer model "input", "backbone", "average", "head".
        current: Which of these is marked as chosen.
    """
    facts = facts or BackboneFacts()
    sheet = Sheet(model, width, 0, height, interactive, current)
    body = draw_body(sheet, ledger, class_names, facts)
    text = network_text(model, ledger, class_names, facts)
    name = (
        _("The network {model_label}", model_label=model.label)
        if model == ModelName.SCRATCH
        else _("The transfer model")
    )
    return picture(body, width, height, text=text, name=name, interactive=interactive, standalone=False)


def layer_text(
    model: ModelName, ledger: Ledger, class_names: Sequence[str], facts: BackboneFacts | None = None, *, key: str
) -> str:
    """Return the sentence, with the arithmetic, of the part of a network that has this key; "" if there is none."""
    if isinstance(ledger, str):
        return ""
    if model == ModelName.SCRATCH:
        columns = scratch_columns(ledger, class_names)
    else:
        columns = transfer_columns(ledger, class_names, facts or BackboneFacts())
    return next((column.title for column in columns if column.key == key), "")


def draw_networks(
    ledgers: Mapping[ModelName, Ledger],
    class_names: Sequence[str],
    facts: BackboneFacts | None = None,
    *,
    width: float = 310,
    height: float = 300,
    interactive: bool = True,
    standalone: bool = False,
) -> Markup:
    """Draw networks one above the other, and their parameters as areas below, as SVG.

    Args:
        ledgers: The layers of each model, or a sentence.
        class_names: In label order.
        facts: About the backbone.
        width: In CSS pixels, at least 300.
        height: In CSS pixels, at least 290 for two networks.
        interactive: Whether parts can be clicked, as in `draw_network`.
        standalone: Whether the SVG is a file of its own.
    """
    facts = facts or BackboneFacts()
    each = (height - AREAS_HEIGHT) / len(ledgers)
    bodies = [
        draw_body(Sheet(model, width, i * each, each, interactive), ledger, class_names, facts)
        for i, (model, ledger) in enumerate(ledgers.items())
    ]
    counts = _counts(ledgers)
    bodies.append(areas(counts, width, height - AREAS_HEIGHT))
    text = networks_text(ledgers, class_names, facts)
    return picture(
        Markup().join(bodies),
        width,
        height,
        text=text,
        name=_("Both networks"),
        interactive=interactive,
        standalone=standalone,
    )


def networks_text(ledgers: Mapping[ModelName, Ledger], class_names: Sequence[str], facts: BackboneFacts) -> str:
    """Return what `draw_networks` shows, in sentences."""
    return "\n".join(network_text(model, ledger, class_names, facts) for model, ledger in ledgers.items())


def _counts(ledgers: Mapping[ModelName, Ledger]) -> dict[ModelName, ParameterCount]:
    return {model: count_rows(ledger) for model, ledger in ledgers.items() if not isinstance(ledger, str)}
