"""Masks that lie beside pictures: they have no class of their own, so they are left aside."""

from __future__ import annotations

import io
import re
from collections import defaultdict

import numpy as np

from tl_widgets.data.archives import ImageSource, SourceFile
from tl_widgets.data.layouts.tree import Tree, base_of, parent_of

_FOLDER = re.compile(
    r"(\w*masks?\w*|\w*labels?\w*|segment\w*|seg|\w*annot\w*|anns?|trimaps?|gt\w*|ground[\W_]?truths?|lbls?|targets?)",
    re.IGNORECASE,
)
_ENDING = re.compile(
    r"[ _-]?(masks?|seg|gt|labels?|segmentation|annotation|L|leftImg8bit|gtFine_\w+|gtCoarse_\w+)([ _-]?\d+)?$",
    re.IGNORECASE,
)
_MAY_END = re.compile(r"mask|seg|gt|label|annot|leftimg|[ _-]L\b", re.IGNORECASE)  # quick to look for
_MIN_PAIRED = 0.8  # of the files in a folder of masks that are called like a picture
_MIN_FILES = 3
_SAMPLE = 3
_MAX_COLORS = 16  # that nearly all of a mask consists of
_MIN_COVERED = 0.9
_MAX_FOLDERS = 2_000


def find_masks(source: ImageSource, tree: Tree) -> dict[str, list[SourceFile]]:
    """Return the masks by the folder they lie in, or by the ending of their names ("*_mask")."""
    masks = _in_folders(source, tree)
    masks.update(_beside_pictures(tree, {file for files in masks.values() for file in files}))
    return masks


def _in_folders(source: ImageSource, tree: Tree) -> dict[str, list[SourceFile]]:
    """Find folders that hold one file for each picture of another folder, drawn in a few colors."""
    folders = [name for names in tree.folders.values() for name in names][:_MAX_FOLDERS]
    suspects = [folder for folder in folders if _FOLDER.fullmatch(base_of(folder))]
    stems_of = _stems_by_folder(tree) if suspects else {}
    masks: dict[str, list[SourceFile]] = {}
    for folder in suspects:
        stems = stems_of.get(folder, set())
        if len(stems) < _MIN_FILES or any(f"{folder}/".startswith(f"{other}/") for other in masks):
            continue
        for other in folders:
            is_apart = not f"{other}/".startswith(f"{folder}/") and not f"{folder}/".startswith(f"{other}/")
            is_picture = is_apart and not any(_FOLDER.fullmatch(part) for part in other.split("/"))
            if is_picture and len(stems & stems_of.get(other, set())) >= _MIN_PAIRED * len(stems):
                files = tree.images_below(folder)
                if _are_drawn(source, files):
                    masks[folder] = files
                break
    return masks


def _stems_by_folder(tree: Tree) -> dict[str, set[str]]:
    """Return the names of the images below each folder, without suffixes and endings such as "_mask"."""
    stems: dict[str, set[str]] = defaultdict(set)
    for file in tree.images_below(""):
        name, folder = _plain(_without_suffix(file.name)), parent_of(file.name)
        while folder:
            stems[folder].add(name[len(folder) + 1 :])
            folder = parent_of(folder)
    return stems


def _plain(stem: str) -> str:
    return _ENDING.sub("", stem) if _MAY_END.search(stem) else stem


def _without_suffix(name: str) -> str:
    return name.rpartition(".")[0] or name


def _beside_pictures(tree: Tree, known: set[SourceFile]) -> dict[str, list[SourceFile]]:
    """Find files that are called like another in the same folder, with an ending: "a_mask.png" beside "a.png"."""
    found: dict[str, list[SourceFile]] = {}
    for folder in tree.files:
        images = [file for file in tree.images_in(folder) if file not in known]
        stems = {_without_suffix(file.name) for file in images}
        for file in images:
            stem = _without_suffix(file.name)
            plain = _plain(stem)
            if plain != stem and plain in stems:
                found.setdefault(f"{folder}/*{stem[len(plain) :]}".lstrip("/"), []).append(file)
    return {name: files for name, files in found.items() if len(files) >= _MIN_FILES or "mask" in name}


def _are_drawn(source: ImageSource, files: list[SourceFile]) -> bool:
    """Return whether images consist of a few colors, as masks do and photographs don't."""
    from PIL import Image

    drawn = []
    for file in files[:: max(1, len(files) // _SAMPLE)][:_SAMPLE]:
        try:
            with Image.open(io.BytesIO(source.read(file)), formats=("PNG", "JPEG", "BMP", "GIF", "TIFF")) as image:
                image.draft("L", (256, 256))
                image.thumbnail((256, 256), Image.Resampling.NEAREST)
                pixels = np.asarray(image.convert("L"))
        except Exception:  # noqa: S112  # a damaged file can raise any error; it says nothing
            continue
        counts = np.sort(np.bincount(pixels.ravel()))[::-1]
        drawn.append(counts[:_MAX_COLORS].sum() >= _MIN_COVERED * pixels.size)
    return bool(drawn) and all(drawn)
