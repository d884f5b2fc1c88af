"""Files that a command writes: checked before the work, and never half-written."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from tl_widgets.core.download import ABANDONED_AFTER, remove_abandoned
from tl_widgets.core.errors import InputError
from tl_widgets.core.paths import user_path


def check_writable(path: Path, option: str) -> None:
    """Raise `InputError` unless the file can be written; `option` sets another place."""
    advice = f"Give another place with {option}."
    user_path(path, option)
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
        # Short, because the file's own name may be as long as a name can be.
        remove_abandoned(target.parent, ".tl-widgets-*.part", ABANDONED_AFTER)
        part = target.with_name(f".tl-widgets-{os.getpid()}-{threading.get_ident()}.part")
        try:
            write(part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror or error}.") from error


def write_each(files: Iterable[tuple[Path, Callable[[], object]]]) -> None:
    """Write files one after the other; one that can't be written costs only itself.

    Raises:
        InputError: Some can't be written; the message names them and those that were.
    """
    written, problems = [], []
    for path, write in files:
        try:
            write()
            written.append(path.name)
        except InputError as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(f"Cannot write {path}: {error.strerror or error}.")
    if problems:
        rest = f" Written: {', '.join(written)}." if written else ""
        raise InputError(f"{' '.join(problems)}{rest}")


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8, as `write_whole` does."""
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8", errors="backslashreplace"))


def _is_device(path: Path) -> bool:
    """Return whether it is a device such as /dev/null, which must not be replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()
