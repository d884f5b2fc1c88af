"""What several studies keep of a trained model, and the sentences at the end of their results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from tl_widgets.core.translation import _
from tl_widgets.records.comparison import RunResult

if TYPE_CHECKING:
    from tl_widgets.studies.study import StudyResult

ONE_SEED = _("With only one seed, you cannot see how much of this is luck. Use three seeds or more.")


def right_answers(run: RunResult) -> tuple[bool, ...]:
    """Return which test images a model gets right."""
    return tuple(answer == label for answer, label in zip(run.predictions, run.labels, strict=True))


def all_sentences(study: StudyResult, findings: Iterable[str], stopped: str, *outcomes: str) -> tuple[str, ...]:
    """Return the findings, what failed, and that it was stopped or else the outcomes of its predictions.

    Empty texts are left out.
    """
    failed = (
        _("{failure_point} was not measured: {failure_text}", failure_point=failure.point, failure_text=failure.text)
        for failure in study.failures
    )
    return tuple(filter(None, (*findings, *failed, *((stopped,) if study.stopped else outcomes))))


def arms_without(points: Iterable[Any], arms: Sequence[str], *, stopped: bool) -> tuple[str, ...]:
    """Return the arms for which there is no point; none after a Stop, because they may not have been tried."""
    measured = {point.arm for point in points}
    return () if stopped else tuple(arm for arm in arms if arm not in measured)
