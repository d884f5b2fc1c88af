"""What the results of all studies have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tl_widgets.records.codec import study_from_json, study_to_json


@dataclass(frozen=True)
class StudyFailure:
    """A point that could not be measured.

    Attributes:
        point: which one, in words.
        text: why.
    """

    point: str
    text: str


class StudyRecord:
    """Base of a study's result: a frozen dataclass that is written as JSON and read back.

    What every result offers besides is in `tl_widgets.studies.study.StudyResult`.
    """

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """A table of texts, the titles first; empty if the sentences say everything."""
        return ()

    @property
    def lost_arms(self) -> tuple[str, ...]:
        """The kinds of model of which points failed and none was measured."""
        return ()

    def to_json(self) -> str:
        """Return the record as JSON text; `from_json` reads it back."""
        return study_to_json(self)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            InputError: it is no such record.
        """
        return study_from_json(cls, text)
