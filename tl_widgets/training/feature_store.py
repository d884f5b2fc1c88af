"""The features of earlier runs, in one SQLite file: what doesn't verify is dropped, and computed again.

Storing is optional. Whatever happens to the file, the functions here return what is surely right, and raise nothing.
"""

from __future__ import annotations

import hashlib
import sqlite3
import struct
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.events import Event, OnEvent, ignore
from tl_widgets.core.resources import home_folder
from tl_widgets.core.translation import _

MAX_BYTES = 2_000_000_000
_VERSION = 2  # of the table; one of another version is replaced
_SCHEMA = """
CREATE TABLE IF NOT EXISTS features (
    part BLOB NOT NULL, image BLOB NOT NULL, vector BLOB NOT NULL, seconds REAL NOT NULL, checksum BLOB NOT NULL,
    used INTEGER NOT NULL, PRIMARY KEY (part, image)
) WITHOUT ROWID
"""
# The oldest SQLite builds still in use allow 999 variables.
_CHUNK = 900
_WAIT = 0.5  # seconds for a file that another process has locked
_PAUSE = 30.0  # seconds without another try after that
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
# The disk or its permissions: the file itself may be fine.
_NOT_WRITABLE = (*_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
                 sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM)  # fmt: skip
_paused: dict[Path, float] = {}  # until when, for a file that was locked

Row = tuple[NDArray[np.float32], float]


def store_path() -> Path:
    """Return the file with the stored features."""
    return home_folder() / "features.sqlite3"


def read_features(part: bytes, images: Sequence[bytes], on_event: OnEvent = ignore) -> dict[bytes, Row]:
    """Look up features by a `FrozenPart`'s fingerprint and the images' content keys.

    Each stored image has a float32 vector, and the seconds it took to compute. Rows that can't be read, or aren't what
    was written, are left out, and callers compute them again.
    """
    rows: dict[bytes, Row] = {}
    if not store_path().exists():
        return rows

    def read() -> None:
        rows.update(_read(part, images))

    try:
        _unless_locked(read, on_event, _("they are computed again"))
    except Exception as error:  # a damaged file can raise anything
        if _code(error) not in _NOT_WRITABLE:
            _remove()
    return rows


def write_features(
    part: bytes, rows: Iterable[tuple[bytes, NDArray[np.float32], float]], on_event: OnEvent = ignore
) -> bool:
    """Store features, and delete the oldest ones if the file outgrows `MAX_BYTES`.

    A row is (content key of the image, float32 vector, seconds it took). The result is False if nothing could be
    written, for instance in a read-only or full folder.
    """
    rows = list({row[0]: row for row in rows}.values())

    def write() -> None:
        _write(part, rows)
        if len(_read(part, [image for image, _, _ in rows])) < len(rows):  # the order of a damaged table is wrong
            raise sqlite3.DatabaseError(_("what was written can't be read back"))

    try:
        return _unless_locked(write, on_event, _("these features are not stored"))
    except OSError:
        return False
    except Exception as error:
        if _code(error) in _NOT_WRITABLE:
            return False
    # "file is not a database", "disk image is malformed", other columns: start over, as all can be computed again.
    try:
        _remove()
        return _unless_locked(write, on_event, _("these features are not stored"))
    except Exception:
        return False


def _read(part: bytes, images: Sequence[bytes]) -> dict[bytes, Row]:
    rows: dict[bytes, Row] = {}
    # A class may share one read-only folder: "ro" needs no lock file.
    uri = f"{store_path().absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=_WAIT)) as connection:
        for start in range(0, len(images), _CHUNK):
            chunk = images[start : start + _CHUNK]
            marks = ",".join("?" * len(chunk))
            query = f"SELECT image, vector, seconds, checksum FROM features WHERE part = ? AND image IN ({marks})"  # noqa: S608
            for image, vector, seconds, checksum in connection.execute(query, (part, *chunk)):
                if _is_intact(part, image, vector, seconds, checksum):
                    rows[image] = (np.frombuffer(vector, np.float32), seconds)
    return rows


def _remove() -> None:
    with suppress(OSError):
        store_path().unlink()
        store_path().with_name(f"{store_path().name}-journal").unlink(missing_ok=True)


def _unless_locked(work: Callable[[], None], on_event: OnEvent, consequence: str) -> bool:
    """Do the work and return True, or say that another process has locked the file and return False."""
    path = store_path()
    if time.monotonic() < _paused.get(path, 0.0):
        return False
    try:
        work()
    except sqlite3.OperationalError as error:
        if _code(error) not in _LOCKED:
            raise
        _paused[path] = time.monotonic() + _PAUSE
        text = _(
            "another program has locked the stored features in {path}: {consequence}",
            path=path,
            consequence=consequence,
        )
        on_event(Event("features", text))
        return False
    return True


def _code(error: Exception) -> int:
    """Return SQLite's primary result code; 0 for an error of another origin."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _checksum(part: bytes, image: bytes, vector: bytes, seconds: float) -> bytes:
    digest = hashlib.blake2b(vector, digest_size=16)
    digest.update(struct.pack("<dII", seconds, len(part), len(image)) + part + image)
    return digest.digest()


def _is_intact(part: bytes, image: Any, vector: Any, seconds: Any, checksum: Any) -> bool:
    """Return whether a row is what was written; SQLite's columns hold values of any type."""
    kinds = isinstance(image, bytes) and isinstance(vector, bytes) and isinstance(seconds, float)
    return kinds and checksum == _checksum(part, image, vector, seconds)


def _write(part: bytes, rows: list[tuple[bytes, NDArray[np.float32], float]]) -> None:
    path = store_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=_WAIT)) as connection, connection:
        if connection.execute("PRAGMA user_version").fetchone() != (_VERSION,):
            connection.execute("DROP TABLE IF EXISTS features")
            connection.execute(f"PRAGMA user_version = {_VERSION}")
        connection.execute(_SCHEMA)
        clock = time.time_ns()
        for image, vector, seconds in rows:
            data = vector.tobytes(), float(seconds)
            row = part, image, *data, _checksum(part, image, *data), clock
            connection.execute("INSERT OR REPLACE INTO features VALUES (?, ?, ?, ?, ?, ?)", row)
        _forget_oldest(connection)


def _forget_oldest(connection: sqlite3.Connection) -> None:
    """Delete the oldest writes until the vectors fit; the latest one always stays."""
    pages = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    if connection.execute(pages).fetchone()[0] <= MAX_BYTES:  # adding up the vectors reads the whole file
        return
    sizes = connection.execute(
        "SELECT used, sum(length(vector)) FROM features GROUP BY used ORDER BY used DESC"
    ).fetchall()
    total = 0
    for used, n_bytes in sizes:
        total += n_bytes
        if total > MAX_BYTES and total > n_bytes:
            connection.execute("DELETE FROM features WHERE used <= ?", (used,))
            return
