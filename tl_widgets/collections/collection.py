"""ImageCollection: a learner's images, and edits to them, for `load_folder`.

The files of a folder or zip are never changed. New images are written into `my_images/` (see `uploads`); `save_edits`
stores the edits there, too, so they outlive the kernel.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tl_widgets.collections.storage import uploads_folder
from tl_widgets.core.download import atomic_file
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, OnEvent, ignore
from tl_widgets.core.paths import user_path
from tl_widgets.core.translation import _
from tl_widgets.data.alike import keep_together, leave_out_copies
from tl_widgets.data.archives import FolderSource, ImageSource, SourceFile, archive_stem, printable
from tl_widgets.data.dataset import ImageDataset, Images, first_few
from tl_widgets.data.decode import UnreadableError, decode_image
from tl_widgets.data.folder import load_folder
from tl_widgets.data.folder_layout import apply_edits, find_layout, require_class_name
from tl_widgets.data.groups import Grouping, usual_groupings, with_groups
from tl_widgets.data.layouts.label_table import read_columns
from tl_widgets.data.layouts.tree import Tree
from tl_widgets.data.names import one_form
from tl_widgets.data.sources import Parts, open_source
from tl_widgets.records.provenance import NO_COLUMNS, NO_EDITS, Columns, Edits, Origin


@dataclass(frozen=True)
class ClassFolder:
    """A class before any edits: its folder's printable name and its files by name."""

    folder: str
    files: tuple[SourceFile, ...]


@dataclass(frozen=True)
class ImageCollection:
    """Images by class, and edits to them; every edit returns a new collection.

    Attributes:
        path: absolute path of the folder or zip archive.
        folders: the classes, sorted by folder name.
        edits: classes that were renamed or dropped, and files that were left out.
        has_splits: whether the classes are inside train/ and test/.
        columns: columns of a table of labels that were named, not guessed.
        in_folders: whether each class is a folder, so images can be added.
        parts: folders below `path` that were named for each split.
    """

    path: Path
    folders: tuple[ClassFolder, ...]
    edits: Edits = NO_EDITS
    has_splits: bool = False
    columns: Columns = NO_COLUMNS
    in_folders: bool = True
    parts: Parts = ()

    @property
    def name(self) -> str:
        """Printable name of the folder, or of the zip without its suffix."""
        return printable(archive_stem(self.path.name) if self.path.is_file() else self.path.name)

    @property
    def is_stored(self) -> bool:
        """Whether this is a folder of uploads, to which images can be added."""
        return self.path.is_dir() and self.path.parent == uploads_folder().resolve()

    @property
    def is_gone(self) -> bool:
        """Whether the folder or zip has been deleted, moved or renamed."""
        try:
            self.path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:  # it exists; reading it will report the problem
            return False
        return False

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes in use, in the order of their folders."""
        names = [class_folder.folder for class_folder in self.folders]
        return tuple(self.edits.name_of(name) for name in names if name not in self.edits.dropped)

    def class_folder(self, class_name: str) -> ClassFolder:
        """Return the class with this name, even if dropped, or raise InputError."""
        for folder in self.folders:
            if self.edits.name_of(folder.folder) == class_name:
                return folder
        names = [self.edits.name_of(folder.folder) for folder in self.folders]
        raise InputError(
            _(
                "There is no class {class_name!r} in {name}; its classes are {first_few}.",
                class_name=class_name,
                name=self.name,
                first_few=first_few(names, 20),
            )
        )

    def used_files(self, class_name: str) -> tuple[SourceFile, ...]:
        """Return the files of a class, without those that were left out."""
        left_out = set(self.edits.left_out)
        return tuple(file for file in self.class_folder(class_name).files if file.name not in left_out)

    # Edits

    def rename(self, class_name: str, new_name: str) -> ImageCollection:
        """Rename a class, or raise InputError if the new name is invalid or taken."""
        folder, name = self.class_folder(class_name).folder, require_class_name(new_name)
        if any(self.edits.name_of(other.folder) == name for other in self.folders if other.folder != folder):
            raise InputError(_("There is already a class {name!r}. Choose another name.", name=name))
        renamed = tuple(pair for pair in self.edits.renamed if pair[0] != folder)
        if name != folder:
            renamed = tuple(sorted((*renamed, (folder, name))))
        return self._with_edits(replace(self.edits, renamed=renamed))

    def drop(self, class_name: str) -> ImageCollection:
        """Drop a class; `take_back` undoes it."""
        folder = self.class_folder(class_name).folder
        return self._with_edits(replace(self.edits, dropped=tuple(sorted({*self.edits.dropped, folder}))))

    def take_back(self, class_name: str) -> ImageCollection:
        """Restore a class that was dropped."""
        folder = self.class_folder(class_name).folder
        dropped = tuple(name for name in self.edits.dropped if name != folder)
        return self._with_edits(replace(self.edits, dropped=dropped))

    def exclude(self, files: Collection[str]) -> ImageCollection:
        """Leave out images by their `SourceFile.name`; `include` undoes it."""
        known = {file.name for class_folder in self.folders for file in class_folder.files}
        if unknown := sorted(set(files) - known):
            raise InputError(_("There is no image {unknown} in {name}.", unknown=printable(unknown[0]), name=self.name))
        return self._with_edits(replace(self.edits, left_out=tuple(sorted({*self.edits.left_out, *files}))))

    def include(self, files: Collection[str]) -> ImageCollection:
        """Restore images that were left out, by their `SourceFile.name`."""
        left_out = tuple(name for name in self.edits.left_out if name not in set(files))
        return self._with_edits(replace(self.edits, left_out=left_out))

    def keep_alike_together(self, dataset: ImageDataset) -> ImageCollection:
        """Keep images that look almost the same on one side of the split; `dataset` is what `build` returned."""
        return self._with_edits(replace(self.edits, together=keep_together(dataset).together))

    def exclude_copies(self, dataset: ImageDataset) -> ImageCollection:
        """Leave out all but one of images that look almost the same; `dataset` is what `build` returned."""
        return self._with_edits(replace(self.edits, left_out=leave_out_copies(dataset).left_out))

    def group_by(self, groups: str) -> ImageCollection:
        """Keep images together by "folder", "column:NAME" or a pattern, as in `load_folder`; "" undoes it."""
        return self._with_edits(with_groups(self.edits, groups))

    def _with_edits(self, edits: Edits) -> ImageCollection:
        return replace(self, edits=edits.in_one_form())

    # Reading

    def groupings(self, alike: Iterable[Sequence[str]] = ()) -> tuple[Grouping, ...]:
        """Return the usual ways to group these images that fit; `alike` is what `find_alike` found."""
        self._require_exists()
        source = open_source(self.path)
        try:
            layout, _ = apply_edits(find_layout(source, self.name, self.columns), self.edits)
            table = read_columns(source, Tree(source.listing), self.columns.image)
        finally:
            source.close()
        return usual_groupings(layout.files, table, alike)

    def build(
        self,
        *,
        image_size: int,
        classes: Sequence[str] | None = None,
        on_event: OnEvent = ignore,
        cancel: Cancel | None = None,
    ) -> ImageDataset:
        """Make the data set; arguments and errors are those of `load_folder`."""
        self._require_exists()
        parts = {split: self.path / folder for split, folder in self.parts}
        return load_folder(parts.get("train", self.path), image_size=image_size, classes=classes, edits=self.edits,
                           image_column=self.columns.image, label_column=self.columns.label, test=parts.get("test"),
                           validation=parts.get("validation"), on_event=on_event, cancel=cancel)  # fmt: skip

    def thumbnails(self, files: Sequence[SourceFile], side: int) -> list[Images | str]:
        """Return each file's thumbnail, uint8 (side, side, 3), or why it has none."""
        self._require_exists()
        source = open_source(self.path, self.parts)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Pillow's, about large images
                return [_thumbnail(source, file, side) for file in files]
        finally:
            source.close()

    def _require_exists(self) -> None:
        if self.is_gone:
            raise InputError(
                _(
                    "The images of {name} are no longer at {path}: the folder or zip was deleted, moved "
                    "or renamed. Put it back, or choose it at its new location.",
                    name=self.name,
                    path=printable(str(self.path)),
                )
            )


def open_collection(
    path: Path,
    edits: Edits = NO_EDITS,
    columns: Columns = NO_COLUMNS,
    parts: Parts = (),
    cancel: Cancel | None = None,
) -> ImageCollection:
    """Open a folder or archive; a folder of uploads may have fewer than two classes."""
    source, edits = open_source(path, parts, cancel), edits.in_one_form()
    try:
        try:
            layout = find_layout(source, printable(str(path)), columns, parts)
        except InputError:
            if path.resolve().parent != uploads_folder().resolve() or not isinstance(source, FolderSource):
                raise
            return ImageCollection(source.path, _upload_folders(source), edits)
        files: list[list[SourceFile]] = [[] for _ in layout.class_names]
        for labelled in layout.files:
            files[labelled.label].append(labelled.file)
        folders = tuple(ClassFolder(*pair) for pair in zip(layout.class_names, map(tuple, files), strict=True))
        in_folders = layout.labels_from == "folders"
        return ImageCollection(source.path, folders, edits, bool(layout.splits), columns, in_folders, parts)
    finally:
        source.close()


def collection_of(origin: Origin, cancel: Cancel | None = None) -> ImageCollection:
    """Open the collection that a record's data set was loaded from."""
    if origin.kind != "folder":
        raise InputError(_("These images did not come from a folder or zip. Choose the data set by its name."))
    return open_collection(user_path(origin.path), origin.edits, origin.columns, origin.parts, cancel)


def _upload_folders(source: FolderSource) -> tuple[ClassFolder, ...]:
    """Return the class folders of a folder of uploads that has fewer than two classes."""
    files_of: dict[str, list[SourceFile]] = {}
    for file in source.listing.files:
        folder, slash, _ = file.name.partition("/")
        if slash:
            files_of.setdefault(printable(folder), []).append(file)
    return tuple(ClassFolder(folder, tuple(files)) for folder, files in sorted(files_of.items()))


def _thumbnail(source: ImageSource, file: SourceFile, side: int) -> Images | str:
    try:
        return decode_image(source.read(file), side)
    except UnreadableError as error:
        return str(error)
    except (OSError, KeyError) as error:
        return _("cannot be read: {error}", error=error)


_EDITS_FOLDER = ".edits"
_MAX_BYTES = 20_000_000


def _edits_file(path: Path) -> Path:
    return uploads_folder() / _EDITS_FOLDER / f"{hashlib.blake2b(str(path).encode(), digest_size=16).hexdigest()}.json"


def save_edits(collection: ImageCollection) -> None:
    """Save a collection's edits for `with_saved_edits`; write errors are ignored."""
    file = _edits_file(collection.path)
    with suppress(OSError):
        if collection.edits == NO_EDITS:
            file.unlink(missing_ok=True)
            return
        record = json.dumps({"path": str(collection.path), **asdict(collection.edits)})
        with atomic_file(file) as target:
            target.write(record.encode())


def with_saved_edits(collection: ImageCollection) -> ImageCollection:
    """Return a newly opened collection with those saved edits that still fit."""
    try:
        file = _edits_file(collection.path)
        if not file.is_file() or file.stat().st_size > _MAX_BYTES:
            return collection
        record = json.loads(file.read_text("utf-8"))
        if record["path"] != str(collection.path):
            return collection
        folders = {class_folder.folder for class_folder in collection.folders}
        names = {file.name for class_folder in collection.folders for file in class_folder.files}
        saved_edits = replace(
            NO_EDITS,
            dropped=tuple(sorted(folders & set(map(one_form, record["dropped"])))),
            left_out=tuple(sorted(names & set(map(one_form, record["left_out"])))),
            together=tuple(
                tuple(name for name in map(one_form, members) if name in names)
                for members in record.get("together", ())
            ),
        )
        saved_edits = with_groups(saved_edits, record.get("groups", ""))
        collection = replace(collection, edits=saved_edits)
        for folder, name in record["renamed"]:
            if folder in folders:
                collection = collection.rename(folder, require_class_name(name))
    except (OSError, ValueError, KeyError, TypeError, InputError):
        return replace(collection, edits=Edits())
    return collection
