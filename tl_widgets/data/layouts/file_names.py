"""Classes that are in the file names: cat.0.jpg, dog_12.jpg, "cat (3).png"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from tl_widgets.core.translation import _
from tl_widgets.data.archives import SourceFile, printable
from tl_widgets.data.dataset import first_few
from tl_widgets.data.layouts.split_names import split_of
from tl_widgets.data.layouts.tree import SPLITS, LabelledImage, Reading, SplitName, Tree, base_of, counted, shown

_CLASS = re.compile(r"(.*?[^\W\d_].*?)[\s_-]*(?=[.\d(\[{])")
_MIN_IMAGES = 2  # of each class
_MIN_NAMED = 0.9  # of the images
# What cameras, phones and programs call their files.
_CAMERAS = re.compile(
    r"(img|image|imagen|dsc[nf_]?|dscn|pxl|mvimg|mvi|gopr|gp|dji|photo|foto|pic|picture|pict|frame|screen ?shot|"
    r"bildschirmfoto|signal|whatsapp image|fb img|snap|scan|file|untitled|download|unnamed|p|s|i|im)",
    re.IGNORECASE,
)


def read_file_names(tree: Tree) -> Reading | None:
    """Read the classes from the names, if at least two classes with two images each result; otherwise None.

    A class is the text up to the first dot, digit or bracket. Folders of a split are kept; one whose names don't say
    the classes is left aside.
    """
    strays: list[SourceFile] = []
    root = tree.descend("", strays)
    folders: dict[SplitName, str] = {}
    for folder in tree.children(root):
        if split := split_of(folder):
            folders.setdefault(split, folder)
    if "train" not in folders or tree.images_in(root):
        folders = {"": root}
    notes: list[str] = []
    found = {split: _classes(tree.images_below(folder)) for split, folder in folders.items()}
    known = _known_classes(found["train" if "train" in found else ""])
    if not known:
        return None
    images: list[LabelledImage] = []
    aside: list[SourceFile] = []
    for split, files in found.items():
        usable = [(file, known[name.casefold()]) for file, name in files if name.casefold() in known]
        if split in ("validation", "test") and len(usable) < _MIN_NAMED * len(files):
            notes.append(
                _(
                    "{folder}/ was left aside: its {n_files:,} file names don't say the class.",
                    folder=shown(folders[split]),
                    n_files=len(files),
                )
            )
            continue
        images += [LabelledImage(file, split, name) for file, name in usable]
        aside += [file for file, name in files if name.casefold() not in known]
    splits = {image.split for image in images}
    if splits == {"train", "validation"}:
        notes.append(
            _("There is no test folder: {validation}/ serves as the test set.", validation=shown(folders["validation"]))
        )
        images = [LabelledImage(i.file, "test" if i.split == "validation" else i.split, i.class_name) for i in images]
        folders["test"] = folders.pop("validation")
    elif splits == {"train"}:
        images = [LabelledImage(image.file, "", image.class_name) for image in images]
        folders = {"": folders["train"]}
    counts = Counter(image.class_name for image in images)
    found_classes = counted(dict(sorted(counts.items())))
    notes.insert(
        0, _("Classes from the file names, up to the first dot or digit: {found_classes}.", found_classes=found_classes)
    )
    if aside:
        some = first_few([printable(file.name) for file in aside])
        notes.append(
            _(
                "Left aside, because their names say no class that others have ({n_aside:,}): {some}.",
                n_aside=len(aside),
                some=some,
            )
        )
    given = tuple(split for split in SPLITS if any(image.split == split for image in images))
    names = tuple(sorted(counts))
    images.sort(key=lambda image: (image.class_name, image.file.name))
    places = tuple((split, folders[split]) for split in given) or (("", folders[""]),)
    where = tuple(_("file names with {name}", name=printable(name)) for name in names)
    return Reading(tuple(images), names, given, tuple(notes), "file names", places, root, where)


def have_classes(names: Iterable[str]) -> bool:
    """Return whether file names say at least two classes."""
    return bool(_known_classes(_classes([SourceFile(name, 0, "") for name in names])))


def _classes(files: list[SourceFile]) -> list[tuple[SourceFile, str]]:
    """Return each file with the class in its name, "" if there is none."""
    pairs = []
    for file in files:
        match = _CLASS.match(base_of(file.name))
        pairs.append((file, match[1].strip() if match else ""))
    return pairs


def _known_classes(files: list[tuple[SourceFile, str]]) -> dict[str, str]:
    """Return the most common spelling of each class by its name in lower case; {} if they are no classes."""
    spellings = Counter(name for _, name in files if name and not _CAMERAS.fullmatch(name))
    totals: Counter[str] = Counter()
    for name, n in spellings.items():
        totals[name.casefold()] += n
    usable = {name for name, n in totals.items() if n >= _MIN_IMAGES}
    if len(usable) < 2 or sum(totals[name] for name in usable) < _MIN_NAMED * len(files):
        return {}
    known: dict[str, str] = {}
    for name, _unused in spellings.most_common():
        if name.casefold() in usable:
            known.setdefault(name.casefold(), name)
    return known
