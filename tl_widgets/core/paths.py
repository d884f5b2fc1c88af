"""Paths that users give."""

from __future__ import annotations

import os
from pathlib import Path

from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import size_text
from tl_widgets.core.text import printable, shown

_MAX_NAME = 255  # bytes, on all usual file systems
_MAX_PATH = 4_000  # bytes; Linux allows 4,095, and other systems less


def user_path(value: object, name: str = "path") -> Path:
    """Return a path that the user gave, with ~ expanded; the file need not exist.

    Raises:
        InputError: It isn't a path, or no file can have it.
    """
    if not isinstance(value, str | os.PathLike) or not isinstance(text := os.fspath(value), str):
        raise InputError(f"{name} must be the path of a file or folder; received {shown(value)}.")
    if not text:
        raise InputError(f"{name} is empty; give the path of a file or folder.")
    try:
        too_long = next((part for part in Path(text).parts if len(os.fsencode(part)) > _MAX_NAME), None)
        if "\0" in text:
            raise ValueError
    except ValueError:  # half a character, or the character 0
        raise InputError(f"{name}: no file can be called {shown(value)}.") from None
    if too_long is not None:
        raise InputError(
            f"{name}: the name {shown(too_long, 60)} is longer than the {_MAX_NAME} bytes that a file's name may have."
        )
    if len(os.fsencode(text)) > _MAX_PATH:
        raise InputError(f"{name}: the path {shown(text, 60)} is longer than the {_MAX_PATH:,} bytes that it may have.")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise InputError(f"{name}: there is no home folder for {shown(text, 60)}. Give the whole path.") from None


def working_folder() -> Path:
    """Return the working folder, or raise InputError if it was deleted."""
    try:
        return Path.cwd()
    except OSError:
        raise InputError("The working folder no longer exists: change to another one (cd).") from None


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
            raise InputError(f"{name}: there is no file {what}; you are in {printable(str(working_folder()))}.")
        if path.is_dir():
            raise InputError(f"{name}: {what} is a folder, not a file.")
        if not path.is_file():
            raise InputError(f"{name}: {what} is no ordinary file.")
    except OSError as error:
        raise InputError(f"{name}: {what} can't be read: {error.strerror or error}.") from None
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
        raise InputError(f"{name}: {what} can't be read: {error.strerror or error}.") from None
    if len(data) > most_bytes:
        raise InputError(f"{name}: {what} is larger than the {size_text(most_bytes)} that such a file can have.")
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
