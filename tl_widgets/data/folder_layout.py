"""Find the classes and splits of a source, and apply edits to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _, in_english, ngettext
from tl_widgets.data.archives import ImageSource, SourceFile, is_archive_name, printable
from tl_widgets.data.dataset import Rows, first_few
from tl_widgets.data.layouts.class_folders import read_class_folders
from tl_widgets.data.layouts.file_names import read_file_names
from tl_widgets.data.layouts.label_table import read_columns, read_label_table
from tl_widgets.data.layouts.masks import find_masks
from tl_widgets.data.layouts.other_tasks import image_pairs, other_task
from tl_widgets.data.layouts.tree import (
    IMAGE_SUFFIXES as IMAGE_SUFFIXES,
    SPLITS,
    LabelledImage,
    LabelSource,
    NoClassesError,
    Reading,
    SplitName,
    Tree,
    UnclearColumnsError,
    are_generic,
)
from tl_widgets.data.names import with_folders_above
from tl_widgets.records.provenance import NO_COLUMNS, Columns, Edits


@dataclass(frozen=True)
class LabelledFile:
    """A file with its class.

    Attributes:
        name: path below the folder that holds the classes (or train/ and test/); may contain surrogates.
        split: "" if the folder has no train/ and test/.
        label: index of its class.
        below: its path from the class folder on, whatever lies above in each split.
    """

    file: SourceFile
    name: str
    split: SplitName
    label: int
    below: str


@dataclass(frozen=True)
class Layout:
    """The files of a data set, before any is read.

    Attributes:
        files: sorted by name.
        class_names: sorted, printable, one per label.
        splits: the splits that have a folder; empty if there are only class folders.
        notes: sentences on what was guessed or ignored.
        places: (split, folder) for each folder that holds class folders; ("", folder) without given splits.
        labels_from: where the classes come from.
        where: for each class, where its images come from; in the order before any edits.
        is_plain: whether a program that reads whole class folders, by the names on disk, finds the same images.
    """

    files: tuple[LabelledFile, ...]
    class_names: tuple[str, ...]
    splits: tuple[SplitName, ...]
    notes: tuple[str, ...]
    places: tuple[tuple[SplitName, str], ...]
    labels_from: LabelSource = "folders"
    where: tuple[str, ...] = ()
    is_plain: bool = True


def find_layout(
    source: ImageSource, source_name: str, columns: Columns = NO_COLUMNS, parts: Sequence[tuple[str, str]] = ()
) -> Layout:
    """Find the classes and the given splits of the source with this name; `parts` are folders named for each split.

    Class folders come first, then a table of labels, then classes in the file names. A table comes first if its columns
    were named, or if the folders are called like containers ("images", "part_1").

    Raises:
        InputError: no layout fits; the message says what the data look like.
    """
    if parts:
        reading = _read_parts(source, parts, source_name, columns)
    else:
        reading = _read_labels(source, Tree(source.listing), source_name, columns)
    n_cut = len(reading.root) + 1 if reading.root else 0
    above = parts if reading.labels_from != "folders" else reading.places  # the folders named for splits lie anywhere
    tops = [f"{folder}/" for _, folder in above] if parts else []
    labels = {name: label for label, name in enumerate(reading.class_names)}
    files = tuple(
        LabelledFile(
            image.file,
            name := image.file.name[n_cut:],
            image.split,
            labels[image.class_name],
            next((name.removeprefix(top) for top in tops if name.startswith(top)), _below_split(name, image.split)),
        )
        for image in reading.images
    )
    names = tuple(map(printable, reading.class_names))
    notes = (*reading.notes, *source.listing.notes)
    is_plain = reading.is_plain and not source.listing.notes
    return Layout(files, names, reading.splits, notes, reading.places, reading.labels_from, reading.where, is_plain)


def _below_split(name: str, split: SplitName) -> str:
    return name.partition("/")[2] if split else name


def read_group_column(source: ImageSource, column: str, columns: Columns = NO_COLUMNS) -> dict[str, str]:
    """Return the cells of a column of a table beside the images, by the image's `SourceFile.name`.

    Raises:
        InputError: no table of images has this column.
    """
    found = read_columns(source, Tree(source.listing), columns.image)
    if column not in found:
        named = _("they have {first_few}", first_few=first_few(list(map(repr, found)))) if found else _("there is none")
        raise InputError(
            _(
                "No table beside the images that names them has a column {column!r}: {named}.",
                column=column,
                named=named,
            )
        )
    return found[column]


def _read_labels(source: ImageSource, tree: Tree, source_name: str, columns: Columns) -> Reading:
    if columns:
        reading, _unused = read_label_table(source, tree, columns)
        assert reading is not None  # named columns are found or an error
        return reading
    masks = find_masks(source, tree)
    if masks:
        tree = tree.without({file for files in masks.values() for file in files})
    folders, problem = None, ""
    try:
        folders = read_class_folders(tree, source_name)
        class_folders = [folder for _, place in folders.places for folder in tree.children(place)]
        if pair := image_pairs(tree, class_folders):
            raise InputError(_("{source_name} has no classes to read. {pair}", source_name=source_name, pair=pair))
        if not are_generic(list(folders.class_names)):
            return _with_masks(_with_unused_tables(tree, folders), masks)
    except NoClassesError as error:
        problem = str(error)
    numbered = folders is not None and all(name.isdecimal() for name in folders.class_names)
    unclear: UnclearColumnsError | None = None
    try:
        reading, unused = read_label_table(source, tree)
    except InputError as error:
        if isinstance(error, UnclearColumnsError) and error.argument == "image_column":
            unclear = error  # the file names may say more
        elif not numbered:
            raise
        reading, unused = None, [str(error)]
    reading = reading or (None if numbered else read_file_names(tree))
    task = "" if numbered else other_task(source, tree, masks)
    if reading is not None:
        if task:
            unused.append(_("Boxes or masks that lie beside the pictures are not used."))
        return _with_masks(replace(reading, notes=(*reading.notes, *unused)), masks)
    if task:
        raise InputError(_("{source_name} has no classes to read. {task}", source_name=source_name, task=task))
    if folders is not None:
        return _with_masks(_with_unused_tables(tree, folders), masks)
    if unclear is not None:
        raise unclear
    instead = _why_empty(source, source_name)
    if instead and not in_english(instead[0]).startswith("Skipped"):
        raise InputError(" ".join([*instead, *unused]))
    raise InputError(" ".join([problem, *unused, *instead]))


def _read_parts(source: ImageSource, parts: Sequence[tuple[str, str]], source_name: str, columns: Columns) -> Reading:
    """Read each folder by itself; all of its images belong to the split it was named for."""
    readings: list[tuple[SplitName, Reading]] = []
    for split, folder in parts:
        files = tuple(file for file in source.listing.files if file.name.startswith(f"{folder}/"))
        folders = {name for name in source.listing.folders if name.startswith(f"{folder}/")}
        with_folders_above(folder, folders)
        tree = Tree(replace(source.listing, files=files, folders=frozenset(folders)))
        name = f"{source_name}/{printable(folder)}"
        reading = _read_labels(source, tree, name, columns)
        if reading.splits:
            raise InputError(
                _("{name} has its own split. Give it alone, or one of its folders for {split}.", name=name, split=split)
            )
        readings.append((cast("SplitName", split), reading))
    train = dict(readings)["train"]
    known = {name.casefold(): name for name in train.class_names}
    images: list[LabelledImage] = []
    for split, reading in readings:
        if other := sorted({name for name in reading.class_names if name.casefold() not in known}):
            raise InputError(
                _(
                    "The folder for {split} has classes that the one for train lacks: {first_few}. Both "
                    "must have the same classes.",
                    split=split,
                    first_few=first_few([repr(printable(name)) for name in other]),
                )
            )
        images += [
            LabelledImage(image.file, split, known[image.class_name.casefold()]) for image in reading.images
        ]  # fmt: skip
    notes = dict.fromkeys(f"{split}: {note}" for split, reading in readings for note in reading.notes)
    return Reading(
        images=tuple(images),
        class_names=train.class_names,
        splits=tuple(split for split in SPLITS if split in dict(readings)),
        notes=tuple(notes),
        labels_from=train.labels_from,
        places=tuple((split, place) for split, reading in readings for _, place in reading.places),
        root="",
        is_plain=all(
            reading.is_plain and reading.labels_from == "folders" and reading.class_names == train.class_names
            for _, reading in readings
        ),
        where=tuple(_where_in_parts(name.casefold(), parts, readings) for name in train.class_names),
    )


def _where_in_parts(key: str, parts: Sequence[tuple[str, str]], readings: Sequence[tuple[SplitName, Reading]]) -> str:
    found = []
    for (_unused, folder), (_unused, reading) in zip(parts, readings, strict=True):
        wheres = zip(reading.class_names, reading.where, strict=True)
        found += [f"{printable(folder)}: {where}" for name, where in wheres if name.casefold() == key]
    return "; ".join(found)


def _with_masks(reading: Reading, masks: Mapping[str, Sequence[SourceFile]]) -> Reading:
    if not masks:
        return reading
    n, places = sum(map(len, masks.values())), first_few([printable(place) for place in masks])
    note = _("Masks of pictures were left aside ({n:,}): {places}.", n=n, places=places)
    return replace(reading, notes=(*reading.notes, note), is_plain=False)


def _with_unused_tables(tree: Tree, folders: Reading) -> Reading:
    tables = [printable(file.name) for file in tree.tables()]
    if not tables:
        return folders
    note = _(
        "The classes are the folders; not used: {first_few} (label_column= takes the classes from a table).",
        first_few=first_few(tables),
    )
    return replace(folders, notes=(*folders.notes, note))


def _why_empty(source: ImageSource, source_name: str) -> list[str]:
    """Return sentences on what was found instead of classes."""
    listing = source.listing
    links = [name for name, reason in listing.skipped if "link" in in_english(reason)]
    archives = [file.name for file in listing.files if is_archive_name(file.name)]
    called = first_few([printable(name) for name in links or archives])
    if links and not listing.files:
        return [
            _(
                "What {source_name} holds are links to other places, which are not followed: {called}. "
                "Copy the folders here, or give the folder that they lie in.",
                source_name=source_name,
                called=called,
            )
        ]
    if len(archives) == 1:
        advice = (
            _("give only that: {source_name}/{archive}", source_name=source_name, archive=printable(archives[0]))
            if source.path.is_dir()
            else _("give only that")
        )
        return [
            _(
                "{source_name} holds an archive, {called}. Unpack it, or {advice}.",
                source_name=source_name,
                called=called,
                advice=advice,
            )
        ]
    if archives:
        return [
            _(
                "{source_name} holds {n_archives} archives: {called}. Unpack each into a sub-folder of "
                "its own, one for each class.",
                source_name=source_name,
                n_archives=len(archives),
                called=called,
            )
        ]
    if not listing.skipped:
        return []
    reasons = [f"{printable(name)} ({reason})" for name, reason in listing.skipped]
    return [_("Skipped: {files}.", files=first_few(reasons))]


MAX_NAME = 80  # characters of a class name: it must fit into figures and tables


def require_class_name(name: object) -> str:
    """Return a class name without surrounding spaces, or raise InputError."""
    text = name.strip() if isinstance(name, str) else ""
    if not text or len(text) > MAX_NAME or printable(text) != text:
        raise InputError(
            _(
                "{name!r:.100} cannot be the name of a class. Use 1 to {max_name} printable characters.",
                name=name,
                max_name=MAX_NAME,
            )
        )
    return text


def require_edits(layout: Layout, edits: Edits, source_name: str) -> None:
    """Raise `InputError` unless the edits fit the complete layout."""
    folders = [folder for folder, _ in edits.renamed] + list(edits.dropped)
    if missing := sorted(set(folders) - set(layout.class_names)):
        raise InputError(
            _(
                "{source_name} has no class folder {missing!r}, which was renamed or dropped. Put it "
                "back, or start over.",
                source_name=source_name,
                missing=missing[0],
            )
        )
    names = [edits.name_of(folder) for folder in layout.class_names if folder not in edits.dropped]
    if repeated := [name for name, n in Counter(names).items() if n > 1]:
        raise InputError(
            _(
                "Two classes of {source_name} would be called {repeated!r}. Give each class its own name.",
                source_name=source_name,
                repeated=repeated[0],
            )
        )
    if len(names) < 2:
        raise InputError(
            _(
                "{source_name} has {n_names} class left; you need at least two. Take one back.",
                source_name=source_name,
                n_names=len(names),
            )
        )


def apply_edits(layout: Layout, edits: Edits) -> tuple[Layout, Rows]:
    """Apply edits that `require_edits` has accepted.

    Returns:
        The layout, its classes sorted by their new names and its files by class; and each file's row in the old
        layout, int64, shape (n_files,). Without edits, the layout is unchanged.
    """
    if not edits:
        return layout, np.arange(len(layout.files), dtype=np.int64)
    kept = [folder for folder in layout.class_names if folder not in edits.dropped]
    names = sorted(edits.name_of(folder) for folder in kept)
    label_of = {layout.class_names.index(folder): names.index(edits.name_of(folder)) for folder in kept}
    left_out = set(edits.left_out)
    used = [labelled.label in label_of and labelled.file.name not in left_out for labelled in layout.files]
    rows = [i for i, is_used in enumerate(used) if is_used]
    rows.sort(key=lambda i: (label_of[layout.files[i].label], i))
    files = tuple(replace(layout.files[i], label=label_of[layout.files[i].label]) for i in rows)
    n_out = sum(labelled.file.name in left_out for labelled in layout.files if labelled.label in label_of)
    notes = layout.notes
    if dropped := [folder for folder in layout.class_names if folder in edits.dropped]:
        notes += (_("Ignored classes: {dropped}.", dropped=", ".join(dropped)),)
    if n_out:
        notes += (ngettext("Left out by hand: {n:,} image.", "Left out by hand: {n:,} images.", n_out),)
    return replace(layout, files=files, class_names=tuple(names), notes=notes), np.array(rows, np.int64)
