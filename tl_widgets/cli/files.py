"""Files that a command writes: refused before the work where they cannot be, and never left half-written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from tl_widgets.core.errors import InputError


def existing_part(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists; from an absolute path."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def can_write(folder: Path) -> bool:
    """Whether a file can be made there. Only trying shows it: permissions say nothing to root."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def check_writable(path: Path, option: str) -> None:
    """Raise `InputError` when no file can be written there.

    Args:
        path: the file to be; it may exist.
        option: what to use for another place: "--json".

    Raises:
        InputError: no folder, no permission, or something else is in its place.
    """
    advice = f"Give another place with {option}."
    if path.is_dir():
        raise InputError(f"Cannot write {path}: it is a folder. {advice}")
    if path.exists() and not os.access(path, os.W_OK):
        raise InputError(f"Cannot write {path}: it is write-protected. {advice}")
    if _is_device(path):
        return
    if not path.parent.is_dir():
        raise InputError(f"Cannot write {path}: there is no folder {path.parent}. Make it first. {advice}")
    try:
        # Only trying shows it: permissions say nothing to root, and nothing of a disk that is mounted read-only.
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror or error}. {advice}") from error


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Have a file written beside its place and moved there when it is whole.

    Args:
        path: where it goes; what was there is replaced.
        write: writes the file that it is given.

    Raises:
        InputError: it cannot be written after all (the disk is full, say).
    """
    try:
        if _is_device(path):
            write(path)
            return
        target = path.resolve()  # behind a link, the file that it points to is replaced
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            write(part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror or error}.") from error


def _is_device(path: Path) -> bool:
    """Whether it is /dev/null or the like, which must be written into and never replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()
