"""load_folder: load your own images from a folder or a zip archive."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tl_widgets.core.arguments import checked
from tl_widgets.core.config import MAX_IMAGE_SIZE, MIN_IMAGE_SIZE
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent, ignore
from tl_widgets.core.paths import user_path
from tl_widgets.core.settings import Whole
from tl_widgets.core.translation import _, ngettext
from tl_widgets.data.archives import archive_stem, printable
from tl_widgets.data.dataset import (
    IN_MEMORY_BYTES,
    ImageDataset,
    Labels,
    LoadReport,
    Rows,
    Split,
    first_few,
    pick,
    require_classes,
    split_rows,
)
from tl_widgets.data.folder_layout import Layout, apply_edits, find_layout, read_group_column, require_edits
from tl_widgets.data.groups import group_column, group_note, group_numbers, split_groups, with_groups
from tl_widgets.data.image_cache import Pool, load_pool
from tl_widgets.data.layouts.tree import SplitName
from tl_widgets.data.memmap_images import IndexedImages
from tl_widgets.data.reading import find_pages
from tl_widgets.data.sources import Parts, common_root, open_source
from tl_widgets.records.provenance import NO_EDITS, Columns, Edits, Origin

MIN_PER_CLASS = 3
_FULL_DEPTH = 16  # bits
_MAX_LISTED = 8  # classes in a message
TRAIN_SHARE, VALIDATION_SHARE, TEST_SHARE = 0.60, 0.15, 0.25
CARVED_VALIDATION_SHARE = 0.20
# Which copy of an image stays if it is in several splits: test images must not be trained on.
_RANK = {"test": 0, "validation": 1, "train": 2, "": 0}


@checked
def load_folder(
    path: str | os.PathLike[str],
    *,
    image_size: int = 128,
    n_per_class: int | None = None,
    seed: int = 0,
    classes: Sequence[str] | None = None,
    image_column: str | None = None,
    label_column: str | None = None,
    edits: Edits = NO_EDITS,
    groups: str | Mapping[str, str] | None = None,
    test: str | os.PathLike[str] | None = None,
    validation: str | os.PathLike[str] | None = None,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> ImageDataset:
    """Load your own images from a folder or an archive (zip, tar, tar.gz, tgz; 7z with the extra `formats`).

    The classes are sub-folders; or in the file names (`cat.0.jpg`, `dog_12.jpg`); or in a table beside the images
    (`labels.csv`, `train.csv`, Hugging Face's `metadata.csv` or `metadata.jsonl`), whose columns are guessed by their
    content. Folders above the classes are skipped. The `report` says what was guessed.

    If the class folders are inside train/ and test/ (and perhaps validation/), that split is kept; without
    validation/, a fifth of train becomes the validation set. Otherwise 60% of each class are for training, 15% for
    validation and 25% for the test. Images with the same pixels at `image_size` are used only once: the copy in test
    stays, or else the one in validation. An image that appears in two classes is left out.

    Images are turned upright as their EXIF data says, put on white where they are transparent, cropped to the center
    square and resized. They are decoded once and kept in a cache on disk. A data set of more than 200 MB stays on
    disk, and its splits read it batch by batch.

    Args:
        path: the folder or archive; "~" is expanded. It is not changed, and an archive is not unpacked.
        image_size: side of the square images in pixels, 16-512.
        n_per_class: training images of each class; None takes all. Validation and test never change with it.
        seed: decides the split, and which `n_per_class` images are taken.
        classes: names of the classes to use, at least two, in any order; None for all.
        image_column: the column of a table that names the images, where the guess is wrong or unclear.
        label_column: the column with the classes; a table is then used even if there are class folders.
        edits: classes to rename or drop and files to leave out, as made in the Lab's tab "My pictures"; `classes` then
            takes the new names.
        groups: images that belong together (the same person, burst or photograph) and stay on one side of every split:
            a regular expression with one group that finds it in the file's name, such as "^([a-z]+)"; "folder" for the
            sub-folder of the class folder; "column:NAME" for a column of a table beside the images; or a mapping from
            files, as paths below `path`, to groups. Other files stand for themselves. None for the groups in `edits`.
        test: the folder with the test images, if they are elsewhere; `path` is then the folder for training. Each is
            read by itself, whatever its layout, and must have the same classes.
        validation: the folder with the validation images, together with `test`; None takes a fifth of train.
        on_event: receives "decode" events while images are decoded; a second load from the cache sends none.
        cancel: set it to stop.

    Returns:
        The data set. Its three splits share no image; images are uint8, shape (n, image_size, image_size, 3). Its
        `report` says which files were not used, and why.

    Raises:
        InputError: there is no such path, no layout with at least two classes is found, a class has too few images, or
            there is no room in memory or on disk.
        CancelledError: `cancel` was set; nothing is left behind.
    """
    Whole(MIN_IMAGE_SIZE, MAX_IMAGE_SIZE).check("image_size", image_size)
    Whole(0).check("seed", seed)
    if n_per_class is not None:
        Whole(1).check("n_per_class", n_per_class)
    edits = with_groups(edits, groups).in_one_form()
    root = user_path(path)
    source_name = printable(str(root))
    columns = Columns(image_column, label_column)
    parts: Parts = ()
    if test is not None:
        named = {"train": path, "test": test} | ({} if validation is None else {"validation": validation})
        root, parts = common_root(named)
    elif validation is not None:
        raise InputError(_("validation= needs test=: models are tested on images that no choice was made with."))
    source = open_source(root, parts, cancel)
    try:
        full_layout = find_layout(source, printable(str(root)), columns, parts)
        require_edits(full_layout, edits, source_name)
        full_layout = _select_classes(full_layout, classes, edits, source_name)
        # Decode files that are left out, too, so including one again needs no new decoding.
        pool = load_pool(source, full_layout.files, image_size, on_event, cancel)
        column = group_column(edits.groups)
        cells = None if column is None else read_group_column(source, column, columns)
        pages = find_pages(source, [labelled.file for labelled in full_layout.files])
    finally:
        source.close()
    layout, rows = apply_edits(full_layout, edits)
    pool = pool.select(rows)
    skipped = [
        *source.listing.skipped,
        *((f.name, reason) for f, reason in zip(layout.files, pool.reasons, strict=True) if reason),
    ]
    kept, duplicates, ambiguous = _without_copies(layout, pool)
    skipped = sorted((printable(name), reason) for name, reason in [*skipped, *ambiguous])
    labels = np.array([layout.files[i].label for i in kept], np.int64)
    _require_enough(layout, kept, labels, skipped, source_name)
    files = {pool.keys[i]: printable(layout.files[i].name) for i in kept}
    notes, numbers = layout.notes, None
    if pages:
        notes += (
            _(
                "TIFF files with several pages, of which the first is used: {first_few}.",
                first_few=first_few(list(map(printable, pages))),
            ),
        )
    if 0 < pool.depth < _FULL_DEPTH:
        values = _("values up to {most:,} only ({bits} bits)", most=2**pool.depth - 1, bits=pool.depth)
        notes += (
            _("The 16-bit files hold {values}. They were stretched, or they would be nearly black.", values=values),
        )
    if edits.has_groups:
        numbers = group_numbers([layout.files[i] for i in kept], edits, cells)
        notes += (group_note(numbers, [layout.files[i].split for i in kept]),)
    where = _where(full_layout, layout, edits)
    report = LoadReport(len(kept), tuple(skipped), tuple(duplicates), notes, files, where)
    splits = _splits(layout, pool, kept, labels, numbers, seed)
    name = printable(archive_stem(source.path.name) if source.path.is_file() else source.path.name)
    if parts:
        name = printable(user_path(path).name)
    # A script that reads the folders itself would find other images.
    labels_from = layout.labels_from if layout.is_plain and not pool.depth else _("folders, with exceptions")
    origin = Origin("folder", seed, path=str(source.path), folders=layout.places, edits=edits,
                    labels_from=labels_from, columns=columns, parts=parts)  # fmt: skip
    if classes is not None:
        origin = replace(origin, classes=layout.class_names)
    caption = _("images in {source_name}", source_name=source_name)
    dataset = ImageDataset(name, *splits, layout.class_names, caption, report, origin)
    return dataset if n_per_class is None else dataset.take(n_per_class, seed=seed)


def _where(full_layout: Layout, layout: Layout, edits: Edits) -> tuple[str, ...]:
    """Return where the images of each class come from."""
    where = dict(zip(full_layout.class_names, full_layout.where, strict=True))
    return tuple(where[edits.folder_of(name)] for name in layout.class_names)


def _select_classes(layout: Layout, classes: Sequence[str] | None, edits: Edits, source_name: str) -> Layout:
    """Return the unedited layout with some classes, named as after the edits."""
    if classes is None:
        return layout
    class_names = require_classes(classes, apply_edits(layout, edits)[0].class_names, source_name)
    folders = {edits.folder_of(name) for name in class_names}
    names = tuple(name for name in layout.class_names if name in folders)
    label_of = {layout.class_names.index(name): label for label, name in enumerate(names)}
    files = tuple(replace(file, label=label_of[file.label]) for file in layout.files if file.label in label_of)
    where = tuple(layout.where[layout.class_names.index(name)] for name in names)
    return replace(layout, files=files, class_names=names, where=where)


def _without_copies(layout: Layout, pool: Pool) -> tuple[Rows, list[tuple[str, str]], list[tuple[str, str]]]:
    """Choose the files to use, without copies or images that appear in two classes.

    Returns:
        Their indices, ascending; (file, identical file) for each copy; (file, reason) for each image in two classes.
    """
    copies: dict[bytes, list[int]] = {}
    for i, key in enumerate(pool.keys):
        if key:
            copies.setdefault(key, []).append(i)
    kept: list[int] = []
    duplicates: list[tuple[str, str]] = []
    ambiguous: list[tuple[str, str]] = []
    for group in copies.values():
        group.sort(key=lambda i: (_RANK[layout.files[i].split], i))
        first = layout.files[group[0]]
        if any(layout.files[i].label != first.label for i in group):
            for i in group:
                other = next(layout.files[j] for j in group if layout.files[j].label != layout.files[i].label)
                reason = _(
                    "the same image is also {other_name}, so what it shows is unclear", other_name=printable(other.name)
                )
                ambiguous.append((layout.files[i].name, reason))
            continue
        kept.append(group[0])
        duplicates += [(printable(layout.files[i].name), printable(first.name)) for i in group[1:]]
    return np.array(sorted(kept), np.int64), sorted(duplicates), ambiguous


def _require_enough(
    layout: Layout, kept: Rows, labels: Labels, skipped: list[tuple[str, str]], source_name: str
) -> None:
    """Raise `InputError` if a class has too few images, overall or in a split."""
    splits = np.array([layout.files[i].split for i in kept], dtype=object)
    # Without a validation folder, train needs an image for validation and one for itself.
    least = {split: 2 if split == "train" and "validation" not in layout.splits else 1 for split in layout.splits}
    called = {split: _split_text(layout, split) for split in layout.splits}
    for label, name in enumerate(layout.class_names):
        n_images = int((labels == label).sum())
        shortages = [
            _("{called} has {n}", called=called[split], n=n)
            for split in layout.splits
            if (n := int(((labels == label) & (splits == split)).sum())) < least[split]
        ]
        if n_images >= MIN_PER_CLASS and not shortages:
            continue
        skipped_here = [f"{file} ({reason})" for file, reason in skipped if f"/{name}/" in f"/{file}"]
        reasons = _(" Skipped in it: {first_few}.", first_few=first_few(skipped_here)) if skipped_here else ""
        minimum = ", ".join(_("{n} in {called}", n=n, called=called[split]) for split, n in least.items()) or _(
            "one for each of train, validation and test"
        )
        message = ngettext(
            "Class {name!r} of {source} has {n} usable image",
            "Class {name!r} of {source} has {n} usable images",
            n_images,
            name=name,
            source=source_name,
        )
        if shortages:
            message += f" ({', '.join(shortages)})"
        others = [other for other in layout.class_names if other != name]
        few = len(others) <= _MAX_LISTED and not any("," in other for other in others)
        python, terminal = (f"{others}", f" {shlex.quote(','.join(others))}") if few else ("[...]", "")
        raise InputError(
            _(
                "{problem}; it needs at least {min_per_class}, {minimum}. Add images, or leave the "
                "class out with classes={python} (--classes{terminal} in the terminal).{reasons}",
                problem=message,
                min_per_class=MIN_PER_CLASS,
                minimum=minimum,
                python=python,
                terminal=terminal,
                reasons=reasons,
            )
        )


def _split_text(layout: Layout, split: SplitName) -> str:
    """Return the folder of a split as the user called it: "valid/"; or the split's name."""
    folder = dict(layout.places).get(split, "").rpartition("/")[2]
    return f"{printable(folder)}/" if folder and layout.labels_from == "folders" else split


def _splits(
    layout: Layout, pool: Pool, kept: Rows, labels: Labels, numbers: Labels | None, seed: int
) -> tuple[Split, Split, Split]:
    """Return train, validation and test splits of the files in `kept`, whose groups have these numbers."""

    def divide(rows: Rows, validation: float, test: float) -> tuple[Rows, Rows, Rows]:
        if numbers is None:
            return split_rows(labels[rows], validation, test, seed)
        return split_groups(labels[rows], numbers[rows], validation, test, seed, layout.class_names)

    if not layout.splits:
        train, validation, test = divide(np.arange(len(kept)), VALIDATION_SHARE, TEST_SHARE)
    else:
        split_names = np.array([layout.files[i].split for i in kept])
        train, validation, test = (np.flatnonzero(split_names == name) for name in ("train", "validation", "test"))
        if "validation" not in layout.splits:
            remaining, carved, _ = divide(train, CARVED_VALIDATION_SHARE, 0)
            train, validation = train[remaining], train[carved]
    assert pool.images is not None  # _require_enough has checked that every class has images
    images = pool.images.select(pool.rows[kept])
    make_split = pick if images.nbytes <= IN_MEMORY_BYTES else _split_on_disk

    def part(rows: Rows) -> Split:
        split = make_split(images, labels, rows)
        return split if numbers is None else replace(split, groups=numbers[rows])

    return part(train), part(validation), part(test)


def _split_on_disk(images: IndexedImages, labels: Labels, rows: Rows) -> Split:
    """Return a split whose images stay on disk."""
    chosen_labels = labels[rows]
    chosen_labels.flags.writeable = False
    return Split(images.select(rows), chosen_labels)
