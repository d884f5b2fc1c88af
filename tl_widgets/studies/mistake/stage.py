"""The chart of the "mistake" study while it measures: the right way and the wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tl_widgets.core.translation import _
from tl_widgets.studies.mistake.result import MistakeStudy
from tl_widgets.studies.stage import RIGHT, WRONG, Axis, Dot, StageChart

if TYPE_CHECKING:
    from tl_widgets.studies.mistake import MistakeArguments
    from tl_widgets.studies.study import SoFar


def mistake_stage(arguments: MistakeArguments, so_far: SoFar) -> StageChart:
    """Return the chart: a row for each mistake; a single one has a row for each way."""
    result = so_far.result
    if result is None:
        studies = [point for point in so_far.points if isinstance(point, MistakeStudy)]
    else:
        studies = [result] if isinstance(result, MistakeStudy) else list(result.studies)
    mistakes = arguments.mistakes if result is None else [study.declared for study in studies]
    names = [mistake.name for mistake in mistakes]
    is_single = len(mistakes) == 1
    dots = []
    for study in studies:
        measured, row = study.measured, names.index(study.mistake)
        title = study.declared.title
        dots.append(Dot(RIGHT, measured.right, row, measured.right_ci95, RIGHT if is_single else title))
        below = 1 if is_single else row
        dots.append(Dot(WRONG, measured.wrong, below, measured.wrong_ci95, WRONG if is_single else title))
    rows = (RIGHT, WRONG) if is_single else tuple(mistake.title for mistake in mistakes)
    x = Axis.share(mistakes[0].figure if is_single else _("the figure that is compared (test accuracy, mostly)"))
    y = Axis("", 0, 1, ())
    return StageChart(_("The right way beside the wrong one"), x, y, (RIGHT, WRONG), tuple(dots), rows, joined=False)
