"""The chart of the "backbones" study while it measures: accuracy against milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import milliseconds_text
from tl_widgets.core.translation import _
from tl_widgets.studies.backbones.result import point_name
from tl_widgets.studies.stage import Axis, Dot, StageChart

if TYPE_CHECKING:
    from tl_widgets.studies.backbones import BackbonesArguments
    from tl_widgets.studies.study import SoFar


def backbones_stage(arguments: BackbonesArguments, so_far: SoFar) -> StageChart:
    """Return the chart: a dot with its interval for each backbone."""
    result, points = so_far.result, so_far.points
    with_control = arguments.control if result is None else result.control is not None
    if result is not None and with_control:
        points.append(result.control)
    dots = [
        Dot(
            ModelName.CONTROL if point.weights == "random" else ModelName.TRANSFER,
            point.cost.ms_per_image,
            point.test_accuracy,
            point.test_accuracy_ci95,
            f"{point_name(point)}, {milliseconds_text(point.cost.ms_per_image)}",
            _("random weights") if point.weights == "random" else point.name,
        )
        for point in points
    ]
    return StageChart(
        _("Test accuracy of each backbone against milliseconds per image"),
        Axis.of_values(_("milliseconds per image (log scale)"), [dot.x for dot in dots], 0.5, 200.0),
        Axis.share(_("accuracy on the test images")),
        (ModelName.TRANSFER, ModelName.CONTROL) if with_control else (ModelName.TRANSFER,),
        tuple(dots),
        joined=False,
        level=so_far.level,
    )
