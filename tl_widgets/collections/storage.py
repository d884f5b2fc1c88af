"""The folder of a learner's uploads, `my_images/` beside the notebook, and files on their way into it.

Names are made safe, nothing is overwritten, and parts of a file stay hidden until it is complete.
"""

from __future__ import annotations

import os
import re
import tempfile
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path, PurePosixPath

from tl_widgets.core.download import remove_abandoned
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import size_text
from tl_widgets.core.resources import home_folder, require_disk
from tl_widgets.data.archives import printable
from tl_widgets.data.folder_layout import IMAGE_SUFFIXES

FOLDER_NAME = "my_images"
MAX_STORED_FILES = 20_000
MAX_STORED_BYTES = 5_000_000_000  # of all uploads together: a learner's disk is often a small one
_MAX_NAME = 60
_MAX_LOOKED_AT = 300  # entries of a folder, when collections are searched for
# Windows refuses these characters and names, and a zip or share may go there.
_UNSAFE = re.compile(r'[\\/:*?"<>|]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def uploads_folder() -> Path:
    """Return the folder for uploads: beside the notebook, where they outlive the kernel and can be seen.

    Returns:
        `my_images` in the current folder; where that cannot be written to, in tl_widgets' own folder.
    """
    here = Path.cwd()
    return here / FOLDER_NAME if os.access(here, os.W_OK) else home_folder() / FOLDER_NAME


def safe_name(text: str, default: str) -> str:
    """Return a name that is safe for a file or folder on every system, and as near to `text` as that allows.

    Args:
        text: whatever somebody typed, or a browser sent.
        default: what to call it where nothing is left.

    Returns:
        Without separators, control characters, dots at its ends, or a reserved name; at most 60 characters.
    """
    text = _UNSAFE.sub("_", printable(text).replace("\\", "_")).strip(" .")
    stem, dot, suffix = text.rpartition(".")
    if dot and len(suffix) <= 5:
        text = f"{stem[: _MAX_NAME - len(suffix) - 1].rstrip(' .')}.{suffix}"
    text = text[:_MAX_NAME].strip(" .")
    return f"_{text}" if _RESERVED.fullmatch(text) else text or default


def names_from(name: str) -> Iterator[str]:
    """Yield the name, then the name with -2, -3 and so on before its suffix."""
    yield name
    path = PurePosixPath(name)
    for i in range(2, 10_000):
        yield f"{path.stem}-{i}{path.suffix}"
    raise InputError(f"There are ten thousand files like {name}; choose another name.")


def make_folder(name: str) -> Path:
    """Make a new, empty folder among the uploads.

    Args:
        name: what to call it, if that is free.

    Raises:
        InputError: it cannot be made.
    """
    root = uploads_folder()
    try:
        root.mkdir(parents=True, exist_ok=True)
        for free in names_from(safe_name(name, "images")):
            with suppress(FileExistsError):
                (root / free).mkdir()
                return root / free
    except OSError as problem:
        raise InputError(f"No folder for the images could be made in {root}: {problem.strerror}.") from problem
    raise AssertionError("names_from ends with an error")


def write_new(folder: Path, name: str, data: bytes | Path) -> Path:
    """Write a file under a name that is free; never over one that is there.

    Args:
        folder: an existing one.
        name: what to call it, if that is free.
        data: its bytes, or a whole file of the same disk, which is moved there.

    Raises:
        InputError: ten thousand such names are taken.
        OSError: it cannot be written; nothing is left of it.
    """
    for free in names_from(safe_name(name, "image")):
        path = folder / free
        try:
            file = path.open("xb")
        except FileExistsError:
            continue
        try:
            with file:
                if not isinstance(data, Path):
                    file.write(data)
            if isinstance(data, Path):
                data.replace(path)  # over the empty file made just now, which has kept the name
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return path
    raise AssertionError("names_from ends with an error")


def require_room(n_files: int, n_bytes: int) -> None:
    """Raise `InputError` when so much more would be too much for the uploads' folder, or for the disk.

    Args:
        n_files: to be added.
        n_bytes: of all of them.

    Raises:
        InputError: it would.
    """
    root = uploads_folder()
    sizes = [path.stat().st_size for path in root.rglob("*") if path.is_file()] if root.is_dir() else []
    if len(sizes) + n_files > MAX_STORED_FILES or sum(sizes) + n_bytes > MAX_STORED_BYTES:
        raise InputError(
            f"{root} holds {len(sizes):,} files ({size_text(sum(sizes))}); {n_files:,} more ({size_text(n_bytes)}) "
            f"would go beyond {MAX_STORED_FILES:,} files or {size_text(MAX_STORED_BYTES)}. Remove what is no longer "
            "needed, or put your images into a folder beside the notebook and choose it there."
        )
    require_disk(root, n_bytes, f"Keeping {n_files:,} uploaded file{'s' if n_files != 1 else ''}")


def find_collections() -> tuple[Path, ...]:
    """Find folders and zips with images beside the notebook, the uploads first.

    Returns:
        Of each folder, at most 300 entries are looked at. Whether all in them can be read shows when they are opened.
    """
    collections = []
    for folder in dict.fromkeys((uploads_folder(), Path.cwd())):
        with suppress(OSError):
            entries = sorted(islice(folder.iterdir(), _MAX_LOOKED_AT))
            collections += [path for path in entries if path.name[0] != "." and _may_hold_classes(path)]
    return tuple(path for path in collections if path != uploads_folder())


def _may_hold_classes(path: Path) -> bool:
    try:
        if path.is_file():
            return path.suffix.lower() == ".zip" and zipfile.is_zipfile(path)
        folders = (inside for inside in islice(path.iterdir(), _MAX_LOOKED_AT) if inside.is_dir())
        inner = [folder for folder in folders if folder.name[0] != "."]
        deeper = [inside for folder in inner[:5] for inside in islice(folder.iterdir(), 20) if inside.is_dir()]
        return any(_has_image(inside) for inside in (*inner[:20], *deeper))
    except OSError:
        return False


def _has_image(folder: Path) -> bool:
    with suppress(OSError):
        return any(inside.suffix.lower() in IMAGE_SUFFIXES for inside in islice(folder.iterdir(), _MAX_LOOKED_AT))
    return False


# Hidden, so that no list of collections and no reading of images comes to it.
_PREFIX = ".uploading-"
_ABANDONED_AFTER = 3_600  # seconds without a new part; only a kernel that was killed leaves a folder behind


class Incoming:
    """Files that come in order, each in parts that follow one another.

    As a context manager it is closed at its end: what nobody has moved away by then is removed.

    Attributes:
        names: of the files, as they came.
        ended: set when this was closed.

    Args:
        files: (name, size in bytes) of each, as the browser says.

    Raises:
        InputError: there is no room for them; nothing was written.
    """

    def __init__(self, files: Sequence[tuple[str, int]]) -> None:
        self.names = tuple(name for name, _ in files)
        self._sizes = tuple(size for _, size in files)
        self._at = (0, 0)  # the file that comes now, and how much of it is here
        self._lock = threading.Lock()
        root = uploads_folder()
        try:
            remove_abandoned(root, f"{_PREFIX}*", _ABANDONED_AFTER)  # by a kernel that was killed meanwhile
            require_room(len(files), sum(self._sizes))
            self._made = None if root.is_dir() else root
            root.mkdir(parents=True, exist_ok=True)
            self._folder = tempfile.TemporaryDirectory(prefix=_PREFIX, dir=root)
        except OSError as problem:
            raise InputError(f"No folder for uploads could be made in {root}: {_reason(problem)}.") from problem
        self.ended = threading.Event()

    def __enter__(self) -> Incoming:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, index: int, start: int, data: bytes | memoryview) -> None:
        """Write the next part.

        Args:
            index: of the file.
            start: where in the file it belongs, in bytes.
            data: the part; not empty.

        Raises:
            InputError: it is not the next one, goes beyond the file's size, or cannot be written.
        """
        with self._lock:
            self._skip_whole()
            if self.ended.is_set() or (index, start) != self._at or not data:
                raise InputError("A part of the upload is missing or came twice: choose the files again.")
            if start + len(data) > self._sizes[index]:
                raise InputError(f"{printable(self.names[index])} is longer than it was said to be: choose it again.")
            try:
                with self._path(index).open("ab") as file:
                    file.write(data)
            except OSError as problem:
                shown = printable(self.names[index])
                raise InputError(f"{shown} could not be kept in {uploads_folder()}: {_reason(problem)}.") from problem
            self._at = (index, start + len(data))

    def files(self) -> tuple[tuple[str, Path], ...]:
        """Each file's name and where it lies until this is closed.

        Raises:
            InputError: a part of them is still missing.
        """
        with self._lock:
            self._skip_whole()
            if self.ended.is_set() or self._at[0] < len(self.names):
                raise InputError("The upload is not complete: choose the files again.")
            paths = [self._path(i) for i in range(len(self.names))]
            for path in paths:
                path.touch()  # an empty file has no parts
            return tuple(zip(self.names, paths, strict=True))

    def close(self) -> None:
        """Remove all that is still here; a second time does nothing."""
        with self._lock:
            self.ended.set()
            with suppress(OSError):
                self._folder.cleanup()
                if self._made is not None:
                    self._made.rmdir()  # if it is as empty as it was made

    def _path(self, index: int) -> Path:
        """Named by number: what the browser calls a file plays no part."""
        return Path(self._folder.name) / f"{index}.part"

    def _skip_whole(self) -> None:
        """Go on to the file whose bytes come next."""
        index, n_here = self._at
        while index < len(self._sizes) and n_here == self._sizes[index]:
            index, n_here = index + 1, 0
        self._at = (index, n_here)


def require_size(name: str, n_bytes: int, most: int, kind: str) -> None:
    """Raise `InputError` when a file is larger than one of its kind may be.

    Args:
        name: of the file.
        n_bytes: its size.
        most: how large it may be, in bytes.
        kind: "picture" for instance.

    Raises:
        InputError: it is.
    """
    if n_bytes > most:
        raise InputError(
            f"{printable(name)} has {size_text(n_bytes)}; a {kind} may have {size_text(most)}. Nothing was uploaded."
        )


def _reason(problem: OSError) -> str:
    return str(problem.strerror or problem)
