"""The chart of the "data" study while it measures: accuracy against images per class."""

from __future__ import annotations

from collections.abc import Sequence

from tl_widgets.records.statistics import mean_of_shares
from tl_widgets.studies.learning_curve.result import CurvePoint
from tl_widgets.studies.stage import Axis, Dot, StageChart


def data_stage(
    sizes: Sequence[int], arms: Sequence[str], points: Sequence[CurvePoint], *, n_test: int, chance: float | None
) -> StageChart:
    """Return the chart: a mean with its interval for each size and model, and a small dot for each seed."""
    x = Axis(
        "training images per class (log scale)",
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
            mean, label = mean_of_shares(shares, n_images=n_test), f"{size} images per class"
            dots.append(Dot(arm, size * shift, mean.mean, mean.ci95, label))
            if len(shares) > 1:
                dots += [Dot(arm, size * shift, share, is_small=True) for share in shares]
    return StageChart(
        "Test accuracy against training images per class",
        x,
        Axis.share("accuracy on the test images"),
        tuple(arms),
        tuple(dots),
        level=None if chance is None else (chance, "chance"),
    )
