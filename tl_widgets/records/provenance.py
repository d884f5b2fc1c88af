"""Where a data set came from, exactly enough to load the same images again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class Edits:
    """Changes to the images of a folder that touch no file in it.

    Attributes:
        renamed: (class folder, name of the class).
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
        """Return the folder of the class of that name."""
        return next((folder for folder, name in self.renamed if name == class_name), class_name)

    def name_of(self, folder: str) -> str:
        """Return what the class in a folder is called."""
        return dict(self.renamed).get(folder, folder)


NO_EDITS = Edits()


@dataclass(frozen=True)
class Origin:
    """How to get the same images in the same split.

    Attributes:
        kind: "built-in" (its name is that of the data set) or "folder" (a folder or zip archive of your own).
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
        """Return the origin of what `ImageDataset.take` leaves; None where these fields cannot express it."""
        if self.n_per_class is not None or seed != self.seed:
            return None
        return replace(self, n_per_class=n_per_class)
