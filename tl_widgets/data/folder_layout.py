"""Find the folders of classes and splits in a source, and apply edits to them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal

import numpy as np

from tl_widgets.core.errors import InputError
from tl_widgets.data.archives import Listing, SourceFile, printable
from tl_widgets.data.dataset import Rows, first_few
from tl_widgets.records.provenance import Edits

SplitName = Literal["", "train", "validation", "test"]

_SPLIT_NAMES: dict[str, SplitName] = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}
IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"}
_ADVICE = "Make one sub-folder for each class, named like the class, with its images inside."


@dataclass(frozen=True)
class LabelledFile:
    """A file in a class folder.

    Attributes:
        name: path below the folder that holds the classes (or train/ and test/); may contain surrogates.
        split: "" if the folder has no train/ and test/.
        label: index of its class.
    """

    file: SourceFile
    name: str
    split: SplitName
    label: int


@dataclass(frozen=True)
class Layout:
    """The files of a data set, before any is read.

    Attributes:
        files: sorted by name.
        class_names: sorted, printable, one per label.
        splits: the splits that have a folder; empty if there are only class folders.
        notes: sentences on what was ignored.
        places: (split, folder) for each folder that holds class folders; ("", folder) without given splits.
    """

    files: tuple[LabelledFile, ...]
    class_names: tuple[str, ...]
    splits: tuple[SplitName, ...]
    notes: tuple[str, ...]
    places: tuple[tuple[SplitName, str], ...]


class _Tree:
    """Subfolders and files by the name of their folder."""

    def __init__(self, listing: Listing) -> None:
        self.folders: dict[str, list[str]] = {}
        self.files: dict[str, list[SourceFile]] = {}
        for name in sorted(listing.folders):
            self.folders.setdefault(name.rpartition("/")[0], []).append(name)
        for file in listing.files:
            self.files.setdefault(file.name.rpartition("/")[0], []).append(file)

    def images_in(self, folder: str) -> list[str]:
        """Return the files directly in `folder` that have an image's suffix."""
        names = [file.name for file in self.files.get(folder, [])]
        return [name for name in names if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES]


def find_layout(listing: Listing, source_name: str) -> Layout:
    """Find the class folders and the given splits of the source with this name.

    Wrapper folders that contain a single folder, as zips often have, are skipped. Files deeper inside a class folder
    belong to the class. train/ beside test/ or validation/ is a given split. If there is no test/, validation/ serves
    as test, so none of its images is trained on.
    """
    tree = _Tree(listing)
    stray_images: list[str] = []
    root = _find_root(tree, stray_images)
    notes: list[str] = []
    split_folders = _split_folders(tree, root)
    if split_folders and "test" not in split_folders:
        split_folders["test"] = split_folders.pop("validation")
        notes.append(
            "There is no test/ folder: the validation folder serves as the test set, and "
            "a part of train/ as the validation set."
        )
    if split_folders:
        given = set(split_folders.values())
        if others := [_base_name(f) for f in tree.folders[root] if f not in given]:
            notes.append(f"Ignored folders beside train/ and test/: {first_few(others)}.")
    places: dict[SplitName, str] = split_folders or {"": root}
    stray_images += [name for folder in {root, *places.values()} for name in tree.images_in(folder)]
    class_names = _common_class_names(tree, places, source_name)
    if stray_images:
        shown = first_few([printable(name) for name in sorted(stray_images)])
        notes.append(f"Ignored images outside the class folders ({len(stray_images):,}): {shown}.")
    files = _labelled(listing, places, class_names, len(root) + 1 if root else 0)
    names = tuple(map(printable, class_names))
    return Layout(files, names, tuple(split_folders), tuple(notes), tuple(places.items()))


def _base_name(name: str) -> str:
    return printable(name.rpartition("/")[2])


def _find_root(tree: _Tree, stray_images: list[str]) -> str:
    """Return the folder that holds the classes; add images above it to `stray_images`."""
    root = ""
    while True:
        subfolders = tree.folders.get(root, [])
        if len(subfolders) != 1:
            return root
        # A folder with more images than folders is a class, not a wrapper.
        folders = tree.folders.get(subfolders[0], [])
        if not folders or len(tree.images_in(subfolders[0])) > len(folders):
            return root
        stray_images += tree.images_in(root)
        root = subfolders[0]


def _split_folders(tree: _Tree, root: str) -> dict[SplitName, str]:
    """Return the folders of the given splits; empty if there are only class folders."""
    folders: dict[SplitName, str] = {}
    for folder in tree.folders.get(root, []):
        if split := _SPLIT_NAMES.get(_base_name(folder).lower()):
            folders.setdefault(split, folder)
    # A class may be called "train"; its folder then holds images instead of folders.
    if "train" not in folders or len(folders) < 2 or not tree.folders.get(folders["train"]):
        return {}
    return folders


def _common_class_names(tree: _Tree, places: dict[SplitName, str], source_name: str) -> list[str]:
    """Return the raw class names, sorted; InputError unless all places have the same."""
    names = {split: [f.rpartition("/")[2] for f in tree.folders.get(place, [])] for split, place in places.items()}
    for split, folder_names in names.items():
        part = f"{split}/ of {source_name}" if split else source_name
        if not folder_names:
            raise InputError(f"{part} has no sub-folders, so there are no classes. {_ADVICE}")
        if len(folder_names) == 1:
            only = printable(folder_names[0])
            raise InputError(f"{part} has only one class, {only!r}; you need at least two. {_ADVICE}")
    first = next(iter(names.values()))
    for split, folder_names in names.items():
        if differing := sorted(set(first) ^ set(folder_names)):
            shown = first_few([repr(printable(name)) for name in differing])
            raise InputError(
                f"{next(iter(names))}/ and {split}/ of {source_name} have different classes: only one has {shown}. "
                "Both must have the same classes, spelled the same way."
            )
    return sorted(first)


def _labelled(
    listing: Listing, places: dict[SplitName, str], class_names: list[str], n_cut: int
) -> tuple[LabelledFile, ...]:
    labels = {name: label for label, name in enumerate(class_names)}
    by_folder = {
        f"{place}/{name}" if place else name: (split, labels[name])
        for split, place in places.items()
        for name in class_names
    }
    depth = len(next(iter(by_folder)).split("/"))
    # All splits are at the same depth, so the first parts of a file's path are its class folder.
    files: list[LabelledFile] = []
    for file in listing.files:
        parts = file.name.split("/")
        place = by_folder.get("/".join(parts[:depth])) if len(parts) > depth else None
        if place:
            files.append(LabelledFile(file, file.name[n_cut:], *place))
    return tuple(files)


MAX_NAME = 80  # characters of a class name: it must fit into figures and tables


def require_class_name(name: object) -> str:
    """Return a class name without surrounding spaces, or raise InputError."""
    text = name.strip() if isinstance(name, str) else ""
    if not text or len(text) > MAX_NAME or printable(text) != text:
        raise InputError(f"{name!r:.100} cannot be the name of a class. Use 1 to {MAX_NAME} printable characters.")
    return text


def require_edits(layout: Layout, edits: Edits, source_name: str) -> None:
    """Raise `InputError` unless the edits fit the complete layout."""
    folders = [folder for folder, _ in edits.renamed] + list(edits.dropped)
    if missing := sorted(set(folders) - set(layout.class_names)):
        raise InputError(
            f"{source_name} has no class folder {missing[0]!r}, which was renamed or dropped. "
            "Put it back, or start over."
        )
    names = [edits.name_of(folder) for folder in layout.class_names if folder not in edits.dropped]
    if repeated := [name for name, n in Counter(names).items() if n > 1]:
        raise InputError(f"Two classes of {source_name} would be called {repeated[0]!r}. Give each class its own name.")
    if len(names) < 2:
        raise InputError(f"{source_name} has {len(names)} class left; you need at least two. Take one back.")


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
        notes += (f"Ignored classes: {', '.join(dropped)}.",)
    if n_out:
        notes += (f"Left out by hand: {n_out:,} image{'s' if n_out != 1 else ''}.",)
    return replace(layout, files=files, class_names=tuple(names), notes=notes), np.array(rows, np.int64)
