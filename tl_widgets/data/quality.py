"""Check a data set, before training, for problems that would mislead a comparison.

Near-duplicates are images in two splits that look almost the same: saved again, resized, or shot in one burst. They are
found in two steps. A difference hash (N. Krawetz, "Kind of Like That", hackerfactor.com, 2013) finds candidates: the
gray image is averaged over 8 x 9 fields, and 64 bits say whether a field is brighter than its right neighbor. The hash
is robust to size, compression and brightness, but it can also agree by chance. So a candidate counts only if small
color versions of both images correlate almost perfectly. Measured on textures, faces and photographs of flowers, this
finds nine in ten copies that are brighter, have more contrast, half the size or JPEG quality 30 (two in three for such
JPEGs of grass and gravel); about half of the copies cropped by 2% at each side, and none cropped by 5%.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.errors import InputError
from tl_widgets.data.archives import ImageSource, SourceFile
from tl_widgets.data.dataset import ImageDataset, Rows, Split, first_few, image_key
from tl_widgets.data.decode import FORMATS
from tl_widgets.data.folder import TRAIN_SHARE
from tl_widgets.data.folder_layout import apply_edits, find_layout
from tl_widgets.data.groups import suggest_groups
from tl_widgets.data.sources import open_source
from tl_widgets.records.comparison import Diagnosis
from tl_widgets.records.provenance import Origin
from tl_widgets.records.run import IMBALANCE

TINY_CLASS = 10  # training images
_MAX_SAMPLED_FILES = 40  # files of each class, evenly spaced
_MIN_FILES = 5  # with fewer files in a class, one common size means nothing
_Size = tuple[int, int]


def check_dataset(dataset: ImageDataset) -> tuple[Diagnosis, ...]:
    """Check a data set for problems that would make a comparison misleading.

    Args:
        dataset: the data set. A built-in one is not searched for near-duplicates, because its split is documented and
            handwritten digits of 8 x 8 pixels do look alike. For a folder or zip, some files are opened to read their
            size.

    Returns:
        The findings, most serious first: "near_duplicates", "source_size", "imbalance", "tiny_class".
    """
    return (*_near_duplicates(dataset), *_source_sizes(dataset), *_imbalance(dataset), *_tiny_classes(dataset))


def _near_duplicates(dataset: ImageDataset) -> Iterator[Diagnosis]:
    if dataset.origin is not None and dataset.origin.kind == "built-in":
        return
    # Copies in the test split are the most serious, so they come first.
    duplicates = sorted(find_near_duplicates(dataset), key=lambda duplicate: duplicate.split)
    n_tested = sum(duplicate.split == "test" for duplicate in duplicates)
    if not duplicates:
        return
    n, n_all, split = (
        (n_tested, len(dataset.test), "test") if n_tested else (len(duplicates), len(dataset.validation), "validation")
    )
    text = f"{n} of the {n_all} {split} images look{'s' if n == 1 else ''} almost like a training image. "
    text += "Recognizing those shows memory, not learning"
    if n < len(duplicates):
        text += f"; the same goes for {len(duplicates) - n} of the {len(dataset.validation)} validation images"
    yield Diagnosis(
        "near_duplicates",
        f"{text}. Alike: {first_few([_pair_text(dataset, duplicate) for duplicate in duplicates])}.",
        f"Look at them: {_advice(dataset, duplicates)}",
    )


def _advice(dataset: ImageDataset, duplicates: list[NearDuplicate]) -> str:
    """Return what to do about near-duplicates, with the groups that the files' names suggest."""
    if dataset.origin is None or dataset.origin.kind != "folder" or dataset.report is None:
        return "remove one of two copies, and put pictures of one scene or one burst into one split."
    if any(split for split, _ in dataset.origin.folders):
        return (
            "move what belongs together to one side of the folder's own split (train/ and test/ folders), or leave out "
            "all but one, with load_folder(path, edits=leave_out_copies(dataset))."
        )
    sides = {"validation": dataset.validation, "test": dataset.test}
    files = dataset.report.files
    pairs = [
        (files.get(sides[pair.split].keys[pair.row], ""), files.get(dataset.train.keys[pair.train_row], ""))
        for pair in duplicates
    ]
    groups = suggest_groups(pairs, list(files.values()))
    how = f"groups={groups!r}" if groups else "edits=keep_together(dataset)"
    return (
        f"keep images that belong together on one side of the split, with load_folder(path, {how}), or leave out all "
        "but one of them, with edits=leave_out_copies(dataset)."
    )


def _pair_text(dataset: ImageDataset, duplicate: NearDuplicate) -> str:
    """Name the two images by their files, or by their rows if they have none."""
    files = dataset.report.files if dataset.report else {}
    split = dataset.test if duplicate.split == "test" else dataset.validation
    name = files.get(image_key(split.images[duplicate.row]), f"image {duplicate.row}")
    other = files.get(image_key(dataset.train.images[duplicate.train_row]), f"image {duplicate.train_row}")
    return f"{name} ({duplicate.split}) and {other} (train)"


def _imbalance(dataset: ImageDataset) -> Iterator[Diagnosis]:
    counts = np.bincount(dataset.train.labels, minlength=dataset.n_classes)
    most, least = int(counts.argmax()), int(counts.argmin())
    if counts[most] >= IMBALANCE * max(counts[least], 1):
        names = dataset.class_names
        yield Diagnosis(
            "imbalance",
            f"The classes are unequal: {counts[most]} training images of {names[most]}, {counts[least]} of "
            f"{names[least]}. Always answering {names[most]} would look better than it is.",
            "Look at each class's recall, train with class weights, add images of the rare class, or take "
            "as many of each (n_per_class; in the Lab, Images per class).",
        )


def _tiny_classes(dataset: ImageDataset) -> Iterator[Diagnosis]:
    if dataset.origin is not None and dataset.origin.n_per_class is not None:
        return  # the user asked for few
    counts = np.bincount(dataset.train.labels, minlength=dataset.n_classes)
    tiny = [f"{dataset.class_names[i]} has {counts[i]}" for i in range(dataset.n_classes) if counts[i] < TINY_CLASS]
    if tiny:
        advice = "Add images"
        if dataset.n_classes - len(tiny) >= 2:  # otherwise there would be nothing left to tell apart
            advice += ", or leave these classes out"
        if dataset.origin is not None and [split for split, _ in dataset.origin.folders] == [""]:
            advice += f"; about {math.ceil(TINY_CLASS / TRAIN_SHARE)} in a class give {TINY_CLASS} to train on"
        yield Diagnosis(
            "tiny_class",
            f"Some classes have very few training images: {first_few(tiny)}.",
            f"Results for them are little more than chance. {advice}.",
        )


def _source_sizes(dataset: ImageDataset) -> Iterator[Diagnosis]:
    """Find classes whose files all have one size that no other class has."""
    if dataset.origin is None or dataset.origin.kind != "folder":
        return
    sizes = _sizes_by_class(dataset.origin)
    suspects = []
    for name, class_sizes in sizes.items():
        others = {size for other, other_sizes in sizes.items() if other != name for size in other_sizes}
        if len(class_sizes) >= _MIN_FILES and len(set(class_sizes)) == 1 and others and class_sizes[0] not in others:
            suspects.append(f"{name} ({class_sizes[0][0]} x {class_sizes[0][1]} pixels)")
    if suspects:
        yield Diagnosis(
            "source_size",
            f"All files of a class have one size that no other class has: {first_few(suspects)}. They may come from "
            "another camera or source, and a model can learn that instead of what they show.",
            "Take the images of all classes with the same camera, or from the same source.",
        )


def _sizes_by_class(origin: Origin) -> dict[str, list[_Size]]:
    """Return (width, height) of some readable files of each class."""
    try:
        source = open_source(Path(origin.path))
    except InputError:  # moved since it was loaded; the images in memory can still be trained on
        return {}
    try:
        layout, _ = apply_edits(find_layout(source, origin.path, origin.columns), origin.edits)
        sizes: dict[str, list[_Size]] = {}
        for label, name in enumerate(layout.class_names):
            files = [labelled.file for labelled in layout.files if labelled.label == label]
            if not origin.classes or name in origin.classes:
                rows = np.unique(np.linspace(0, len(files) - 1, min(len(files), _MAX_SAMPLED_FILES)).astype(int))
                sizes[name] = [size for row in rows if (size := _size(source, files[row]))]
        return sizes
    except InputError:
        return {}
    finally:
        source.close()


def _size(source: ImageSource, file: SourceFile) -> _Size | None:
    """Return (width, height) from the file's header; None if it can't be read."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(source.read(file)), formats=FORMATS) as image:
            return image.size
    except Exception:  # a damaged file can raise any error; load_folder has reported it
        return None


MAX_BITS = 10  # largest number of the 64 bits that may differ
MIN_CORRELATION = 0.99  # between the pixels of the small versions
MAX_IMAGES = 10_000  # compared in each split, evenly spaced: a hundred million pairs take a second
_SIDE = 16  # of the small versions, in pixels
_FLAT = 2.0  # standard deviation in gray levels; below it, an image is too uniform to be recognized
_BLOCK = 256


@dataclass(frozen=True)
class NearDuplicate:
    """An image that is almost the same as a training image.

    Attributes:
        row: its row in `split`.
        train_row: row of the most similar training image.
        n_bits: how many of the 64 bits of their difference hashes differ.
        correlation: between the pixels of their small versions, at most 1.
    """

    split: Literal["validation", "test"]
    row: int
    train_row: int
    n_bits: int
    correlation: float


def alike_pairs(splits: Sequence[Split]) -> Iterator[tuple[int, int]]:
    """Find all pairs of images that look almost the same, by their rows in the splits one after another."""
    parts, start = [], 0
    for split in splits:
        part = _Fingerprints.of(split)
        parts.append(replace(part, rows=part.rows + start))
        start += len(split)
    rows, hashes, small = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("rows", "hashes", "small")
    )
    for i in range(len(rows)):
        near = i + 1 + np.flatnonzero(np.bitwise_count(hashes[i + 1 :] ^ hashes[i]) <= MAX_BITS)
        for j in near[small[near] @ small[i] >= MIN_CORRELATION]:
            yield int(rows[i]), int(rows[j])


def find_near_duplicates(dataset: ImageDataset) -> tuple[NearDuplicate, ...]:
    """Find validation and test images that look almost like a training image.

    Splits with more than `MAX_IMAGES` images are sampled, evenly spaced.
    """
    train = _Fingerprints.of(dataset.train)
    duplicates = []
    parts: tuple[tuple[Literal["validation", "test"], Split], ...] = (
        ("validation", dataset.validation),
        ("test", dataset.test),
    )
    for name, split in parts:
        fingerprints = _Fingerprints.of(split)
        for row, hashed, small in zip(fingerprints.rows, fingerprints.hashes, fingerprints.small, strict=True):
            n_bits = np.bitwise_count(train.hashes ^ hashed)
            near = np.flatnonzero(n_bits <= MAX_BITS)
            correlations = train.small[near] @ small
            if len(near) and correlations.max() >= MIN_CORRELATION:
                best = near[correlations.argmax()]
                correlation = min(float(correlations.max()), 1.0)
                duplicates.append(NearDuplicate(name, int(row), int(train.rows[best]), int(n_bits[best]), correlation))
    return tuple(duplicates)


def difference_hashes(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return each image's 64-bit difference hash; sides are at least 9 pixels."""
    gray = _fields(images, 8, 9) @ np.array([0.299, 0.587, 0.114], np.float32)  # luma of ITU-R BT.601
    bits = (gray[:, :, :-1] > gray[:, :, 1:]).reshape(len(images), 64)
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]


def _fields(images: NDArray[np.uint8], n_rows: int, n_columns: int) -> NDArray[np.float32]:
    """Return means over a grid of fields, float32 (n, n_rows, n_columns, 3)."""
    _, height, width, _ = images.shape
    tops = np.linspace(0, height, n_rows + 1).astype(int)
    lefts = np.linspace(0, width, n_columns + 1).astype(int)
    sums = np.add.reduceat(images, tops[:-1], axis=1, dtype=np.float32)
    sums = np.add.reduceat(sums, lefts[:-1], axis=2)
    return np.asarray(sums / np.multiply.outer(np.diff(tops), np.diff(lefts))[:, :, None], np.float32)


@dataclass(frozen=True, eq=False)
class _Fingerprints:
    """Rows and hashes of images, shape (n,), and small versions of them, (n, 768)."""

    rows: Rows
    hashes: NDArray[np.uint64]
    small: NDArray[np.float32]

    @classmethod
    def of(cls, split: Split) -> _Fingerprints:
        n = len(split)
        rows = np.linspace(0, n - 1, min(n, MAX_IMAGES)).astype(np.int64)
        hashes, small = [np.empty(0, np.uint64)], [np.empty((0, 3 * _SIDE**2), np.float32)]
        for start in range(0, len(rows), _BLOCK):
            images = np.asarray(split.images[rows[start : start + _BLOCK]])
            hashes.append(difference_hashes(images))
            flat = _fields(images, _SIDE, _SIDE).reshape(len(images), -1)
            flat -= flat.mean(axis=1, keepdims=True)
            length = np.linalg.norm(flat, axis=1, keepdims=True)
            small.append(flat / np.maximum(length, _FLAT * np.sqrt(flat.shape[1], dtype=np.float32)))
        return cls(rows, np.concatenate(hashes), np.concatenate(small))
