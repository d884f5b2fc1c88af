"""Classes that are in a table beside the images: labels.csv, train.csv, metadata.csv or metadata.jsonl."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from contextlib import suppress
from pathlib import PurePosixPath

from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _
from tl_widgets.data.archives import ImageSource, SourceFile, printable
from tl_widgets.data.dataset import first_few
from tl_widgets.data.layouts.label_columns import Labels, examples, label_column, one_hot_labels, quoted, split_column
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
_TABLE_NAMES = re.compile(r"(labels?|metadata|classes)\b", re.IGNORECASE)


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
    found: list[Labels] = []
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
            problems.append(_("No column of {table_name} names files that are here.", table_name=table.name))
        else:
            found.append(labels)
    if unclear and not found:
        raise unclear[0]
    if columns and not found:
        raise InputError(" ".join(problems) or _("There is no table of labels (.csv, .tsv, .jsonl) beside the images."))
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


def _image_column(table: Table, names: _FileNames, asked: str | None) -> Labels | None:
    """Return the table with the column whose cells are files; None if there is none."""
    table = _without_header(table, names)
    folder = parent_of(table.file.name)
    if asked is not None:
        if asked not in table.columns:
            return None
        return Labels(table, asked, [names.find(cell, folder) for cell in table.column(asked)])
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
            _(
                "Several columns of {table_name} name images: {quoted}. Say which to use: "
                "image_column={best!r} in Python, --image-column in the terminal.",
                table_name=table.name,
                quoted=quoted(best),
                best=best[0],
            ),
            "image_column",
            table.name,
            examples(table, best),
        )
    return Labels(table, best[0], [names.find(cell, folder) for cell in table.column(best[0])])


def _without_header(table: Table, names: _FileNames) -> Table:
    """Return the table with numbered columns if its first row already names an image."""
    folder = parent_of(table.file.name)
    if not any(suffix_of(cell) in IMAGE_SUFFIXES and names.find(cell, folder) for cell in table.columns):
        return table
    columns = tuple(_("column {i}", i=i) for i in range(1, len(table.columns) + 1))
    return Table(table.file, columns, (table.columns, *table.rows))


def _choose_tables(found: list[Labels], columns: Columns) -> list[Labels]:
    """Return one table, or one for each part of a split."""
    labelled = [labels for labels in found if columns.label in labels.table.columns] if columns.label else found
    if columns.label and not labelled:
        names = [f"{labels.table.name} ({quoted(labels.table.columns)})" for labels in found]
        raise InputError(
            _(
                "No table has a column {columns_label!r}: {first_few}.",
                columns_label=columns.label,
                first_few=first_few(names),
            )
        )
    if len(labelled) < 2:
        return labelled
    by_split: dict[str, list[Labels]] = defaultdict(list)
    for labels in labelled:
        by_split[split_of(labels.table.file.name) or split_of(parent_of(labels.table.file.name))].append(labels)
    if all(len(same) == 1 for split, same in by_split.items() if split) and "train" in by_split:
        return [same[0] for split, same in by_split.items() if split]
    named = [labels for labels in labelled if _TABLE_NAMES.match(base_of(labels.table.file.name))]
    if len(named) == 1:
        return named
    raise InputError(
        _(
            "Several tables name the images: {first_few}. Keep the one with the labels beside the "
            "images, and move the others elsewhere.",
            first_few=first_few([labels.table.name for labels in labelled]),
        )
    )


def _reading(tree: Tree, chosen: list[Labels], columns: Columns) -> Reading:
    main = next((labels for labels in chosen if split_of(labels.table.file.name) == "train"), chosen[0])
    split_by = split_column(main.table)
    label_by, one_hot = label_column(main, columns, split_by)
    notes: list[str] = []
    label_of: dict[SourceFile, set[str]] = defaultdict(set)
    given: dict[SourceFile, SplitName] = {}
    missing: list[str] = []
    n_unlabelled = 0
    for labels in chosen:
        table = labels.table
        if not one_hot and label_by not in table.columns:
            notes.append(
                _(
                    "{table_name} was left aside: it has no column {label_column!r}.",
                    table_name=table.name,
                    label_column=label_by,
                )
            )
            continue
        cells = one_hot_labels(table, one_hot) if one_hot else table.column(label_by)
        splits = table.column(split_by) if split_by and split_by in table.columns else [""] * len(cells)
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
            _(
                "{table_name} gives {n_several:,} of {n_label_of:,} images more than one label. "
                "tl_widgets sorts each image into one class; keep one label for each image.",
                table_name=main.table.name,
                n_several=len(several),
                n_label_of=len(label_of),
            )
        )
    images = [LabelledImage(file, given[file], next(iter(labels)))
              for file, labels in label_of.items() if file not in several]  # fmt: skip
    images = _with_splits(images, notes)
    images.sort(key=lambda image: (image.class_name, image.file.name))
    counts = dict(sorted(Counter(image.class_name for image in images).items()))
    if len(counts) < 2:
        only = _("only one class, {next!r}", next=next(iter(counts))) if counts else _("no labels")
        column = repr(label_by) if label_by else _("of ones")
        raise InputError(
            _(
                "The column {column} of {table_name} gives {only}; you need at least two classes.",
                column=column,
                table_name=main.table.name,
                only=only,
            )
        )
    tables = first_few([labels.table.name for labels in chosen])
    source = (
        _("the columns {first_few}", first_few=first_few(list(one_hot)))
        if one_hot
        else _("the column {label_column!r}", label_column=label_by)
    )
    split_note = _(", the split from {split_column!r}", split_column=split_by) if split_by else ""
    files = _("files from {image_column!r}{split_note}", image_column=main.image_column, split_note=split_note)
    notes.insert(
        0,
        _(
            "Classes from {source} of {tables} ({files}): {counted}.",
            source=source,
            tables=tables,
            files=files,
            counted=counted(counts),
        ),
    )
    if missing:
        notes.append(
            _(
                "{n_missing:,} rows name files that are not here: {first_few}.",
                n_missing=len(missing),
                first_few=first_few(missing),
            )
        )
    if n_unlabelled:
        notes.append(_("{n_unlabelled:,} rows have no label.", n_unlabelled=n_unlabelled))
    if several:
        some = first_few([printable(file.name) for file in several])
        notes.append(
            _(
                "Left aside, because the table gives them several labels ({n_several:,}): {some}.",
                n_several=len(several),
                some=some,
            )
        )
    if unnamed := [printable(file.name) for file in tree.images_below("") if file not in label_of]:
        notes.append(
            _(
                "Images that {tables} gives no label were left aside ({n_unnamed:,}): {first_few}.",
                tables=tables,
                n_unnamed=len(unnamed),
                first_few=first_few(unnamed),
            )
        )
    parts = tuple(split for split in SPLITS if any(image.split == split for image in images))
    where = tuple(f"{tables}, {label_by or 'column'} = {printable(name)}" for name in counts)
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
        notes.append(_("{n_without:,} images without a split were left aside.", n_without=n_without))
    if "test" not in kinds:
        notes.append(_("There is no test split: the validation images serve as the test set."))
        splits = ["test" if split == "validation" else split for split in splits]
    pairs = zip(images, splits, strict=True)
    return [LabelledImage(image.file, split, image.class_name) for image, split in pairs if split]


def _folder_split(file: SourceFile) -> SplitName:
    return next((split for part in file.name.split("/")[:-1] if (split := split_of(part))), "")
