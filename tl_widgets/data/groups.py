"""Groups: images that belong together, ways to find them, and splits that keep them on one side."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tl_widgets.core.errors import InputError
from tl_widgets.core.text import shown
from tl_widgets.core.translation import _, ngettext
from tl_widgets.data.dataset import Labels, Rows, split_sizes
from tl_widgets.data.folder_layout import LabelledFile
from tl_widgets.records.provenance import Edits

BY_FOLDER = "folder"
_BY_COLUMN = "column:"
Cells = Mapping[str, str]  # a column's cell for each image, by `SourceFile.name`


def with_groups(edits: Edits, groups: str | Mapping[str, str] | None) -> Edits:
    """Return the edits with the argument `groups` of `load_folder`.

    Raises:
        InputError: It is neither "folder" nor "column:NAME" nor a regular expression with one group nor a mapping of
            files to groups.
    """
    if groups is None:
        return edits
    if isinstance(groups, Mapping):
        members: dict[str, list[str]] = {}
        for file, group in groups.items():
            members.setdefault(str(group), []).append(str(file))
        sets = tuple(tuple(sorted(files)) for files in members.values() if len(files) > 1)
        return replace(edits, together=edits.together + sets)
    if not isinstance(groups, str):
        raise InputError(
            _(
                'groups must be "folder", "column:NAME", a regular expression, or a mapping; received {groups}.',
                groups=shown(groups, 100),
            )
        )
    if groups and groups != BY_FOLDER and group_column(groups) is None:
        _pattern(groups)
    return replace(edits, groups=groups)


def group_column(groups: str) -> str | None:
    """Return the column of a table that holds the groups; None if they come from elsewhere."""
    return groups.removeprefix(_BY_COLUMN) if groups.startswith(_BY_COLUMN) else None


def _pattern(groups: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(groups)
    except re.error as error:
        raise InputError(
            _("groups={groups} is not a regular expression ({error}).", groups=shown(groups, 100), error=error)
        ) from None
    if pattern.groups != 1:
        raise InputError(
            _(
                'groups={groups} must have one group in parentheses, such as r"^(\\w+?)_", or be "folder" '
                'or "column:NAME"; it has {n}.',
                groups=shown(groups, 100),
                n=pattern.groups,
            )
        )
    return pattern


def name_group(name: str, groups: str) -> str:
    """Return the group of a file by its path below the folder of the classes; "" if it stands for itself."""
    parts = name.split("/")
    if groups == BY_FOLDER:
        return "/".join(parts[1:-1])
    match = _pattern(groups).search(parts[-1]) if groups else None
    return (match[1] or "") if match else ""


# What names of files that belong together often have in common: "walk 012-3.jpg", "anna_2.jpg", "IMG_0012 (2).jpg".
_USUAL = (BY_FOLDER, r"^(.+)[-_ ]+\(?\d+\)?\.", r"^(.+)[-_ ]+\w+\.", r"^([^\W\d_]+)")


def suggest_groups(pairs: Sequence[tuple[str, str]], names: Sequence[str]) -> str:
    """Return groups in which each pair of files is together, and most others aren't; "" if no usual ones fit.

    Args:
        pairs: Files that belong together, as in `LoadReport.files`.
        names: All files.
    """
    for groups in _USUAL:
        known = [(name_group(first, groups), name_group(second, groups)) for first, second in pairs]
        if all(first and first == second for first, second in known):
            sizes = Counter(name_group(name, groups) or name for name in names)
            if len(sizes) >= _fewest(len(names)):
                return groups
    return ""


def _fewest(n_files: int) -> int:
    """Return how many groups must be there, so that they can be split."""
    return max(6, n_files // 10)


@dataclass(frozen=True)
class Grouping:
    """A usual way to group the images of a folder that fits it.

    Attributes:
        groups: the way, as in `load_folder`.
        names: the groups of more than one image, sorted.
        is_suggested: whether images that look alike are together in it.
    """

    groups: str
    names: tuple[str, ...]
    is_suggested: bool = False


def usual_groupings(
    files: Sequence[LabelledFile], columns: Mapping[str, Cells], alike: Iterable[Sequence[str]] = ()
) -> tuple[Grouping, ...]:
    """Return the usual ways to group files that put most of them into groups, and into enough of them to split.

    Args:
        files: the images.
        columns: the cells of a table's columns, by name.
        alike: sets of images that look alike, by `SourceFile.name`.
    """
    ways: dict[str, list[str]] = {
        groups: [name_group(labelled.below, groups) for labelled in files] for groups in _USUAL
    }
    for column, cells in columns.items():
        ways[_BY_COLUMN + column] = [cells.get(labelled.file.name, "") for labelled in files]
    row_of, sets = {labelled.file.name: i for i, labelled in enumerate(files)}, list(alike)
    found: dict[tuple[int, ...], Grouping] = {}
    for groups, group_of in ways.items():
        sizes = Counter(group for group in group_of if group)
        shared = sorted(group for group, n in sizes.items() if n > 1)
        n_shared = sum(sizes[group] for group in shared)
        first: dict[str, int] = {}
        partition = tuple(first.setdefault(group or f"/{i}", i) for i, group in enumerate(group_of))
        in_class = Counter(label for label, _ in {(file.label, i) for file, i in zip(files, partition, strict=True)})
        few = len(set(partition)) < _fewest(len(files)) or min(in_class.values(), default=0) < 3  # one in each split
        if few or 2 * n_shared < len(files):
            continue
        known = [{partition[row_of[name]] for name in members if name in row_of} for members in sets]
        fits = bool(known) and all(len(places) == 1 for places in known)
        found.setdefault(partition, Grouping(groups, tuple(shared), fits))
    return tuple(found.values())


def group_numbers(files: Sequence[LabelledFile], edits: Edits, cells: Cells | None = None) -> Labels:
    """Return the number of each file's group, int64 (n_files,); files that stand for themselves have their own.

    `cells` are those of the column that `edits.groups` names.
    """
    parent = list(range(len(files)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[str, int] = {}
    for i, labelled in enumerate(files):
        group = name_group(labelled.below, edits.groups) if cells is None else cells.get(labelled.file.name)
        if group:
            parent[root(i)] = root(first.setdefault(group, i))
    rows = {labelled.file.name: i for i, labelled in enumerate(files)}
    for members in edits.together:
        known = [rows[name] for name in members if name in rows]
        for i in known[1:]:
            parent[root(i)] = root(known[0])
    return np.unique([root(i) for i in range(len(files))], return_inverse=True)[1].astype(np.int64)


def group_note(numbers: Labels, splits: Iterable[str] = ()) -> str:
    """Return a sentence about groups, and about those that a folder's own split tears apart."""
    sizes = Counter(numbers.tolist())
    several = [size for size in sizes.values() if size > 1]
    text = _("Kept together: {n:,} images in {n_several:,} groups.", n=sum(several), n_several=len(several))
    places: dict[int, set[str]] = {}
    for number, split in zip(numbers.tolist(), splits, strict=False):
        places.setdefault(number, set()).add("train" if split == "validation" else split)
    torn = sum(len(names) > 1 for names in places.values())
    if torn:
        text += _(
            " The folder's own split has {torn:,} of them in both train/ and test/: move their files to one side.",
            torn=torn,
        )
    return text


def split_groups(
    labels: Labels, groups: Labels, validation: float, test: float, seed: int, class_names: Sequence[str]
) -> tuple[Rows, Rows, Rows]:
    """Return the rows of train, validation and test, with each group in one of them.

    The shares of `split_rows` are met as well as the groups allow. Each class has at least one image in each part.

    Raises:
        InputError: A class is in too few groups.
    """
    classes = np.unique(labels)
    names, members = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(names), len(classes)), np.int64)
    np.add.at(counts, (members, np.searchsorted(classes, labels)), 1)
    targets = np.array([split_sizes(int(n), validation, test) for n in counts.sum(axis=0)]).T  # (parts, classes)
    parts = [part for part in (2, 1, 0) if part == 0 or (validation, test)[part - 1]]
    order = np.random.default_rng((seed, 3)).permutation(len(names))
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]  # large groups find a place most easily
    part_of, placed = np.full(len(names), -1), np.zeros((3, len(classes)), np.int64)

    def place(group: int, part: int) -> None:
        part_of[group] = part
        placed[part] += counts[group]

    n_groups = (counts > 0).sum(axis=0)
    for column in np.argsort(n_groups, kind="stable"):  # the scarcest class first
        for part in parts:
            free = (group for group in order[::-1] if part_of[group] < 0 and counts[group, column])
            if placed[part, column]:
                continue
            smallest = next(free, None)
            if smallest is None:
                raise InputError(
                    ngettext(
                        "The images of class {name!r} are in {n} group, too few to put one into each of {n_parts} "
                        "parts. Add images that belong to other groups, or group them differently.",
                        "The images of class {name!r} are in {n} groups, too few to put one into each of {n_parts} "
                        "parts. Add images that belong to other groups, or group them differently.",
                        int(n_groups[column]),
                        name=class_names[int(classes[column])],
                        n_parts=len(parts),
                    )
                )
            place(int(smallest), part)
    for group in order:
        if part_of[group] < 0:
            excess = {part: _excess(counts[group], placed[part], targets[part]) for part in reversed(parts)}
            place(int(group), min(excess, key=excess.__getitem__))
    train, validated, tested = (np.flatnonzero(part_of[members] == part).astype(np.int64) for part in range(3))
    return train, validated, tested


def _excess(added: Labels, placed: Labels, target: Labels) -> float:
    """Return how much further from its target a part would be with these images of each class."""
    target = np.maximum(target, 1)
    return float((((placed + added - target) / target) ** 2 - ((placed - target) / target) ** 2).sum())
