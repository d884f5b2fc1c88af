"""KeptFiles, what an app keeps beside the notebook, so that the next kernel has it again.

Below the notebook's folder, or below `home_folder()/kept` where that can't be written:

    .tl_widgets/NOTEBOOK.ipynb/PLACE/
        20261126T140512000000-CHECKSUM.json    each thing that is kept: when it came, and a checksum of the file
        settings.json                          what was set last

PLACE stands for an app: its cell, its number in it, and its images. A file is written once and never changed, so
kernels and tabs that work beside each other lose nothing of each other's.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from tl_widgets.core.errors import InputError
from tl_widgets.core.files import UNFINISHED, write_whole
from tl_widgets.core.numbers import size_text
from tl_widgets.core.paths import read_user_file
from tl_widgets.core.resources import can_write, existing_part, home_folder
from tl_widgets.core.text import printable
from tl_widgets.core.translation import _

FOLDER = ".tl_widgets"
MOST_FILES = 50  # of an app
MOST_BYTES = 20_000_000  # of an app
MOST_BYTES_OF_ALL = 200_000_000  # of all apps of a folder
_NAME = re.compile(r"(\d{8}T\d{12})-([0-9a-f]{32})\.json")
_TIME = "%Y%m%dT%H%M%S%f"
_ASIDE = ".unreadable"
_SETTINGS = "settings.json"

Value = TypeVar("Value")


class NewerVersionError(InputError):
    """A file was written by a newer version of tl_widgets."""


@dataclass(frozen=True)
class Kept:
    """A file that was kept, when it came (local time), its checksum and its text."""

    path: Path
    time: datetime
    checksum: str
    text: str


def this_notebook() -> Path | None:
    """Return the notebook that the kernel belongs to; None if that isn't known, or nothing is to be kept.

    JupyterLab and Notebook tell their kernels. TL_WIDGETS_NO_KEEPING turns keeping off.
    """
    path = Path(os.environ.get("JPY_SESSION_NAME", ""))
    is_notebook = path.suffix == ".ipynb" and path.is_absolute() and os.access(path.parent, os.R_OK)
    return path if is_notebook and not os.environ.get("TL_WIDGETS_NO_KEEPING") else None


class KeptFiles:
    """The files of one app. Keeping is optional: what can't be written or read costs nothing else.

    Attributes:
        problems: sentences about files that can't be used.

    Args:
        place: the app's place in the notebook; "" if it has none.
        promise: sentences that say what a new kernel does with the files.
    """

    def __init__(self, place: str, promise: str = "") -> None:
        notebook = this_notebook() if place else None
        self.problems: list[str] = []
        self._root = self._folder = None
        self._where, self._failed = "", ""
        if notebook is None:
            return
        name = hashlib.blake2b(place.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        self._root = notebook.parent / FOLDER
        self._folder = self._root / notebook.name / name
        if _can_write_into(self._folder):
            where = _("Kept in the folder {folder} beside the notebook.", folder=FOLDER)
            self._adopt(notebook.parent, name)
        else:
            beside = hashlib.blake2b(os.fsencode(notebook), digest_size=16).hexdigest()
            self._root = home_folder() / "kept"
            self._folder = self._root / beside / name
            where = _(
                "Kept in {folder}, because nothing can be written beside the notebook.",
                folder=printable(str(self._root)),
            )
        self._where = f"{where} {promise}"

    @property
    def about(self) -> str:
        """Where the files are, or why there are none, in a sentence."""
        if self._folder is None:
            return _(
                "The runs are gone when the kernel ends: they are kept only where JupyterLab or Notebook tells which "
                "notebook this is."
            )
        return self._failed or self._where

    @property
    def are_there(self) -> bool:
        """Whether there is anything to read."""
        return bool(self._files())

    def add(self, text: str) -> str:
        """Keep a text, and return its checksum; "" if it can't be kept. The oldest go if there are too many."""
        data = text.encode("utf-8", "backslashreplace")
        if len(data) > MOST_BYTES:
            self._failed = _(
                "The last run is gone when the kernel ends: it takes {size}, and only runs up to {most} are kept.",
                size=size_text(len(data)),
                most=size_text(MOST_BYTES),
            )
            return ""
        checksum = _checksum(data)
        name = f"{self._next_time().strftime(_TIME)}-{checksum}.json"
        if not self._write(name, data):
            return ""
        self._forget_oldest(name)
        return checksum

    def keep_settings(self, text: str) -> None:
        """Keep the settings in place of earlier ones."""
        self._write(_SETTINGS, text.encode())

    def settings(self) -> str:
        """Return the settings that were kept; "" if there are none."""
        if self._folder is None:
            return ""
        with suppress(InputError, UnicodeDecodeError):  # there are none yet, for example
            return read_user_file(self._folder / _SETTINGS, _("The settings"), MOST_BYTES).decode()
        return ""

    def read(self, parse: Callable[[str], Value]) -> Iterator[tuple[Kept, Value]]:
        """Return what was kept, the oldest first. A file that isn't what was written, or can't be used, is set aside.

        Args:
            parse: returns what a text stands for, or raises InputError, whose message is a clause.
        """
        for path in self._newest():
            try:
                data = read_user_file(path, _("A kept run"), MOST_BYTES)
                checksum = path.stem.partition("-")[2]
                if _checksum(data) != checksum:
                    raise InputError(_("it isn't what was written"))
                kept = Kept(path, _time_of(path).astimezone(), checksum, data.decode())
                value = parse(kept.text)
            except NewerVersionError as error:
                self.problems += [] if str(error) in self.problems else [str(error)]
            except RecursionError:
                self._set_aside(path, _("its brackets are nested too deeply"))
            except (InputError, ValueError, OverflowError) as error:  # no such time, or not UTF-8
                if path.exists():  # another kernel may have deleted it meanwhile
                    self._set_aside(path, str(error).rstrip("."))
            else:
                yield kept, value

    def _set_aside(self, path: Path, why: str) -> None:
        """Rename a file that can't be used, so that it stays but isn't read again, and say why."""
        with suppress(OSError):  # it may be somebody else's
            path = path.rename(path.with_name(f"{path.name}{_ASIDE}"))
        self.problems.append(
            _("A kept run can't be used ({why}): see the file {name}.", why=why, name=printable(path.name))
        )

    def forget(self) -> None:
        """Delete everything that this app has kept."""
        self.problems.clear()
        if self._folder is None:
            return
        with suppress(OSError):
            for path in _ours(self._folder.iterdir()):
                with suppress(OSError):
                    path.unlink()
            for folder in (self._folder, self._folder.parent, self._folder.parent.parent):
                folder.rmdir()  # fails where other apps have kept something

    def _files(self) -> list[Path]:
        """Return the files, the oldest first."""
        if self._folder is None:
            return []
        with suppress(OSError):
            return sorted(path for path in self._folder.iterdir() if _NAME.fullmatch(path.name))
        return []

    def _newest(self) -> list[Path]:
        """Return the newest files, within the limits of number and size, the oldest first."""
        files, n_bytes = self._files()[-MOST_FILES:], 0
        for n, path in enumerate(reversed(files)):
            with suppress(OSError):
                n_bytes += path.stat().st_size
            if n and n_bytes > MOST_BYTES:
                return files[-n:]
        return files

    def _next_time(self) -> datetime:
        """Return the time now, or later than that of the last file: somebody may have set the clock back."""
        now = datetime.now(UTC)
        with suppress(IndexError, ValueError, OverflowError):
            return max(now, _time_of(self._files()[-1]) + timedelta(microseconds=1))
        return now

    def _write(self, name: str, data: bytes) -> bool:
        if self._folder is None:
            return False
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if (self._folder / name).is_symlink():  # anybody may have put it there, and what it names would be replaced
                (self._folder / name).unlink()
            write_whole(self._folder / name, lambda part: part.write_bytes(data))
        except (InputError, OSError) as error:
            reason = str(error.strerror if isinstance(error, OSError) else error).rstrip(".")
            self._failed = _(
                "The runs are gone when the kernel ends, because they can't be kept: {reason}.", reason=reason
            )
            return False
        self._failed = ""
        return True

    def _forget_oldest(self, newest: str) -> None:
        """Delete the oldest files of this app, then those of all apps, until they fit; the newest one stays."""
        assert self._root is not None
        with suppress(OSError):
            _trim(self._files(), newest, MOST_FILES, MOST_BYTES)
            everything = [path for path in _ours(self._root.glob("*/*/*")) if path.name[0].isdigit()]
            _trim(sorted(everything, key=lambda path: path.name), newest, len(everything), MOST_BYTES_OF_ALL)

    def _adopt(self, beside: Path, name: str) -> None:
        """Take over the files of a notebook that isn't there any more: this one, before it was renamed."""
        assert self._root is not None
        assert self._folder is not None
        with suppress(OSError):
            for other in list(self._root.glob(f"*/{name}")):
                if other == self._folder or other.is_symlink() or (beside / other.parent.name).exists():
                    continue
                self._folder.mkdir(parents=True, exist_ok=True)
                for path in _ours(other.iterdir()):
                    if path.name != _SETTINGS or not (self._folder / _SETTINGS).exists():
                        path.rename(self._folder / path.name)
                with suppress(OSError):
                    other.rmdir()
                    other.parent.rmdir()


def time_text(time: datetime, now: datetime) -> str:
    """Return a time as people say it: "today, 14:05", "Tuesday, 14:05" or "2026-11-03, 14:05"."""
    days = (now.date() - time.date()).days
    names = (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday"))
    day = _("today") if days == 0 else names[time.weekday()] if 0 < days < 7 else f"{time:%Y-%m-%d}"
    return _("{day}, {time}", day=day, time=f"{time:%H:%M}")


def _checksum(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _time_of(path: Path) -> datetime:
    """Return when a file came; raise ValueError if its name holds no such time."""
    return datetime.strptime(path.name.partition("-")[0], _TIME).replace(tzinfo=UTC)


def _can_write_into(folder: Path) -> bool:
    """Return whether files can be put into an app's folder, which may not exist yet."""
    with suppress(OSError):  # it may be somebody else's
        is_link = folder.is_symlink() or folder.parent.is_symlink()  # nor are the files behind a link
        return not is_link and can_write(existing_part(folder))
    return False


def _ours(paths: Iterable[Path]) -> list[Path]:
    """Return the files that KeptFiles has written: others may lie beside them."""
    return [
        path
        for path in paths
        if _NAME.fullmatch(path.name.removesuffix(_ASIDE)) or path.name == _SETTINGS or path.name.startswith(UNFINISHED)
    ]


def _trim(paths: list[Path], newest: str, most: int, most_bytes: int) -> None:
    """Delete the first of these files, but never `newest`, until at most `most` files and `most_bytes` are left."""
    sizes = {}
    for path in paths:
        with suppress(OSError):  # another kernel may have deleted it
            sizes[path] = path.lstat().st_size
    n, n_bytes = len(sizes), sum(sizes.values())
    for path, size in sizes.items():
        if n <= most and n_bytes <= most_bytes:
            return
        if path.name != newest:
            with suppress(OSError):  # it may be somebody else's
                path.unlink(missing_ok=True)
                n, n_bytes = n - 1, n_bytes - size
