"""The chart of the "noise" study while it measures: accuracy against the share of wrong labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tl_widgets.core.numbers import percent
from tl_widgets.core.translation import _
from tl_widgets.records.statistics import mean_of_shares
from tl_widgets.studies.label_noise.result import ARMS
from tl_widgets.studies.stage import Axis, Dot, StageChart

if TYPE_CHECKING:
    from tl_widgets.studies.label_noise import NoiseArguments
    from tl_widgets.studies.study import SoFar


def noise_stage(arguments: NoiseArguments, so_far: SoFar) -> StageChart:
    """Return the chart: a mean with its interval for each share and model, and a small dot for each seed."""
    shares = arguments.shares if so_far.result is None else so_far.result.shares
    reach = max(max(shares) - min(shares), 1)
    dots = []
    for i, arm in enumerate(ARMS):
        for share in shares:
            values = [point.test_accuracy for point in so_far.points if (point.arm, point.share) == (arm, share)]
            if not values:
                continue
            at = share + 0.015 * reach * (i - 0.5)  # so intervals at the same share don't hide each other
            mean, label = mean_of_shares(values, n_images=so_far.n_test), _("{share}% wrong labels", share=share)
            dots.append(Dot(arm, at, mean.mean, mean.ci95, label))
            dots += [Dot(arm, at, value, is_small=True) for value in values if len(values) > 1]
    low, high = min(shares) - 0.08 * reach, max(shares) + 0.08 * reach
    x = Axis(_("wrong training labels"), low, high, tuple((float(share), percent(share / 100, 0)) for share in shares))
    y = Axis.share(_("accuracy on the test images"))
    title = _("Test accuracy against the share of wrong training labels")
    return StageChart(title, x, y, ARMS, tuple(dots), level=so_far.level)
