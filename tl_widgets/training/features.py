"""Run the frozen layers of a model once for each image and keep what they saw, in memory and on disk.

What a frozen layer answers to an image is the same in every epoch, so that computing it again in each of E
epochs costs up to E times as much for nothing. That holds only while nothing before the head is random or
trainable: `FrozenPart.of` declines where it does not.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import time
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tl_widgets.backbones.keras_compat import all_layers, is_random
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore, raise_if_cancelled, seconds_left
from tl_widgets.core.model_name import ModelName
from tl_widgets.core.resources import home_folder
from tl_widgets.data.dataset import Split

BATCH = 32
_FORMAT = "1"  # changes when the same layers would give other features: every kept row is then read again
_TIMED_BATCHES, _TIMED_SECONDS = 10, 2.0  # whichever comes first
_KEPT_IN_MEMORY = 400_000_000  # bytes
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


@dataclass(frozen=True, eq=False)
class Features:
    """What the frozen layers saw in some images.

    Attributes:
        values: float32 (n, *output shape of the last frozen layer).
        seconds: that getting them took now.
        saved: seconds that reading the kept ones took when they were first read.
    """

    values: NDArray[np.float32]
    seconds: float
    saved: float


def _is_frozen(layer: keras.layers.Layer) -> bool:
    """Whether training leaves the layer's answers alone.

    BatchNormalization without scale and centre has no trainable weights and still changes its averages in
    training, so it is `trainable` that counts, not the list of trainable weights.
    """
    return not any((part.weights and part.trainable) or is_random(part) for part in all_layers(layer))


def _describe(layers: Sequence[keras.layers.Layer]) -> str:
    """The layers' configuration with names replaced by numbers: Keras counts names up with every model built."""
    numbers: dict[str, str] = {}
    for layer in layers:
        for part in all_layers(layer):
            numbers.setdefault(part.name, f"#{len(numbers)}")
    text = json.dumps([[type(layer).__name__, layer.get_config()] for layer in layers], default=repr, sort_keys=True)
    return re.sub(r'"([^"]+)"', lambda match: f'"{numbers.get(match[1], match[1])}"', text)


def _digest_weights(layers: Sequence[keras.layers.Layer]) -> bytes:
    digest = hashlib.sha256()
    for layer in layers:
        for weight in layer.get_weights():
            digest.update(np.ascontiguousarray(weight).data)
    return digest.digest()


class FrozenPart:
    """The leading layers of a model that training leaves alone, as one function of images.

    Attributes:
        n_layers: how many of the model's layers they are.
        fingerprint: 32 bytes; the same for the same layers, weights and input shape in any process.
        output_shape: of what it sees in one image.
    """

    def __init__(self, layers: Sequence[keras.layers.Layer], input_shape: tuple[int, ...]) -> None:
        self.n_layers = len(layers)
        self.output_shape: tuple[int, ...] = tuple(layers[-1].output.shape[1:])
        digest = hashlib.sha256(repr((_FORMAT, keras.__version__, input_shape)).encode())
        digest.update(_describe(layers).encode())
        self._layers = tuple(layers)
        self._weights_digest = _digest_weights(self._layers)
        digest.update(self._weights_digest)
        self.fingerprint = digest.digest()
        self._rows: dict[bytes, Row] = {}

        # One fixed shape, the last batch filled up: a second shape would be traced again, for a second or two.
        @tf.function(input_signature=[tf.TensorSpec((BATCH, *input_shape), tf.uint8)])  # type: ignore[untyped-decorator]
        def see(images: Any) -> Any:
            values = tf.cast(images, tf.float32)
            for layer in layers:
                values = layer(values, training=False)
            return values

        self._see = see

    def is_unchanged(self) -> bool:
        """Whether the layers are still frozen and still hold the weights that the fingerprint stands for."""
        return all(map(_is_frozen, self._layers)) and _digest_weights(self._layers) == self._weights_digest

    @classmethod
    def of(cls, model: keras.Model) -> FrozenPart | None:
        """Find the frozen part of a model.

        Args:
            model: a built Sequential.

        Returns:
            None where keeping features would be wrong or no gain: nothing is frozen, a random layer stands
            before the frozen ones, or the model is no plain stack of layers.
        """
        if not isinstance(model, keras.Sequential) or not model.built:
            return None
        leading: list[keras.layers.Layer] = []
        for layer in model.layers:
            if not _is_frozen(layer):
                break
            leading.append(layer)
        if len(leading) == len(model.layers) or not any(layer.weights for layer in leading):
            return None
        return cls(leading, tuple(model.input_shape[1:]))

    def read(
        self,
        split: Split,
        *,
        model: str = ModelName.TRANSFER,
        on_event: OnEvent = ignore,
        cancel: Cancel | None = None,
        keep: bool = True,
    ) -> Features:
        """Features of a split: the kept ones, and the missing ones read now.

        Args:
            split: images uint8 (n, *input shape).
            model: whose news it is.
            on_event: receives each batch.
            cancel: stops within one batch; what was read until then is kept.
            keep: write them to disk, too.

        Raises:
            CancelledError: `cancel` was set.
        """
        started = time.perf_counter()
        keys = split.keys
        rows = self._kept(keys)
        missing = list(dict.fromkeys(i for i, key in enumerate(keys) if key not in rows))
        saved = sum(seconds for _, seconds in rows.values())
        self._read_missing(split, missing, rows, model, on_event, cancel, keep)
        if sum(vector.nbytes for vector, _ in self._rows.values()) < _KEPT_IN_MEMORY:
            self._rows.update(rows)
        values = np.empty((len(keys), *self.output_shape), np.float32)
        flat = values.reshape(len(keys), -1)
        for i, key in enumerate(keys):
            flat[i] = rows[key][0]
        return Features(values, time.perf_counter() - started, saved)

    def seconds_per_image(self, *, cancel: Cancel | None = None) -> float:
        """Seconds that one image takes in a full batch, measured warm: TensorFlow's tracing is not in it.

        The fastest of a few batches of noise counts: what else the machine does can only make a batch slower.

        Args:
            cancel: stops between two batches.

        Raises:
            CancelledError: `cancel` was set.
        """
        shape = self._see.input_signature[0].shape
        images = tf.constant(np.random.default_rng(0).integers(0, 256, shape, np.uint8))
        self._see(images)
        seconds: list[float] = []
        while len(seconds) < _TIMED_BATCHES and sum(seconds) < _TIMED_SECONDS:
            raise_if_cancelled(cancel)
            started = time.perf_counter()
            self._see(images).numpy()
            seconds.append(time.perf_counter() - started)
        return min(seconds) / BATCH

    def _kept(self, keys: Sequence[bytes]) -> dict[bytes, Row]:
        rows = {key: self._rows[key] for key in keys if key in self._rows}
        rows.update(read_features(self.fingerprint, [key for key in dict.fromkeys(keys) if key not in rows]))
        size = prod(self.output_shape)
        return {key: row for key, row in rows.items() if len(row[0]) == size}

    def _read_missing(
        self,
        split: Split,
        missing: list[int],
        rows: dict[bytes, Row],
        model: str,
        on_event: OnEvent,
        cancel: Cancel | None,
        keep: bool,
    ) -> None:
        started, fresh = time.perf_counter(), []
        n_kept, n_total = len(split) - len(missing), len(split)
        try:
            for start in range(0, len(missing), BATCH):
                raise_if_cancelled(cancel)
                before = time.perf_counter()
                chosen = missing[start : start + BATCH]
                images = np.zeros((BATCH, *split.images.shape[1:]), np.uint8)
                images[: len(chosen)] = split.images[chosen]
                values = self._see(tf.constant(images)).numpy()
                each = (time.perf_counter() - before) / len(chosen)
                for i, value in zip(chosen, values, strict=False):
                    rows[split.keys[i]] = (value.ravel(), each)
                    fresh.append((split.keys[i], value.ravel(), each))
                n_read, seconds = start + len(chosen), time.perf_counter() - started
                text = f"reading the frozen backbone's features: {n_kept + n_read} of {n_total} images"
                left = seconds_left(seconds, n_read, len(missing))
                on_event(Event("features", text, model, n_kept + n_read, n_total, seconds=seconds, seconds_left=left))
        finally:
            if keep and fresh:
                write_features(self.fingerprint, fresh)


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
