"""The chart of the "size" study while it measures: accuracy by image size, or by kind of images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tl_widgets.core.translation import _
from tl_widgets.records.statistics import mean_of_shares
from tl_widgets.studies.image_size.result import ARMS
from tl_widgets.studies.stage import Axis, Dot, StageChart

if TYPE_CHECKING:
    from tl_widgets.studies.image_size import SizeArguments
    from tl_widgets.studies.study import SoFar


def size_stage(arguments: SizeArguments, so_far: SoFar) -> StageChart:
    """Return the chart: for each condition and model a mean over the seeds with its interval over the images."""
    result, points = so_far.result, so_far.points
    vary = arguments.vary if result is None else result.vary
    names = arguments.names(so_far.facts) if result is None else result.names
    dots = []
    for i, arm in enumerate(ARMS):
        for condition, name in enumerate(names):
            rights = [point.right for point in points if (point.condition, point.arm) == (condition, arm)]
            if not rights:
                continue
            at = condition + 0.06 * (i - 0.5)  # so intervals don't hide each other
            mean = mean_of_shares(np.mean(rights, axis=0).tolist(), n_images=len(rights))
            dots.append(Dot(arm, at, mean.mean, mean.ci95, name))
            dots += [Dot(arm, at, sum(right) / len(right), is_small=True) for right in rights if len(rights) > 1]
    what = _("image size") if vary == "size" else _("kind of images")
    ticks = tuple((float(i), name) for i, name in enumerate(names))
    x, y = Axis(what, -0.4, len(names) - 0.6, ticks), Axis.share(_("accuracy on the test images"))
    return StageChart(_("Test accuracy by {what}", what=what), x, y, ARMS, tuple(dots), joined=vary == "size")
