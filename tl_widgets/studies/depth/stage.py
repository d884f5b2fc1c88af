"""The chart of the "depth" study while it measures: accuracy against the block after which the backbone is cut."""

from __future__ import annotations

from collections.abc import Sequence

from tl_widgets.studies.depth.result import DepthPoint
from tl_widgets.studies.stage import Axis, Dot, StageChart


def depth_stage(
    arms: Sequence[str], n_blocks: int, points: Sequence[DepthPoint], *, chance: float | None
) -> StageChart:
    """Return the chart: an accuracy with its interval for each cut and kind of weights."""
    dots = [
        Dot(
            point.arm,
            point.block + 0.12 * (arms.index(point.arm) - (len(arms) - 1) / 2),  # so intervals don't hide each other
            point.accuracy,
            point.ci95,
            "the whole backbone" if point.block == n_blocks else f"cut after block {point.block}",
        )
        for point in points
    ]
    return StageChart(
        "Test accuracy against the block after which the backbone is cut",
        Axis.even("cut after block (the last: whole)", 0.5, n_blocks + 0.5),
        Axis.share("accuracy on the test images"),
        tuple(arms),
        tuple(dots),
        level=None if chance is None else (chance, "chance"),
    )
