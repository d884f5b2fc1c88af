"""The origin of a data set, exact enough to load the same images again."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import Literal

from tl_widgets.records.kinds import Count, FileName


@dataclass(frozen=True)
class Edits:
    """Changes to the images of a folder, made without touching its files.

    Attributes:
        renamed: Pairs of a class folder and the new name of the class.
        dropped: Class folders that aren't used.
        left_out: Files that aren't used, as paths relative to the root, with "/" between parts.
        groups: How to find images that belong together, which stay on one side of every split: "" (each image stands
            for itself), "folder" (the sub-folder of the class folder), "column:NAME" (a column of a table beside the
            images) or a regular expression with one group, which finds it in a file's name.
        together: Sets of files that belong together, as paths relative to the root, in addition to `groups`.
    """

    renamed: tuple[tuple[FileName, FileName], ...] = ()
    dropped: tuple[FileName, ...] = ()
    left_out: tuple[FileName, ...] = ()
    groups: str = ""
    together: tuple[tuple[FileName, ...], ...] = ()

    def __bool__(self) -> bool:
        """Whether anything was changed."""
        return self != NO_EDITS

    @property
    def has_groups(self) -> bool:
        """Whether images are kept together."""
        return bool(self.groups or self.together)

    def in_one_form(self) -> Edits:
        """Return the edits with all names in the Unicode form NFC, as files are listed."""

        def nfc(names: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(unicodedata.normalize("NFC", name) for name in names)

        renamed = tuple((nfc((folder,))[0], name) for folder, name in self.renamed)
        together = tuple(map(nfc, self.together))
        return replace(self, renamed=renamed, dropped=nfc(self.dropped), left_out=nfc(self.left_out), together=together)

    def folder_of(self, class_name: str) -> str:
        """Return the folder of a class."""
        return next((folder for folder, name in self.renamed if name == class_name), class_name)

    def name_of(self, folder: str) -> str:
        """Return the name of the class in a folder."""
        return dict(self.renamed).get(folder, folder)


NO_EDITS = Edits()


@dataclass(frozen=True)
class Columns:
    """The columns of a table of labels that the user named; None where they are guessed.

    Attributes:
        image: The column whose cells name image files.
        label: The column of the classes.
    """

    image: str | None = None
    label: str | None = None

    def __bool__(self) -> bool:
        """Whether a column was named."""
        return self.image is not None or self.label is not None


NO_COLUMNS = Columns()


@dataclass(frozen=True)
class Origin:
    """How to get the same images in the same split.

    Attributes:
        kind: "built-in" (found by the data set's name) or "folder" (the user's folder or zip archive).
        seed: The seed of the split and of the choice of `n_per_class` images.
        n_per_class: Training images of each class; None for all.
        path: The absolute path of the folder or zip archive; "" for a built-in data set.
        folders: Where the class folders are below `path`: (("", folder),), or, if the folder has its own split, a pair
            (split, folder) for "train", "test" and perhaps "validation". Parts of a path are joined by "/".
        labels_from: "folders" if the classes are the folders inside those of `folders`, whole and by their own names;
            otherwise another layout.
        columns: The columns of a table of labels that the user named.
        classes: The chosen classes, by their names after `edits`; () for all.
        edits: Changes to make after the folder was read.
        parts: (split, folder below `path`) for each folder that the user named as "train", "test" or "validation".
    """

    kind: Literal["built-in", "folder"]
    seed: Count = 0
    n_per_class: Count | None = None
    path: FileName = ""
    folders: tuple[tuple[FileName, FileName], ...] = ()
    classes: tuple[str, ...] = ()
    edits: Edits = NO_EDITS
    labels_from: str = "folders"
    columns: Columns = NO_COLUMNS
    parts: tuple[tuple[FileName, FileName], ...] = ()

    def take(self, n_per_class: int, seed: int) -> Origin | None:
        """Return the origin after `ImageDataset.take`; None if the fields can't express it."""
        if self.n_per_class is not None or seed != self.seed:
            return None
        return replace(self, n_per_class=n_per_class)
