"""Files on their way from a browser: written part by part, hidden from whatever looks for pictures."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tl_widgets.collections.storage import require_room, uploads_folder
from tl_widgets.core.errors import InputError
from tl_widgets.core.resources import megabytes
from tl_widgets.data.archives import printable

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
            _remove_abandoned(root)
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
            f"{printable(name)} has {megabytes(n_bytes)}; a {kind} may have {megabytes(most)}. Nothing was uploaded."
        )


def _remove_abandoned(root: Path) -> None:
    """Remove what a kernel that was killed in the middle of an upload has left."""
    for folder in root.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            newest = max(path.stat().st_mtime for path in (folder, *folder.iterdir()))
            if time.time() - newest > _ABANDONED_AFTER:
                shutil.rmtree(folder, ignore_errors=True)


def _reason(problem: OSError) -> str:
    return str(problem.strerror or problem)
