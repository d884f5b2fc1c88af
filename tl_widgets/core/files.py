"""Files that are written for the user: checked before the work, never half-written, and each for itself."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tl_widgets.core.download import ABANDONED_AFTER, remove_abandoned
from tl_widgets.core.errors import InputError
from tl_widgets.core.paths import user_path
from tl_widgets.core.text import printable
from tl_widgets.core.translation import _

UNFINISHED = ".tl-widgets-"  # how the names of files and folders begin that aren't complete yet
_ROOM = 1_000_000  # bytes of a record, a figure, a script or a report


def check_writable(path: Path, option: str) -> None:
    """Raise `InputError` unless the file can be written; `option` sets another place."""
    advice = _("Give another place with {option}.", option=option)
    user_path(path, option)
    shown = printable(str(path))
    if path.is_dir():
        raise InputError(_("Cannot write {shown}: it is a folder. {advice}", shown=shown, advice=advice))
    if path.exists() and not os.access(path, os.W_OK):
        raise InputError(_("Cannot write {shown}: it is write-protected. {advice}", shown=shown, advice=advice))
    if _is_device(path):
        return
    if not path.parent.is_dir():
        folder = printable(str(path.parent))
        raise InputError(
            _(
                "Cannot write {shown}: there is no folder {folder}. Create it first. {advice}",
                shown=shown,
                folder=folder,
                advice=advice,
            )
        )
    try:
        # Permissions don't restrict root and don't show a read-only mount or a full disk, so try it.
        with tempfile.TemporaryFile(dir=path.parent) as file:
            file.write(bytes(_ROOM))
    except OSError as error:
        raise InputError(
            _(
                "Cannot write {shown}: {strerror}. {advice}",
                shown=shown,
                strerror=error.strerror or error,
                advice=advice,
            )
        ) from error


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed process left of files that it wrote into a folder."""
    remove_abandoned(folder, f"{UNFINISHED}*", ABANDONED_AFTER)


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder, which becomes `target` once the block has filled it.

    Raises:
        InputError: The target exists already or can't be written. Nothing is left behind.
    """
    require_new_folder(target)
    try:
        remove_unfinished(target.parent)
        staging = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=target.parent))
        try:
            yield staging
            umask = os.umask(0)
            os.umask(umask)
            staging.chmod(0o777 & ~umask)  # mkdtemp's folder is private to its owner
            staging.rename(target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise InputError(
            _(
                "Nothing was saved in {target}: {reason}. Give a folder that can be written and has room.",
                target=printable(str(target)),
                reason=reason_of(error),
            )
        ) from None


def require_new(target: Path) -> None:
    """Raise `InputError` if there is a file or folder at `target`."""
    if target.exists():
        raise InputError(
            _("{target} exists already, and it won't be overwritten. Give a new name.", target=printable(str(target)))
        )


def require_new_folder(target: Path) -> None:
    """Raise `InputError` if there is a file or folder at `target`, or no folder to put it into."""
    require_new(target)
    if not target.parent.is_dir():
        raise InputError(
            _(
                "There is no folder {parent}; create it first, or give another place.",
                parent=printable(str(target.parent)),
            )
        )


def reason_of(error: OSError) -> str:
    """Return why something couldn't be written, as a clause."""
    return _("the disk is full") if error.errno == errno.ENOSPC else error.strerror or str(error)


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
        remove_unfinished(target.parent)
        # Short, because the file's own name may be as long as a name can be.
        part = target.with_name(f"{UNFINISHED}{os.getpid()}-{threading.get_ident()}.part")
        try:
            write(part)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(_problem(path, error)) from error


def write_each(files: Iterable[tuple[Path, Callable[[], object]]]) -> None:
    """Write files one after the other; one that can't be written costs only itself.

    Raises:
        InputError: Some can't be written; the message names them and those that were.
        Exception: The first that isn't about files, once the others are written.
    """
    written, problems = [], []
    fault: Exception | None = None
    for path, write in files:
        try:
            write()
            written.append(printable(path.name))
        except InputError as error:
            problems.append(str(error))
        except OSError as error:
            problems.append(_problem(path, error))
        except Exception as error:
            fault = fault or error
    if fault:
        raise fault
    if problems:
        rest = f" Written: {', '.join(written)}." if written else ""
        raise InputError(f"{' '.join(problems)}{rest}")


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8, as `write_whole` does."""
    write_whole(path, lambda part: part.write_text(text, encoding="utf-8", errors="backslashreplace"))


def _problem(path: Path, error: OSError) -> str:
    return _("Cannot write {path}: {strerror}.", path=printable(str(path)), strerror=error.strerror or error)


def _is_device(path: Path) -> bool:
    """Return whether it is a device such as /dev/null, which must not be replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()
