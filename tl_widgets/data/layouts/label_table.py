"""Classes that are in a table beside the images: labels.csv, train.csv, metadata.csv or metadata.jsonl."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePosixPath

from tl_widgets.core.errors import InputError
from tl_widgets.data.archives import ImageSource, SourceFile, printable
from tl_widgets.data.dataset import first_few
from tl_widgets.data.layouts.split_names import split_of
from tl_widgets.data.layouts.tables import Table, read_table
from tl_widgets.data.layouts.tree import (
    IMAGE_SUFFIXES,
    SPLITS,
    LabelledImage,
    Reading,
    SplitName,
    Tree,
    UnclearColumnsError,
    base_of,
    counted,
    parent_of,
    suffix_of,
)
from tl_widgets.records.provenance import NO_COLUMNS, Columns

_MIN_FOUND = 0.5  # of the cells of an image column that name a file
_MIN_FILLED = 0.9
_MAX_LABEL = 80
_LABEL_NAMES = re.compile(
    r"(labels?|class(es)?|(class|label|category)[_ ]?(names?|ids?)|categor(y|ies)|target|y|species|breed|dx|diagnosis|"
    r"klasse|clase|classe|etichetta|etiqueta)",
    re.IGNORECASE,
)
_TABLE_NAMES = re.compile(r"(labels?|metadata|classes)\b", re.IGNORECASE)
_BOX_NAMES = {
    "xmin", "ymin", "xmax", "ymax", "x_min", "x_max", "bbox", "x1", "x2", "bbox_x", "encodedpixels", "rle",
    "region_shape_attributes", "polygon", "points", "x_center", "keypoints",
}  # fmt: skip


@dataclass(frozen=True)
class _Labels:
    """One table, its columns, and which file each row names."""

    table: Table
    image_column: str
    files: list[SourceFile | None]


def read_label_table(
    source: ImageSource, tree: Tree, columns: Columns = NO_COLUMNS
) -> tuple[Reading | None, list[str]]:
    """Read the classes from a table whose rows name images; columns are guessed by their content.

    Returns:
        The reading, None without such a table; and sentences on tables that were not used.

    Raises:
        InputError: the columns or the table can't be guessed, or the table is no classification.
    """
    candidates = _candidates(tree)
    if not candidates and not columns:
        return None, []
    names = _FileNames(tree)
    found: list[_Labels] = []
    problems: list[str] = []
    unclear: list[UnclearColumnsError] = []
    for file in candidates:
        try:
            table = read_table(source, file)
            labels = _image_column(table, names, columns.image)
        except InputError as error:
            problems.append(str(error))
            unclear += [error] if isinstance(error, UnclearColumnsError) else []
            continue
        if labels is None:
            problems.append(f"No column of {table.name} names files that are here.")
        else:
            found.append(labels)
    if unclear and not found:
        raise unclear[0]
    if columns and not found:
        raise InputError(" ".join(problems) or "There is no table of labels (.csv, .tsv, .jsonl) beside the images.")
    chosen = _choose_tables(found, columns)
    return (_reading(tree, chosen, columns), problems) if chosen else (None, problems)


def read_columns(source: ImageSource, tree: Tree, image_column: str | None = None) -> dict[str, dict[str, str]]:
    """Return the columns of all tables that name images; each has the cells by the image's `SourceFile.name`."""
    names = _FileNames(tree)
    columns: dict[str, dict[str, str]] = {}
    for file in _candidates(tree):
        with suppress(InputError):
            labels = _image_column(read_table(source, file), names, image_column)
            for column in labels.table.columns if labels else ():
                cells = zip(labels.files, labels.table.column(column), strict=True) if labels else ()
                columns.setdefault(column, {}).update({image.name: cell for image, cell in cells if image and cell})
    return columns


def _candidates(tree: Tree) -> list[SourceFile]:
    """Return the tables nearest to the top, at most 20."""
    tables = [file for file in tree.tables() if "submission" not in base_of(file.name).lower()]
    return sorted(tables, key=lambda file: (file.name.count("/"), file.name))[:20]


class _FileNames:
    """Finds the image that a cell of a table names."""

    def __init__(self, tree: Tree) -> None:
        self._by_name: dict[str, list[SourceFile]] = defaultdict(list)
        self.images = tree.images_below("")
        for file in self.images:
            base = _plain(base_of(file.name))
            self._by_name[base].append(file)
            self._by_name[PurePosixPath(base).stem].append(file)

    def find(self, cell: str, folder: str) -> SourceFile | None:
        """Return the image below the table's folder, or whose path ends like the cell; None unless it is one."""
        path = _plain(cell.replace("\\", "/"))
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        if not parts:
            return None
        files = list(dict.fromkeys(self._by_name.get(parts[-1], [])))
        if len(files) > 1:
            full = f"{_plain(folder)}/{'/'.join(parts)}" if folder else "/".join(parts)
            if exact := [file for file in files if _plain(file.name) == full or _stem(file) == full]:
                return exact[0] if len(exact) == 1 else None
            shared = [_n_shared(file, parts) for file in files]
            best = max(shared)
            files = [file for file, n in zip(files, shared, strict=True) if n == best]
        return files[0] if len(files) == 1 else None


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _stem(file: SourceFile) -> str:
    return _plain(file.name.rpartition(".")[0])


def _n_shared(file: SourceFile, parts: list[str]) -> int:
    """Return how many folders at the end of a path a cell and a file have in common."""
    own = _plain(file.name).split("/")[:-1]
    n = 0
    for a, b in zip(reversed(own), reversed(parts[:-1]), strict=False):
        if a != b:
            break
        n += 1
    return n


def _image_column(table: Table, names: _FileNames, asked: str | None) -> _Labels | None:
    """Return the table with the column whose cells are files; None if there is none."""
    table = _without_header(table, names)
    folder = parent_of(table.file.name)
    if asked is not None:
        if asked not in table.columns:
            return None
        return _Labels(table, asked, [names.find(cell, folder) for cell in table.column(asked)])
    sample = range(0, len(table.rows), max(1, len(table.rows) // 200))
    fits: dict[str, tuple[SourceFile | None, ...]] = {}
    for i, column in enumerate(table.columns):
        files = tuple(names.find(table.rows[row][i], folder) for row in sample)
        n_different = len(set(files) - {None})
        if sum(file is not None for file in files) >= _MIN_FOUND * len(files) and 2 * n_different >= len(files) ** 0.5:
            fits.setdefault(column, files)
    if not fits:
        return None
    most = max(sum(file is not None for file in files) for files in fits.values())
    best = [column for column, files in fits.items() if sum(file is not None for file in files) == most]
    if len({fits[column] for column in best}) > 1:  # "7" may name 7.png by chance, "7.png" doesn't
        best = [column for column in best if all(suffix_of(cell) for cell in table.column(column)[:200])] or best
    if len({fits[column] for column in best}) > 1:
        raise UnclearColumnsError(
            f"Several columns of {table.name} name images: {_quoted(best)}. Say which to use: "
            f"image_column={best[0]!r} in Python, --image-column in the terminal.",
            "image_column", table.name, _examples(table, best),
        )  # fmt: skip
    return _Labels(table, best[0], [names.find(cell, folder) for cell in table.column(best[0])])


def _without_header(table: Table, names: _FileNames) -> Table:
    """Return the table with numbered columns if its first row already names an image."""
    folder = parent_of(table.file.name)
    if not any(suffix_of(cell) in IMAGE_SUFFIXES and names.find(cell, folder) for cell in table.columns):
        return table
    columns = tuple(f"column {i}" for i in range(1, len(table.columns) + 1))
    return Table(table.file, columns, (table.columns, *table.rows))


def _choose_tables(found: list[_Labels], columns: Columns) -> list[_Labels]:
    """Return one table, or one for each part of a split."""
    labelled = [labels for labels in found if columns.label in labels.table.columns] if columns.label else found
    if columns.label and not labelled:
        names = [f"{labels.table.name} ({_quoted(labels.table.columns)})" for labels in found]
        raise InputError(f"No table has a column {columns.label!r}: {first_few(names)}.")
    if len(labelled) < 2:
        return labelled
    by_split: dict[str, list[_Labels]] = defaultdict(list)
    for labels in labelled:
        by_split[split_of(labels.table.file.name) or split_of(parent_of(labels.table.file.name))].append(labels)
    if all(len(same) == 1 for split, same in by_split.items() if split) and "train" in by_split:
        return [same[0] for split, same in by_split.items() if split]
    named = [labels for labels in labelled if _TABLE_NAMES.match(base_of(labels.table.file.name))]
    if len(named) == 1:
        return named
    raise InputError(
        f"Several tables name the images: {first_few([labels.table.name for labels in labelled])}. Keep the one with "
        "the labels beside the images, and move the others elsewhere."
    )


def _reading(tree: Tree, chosen: list[_Labels], columns: Columns) -> Reading:
    main = next((labels for labels in chosen if split_of(labels.table.file.name) == "train"), chosen[0])
    split_column = _split_column(main.table)
    label_column, one_hot = _label_column(main, columns, split_column)
    notes: list[str] = []
    label_of: dict[SourceFile, set[str]] = defaultdict(set)
    given: dict[SourceFile, SplitName] = {}
    missing: list[str] = []
    n_unlabelled = 0
    for labels in chosen:
        table = labels.table
        if not one_hot and label_column not in table.columns:
            notes.append(f"{table.name} was left aside: it has no column {label_column!r}.")
            continue
        cells = _one_hot_labels(table, one_hot) if one_hot else table.column(label_column)
        splits = table.column(split_column) if split_column and split_column in table.columns else [""] * len(cells)
        own = split_of(table.file.name) or split_of(parent_of(table.file.name)) if len(chosen) > 1 else ""
        for file, label, split, row in zip(labels.files, cells, splits, table.rows, strict=True):
            if file is None:
                missing.append(printable(row[table.columns.index(labels.image_column)]))
            elif not label:
                n_unlabelled += 1
            else:
                label_of[file].add(label)
                given[file] = own or (split_of(split) if split else "")
    several = {file for file, labels_of_file in label_of.items() if len(labels_of_file) > 1}
    if len(several) > 0.2 * max(len(label_of), 1):
        raise InputError(
            f"{main.table.name} gives {len(several):,} of {len(label_of):,} images more than one label. tl_widgets "
            "sorts each image into one class; keep one label for each image."
        )
    images = [LabelledImage(file, given[file], next(iter(labels)))
              for file, labels in label_of.items() if file not in several]  # fmt: skip
    images = _with_splits(images, notes)
    images.sort(key=lambda image: (image.class_name, image.file.name))
    counts = dict(sorted(Counter(image.class_name for image in images).items()))
    if len(counts) < 2:
        only = f"only one class, {next(iter(counts))!r}" if counts else "no labels"
        column = repr(label_column) if label_column else "of ones"
        raise InputError(f"The column {column} of {main.table.name} gives {only}; you need at least two classes.")
    tables = first_few([labels.table.name for labels in chosen])
    source = f"the columns {first_few(list(one_hot))}" if one_hot else f"the column {label_column!r}"
    split_note = f", the split from {split_column!r}" if split_column else ""
    files = f"files from {main.image_column!r}{split_note}"
    notes.insert(0, f"Classes from {source} of {tables} ({files}): {counted(counts)}.")
    if missing:
        notes.append(f"{len(missing):,} rows name files that are not here: {first_few(missing)}.")
    if n_unlabelled:
        notes.append(f"{n_unlabelled:,} rows have no label.")
    if several:
        some = first_few([printable(file.name) for file in several])
        notes.append(f"Left aside, because the table gives them several labels ({len(several):,}): {some}.")
    if unnamed := [printable(file.name) for file in tree.images_below("") if file not in label_of]:
        notes.append(f"Images that {tables} gives no label were left aside ({len(unnamed):,}): {first_few(unnamed)}.")
    parts = tuple(split for split in SPLITS if any(image.split == split for image in images))
    where = tuple(f"{tables}, {label_column or 'column'} = {printable(name)}" for name in counts)
    places = tuple((split, "") for split in parts) or (("", ""),)
    return Reading(tuple(images), tuple(counts), parts, tuple(notes), "table", places, "", where)


def _with_splits(images: list[LabelledImage], notes: list[str]) -> list[LabelledImage]:
    """Return the images with a complete split, from the table or else from their folders, or without one."""
    splits = [image.split for image in images]
    if not any(splits):
        splits = [_folder_split(image.file) for image in images]
    kinds = set(splits)
    if "train" not in kinds or not kinds & {"validation", "test"}:
        return [LabelledImage(image.file, "", image.class_name) for image in images]
    if n_without := splits.count(""):
        notes.append(f"{n_without:,} images without a split were left aside.")
    if "test" not in kinds:
        notes.append("There is no test split: the validation images serve as the test set.")
        splits = ["test" if split == "validation" else split for split in splits]
    pairs = zip(images, splits, strict=True)
    return [LabelledImage(image.file, split, image.class_name) for image, split in pairs if split]


def _folder_split(file: SourceFile) -> SplitName:
    return next((split for part in file.name.split("/")[:-1] if (split := split_of(part))), "")


def _split_column(table: Table) -> str:
    """Return the column whose values are names of splits; "" if there is none."""
    for column in table.columns:
        values = {cell for cell in table.column(column) if cell}
        if 2 <= len(values) <= 6 and "train" in (splits := {split_of(value) for value in values}) and "" not in splits:
            return column
    return ""


def _label_column(labels: _Labels, columns: Columns, split_column: str) -> tuple[str, tuple[str, ...]]:
    """Return the column of labels, or "" and the columns that are 1 for one class each."""
    table = labels.table
    if columns.label is not None:
        return columns.label, ()
    if _BOX_NAMES & {re.sub(r"\W", "", column).lower() for column in table.columns}:
        raise InputError(
            f"{table.name} holds boxes or outlines of objects, so this is object detection or segmentation. tl_widgets "
            "sorts whole pictures into classes: it needs one label for each picture. If a column of the table is such "
            "a label, name it with label_column= (--label-column in the terminal)."
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
                    f"The column {column!r} of {table.name} has only one value, {values.pop()!r}; you need at least "
                    "two classes."
                )
        others = [column for column in table.columns if column != labels.image_column]
        raise UnclearColumnsError(
            f"No column of {table.name} looks like labels, which are few different values that many rows share: it has "
            f"{_quoted(others)}. Say which it is: label_column=... in Python, --label-column in the terminal.",
            "label_column", table.name, _examples(table, others),
        )  # fmt: skip
    shown = ", ".join(f"{column!r} ({len(values)} values)" for column, values in candidates.items())
    example = min(candidates, key=lambda column: len(candidates[column]))
    raise UnclearColumnsError(
        f"Several columns of {table.name} could be the labels: {shown}. Say which to use: "
        f"label_column={example!r} in Python, --label-column in the terminal.",
        "label_column", table.name, _examples(table, candidates),
    )  # fmt: skip


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


def _one_hot_labels(table: Table, columns: tuple[str, ...]) -> list[str]:
    rows = zip(*(map(_number, table.column(column)) for column in columns), strict=True)
    return [columns[row.index("1")] if "1" in row else "" for row in rows]


def _number(cell: str) -> str:
    return re.sub(r"\.0*$", "", cell)


def _are_the_same(table: Table, columns: list[str]) -> bool:
    """Return whether columns are the same labels in other words, such as a number and a name."""
    cells = [table.column(column) for column in columns]
    return all(len(set(zip(a, b, strict=True))) == len(set(a)) == len(set(b)) for a, b in pairwise(cells))


def _examples(table: Table, columns: Iterable[str]) -> dict[str, str]:
    values = {column: sorted(set(table.column(column)) - {""}) for column in columns}
    return {column: ", ".join(some[:3]) + (", …" if len(some) > 3 else "") for column, some in values.items()}


def _quoted(columns: Iterable[str]) -> str:
    names = [repr(printable(column)) for column in columns]
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
