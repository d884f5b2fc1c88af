"""Read tar and 7z archives, which are not trusted: nothing is written under the name of a member."""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import tempfile
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

from tl_widgets.core.errors import InputError
from tl_widgets.core.numbers import size_text
from tl_widgets.core.resources import require_disk
from tl_widgets.core.translation import _
from tl_widgets.data import archives
from tl_widgets.data.archives import Listing, SourceFile, is_junk, printable, size_reason
from tl_widgets.data.names import MAX_NAME, one_form, problem_of, with_folders_above

_BLOCK = 1_000_000
_MAX_HEADER_BYTES = 1_000_000  # of one member of a tar: its name and times
_Part = tuple[int, int]  # (start, length) in the temporary file
_DAMAGE = (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile, ValueError, OverflowError)


class PackedSource:
    """The members of a tar or 7z archive.

    A compressed archive is unpacked once, into a temporary file without a name, which disappears with the source.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._shown = printable(str(path))
        self._stamp = self.path.stat().st_mtime_ns
        self._lock = threading.Lock()
        self._parts: dict[str, list[_Part]] = {}
        self._files: dict[str, SourceFile] = {}
        self._folders: set[str] = set()
        self._skipped: list[tuple[str, str]] = []
        self._stream: IO[bytes]
        try:
            with self.path.open("rb") as file:
                start = file.read(6)
            (self._open_7z if start == b"7z\xbc\xaf\x27\x1c" else self._open_tar)(start)
        except _DAMAGE as error:
            self.close()
            raise InputError(
                _("{shown} is a damaged archive ({error}). Make or download it again.", shown=self._shown, error=error)
            ) from error
        except BaseException:
            self.close()
            raise
        files = tuple(self._files[name] for name in sorted(self._files))
        self.listing = Listing(files, frozenset(self._folders), tuple(sorted(self._skipped)))

    def read(self, file: SourceFile) -> bytes:
        """Return all bytes of one member."""
        if file.n_bytes > archives.MAX_FILE_BYTES:
            raise OSError(size_reason(file.n_bytes))
        blocks = []
        for start, length in self._parts[file.name]:
            with self._lock:
                self._stream.seek(start)
                blocks.append(self._stream.read(length))
        data = b"".join(blocks)
        if len(data) < file.n_bytes:
            raise OSError("damaged in the archive: it is cut short")
        return data

    def close(self) -> None:
        """Close the archive and remove the temporary file."""
        if hasattr(self, "_stream"):
            self._stream.close()

    def _add(self, raw_name: str, n_bytes: int, reason: str, *, is_folder: bool) -> str:
        """Record a member and return its name; "" if it isn't read."""
        n_seen = len(self._files) + len(self._folders) + len(self._skipped)
        if n_seen > archives.MAX_FILES:
            raise InputError(
                _(
                    "{shown} contains more than {max_files:,} files. Give only the images.",
                    shown=self._shown,
                    max_files=archives.MAX_FILES,
                )
            )
        name = one_form(raw_name).replace("\\", "/")
        parts = [part for part in name.rstrip("/").split("/") if part != "."]
        if not parts:
            return ""
        if reason := problem_of(name, parts) or reason:
            self._skipped.append((name[:MAX_NAME], reason))
            return ""
        if any(is_junk(part) for part in parts):
            return ""
        with_folders_above("/".join(parts if is_folder else parts[:-1]), self._folders)
        name = "/".join(parts)
        if is_folder:
            return ""
        self._files[name] = SourceFile(name, n_bytes, f"{self._stamp} {n_bytes}")
        return name

    # tar, tar.gz, tar.bz2, tar.xz

    def _open_tar(self, start: bytes) -> None:
        unpack: Callable[[Path], Any] | None = (
            gzip.open if start.startswith(b"\x1f\x8b") else bz2.open if start.startswith(b"BZh")
            else lzma.open if start == b"\xfd7zXZ\0" else None
        )  # fmt: skip
        self._stream = self.path.open("rb") if unpack is None else self._unpacked(unpack)
        with tarfile.open(fileobj=cast("IO[bytes]", _Headers(self._stream)), mode="r:") as tar:
            for member in tar:
                reason = "a link" if member.issym() or member.islnk() else ""
                if not (reason or member.isdir() or (member.isreg() and not member.issparse())):
                    reason = _("not an ordinary file")
                if name := self._add(member.name, member.size, reason, is_folder=member.isdir()):
                    self._parts[name] = [(member.offset_data, member.size)]
                tar.members = []  # type: ignore[attr-defined]  # tarfile would keep every header

    def _unpacked(self, unpack: Callable[[Path], Any]) -> IO[bytes]:
        limit = self._limit()
        target = tempfile.TemporaryFile()  # noqa: SIM115  # closed in `close`
        try:
            with unpack(self.path) as packed:
                while block := packed.read(_BLOCK):
                    if target.tell() + len(block) > limit:
                        raise InputError(self._too_much(limit))
                    target.write(block)
        except BaseException as error:
            target.close()
            if isinstance(error, OSError) and error.errno is None:  # bz2 says no more than "Invalid data stream"
                raise EOFError(str(error)) from error
            raise
        target.seek(0)
        return target

    def _limit(self) -> int:
        """Return how many bytes the archive may unpack to; room for them is checked while they are written."""
        n_packed = self.path.stat().st_size
        require_disk(Path(tempfile.gettempdir()), n_packed, _("Unpacking {shown}", shown=self._shown))
        return min(archives.MAX_UNPACKED_BYTES, max(archives.RATIO_MATTERS_FROM, archives.MAX_RATIO * n_packed))

    def _too_much(self, limit: int) -> str:
        return _(
            "{shown} would unpack to more than {limit}, which no photographs do.",
            shown=self._shown,
            limit=size_text(limit),
        )

    # 7z

    def _open_7z(self, _unused: bytes) -> None:
        try:
            import py7zr
        except ImportError:
            raise InputError(
                _(
                    "{shown} is a 7z archive, which needs the package py7zr: pip install "
                    "'tl_widgets[formats]'. Or unpack it, and give the folder.",
                    shown=self._shown,
                )
            ) from None
        limit = self._limit()
        self._stream = tempfile.TemporaryFile()  # noqa: SIM115  # closed in `close`
        try:
            with py7zr.SevenZipFile(self.path, max_extract_size=limit) as archive:
                if archive.needs_password():
                    raise InputError(_("{shown} has a password. Unpack it, and give the folder.", shown=self._shown))
                for info in archive.list():
                    reason = "" if info.is_file or info.is_directory else "a link"
                    name = self._add(info.filename, info.uncompressed, reason, is_folder=info.is_directory)
                    if name:
                        self._parts[name] = []
                if sum(file.n_bytes for file in self._files.values()) > limit:
                    raise InputError(self._too_much(limit))
                archive.extractall(factory=self._writers(limit))  # noqa: S202  # into our own file
        except (py7zr.exceptions.ArchiveError, py7zr.exceptions.DecompressionBombError) as error:
            raise ValueError(f"{type(error).__name__}: {error}") from error
        except (OSError, KeyError, IndexError, TypeError, AttributeError, RuntimeError, MemoryError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise ValueError(f"{type(error).__name__}") from error

    def _writers(self, limit: int) -> Any:
        """Return py7zr's factory of writers, which append everything to the temporary file."""
        from py7zr.io import Py7zIO, WriterFactory

        source = self

        class Writer(Py7zIO):  # type: ignore[misc]
            """Appends the blocks of one member."""

            def __init__(self, name: str) -> None:
                self._parts = source._parts.get(name, [])
                self._n_bytes = 0

            def write(self, data: bytes | bytearray) -> int:
                with source._lock:
                    start = source._stream.seek(0, 2)
                    if start + len(data) > limit:
                        raise InputError(source._too_much(limit))
                    source._stream.write(data)
                self._parts.append((start, len(data)))
                self._n_bytes += len(data)
                return len(data)

            def read(self, size: int | None = None) -> bytes:  # noqa: ARG002
                return b""

            def seek(self, offset: int, whence: int = 0) -> int:  # noqa: ARG002
                return 0

            def flush(self) -> None:
                pass

            def size(self) -> int:
                return self._n_bytes

        class Writers(WriterFactory):  # type: ignore[misc]
            """Makes a writer for each member."""

            def create(self, filename: str) -> Writer:
                name = one_form(filename).replace("\\", "/")
                return Writer("/".join(part for part in name.split("/") if part != "."))

        return Writers()


class _Headers:
    """A file of which only small pieces are read: tarfile reads headers, whose size the archive declares."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, n: int = -1) -> bytes:
        if n < 0 or n > _MAX_HEADER_BYTES:
            raise tarfile.ReadError(_("a header that is too large"))
        return self._file.read(n)
