"""The chart of the "cures" study while it measures: training and test accuracy, one row for each cure."""

from __future__ import annotations

from collections.abc import Sequence

from tl_widgets.records.statistics import mean_of_shares
from tl_widgets.studies.cures.result import ALL, CurePoint
from tl_widgets.studies.stage import TESTED, TRAINED, Axis, Dot, StageChart


def cures_stage(points: Sequence[CurePoint], *, n_test: int) -> StageChart:
    """Return the chart: the mean over the seeds so far with its interval, and a small dot for each seed."""
    dots = []
    for row, cure in enumerate(ALL):
        found = [point for point in points if point.cure == cure]
        if not found:
            continue
        n_train = min(point.n_images for point in found)
        for series, n, values in (
            (TRAINED, n_train, [point.train_accuracy for point in found]),
            (TESTED, n_test, [point.test_accuracy for point in found]),
        ):
            mean = mean_of_shares(values, n_images=n)
            dots.append(Dot(series, mean.mean, row, mean.ci95, cure))
            dots += [Dot(series, value, row, is_small=True) for value in values if len(values) > 1]
    title = "Training and test accuracy without a cure and with each"
    return StageChart(
        title, Axis.share("accuracy"), Axis("", 0, 1, ()), (TESTED, TRAINED), tuple(dots), ALL, joined=False
    )
