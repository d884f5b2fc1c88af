"""Recognize data for other tasks than image classification, and say why they can't be used."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from tl_widgets.core.translation import _, ngettext
from tl_widgets.data.archives import ImageSource, SourceFile, printable
from tl_widgets.data.dataset import first_few
from tl_widgets.data.layouts.tree import Tree, base_of, shown, suffix_of

_SAMPLE = 5  # files of each kind
_MAX_BYTES = 20_000_000
_BOX_LINE = re.compile(rb"\s*[^\s,]+([ ][A-Za-z]\w*)?(\s+-?\d*\.?\d+(e-?\d+)?){4,}(\s+\w+)?\s*", re.IGNORECASE)
_JSON_KEYS = (b'"bbox"', b'"segmentation"', b'"regions"', b'"shapes"', b'"coordinates"', b'"exterior"', b'"keypoints"')
# Two folders called so, with the same file names, are a task from image to image; sharp and blurred may be classes.
_PAIRS = tuple(
    re.compile(pair, re.IGNORECASE)
    for pair in (
        r"(\w+_)?lr/(\w+_)?hr",
        r"low[_ ]?res\w*/high[_ ]?res\w*",
        r"inputs?/(targets?|outputs?|gt)",
        r"sources?/targets?",
        r"rgb/depth\w*",
        r"(image|img)s?/(edge|depth|label|mask|target)\w*",
    )
)
_MIN_PAIRED = 0.8
_ADVICE = _(
    "tl_widgets sorts whole pictures into classes. Make one sub-folder for each class, with pictures "
    "that show that class (or cut out the objects)."
)


def other_task(source: ImageSource, tree: Tree, masks: Iterable[str] = ()) -> str:
    """Return a sentence on what the data are, if they are no image classification; otherwise "".

    Args:
        source: the files.
        tree: the same, without masks.
        masks: where masks were found.
    """
    if _some(source, tree, ".txt", _is_boxes):
        return _(
            "Boxes for each picture in a .txt (as for YOLO or KITTI) are object detection. {advice}", advice=_ADVICE
        )
    if _some(source, tree, ".json", _is_coco):
        return _(
            "A .json file holds boxes or outlines (COCO or a similar format), which is object detection. {advice}",
            advice=_ADVICE,
        )
    if _some(source, tree, ".xml", lambda data: b"<bndbox" in data or b"<annotation" in data[:200]):
        return _(
            "These are annotations of Pascal VOC (boxes in an .xml), which is object detection. {advice}",
            advice=_ADVICE,
        )
    if places := [f"{printable(place)}{'' if '*' in place else '/'}" for place in masks]:
        what = ngettext(
            "{places} holds a mask for each picture",
            "{places} hold a mask for each picture",
            len(places),
            places=first_few(places),
        )
        return _("{what}, which is segmentation. {advice}", what=what, advice=_ADVICE)
    return ""


def image_pairs(tree: Tree, class_folders: list[str]) -> str:
    """Return a sentence if two class folders hold the same pictures twice, as a task from image to image does."""
    if len(class_folders) != 2:
        return ""
    names = [shown(folder) for folder in class_folders]
    if not any(pair.fullmatch("/".join(order)) for pair in _PAIRS for order in (names, names[::-1])):
        return ""
    stems = [{base_of(file.name).rpartition(".")[0] for file in tree.images_below(folder)} for folder in class_folders]
    if len(stems[0] & stems[1]) < _MIN_PAIRED * max(len(stems[0]), len(stems[1]), 1):
        return ""
    return _(
        "{first}/ and {second}/ hold files with the same names, as for a task from image to image. {advice}",
        first=names[0],
        second=names[1],
        advice=_ADVICE,
    )


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


def _is_boxes(data: bytes) -> bool:
    lines = [line for line in data[:10_000].splitlines()[:5] if line.strip()]
    return bool(lines) and all(_BOX_LINE.fullmatch(line) for line in lines)


def _is_coco(data: bytes) -> bool:
    return any(key in data for key in _JSON_KEYS) or (b'"annotations"' in data and b'"images"' in data)
