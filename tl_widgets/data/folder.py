"""load_folder: images of your own, from a folder or a zip archive."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tl_widgets.core.config import MAX_IMAGE_SIZE, MIN_IMAGE_SIZE
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent, ignore
from tl_widgets.data.archives import open_source, printable
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
    require_whole_number,
    split_rows,
)
from tl_widgets.data.folder_layout import Layout, edited, find_layout, require_edits
from tl_widgets.data.image_cache import Pool, load_pool
from tl_widgets.data.memmap_images import IndexedImages
from tl_widgets.records.provenance import NO_EDITS, Edits, Origin

MIN_PER_CLASS = 3
VALIDATION_SHARE, TEST_SHARE = 0.15, 0.25
CARVED_VALIDATION_SHARE = 0.20
# Which copy of an image stays when it stands in several splits: what is tested on must not be trained on.
_RANK = {"test": 0, "validation": 1, "train": 2, "": 0}


def load_folder(
    path: str | os.PathLike[str],
    *,
    image_size: int = 128,
    n_per_class: int | None = None,
    seed: int = 0,
    classes: Sequence[str] | None = None,
    edits: Edits = NO_EDITS,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> ImageDataset:
    """Load images of your own: a folder with one sub-folder for each class, or a .zip of it.

    With train/ and test/ (and perhaps validation/) above the class folders, that split is kept; without
    validation/, a fifth of train is set aside for it. Otherwise 60 % of each class is for training, 15 % for
    validation and 25 % for the test. Images with the same content (the same pixels at `image_size`) are used
    once: the copy in test stays, then the one in validation. An image that stands in two classes is left out.

    Images are turned as their camera says, put on white where they are transparent, cropped to the center
    square and resized. They are decoded once and kept in a cache on disk. A data set of more than 200 MB
    stays there, and its splits read from it batch by batch.

    Args:
        path: the folder or zip archive; "~" is understood. Nothing in it is changed, and no zip is unpacked.
        image_size: side of the square images in pixels, 16-512.
        n_per_class: training images of each class; None takes all. Validation and test do not change with it.
        seed: decides the split, and which `n_per_class` are taken.
        classes: names of the class folders to use, at least two; None for all. Their order does not matter.
        edits: classes to rename or drop and files to leave out, as the Lab's tab "Images" notes them; `classes` are
            then the names after it.
        on_event: receives "decode" events while images are read; a second load has nothing to decode.
        cancel: stops the reading.

    Returns:
        Images uint8, shape (n, image_size, image_size, 3), in three splits that share no image; `report` says
        which files were not used, and why.

    Raises:
        InputError: no such path, no class folders, one class only, a class with too few images, or no room.
        CancelledError: `cancel` was set; nothing is left behind.
    """
    require_whole_number("image_size", image_size, MIN_IMAGE_SIZE, MAX_IMAGE_SIZE)
    require_whole_number("seed", seed, 0)
    if n_per_class is not None:
        require_whole_number("n_per_class", n_per_class, 1)
    if not isinstance(path, str | os.PathLike):
        raise InputError(f"path must be the path of a folder or a zip file; received {path!r}.")
    root = Path(path).expanduser()
    where = printable(str(root))
    source = open_source(root)
    try:
        whole = find_layout(source.listing, where)
        require_edits(whole, edits, where)
        whole = _chosen(whole, classes, edits, where)
        # All of it, left out or not: to take an image back must not mean to read them all again.
        pool = load_pool(source, whole.files, image_size, on_event, cancel)
    finally:
        source.close()
    layout, rows = edited(whole, edits)
    pool = pool.select(rows)
    skipped = [
        *source.listing.skipped,
        *((f.name, why) for f, why in zip(layout.files, pool.reasons, strict=True) if why),
    ]
    kept, duplicates, unclear = _without_copies(layout, pool)
    skipped = sorted((printable(name), reason) for name, reason in [*skipped, *unclear])
    labels = np.array([layout.files[i].label for i in kept], np.int64)
    _require_enough(layout, kept, labels, skipped, where)
    files = {pool.keys[i]: printable(layout.files[i].name) for i in kept}
    report = LoadReport(len(kept), tuple(skipped), tuple(duplicates), layout.notes, files)
    train, validation, test = _splits(layout, pool, kept, labels, seed)
    name = printable(source.path.stem if source.path.is_file() else source.path.name)
    origin = Origin("folder", seed, path=str(source.path), folders=layout.places, edits=edits)
    if classes is not None:
        origin = replace(origin, classes=layout.class_names)
    caption = f"images in {where}"
    dataset = ImageDataset(name, train, validation, test, layout.class_names, caption, report, origin)
    return dataset if n_per_class is None else dataset.take(n_per_class, seed=seed)


def _chosen(layout: Layout, classes: Sequence[str] | None, edits: Edits, where: str) -> Layout:
    """Return the layout with some of its classes only, before the edits, so nothing else is even read.

    Raises:
        InputError: fewer than two classes, or one that is not there.
    """
    if classes is None:
        return layout
    wanted = require_classes(classes, edited(layout, edits)[0].class_names, where)
    folders = {edits.folder_of(name) for name in wanted}
    names = tuple(name for name in layout.class_names if name in folders)
    label_of = {layout.class_names.index(name): label for label, name in enumerate(names)}
    files = tuple(replace(file, label=label_of[file.label]) for file in layout.files if file.label in label_of)
    return replace(layout, files=files, class_names=names)


def _without_copies(layout: Layout, pool: Pool) -> tuple[Rows, list[tuple[str, str]], list[tuple[str, str]]]:
    """Choose the files to use, so no content is there twice.

    Returns:
        Their indices, ascending; (file, the file it equals) for copies; (file, reason) for those whose
        content stands in two classes: nobody can learn or test what it is.
    """
    copies: dict[bytes, list[int]] = {}
    for i, key in enumerate(pool.keys):
        if key:
            copies.setdefault(key, []).append(i)
    kept: list[int] = []
    duplicates: list[tuple[str, str]] = []
    unclear: list[tuple[str, str]] = []
    for group in copies.values():
        group.sort(key=lambda i: (_RANK[layout.files[i].split], i))
        first = layout.files[group[0]]
        if any(layout.files[i].label != first.label for i in group):
            for i in group:
                other = next(layout.files[j] for j in group if layout.files[j].label != layout.files[i].label)
                reason = f"the same image is also {printable(other.name)}, so what it shows is unclear"
                unclear.append((layout.files[i].name, reason))
            continue
        kept.append(group[0])
        duplicates += [(printable(layout.files[i].name), printable(first.name)) for i in group[1:]]
    return np.array(sorted(kept), np.int64), sorted(duplicates), unclear


def _require_enough(layout: Layout, kept: Rows, labels: Labels, skipped: list[tuple[str, str]], where: str) -> None:
    """Raise `InputError` when a class, or its share of a given split, is too small."""
    splits = np.array([layout.files[i].split for i in kept], dtype=object)
    # Without a validation folder, train gives it an image and keeps one.
    least = {split: 2 if split == "train" and "validation" not in layout.splits else 1 for split in layout.splits}
    for label, name in enumerate(layout.class_names):
        n_images = int((labels == label).sum())
        short = [f"{split}/ has {n}" for split in layout.splits
                 if (n := int(((labels == label) & (splits == split)).sum())) < least[split]]  # fmt: skip
        if n_images >= MIN_PER_CLASS and not short:
            continue
        lost = [f"{file} ({why})" for file, why in skipped if f"/{name}/" in f"/{file}"]
        reasons = f" Skipped in it: {first_few(lost)}." if lost else ""
        needs = (
            ", ".join(f"{n} in {split}/" for split, n in least.items()) or "one for each of train, validation and test"
        )
        having = f"Class {name!r} of {where} has {n_images} usable image{'s' if n_images != 1 else ''}"
        if short:
            having += f" ({', '.join(short)})"
        raise InputError(
            f"{having}; it needs at least {MIN_PER_CLASS}, {needs}. Add images, or remove the folder.{reasons}"
        )


def _splits(layout: Layout, pool: Pool, kept: Rows, labels: Labels, seed: int) -> tuple[Split, Split, Split]:
    """Return the three splits of the files in `kept`."""
    if not layout.splits:
        train, validation, test = split_rows(labels, VALIDATION_SHARE, TEST_SHARE, seed)
    else:
        of = np.array([layout.files[i].split for i in kept])
        train, validation, test = (np.flatnonzero(of == name) for name in ("train", "validation", "test"))
        if "validation" not in layout.splits:
            stay, carved, _ = split_rows(labels[train], CARVED_VALIDATION_SHARE, 0, seed)
            train, validation = train[stay], train[carved]
    assert pool.images is not None  # every class has images by now
    images = pool.images.select(pool.rows[kept])
    make = pick if images.nbytes <= IN_MEMORY_BYTES else _stored
    return make(images, labels, train), make(images, labels, validation), make(images, labels, test)


def _stored(images: IndexedImages, labels: Labels, rows: Rows) -> Split:
    """Return a split whose images stay on disk."""
    chosen = labels[rows]
    chosen.flags.writeable = False
    return Split(images.select(rows), chosen)
