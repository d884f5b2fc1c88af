"""Classes that are folders: alone, inside or above the folders of a split, and below wrappers."""

from __future__ import annotations

from tl_widgets.core.errors import InputError
from tl_widgets.data.archives import SourceFile, printable
from tl_widgets.data.dataset import first_few
from tl_widgets.data.layouts.split_names import split_of
from tl_widgets.data.layouts.tree import (
    SPLITS,
    LabelledImage,
    LabelSource,
    NoClassesError,
    Reading,
    SplitName,
    Tree,
    are_generic,
    base_of,
    counted,
    parent_of,
    shown,
)

ADVICE = "Make one sub-folder for each class, named like the class, with its images inside."


class _Places:
    """The folders of classes: their split, and whether the class is above or below."""

    def __init__(self, labels_from: LabelSource, folders: list[tuple[SplitName, str]]) -> None:
        self.labels_from = labels_from
        self.folders = folders  # (split, folder that holds class folders), or (split, class folder's sub-folder)


def read_class_folders(tree: Tree, source_name: str) -> Reading:
    """Read folders that are classes.

    Files deeper inside a class folder belong to the class. If there is no test folder, the validation folder serves as
    the test set, so none of its images is trained on.

    Raises:
        NoClassesError: there are no class folders; another layout may fit.
        InputError: the splits have different classes.
    """
    strays: list[SourceFile] = []
    notes: list[str] = []
    root = tree.descend("", strays)
    above = ["", *(root[:i] for i, letter in enumerate(root) if letter == "/"), root]
    beside = [name for folder in dict.fromkeys(above) for name in tree.folders.get(folder, [])]
    if aside := [f"{shown(name)}/" for name in beside if tree.is_without_images(name)]:
        notes.append(f"Folders without pictures were left aside: {first_few(aside)}.")
    places = _splits_above(tree, root, strays, notes) or _splits_below(tree, root, notes)
    places = places or _put_together(tree, root, notes) or _Places("folders", [("", root)])
    folder_of = _class_folders(tree, places, source_name)
    names = sorted({name for _, _, name in folder_of})
    images = _labelled(tree, folder_of)
    _note_inner_folders(tree, folder_of, notes)
    strays += [image for folder in {root, *(f for _, f in places.folders)} for image in _direct(tree, folder, places)]
    if strays:
        some = first_few([printable(file.name) for file in sorted(strays, key=lambda file: file.name)])
        notes.append(f"Ignored images outside the class folders ({len(strays):,}): {some}.")
    splits = tuple(dict.fromkeys(split for split, _ in places.folders if split))
    where = tuple(", ".join(sorted({f"{_below(folder, root)}/" for _, folder, own in folder_of if own == name})[:3])
                  for name in names)  # fmt: skip
    if places.labels_from != "folders":
        images = sorted(images, key=lambda image: (image.class_name, image.file.name))
        counts = {name: sum(image.class_name == name for image in images) for name in names}
        notes.insert(0, f"Classes from the folders: {counted(counts)}.")
    return Reading(tuple(images), tuple(names), splits, tuple(notes), places.labels_from,
                   tuple(places.folders), root, where)  # fmt: skip


def _below(folder: str, root: str) -> str:
    return printable(folder[len(root) + 1 :] if root else folder)


def _direct(tree: Tree, folder: str, places: _Places) -> list[SourceFile]:
    is_class = places.labels_from == "split below the class" and any(folder == place for _, place in places.folders)
    return [] if is_class else tree.images_in(folder)


def _splits_above(tree: Tree, root: str, strays: list[SourceFile], notes: list[str]) -> _Places | None:
    """Recognize train/ beside test/ or validation/, each with the classes inside."""
    children = tree.children(root)
    folders: dict[SplitName, str] = {}
    for folder in sorted(children, key=lambda name: (len(base_of(name)), name)):  # "train" before "train_extra"
        if split := split_of(folder):
            folders.setdefault(split, folder)
    if "train" not in folders or len(children) < 2:
        return None
    inner = {split: tree.descend(folder, strays) for split, folder in folders.items()}
    classes = _names(tree, inner["train"])
    if len(classes) < 2:
        return None  # a class may be called "train"; its folder then holds images instead of folders
    unknown = [folder for folder in children if not split_of(folder) and set(_names(tree, folder)) & set(classes)]
    if len(folders) == 1 and len(unknown) == 1:
        folders["test"] = inner["test"] = unknown[0]
        notes.append(f"{shown(unknown[0])}/ has the same classes as {shown(folders['train'])}/: it is the test set.")
    if len(folders) == 1:
        return None
    for split in ("validation", "test"):
        if split in inner and not set(_names(tree, inner[split])) & set(classes):
            if len(_names(tree, inner[split])) > 1:
                continue  # other classes: an error
            notes.append(
                f"{shown(folders[split])}/ was left aside: its {len(tree.images_below(inner[split])):,} images are not "
                "in class folders, so they have no labels."
            )
            strays[:] = [file for file in strays if not file.name.startswith(f"{folders[split]}/")]
            del inner[split]
    if others := [shown(folder) for folder in children if folder not in folders.values()]:
        called = " and ".join(f"{shown(folder)}/" for folder in folders.values())
        notes.append(f"Ignored folders beside {called}: {first_few(others)}.")
    if len(inner) == 1:
        return _Places("folders", [("", inner["train"])])
    if "test" not in inner:
        inner["test"] = inner.pop("validation")
        notes.append(
            f"There is no test/ folder: {shown(folders['validation'])}/ serves as the test set, and "
            f"a part of {shown(folders['train'])}/ as the validation set."
        )
    return _Places("folders", [(split, inner[split]) for split in SPLITS if split in inner])


def _splits_below(tree: Tree, root: str, notes: list[str]) -> _Places | None:
    """Recognize class folders that each hold the split: cat/train, cat/test."""
    children = tree.children(root)
    inner = [{split_of(folder): folder for folder in tree.children(child)} for child in children]
    if len(children) < 2 or any("" in splits or "train" not in splits or len(splits) < 2 for splits in inner):
        return None
    splits = {split for splits in inner for split in splits}
    notes.append("The split is inside the class folders, and is kept.")
    if "test" not in splits:
        notes.append("There is no test folder: the validation folders serve as the test set.")
    folders = [("test" if split == "validation" and "test" not in splits else split, folder)
               for own in inner for split, folder in own.items()]  # fmt: skip
    return _Places("split below the class", sorted(folders, key=lambda pair: (SPLITS.index(pair[0]), pair[1])))


def _put_together(tree: Tree, root: str, notes: list[str]) -> _Places | None:
    """Recognize folders under any names that all have the same sub-folders: folds, or parts of a download."""
    children = tree.children(root)
    inner = [_names(tree, child) for child in children]
    is_same = len(children) > 1 and len(inner[0]) > 1 and all(names == inner[0] for names in inner)
    if not is_same or any(tree.images_in(child) for child in children):
        return None
    if are_generic(inner[0]) and not are_generic([base_of(child) for child in children]):
        return None  # cat/1, cat/2, dog/1, dog/2
    called = first_few([f"{shown(child)}/" for child in children])
    notes.append(
        f"{called} have the same sub-folders, so those are the classes. The images were put together and split anew; "
        "rename the folders to train and test if they are a split."
    )
    return _Places("folders put together", [("", child) for child in children])


def _names(tree: Tree, folder: str) -> list[str]:
    return [base_of(name) for name in tree.children(folder)]


def _class_folders(tree: Tree, places: _Places, source_name: str) -> list[tuple[SplitName, str, str]]:
    """Return (split, folder, raw class name); InputError unless all places have the same classes, at least two."""
    if places.labels_from == "split below the class":
        return [(split, folder, base_of(parent_of(folder))) for split, folder in places.folders]
    for split, place in places.folders:
        names = _names(tree, place)
        part = f"{shown(place)}/ of {source_name}" if split else source_name
        if not names:
            raise NoClassesError(f"{part} has no sub-folders, so there are no classes. {ADVICE}")
        if len(names) == 1:
            raise NoClassesError(f"{part} has only one class, {shown(names[0])!r}; you need at least two. {ADVICE}")
        first = places.folders[0][1]
        if differing := sorted(set(_names(tree, first)) ^ set(names)):
            quoted = first_few([repr(printable(name)) for name in differing])
            raise InputError(
                f"{shown(first)}/ and {shown(place)}/ of {source_name} have different classes: only one has {quoted}. "
                "Both must have the same classes, spelled the same way."
            )
        if not split and len(places.folders) == 1 and all(map(split_of, names)):
            called = " and ".join(f"{shown(name)}/" for name in names)
            raise NoClassesError(
                f"{called} of {source_name} are the folders of a split, but hold no class folders, so the images have "
                f"no labels. {ADVICE}"
            )
    return [(split, folder, base_of(folder)) for split, place in places.folders for folder in tree.children(place)]


def _labelled(tree: Tree, folder_of: list[tuple[SplitName, str, str]]) -> list[LabelledImage]:
    by_folder = {folder: (split, name) for split, folder, name in folder_of}
    depths = {folder.count("/") + 1 for folder in by_folder}
    images = []
    for file in tree.listing.files:
        parts = file.name.split("/")
        for depth in depths:
            if len(parts) > depth and (place := by_folder.get("/".join(parts[:depth]))):
                images.append(LabelledImage(file, *place))
                break
    return images


def _note_inner_folders(tree: Tree, folder_of: list[tuple[SplitName, str, str]], notes: list[str]) -> None:
    """Note classes whose own sub-folders were put together."""
    inner = {shown(folder): [shown(name) for name in tree.children(folder)] for _, folder, _ in folder_of}
    if nested := [f"{name} ({first_few(names)})" for name, names in inner.items() if len(names) > 1]:
        notes.append(f"The sub-folders inside a class were put together: {first_few(nested)}.")
