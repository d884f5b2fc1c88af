"""The chart of the "noise" study while it measures: accuracy against the share of wrong labels."""

from __future__ import annotations

from collections.abc import Sequence

from tl_widgets.records.statistics import mean_of_shares
from tl_widgets.studies.label_noise.result import ARMS, NoisePoint
from tl_widgets.studies.stage import Axis, Dot, StageChart


def noise_stage(
    shares: Sequence[int], points: Sequence[NoisePoint], *, n_test: int, chance: float | None
) -> StageChart:
    """Return the chart: a mean with its interval for each share and model, and a small dot for each seed."""
    reach = max(max(shares) - min(shares), 1)
    dots = []
    for i, arm in enumerate(ARMS):
        for share in shares:
            values = [point.test_accuracy for point in points if (point.arm, point.share) == (arm, share)]
            if not values:
                continue
            at = share + 0.015 * reach * (i - 0.5)  # so intervals at the same share don't hide each other
            mean, label = mean_of_shares(values, n_images=n_test), f"{share}% wrong labels"
            dots.append(Dot(arm, at, mean.mean, mean.ci95, label))
            dots += [Dot(arm, at, value, is_small=True) for value in values if len(values) > 1]
    low, high = min(shares) - 0.08 * reach, max(shares) + 0.08 * reach
    x = Axis("wrong training labels", low, high, tuple((float(share), f"{share}%") for share in shares))
    y = Axis.share("accuracy on the test images")
    title = "Test accuracy against the share of wrong training labels"
    level = None if chance is None else (chance, "chance")
    return StageChart(title, x, y, ARMS, tuple(dots), level=level)
