"""Where the class folders are: inside the folders of a split, above them, or in several folders alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tl_widgets.core.errors import InputError
from tl_widgets.core.text import all_of
from tl_widgets.core.translation import _
from tl_widgets.data.archives import SourceFile
from tl_widgets.data.dataset import first_few
from tl_widgets.data.layouts.split_names import split_and_class, split_of
from tl_widgets.data.layouts.tree import (
    SPLITS,
    LabelSource,
    NoClassesError,
    SplitName,
    Tree,
    are_generic,
    base_of,
    shown,
)

# Folders of pictures that are no class: they lie beside a data set, in projects and in downloads.
_ASIDE = re.compile(
    r"(pred\w*|unlabell?ed|unseen|unknown|inference|submissions?|samples?|examples?|demos?|docs?|documentation|figures?|"
    r"figs?|plots?|charts?|results?|outputs?|screenshots?|assets?|static|media|readme|notebooks?|logs?|runs?|models?|"
    r"checkpoints?|meta|tmp|temp|backup|src|scripts?|reports?|paper|latex|www|web|app|\w+_pred)",
    re.IGNORECASE,
)
# Folders that hold the same pictures, each in its own way.
_VERSION = re.compile(
    r"(colou?r|rgb|gr[ae]y\w*|bw|segment\w*|crop\w*|original|raw|aug\w*|resized?|process\w*|normali[sz]ed|enhanced|"
    r"\d+(x\d+)?(px)?|small|large|low|high|clean|noisy)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Places:
    """Where the classes are.

    Attributes:
        labels_from: how the folders say the classes.
        folders: (split, folder that holds class folders), or (split, class folder) if `class_of` has the classes.
        class_of: the class of each folder in `folders`; empty if the classes are the folders inside.
    """

    labels_from: LabelSource
    folders: tuple[tuple[SplitName, str], ...]
    class_of: Mapping[str, str] = field(default_factory=dict)


def find_places(tree: Tree, root: str, strays: list[SourceFile], notes: list[str], source_name: str) -> Places:
    """Return where the classes below `root` are; InputError if there are several data sets or other folders."""
    found = _splits_above(tree, root, strays, notes)
    if found is None:
        _require_one_data_set(tree, root, source_name)
        found = _splits_below(tree, root, notes) or _splits_in_names(tree, root, notes)
    return found or _put_together(tree, root, notes) or Places("folders", (("", root),))


def names_in(tree: Tree, folder: str) -> list[str]:
    """Return the names of the sub-folders that may hold images."""
    return [base_of(name) for name in tree.children(folder)]


def _splits_above(tree: Tree, root: str, strays: list[SourceFile], notes: list[str]) -> Places | None:
    """Recognize train/ beside test/ or validation/, each with the classes inside."""
    children = tree.children(root)
    folders: dict[SplitName, str] = {}
    for folder in sorted(children, key=lambda name: (len(base_of(name)), name)):  # "train" before "train_extra"
        if split := split_of(folder):
            folders.setdefault(split, folder)
    if "train" not in folders or len(children) < 2:
        return None
    inner = {split: tree.descend(folder, strays) for split, folder in folders.items()}
    classes = names_in(tree, inner["train"])
    if len(classes) < 2:
        return None  # a class may be called "train"; its folder then holds images instead of folders
    unknown = [folder for folder in children if not split_of(folder) and set(names_in(tree, folder)) & set(classes)]
    if len(folders) == 1 and len(unknown) == 1:
        folders["test"] = inner["test"] = unknown[0]
        notes.append(
            _(
                "{unknown}/ has the same classes as {train}/: it is the test set.",
                unknown=shown(unknown[0]),
                train=shown(folders["train"]),
            )
        )
    others = [folder for folder in children if folder not in folders.values()]
    if len(folders) == 1:
        are_flat = not any(tree.children(folder) for folder in others)
        if not are_flat or (len(others) > 1 and not all(_ASIDE.fullmatch(base_of(folder)) for folder in others)):
            return None
    for split in ("validation", "test"):
        if split in inner and not _same_names(names_in(tree, inner[split]), classes):
            if len(names_in(tree, inner[split])) > 1:
                continue  # other classes: an error
            notes.append(
                _(
                    "{folder}/ was left aside: its {n_images_below:,} images are not in class folders, "
                    "so they have no labels.",
                    folder=shown(folders[split]),
                    n_images_below=len(tree.images_below(inner[split])),
                )
            )
            strays[:] = [file for file in strays if not file.name.startswith(f"{folders[split]}/")]
            del inner[split]
    if others:
        called = all_of(f"{shown(folder)}/" for folder in folders.values())
        notes.append(
            _(
                "Ignored folders beside {called}: {first_few}.",
                called=called,
                first_few=first_few(list(map(shown, others))),
            )
        )
    if len(inner) == 1:
        return Places("folders", (("", inner["train"]),))
    if "test" not in inner:
        inner["test"] = inner.pop("validation")
        notes.append(
            _(
                "There is no test/ folder: {validation}/ serves as the test set, and a part of {train}/ "
                "as the validation set.",
                validation=shown(folders["validation"]),
                train=shown(folders["train"]),
            )
        )
    return Places("folders", tuple((split, inner[split]) for split in SPLITS if split in inner))


def _same_names(names: list[str], others: list[str]) -> set[str]:
    return {name.casefold() for name in names} & {name.casefold() for name in others}


def _require_one_data_set(tree: Tree, root: str, source_name: str) -> None:
    """Raise `InputError` if folders beside each other are data sets, or one is and others hold other pictures."""
    children = [folder for folder in tree.children(root) if tree.n_images_below(folder)]
    sets = {folder: what for folder in children if (what := _data_set_in(tree, folder))}
    flat = [folder for folder in children if not any(map(tree.n_images_below, tree.children(folder)))]
    split = [folder for folder, what in sets.items() if what == "split"]
    if len(split) > 1 and len(split) + len(flat) == len(children):
        called = first_few([f"{shown(folder)}/" for folder in split])
        raise InputError(
            _(
                "{source_name} holds several data sets, each with its own split: {called}. Give one of "
                "them, such as {path}.",
                source_name=source_name,
                called=called,
                path=_path(source_name, split[0]),
            )
        )
    if len(sets) != 1 or len(flat) != len(children) - 1 or not flat:
        return
    ((folder, what),) = sets.items()
    if what == "split" or are_generic([base_of(folder)]) or all(_ASIDE.fullmatch(base_of(name)) for name in flat):
        called = first_few([f"{shown(name)}/" for name in flat])
        inside = first_few([shown(name) for name in tree.children(folder)])
        raise InputError(
            _(
                "{source_name} holds a data set in {folder}/ ({inside}) beside other folders with "
                "pictures: {called}. Give that sub-folder: {path}.",
                source_name=source_name,
                folder=shown(folder),
                inside=inside,
                called=called,
                path=_path(source_name, folder),
            )
        )


def _path(source_name: str, folder: str) -> str:
    return f"{source_name.rstrip('/')}/{folder}"


def _data_set_in(tree: Tree, folder: str) -> str:
    """Return "split" for a folder with train/ and test/ above class folders, "classes" for class folders, else ""."""
    inner = [name for name in tree.children(tree.descend(folder, [])) if tree.n_images_below(name)]
    by_split = {split: name for name in inner if (split := split_of(name))}
    if "train" in by_split and len(by_split) > 1:
        names = [names_in(tree, tree.descend(name, [])) for name in by_split.values()]
        return "split" if len(names[0]) > 1 and all(_same_names(names[0], other) for other in names) else ""
    return "classes" if len(inner) > 1 and not are_generic(list(map(base_of, inner))) else ""


def _splits_below(tree: Tree, root: str, notes: list[str]) -> Places | None:
    """Recognize class folders that each hold the split: cat/train, cat/test."""
    children = tree.children(root)
    inner = [{split_of(folder): folder for folder in tree.children(tree.descend(child, []))} for child in children]
    whole = [f"{shown(child)}/" for child, splits in zip(children, inner, strict=True) if len(splits) > 1
             and "train" in splits and "" not in splits]  # fmt: skip
    if len(whole) < 2:
        return None
    if rest := [f"{shown(child)}/" for child, splits in zip(children, inner, strict=True)
                if "train" not in splits or "" in splits]:  # fmt: skip
        raise InputError(
            _(
                "{whole} hold the split (train/ and test/ or validation/), but not {others}. "
                "Give every class these folders, or none.",
                whole=first_few(whole),
                others=first_few(rest),
            )
        )
    pairs = [(split, folder, child) for splits, child in zip(inner, children, strict=True)
             for split, folder in splits.items()]  # fmt: skip
    notes.append(_("The split is inside the class folders, and is kept."))
    return _kept("split below the class", [(split, folder, base_of(child)) for split, folder, child in pairs], notes)


def _splits_in_names(tree: Tree, root: str, notes: list[str]) -> Places | None:
    """Recognize folders that are called by their class and their split: cat_train, cat_test, trainA, testA."""
    parts = [(*split_and_class(folder), folder) for folder in tree.children(root)]
    by_class: dict[str, set[str]] = {}
    for split, name, _unused in parts:
        by_class.setdefault(name, set()).add(split)
    n_folders = sum(map(len, by_class.values()))
    is_split = all("train" in splits and "" not in splits and len(splits) > 1 for splits in by_class.values())
    if len(by_class) < 2 or not is_split or n_folders < len(parts):
        return None
    notes.append(_("The split is in the names of the folders, and is kept."))
    found = [(split, folder, name) for split, name, folder in parts]
    return _kept("split in the folder names", found, notes)


def _kept(labels_from: LabelSource, found: list[tuple[SplitName, str, str]], notes: list[str]) -> Places:
    """Return places from (split, folder, class); validation serves as the test set if there is none."""
    if "test" not in {split for split, _, _ in found}:
        notes.append(_("There is no test folder: the validation folders serve as the test set."))
        found = [("test" if split == "validation" else split, folder, name) for split, folder, name in found]
    found.sort(key=lambda item: (SPLITS.index(item[0]), item[1]))
    folders = tuple((split, folder) for split, folder, _ in found)
    return Places(labels_from, folders, {folder: name for _, folder, name in found})


def _same_files(tree: Tree, folders: list[str]) -> bool:
    """Return whether half of the files in each folder are called like one in the first."""
    stems = [{file.name[len(folder) + 1 :].rpartition(".")[0] for file in tree.images_below(folder)}
             for folder in folders]  # fmt: skip
    return all(2 * len(stems[0] & other) >= min(len(stems[0]), len(other)) for other in stems[1:])


def _put_together(tree: Tree, root: str, notes: list[str]) -> Places | None:
    """Recognize folders under any names that all have the same sub-folders: folds, or parts of a download."""
    children = [folder for folder in tree.children(root) if tree.n_images_below(folder)]
    inner = [names_in(tree, child) for child in children]
    is_same = len(children) > 1 and len(inner[0]) > 1 and all(names == inner[0] for names in inner)
    if not is_same or any(tree.images_in(child) for child in children):
        return None
    if all(map(split_of, inner[0])):
        raise NoClassesError(
            _(
                "{folders} each hold the folders of a split, but no class folders inside.",
                folders=first_few([f"{shown(child)}/" for child in children]),
            )
        )
    if are_generic(inner[0]) and not are_generic([base_of(child) for child in children]):
        return None  # cat/1, cat/2, dog/1, dog/2
    called = first_few([f"{shown(child)}/" for child in children])
    if all(_VERSION.fullmatch(base_of(child)) for child in children) and _same_files(tree, children):
        raise NoClassesError(
            _(
                "{called} hold the same pictures in several versions. Give one of them, or a picture "
                "would be trained on and tested.",
                called=called,
            )
        )
    notes.append(
        _(
            "{called} have the same sub-folders, so those are the classes. The images were put together "
            "and split anew; rename the folders to train and test if they are a split.",
            called=called,
        )
    )
    return Places("folders put together", tuple(("", child) for child in children))
