"""What a look inside found, in plain sentences that claim no more than was measured."""

from __future__ import annotations

import numpy as np

from tl_widgets.records.comparison import percent
from tl_widgets.records.curves import WORDS
from tl_widgets.records.inside import AFTER, BEFORE, FeatureLayout, LookInside, ModelMaps
from tl_widgets.records.intervals import but_not_clear

_STAGES = {
    "scratch": ("before training", "after it"),
    "transfer": ("with random weights", "with its pretrained ones"),
    "fine_tuned": ("frozen", "fine-tuned"),
}
_SUBJECTS = {"scratch": "the network from scratch", "transfer": "the backbone", "fine_tuned": "the backbone"}


def inside_sentences(look: LookInside) -> tuple[str, ...]:
    """How far classes lie apart, what training did to filters, and what heat maps can say.

    Args:
        look: whole or stopped.
    """
    sentences = [
        *(_change(look, name) for name in _STAGES),
        _both(look),
        _variance(look),
        _moved(look),
        *_maps(look),
    ]
    if look.failures:
        first = look.failures[0]
        n = len(look.failures)
        lost = "1 part could not be had," if n == 1 else f"{n} parts could not be had; the first,"
        sentences.append(f"{lost} {first.point}: {first.text}")
    if look.stopped:
        sentences.append("Stopped before all was looked at.")
    return tuple(sentence for sentence in sentences if sentence)


def _change(look: LookInside, name: str) -> str:
    before, after = look.layout(name, BEFORE), look.layout(name, AFTER)
    if not (before and after):
        return ""
    stages = _STAGES[name]
    return (
        f"By the features of {_SUBJECTS[name]}, {_share(look, before)} of the {len(look.labels)} test images have "
        f"an image of their own class as nearest neighbour {stages[0]}, {_share(look, after)} {stages[1]}: "
        f"{_difference(look, after, before)}."
    )


def _share(look: LookInside, layout: FeatureLayout) -> str:
    return percent(look.neighbour_accuracy(layout))


def _difference(look: LookInside, first: FeatureLayout, second: FeatureLayout) -> str:
    paired = look.neighbour_difference(first, second)
    low, high = (f"{100 * end:.1f}".replace("-", "\N{MINUS SIGN}") for end in paired.ci95)
    interval = f"{low} to {high} points, 95% interval"
    if not paired.is_clear:
        return f"too close to call ({interval}{but_not_clear(paired.ci95, paired.p_value)})"
    words = "more" if paired.difference > 0 else "fewer"
    return f"{abs(100 * paired.difference):.1f} points {words} ({interval})"


def _both(look: LookInside) -> str:
    scratch, transfer = look.layout("scratch", AFTER), look.layout("transfer", AFTER)
    if not (scratch and transfer):
        return ""
    return f"Trained, the backbone against the network from scratch: {_difference(look, transfer, scratch)}."


def _variance(look: LookInside) -> str:
    said = [
        f"{percent(sum(layout.explained))} ({_SUBJECTS[layout.name]})"
        for layout in look.layouts
        if layout.stage == AFTER and layout.name != "fine_tuned"
    ]
    if not said:
        return ""
    return (
        f"The two axes of the layout keep {' and '.join(said)} of the features' variance: classes that overlap there "
        "may still be apart in the rest."
    )


def _moved(look: LookInside) -> str:
    """How far training moved the first filters, in parts of their length."""
    before, after = look.first_filters("scratch", BEFORE), look.first_filters("scratch", AFTER)
    if not (before and after) or before.filters.shape != after.filters.shape:
        return ""
    start = before.filters.array
    length = float(np.linalg.norm(start))
    moved = float(np.linalg.norm(after.filters.array - start))
    return (
        f"Training moved the first filters of the network from scratch by {percent(moved / length)} of their length."
        if length
        else ""
    )


def _maps(look: LookInside) -> list[str]:
    if not look.maps:
        return []
    said = []
    for model in look.maps:
        rows, columns = model.maps[0].places.shape
        said.append(f"{rows} × {columns} places for {WORDS.get(model.name, model.name)}")
    sentences = [f"The heat maps have {', '.join(said)}: finer ones are not therefore more right."]
    sentences += [_flat(model) for model in look.maps]
    sentences.append(
        "A heat map says which places raised the score of the answer, not why, and not that the answer is right."
    )
    return sentences


def _flat(model: ModelMaps) -> str:
    reasons = [one.flat for one in model.maps if one.flat]
    if not reasons:
        return ""
    name = WORDS.get(model.name, model.name)
    n = len(model.maps)
    return f"{len(reasons)} of the {n} heat maps of {name} {'is' if len(reasons) == 1 else 'are'} flat: {reasons[0]}."
