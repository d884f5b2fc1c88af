"""Read small tables of text as data: CSV, TSV and JSON lines. Nothing in them is run or followed."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass

from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import size_text
from tl_widgets.core.translation import _
from tl_widgets.data.archives import ImageSource, SourceFile, printable
from tl_widgets.data.layouts.tree import suffix_of
from tl_widgets.data.names import one_form

MAX_TABLE_BYTES = 50_000_000
MAX_ROWS = 1_000_000
MAX_COLUMNS = 500


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        file: where it was read.
        columns: their names, different from each other.
        rows: as many cells as columns, without spaces around them.
    """

    file: SourceFile
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def name(self) -> str:
        """Printable path of the table."""
        return printable(self.file.name)

    def column(self, name: str) -> list[str]:
        """Return the cells of a column."""
        i = self.columns.index(name)
        return [row[i] for row in self.rows]


def read_table(source: ImageSource, file: SourceFile) -> Table:
    """Read a table; InputError says why it can't be used."""
    name = printable(file.name)
    if file.n_bytes > MAX_TABLE_BYTES:
        raise InputError(
            _(
                "{name} has {n_bytes}, more than the {max_table_bytes} allowed for a table of labels. "
                "Keep only the columns with file names and labels.",
                name=name,
                n_bytes=size_text(file.n_bytes),
                max_table_bytes=size_text(MAX_TABLE_BYTES),
            )
        )
    try:
        text = one_form(_text(source.read(file), name))
        rows = _json_rows(text) if suffix_of(file.name) == ".jsonl" else _csv_rows(text)
    except OSError as error:
        raise InputError(
            _("{name} cannot be read: {strerror}.", name=name, strerror=error.strerror or error)
        ) from error
    except (csv.Error, ValueError, RecursionError) as error:
        raise InputError(
            _("{name} cannot be read as a table ({error}). Save it again as CSV, in UTF-8.", name=name, error=error)
        ) from error
    if len(rows) < 2:
        raise InputError(_("{name} is a table without rows.", name=name))
    header = [cell.strip() or _("column {i}", i=i) for i, cell in enumerate(rows[0], 1)]
    columns = tuple(f"{cell} ({i})" if cell in header[: i - 1] else cell for i, cell in enumerate(header, 1))
    n = len(columns)
    cells = tuple(tuple(cell.strip() for cell in (*row, *[""] * n)[:n]) for row in rows[1:] if any(row))
    return Table(file, columns, cells)


def _text(data: bytes, name: str) -> str:
    """Decode a table: UTF-8, UTF-16 with its mark, or the code page of Western Windows."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    if b"\0" in data:
        raise InputError(_("{name} holds binary data, not a table of text. Export it as CSV.", name=name))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _csv_rows(text: str) -> list[list[str]]:
    lines = text.splitlines(keepends=True)
    separator = ""
    if lines and (first := lines[0].strip().lower()).startswith("sep=") and len(first) == 5:  # Excel
        separator, lines = first[4], lines[1:]
    head = next((line for line in lines if line.strip()), "")
    separator = separator or max(",;\t|", key=head.count)
    rows: list[list[str]] = []
    for row in csv.reader(io.StringIO("".join(lines), newline=""), delimiter=separator):
        if row:
            rows.append(row)
        if len(rows) > MAX_ROWS or len(row) > MAX_COLUMNS:
            raise ValueError(_("more than {rows:,} rows or {columns} columns", rows=MAX_ROWS, columns=MAX_COLUMNS))
    return rows


def _json_rows(text: str) -> list[list[str]]:
    records = []
    for line in text.split("\n"):
        if line.strip():
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError(_("a line that is no object"))
            records.append(record)
        if len(records) > MAX_ROWS:
            raise ValueError(_("more than {n:,} lines", n=MAX_ROWS))
    columns = list(dict.fromkeys(str(key) for record in records for key in record))
    if len(columns) > MAX_COLUMNS:
        raise ValueError(_("more than {n} columns", n=MAX_COLUMNS))
    return [columns, *([_cell(record.get(column)) for column in columns] for record in records)]


def _cell(value: object) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)
