"""Paths that users give."""

from __future__ import annotations

import os
from pathlib import Path

from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import size_text
from tl_widgets.core.text import printable, shown
from tl_widgets.core.translation import _

_MAX_NAME = 255  # bytes, on all usual file systems
_MAX_PATH = 4_000  # bytes; Linux allows 4,095, and other systems less


def user_path(value: object, name: str = "path") -> Path:
    """Return a path that the user gave, with ~ expanded; the file need not exist.

    Raises:
        InputError: It isn't a path, or no file can have it.
    """
    if not isinstance(value, str | os.PathLike) or not isinstance(text := os.fspath(value), str):
        raise InputError(
            _("{name} must be the path of a file or folder; received {value}.", name=name, value=shown(value))
        )
    if not text:
        raise InputError(_("{name} is empty; give the path of a file or folder.", name=name))
    try:
        too_long = next((part for part in Path(text).parts if len(os.fsencode(part)) > _MAX_NAME), None)
        if "\0" in text:
            raise ValueError
    except ValueError:  # half a character, or the character 0
        raise InputError(_("{name}: no file can be called {value}.", name=name, value=shown(value))) from None
    if too_long is not None:
        raise InputError(
            _(
                "{name}: the name {too_long} is longer than the {max_name} bytes that a file's name may have.",
                name=name,
                too_long=shown(too_long, 60),
                max_name=_MAX_NAME,
            )
        )
    if len(os.fsencode(text)) > _MAX_PATH:
        raise InputError(
            _(
                "{name}: the path {text} is longer than the {max_path:,} bytes that it may have.",
                name=name,
                text=shown(text, 60),
                max_path=_MAX_PATH,
            )
        )
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise InputError(
            _("{name}: there is no home folder for {text}. Give the whole path.", name=name, text=shown(text, 60))
        ) from None


def is_elsewhere(path: str) -> bool:
    """Return whether a path names another machine, which even a look at it would contact."""
    return path.startswith(("//", "\\\\"))


def working_folder() -> Path:
    """Return the working folder, or raise InputError if it was deleted."""
    try:
        return Path.cwd()
    except OSError:
        raise InputError(_("The working folder no longer exists: change to another one (cd).")) from None


def absolute_path(value: object, name: str = "path") -> Path:
    """Return a path that the user gave, absolute, as `user_path` does."""
    path = user_path(value, name)
    return path if path.is_absolute() else working_folder() / path


def user_file(value: object, name: str = "path") -> Path:
    """Return the path of an ordinary file: a pipe or a device may never end.

    Raises:
        InputError: It doesn't exist, or isn't an ordinary file.
    """
    path = user_path(value, name)
    what = printable(str(path))
    try:
        if not path.exists():
            raise InputError(
                _(
                    "{name}: there is no file {what}; you are in {working_folder}.",
                    name=name,
                    what=what,
                    working_folder=printable(str(working_folder())),
                )
            )
        if path.is_dir():
            raise InputError(_("{name}: {what} is a folder, not a file.", name=name, what=what))
        if not path.is_file():
            raise InputError(_("{name}: {what} is no ordinary file.", name=name, what=what))
    except OSError as error:
        raise InputError(
            _("{name}: {what} can't be read: {strerror}.", name=name, what=what, strerror=error.strerror or error)
        ) from None
    return path


def read_user_file(value: object, name: str, most_bytes: int) -> bytes:
    """Return the bytes of an ordinary file.

    Raises:
        InputError: As in `user_file`, or it is larger than `most_bytes`, or can't be read.
    """
    path = user_file(value, name)
    what = printable(str(path))
    try:
        data = read_file(path, most_bytes + 1)
    except OSError as error:
        raise InputError(
            _("{name}: {what} can't be read: {strerror}.", name=name, what=what, strerror=error.strerror or error)
        ) from None
    if len(data) > most_bytes:
        raise InputError(
            _(
                "{name}: {what} is larger than the {most_bytes} that such a file can have.",
                name=name,
                what=what,
                most_bytes=size_text(most_bytes),
            )
        )
    return data


def read_file(path: Path, most_bytes: int) -> bytes:
    """Return the first bytes of a file, but don't wait for one that has none yet, as some in /proc.

    Raises:
        OSError: It can't be read.
    """

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))

    with open(path, "rb", opener=opener) as file:
        data: bytes | None = file.read(most_bytes)
    if data is None:
        raise OSError("it has nothing to read yet")
    return data
