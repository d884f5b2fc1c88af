"""The chart of the "depth" study while it measures: accuracy against the block after which the backbone is cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tl_widgets.core.translation import _
from tl_widgets.studies.depth.result import ARMS
from tl_widgets.studies.stage import Axis, Dot, StageChart

if TYPE_CHECKING:
    from tl_widgets.studies.depth import DepthArguments
    from tl_widgets.studies.study import SoFar


def depth_stage(arguments: DepthArguments, so_far: SoFar) -> StageChart:
    """Return the chart: an accuracy with its interval for each cut and kind of weights."""
    result = so_far.result
    arms = ARMS[: 1 + arguments.control] if result is None else result.arms
    n_blocks = arguments.numbers[-1] if result is None else result.whole.block
    dots = [
        Dot(
            point.arm,
            point.block + 0.12 * (arms.index(point.arm) - (len(arms) - 1) / 2),  # so intervals don't hide each other
            point.accuracy,
            point.ci95,
            _("the whole backbone") if point.block == n_blocks else _("cut after block {block}", block=point.block),
        )
        for point in so_far.points
    ]
    return StageChart(
        _("Test accuracy against the block after which the backbone is cut"),
        Axis.even(_("cut after block (the last: whole)"), 0.5, n_blocks + 0.5),
        Axis.share(_("accuracy on the test images")),
        tuple(arms),
        tuple(dots),
        level=so_far.level,
    )
