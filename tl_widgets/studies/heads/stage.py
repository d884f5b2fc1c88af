"""The chart of the "heads" study while it measures: a row for each head and for each search."""

from __future__ import annotations

from collections.abc import Sequence

from tl_widgets.records.statistics import mean_of_shares
from tl_widgets.studies.heads.result import HEAD_NAMES, N_NEIGHBORS, HeadPoint, SearchPoint
from tl_widgets.studies.stage import Axis, Dot, StageChart

_SERIES = "right"  # of no model


def heads_stage(
    searches: Sequence[str], points: Sequence[HeadPoint | SearchPoint], n_neighbors: int = N_NEIGHBORS
) -> StageChart:
    """Return the chart; `searches` are the names of the searches, as `SearchPoint.name`."""
    rows, dots = [*HEAD_NAMES.values(), *(f"search: {name}" for name in searches)], []
    for point in points:
        if isinstance(point, HeadPoint):
            label = HEAD_NAMES[point.head]
            dots.append(Dot(_SERIES, point.accuracy, rows.index(label), point.ci95, label))
            continue
        mean = mean_of_shares([n / n_neighbors for n in point.n_right], n_images=n_neighbors)
        label = f"search: {point.name}"
        if label in rows:
            dots.append(Dot(_SERIES, mean.mean, rows.index(label), mean.ci95, label))
    x, y = Axis.share("accuracy, or share of neighbors of the right class"), Axis("", 0, 1, ())
    title = "Right answers of each head, and right neighbors of each search"
    return StageChart(title, x, y, (_SERIES,), tuple(dots), tuple(rows), joined=False)
