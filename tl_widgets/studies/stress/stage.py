"""The chart of the "stress" study while it measures: accuracy against severity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tl_widgets.core.translation import _
from tl_widgets.records.statistics import mean_of_shares
from tl_widgets.studies.stage import Axis, Dot, StageChart
from tl_widgets.studies.stress.changes import SEVERITIES

if TYPE_CHECKING:
    from tl_widgets.studies.stress import StressArguments
    from tl_widgets.studies.study import SoFar


def stress_stage(arguments: StressArguments, so_far: SoFar) -> StageChart:
    """Return the chart: a small dot for each change, and the mean of those so far with its interval over images."""
    result = so_far.result
    arms = arguments.config.model_names if result is None else result.arms
    clean = () if result is None else result.clean
    found = {(answers.arm, 0): [answers.right] for answers in clean}
    for point in so_far.points:
        for answers in point.answers:
            found.setdefault((answers.arm, point.severity), []).append(answers.right)
    dots = []
    for i, arm in enumerate(arms):
        for severity in (0, *SEVERITIES):
            rights = found.get((arm, severity), [])
            if not rights:
                continue
            at = severity + 0.05 * (i - (len(arms) - 1) / 2)  # so intervals don't hide each other
            mean = mean_of_shares(np.mean(rights, axis=0).tolist(), n_images=len(rights))
            label = (
                _("mean of {n_rights} changes, severity {severity}", n_rights=len(rights), severity=severity)
                if severity
                else _("unchanged")
            )
            dots.append(Dot(arm, at, mean.mean, mean.ci95, label))
            dots += [Dot(arm, at, sum(right) / len(right), is_small=True) for right in rights if len(rights) > 1]
    names = ((0.0, _("unchanged")), (1.0, _("mild")), (2.0, _("medium")), (3.0, _("strong")))
    x = Axis(_("severity of the changes"), -0.3, 3.3, names)
    y = Axis.share(_("accuracy on the changed test images"))
    return StageChart(_("Accuracy against the severity of the changes"), x, y, tuple(arms), tuple(dots))
