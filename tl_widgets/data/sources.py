"""Open a folder or an archive of any kind that is read."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel
from tl_widgets.core.paths import user_path, working_folder
from tl_widgets.core.translation import _
from tl_widgets.data.archives import FolderSource, ImageSource, ZipSource, first_bytes, is_archive, printable
from tl_widgets.data.packed import PackedSource

_GIVE = _("Give a folder with a sub-folder for each class, or its zip.")


Parts = tuple[tuple[str, str], ...]  # (split, folder) as in `Origin.parts`


def open_source(path: Path, parts: Parts = (), cancel: Cancel | None = None) -> ImageSource:
    """Open the folder or archive at `path` and list its files, or only those in some of its folders."""
    source_name = printable(str(path))
    try:
        if path.is_dir():
            return FolderSource(path, [folder for _, folder in parts], cancel)
        if not path.exists():
            here = printable(str(working_folder()))
            raise InputError(
                _(
                    "There is no folder or zip file {source_name}. Check the spelling; you are in {here}.",
                    source_name=source_name,
                    here=here,
                )
            )
        if path.is_file():
            if zipfile.is_zipfile(path):
                return ZipSource(path)
            if is_archive(path):
                return PackedSource(path)
            raise InputError(_why_no_archive(source_name, first_bytes(path)))
    except OSError as error:
        raise InputError(
            _("{source_name} cannot be opened: {strerror}.", source_name=source_name, strerror=error.strerror or error)
        ) from error
    raise InputError(_("{source_name} is neither a folder nor a file. {give}", source_name=source_name, give=_GIVE))


_UNFINISHED = (".part", ".crdownload", ".download", ".partial", ".tmp", ".opdownload")
_STARTS = (
    (
        (b"<!doctype html", b"<html", b"<head"),
        _("a web page, not a zip archive: open it in a browser, and download the archive itself"),
    ),
    ((b"<?xml", b"<error"), _("an XML document, such as a server's error message: download the archive again")),
    ((b"{", b"["), _("a text (JSON), such as a server's error message: download the archive again")),
    (
        (b"version https://git-lfs",),
        _(
            "a pointer of Git LFS, not the archive itself: run `git lfs pull` in its folder, or download "
            "it in a browser"
        ),
    ),
    ((b"rar!",), _("a RAR archive, which can't be read here. Unpack it, and give the folder")),
    ((b"\xff\xd8\xff", b"\x89png", b"gif8", b"bm"), _("one picture. Give a folder with one sub-folder for each class")),
)


def _why_no_archive(source_name: str, start: bytes) -> str:
    """Return a sentence on a file that isn't an archive which can be read."""
    name = source_name.lower()
    if not start:
        return _("{source_name} is empty: download or copy it again.", source_name=source_name)
    if name.endswith(_UNFINISHED):
        return _("{source_name} is a download that hasn't finished: download it again.", source_name=source_name)
    if re.search(r"\.(z\d\d|\d{3}|part\d+\.rar)$", name):
        return _(
            "{source_name} is one part of an archive: put all parts together, unpack them, and give the folder.",
            source_name=source_name,
        )
    if start.startswith(b"PK\x03\x04") or not any(start):
        return _(
            "{source_name} is a zip archive whose end is missing: download or copy it again.", source_name=source_name
        )
    begin = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for prefixes, what in _STARTS:
        if begin.startswith(prefixes):
            return _("{source_name} is {what}.", source_name=source_name, what=what)
    if name.endswith((".csv", ".tsv", ".jsonl")):
        return _(
            "{source_name} is a table. Give the folder that holds it and the images; the table is found there.",
            source_name=source_name,
        )
    return _(
        "{source_name} is a file, not a zip archive or another that is read (tar, tar.gz, tgz, 7z). {give}",
        source_name=source_name,
        give=_GIVE,
    )


def common_root(folders: Mapping[str, str | os.PathLike[str]]) -> tuple[Path, Parts]:
    """Return the folder above the folders for "train", "test" and perhaps "validation", and their places below it.

    Raises:
        InputError: one is no folder, or one is inside another.
    """
    paths = {}
    for split, folder in folders.items():
        path = paths[split] = user_path(folder, split).absolute()
        if not path.is_dir():
            what = _("an archive or a file") if path.is_file() else _("not there")
            raise InputError(
                _(
                    "The folder for {split}, {folder}, is {what}. Give a folder for each part.",
                    split=split,
                    folder=printable(str(folder)),
                    what=what,
                )
            )
        paths[split] = path.resolve()
    if inside := [(a, b) for a in paths for b in paths if a != b and paths[a].is_relative_to(paths[b])]:
        a, b = inside[0]
        raise InputError(
            _(
                "The folder for {a} is inside that for {b}, or the same: {path}. An image must not be "
                "trained on and tested.",
                a=a,
                b=b,
                path=printable(str(paths[a])),
            )
        )
    try:
        root = Path(os.path.commonpath(list(paths.values())))
    except ValueError:
        raise InputError(_("The folders for train and test are on different drives. Copy them to one.")) from None
    return root, tuple((split, path.relative_to(root).as_posix()) for split, path in paths.items())
