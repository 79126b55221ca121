"""Copies of the world, so that a replay can start in the middle of the log.

The hard part is that a snapshot must give back a world that behaves the same, not only one that looks the same: dicts
keep their order, so the encoder does not sort. Two worlds are compared by ``canonical``, which sorts sets and dict
keys, for the order of a set differs between processes. A damaged snapshot is passed over for the one before it; the
only loss is a longer replay.
"""

from __future__ import annotations

import sqlite3
import zlib
from typing import Any, NamedTuple, cast

import msgspec

from edge.storage.batch import SnapshotReason, WorldSnapshot

_ZLIB_LEVEL = 1
_encoder = msgspec.msgpack.Encoder()


class StoredSnapshot(NamedTuple):
    """A snapshot as kept. ``build`` is the release that made it; ``world`` is msgpack."""

    seq: int
    reason: SnapshotReason
    build: str
    world: bytes


def encode_world(world: Any) -> bytes:
    """The world as a batch carries it (msgpack). Done where the world lives, since it changes in place."""
    return _encoder.encode(world)


def canonical(world: Any) -> bytes:
    """Equal for equal worlds, whatever the order of their sets and dicts."""
    # By way of plain values: the encoder itself sorts no dict whose keys are numbers (the hours of an alarm book).
    return _encoder.encode(msgspec.to_builtins(world, str_keys=True, order="deterministic"))


def put(connection: sqlite3.Connection, snapshot: WorldSnapshot, *, build: str, wall_ns: int) -> int:
    """Write within the open transaction; returns the compressed size. A copy never replaces a new beginning."""
    data = zlib.compress(snapshot.world, _ZLIB_LEVEL)
    crc32 = _crc(snapshot.seq, snapshot.reason, build, data)
    connection.execute(
        "INSERT INTO snapshot (seq, reason, build, wall_ns, crc32, data) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (seq) DO UPDATE SET reason = excluded.reason, build = excluded.build, "
        "wall_ns = excluded.wall_ns, crc32 = excluded.crc32, data = excluded.data WHERE excluded.reason <> 'hourly'",
        (snapshot.seq, snapshot.reason, build, wall_ns, crc32, data),
    )
    return len(data)


def at(connection: sqlite3.Connection, seq: int) -> StoredSnapshot | None:
    """The snapshot of exactly ``seq``; None when there is none or it is damaged."""
    return _first(connection, "seq = ?", "seq", seq)


def last_until(connection: sqlite3.Connection, seq: int) -> StoredSnapshot | None:
    """The newest readable snapshot with a seq <= ``seq``."""
    return _first(connection, "seq <= ?", "seq DESC", seq)


def first_from(connection: sqlite3.Connection, seq: int) -> StoredSnapshot | None:
    """The oldest readable snapshot with a seq >= ``seq``."""
    return _first(connection, "seq >= ?", "seq", seq)


def seqs(connection: sqlite3.Connection) -> frozenset[int]:
    """Seqs of all snapshots, readable or not."""
    return frozenset(row[0] for row in connection.execute("SELECT seq FROM snapshot"))


def _first(connection: sqlite3.Connection, where: str, order: str, seq: int) -> StoredSnapshot | None:
    sql = f"SELECT seq, reason, build, crc32, data FROM snapshot WHERE {where} ORDER BY {order}"  # noqa: S608
    cursor = connection.execute(sql, (seq,))
    try:
        for found, reason, build, crc32, data in cursor:
            world = _unpack(found, reason, build, crc32, data)
            if world is not None:
                return StoredSnapshot(found, cast("SnapshotReason", reason), build, world)
        return None
    finally:
        cursor.close()


def _unpack(seq: int, reason: str, build: str, crc32: int, data: bytes) -> bytes | None:
    if _crc(seq, reason, build, data) != crc32:
        return None
    try:
        return zlib.decompress(data)
    except zlib.error:
        return None


def _crc(seq: int, reason: str, build: str, data: bytes) -> int:
    return zlib.crc32(data, zlib.crc32(f"{seq},{reason},{build}".encode()))
