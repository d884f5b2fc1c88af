"""Collecting the files that students handed in: from a folder, its sub-folders, and zips as learning platforms give."""

from __future__ import annotations

import codecs
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tl_widgets.assignments.submission import MOST_BYTES
from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import size_text
from tl_widgets.core.paths import user_path
from tl_widgets.core.text import printable
from tl_widgets.core.translation import _
from tl_widgets.data.archives import FolderSource, ImageSource, SourceFile, ZipSource

_DEPTH = 3  # zips in zips
_MOST_ZIP_BYTES = 100_000_000  # of a zip in a zip
# Of a zip, which may be the learning platform's, and of a zip in a zip, which is a student's.
_MOST_UNPACKED = (500_000_000, 50_000_000)
_MOST_FILES = (5_000, 200)
_TEACHERS = (".toml", ".csv", ".html", ".txt")  # beside the files, not in a student's folder


@dataclass(frozen=True)
class HandedIn:
    """One file.

    Attributes:
        name: Its path below the folder, as it may be shown; a zip's members follow the zip's name.
        text: What it holds; None if it can't be read.
        problem: Why it can't be read, as a sentence.
    """

    name: str
    text: str | None
    problem: str = ""


def collect(folder: Path) -> Iterator[HandedIn]:
    """Yield all files of a folder or a zip; what can't be read becomes a sentence.

    A description (.toml), spreadsheets, pages and texts at the top are left out, because a teacher keeps them there,
    unless they hold JSON: some platforms call a student's file NAME.json.txt.

    Raises:
        InputError: There is no such folder.
    """
    path = user_path(folder, "FOLDER")
    if not path.exists():
        raise InputError(_("FOLDER: there is no folder or zip {path}.", path=printable(str(path))))
    yield from _from_folder(path) if path.is_dir() else _from_zip(path, "", 1)


def _from_folder(path: Path) -> Iterator[HandedIn]:
    source = FolderSource(path)

    def open_zip(file: SourceFile) -> Iterator[HandedIn]:
        zipped = path / file.name
        # Not there if its name is spelled in another Unicode form on disk.
        return _from_zip(zipped, f"{file.name}/", 1) if zipped.exists() else _from_inner_zip(source, file, "", 0)

    yield from _from_source(source, "", 0, open_zip)


def _from_zip(path: Path, prefix: str, depth: int) -> Iterator[HandedIn]:
    shown = printable(prefix.rstrip("/") or path.name)
    try:
        source = ZipSource(path)
    except Exception as error:  # one damaged zip must not cost others their grades
        yield HandedIn(shown, None, _("This zip can't be opened: {why}", why=_without_path(error, path)))
        return
    try:
        files, most, most_files = source.listing.files, _MOST_UNPACKED[depth > 1], _MOST_FILES[depth > 1]
        n_bytes, n_files = sum(file.n_bytes for file in files), len(files) + len(source.listing.skipped)
        if n_bytes <= most and n_files <= most_files:
            found = _from_source(source, prefix, depth, lambda file: _from_inner_zip(source, file, prefix, depth))
            yield from islice(found, most_files)  # zips of zips multiply
            if next(found, None) is None:
                return
            n_files = most_files + 1
        text = _(
            "This zip has {n:,} files that unpack to {size}; {most:,} files and {most_size} are allowed.",
            n=n_files, size=size_text(n_bytes), most=most_files, most_size=size_text(most),
        )  # fmt: skip
        yield HandedIn(shown, None, text)
    finally:
        source.close()


def _without_path(error: Exception, path: Path) -> str:
    """Return an error's text without the path, which may name a student: the page of statistics shows the text."""
    text = getattr(error, "strerror", None) or str(error)
    return text.replace(printable(str(path)), "…")


def _from_inner_zip(source: ImageSource, file: SourceFile, prefix: str, depth: int) -> Iterator[HandedIn]:
    name = f"{prefix}{file.name}"
    if depth >= _DEPTH:
        yield HandedIn(printable(name), None, _("It's a zip in {n} other zips. Unpack the outer ones.", n=_DEPTH))
    elif file.n_bytes > _MOST_ZIP_BYTES:
        yield HandedIn(
            printable(name), None, _("This zip has {size}, too much for one in a zip.", size=size_text(file.n_bytes))
        )
    else:
        with tempfile.TemporaryDirectory() as folder:
            inner = Path(folder) / "inner.zip"
            try:
                inner.write_bytes(source.read(file))
            except Exception as error:  # as above
                yield HandedIn(
                    printable(name), None, _("It can't be read: {why}.", why=_without_path(error, source.path))
                )
                return
            yield from _from_zip(inner, f"{name}/", depth + 1)


def _from_source(
    source: ImageSource, prefix: str, depth: int, open_zip: Callable[[SourceFile], Iterator[HandedIn]]
) -> Iterator[HandedIn]:
    for name, reason in source.listing.skipped:
        why = reason.partition(", which no photograph")[0]
        yield HandedIn(printable(f"{prefix}{name}"), None, _("It wasn't opened: {why}.", why=why))
    for file in source.listing.files:
        name = file.name.lower()
        if name.endswith(".zip"):
            yield from open_zip(file)
        else:
            handed_in = _read(source, file, printable(f"{prefix}{file.name}"))
            if depth or "/" in name or not name.endswith(_TEACHERS) or handed_in.text is not None:
                yield handed_in


def _read(source: ImageSource, file: SourceFile, name: str) -> HandedIn:
    if file.n_bytes > MOST_BYTES:
        text = _(
            "This isn't a file that submit() wrote: it has {size}, more than the {most} that one can have.",
            size=size_text(file.n_bytes, kilobytes=True), most=size_text(MOST_BYTES),
        )  # fmt: skip
        return HandedIn(name, None, text)
    try:
        data = source.read(file).removeprefix(codecs.BOM_UTF8)  # an editor's
    except Exception as error:  # as above
        return HandedIn(name, None, _("It can't be read: {why}.", why=_without_path(error, source.path)))
    if not data.strip():
        return HandedIn(name, None, _("It's empty."))
    if data.lstrip()[:1] != b"{":
        return HandedIn(name, None, _("This isn't a file that submit() wrote: it's another kind of file."))
    try:
        return HandedIn(name, data.decode("utf-8"))
    except UnicodeDecodeError:
        return HandedIn(name, None, _("It isn't text in UTF-8: it was changed or damaged."))
