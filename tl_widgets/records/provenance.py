"""Where a data set came from, exactly enough to load the same images again. A leaf: stdlib only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class Edits:
    """What somebody changed about the images of a folder without touching a file in it.

    Attributes:
        renamed: (class folder, what the class is called).
        dropped: class folders that are not used.
        left_out: files that are not used, as paths below the root, parts joined by "/".
    """

    renamed: tuple[tuple[str, str], ...] = ()
    dropped: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything was changed."""
        return bool(self.renamed or self.dropped or self.left_out)

    def folder_of(self, class_name: str) -> str:
        """The folder of the class of that name."""
        return next((folder for folder, name in self.renamed if name == class_name), class_name)

    def name_of(self, folder: str) -> str:
        """What the class in a folder is called."""
        return dict(self.renamed).get(folder, folder)


NO_EDITS = Edits()


@dataclass(frozen=True)
class Origin:
    """What to do to get the same images in the same split.

    Attributes:
        kind: "built-in" (the name of the data set says which) or "folder" (of your own, or a zip archive).
        seed: of the split and of the choice of `n_per_class` images.
        n_per_class: training images of each class that were taken; None for all.
        path: of the folder or zip archive, absolute; "" for a built-in one.
        folders: where the class folders lie below `path`: (("", folder),), or, where the split is given,
            one (split, folder) each for "train", "test" and perhaps "validation". Parts are joined by "/".
        classes: those that were chosen, by their names after `edits`; () for all.
        edits: of a folder, what is to be changed after it was read.
    """

    kind: Literal["built-in", "folder"]
    seed: int = 0
    n_per_class: int | None = None
    path: str = ""
    folders: tuple[tuple[str, str], ...] = ()
    classes: tuple[str, ...] = ()
    edits: Edits = NO_EDITS

    def take(self, n_per_class: int, seed: int) -> Origin | None:
        """The origin of what `ImageDataset.take` leaves; None where these fields cannot say it."""
        if self.n_per_class is not None or seed != self.seed:
            return None
        return replace(self, n_per_class=n_per_class)
