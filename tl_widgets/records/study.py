"""What the results of all studies have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tl_widgets.core.errors import InputError
from tl_widgets.records.codec import FORMAT, dump, from_plain, load, to_plain


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
        """Return the record as JSON text, which `from_json` of the same class reads back."""
        return dump({"format": FORMAT, "study": type(self).__name__, **to_plain(self)})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            InputError: it is not such a record.
        """
        advice = "Give the JSON that `tl-widgets study NAME --json FILE` or to_json() wrote."
        try:
            record = load(text)
            if (record.pop("format", None), record.pop("study", None)) != (FORMAT, cls.__name__):
                raise InputError(f"it is not a {cls.__name__} of format {FORMAT}")
            return from_plain(cls, record)
        except InputError as error:
            raise InputError(f"This text is not a record of a {cls.__name__} ({error}). {advice}") from None
