"""Figures and lines of studies, and pictures with a model's answers. Text alternatives are the figures' labels."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import MINUS, number_text, percent
from tl_widgets.core.text import all_of, shown
from tl_widgets.core.translation import _, pgettext
from tl_widgets.plots.labels import shortened
from tl_widgets.plots.style import (
    INK,
    LABEL_SIZE,
    PALE,
    PERCENT,
    add_axes,
    color_of,
    finish_axes,
    legend_below,
    marker_of,
    new_axes,
    new_figure,
    note,
    root_figure,
    set_fonts,
)
from tl_widgets.studies.inside.figure import draw_heat_key, overlaid
from tl_widgets.studies.inside.result import LookInside
from tl_widgets.studies.registry import STUDIES
from tl_widgets.teaching.show import with_alt_text


def plot_study(result: Any) -> Figure:
    """Draw the result of a study.

    Raises:
        InputError: It isn't the result of a study, or the study was stopped before there was anything to draw.
    """
    for study in STUDIES.values():
        if isinstance(result, study.results()) and study.owns(result):
            return with_alt_text(root_figure(study.draw(result)), study.text(result))
    raise InputError(
        _("Give the result of a study, such as stress_test(dataset); received {result}.", result=shown(result))
    )


def plot_answers(images: NDArray[Any], probabilities: NDArray[Any], class_names: Sequence[str]) -> Figure:
    """Draw pictures in a row, each with a model's answer and how sure it is.

    Args:
        images: uint8, (n, side, side, 3).
        probabilities: of the classes, (n, n_classes).
        class_names: one for each column.
    """
    answers = [
        _(
            "{fill}\n{row} sure",
            fill=textwrap.fill(shortened(class_names[row.argmax()], 28), 14),
            row=percent(float(row.max()), 0),
        )
        for row in probabilities
    ]
    n_lines = max(answer.count("\n") + 1 for answer in answers)
    figure = new_figure(1.35 * len(images), 1.2 + 0.19 * n_lines)
    grid = figure.add_gridspec(1, len(images))
    for i, (image, answer) in enumerate(zip(images, answers, strict=True)):
        ax = add_axes(figure, grid[i])
        ax.imshow(image)
        ax.set_axis_off()
        set_fonts([ax.set_title(answer, fontsize=LABEL_SIZE, color=INK)])
    said = "; ".join(", ".join(answer.rsplit("\n", 1)).replace("\n", " ") for answer in answers)
    return with_alt_text(figure, _("Pictures in a row, each with the model's answer: {said}.", said=said))


def plot_heat_maps(
    images: NDArray[Any], maps: Mapping[str, Sequence[NDArray[np.float32]]], likeness: Sequence[float]
) -> Figure:
    """Draw pictures in a row, and below each one its heat maps, by name; 1.0 in `likeness` means the same map."""
    shares = [percent(each, 0).replace("-", MINUS) for each in likeness]
    rows = {_("photograph"): list(images)} | {
        name: [overlaid(image, heat) for image, heat in zip(images, row, strict=True)] for name, row in maps.items()
    }
    width, height = 1.35 * len(images) + 0.9, 0.9 + 1.35 * len(rows)
    figure = new_figure(width, height)
    figure.get_layout_engine().set(rect=(0, 0.34 / height, 1, 1 - 0.34 / height))  # type: ignore[union-attr,call-arg]
    draw_heat_key(figure, (1 - 2.4 / width, 0.08 / height, 1.6 / width, 0.2 / height))
    grid = figure.add_gridspec(len(rows), len(images))
    for i, (name, pictures) in enumerate(rows.items()):
        for j, picture in enumerate(pictures):
            ax = add_axes(figure, grid[i, j])
            ax.imshow(picture)
            ax.set_xticks([])
            ax.set_yticks([])
            if not i:
                set_fonts([ax.set_title(_("{share} alike", share=shares[j]), fontsize=LABEL_SIZE, color=INK)])
            if not j:
                style: dict[str, Any] = {"rotation": 0, "ha": "right", "va": "center", "fontsize": LABEL_SIZE}
                set_fonts([ax.set_ylabel(name, color=INK, **style)])
    said = _("{maps}; alike by {shares}", maps=all_of(maps), shares=", ".join(shares))
    return with_alt_text(figure, _("Photographs, and below each its heat maps, {said}.", said=said))


_NEIGHBORS = (
    (_("from scratch, before → after training"), ("scratch", "before"), ("scratch", "after")),
    (_("backbone, random → pretrained weights"), ("transfer", "before"), ("transfer", "after")),
    (_("trained from scratch → random backbone"), ("scratch", "after"), ("transfer", "before")),
)


def compare_neighbors(look: LookInside) -> str:
    """Return lines that say how many images have a nearest neighbor of their own class, with one model and another."""
    labels = np.array(look.labels)
    lines = []
    for name, *places in _NEIGHBORS:
        first, second = (look.layout(*place) for place in places)
        if first and second:
            had, has = (np.array(layout.nearest) == labels for layout in (first, second))
            counts = _(
                "{before} → {after} of {n} ({gained} gained, {lost} lost)",
                before=had.sum(),
                after=has.sum(),
                n=len(labels),
                gained=(has & ~had).sum(),
                lost=(had & ~has).sum(),
            )
            clear = _("clear") if look.neighbor_difference(second, first).is_clear else _("too close to call")
            lines.append(f"{name}: {counts}, {clear}")
    return "\n".join(lines)


def plot_sure(measured: Mapping[tuple[str, float], tuple[float, float]], chance: float) -> Figure:
    """Draw how often models are right against how sure they are, beside the diagonal of a calibrated model.

    Args:
        measured: by (name of the model, light), in the order measured: the mean of the largest probability, and the
            share of right answers, both 0..1.
        chance: the accuracy of always answering the largest class.
    """
    ax = new_axes(5.2, 3.9)
    ax.plot([0, 1], [0, 1], color=PALE, linestyle="--", linewidth=1.5, label=_("calibrated: as sure as right"))
    ax.axhline(chance, color=PALE, linestyle=":", linewidth=1.5, label=_("chance ({chance})", chance=percent(chance)))
    for name in dict.fromkeys(name for name, _unused in measured):
        lights = [light for model, light in measured if model == name]
        x, y = zip(*(measured[name, light] for light in lights), strict=True)
        arm = "scratch" if "scratch" in name else name
        ax.plot(x, y, color=color_of(arm), marker=marker_of(arm), linewidth=1.5, label=name)
        for i in (0, -1):
            note(ax, "× " + number_text(lights[i]), (x[i], y[i]), (-9, 0), ha="right", color=color_of(arm))
    ax.set_xlim(0, 1.02)
    ax.set_ylim(0, 1.02)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PERCENT)
    finish_axes(
        ax, _("Below the diagonal, a model is too sure"), x=_("how sure, on average"), y=pgettext("share", "right")
    )
    legend_below(ax, ax.get_legend_handles_labels()[0], n_columns=2)
    said = "; ".join(
        _(
            "{name}, light × {light:g}: {sure} sure and {right} right",
            name=name,
            light=light,
            sure=percent(sure, 0),
            right=percent(right, 0),
        )
        for (name, light), (sure, right) in measured.items()
    )
    return with_alt_text(
        root_figure(ax), _("Chart of how often each model is right, by how sure it is: {said}.", said=said)
    )
