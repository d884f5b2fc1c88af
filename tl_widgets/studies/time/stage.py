"""The chart of the "time" study while it measures: accuracy against seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tl_widgets.core.events import Event
from tl_widgets.core.model_name import heading_of
from tl_widgets.core.numbers import seconds_text
from tl_widgets.core.translation import _
from tl_widgets.studies.stage import Axis, Dot, StageChart
from tl_widgets.studies.time.result import TimeStudy

Place = tuple[str, float, float]  # model, seconds, accuracy

if TYPE_CHECKING:
    from tl_widgets.studies.study import SoFar
    from tl_widgets.studies.time import TimeArguments


def time_stage(arguments: TimeArguments, so_far: SoFar) -> StageChart:
    """Return the chart: a dot at the end of each epoch."""
    result = so_far.result
    models = arguments.config.model_names if result is None else [curve.name for curve in result.curves]
    places = places_so_far(so_far.found) if result is None else places_of(result)
    dots: list[Dot] = []
    for model, seconds, accuracy in places:
        n = sum(dot.series == model for dot in dots) + 1
        dots.append(
            Dot(
                model,
                seconds,
                accuracy,
                label=_(
                    "{heading}, epoch {n}, {seconds}", heading=heading_of(model), n=n, seconds=seconds_text(seconds)
                ),
            )
        )
    x = Axis.of_values(_("seconds, features included (log scale)"), [seconds for _, seconds, _ in places], 0.1, 1000.0)
    y = Axis.share(_("accuracy on the validation images"))
    return StageChart(_("Accuracy on the validation images against seconds"), x, y, tuple(models), tuple(dots))


def places_of(study: TimeStudy) -> list[Place]:
    """Return the ends of all epochs of a result."""
    return [
        (curve.name, seconds, accuracy)
        for curve in study.curves
        for seconds, accuracy in zip(curve.seconds, curve.accuracy, strict=True)
    ]


def places_so_far(found: Sequence[Event]) -> list[Place]:
    """Return the ends of the epochs so far; reading the features counts, except those of the test images."""
    reading: dict[str, float] = {}
    places: list[Place] = []
    for event in found:
        if event.phase == "features" and not any(name == event.model for name, _, _ in places):
            reading[event.model] = reading.get(event.model, 0.0) + event.seconds
        elif event.phase == "train" and "val_accuracy" in event.metrics:
            seconds = reading.get(event.model, 0.0) + event.seconds
            places.append((event.model, seconds, event.metrics["val_accuracy"]))
    return places
