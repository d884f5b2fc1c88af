"""Pictures that come from the browser, a file or the camera: checked, then written into a learner's collection."""

from __future__ import annotations

import shutil
import warnings
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from tl_widgets.collections.collection import ImageCollection, open_collection
from tl_widgets.collections.storage import make_folder, require_room, safe_name, uploads_folder, write_new
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore, raise_if_cancelled
from tl_widgets.data.archives import MAX_FILE_BYTES, open_source, printable
from tl_widgets.data.dataset import first_few
from tl_widgets.data.decode import UnreadableError, decode_image
from tl_widgets.data.folder_layout import find_layout, require_class_name
from tl_widgets.records.provenance import Edits

MAX_AT_ONCE = 2_000  # pictures in one upload
_CHECK_SIZE = 32  # pixels: whether a picture can be read shows at any size
Upload = bytes | Path  # a file's bytes, or where it lies until it is moved


@dataclass(frozen=True)
class Addition:
    """What came of adding files.

    Attributes:
        collection: with the new ones in it.
        n_added: how many.
        skipped: (file, reason) for those that were not kept.
        notes: sentences on what else was done.
    """

    collection: ImageCollection
    n_added: int
    skipped: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def upload_zip(name: str, unchecked: Path) -> ImageCollection:
    """Keep an uploaded zip, if images can be loaded from it, and open it.

    Args:
        name: as the browser sent it.
        unchecked: the `Incoming` file with the whole archive; it is moved.

    Raises:
        InputError: it is no zip of class folders; it stays where it was.
    """
    root = uploads_folder()
    shown = printable(name)
    try:
        if not zipfile.is_zipfile(unchecked):
            raise InputError(f"{shown} is not a zip archive. Zip a folder with one sub-folder for each class.")
        source = open_source(unchecked)
        try:
            find_layout(source.listing, shown)
        finally:
            source.close()
        stem = PurePosixPath(safe_name(name, "images.zip")).stem
        path = write_new(root, f"{stem}.zip", unchecked)
    except OSError as problem:
        raise InputError(f"{shown} could not be kept in {root}: {problem.strerror or problem}.") from problem
    return open_collection(path)


def add_images(
    collection: ImageCollection | None,
    class_name: str,
    files: Sequence[tuple[str, Upload]],
    *,
    on_event: OnEvent = ignore,
    cancel: Cancel | None = None,
) -> Addition:
    """Add pictures to a class, which may be a new one; uploads and the camera both come here.

    A folder or zip that is not among the uploads stays as it is: what is used of it is copied there first.

    Args:
        collection: to add to; None begins one.
        class_name: 1 to 80 characters.
        files: (name, bytes) of each; or (name, path) of an `Incoming` file, which is moved.
        on_event: receives "decode" events while files are checked and copied.
        cancel: stops it.

    Returns:
        The collection with those that are images; the others and why.

    Raises:
        InputError: none of them is an image, they are too many, or there is no room. Nothing has changed.
        CancelledError: `cancel` was set. Nothing has changed.
    """
    name = require_class_name(class_name)
    if not files or len(files) > MAX_AT_ONCE:
        raise InputError(f"{len(files):,} pictures came; add 1 to {MAX_AT_ONCE:,} at a time, or a zip.")
    if collection is not None and collection.has_splits:
        raise InputError(
            f"{collection.name} has train/ and test/ folders, and only you know where a new picture belongs: put it "
            "into one of them yourself."
        )
    good, skipped = _checked(files, on_event, cancel)
    if not good:
        reasons = first_few([f"{file} ({reason})" for file, reason in skipped])
        raise InputError(f"None of the {len(files):,} files could be used: {reasons}.")
    new = [data for _, data in good if not isinstance(data, Path)]  # for the others there was room when they came
    require_room(len(new), sum(map(len, new)))
    notes: list[str] = []
    begun: list[Path] = []
    try:
        if collection is None:
            begun.append(make_folder("photos"))
            collection = ImageCollection(begun[0].resolve(), ())
        elif not collection.is_stored:
            begun.append(make_folder(collection.name))
            collection = _copied(collection, begun[0].resolve(), on_event, cancel)
            notes.append(
                f"Its images were copied to {begun[0].parent.name}/{begun[0].name}; the original stays as it is."
            )
        return Addition(_write(collection, name, good), len(good), skipped, tuple(notes))
    except BaseException as problem:
        for folder in begun:
            shutil.rmtree(folder, ignore_errors=True)
        if isinstance(problem, OSError):
            raise InputError(f"The pictures could not be kept: {problem.strerror or problem}.") from problem
        raise


def _checked(
    files: Sequence[tuple[str, Upload]], on_event: OnEvent, cancel: Cancel | None
) -> tuple[list[tuple[str, Upload]], tuple[tuple[str, str], ...]]:
    """Return the files that are images, and (name, reason) of the others."""
    good, skipped = [], []
    for n_done, (file, data) in enumerate(files, 1):
        raise_if_cancelled(cancel)
        try:
            if (data.stat().st_size if isinstance(data, Path) else len(data)) > MAX_FILE_BYTES:
                raise UnreadableError("far too large a file for one image")
            picture = data.read_bytes() if isinstance(data, Path) else data  # one in memory at a time
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Pillow's, about large images; what matters is in the reasons
                decode_image(picture, _CHECK_SIZE)
            good.append((file, data))
        except UnreadableError as problem:
            skipped.append((printable(file), str(problem)))
        text = f"checking pictures: {n_done:,} of {len(files):,}"
        on_event(Event("decode", text, n_done=n_done, n_total=len(files)))
    return good, tuple(skipped)


def _write(collection: ImageCollection, class_name: str, files: Sequence[tuple[str, Upload]]) -> ImageCollection:
    """Write the files into the class's folder: all of them, or none."""
    edits = collection.edits
    known = [folder for folder in (named.folder for named in collection.folders) if edits.name_of(folder) == class_name]
    folder = collection.path / known[0] if known else _class_folder(collection.path, class_name)
    if not folder.resolve().is_relative_to(collection.path):
        raise InputError(f"{folder.name} is a link that leads out of {collection.path}; nothing is written there.")
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
    if known and known[0] in edits.dropped:  # who adds to a class wants it
        edits = replace(edits, dropped=tuple(dropped for dropped in edits.dropped if dropped != known[0]))
    return open_collection(collection.path, edits)


def _class_folder(root: Path, class_name: str) -> Path:
    """Make a new folder for a class, named like it as far as a folder can be."""
    for i in range(1, 1000):
        name = safe_name(class_name, "class")
        folder = root / (name if i == 1 else f"{name}-{i}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise InputError(f"There are a thousand folders like {class_name}; choose another name.")


def _copied(collection: ImageCollection, target: Path, on_event: OnEvent, cancel: Cancel | None) -> ImageCollection:
    """Copy the used images of a collection into a new folder of uploads; its edits are then applied."""
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
                continue  # it could not be used where it was, either
            write_new(folders[name], file.name.rpartition("/")[2], data)
            text = f"copying images: {n_done:,} of {len(chosen):,}"
            on_event(Event("decode", text, n_done=n_done, n_total=len(chosen)))
    finally:
        source.close()
    renamed = tuple(sorted((folder.name, name) for name, folder in folders.items() if folder.name != name))
    return open_collection(target, Edits(renamed))
