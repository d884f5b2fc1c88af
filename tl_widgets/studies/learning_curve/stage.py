"""The chart of the "data" study while it measures: accuracy against images per class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tl_widgets.core.translation import _
from tl_widgets.records.statistics import mean_of_shares
from tl_widgets.studies.stage import Axis, Dot, StageChart

if TYPE_CHECKING:
    from tl_widgets.studies.learning_curve import DataArguments
    from tl_widgets.studies.study import SoFar


def data_stage(arguments: DataArguments, so_far: SoFar) -> StageChart:
    """Return the chart: a mean with its interval for each size and model, and a small dot for each seed."""
    result, points = so_far.result, so_far.points
    sizes = arguments.sizes if result is None else result.n_per_class
    arms = arguments.arms if result is None else result.arms
    x = Axis(
        _("training images per class (log scale)"),
        min(sizes) / 1.2,
        max(sizes) * 1.2,
        tuple((float(size), str(size)) for size in sizes),
        log=True,
    )
    dots = []
    for i, arm in enumerate(arms):
        shift = 1.025 ** (i - (len(arms) - 1) / 2)  # so intervals at the same size don't hide each other
        for size in sizes:
            shares = [point.test_accuracy for point in points if (point.arm, point.n_per_class) == (arm, size)]
            if not shares:
                continue
            mean, label = mean_of_shares(shares, n_images=so_far.n_test), _("{size} images per class", size=size)
            dots.append(Dot(arm, size * shift, mean.mean, mean.ci95, label))
            if len(shares) > 1:
                dots += [Dot(arm, size * shift, share, is_small=True) for share in shares]
    return StageChart(
        _("Test accuracy against training images per class"),
        x,
        Axis.share(_("accuracy on the test images")),
        tuple(arms),
        tuple(dots),
        level=so_far.level,
    )
