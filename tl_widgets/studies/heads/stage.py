"""The chart of the "heads" study while it measures: a row for each head and for each search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tl_widgets.core.translation import _
from tl_widgets.records.statistics import mean_of_shares
from tl_widgets.studies.heads.result import HEAD_NAMES, N_NEIGHBORS, HeadPoint
from tl_widgets.studies.stage import Axis, Dot, StageChart

_SERIES = _("right")  # of no model

if TYPE_CHECKING:
    from tl_widgets.studies.heads import HeadsArguments
    from tl_widgets.studies.study import SoFar


def heads_stage(arguments: HeadsArguments, so_far: SoFar) -> StageChart:
    """Return the chart: a row for each head, and one for each search."""
    result = so_far.result
    points = so_far.points if result is None else (*result.heads, *result.searches)
    searches = arguments.searches if result is None else [search.name for search in result.searches]
    n_neighbors = N_NEIGHBORS if result is None else result.n_neighbors
    rows, dots = [*HEAD_NAMES.values(), *(_("search: {name}", name=name) for name in searches)], []
    for point in points:
        if isinstance(point, HeadPoint):
            label = HEAD_NAMES[point.head]
            dots.append(Dot(_SERIES, point.accuracy, rows.index(label), point.ci95, label))
            continue
        mean = mean_of_shares([n / n_neighbors for n in point.n_right], n_images=n_neighbors)
        label = _("search: {point_name}", point_name=point.name)
        if label in rows:
            dots.append(Dot(_SERIES, mean.mean, rows.index(label), mean.ci95, label))
    x, y = Axis.share(_("accuracy, or share of neighbors of the right class")), Axis("", 0, 1, ())
    title = _("Right answers of each head, and right neighbors of each search")
    return StageChart(title, x, y, (_SERIES,), tuple(dots), tuple(rows), joined=False)
