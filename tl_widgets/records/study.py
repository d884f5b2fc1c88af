"""What the results of all studies have in common."""

from __future__ import annotations

from dataclasses import dataclass

from tl_widgets.records.comparison import percent
from tl_widgets.records.intervals import interval_text
from tl_widgets.records.seeds import Mean


@dataclass(frozen=True)
class StudyFailure:
    """A point that could not be measured.

    Attributes:
        point: which one, in words.
        text: why.
    """

    point: str
    text: str


def accuracy_text(mean: Mean) -> str:
    """A mean accuracy with its interval: 91.1% (88 to 94)."""
    if mean.ci95 is None:
        return percent(mean.mean)
    return f"{percent(mean.mean)} ({interval_text(mean.ci95)})"
