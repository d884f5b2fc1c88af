"""What a teacher would say about a data set before anything is trained on it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tl_widgets.core.errors import InputError
from tl_widgets.data.archives import ImageSource, SourceFile, open_source
from tl_widgets.data.dataset import ImageDataset, first_few, image_key
from tl_widgets.data.decode import FORMATS
from tl_widgets.data.folder_layout import find_layout
from tl_widgets.data.image_edits import edited
from tl_widgets.data.near_duplicates import Likeness, find_likenesses
from tl_widgets.records.comparison import Diagnosis
from tl_widgets.records.diagnosis import IMBALANCE
from tl_widgets.records.provenance import Origin

TINY_CLASS = 10  # training images
_SIZES_LOOKED_AT = 40  # files of each class, evenly spaced
_ENOUGH_SIZES = 5  # files of a class, below which one size says nothing
_Size = tuple[int, int]


def check_dataset(dataset: ImageDataset) -> tuple[Diagnosis, ...]:
    """Look for what would make a comparison on these images misleading.

    Args:
        dataset: the built-in ones are not searched for near-duplicates: how they are split is documented, and
            handwritten digits of 8 x 8 pixels do look alike. Of a folder or zip, some files are opened for their size.

    Returns:
        What was found, the gravest first: "near_duplicates", "source_size", "imbalance", "tiny_class".
    """
    return (*_near_duplicates(dataset), *_source_sizes(dataset), *_imbalance(dataset), *_tiny_classes(dataset))


def _near_duplicates(dataset: ImageDataset) -> Iterator[Diagnosis]:
    if dataset.origin is not None and dataset.origin.kind == "built-in":
        return
    found = sorted(find_likenesses(dataset), key=lambda one: one.split)  # the test's first: they are the gravest
    n_tested = sum(one.split == "test" for one in found)
    if not found:
        return
    n, n_all, split = (
        (n_tested, len(dataset.test), "test") if n_tested else (len(found), len(dataset.validation), "validation")
    )
    words = f"{n} of the {n_all} {split} images look{'s' if n == 1 else ''} almost like a training image. "
    words += "Recognising those shows memory, not learning"
    if n < len(found):
        words += f"; the same goes for {len(found) - n} of the {len(dataset.validation)} validation images"
    yield Diagnosis(
        "near_duplicates",
        f"{words}. Alike: {first_few([_alike(dataset, one) for one in found])}.",
        "Look at them: remove one of two copies, and put pictures of one scene or one burst into one split (train/ "
        "and test/ folders).",
    )


def _alike(dataset: ImageDataset, one: Likeness) -> str:
    """Which two images; of those that came from no file, their places."""
    files = dataset.report.files if dataset.report else {}
    split = dataset.test if one.split == "test" else dataset.validation
    name = files.get(image_key(split.images[one.row]), f"image {one.row}")
    other = files.get(image_key(dataset.train.images[one.train_row]), f"image {one.train_row}")
    return f"{name} ({one.split}) and {other} (train)"


def _imbalance(dataset: ImageDataset) -> Iterator[Diagnosis]:
    counts = np.bincount(dataset.train.labels, minlength=dataset.n_classes)
    most, least = int(counts.argmax()), int(counts.argmin())
    if counts[most] >= IMBALANCE * max(counts[least], 1):
        names = dataset.class_names
        yield Diagnosis(
            "imbalance",
            f"The classes are unequal: {counts[most]} training images of {names[most]}, {counts[least]} of "
            f"{names[least]}. Always answering {names[most]} would look better than it is.",
            "Look at each class's recall, add images of the rare class, or take as many of each (n_per_class; "
            "in the Lab, Images per class).",
        )


def _tiny_classes(dataset: ImageDataset) -> Iterator[Diagnosis]:
    if dataset.origin is not None and dataset.origin.n_per_class is not None:
        return  # few were asked for
    counts = np.bincount(dataset.train.labels, minlength=dataset.n_classes)
    tiny = [f"{dataset.class_names[i]} has {counts[i]}" for i in range(dataset.n_classes) if counts[i] < TINY_CLASS]
    if tiny:
        yield Diagnosis(
            "tiny_class",
            f"Of some classes there are hardly any training images: {first_few(tiny)}.",
            "What is said about them is little more than chance; add images, or leave these classes out.",
        )


def _source_sizes(dataset: ImageDataset) -> Iterator[Diagnosis]:
    """Classes whose files all have one size that no other class has: another camera, another web site."""
    if dataset.origin is None or dataset.origin.kind != "folder":
        return
    sizes = _sizes_by_class(dataset.origin)
    telling = []
    for name, found in sizes.items():
        others = {size for other, theirs in sizes.items() if other != name for size in theirs}
        if len(found) >= _ENOUGH_SIZES and len(set(found)) == 1 and others and found[0] not in others:
            telling.append(f"{name} ({found[0][0]} x {found[0][1]} pixels)")
    if telling:
        yield Diagnosis(
            "source_size",
            f"All files of a class have one size that no other class has: {first_few(telling)}. They may come from "
            "another camera or source, and a model can learn that instead of what they show.",
            "Take the images of all classes with the same camera, or from the same source.",
        )


def _sizes_by_class(origin: Origin) -> dict[str, list[_Size]]:
    """Width and height of some files of each class; without those that cannot be read."""
    try:
        source = open_source(Path(origin.path))
    except InputError:  # moved away since: what is in memory can still be trained on
        return {}
    try:
        layout, _ = edited(find_layout(source.listing, origin.path), origin.edits)
        sizes: dict[str, list[_Size]] = {}
        for label, name in enumerate(layout.class_names):
            files = [one.file for one in layout.files if one.label == label]
            if not origin.classes or name in origin.classes:
                rows = np.unique(np.linspace(0, len(files) - 1, min(len(files), _SIZES_LOOKED_AT)).astype(int))
                sizes[name] = [size for row in rows if (size := _size(source, files[row]))]
        return sizes
    except InputError:
        return {}
    finally:
        source.close()


def _size(source: ImageSource, file: SourceFile) -> _Size | None:
    """Width and height, which stand in a file's first bytes; nothing is decoded."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(source.read(file)), formats=FORMATS) as image:
            return image.size
    except Exception:  # a damaged file can fail with any error; loading has told of it
        return None
