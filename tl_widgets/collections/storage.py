"""The folder of a learner's uploads, `my_images/`, and how files get into it.

Names are made safe, nothing is overwritten, and partial files stay hidden.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from tl_widgets.core.download import remove_abandoned
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import size_text
from tl_widgets.core.paths import working_folder
from tl_widgets.core.resources import home_folder, require_disk
from tl_widgets.core.translation import _, ngettext
from tl_widgets.data.archives import is_archive, is_archive_name, printable
from tl_widgets.data.layouts.file_names import have_classes
from tl_widgets.data.layouts.tree import IMAGE_SUFFIXES, TABLE_SUFFIXES

FOLDER_NAME = "my_images"
MAX_STORED_FILES = 20_000
MAX_STORED_BYTES = 5_000_000_000  # of all uploads; a learner's disk is often small
_MAX_NAME = 60
_MAX_ENTRIES = 300  # entries of a folder that `find_folders` looks at
# Windows does not allow these characters and names, and a zip or a shared folder may be opened there.
_UNSAFE = re.compile(r'[\\/:*?"<>|]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def uploads_folder() -> Path:
    """Return `my_images`, beside the notebook or, if read-only, in `home_folder`."""
    here = working_folder()
    return here / FOLDER_NAME if os.access(here, os.W_OK) else home_folder() / FOLDER_NAME


def safe_name(text: str, default: str) -> str:
    """Return a name like `text` that is safe on every system, or `default`.

    It has no separators, no control characters, no dots at its ends, is not reserved, and has at most 60 characters.
    """
    text = _UNSAFE.sub("_", printable(text).replace("\\", "_")).strip(" .")
    stem, dot, suffix = text.rpartition(".")
    if dot and len(suffix) <= 5:
        text = f"{stem[: _MAX_NAME - len(suffix) - 1].rstrip(' .')}.{suffix}"
    text = text[:_MAX_NAME].strip(" .")
    return f"_{text}" if _RESERVED.fullmatch(text) else text or default


def names_from(name: str) -> Iterator[str]:
    """Yield name, name-2, name-3, ...; raise InputError after ten thousand."""
    yield name
    path = PurePosixPath(name)
    for i in range(2, 10_000):
        yield f"{path.stem}-{i}{path.suffix}"
    raise InputError(_("There are already ten thousand files named like {name}. Choose another name.", name=name))


def make_folder(name: str) -> Path:
    """Make a new folder of uploads, named `name` or `name-2`, or raise InputError."""
    root = uploads_folder()
    try:
        root.mkdir(parents=True, exist_ok=True)
        for candidate in names_from(safe_name(name, "images")):
            with suppress(FileExistsError):
                (root / candidate).mkdir()
                return root / candidate
    except OSError as error:
        raise InputError(
            _("Could not create a folder for the images in {root}: {strerror}.", root=root, strerror=error.strerror)
        ) from error
    raise AssertionError("names_from ends with an error")


def write_new(folder: Path, name: str, data: bytes | Path) -> Path:
    """Write a file under a new name: `name`, or with a number if that is taken.

    `data` is the content, or a complete file on the same disk, which is moved.

    Raises:
        InputError: ten thousand such names are taken.
        OSError: the file can't be written; nothing is left of it.
    """
    for candidate in names_from(safe_name(name, "image")):
        path = folder / candidate
        try:
            file = path.open("xb")
        except FileExistsError:
            continue
        try:
            with file:
                if not isinstance(data, Path):
                    file.write(data)
            if isinstance(data, Path):
                data.replace(path)  # replaces the empty file that reserves the name
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path
    raise AssertionError("names_from ends with an error")


def require_room(n_files: int, n_bytes: int) -> None:
    """Raise `InputError` if there is no room for so many more files and bytes."""
    root = uploads_folder()
    sizes = [path.stat().st_size for path in root.rglob("*") if path.is_file()] if root.is_dir() else []
    if len(sizes) + n_files > MAX_STORED_FILES or sum(sizes) + n_bytes > MAX_STORED_BYTES:
        raise InputError(
            _(
                "{root} holds {n_sizes:,} files ({n}); {n_files:,} more ({n_bytes}) would exceed "
                "{max_stored_files:,} files or {max_stored_bytes}. Remove what is no longer needed, or "
                "put your images into a folder beside the notebook and choose it there.",
                root=root,
                n_sizes=len(sizes),
                n=size_text(sum(sizes)),
                n_files=n_files,
                n_bytes=size_text(n_bytes),
                max_stored_files=MAX_STORED_FILES,
                max_stored_bytes=size_text(MAX_STORED_BYTES),
            )
        )
    require_disk(root, n_bytes, ngettext("Storing {n:,} uploaded file", "Storing {n:,} uploaded files", n_files))


@dataclass(frozen=True)
class Found:
    """A folder or zip that may hold images by class, and why it can't be used; "" if it probably can."""

    path: Path
    problem: str = ""


def find_folders() -> tuple[Found, ...]:
    """Find folders and zips among the uploads and beside the notebook, also those that can't be used.

    At most 300 entries of each folder are checked, and not thoroughly: opening one without a problem can still fail.
    Hidden and private folders, such as `__pycache__`, are left out.
    """
    found = []
    for folder in dict.fromkeys((uploads_folder(), working_folder())):
        with suppress(OSError):
            entries = sorted(islice(folder.iterdir(), _MAX_ENTRIES))
            visible = (path for path in entries if path.name[0] != "." and not path.name.startswith("__"))
            candidates = (path for path in visible if path.is_dir() or is_archive_name(path.name))
            found += [Found(path, _problem_of(path)) for path in candidates if path != uploads_folder()]
    return tuple(found)


def find_collections() -> tuple[Path, ...]:
    """Find folders and zips of images among the uploads and beside the notebook."""
    return tuple(found.path for found in find_folders() if not found.problem)


def _problem_of(path: Path) -> str:
    """Return why a folder or zip can't be used, without a period; "" if it probably can."""
    try:
        if path.is_file():
            return "" if is_archive(path) else _("it isn't an archive, or not a complete one")
        entries = [child for child in islice(path.iterdir(), _MAX_ENTRIES) if child.name[0] != "."]
        subfolders = [child for child in entries if child.is_dir()]
        nested = [child for folder in subfolders[:5] for child in islice(folder.iterdir(), 20) if child.is_dir()]
        if any(_has_image(child) for child in nested):
            return ""
        if any(_has_image(child) for child in subfolders[:20]):
            if len(subfolders) > 1 or path.parent == uploads_folder():  # uploads may begin with one class
                return ""
            names = [child.name for child in islice(subfolders[0].iterdir(), _MAX_ENTRIES)]
            if have_classes(name for name in names if Path(name).suffix.lower() in IMAGE_SUFFIXES):
                return ""
            if any(child.suffix.lower() in TABLE_SUFFIXES for child in entries):
                return ""
            return _("it has only one class, {name}; two are needed", name=printable(subfolders[0].name))
    except OSError as error:
        return _("it can't be read: {reason}", reason=_reason(error))
    images = [child.name for child in entries if child.suffix.lower() in IMAGE_SUFFIXES]
    n_images = len(images)
    has_table = any(child.suffix.lower() in TABLE_SUFFIXES for child in entries)
    if (has_table and (images or any(map(_has_image, subfolders[:20])))) or have_classes(images):
        return ""
    if n_images:
        pictures = _("picture lies") if n_images == 1 else _("pictures lie")
        return _(
            "its {n_images} {pictures} directly in it, not in one sub-folder for each class",
            n_images=n_images,
            pictures=pictures,
        )
    return _("there are no pictures in it") if entries else _("it is empty")


def _has_image(folder: Path) -> bool:
    with suppress(OSError):
        return any(child.suffix.lower() in IMAGE_SUFFIXES for child in islice(folder.iterdir(), _MAX_ENTRIES))
    return False


# The dot hides the folder from `find_folders` and `open_source`.
_PREFIX = ".uploading-"
_ABANDONED_AFTER = 3_600  # seconds without a new part; only a killed kernel leaves a folder behind


class Incoming:
    """An upload in progress: one file after another, each in consecutive parts.

    Leaving the context closes the upload and removes the files that have not been moved elsewhere.

    Attributes:
        names: names of the files, as the browser sent them.
        ended: set when the upload is closed.

    Args:
        files: (name, size in bytes) of each file, as the browser sent them.

    Raises:
        InputError: there is no room for the files; nothing was written.
    """

    def __init__(self, files: Sequence[tuple[str, int]]) -> None:
        self.names = tuple(name for name, _ in files)
        self._sizes = tuple(size for _, size in files)
        self._position = (0, 0)  # index of the current file, and bytes of it received so far
        self._lock = threading.Lock()
        root = uploads_folder()
        try:
            remove_abandoned(root, f"{_PREFIX}*", _ABANDONED_AFTER)  # from a killed kernel
            require_room(len(files), sum(self._sizes))
            self._created_root = None if root.is_dir() else root
            root.mkdir(parents=True, exist_ok=True)
            self._folder = tempfile.TemporaryDirectory(prefix=_PREFIX, dir=root)
        except OSError as error:
            raise InputError(
                _("Could not create a folder for uploads in {root}: {reason}.", root=root, reason=_reason(error))
            ) from error
        self.ended = threading.Event()

    def __enter__(self) -> Incoming:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, index: int, start: int, data: bytes | memoryview) -> None:
        """Write the next part, not empty, at byte `start` of file `index`."""
        with self._lock:
            self._skip_complete()
            if self.ended.is_set() or (index, start) != self._position or not data:
                raise InputError(_("Part of the upload is missing or arrived twice. Choose the files again."))
            if start + len(data) > self._sizes[index]:
                raise InputError(
                    _("{name} is larger than announced. Choose it again.", name=printable(self.names[index]))
                )
            try:
                with self._path(index).open("ab") as file:
                    file.write(data)
            except OSError as error:
                shown = printable(self.names[index])
                raise InputError(
                    _(
                        "{shown} could not be saved in {uploads_folder}: {reason}.",
                        shown=shown,
                        uploads_folder=uploads_folder(),
                        reason=_reason(error),
                    )
                ) from error
            self._position = (index, start + len(data))

    def files(self) -> tuple[tuple[str, Path], ...]:
        """Return each file's name and its path until the upload is closed."""
        with self._lock:
            self._skip_complete()
            if self.ended.is_set() or self._position[0] < len(self.names):
                raise InputError(_("The upload is not complete. Choose the files again."))
            paths = [self._path(i) for i in range(len(self.names))]
            for path in paths:
                path.touch()  # an empty file has no parts
            return tuple(zip(self.names, paths, strict=True))

    def close(self) -> None:
        """Remove the remaining files; closing twice is harmless."""
        with self._lock:
            self.ended.set()
            with suppress(OSError):
                self._folder.cleanup()
                if self._created_root is not None:
                    self._created_root.rmdir()  # only if it is still empty

    def _path(self, index: int) -> Path:
        """Return a file's temporary path, which is independent of its name."""
        return Path(self._folder.name) / f"{index}.part"

    def _skip_complete(self) -> None:
        """Move on to the next incomplete file."""
        index, n_received = self._position
        while index < len(self._sizes) and n_received == self._sizes[index]:
            index, n_received = index + 1, 0
        self._position = (index, n_received)


def require_size(name: str, n_bytes: int, max_bytes: int, kind: str) -> None:
    """Raise `InputError` if a file (a `kind`, such as "picture") is too large."""
    if n_bytes > max_bytes:
        raise InputError(
            _(
                "{name} is {n_bytes}; a {kind} can be up to {max_bytes}. Nothing was uploaded.",
                name=printable(name),
                n_bytes=size_text(n_bytes),
                kind=kind,
                max_bytes=size_text(max_bytes),
            )
        )


def _reason(error: OSError) -> str:
    return str(error.strerror or error)
