"""`tl-widgets fetch --archive`: weights and data sets in one file, to carry to machines without network."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from tl_widgets.cli.files import check_writable, write_whole
from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, raise_if_cancelled
from tl_widgets.core.resources import megabytes, require_disk

ROOT = "tl-widgets-home"  # the folder in the archive: what --home and TL_WIDGETS_HOME name when it is unpacked
_CHUNK = 1 << 20


def check_archive(path: Path) -> None:
    """Raise `InputError` when no archive can be written there.

    Raises:
        InputError: its name ends in neither .zip nor .tar, or no file can be written there.
    """
    if path.suffix.lower() not in (".zip", ".tar"):
        raise InputError(f"--archive writes a .zip or a .tar; received {path.name}. Give the file a name that ends so.")
    check_writable(path, "--archive")


def write_archive(path: Path, members: Sequence[tuple[str, Path]], on_event: OnEvent, cancel: Cancel) -> None:
    """Pack files as they are: all of them are compressed already. The same files always give the same archive.

    Args:
        path: a .zip or .tar; it appears in one step when it is whole.
        members: (name below the archive's only folder, file).
        on_event: hears how far it is (phase "save", in bytes).
        cancel: set it to stop; nothing is left then.

    Raises:
        InputError: there is no room, or it cannot be written.
        CancelledError: `cancel` was set.
    """
    n_total = sum(file.stat().st_size for _, file in members)
    require_disk(path.parent, n_total, f"Writing {path.name}")
    pack = _pack_zip if path.suffix.lower() == ".zip" else _pack_tar
    told = _Told(n_total, path.name, on_event, cancel)
    write_whole(path, lambda part: pack(part, members, told))


class _Told:
    """Tells of the bytes that were read, and stops when it is asked to."""

    def __init__(self, n_total: int, name: str, on_event: OnEvent, cancel: Cancel) -> None:
        self._n_total, self._name, self._on_event, self._cancel = n_total, name, on_event, cancel
        self._n_done = 0
        self._file: BinaryIO | None = None

    def of(self, file: BinaryIO) -> _Told:
        self._file = file
        return self

    def read(self, size: int = _CHUNK) -> bytes:
        assert self._file is not None
        raise_if_cancelled(self._cancel)
        data = self._file.read(min(size, _CHUNK))
        self._n_done += len(data)
        text = f"writing {self._name}: {megabytes(self._n_done)} of {megabytes(self._n_total)}"
        self._on_event(Event("save", text, n_done=self._n_done, n_total=self._n_total))
        return data


def _pack_zip(part: Path, members: Sequence[tuple[str, Path]], told: _Told) -> None:
    with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for name, file in members:
            info = zipfile.ZipInfo(f"{ROOT}/{name}")
            info.external_attr = 0o644 << 16  # readable for all of a class, whoever packed it
            info.file_size = file.stat().st_size
            with file.open("rb") as source, archive.open(info, "w") as target:
                shutil.copyfileobj(told.of(source), target, _CHUNK)


def _pack_tar(part: Path, members: Sequence[tuple[str, Path]], told: _Told) -> None:
    with tarfile.open(part, "w") as archive:
        for name, file in members:
            info = tarfile.TarInfo(f"{ROOT}/{name}")
            info.size = file.stat().st_size
            with file.open("rb") as source:
                archive.addfile(info, told.of(source))
