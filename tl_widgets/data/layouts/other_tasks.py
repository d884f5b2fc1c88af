"""Recognize data for other tasks than image classification, and say why they can't be used."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from tl_widgets.data.archives import ImageSource, SourceFile
from tl_widgets.data.layouts.tree import Tree, base_of, shown, suffix_of

_SAMPLE = 5  # files of each kind
_MAX_BYTES = 20_000_000
_MASKS = re.compile(
    r"(masks?|labels?|segmentation\w*|annotations?|trimaps?|gts?|ground_?truths?|annots?|\w+_masks?)", re.IGNORECASE
)
_MASK_ENDING = re.compile(r"[ _-]?(mask|masks|seg|gt|label|segmentation)$", re.IGNORECASE)
_YOLO_LINE = re.compile(rb"\s*\d+(\s+-?\d*\.?\d+(e-?\d+)?){4,}\s*", re.IGNORECASE)
_ADVICE = (
    "tl_widgets sorts whole pictures into classes. Make one sub-folder for each class, with pictures that show that "
    "class (or cut out the objects)."
)


def other_task(source: ImageSource, tree: Tree) -> str:
    """Return a sentence on what the data are, if they are no image classification; otherwise ""."""
    if _some(source, tree, ".txt", _is_yolo):
        return f"These are labels for YOLO (boxes for each picture in a .txt), which is object detection. {_ADVICE}"
    if _some(source, tree, ".json", _is_coco):
        return f"A .json file holds boxes or outlines (COCO or a similar format), which is object detection. {_ADVICE}"
    if _some(source, tree, ".xml", lambda data: b"<bndbox" in data or b"<annotation" in data[:200]):
        return f"These are annotations of Pascal VOC (boxes in an .xml), which is object detection. {_ADVICE}"
    if folders := _mask_folders(tree):
        return f"{folders[1]}/ holds a mask for each picture in {folders[0]}/, which is segmentation. {_ADVICE}"
    return ""


def _some(source: ImageSource, tree: Tree, suffix: str, test: Callable[[bytes], bool]) -> bool:
    files = [file for file in tree.listing.files if suffix_of(file.name) == suffix and 0 < file.n_bytes <= _MAX_BYTES]
    files = [file for file in files if base_of(file.name).lower() not in ("readme.txt", "classes.txt", "labels.txt")]
    step = max(1, len(files) // _SAMPLE)
    return any(test(data) for data in _contents(source, files[::step][:_SAMPLE]))


def _contents(source: ImageSource, files: list[SourceFile]) -> Iterator[bytes]:
    for file in files:
        try:
            yield source.read(file)
        except OSError:
            continue


def _is_yolo(data: bytes) -> bool:
    lines = [line for line in data[:10_000].splitlines()[:5] if line.strip()]
    return bool(lines) and all(_YOLO_LINE.fullmatch(line) for line in lines)


def _is_coco(data: bytes) -> bool:
    return any(key in data for key in (b'"bbox"', b'"segmentation"', b'"regions"', b'"shapes"')) or (
        b'"annotations"' in data and b'"images"' in data
    )


def _mask_folders(tree: Tree) -> tuple[str, str] | None:
    """Return (folder of pictures, folder of masks) with the same names."""
    stems: dict[str, set[str]] = {}
    for folder in tree.files:
        if names := {PurePosixPath(base_of(file.name)).stem for file in tree.images_in(folder)}:
            stems[folder] = names
    for folder, names in stems.items():
        if not _MASKS.fullmatch(base_of(folder)):
            continue
        plain = {_MASK_ENDING.sub("", name) for name in names}
        for other, own in stems.items():
            if other != folder and len(own & plain) >= 0.8 * len(plain) and not _MASKS.fullmatch(base_of(other)):
                return shown(other), shown(folder)
    return None
