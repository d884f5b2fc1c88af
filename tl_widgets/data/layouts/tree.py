"""The folders and files of a source, and what every reader of a layout returns."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _
from tl_widgets.data.archives import Listing, SourceFile, printable

SplitName = Literal["", "train", "validation", "test"]
LabelSource = Literal[
    "folders", "split below the class", "split in the folder names", "folders put together", "file names", "table"
]

SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
IMAGE_SUFFIXES = {
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".heic", ".heif", ".avif",
    ".jxl", ".ppm", ".pgm",
}  # fmt: skip
TABLE_SUFFIXES = {".csv", ".tsv", ".jsonl"}
# Files that nobody takes for pictures. A file with any other suffix may be one: its content decides.
_OTHER_SUFFIXES = TABLE_SUFFIXES | {
    ".txt", ".md", ".rst", ".json", ".xml", ".yaml", ".yml", ".html", ".css", ".js", ".py", ".pyc", ".ipynb", ".sh",
    ".toml", ".cfg", ".ini", ".log", ".pdf", ".h5", ".hdf5", ".keras", ".pt", ".pth", ".onnx", ".tflite", ".pb", ".pkl",
    ".npy", ".npz", ".mat", ".zip", ".gz", ".tgz", ".tar", ".7z", ".rar", ".xls", ".xlsx", ".db", ".mp4", ".avi",
}  # fmt: skip
_ANNOTATIONS = re.compile(r"(annot\w*|labels?|xmls?|bbox\w*|boxes)", re.IGNORECASE)
_GENERIC = re.compile(
    r"(folds?|splits?|subsets?|chunks?|images?|imgs?|pictures?|photos?|pics?|bilder|data|dataset|part|batch|set|files?|jpe?gs?|pngs?|all|raw|folder|"
    r"jpegimages|masks?|labels?|annotations?|annots?|segmentation\w*|gt|ground|truth|xmls?|imagesets|bboxe?s?)"
)


class NoClassesError(InputError):
    """The folders don't say which classes there are; another layout may."""


class UnclearColumnsError(InputError):
    """A table of labels has several columns, or none, that could be meant.

    Attributes:
        argument: what is unclear: "image_column" or "label_column".
        table: printable name of the table.
        columns: the columns to choose from, with some of their values.
    """

    def __init__(
        self, text: str, argument: Literal["image_column", "label_column"], table: str, columns: dict[str, str]
    ) -> None:
        super().__init__(text)
        self.argument, self.table, self.columns = argument, table, columns


@dataclass(frozen=True)
class LabelledImage:
    """A file with its split and its class, as the source spells it."""

    file: SourceFile
    split: SplitName
    class_name: str


@dataclass(frozen=True)
class Reading:
    """How a source was read.

    Attributes:
        images: the labeled files.
        class_names: as the source spells them, sorted; a class may have no images.
        splits: the splits that are given.
        notes: sentences on what was guessed or ignored.
        labels_from: where the classes come from.
        places: (split, folder) for each folder that holds images or class folders; ("", folder) without given splits.
        root: the folder that holds everything; file names are shown from there.
        where: for each class, where its images come from.
        is_plain: whether every file of every class folder was read, under the folder's own name.
    """

    images: tuple[LabelledImage, ...]
    class_names: tuple[str, ...]
    splits: tuple[SplitName, ...]
    notes: tuple[str, ...]
    labels_from: LabelSource
    places: tuple[tuple[SplitName, str], ...]
    root: str
    where: tuple[str, ...]
    is_plain: bool = True


class Tree:
    """Sub-folders and files by the name of their folder."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.folders: dict[str, list[str]] = {}
        self.files: dict[str, list[SourceFile]] = {}
        self._maybe_images: Counter[str] = Counter()  # files below each folder that may be images
        self._files_below: Counter[str] = Counter()
        self._images_below: Counter[str] = Counter()
        self._images = sorted((file for file in listing.files if suffix_of(file.name) in IMAGE_SUFFIXES), key=_by_name)
        self._names = [file.name for file in self._images]
        for name in sorted(listing.folders):
            self.folders.setdefault(parent_of(name), []).append(name)
        for file in listing.files:
            self.files.setdefault(parent_of(file.name), []).append(file)
            suffix = suffix_of(file.name)
            maybe, is_image = suffix not in _OTHER_SUFFIXES, suffix in IMAGE_SUFFIXES
            for folder in _folders_above(file.name):
                self._files_below[folder] += 1
                self._maybe_images[folder] += maybe
                self._images_below[folder] += is_image

    def children(self, folder: str) -> list[str]:
        """Return the sub-folders that may hold images; an empty one may be an empty class."""
        return [name for name in self.folders.get(folder, []) if not self.is_without_images(name)]

    def is_without_images(self, folder: str) -> bool:
        """Return whether a folder holds files, but none that may be an image."""
        maybe = self._images_below if _ANNOTATIONS.fullmatch(base_of(folder)) else self._maybe_images
        return self._files_below[folder] > 0 and not maybe[folder]

    def images_in(self, folder: str) -> list[SourceFile]:
        """Return the files directly in `folder` that have an image's suffix."""
        return [file for file in self.files.get(folder, []) if suffix_of(file.name) in IMAGE_SUFFIXES]

    def images_below(self, folder: str) -> list[SourceFile]:
        """Return the files in `folder` or deeper that have an image's suffix."""
        if not folder:
            return list(self._images)
        # "0" follows "/", so these are the names that begin with the folder's.
        return self._images[bisect_left(self._names, f"{folder}/") : bisect_left(self._names, f"{folder}0")]

    def tables(self) -> list[SourceFile]:
        """Return the files that may be tables of labels."""
        return [file for file in self.listing.files if suffix_of(file.name) in TABLE_SUFFIXES]

    def without(self, files: set[SourceFile]) -> Tree:
        """Return the tree without some files; folders that hold nothing else go with them."""
        left = tuple(file for file in self.listing.files if file not in files)
        emptied = {parent_of(file.name) for file in files} - {parent_of(file.name) for file in left}
        gone = {folder for folder in emptied if not self.folders.get(folder)}
        return Tree(replace(self.listing, files=left, folders=self.listing.folders - gone))

    def n_images_below(self, folder: str) -> int:
        """Return the number of files in `folder` or deeper that have an image's suffix."""
        return self._images_below[folder]

    def descend(self, root: str, strays: list[SourceFile]) -> str:
        """Return the folder below wrappers with a single folder; add images above it to `strays`."""
        while True:
            children = self.children(root)
            if len(children) > 1:  # empty folders beside one with class folders are no classes
                children = [name for name in children if self._maybe_images[name]]
                if len(children) != 1 or len(self.children(children[0])) < 2:
                    return root
            if len(children) != 1:
                return root
            # A folder with more images than folders is a class, not a wrapper.
            folders = self.children(children[0])
            if not folders or len(self.images_in(children[0])) > len(folders):
                return root
            strays += self.images_in(root)
            root = children[0]


def _by_name(file: SourceFile) -> str:
    return file.name


def parent_of(name: str) -> str:
    """Return the folder of a file or folder; "" at the top."""
    return name.rpartition("/")[0]


def base_of(name: str) -> str:
    """Return the last part of a path, as the source spells it."""
    return name.rpartition("/")[2]


def shown(name: str) -> str:
    """Return the last part of a path, printable."""
    return printable(base_of(name))


def suffix_of(name: str) -> str:
    """Return the suffix of a file in lower case."""
    stem, dot, suffix = base_of(name).rpartition(".")
    return f".{suffix.lower()}" if stem and dot and suffix else ""


def are_generic(names: list[str]) -> bool:
    """Return whether folders are called like containers ("images", "ham_part_1"), not like classes."""
    words = [[word for word in words if not _GENERIC.fullmatch(word)] for words in map(_words, names)]
    is_numbered = len({" ".join(_words(name)) for name in names}) == 1 < len(names)
    return not any(words) or (is_numbered and words[0] != _words(names[0]))


def _words(name: str) -> list[str]:
    return re.findall(r"[a-z]+", shown(name).lower())


def _folders_above(name: str) -> Iterator[str]:
    while name:
        name = parent_of(name)
        yield name


def counted(counts: dict[str, int], n_shown: int = 10) -> str:
    """Return classes with their numbers of images: "cat (200), dog (200)"."""
    parts = [f"{printable(name)} ({n:,})" for name, n in counts.items()]
    rest = len(parts) - n_shown
    return ", ".join(parts[:n_shown]) + (_(" and {rest:,} more classes", rest=rest) if rest > 0 else "")
