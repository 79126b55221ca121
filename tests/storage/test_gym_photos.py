"""Photos in the gym's file: an older file learns to hold them, a damaged one is told, erased ones leave room."""

from __future__ import annotations

import importlib.util
import random
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from edge.domain.gym.jpeg import MAX_BYTES
from edge.domain.gym.photo_rows import ORDER, PhotoDataRow, PhotoRow
from edge.domain.gym.rows import ROW_TYPES, DayRow
from edge.domain.kernel import Stamp
from edge.storage.batch import Batch
from edge.storage.connect import open_writer
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord
from edge.storage.migrate import migrate, packaged, version_of
from edge.storage.reading import StoreReader

SPEC = importlib.util.spec_from_file_location("kangle_jpegs", Path(__file__).parents[1] / "gym" / "_jpegs.py")
jpegs = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(jpegs)


def opened(folder):
    return FactsStore.open(folder, ROW_TYPES, vertical="gym", ballast_bytes=0)


def commit(store, rows, logged=b""):
    """Write ``rows`` in one commit, with the input that brought them."""
    seq, done, errors = store.last_seq() + 1, threading.Event(), []
    record = LogRecord(Stamp(seq, "b", seq, seq, wall_trusted=True), logged or b"x")
    store.submit(Batch(records=[record], rows=rows), lambda error: (errors.append(error), done.set()))
    assert done.wait(60)
    assert errors == [None]


def rows_of(ref, jpeg, *, standing=True):
    facts = PhotoRow(
        kind=ORDER, ref=ref, standing=standing, digest="d" if standing else "", inspection=0, size_bytes=len(jpeg),
        width_px=64, height_px=64, by="anna", at_ns=1,
    )  # fmt: skip
    return [facts, PhotoDataRow(kind=ORDER, ref=ref, jpeg=jpeg)]


def picture_of(folder, ref):
    reader = StoreReader(folder, vertical="gym")
    try:
        return reader.get(PhotoDataRow, ORDER, ref)
    finally:
        reader.close()


def test_a_file_of_before_keeps_its_rows_and_takes_photos(tmp_path):
    connection = open_writer(tmp_path / "facts.db")
    assert migrate(connection, packaged("gym")[:1], "old") == 1
    connection.execute("INSERT INTO business_day (day) VALUES ('2026-11-22')")
    connection.execute("INSERT INTO meta (key, value) VALUES ('store_id', 'x')")
    connection.close()
    store = opened(tmp_path)
    assert [row.day for row in store.rows().all(DayRow)] == ["2026-11-22"]
    commit(store, rows_of("t1-1-reported", jpegs.jpeg()))
    store.close()
    with closing(sqlite3.connect(tmp_path / "facts.db")) as db:
        assert version_of(db) == len(packaged("gym")) >= 2
    assert picture_of(tmp_path, "t1-1-reported").jpeg == jpegs.jpeg()


def test_a_photo_is_there_after_a_restart_to_the_last_bit(tmp_path):
    jpeg = jpegs.heavy_jpeg(MAX_BYTES)
    store = opened(tmp_path)
    commit(store, rows_of("a", jpeg), logged=jpeg)
    store.close()
    store = opened(tmp_path)
    assert [row.ref for row in store.rows().since(PhotoRow, "standing", 1)] == ["a"]
    store.close()
    assert picture_of(tmp_path, "a").jpeg == jpeg


def test_more_than_the_largest_photo_does_not_enter(tmp_path):
    store = opened(tmp_path)
    done, errors = threading.Event(), []
    record = LogRecord(Stamp(1, "b", 1, 1, wall_trusted=True), b"x")
    rows = rows_of("a", bytes(MAX_BYTES + 1))
    store.submit(Batch(records=[record], rows=rows), lambda error: (errors.append(error), done.set()))
    assert done.wait(60)
    assert [error.code for error in errors] == ["row"]
    store.reset()
    store.close()


def test_the_file_does_not_grow_with_photos_that_come_and_go(tmp_path):
    """A hundred orders, each with its photo until it is closed: as many pages as the four that stood at a time."""
    store, dice = opened(tmp_path), random.Random(5)
    sizes = []
    for number in range(100):
        head, jpeg = jpegs.jpeg(), dice.randbytes(60_000)
        commit(store, rows_of(f"o-{number}", head + jpeg))
        if number >= 4:
            commit(store, rows_of(f"o-{number - 4}", b"", standing=False))
        with closing(sqlite3.connect(tmp_path / "facts.db")) as db:
            sizes.append(db.execute("PRAGMA page_count").fetchone()[0] * 4096)
    store.close()
    assert sizes[-1] - sizes[10] < 2 * 60_000, "ninety more photos took the room of one"


def test_a_flipped_bit_of_a_photo_is_told_and_never_shown(tmp_path):
    store = opened(tmp_path)
    commit(store, rows_of("a", jpegs.heavy_jpeg(50_000)))
    store.close()
    with closing(sqlite3.connect(tmp_path / "facts.db", isolation_level=None)) as db:
        jpeg = bytearray(db.execute("SELECT jpeg FROM photo_data").fetchone()[0])
        jpeg[40_000] ^= 4
        db.execute("UPDATE photo_data SET jpeg = ?", (bytes(jpeg),))
    with pytest.raises(StoreError) as caught:
        picture_of(tmp_path, "a")
    assert caught.value.code == "damaged"
