"""Check new images from an upload or the camera, and add them to a collection."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from tl_widgets.collections.collection import ImageCollection, open_collection
from tl_widgets.collections.storage import make_folder, require_room, safe_name, uploads_folder, write_new
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore, raise_if_cancelled
from tl_widgets.core.translation import _
from tl_widgets.data.archives import MAX_FILE_BYTES, is_archive, is_archive_name, printable
from tl_widgets.data.dataset import first_few
from tl_widgets.data.decode import UnreadableError, decode_image
from tl_widgets.data.folder_layout import find_layout, require_class_name
from tl_widgets.data.layouts.tree import UnclearColumnsError
from tl_widgets.data.sources import open_source
from tl_widgets.records.provenance import Edits

MAX_AT_ONCE = 2_000  # images in one upload
_CHECK_SIZE = 32  # pixels; an image that decodes at this size decodes at any
Upload = bytes | Path  # a file's bytes, or its temporary path


@dataclass(frozen=True)
class Addition:
    """The collection with new images, their number, (file, reason) for each that was skipped, and notes."""

    collection: ImageCollection
    n_added: int
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def upload_zip(name: str, temporary: Path) -> ImageCollection:
    """Move a complete `Incoming` zip to the uploads and open it."""
    return open_collection(store_zip(name, temporary))


def store_zip(name: str, temporary: Path) -> Path:
    """Move a complete `Incoming` zip to the uploads, even if the columns of its table of labels are unclear."""
    root = uploads_folder()
    shown = printable(name)
    try:
        if not is_archive(temporary):
            raise InputError(
                _("{shown} is not a zip archive. Zip a folder with one sub-folder for each class.", shown=shown)
            )
        try:
            source = open_source(temporary)
        except InputError as error:
            raise InputError(str(error).replace(printable(str(temporary)), shown)) from None
        try:
            with suppress(UnclearColumnsError):
                find_layout(source, shown)
        finally:
            source.close()
        safe = safe_name(name, "images.zip")
        return write_new(root, safe if is_archive_name(safe) else f"{PurePosixPath(safe).stem}.zip", temporary)
    except OSError as error:
        raise InputError(
            _(
                "{shown} could not be saved in {root}: {strerror}.",
                shown=shown,
                root=root,
                strerror=error.strerror or error,
            )
        ) from error


def add_images(
    collection: ImageCollection | None,
    class_name: str,
    files: Sequence[tuple[str, Upload]],
    *,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> Addition:
    """Add images to an existing or a new class.

    A folder or zip that is not among the uploads stays unchanged: the images in use are first copied to the uploads.
    Without a collection, a new one is made. `files` are (name, bytes), or (name, path) of `Incoming` files, which are
    moved. `on_event` receives "decode" events while files are checked and copied.

    Raises:
        InputError: none of the files is an image, there are too many, or there is no room. Nothing has changed.
        CancelledError: `cancel` was set. Nothing has changed.
    """
    name = require_class_name(class_name)
    if not files or len(files) > MAX_AT_ONCE:
        raise InputError(
            _(
                "Received {n_files:,} pictures. Add 1 to {max_at_once:,} at a time, or upload a zip.",
                n_files=len(files),
                max_at_once=MAX_AT_ONCE,
            )
        )
    if collection is not None and collection.has_splits:
        raise InputError(
            _(
                "{collection_name} has train/ and test/ folders, so only you can decide where a new "
                "picture belongs. Put it into one of them yourself.",
                collection_name=collection.name,
            )
        )
    usable, skipped = _check_images(files, on_event, cancel)
    if not usable:
        reasons = first_few([f"{file} ({reason})" for file, reason in skipped])
        raise InputError(
            _("None of the {n_files:,} files could be used: {reasons}.", n_files=len(files), reasons=reasons)
        )
    new = [data for _, data in usable if not isinstance(data, Path)]  # `Incoming` has checked the room for the others
    require_room(len(new), sum(map(len, new)))
    notes: list[str] = []
    created: list[Path] = []
    try:
        if collection is None:
            created.append(make_folder("photos"))
            collection = ImageCollection(created[0].resolve(), ())
        elif not (collection.is_stored and collection.in_folders):
            created.append(make_folder(collection.name))
            collection = _copy_images(collection, created[0].resolve(), on_event, cancel)
            notes.append(
                _(
                    "Its images were copied to {parent_name}/{name}; the original stays as it is.",
                    parent_name=created[0].parent.name,
                    name=created[0].name,
                )
            )
        return Addition(_write_images(collection, name, usable), len(usable), skipped, tuple(notes))
    except BaseException as error:
        for folder in created:
            shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise InputError(
                _("The pictures could not be saved: {strerror}.", strerror=error.strerror or error)
            ) from error
        raise


def _check_images(
    files: Sequence[tuple[str, Upload]], on_event: OnEvent, cancel: Cancel | None
) -> tuple[list[tuple[str, Upload]], tuple[tuple[str, str], ...]]:
    """Return the files that are images, and (name, reason) for the others."""
    usable, skipped = [], []
    for n_done, (file, data) in enumerate(files, 1):
        raise_if_cancelled(cancel)
        try:
            if (data.stat().st_size if isinstance(data, Path) else len(data)) > MAX_FILE_BYTES:
                raise UnreadableError(_("far too large for one image"))
            picture = data.read_bytes() if isinstance(data, Path) else data  # only one is in memory at a time
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # from Pillow, about large images; UnreadableError covers what matters
                decode_image(picture, _CHECK_SIZE)
            usable.append((file, data))
        except UnreadableError as error:
            skipped.append((printable(file), str(error)))
        text = _("checking pictures: {n_done:,} of {n_files:,}", n_done=n_done, n_files=len(files))
        on_event(Event("decode", text, n_done=n_done, n_total=len(files)))
    return usable, tuple(skipped)


def _write_images(collection: ImageCollection, class_name: str, files: Sequence[tuple[str, Upload]]) -> ImageCollection:
    """Write all of the files into the class's folder, or none of them."""
    edits = collection.edits
    known = [
        folder
        for folder in (class_folder.folder for class_folder in collection.folders)
        if edits.name_of(folder) == class_name
    ]
    folder = collection.path / known[0] if known else _class_folder(collection.path, class_name)
    if not folder.resolve().is_relative_to(collection.path):
        raise InputError(
            _(
                "{folder_name} is a link to a place outside {collection_path}. Nothing was written.",
                folder_name=folder.name,
                collection_path=collection.path,
            )
        )
    written: list[Path] = []
    try:
        for name, data in files:
            written.append(write_new(folder, name, data))
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        if not known:
            folder.rmdir()
        raise
    if not known and folder.name != class_name:
        edits = replace(edits, renamed=tuple(sorted((*edits.renamed, (folder.name, class_name)))))
    if known and known[0] in edits.dropped:  # adding to a dropped class restores it
        edits = replace(edits, dropped=tuple(dropped for dropped in edits.dropped if dropped != known[0]))
    return open_collection(collection.path, edits)


def _class_folder(root: Path, class_name: str) -> Path:
    """Make a new folder for a class, with a similar safe name."""
    for i in range(1, 1000):
        name = safe_name(class_name, "class")
        folder = root / (name if i == 1 else f"{name}-{i}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise InputError(
        _("There are already a thousand folders named like {class_name}. Choose another name.", class_name=class_name)
    )


def _copy_images(
    collection: ImageCollection, target: Path, on_event: OnEvent, cancel: Cancel | None
) -> ImageCollection:
    """Copy the images in use into a new folder of uploads, with the edits applied."""
    chosen = [(name, file) for name in collection.class_names for file in collection.used_files(name)]
    require_room(len(chosen), sum(file.n_bytes for _, file in chosen))
    folders: dict[str, Path] = {}
    source = open_source(collection.path)
    try:
        for n_done, (name, file) in enumerate(chosen, 1):
            raise_if_cancelled(cancel)
            if name not in folders:
                folders[name] = _class_folder(target, name)
            try:
                data = source.read(file)
            except OSError:
                continue  # the file was unusable before, too
            write_new(folders[name], file.name.rpartition("/")[2], data)
            text = _("copying images: {n_done:,} of {n_chosen:,}", n_done=n_done, n_chosen=len(chosen))
            on_event(Event("decode", text, n_done=n_done, n_total=len(chosen)))
    finally:
        source.close()
    renamed = tuple(sorted((folder.name, name) for name, folder in folders.items() if folder.name != name))
    return open_collection(target, Edits(renamed))
