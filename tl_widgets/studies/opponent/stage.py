"""The chart of the "opponent" study while it measures: the best validation accuracy so far against the budget."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from tl_widgets.core.numbers import number_text
from tl_widgets.core.translation import _
from tl_widgets.plots.svg_axes import ticks
from tl_widgets.studies.opponent.result import ARMS, FinalModel, TrialPoint
from tl_widgets.studies.opponent.search import Halving
from tl_widgets.studies.stage import Axis, Dot, StageChart

if TYPE_CHECKING:
    from tl_widgets.studies.opponent import OpponentArguments
    from tl_widgets.studies.study import SoFar


def opponent_stage(arguments: OpponentArguments, so_far: SoFar) -> StageChart:
    """Return the chart: small dots for all trials, a line for the best so far, and at its end the test."""
    result, points = so_far.result, so_far.points
    asked = arguments if result is None else result
    tested = [point for point in points if isinstance(point, FinalModel)] if result is None else result.tested
    most = Halving(asked.budget, asked.passes).passes + asked.config.epochs
    dots = []
    for arm in ARMS:
        spent, best = 0, None
        for point in (point for point in points if isinstance(point, TrialPoint) and point.arm == arm):
            spent += point.passes
            if not isfinite(point.val_accuracy):
                continue
            dots.append(Dot(arm, spent, point.val_accuracy, is_small=True))
            if best is None or point.score < best.score:
                best = point
                name = _("trial {trial}", trial=point.trial) if point.trial else _("default settings")
                dots.append(
                    Dot(arm, spent, point.val_accuracy, label=_("{name}, after {spent} passes", name=name, spent=spent))
                )
        for model in tested:
            if model.arm == arm:
                at, is_small = 1.13 * most, not model.is_tuned  # the line ends at the chosen settings
                dots.append(Dot(arm, at, model.accuracy, model.ci95, _("test, chosen settings"), is_small=is_small))
    whole = [(value, number_text(value)) for value in ticks(0, most, 5, whole=True)]
    x = Axis(_("passes over the training images, then the test"), 0, 1.2 * most, (*whole, (1.13 * most, _("test"))))
    y = Axis.share(_("accuracy of the best so far, on validation"))
    return StageChart(_("Accuracy of the best trial so far against the budget spent"), x, y, ARMS, tuple(dots))
