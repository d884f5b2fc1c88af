"""Check a data set, before training, for problems that would mislead a comparison."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from tl_widgets.core.arguments import checked
from tl_widgets.core.translation import _, ngettext
from tl_widgets.data.checks.files import check_files
from tl_widgets.data.checks.near_duplicates import NearDuplicate, find_near_duplicates
from tl_widgets.data.checks.pictures import check_pictures
from tl_widgets.data.dataset import ImageDataset, first_few, image_key
from tl_widgets.data.folder import TRAIN_SHARE
from tl_widgets.data.groups import suggest_groups
from tl_widgets.records.comparison import Diagnosis
from tl_widgets.records.run import IMBALANCE

TINY_CLASS = 10  # training images


@checked
def check_dataset(dataset: ImageDataset, *, class_weights: bool = False) -> tuple[Diagnosis, ...]:
    """Check a data set for problems that would make a comparison misleading.

    Args:
        dataset: the data set. A built-in one is not searched for near-duplicates and odd images, because it is
            documented, and handwritten digits of 8 x 8 pixels do look alike. For a folder or archive, some files are
            opened to read their headers.
        class_weights: whether models are trained with class weights, which then aren't advised.

    Returns:
        The findings, most serious first: "near_duplicates" (also mirrored or turned), "dark_class", "blank",
        "gray_class", "odd_one", "repeated", "source_size", "file_format", "odd_size", "imbalance", "tiny_class".
    """
    is_built_in = dataset.origin is not None and dataset.origin.kind == "built-in"
    found = () if is_built_in else (*_near_duplicates(dataset), *check_pictures(dataset), *check_files(dataset))
    return (*found, *_imbalance(dataset, class_weights=class_weights), *_tiny_classes(dataset))


def _near_duplicates(dataset: ImageDataset) -> Iterator[Diagnosis]:
    # Copies in the test split are the most serious, so they come first.
    duplicates = sorted(find_near_duplicates(dataset), key=lambda duplicate: duplicate.split)
    n_tested = sum(duplicate.split == "test" for duplicate in duplicates)
    if not duplicates:
        return
    n, n_all, split = (
        (n_tested, len(dataset.test), "test") if n_tested else (len(duplicates), len(dataset.validation), "validation")
    )
    text = ngettext(
        "{n} of the {n_all} {split} images looks almost like a training image. ",
        "{n} of the {n_all} {split} images look almost like a training image. ",
        n,
        n_all=n_all,
        split=split,
    )
    text += _("Recognizing those shows memory, not learning")
    if n < len(duplicates):
        text += _(
            "; the same goes for {n_duplicates} of the {n_validation} validation images",
            n_duplicates=len(duplicates) - n,
            n_validation=len(dataset.validation),
        )
    yield Diagnosis(
        "near_duplicates",
        _("{text}. Alike: {pairs}.", text=text, pairs=first_few([_pair_text(dataset, each) for each in duplicates])),
        _("Look at them: {advice}", advice=_advice(dataset, duplicates)),
    )


def _advice(dataset: ImageDataset, duplicates: list[NearDuplicate]) -> str:
    """Return what to do about near-duplicates, with the groups that the files' names suggest."""
    if dataset.origin is None or dataset.origin.kind != "folder" or dataset.report is None:
        return _("remove one of two copies, and put pictures of one scene or one burst into one split.")
    if any(split for split, _ in dataset.origin.folders):
        return _(
            "move what belongs together to one side of the folder's own split (train/ and test/ "
            "folders), or leave out all but one, with load_folder(path, "
            "edits=leave_out_copies(dataset))."
        )
    sides = {"validation": dataset.validation, "test": dataset.test}
    files = dataset.report.files
    pairs = [
        (files.get(sides[pair.split].keys[pair.row], ""), files.get(dataset.train.keys[pair.train_row], ""))
        for pair in duplicates
    ]
    groups = suggest_groups(pairs, list(files.values()))
    how = f"groups={groups!r}" if groups else "edits=keep_together(dataset)"
    return _(
        "keep images that belong together on one side of the split, with load_folder(path, {how}), "
        "or leave out all but one of them, with edits=leave_out_copies(dataset).",
        how=how,
    )


def _pair_text(dataset: ImageDataset, duplicate: NearDuplicate) -> str:
    """Name the two images by their files, or by their rows if they have none."""
    files = dataset.report.files if dataset.report else {}
    split = dataset.test if duplicate.split == "test" else dataset.validation
    name = files.get(image_key(split.images[duplicate.row]), _("image {row}", row=duplicate.row))
    other = files.get(image_key(dataset.train.images[duplicate.train_row]), _("image {row}", row=duplicate.train_row))
    turn = f", {duplicate.turn}" if duplicate.turn else ""
    return _("{name} ({split}{turn}) and {other} (train)", name=name, split=duplicate.split, turn=turn, other=other)


def _imbalance(dataset: ImageDataset, *, class_weights: bool) -> Iterator[Diagnosis]:
    counts = np.bincount(dataset.train.labels, minlength=dataset.n_classes)
    most, least = int(counts.argmax()), int(counts.argmin())
    if counts[most] >= IMBALANCE * max(counts[least], 1):
        names = dataset.class_names
        weights = "" if class_weights else _("train with class weights, ")
        yield Diagnosis(
            "imbalance",
            _(
                "The classes are unequal: {most} training images of {largest}, {least} of {smallest}. "
                "Always answering {largest} would look better than it is.",
                most=counts[most],
                largest=names[most],
                least=counts[least],
                smallest=names[least],
            ),
            _(
                "Look at each class's recall, {weights}add images of the rare class, or take as many of "
                "each (n_per_class; in the Lab, Images per class).",
                weights=weights,
            ),
        )


def _tiny_classes(dataset: ImageDataset) -> Iterator[Diagnosis]:
    if dataset.origin is not None and dataset.origin.n_per_class is not None:
        return  # the user asked for few
    counts = np.bincount(dataset.train.labels, minlength=dataset.n_classes)
    tiny = [
        _("{class_name} has {count}", class_name=dataset.class_names[i], count=counts[i])
        for i in range(dataset.n_classes)
        if counts[i] < TINY_CLASS
    ]
    if tiny:
        advice = _("Add images")
        if dataset.n_classes - len(tiny) >= 2:  # otherwise there would be nothing left to tell apart
            advice += _(", or leave these classes out")
        if dataset.origin is not None and [split for split, _ in dataset.origin.folders] == [""]:
            advice += _(
                "; about {needed} in a class give {tiny_class} to train on",
                needed=math.ceil(TINY_CLASS / TRAIN_SHARE),
                tiny_class=TINY_CLASS,
            )
        yield Diagnosis(
            "tiny_class",
            _("Some classes have very few training images: {first_few}.", first_few=first_few(tiny)),
            _("Results for them are little more than chance. {advice}.", advice=advice),
        )
