"""Files that a command writes: checked before the work, and never half-written."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from tl_widgets.core.errors import InputError


def check_writable(path: Path, option: str) -> None:
    """Raise `InputError` unless the file can be written; `option` sets another place."""
    advice = f"Give another place with {option}."
    if path.is_dir():
        raise InputError(f"Cannot write {path}: it is a folder. {advice}")
    if path.exists() and not os.access(path, os.W_OK):
        raise InputError(f"Cannot write {path}: it is write-protected. {advice}")
    if _is_device(path):
        return
    if not path.parent.is_dir():
        raise InputError(f"Cannot write {path}: there is no folder {path.parent}. Create it first. {advice}")
    try:
        # Permissions don't restrict root and don't show a read-only mount, so try it.
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror or error}. {advice}") from error


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` write a file beside `path`, then move it into place.

    Raises:
        InputError: It can't be written after all; the disk is full, for example.
    """
    try:
        if _is_device(path):
            write(path)
            return
        target = path.resolve()  # replaces the target of a link, not the link
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            write(part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror or error}.") from error


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8, as `write_whole` does."""
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))


def _is_device(path: Path) -> bool:
    """Return whether it is a device such as /dev/null, which must not be replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()
