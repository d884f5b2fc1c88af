"""Cells of spreadsheets: nothing that a student wrote becomes a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tl_widgets.assignments.plan import student_key
from tl_widgets.core.errors import InputError
from tl_widgets.core.paths import read_user_file
from tl_widgets.core.text import escaped, printable, shown
from tl_widgets.core.translation import _

NOT_HERE = "(not among the files)"
_MOST_BYTES = 50_000_000
_MOST_LETTERS = 5_000
# Excel and LibreOffice take a cell that begins so for a formula; full-width signs too, in East Asian settings.
_FORMULA = "=+-@\t\r\uff1d\uff0b\uff0d\uff20"


def plain_cell(text: str) -> str:
    """Return a text as a cell that is certain to stay text.

    Line breaks become spaces, and semicolons and bars commas: a spreadsheet that separates columns by them would begin
    a new cell, which could be a formula. A text that looks like a formula gets an apostrophe in front, as one types it.
    """
    line = escaped(" ".join(text.split()))[:_MOST_LETTERS]
    line = line.replace(";", ",").replace("|", ",")
    return f"'{line}" if line.lstrip("'\" ")[:1] in tuple(_FORMULA) else line


def student_in_cell(cell: str) -> str:
    """Return the student in a cell in one form: Excel makes 42 of the number 0042."""
    key = student_key(cell)
    return key.lstrip("0") if key.isdecimal() else key


def to_csv(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table as CSV with a byte order mark, by which Excel recognizes UTF-8."""
    file = io.StringIO()
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows([plain_cell(cell) for cell in row] for row in rows)
    return "\ufeff" + file.getvalue()


def read_csv(path: Path) -> list[dict[str, str]]:
    """Read a table that a spreadsheet saved, with commas, semicolons or tabs between its columns.

    Raises:
        InputError: It isn't one.
    """
    data = read_user_file(path, "spreadsheet", _MOST_BYTES)
    name = printable(str(path))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(_("{file} isn't in UTF-8: save it as “CSV UTF-8”.", file=name)) from None
    first = text.partition("\n")[0]
    try:
        rows = list(csv.DictReader(io.StringIO(text), delimiter=max(",;\t", key=first.count), restval=""))
    except csv.Error as error:
        raise InputError(_("{file} isn't a CSV file: {why}.", file=name, why=error)) from None
    return [{str(key): value for key, value in row.items() if isinstance(value, str)} for row in rows]


@dataclass(frozen=True)
class PointsByHand:
    """Points that a teacher gave by hand, and the answer that they were given for, as the cell shows it."""

    points: float
    answer: str = ""

    def fits(self, answer: str) -> bool:
        """Return whether the answer is still the one that the teacher read."""
        before, now = (re.sub(r"\W", "", text) for text in (self.answer, plain_cell(answer)))
        # A spreadsheet changes numbers (3.50 becomes 3.5); without an answer, nobody can tell.
        return before == now or self.answer in ("", NOT_HERE) or now.isdecimal()


def read_points(path: Path) -> dict[tuple[str, str], PointsByHand]:
    """Return the points that a teacher gave by hand, by the student's key and the question's name.

    Raises:
        InputError: The file can't be read, or something in it is no number.
    """
    from tl_widgets.assignments.questions.numbers import as_number

    points = {}
    for number, row in enumerate(read_csv(path), 2):
        if text := row.get("points", "").strip():
            try:
                key = student_in_cell(row.get("student", "")), row.get("question", "")
                points[key] = PointsByHand(as_number(text), row.get("answer", ""))
            except InputError:
                raise InputError(
                    _("{file}: the points in line {n} are {value}, not a number.",
                      file=printable(str(path)), n=number, value=shown(text, 40))
                ) from None  # fmt: skip
    return points
