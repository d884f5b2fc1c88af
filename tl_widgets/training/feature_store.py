"""Features that were read once, kept on disk: one SQLite file, safe with two processes, bounded, disposable."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.resources import home_folder

MAX_BYTES = 2_000_000_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS features (
    part BLOB NOT NULL, image BLOB NOT NULL, vector BLOB NOT NULL, seconds REAL NOT NULL, used INTEGER NOT NULL,
    PRIMARY KEY (part, image)
) WITHOUT ROWID
"""
# SQLite allows 999 variables in its oldest builds still in use.
_CHUNK = 900

Row = tuple[NDArray[np.float32], float]


def store_path() -> Path:
    """The file that holds the features."""
    return home_folder() / "features.sqlite3"


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=10)
    connection.execute(_SCHEMA)
    return connection


def read_features(part: bytes, images: Sequence[bytes]) -> dict[bytes, Row]:
    """Look up kept features.

    Args:
        part: fingerprint of the frozen layers.
        images: content keys of the images.

    Returns:
        For each image that is there: its float32 vector, and the seconds that reading it once took. Empty where
        the file cannot be read: the features are then simply read again.
    """
    found: dict[bytes, Row] = {}
    path = store_path()
    if not path.exists():
        return found
    try:
        # A class may share one read-only folder: "ro" takes no lock that would have to be written.
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
            for start in range(0, len(images), _CHUNK):
                chunk = images[start : start + _CHUNK]
                marks = ",".join("?" * len(chunk))
                query = f"SELECT image, vector, seconds FROM features WHERE part = ? AND image IN ({marks})"  # noqa: S608
                for image, vector, seconds in connection.execute(query, (part, *chunk)):
                    found[image] = (np.frombuffer(vector, np.float32), seconds)
    except sqlite3.Error:
        return {}
    return found


def write_features(part: bytes, rows: Iterable[tuple[bytes, NDArray[np.float32], float]]) -> bool:
    """Keep features; forget the ones written longest ago when the file outgrows `MAX_BYTES`.

    Args:
        part: fingerprint of the frozen layers.
        rows: (content key of the image, float32 vector, seconds that it took).

    Returns:
        False where nothing could be written (a read-only or full folder): keeping is a help, never a need.
    """
    rows = list(rows)
    try:
        return _write(part, rows)
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:  # locked, read-only or full: another time, perhaps
            return False
    except OSError:
        return False
    # "file is not a database", "disk image is malformed": all in it can be read from the images again.
    try:
        store_path().unlink()
        return _write(part, rows)
    except (sqlite3.Error, OSError):
        return False


def _write(part: bytes, rows: list[tuple[bytes, NDArray[np.float32], float]]) -> bool:
    with closing(_connect(store_path())) as connection, connection:
        (clock,) = connection.execute("SELECT coalesce(max(used), 0) + 1 FROM features").fetchone()
        connection.executemany(
            "INSERT OR REPLACE INTO features VALUES (?, ?, ?, ?, ?)",
            ((part, image, vector.tobytes(), seconds, clock) for image, vector, seconds in rows),
        )
        _forget_oldest(connection)
    return True


def _forget_oldest(connection: sqlite3.Connection) -> None:
    """Drop whole generations, oldest first, until the vectors fit; what was just written stays, whatever its size."""
    sizes = connection.execute(
        "SELECT used, sum(length(vector)) FROM features GROUP BY used ORDER BY used DESC"
    ).fetchall()
    total = 0
    for used, n_bytes in sizes:
        total += n_bytes
        if total > MAX_BYTES and total > n_bytes:
            connection.execute("DELETE FROM features WHERE used <= ?", (used,))
            return
