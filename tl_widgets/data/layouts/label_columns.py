"""The columns of a table of labels: which one holds the labels, and which one the split."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _, ngettext
from tl_widgets.data.archives import SourceFile, printable
from tl_widgets.data.layouts.split_names import split_of
from tl_widgets.data.layouts.tables import Table
from tl_widgets.data.layouts.tree import UnclearColumnsError
from tl_widgets.records.provenance import Columns

_MIN_FILLED = 0.9
_MAX_LABEL = 80
_LABEL_NAMES = re.compile(
    r"(labels?|class(es)?|(class|label|category)[_ ]?(names?|ids?)|categor(y|ies)|target|y|species|breed|dx|diagnosis|"
    r"klasse|clase|classe|etichetta|etiqueta)",
    re.IGNORECASE,
)
_BOX_NAMES = {
    "xmin", "ymin", "xmax", "ymax", "x_min", "x_max", "bbox", "x1", "x2", "bbox_x", "encodedpixels", "rle",
    "region_shape_attributes", "polygon", "points", "x_center", "keypoints",
}  # fmt: skip


@dataclass(frozen=True)
class Labels:
    """One table, its columns, and which file each row names."""

    table: Table
    image_column: str
    files: list[SourceFile | None]


def split_column(table: Table) -> str:
    """Return the column whose values are names of splits; "" if there is none."""
    for column in table.columns:
        values = {cell for cell in table.column(column) if cell}
        if 2 <= len(values) <= 6 and "train" in (splits := {split_of(value) for value in values}) and "" not in splits:
            return column
    return ""


def label_column(labels: Labels, columns: Columns, split_column: str) -> tuple[str, tuple[str, ...]]:
    """Return the column of labels, or "" and the columns that are 1 for one class each."""
    table = labels.table
    if columns.label is not None:
        return columns.label, ()
    if _BOX_NAMES & {re.sub(r"\W", "", column).lower() for column in table.columns}:
        raise InputError(
            _(
                "{table_name} holds boxes or outlines of objects, so this is object detection or "
                "segmentation. tl_widgets sorts whole pictures into classes: it needs one label for each "
                "picture. If a column of the table is such a label, name it with label_column= "
                "(--label-column in the terminal).",
                table_name=table.name,
            )
        )
    candidates = {
        column: values for column in table.columns
        if column not in (labels.image_column, split_column) and (values := _label_values(table.column(column)))
    }  # fmt: skip
    if one_hot := _one_hot_columns(table, list(candidates)):
        return "", one_hot
    named = [column for column in candidates if _LABEL_NAMES.fullmatch(column)]
    if len(candidates) > 1 and len(named) == 1 and not _LABEL_NAMES.fullmatch(labels.image_column):
        candidates = {named[0]: candidates[named[0]]}
    if len(candidates) > 1 and _are_the_same(table, list(candidates)):
        best = min(candidates, key=lambda column: all(value.isdigit() for value in candidates[column]))
        candidates = {best: candidates[best]}
    if len(candidates) == 1:
        return next(iter(candidates)), ()
    if not candidates:
        constant = {column: set(table.column(column)) for column in table.columns if _LABEL_NAMES.fullmatch(column)}
        for column, values in constant.items():
            if len(values) == 1:
                raise InputError(
                    _(
                        "The column {column!r} of {table_name} has only one value, {value!r}; you need at "
                        "least two classes.",
                        column=column,
                        table_name=table.name,
                        value=values.pop(),
                    )
                )
        others = [column for column in table.columns if column != labels.image_column]
        raise UnclearColumnsError(
            _(
                "No column of {table_name} looks like labels, which are few different values that many "
                "rows share: it has {quoted}. Say which it is: label_column=... in Python, "
                "--label-column in the terminal.",
                table_name=table.name,
                quoted=quoted(others),
            ),
            "label_column",
            table.name,
            examples(table, others),
        )
    shown = ", ".join(
        ngettext("{column!r} ({n} value)", "{column!r} ({n} values)", len(values), column=column)
        for column, values in candidates.items()
    )
    example = min(candidates, key=lambda column: len(candidates[column]))
    raise UnclearColumnsError(
        _(
            "Several columns of {table_name} could be the labels: {shown}. Say which to use: "
            "label_column={example!r} in Python, --label-column in the terminal.",
            table_name=table.name,
            shown=shown,
            example=example,
        ),
        "label_column",
        table.name,
        examples(table, candidates),
    )


def _label_values(cells: list[str]) -> set[str]:
    """Return the values of a column that may be labels; none if they can't be."""
    filled = [cell for cell in cells if cell]
    values = set(filled)
    if len(filled) < _MIN_FILLED * len(cells) or not 2 <= len(values) <= len(filled) / 2:
        return set()
    if any(len(value) > _MAX_LABEL for value in values) or any(re.fullmatch(r"-?\d+\.\d*[1-9]\d*", v) for v in values):
        return set()
    return values


def _one_hot_columns(table: Table, columns: list[str]) -> tuple[str, ...]:
    ones = [column for column in columns if {_number(cell) for cell in table.column(column)} == {"0", "1"}]
    rows = zip(*(map(_number, table.column(column)) for column in ones), strict=True)
    return tuple(ones) if len(ones) > 1 and all(row.count("1") == 1 for row in rows) else ()


def one_hot_labels(table: Table, columns: tuple[str, ...]) -> list[str]:
    """Return the label of each row, the one of `columns` that is 1."""
    rows = zip(*(map(_number, table.column(column)) for column in columns), strict=True)
    return [columns[row.index("1")] if "1" in row else "" for row in rows]


def _number(cell: str) -> str:
    return re.sub(r"\.0*$", "", cell)


def _are_the_same(table: Table, columns: list[str]) -> bool:
    """Return whether columns are the same labels in other words, such as a number and a name."""
    cells = [table.column(column) for column in columns]
    return all(len(set(zip(a, b, strict=True))) == len(set(a)) == len(set(b)) for a, b in pairwise(cells))


def examples(table: Table, columns: Iterable[str]) -> dict[str, str]:
    """Return up to three values of each column."""
    values = {column: sorted(set(table.column(column)) - {""}) for column in columns}
    return {column: ", ".join(some[:3]) + (", …" if len(some) > 3 else "") for column, some in values.items()}


def quoted(columns: Iterable[str]) -> str:
    """Return the names of columns in quotation marks."""
    names = [repr(printable(column)) for column in columns]
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
