"""The chart of the "repeat" study while it measures: the test accuracy of each seed."""

from __future__ import annotations

from collections.abc import Sequence

from tl_widgets.core.model_name import ModelName
from tl_widgets.records.repeats import Repeat, Repeats
from tl_widgets.studies.stage import Axis, Dot, StageChart


def repeat_stage(
    seeds: Sequence[int], models: Sequence[ModelName], points: Sequence[Repeat], n_test: int
) -> StageChart:
    """Return the chart: a dot for each seed and model, and at the right the means with their intervals."""
    dots = [
        Dot(model, point.seed, accuracy, label=f"Seed {point.seed}")
        for point in points
        for model in models
        if (accuracy := point.accuracy(model)) is not None
    ]
    end = seeds[-1] + 1
    for model in models:
        mean = Repeats(len(seeds), n_test, tuple(points)).mean(model) if len(points) > 1 else None
        if mean is not None:
            shift = 0.08 * (model.order - 0.5)
            dots.append(Dot(model, end + shift, mean.mean, mean.ci95, "Mean"))
    few = seeds[:: max(1, len(seeds) // 10)]
    ticks = (*((float(seed), str(seed)) for seed in few), (float(end), "mean"))
    x = Axis("seed; the images are the same", seeds[0] - 0.4, end + 0.4, ticks)
    y = Axis.share("accuracy on the test images")
    return StageChart("Test accuracy by seed", x, y, tuple(models), tuple(dots), joined=False)
