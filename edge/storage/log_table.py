"""The table ``log``: appending, reading with the gaps named, and dropping the oldest in slices.

The hard part is retention: what is dropped must end at a snapshot, or the oldest kept inputs could never be replayed;
and it is found without a scan, by the running byte total and by the snapshots' times. Order is by seq alone: a clock
that steps can make pruning too shy, never too greedy.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from edge.storage.log import LogDamage, LogError, LogRecord, LogRow, decode

READ_ROWS = 64
PRUNE_ROWS = 50
KEPT_SET_ASIDE = 1000

_COLUMNS = "seq_last, seq_first, boot_id, wall_ns, count, crc32, format"
_APPEND = f"INSERT INTO log ({_COLUMNS}, data, bytes_total) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_READ = f"SELECT {_COLUMNS}, data FROM log WHERE seq_last >= ? ORDER BY seq_last LIMIT ?"  # noqa: S608

_DROP_LOG = "DELETE FROM log WHERE seq_last IN (SELECT seq_last FROM log WHERE seq_last <= ? ORDER BY seq_last LIMIT ?)"
_DROP_SNAPSHOTS = "DELETE FROM snapshot WHERE seq IN (SELECT seq FROM snapshot WHERE seq < ? ORDER BY seq LIMIT ?)"
#: Answers are looked up for a week (``REPLY_DAYS`` of the kernels); the days are business days, so no clock decides.
REPLIES_KEPT_DAYS = 30
_DROP_REPLIES = """DELETE FROM command_reply WHERE (day, command_id) IN (
    SELECT day, command_id FROM command_reply
    WHERE day < (SELECT date(max(day), ?) FROM command_reply) LIMIT ?)"""
_HAS_REPLIES = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'command_reply'"
_DROP_SET_ASIDE = """DELETE FROM set_aside WHERE seq IN (
    SELECT seq FROM (SELECT seq FROM set_aside ORDER BY seq DESC LIMIT -1 OFFSET ?) ORDER BY seq LIMIT ?)"""


def last_seq(connection: sqlite3.Connection) -> int:
    """Seq of the last committed record, 0 when there is none. A pruned log still has its last snapshot."""
    row = connection.execute(
        "SELECT max(ifnull((SELECT max(seq_last) FROM log), 0), ifnull((SELECT max(seq) FROM snapshot), 0))"
    ).fetchone()
    return int(row[0])


def newest_wall_ns(connection: sqlite3.Connection) -> int:
    """Wall time (UTC ns) of the newest committed log row or snapshot, 0 when there is none."""
    row = connection.execute(
        "SELECT max(ifnull((SELECT max(wall_ns) FROM log), 0), ifnull((SELECT max(wall_ns) FROM snapshot), 0))"
    ).fetchone()
    return int(row[0])


def bytes_total(connection: sqlite3.Connection) -> int:
    """Running total of compressed bytes at the end of the log."""
    row = connection.execute("SELECT bytes_total FROM log ORDER BY seq_last DESC LIMIT 1").fetchone()
    return int(row[0]) if row else 0


def bytes_kept(connection: sqlite3.Connection) -> int:
    """Compressed bytes in the log now."""
    first = connection.execute("SELECT bytes_total - length(data) FROM log ORDER BY seq_last LIMIT 1").fetchone()
    return bytes_total(connection) - int(first[0]) if first else 0


def append(connection: sqlite3.Connection, rows: Sequence[LogRow], total: int) -> int:
    """Append within the open transaction; returns the running total after them. ``total`` is the one before."""
    values = []
    for row in rows:
        total += len(row.data)
        values.append((*row, total))
    connection.executemany(_APPEND, values)
    return total


def read(connection: sqlite3.Connection, from_seq: int, to_seq: int | None = None) -> Iterator[LogRecord | LogDamage]:
    """Records with from_seq <= seq <= to_seq in order, and in their places the spans that cannot be read.

    Reads in slices of ``READ_ROWS`` rows without holding a transaction in between, so a long reader never keeps the
    write-ahead log from being reset; rows pruned meanwhile show up as a span."""
    end = last_seq(connection) if to_seq is None else min(to_seq, last_seq(connection))
    expected, reason = from_seq, "missing"
    for row in _rows(connection, from_seq, end):
        if expected > end:
            return
        try:
            records = decode(row)
        except LogError as error:
            reason = str(error)
            continue
        if row.seq_first > expected:
            yield LogDamage(expected, min(row.seq_first - 1, end), reason)
            expected = row.seq_first
        reason = "missing"
        for record in records:
            if expected <= record.stamp.seq <= end:
                yield record
                expected = record.stamp.seq + 1
    if expected <= end:
        yield LogDamage(expected, end, reason)


def _rows(connection: sqlite3.Connection, from_seq: int, end: int) -> Iterator[LogRow]:
    at = from_seq
    while at <= end:
        rows = [LogRow(*row) for row in connection.execute(_READ, (at, READ_ROWS)).fetchall()]
        yield from rows
        if len(rows) < READ_ROWS:
            return
        at = rows[-1].seq_last + 1


def oldest_kept(connection: sqlite3.Connection) -> int | None:
    """First seq of the oldest log row, None for an empty log."""
    row = connection.execute("SELECT seq_first FROM log ORDER BY seq_last LIMIT 1").fetchone()
    return int(row[0]) if row else None


def prune_limit(
    connection: sqlite3.Connection, *, keep_after_wall_ns: int, max_bytes: int, sealed_seq: int | None = None
) -> int:
    """The seq of the snapshot up to which the log may go; 0 when nothing may.

    By age: the last snapshot such that it and all before it are older than ``keep_after_wall_ns``, and sealed as
    samples (``sealed_seq``; None when nobody seals). By size: the first snapshot behind which at most ``max_bytes`` are
    left (the last one, when even that is too much), sealed or not: the bound is the disk's."""
    snapshots = connection.execute("SELECT seq, wall_ns FROM snapshot ORDER BY seq").fetchall()
    limit = 0
    for seq, wall_ns in snapshots:
        if wall_ns >= keep_after_wall_ns or (sealed_seq is not None and seq > sealed_seq):
            break
        limit = seq
    excess = bytes_kept(connection) - max_bytes
    if excess > 0 and snapshots:
        total = bytes_total(connection)
        fits = [seq for seq, _ in snapshots if total - _total_at(connection, seq) <= max_bytes]
        limit = max(limit, fits[0] if fits else snapshots[-1][0])
    return limit


def _total_at(connection: sqlite3.Connection, seq: int) -> int:
    row = connection.execute(
        "SELECT bytes_total FROM log WHERE seq_last <= ? ORDER BY seq_last DESC LIMIT 1", (seq,)
    ).fetchone()
    if row:
        return int(row[0])
    first = connection.execute("SELECT bytes_total - length(data) FROM log ORDER BY seq_last LIMIT 1").fetchone()
    return int(first[0]) if first else 0


def prune_slice(connection: sqlite3.Connection, limit: int, rows: int = PRUNE_ROWS) -> int:
    """Drop at most ``rows`` rows in a transaction of its own: first of the log up to seq ``limit``, then of the
    snapshots before ``limit``, then of the set-aside inputs beyond the newest ``KEPT_SET_ASIDE``. Returns how many; 0 =
    all done."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        dropped = 0
        for sql, value in ((_DROP_LOG, limit), (_DROP_SNAPSHOTS, limit), (_DROP_SET_ASIDE, KEPT_SET_ASIDE)):
            dropped += connection.execute(sql, (value, rows - dropped)).rowcount
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return dropped


def prune_replies(connection: sqlite3.Connection, rows: int = PRUNE_ROWS) -> int:
    """Drop at most ``rows`` stored answers that are older than ``REPLIES_KEPT_DAYS`` before the newest one. Returns how
    many. What was ordered, paid and charged stays for ever; only the wording of old answers goes."""
    if connection.execute(_HAS_REPLIES).fetchone() is None:
        return 0
    return connection.execute(_DROP_REPLIES, (f"-{REPLIES_KEPT_DAYS} days", rows)).rowcount
