"""Open a folder or an archive of any kind that is read."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tl_widgets.core.errors import InputError
from tl_widgets.data.archives import FolderSource, ImageSource, ZipSource, first_bytes, is_archive, printable
from tl_widgets.data.packed import PackedSource

_GIVE = "Give a folder with a sub-folder for each class, or its zip."


def open_source(path: Path) -> ImageSource:
    """Open the folder or archive at `path` and list its files."""
    source_name = printable(str(path))
    try:
        if path.is_dir():
            return FolderSource(path)
        if not path.exists():
            raise InputError(
                f"There is no folder or zip file {source_name}. Check the spelling; you are in {Path.cwd()}."
            )
        if path.is_file():
            if zipfile.is_zipfile(path):
                return ZipSource(path)
            if is_archive(path):
                return PackedSource(path)
            raise InputError(_why_no_archive(source_name, first_bytes(path)))
    except OSError as error:
        raise InputError(f"{source_name} cannot be opened: {error.strerror or error}.") from error
    raise InputError(f"{source_name} is neither a folder nor a file. {_GIVE}")


def _why_no_archive(source_name: str, start: bytes) -> str:
    """Return a sentence on a file that isn't an archive which can be read."""
    if start.startswith(b"PK\x03\x04"):
        return f"{source_name} is a zip archive whose end is missing: download or copy it again."
    if start.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        return f"{source_name} is a web page, not a zip archive: open it in a browser, and download the archive itself."
    if start.startswith(b"Rar!"):
        return f"{source_name} is a RAR archive, which can't be read here. Unpack it, and give the folder."
    return f"{source_name} is a file, not a zip archive or another that is read (tar, tar.gz, tgz, 7z). {_GIVE}"
