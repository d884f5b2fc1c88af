"""The chart of the "sure" study while it measures: how often the models are right, by how sure they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tl_widgets.core.model_name import ModelName
from tl_widgets.core.numbers import percent
from tl_widgets.core.translation import _
from tl_widgets.studies.calibration.result import bins
from tl_widgets.studies.stage import Axis, Dot, StageChart

if TYPE_CHECKING:
    from tl_widgets.studies.calibration import SureArguments
    from tl_widgets.studies.study import SoFar


def sure_stage(_unused: SureArguments, so_far: SoFar) -> StageChart:
    """Return the chart: a dot with Wilson's interval for each model and each tenth of the probabilities."""
    arms = (ModelName.SCRATCH, ModelName.TRANSFER) if so_far.result is None else so_far.result.arms
    dots = [
        Dot(
            point.arm,
            found.sure,
            found.right,
            found.ci95,
            _("{low} to {high} sure", low=percent(found.low, 0), high=percent(found.high, 0)),
        )
        for point in so_far.points
        for found in bins(point.test, point.right)
    ]
    x, y = Axis.share(_("how sure (mean of a tenth)")), Axis.share(_("accuracy of these answers"))
    title = _("How often the models are right, by how sure they are")
    # Without lines, which would lead the eye to the tenths with few images.
    return StageChart(title, x, y, tuple(arms), tuple(dots), joined=False, diagonal=_("as sure as right"))
