"""The chart of the "cures" study while it measures: training and test accuracy, one row for each cure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tl_widgets.core.translation import _
from tl_widgets.records.statistics import mean_of_shares
from tl_widgets.studies.cures.result import ALL, LABELS
from tl_widgets.studies.stage import TESTED, TRAINED, Axis, Dot, StageChart

if TYPE_CHECKING:
    from tl_widgets.studies.cures import CuresArguments
    from tl_widgets.studies.study import SoFar


def cures_stage(_unused: CuresArguments, so_far: SoFar) -> StageChart:
    """Return the chart: the mean over the seeds so far with its interval, and a small dot for each seed."""
    dots = []
    for row, cure in enumerate(ALL):
        found = [point for point in so_far.points if point.cure == cure]
        if not found:
            continue
        n_train = min(point.n_images for point in found)
        for series, n, values in (
            (TRAINED, n_train, [point.train_accuracy for point in found]),
            (TESTED, so_far.n_test, [point.test_accuracy for point in found]),
        ):
            mean = mean_of_shares(values, n_images=n)
            dots.append(Dot(series, mean.mean, row, mean.ci95, LABELS[cure]))
            dots += [Dot(series, value, row, is_small=True) for value in values if len(values) > 1]
    title = _("Training and test accuracy without a cure and with each")
    return StageChart(
        title,
        Axis.share(_("accuracy")),
        Axis("", 0, 1, ()),
        (TESTED, TRAINED),
        tuple(dots),
        tuple(LABELS.values()),
        joined=False,
    )
