"""The chart of the "sure" study while it measures: how often the models are right, by how sure they are."""

from __future__ import annotations

from collections.abc import Sequence

from tl_widgets.core.numbers import percent
from tl_widgets.studies.calibration.result import Sureness, bins
from tl_widgets.studies.stage import Axis, Dot, StageChart


def sure_stage(arms: Sequence[str], points: Sequence[Sureness]) -> StageChart:
    """Return the chart: a dot with Wilson's interval for each model and each tenth of the probabilities."""
    dots = [
        Dot(point.arm, found.sure, found.right, found.ci95, f"{percent(found.low, 0)} to {percent(found.high, 0)} sure")
        for point in points
        for found in bins(point.test, point.right)
    ]
    x, y = Axis.share("how sure (mean of a tenth)"), Axis.share("accuracy of these answers")
    title = "How often the models are right, by how sure they are"
    # Without lines, which would lead the eye to the tenths with few images.
    return StageChart(title, x, y, tuple(arms), tuple(dots), joined=False, diagonal="as sure as right")
