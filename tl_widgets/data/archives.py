"""Read files from folders and archives, which are not trusted or written to."""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tl_widgets.core.errors import InputError
from tl_widgets.core.events import Cancel, raise_if_cancelled
from tl_widgets.core.numbers import size_text
from tl_widgets.core.paths import read_file
from tl_widgets.core.text import printable as printable
from tl_widgets.core.translation import _, in_english
from tl_widgets.data.names import MAX_NAME, decode_names, one_form, problem_of, with_folders_above

MAX_FILES = 200_000
MAX_FILE_BYTES = 100_000_000
MAX_UNPACKED_BYTES = 50_000_000_000  # of all members of an archive: reading them all takes minutes
MAX_RATIO = 200  # deflate reaches 1,032; photographs stay near 1
RATIO_MATTERS_FROM = 10_000_000  # a plain white BMP can shrink a thousandfold, and a small one does no harm
ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z")
_MAX_DIRECTORY_BYTES = 100_000_000
_JUNK = {"__macosx", "thumbs.db", "desktop.ini", "__pycache__", "@eadir", "$recycle.bin"}
_PACKED = (b"7z\xbc\xaf\x27\x1c", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")
_COMPRESSION_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# Numbers of PKWARE's APPNOTE 4.4.5. zipfile could unpack LZMA, but a member says how much memory that takes.
_OTHER_METHODS = {6: "Implode", 9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "XZ", 98: "PPMd"}
_AES = 99


@dataclass(frozen=True)
class SourceFile:
    """One file of a source.

    Attributes:
        name: path below the root in the Unicode form NFC, parts joined by "/"; pass it to `printable` to show it.
        n_bytes: size when uncompressed.
        stamp: changes when the file changes: its times, or an archive's checksum.
    """

    name: str
    n_bytes: int
    stamp: str


@dataclass(frozen=True)
class Listing:
    """The contents of a source, without system files such as thumbs.db.

    Attributes:
        files: all files that may be read, sorted by name.
        folders: names of all folders, including empty ones.
        skipped: (name, reason) for each entry that must not be read.
        notes: sentences on what was guessed.
    """

    files: tuple[SourceFile, ...]
    folders: frozenset[str]
    skipped: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()


class ImageSource(Protocol):
    """A folder or an archive."""

    path: Path
    listing: Listing

    def read(self, file: SourceFile) -> bytes:
        """Return the bytes of a file; thread-safe. Raise OSError with a clear message."""

    def close(self) -> None:
        """Release open files."""


def is_archive(path: Path) -> bool:
    """Return whether the content of a file is an archive; raise OSError if it can't be read."""
    start = first_bytes(path)
    return start.startswith(_PACKED) or start[257:262] == b"ustar" or zipfile.is_zipfile(path)


def first_bytes(path: Path) -> bytes:
    """Return the first 512 bytes of a file."""
    with path.open("rb") as file:
        return file.read(512)


def is_archive_name(name: str) -> bool:
    """Return whether a file is called like an archive."""
    return name.lower().endswith(ARCHIVE_SUFFIXES)


def archive_stem(name: str) -> str:
    """Return an archive's name without its suffix: "pets" for pets.tar.gz."""
    suffix = next((suffix for suffix in ARCHIVE_SUFFIXES if name.lower().endswith(suffix)), "")
    return name[: -len(suffix)] if suffix else name


def is_junk(name: str) -> bool:
    """Return whether a system or program put a file or folder there."""
    return name.startswith(".") or name.lower() in _JUNK


def _require_few_files(n_files: int, source_name: str) -> None:
    if n_files > MAX_FILES:
        raise InputError(
            _(
                "{source_name} contains more than {max_files:,} files. Give a folder with only the images.",
                source_name=source_name,
                max_files=MAX_FILES,
            )
        )


class FolderSource:
    """The files below a folder, or below some of its sub-folders. Links that lead out of it are not followed."""

    def __init__(self, path: Path, only: Sequence[str] = (), cancel: Cancel | None = None) -> None:
        self.path = path.resolve()
        self._files: list[SourceFile] = []
        self._folders: set[str] = set()
        self._skipped: list[tuple[str, str]] = []
        self._spelled: dict[str, str] = {}  # on disk, where that isn't NFC
        pending = list(only) or [""]
        for folder in only:
            with_folders_above(folder, self._folders)
        while pending:
            raise_if_cancelled(cancel)  # /proc takes minutes
            pending += self._walk(pending.pop(), only)
            _require_few_files(len(self._files) + len(self._skipped) + len(self._folders), printable(str(path)))
        files = sorted(self._in_one_form(), key=lambda file: file.name)
        folders = frozenset(map(one_form, self._folders))
        skipped = tuple(sorted((one_form(name), reason) for name, reason in self._skipped))
        self.listing = Listing(tuple(files), folders, skipped)

    def _in_one_form(self) -> list[SourceFile]:
        """Return the files with names in NFC; of two with the same name then, the second gets a number."""
        taken = {file.name for file in self._files if file.name == one_form(file.name)}
        files = []
        for file in sorted(self._files, key=lambda file: file.name):
            name = one_form(file.name)
            if name != file.name:
                while name in taken:
                    name = f"{name} (2)"
                taken.add(name)
                self._spelled[name] = file.name
            files.append(SourceFile(name, file.n_bytes, file.stamp))
        return files

    def _walk(self, folder: str, only: Sequence[str]) -> list[str]:
        """Record the contents of one folder, as they are spelled on disk, and return its sub-folders."""
        subfolders: list[str] = []
        try:
            with os.scandir(self.path / folder) as entries:
                for entry in entries:
                    name = f"{folder}/{entry.name}" if folder else entry.name
                    if is_junk(entry.name):
                        continue
                    if reason := self._skip_reason(entry):
                        self._skipped.append((name, reason))
                    elif entry.is_dir():
                        subfolders.append(name)
                    else:
                        info = entry.stat()
                        stamp = f"{info.st_mtime_ns} {info.st_ctime_ns}"
                        self._files.append(SourceFile(name, info.st_size, stamp))
        except OSError as error:
            if not folder or folder in only:
                raise
            self._skipped.append((folder, _("cannot be opened: {strerror}", strerror=error.strerror or error)))
        self._folders.update(subfolders)
        return subfolders

    def _skip_reason(self, entry: os.DirEntry[str]) -> str:
        """Return why an entry must not be read; "" if it may be."""
        try:
            if entry.is_symlink():
                target = Path(entry.path).resolve(strict=True)
                if not target.is_relative_to(self.path):
                    return _("a link to a place outside the folder")
                if target.is_dir():
                    return _("a link to a folder, which is not followed")
            mode = entry.stat().st_mode
        except (OSError, RuntimeError):  # RuntimeError: Python 3.11 raises it for circular links
            return _("a broken link")
        # Reading from a pipe could wait forever.
        return "" if stat.S_ISREG(mode) or stat.S_ISDIR(mode) else _("not an ordinary file")

    def read(self, file: SourceFile) -> bytes:
        """Return all bytes of one file."""
        if file.n_bytes > MAX_FILE_BYTES:
            raise OSError(size_reason(file.n_bytes))
        return read_file(self.path / self._spelled.get(file.name, file.name), MAX_FILE_BYTES)

    def close(self) -> None:
        """Do nothing: no file stays open."""


class ZipSource:
    """The members of a zip archive, read one by one; nothing is unpacked to disk."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        source_name = printable(str(path))
        _require_small_directory(self.path, source_name)
        try:
            self._archive = zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
            raise InputError(
                _(
                    "{source_name} is a damaged zip archive ({error}). Make or download it again.",
                    source_name=source_name,
                    error=error,
                )
            ) from error
        try:
            self.listing = self._list(source_name)
        except InputError:
            self._archive.close()
            raise

    def _list(self, source_name: str) -> Listing:
        members = self._archive.infolist()
        _require_few_files(len(members), source_name)
        total = sum(member.file_size for member in members)
        if total > MAX_UNPACKED_BYTES:
            raise InputError(
                _(
                    "{source_name} would unpack to {total}; at most {most} is allowed. Make a smaller archive.",
                    source_name=source_name,
                    total=size_text(total),
                    most=size_text(MAX_UNPACKED_BYTES),
                )
            )
        stamp = self.path.stat().st_mtime_ns
        self._members: dict[str, zipfile.ZipInfo] = {}
        files: dict[str, SourceFile] = {}
        folders: set[str] = set()
        skipped: list[tuple[str, str]] = []
        names, notes = _member_names(members)
        for member, name in zip(members, names, strict=True):
            parts = name.rstrip("/").split("/")
            if reason := _member_skip_reason(member, name, parts):
                skipped.append((name[:MAX_NAME], reason))
                continue
            if any(is_junk(part) for part in parts):
                continue
            is_folder = name.endswith("/")
            with_folders_above("/".join(parts if is_folder else parts[:-1]), folders)
            _require_few_files(len(folders), source_name)
            if not is_folder:
                self._members[name] = member
                files[name] = SourceFile(name, member.file_size, f"{stamp} {member.CRC}")
        _require_readable(source_name, len(files), skipped)
        in_order = tuple(files[name] for name in sorted(files))
        return Listing(in_order, frozenset(folders), tuple(sorted(skipped)), notes)

    def read(self, file: SourceFile) -> bytes:
        """Return all bytes of one member, never more than the archive declares."""
        if file.n_bytes > MAX_FILE_BYTES:
            raise OSError(size_reason(file.n_bytes))
        try:
            with self._archive.open(self._members[file.name]) as stream:
                return stream.read(MAX_FILE_BYTES)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            NotImplementedError,
            RuntimeError,
            ValueError,
        ) as error:
            raise OSError(_("damaged in the archive: {error}", error=error)) from error

    def close(self) -> None:
        """Close the archive."""
        self._archive.close()


def size_reason(n_bytes: int) -> str:
    """Return why a file is too large for an image."""
    return _(
        "{n_bytes}, more than the {max_file_bytes} allowed for one image",
        n_bytes=size_text(n_bytes),
        max_file_bytes=size_text(MAX_FILE_BYTES),
    )


def _member_names(members: list[zipfile.ZipInfo]) -> tuple[list[str], tuple[str, ...]]:
    """Return the names of members, and a note if their encoding had to be guessed."""
    raw = [_raw_name(member) for member in members]
    encoding, language = decode_names(name for name in raw if name is not None)
    names = [
        # Some old Windows programs write backslashes as separators.
        one_form(member.filename if name is None else name.decode(encoding)).replace("\\", "/")
        for member, name in zip(members, raw, strict=True)
    ]
    if not language:
        return names, ()
    some = next(name for name in names if not name.isascii())
    return names, (
        _(
            "Names in the zip aren't in Unicode; they were read in the code page {encoding} "
            "({language}), such as {some}.",
            encoding=encoding,
            language=language,
            some=printable(some),
        ),
    )


def _raw_name(member: zipfile.ZipInfo) -> bytes | None:
    """Return the bytes of a name that isn't marked as UTF-8, which zipfile has read as cp437; None for another."""
    if member.flag_bits & 0x800 or member.filename.isascii():
        return None
    try:
        return member.filename.encode("cp437")
    except UnicodeEncodeError:  # it has another name in an extra field, in Unicode
        return None


def _member_skip_reason(member: zipfile.ZipInfo, name: str, parts: list[str]) -> str:
    """Return why a member must not be read; "" if it may be."""
    if reason := problem_of(name, parts):
        return reason
    if stat.S_ISLNK(member.external_attr >> 16):
        return _("a link")
    if member.flag_bits & 1 or member.compress_type == _AES:
        return _PASSWORD
    if member.compress_type not in _COMPRESSION_METHODS:
        method = _OTHER_METHODS.get(member.compress_type, f"method {member.compress_type}")
        return _(
            "compressed with {method}, an unsupported method: make the zip again with the usual settings", method=method
        )
    if member.file_size > max(RATIO_MATTERS_FROM, MAX_RATIO * member.compress_size):
        ratio = member.file_size // max(member.compress_size, 1)
        return _("grows {ratio:,} times when unpacked, which no photograph does", ratio=ratio)
    return ""


_PASSWORD = _("password-protected")


def _require_readable(source_name: str, n_files: int, skipped: list[tuple[str, str]]) -> None:
    """Raise `InputError` if a password or the compression hides everything in an archive."""
    if n_files or not skipped:
        return
    reason, n = Counter(reason for _, reason in skipped).most_common(1)[0]
    if reason == _PASSWORD:
        raise InputError(
            _(
                "{source_name} has a password: its {n:,} files are encrypted (AES or ZipCrypto). Unpack "
                "it with the password, and give the folder.",
                source_name=source_name,
                n=n,
            )
        )
    if (english := in_english(reason)).startswith("compressed with"):
        method = english.removeprefix("compressed with ").partition(",")[0]
        raise InputError(
            _(
                "The {n:,} files in {source_name} are compressed with {method}, which can't be read "
                "here. Unpack it, and give the folder, or make the zip again with the usual compression "
                "(Deflate).",
                n=n,
                source_name=source_name,
                method=method,
            )
        )


def _require_small_directory(path: Path, source_name: str) -> None:
    """Reject an archive whose table of contents, which `zipfile` reads, is too large.

    The end record (PKWARE APPNOTE 4.3.16) is in the last 65,557 bytes and holds the table's size at byte 12.
    If that is 0xFFFFFFFF, the size is at byte 40 of the zip64 record (4.3.14) before it.
    """
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 66_000))
        tail = file.read()
    end, end64 = tail.rfind(b"PK\x05\x06"), tail.rfind(b"PK\x06\x06")
    size = struct.unpack_from("<L", tail, end + 12)[0] if 0 <= end <= len(tail) - 16 else 0
    if size == 0xFFFFFFFF and 0 <= end64 <= len(tail) - 48:
        size = struct.unpack_from("<Q", tail, end64 + 40)[0]
    if size > _MAX_DIRECTORY_BYTES:
        raise InputError(
            _(
                "{source_name} has a table of contents of {size}. Zip only the folder of images.",
                source_name=source_name,
                size=size_text(size),
            )
        )
