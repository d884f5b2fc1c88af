"""The base class of all studies' results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tl_widgets.core.errors import InputError
from tl_widgets.records.codec import FORMAT, dump, from_plain, load, to_plain


@dataclass(frozen=True)
class StudyFailure:
    """A point that couldn't be measured: its description, and why."""

    point: str
    text: str


class StudyRecord:
    """Base of a study's result: a frozen dataclass with JSON output and input.

    `tl_widgets.studies.study.StudyResult` lists what else every result has.
    """

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """A table of texts, titles first; empty if the sentences say everything."""
        return ()

    @property
    def lost_arms(self) -> tuple[str, ...]:
        """The kinds of model whose points all failed."""
        return ()

    def to_json(self) -> str:
        """Return the record as JSON text for `from_json` of the same class."""
        return dump({"format": FORMAT, "study": type(self).__name__, **to_plain(self)})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a record that `to_json` wrote.

        Raises:
            InputError: The text isn't such a record.
        """
        advice = "Give the JSON that `tl-widgets study NAME --json FILE` or to_json() wrote."
        try:
            record = load(text)
            if (record.pop("format", None), record.pop("study", None)) != (FORMAT, cls.__name__):
                raise InputError(f"it is not a {cls.__name__} of format {FORMAT}")
            return from_plain(cls, record)
        except InputError as error:
            raise InputError(f"This text is not a record of a {cls.__name__} ({error}). {advice}") from None
