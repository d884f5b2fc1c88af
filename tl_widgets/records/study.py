"""What the results of all studies have in common."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StudyFailure:
    """A point that could not be measured.

    Attributes:
        point: which one, in words.
        text: why.
    """

    point: str
    text: str
