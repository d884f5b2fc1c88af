"""What several studies keep of a trained model, and say of points that could not be measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tl_widgets.core.translation import _
from tl_widgets.records.comparison import RunResult, StudyFailure


def right_answers(run: RunResult) -> tuple[bool, ...]:
    """Return which test images a model gets right."""
    return tuple(answer == label for answer, label in zip(run.predictions, run.labels, strict=True))


def failure_sentences(failures: Iterable[StudyFailure]) -> list[str]:
    """Return a sentence for each point that couldn't be measured."""
    return [
        _("{failure_point} was not measured: {failure_text}", failure_point=failure.point, failure_text=failure.text)
        for failure in failures
    ]


def arms_without(points: Iterable[Any], arms: Sequence[str], *, stopped: bool) -> tuple[str, ...]:
    """Return the arms for which there is no point; none after a Stop, because they may not have been tried."""
    measured = {point.arm for point in points}
    return () if stopped else tuple(arm for arm in arms if arm not in measured)
