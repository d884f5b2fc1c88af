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
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tl_widgets.core.errors import InputError
from tl_widgets.core.files import write_whole
from tl_widgets.core.paths import read_user_file
from tl_widgets.core.resources import can_write, home_folder
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
    """

    def __init__(self, place: str) -> None:
        notebook = this_notebook() if place else None
        self.problems: list[str] = []
        self._root = self._folder = None
        self._where, self._failed = "", ""
        if notebook is None:
            return
        name = hashlib.blake2b(place.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
        if can_write(notebook.parent):
            self._root = notebook.parent / FOLDER
            self._folder = self._root / notebook.name / name
            self._where = _(
                "Kept in the folder {folder} beside the notebook, without images. A new kernel has the newest {n} "
                "again.",
                folder=FOLDER,
                n=MOST_FILES,
            )
            self._adopt(notebook.parent, name)
        else:
            beside = hashlib.blake2b(os.fsencode(notebook), digest_size=16).hexdigest()
            self._root = home_folder() / "kept"
            self._folder = self._root / beside / name
            self._where = _(
                "Kept in {folder}, because the notebook's folder is write-protected, without images. A new kernel has "
                "the newest {n} again.",
                folder=printable(str(self._root)),
                n=MOST_FILES,
            )

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
        checksum = _checksum(data)
        if not self._write(f"{datetime.now(UTC).strftime(_TIME)}-{checksum}.json", data):
            return ""
        self._forget_oldest()
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

    def read(self) -> Iterator[Kept]:
        """Return what was kept, the oldest first. A file that isn't what was written is set aside."""
        for path in self._files()[-MOST_FILES:]:
            try:
                data = read_user_file(path, _("A kept run"), MOST_BYTES)
                time, checksum = _NAME.fullmatch(path.name).groups()  # type: ignore[union-attr]  # as in _files
                if _checksum(data) != checksum:
                    raise InputError(_("it isn't what was written"))
                when = datetime.strptime(time, _TIME).replace(tzinfo=UTC).astimezone()
                yield Kept(path, when, checksum, data.decode())
            except (InputError, ValueError) as error:  # ValueError: no such time, or not UTF-8
                if path.exists():  # another kernel may have deleted it meanwhile
                    self.set_aside(path, str(error).rstrip("."))

    def set_aside(self, path: Path, why: str) -> None:
        """Rename a file that can't be used, so that it stays but isn't read again, and say why."""
        aside = path.with_name(f"{path.name}{_ASIDE}")
        with suppress(OSError):
            path.rename(aside)
        self.problems.append(
            _("A kept run can't be used ({why}). Its file is now {name}.", why=why, name=printable(aside.name))
        )

    def forget(self) -> None:
        """Delete everything that this app has kept."""
        self.problems.clear()
        if self._folder is None:
            return
        with suppress(OSError):
            for path in list(self._folder.iterdir()):
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

    def _write(self, name: str, data: bytes) -> bool:
        if self._folder is None:
            return False
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._folder / name, lambda part: part.write_bytes(data))
        except (InputError, OSError) as error:
            reason = str(error.strerror if isinstance(error, OSError) else error).rstrip(".")
            self._failed = _(
                "The runs are gone when the kernel ends, because they can't be kept: {reason}.", reason=reason
            )
            return False
        self._failed = ""
        return True

    def _forget_oldest(self) -> None:
        """Delete the oldest files of this app, then those of all apps, until they fit; the newest one stays."""
        assert self._root is not None
        with suppress(OSError):
            _trim(self._files(), MOST_FILES, MOST_BYTES)
            everything = [path for path in self._root.glob("*/*/*") if path.name != _SETTINGS]
            _trim(sorted(everything, key=lambda path: path.name), len(everything), MOST_BYTES_OF_ALL)

    def _adopt(self, beside: Path, name: str) -> None:
        """Take over the files of a notebook that isn't there any more: this one, before it was renamed."""
        assert self._root is not None
        assert self._folder is not None
        with suppress(OSError):
            for other in self._root.glob(f"*/{name}"):
                if not (beside / other.parent.name).exists():
                    self._folder.mkdir(parents=True, exist_ok=True)
                    for path in list(other.iterdir()):
                        path.rename(self._folder / path.name)
                    other.rmdir()
                    other.parent.rmdir()


def _checksum(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _trim(paths: list[Path], most: int, most_bytes: int) -> None:
    """Delete the first of these files until at most so many, and so many bytes, are left."""
    sizes = [path.stat().st_size for path in paths]
    while len(sizes) > 1 and (len(sizes) > most or sum(sizes) > most_bytes):
        paths[-len(sizes)].unlink(missing_ok=True)
        del sizes[0]
