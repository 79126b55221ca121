"""The flight recorder's format: nothing is lost in it, no damage goes unseen, and damage costs one row."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.kernel import Stamp
from edge.storage import log_table
from edge.storage.log import (
    MAX_RAW_BYTES,
    MAX_RECORDS,
    LogDamage,
    LogError,
    LogRecord,
    LogRow,
    RecordKind,
    decode,
    encode,
)
from edge.storage.migrate import migrate, packaged

times = st.integers(0, 2**62)
bodies = st.tuples(st.binary(max_size=200), st.binary(max_size=40), st.sampled_from(RecordKind))
stamps = st.tuples(st.sampled_from(["boot-a", "开机", ""]), times, times, st.booleans())


@st.composite
def record_runs(draw: st.DrawFn) -> list[LogRecord]:
    first = draw(st.integers(1, 2**40))
    parts = draw(st.lists(st.tuples(stamps, bodies), min_size=1, max_size=40))
    return [
        LogRecord(Stamp(seq, *stamp), data, digests, kind)
        for seq, (stamp, (data, digests, kind)) in enumerate(parts, first)
    ]


@given(record_runs(), st.sets(st.integers(0, 2**40)))
def test_what_goes_in_comes_out(records: list[LogRecord], cuts: set[int]) -> None:
    cuts = {records[cut % len(records)].stamp.seq for cut in cuts}
    rows = encode(records, cuts)
    assert [record for row in rows for record in decode(row)] == records
    assert all(row.entries == row.seq_last - row.seq_first + 1 for row in rows)
    assert all(b.seq_first == a.seq_last + 1 for a, b in pairwise(rows))
    assert cuts <= {row.seq_last for row in rows}, "a row must end at each snapshot"


def test_long_data_is_packed_and_short_data_is_not(record: Callable[..., LogRecord]) -> None:
    (short,) = encode([record(1, bytes(100))])
    (long,) = encode([record(seq, bytes(100)) for seq in range(1, 101)])
    assert (short.format, long.format) == (1, 2)
    assert len(long.data) < 2000
    assert decode(short)[0].input == decode(long)[99].input == bytes(100)


def test_rows_are_bounded_in_records_and_bytes(record: Callable[..., LogRecord]) -> None:
    many = [record(seq, b"") for seq in range(1, 2 * MAX_RECORDS + 2)]
    assert [row.entries for row in encode(many)] == [MAX_RECORDS, MAX_RECORDS, 1]
    large = [record(seq, bytes(MAX_RAW_BYTES // 2)) for seq in range(1, 6)]
    assert [row.entries for row in encode(large)] == [2, 2, 1]


@pytest.mark.parametrize("count", [4, 90])
def test_every_flipped_bit_of_a_row_is_seen(record: Callable[..., LogRecord], count: int) -> None:
    (row,) = encode([record(seq, b"reading %d" % seq, bytes(8)) for seq in range(5, 5 + count)])
    for at in range(len(row.data) * 8):
        data = bytearray(row.data)
        data[at // 8] ^= 1 << at % 8
        with pytest.raises(LogError, match="checksum"):
            decode(row._replace(data=bytes(data)))
    for field in ("seq_last", "seq_first", "wall_ns", "entries", "crc32", "format"):
        for bit in range(32):
            with pytest.raises(LogError, match="checksum"):
                decode(row._replace(**{field: getattr(row, field) ^ (1 << bit)}))
    with pytest.raises(LogError, match="checksum"):
        decode(row._replace(boot_id="boat"))


def test_every_torn_row_is_seen(record: Callable[..., LogRecord]) -> None:
    (row,) = encode([record(1, b"abc")])
    for length in range(len(row.data)):
        with pytest.raises(LogError, match="checksum"):
            decode(row._replace(data=row.data[:length]))


def test_a_format_of_a_later_release_is_named(
    record: Callable[..., LogRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.storage.log.PLAIN", 3)
    (row,) = encode([record(1)])
    monkeypatch.undo()
    with pytest.raises(LogError, match="format 3 is not known"):
        decode(row)


# --- reading with the gaps named --------------------------------------------------------------------------------------


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, packaged(), "memory")
    yield connection
    connection.close()


@pytest.fixture
def kept(database: sqlite3.Connection, record: Callable[..., LogRecord]) -> list[LogRecord]:
    """Seqs 1..1000 in 100 rows of ten; more rows than one slice of reading."""
    records = [record(seq, b"input %d" % seq) for seq in range(1, 1001)]
    total = 0
    for at in range(0, 1000, 10):
        total = log_table.append(database, encode(records[at : at + 10]), total)
    return records


def test_any_span_can_be_read(database: sqlite3.Connection, kept: list[LogRecord]) -> None:
    assert list(log_table.read(database, 1)) == kept
    assert list(log_table.read(database, 1, 1)) == kept[:1]
    assert list(log_table.read(database, 655, 731)) == kept[654:731]
    assert list(log_table.read(database, 1000)) == kept[-1:]
    assert list(log_table.read(database, 1001)) == []


def flip(database: sqlite3.Connection, seq_last: int) -> None:
    (data,) = database.execute("SELECT data FROM log WHERE seq_last = ?", (seq_last,)).fetchone()
    bad = bytes([data[0] ^ 1]) + data[1:]
    database.execute("UPDATE log SET data = ? WHERE seq_last = ?", (bad, seq_last))


def test_a_flipped_row_costs_only_itself_and_is_named(database: sqlite3.Connection, kept: list[LogRecord]) -> None:
    flip(database, 20)
    found = list(log_table.read(database, 1))
    assert found == [*kept[:10], LogDamage(11, 20, "checksum differs"), *kept[20:]]


@pytest.mark.parametrize(
    ("flipped", "deleted", "wanted"),
    [
        ([10], [], [LogDamage(1, 10, "checksum differs")]),
        ([1000], [], [LogDamage(991, 1000, "checksum differs")]),
        ([20, 30], [], [LogDamage(11, 30, "checksum differs")]),
        ([], [500], [LogDamage(491, 500, "missing")]),
        ([], [640, 650], [LogDamage(631, 650, "missing")]),
        ([20, 700], [300], [LogDamage(11, 20, "checksum differs"), LogDamage(291, 300, "missing"),
                            LogDamage(691, 700, "checksum differs")]),
    ],
)  # fmt: skip
def test_spans_that_cannot_be_read_are_named_exactly(
    database: sqlite3.Connection,
    kept: list[LogRecord],
    flipped: list[int],
    deleted: list[int],
    wanted: list[LogDamage],
) -> None:
    for seq_last in flipped:
        flip(database, seq_last)
    for seq_last in deleted:
        database.execute("DELETE FROM log WHERE seq_last = ?", (seq_last,))
    found = list(log_table.read(database, 1))
    assert [item for item in found if isinstance(item, LogDamage)] == wanted
    lost = {seq for span in wanted for seq in range(span.seq_first, span.seq_last + 1)}
    assert [item for item in found if isinstance(item, LogRecord)] == [r for r in kept if r.stamp.seq not in lost]


def test_damage_is_named_within_the_span_asked_for(database: sqlite3.Connection, kept: list[LogRecord]) -> None:
    flip(database, 20)
    assert list(log_table.read(database, 15, 18)) == [LogDamage(15, 18, "checksum differs")]
    assert list(log_table.read(database, 9, 12)) == [*kept[8:10], LogDamage(11, 12, "checksum differs")]


def test_a_header_that_lies_about_its_span_does_not_hide_the_gap(
    database: sqlite3.Connection, kept: list[LogRecord]
) -> None:
    database.execute("UPDATE log SET seq_first = 18, count = 3 WHERE seq_last = 20")
    assert list(log_table.read(database, 1, 30)) == [
        *kept[:10],
        LogDamage(11, 20, "checksum differs"),
        *kept[20:30],
    ]


def test_the_byte_totals_run_on(database: sqlite3.Connection, kept: list[LogRecord]) -> None:
    (size,) = database.execute("SELECT sum(length(data)) FROM log").fetchone()
    assert log_table.bytes_total(database) == log_table.bytes_kept(database) == size
    database.execute("DELETE FROM log WHERE seq_last <= 500")
    (left,) = database.execute("SELECT sum(length(data)) FROM log").fetchone()
    assert log_table.bytes_total(database) == size
    assert log_table.bytes_kept(database) == left


def test_row_fields_are_the_tables_columns(database: sqlite3.Connection) -> None:
    columns = [column[1] for column in database.execute("PRAGMA table_info(log)")]
    assert [{"entries": "count"}.get(name, name) for name in LogRow._fields] == [
        name for name in columns if name != "bytes_total"
    ]
