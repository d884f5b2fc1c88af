"""The stored features: damaged, of another version, locked. No TensorFlow."""

import sqlite3
from contextlib import closing
from random import Random

import numpy as np
import pytest

from tl_widgets.training import feature_store as store

PART = b"p" * 32
ROWS = [(bytes([i]) * 16, np.arange(8, dtype=np.float32) * (i + 1), 0.1) for i in range(40)]
KEYS = [key for key, _, _ in ROWS]


def right(rows):
    """Whether each row that was read is what was written."""
    return all(np.array_equal(rows[key][0], vector) for key, vector, _ in ROWS if key in rows)


def change(statement, *values):
    with closing(sqlite3.connect(store.store_path())) as connection, connection:
        connection.execute(statement, values)


def test_any_damage_is_dropped_and_written_again(home):
    assert store.write_features(PART, ROWS)
    good = store.store_path().read_bytes()
    random, n_lost = Random(0), 0
    for i in range(300):
        data = bytearray(good)
        start = random.randrange(len(data))
        match i % 4:
            case 0:
                data = data[:start]
            case 1:
                data[start] ^= 1 << random.randrange(8)
            case 2:
                data[start : start + 64] = bytes(64)
            case 3:
                for _ in range(20):
                    data[random.randrange(len(data))] = random.randrange(256)
        store.store_path().write_bytes(data)
        rows = store.read_features(PART, KEYS)
        assert right(rows), i
        n_lost += len(rows) < len(ROWS)
        missing = [row for row in ROWS if row[0] not in rows]
        assert store.write_features(PART, missing) or not missing
        rows = store.read_features(PART, KEYS)
        assert right(rows)
        assert not missing or {key for key, _, _ in missing} <= rows.keys(), i
    assert n_lost > 100


@pytest.mark.parametrize("value", [b"", b"\1\2\3", b"\0" * 32, "text", 5, 1.5])
@pytest.mark.parametrize("column", ["vector", "seconds", "checksum", "image", "part", "used"])
def test_a_row_of_anything_else_is_dropped(home, column, value):
    store.write_features(PART, ROWS[:1])
    change(f"UPDATE features SET {column} = ?", value)
    rows = store.read_features(PART, KEYS)
    assert right(rows)
    assert not rows or column in ("used", "vector", "seconds")
    assert store.write_features(PART, ROWS)
    assert right(rows := store.read_features(PART, KEYS))
    assert len(rows) == len(ROWS)


@pytest.mark.parametrize("version", [0, 1, store._VERSION, 99])
def test_a_table_of_another_version_is_replaced(home, version):
    store.store_path().parent.mkdir(parents=True, exist_ok=True)
    change("CREATE TABLE features (part BLOB, image BLOB, vector BLOB, more INTEGER)")
    change(f"PRAGMA user_version = {version}")
    assert store.read_features(PART, KEYS) == {}
    assert store.write_features(PART, ROWS)
    assert len(store.read_features(PART, KEYS)) == len(ROWS)


def test_a_locked_store_costs_a_second_and_is_said(home, monkeypatch):
    store.write_features(PART, ROWS)
    waits, connect = [], sqlite3.connect
    with closing(sqlite3.connect(store.store_path(), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        events = []

        def connect_and_note(*arguments, timeout, **more):
            waits.append(timeout)
            return connect(*arguments, timeout=timeout, **more)

        monkeypatch.setattr(sqlite3, "connect", connect_and_note)
        for _ in range(5):
            assert store.read_features(PART, KEYS, events.append) == {}
            assert not store.write_features(PART, ROWS, events.append)
        assert waits == [store._WAIT]
        assert store._WAIT <= 1
        (event,) = events
        assert "locked" in event.text
        other.execute("ROLLBACK")
    store._paused.clear()
    assert len(store.read_features(PART, KEYS)) == len(ROWS)
