"""Groups: images that belong together, and splits that keep them on one side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tl_widgets.core.errors import InputError
from tl_widgets.data.dataset import Labels, Rows, split_sizes


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
                    f"The images of class {class_names[int(classes[column])]!r} are in {n_groups[column]} "
                    f"group{'s' if n_groups[column] != 1 else ''}, too few to put one into each of {len(parts)} parts. "
                    "Add images that belong to other groups, or group them differently."
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
