"""Classes that are folders: alone, inside or above the folders of a split, and below wrappers."""

from __future__ import annotations

from tl_widgets.core.errors import InputError
from tl_widgets.core.text import all_of
from tl_widgets.core.translation import _
from tl_widgets.data.archives import SourceFile, printable
from tl_widgets.data.dataset import first_few
from tl_widgets.data.layouts.places import Places, find_places, names_in
from tl_widgets.data.layouts.split_names import split_of
from tl_widgets.data.layouts.tree import (
    LabelledImage,
    NoClassesError,
    Reading,
    SplitName,
    Tree,
    base_of,
    counted,
    shown,
)

ADVICE = _("Make one sub-folder for each class, named like the class, with its images inside.")


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
        notes.append(_("Folders without pictures were left aside: {first_few}.", first_few=first_few(aside)))
    places = find_places(tree, root, strays, notes, source_name)
    folder_of = _class_folders(tree, places, source_name, notes)
    names = sorted({name for _, _, name in folder_of})
    images = _labelled(tree, folder_of)
    _note_inner_folders(tree, folder_of, notes)
    strays += [image for folder in {root, *(f for _, f in places.folders)} for image in _direct(tree, folder, places)]
    if strays:
        some = first_few([printable(file.name) for file in sorted(strays, key=lambda file: file.name)])
        notes.append(
            _("Ignored images outside the class folders ({n_strays:,}): {some}.", n_strays=len(strays), some=some)
        )
    splits = tuple(dict.fromkeys(split for split, _ in places.folders if split))
    where = tuple(", ".join(sorted({f"{_below(folder, root)}/" for _, folder, own in folder_of if own == name})[:3])
                  for name in names)  # fmt: skip
    if places.labels_from != "folders":
        images = sorted(images, key=lambda image: (image.class_name, image.file.name))
        counts = {name: sum(image.class_name == name for image in images) for name in names}
        notes.insert(0, _("Classes from the folders: {counted}.", counted=counted(counts)))
    is_whole = all(len(tree.folders.get(place, [])) == len(tree.children(place)) for _, place in places.folders)
    is_plain = is_whole and {base_of(folder) for _, folder, _ in folder_of} == set(names)
    return Reading(
        tuple(images), tuple(names), splits, tuple(notes), places.labels_from, places.folders, root, where, is_plain
    )


def _below(folder: str, root: str) -> str:
    return printable(folder[len(root) + 1 :] if root else folder)


def _direct(tree: Tree, folder: str, places: Places) -> list[SourceFile]:
    return [] if folder in places.class_of else tree.images_in(folder)


def _class_folders(tree: Tree, places: Places, source_name: str, notes: list[str]) -> list[tuple[SplitName, str, str]]:
    """Return (split, folder, raw class name); InputError unless all places have the same classes, at least two."""
    if places.class_of:
        return [(split, folder, places.class_of[folder]) for split, folder in places.folders]
    first = places.folders[0][1]
    known = {name.casefold(): name for name in names_in(tree, first)}
    spelled = len(known) == len(names_in(tree, first))  # no two classes differ only by their case
    found: list[tuple[SplitName, str, str]] = []
    for split, place in places.folders:
        names = names_in(tree, place)
        _require_two(
            names, _("{place}/ of {source_name}", place=shown(place), source_name=source_name) if split else source_name
        )
        if not split and len(places.folders) == 1 and all(map(split_of, names)):
            parts = all_of(f"{shown(name)}/" for name in names)
            inside = {name for folder in tree.children(place) for name in names_in(tree, folder)}
            if len(inside) == 1:
                _require_two(list(inside), source_name)
            raise NoClassesError(
                _(
                    "{parts} of {source_name} are the folders of a split, but hold no class folders, so "
                    "the images have no labels. {advice}",
                    parts=parts,
                    source_name=source_name,
                    advice=ADVICE,
                )
            )
        called = {name: known.get(name.casefold(), name) if spelled else name for name in names}
        if other := {name: own for name, own in called.items() if name != own}:
            pairs = first_few(
                [_("{name} and {own}", name=printable(name), own=printable(own)) for name, own in other.items()]
            )
            notes.append(_("Spelled in two ways, and taken for one class: {pairs}.", pairs=pairs))
        missing, extra = (set(known.values()) - set(called.values()), set(called.values()) - set(known.values()))
        if missing and extra:
            quoted = first_few([repr(printable(name)) for name in sorted(missing | extra)])
            raise InputError(
                _(
                    "{first}/ and {place}/ of {source_name} have different classes: only one has "
                    "{quoted}. Both must have the same classes, spelled the same way.",
                    first=shown(first),
                    place=shown(place),
                    source_name=source_name,
                    quoted=quoted,
                )
            )
        found += [(split, folder, called[base_of(folder)]) for folder in tree.children(place)]
    return found


def _require_two(names: list[str], part: str) -> None:
    if not names:
        raise NoClassesError(
            _("{part} has no sub-folders, so there are no classes. {advice}", part=part, advice=ADVICE)
        )
    if len(names) == 1:
        raise NoClassesError(
            _(
                "{part} has only one class, {name!r}; you need at least two. {advice}",
                part=part,
                name=shown(names[0]),
                advice=ADVICE,
            )
        )


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
        notes.append(_("The sub-folders inside a class were put together: {first_few}.", first_few=first_few(nested)))
