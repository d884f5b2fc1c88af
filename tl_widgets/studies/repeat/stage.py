"""The chart of the "repeat" study while it measures: the test accuracy of each seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tl_widgets.core.model_name import ModelName
from tl_widgets.core.translation import _
from tl_widgets.records.repeats import Repeats
from tl_widgets.studies.stage import Axis, Dot, StageChart

if TYPE_CHECKING:
    from tl_widgets.studies.repeat import RepeatArguments
    from tl_widgets.studies.study import SoFar


def repeat_stage(arguments: RepeatArguments, so_far: SoFar) -> StageChart:
    """Return the chart: a dot for each seed and model, and at the right the means with their intervals."""
    result = so_far.result
    config = arguments.config if result is None else result.config
    seeds = range(config.seed, config.seed + config.repeats)
    models = [name for name in ModelName if name in config.model_names]
    points, n_test = so_far.points if result is None else (), so_far.n_test
    if result is not None and result.repeats is not None:
        points, n_test = result.repeats.points, result.repeats.n_test
    dots = [
        Dot(model, point.seed, accuracy, label=_("Seed {seed}", seed=point.seed))
        for point in points
        for model in models
        if (accuracy := point.accuracy(model)) is not None
    ]
    end = seeds[-1] + 1
    for model in models:
        mean = Repeats(len(seeds), n_test, tuple(points)).mean(model) if len(points) > 1 else None
        if mean is not None:
            shift = 0.08 * (model.order - 0.5)
            dots.append(Dot(model, end + shift, mean.mean, mean.ci95, _("Mean")))
    few = seeds[:: max(1, len(seeds) // 10)]
    ticks = (*((float(seed), str(seed)) for seed in few), (float(end), _("mean")))
    x = Axis(_("seed; the images are the same"), seeds[0] - 0.4, end + 0.4, ticks)
    y = Axis.share(_("accuracy on the test images"))
    return StageChart(_("Test accuracy by seed"), x, y, tuple(models), tuple(dots), joined=False)
