"""From the log to chunks and back: the same samples from the tail, from chunks, and after any restart."""

from __future__ import annotations

import sqlite3

import numpy as np
import pytest

from edge.domain.devices import DeviceHealth, DeviceState
from edge.domain.field_devices import MeterReading, Quality, SignalKind, SignalReading
from edge.domain.kernel import Stamp
from edge.storage import sample_db
from edge.storage.errors import StoreError
from edge.storage.log import LogRecord
from edge.storage.sample_batch import BatchWriter
from edge.storage.sample_history import TIDY_FAILURES, SampleHistory

S = 1_000_000_000
T0 = 1_795_000_000 * S


def meter(value, point="p", **more):
    return MeterReading(point=point, power_w=value, **more)


def test_samples_are_the_same_before_and_after_sealing(sample_site, open_history, read_all):
    sample_site.say(*((meter(float(n), f"p{n % 3}"), T0 + n * S) for n in range(50)))
    history = open_history()
    before = read_all(history.source())
    assert len(before) == 50
    assert before[7] == ("d/p1/power_w", T0 + 7 * S, 7.0, 0)
    history.seal()
    assert sorted(read_all(history.source())) == sorted(before)
    assert sorted(read_all(history.source(), samples_max=1)) == sorted(before)
    history.close()
    again = open_history()
    assert sorted(read_all(again.source())) == sorted(before)


def test_a_cursor_in_the_middle_of_what_was_sealed_misses_nothing(sample_site, open_history, read_all):
    sample_site.say(*((meter(float(n)), T0 + n * S) for n in range(20)))
    history = open_history()
    history.seal()
    sample_site.say(*((meter(float(n)), T0 + n * S) for n in range(20, 30)))
    while history.step():
        pass
    values = [value for _, _, value, _ in read_all(history.source(), after_seq=13)]
    assert set(values) >= {float(n) for n in range(13, 30)}


def test_each_sample_keeps_its_seq_and_order_in_chunks(sample_site, open_history):
    """Sinks go on behind an input, and tell same-millisecond samples apart by it; late ones lie elsewhere."""
    day = 86_400 * S
    sample_site.say(
        *(
            (meter(float(n), f"p{n % 2}", source_wall_ns=T0 - day if n % 7 == 0 else 0), T0 + n // 4 * S)
            for n in range(60)
        )
    )
    history = open_history()

    def rows(after_seq):
        block = history.source().read(after_seq, 10_000)
        found = zip(
            block.seq.tolist(), block.series_id.tolist(), block.time_ns.tolist(), block.value.tolist(), strict=True
        )
        return list(found)

    before = [rows(after_seq) for after_seq in (0, 17, 41)]
    history.seal()
    assert [rows(after_seq) for after_seq in (0, 17, 41)] == before
    assert len(before[0]) == 60


def test_words_and_qualities(sample_site, open_history, read_all):
    smoke = SignalReading(point="s", kind=SignalKind.SMOKE, active=True, quality=Quality.TEST)
    clear = SignalReading(point="s", kind=SignalKind.SMOKE, active=False, retained=True)
    silent = SignalReading(point="s", kind=SignalKind.SMOKE, active=None)
    health = DeviceHealth(state=DeviceState.FAULT, problem="antenna", frames=3)
    sample_site.say((smoke, T0), (clear, T0 + S), (silent, T0 + 2 * S), (health, T0 + 3 * S), (meter(1.5), T0, False))
    history = open_history()
    found = read_all(history.source())
    assert ("d/s/smoke", T0, "true", 4) in found
    assert ("d/s/smoke", T0 + S, "false", 2) in found
    assert ("d/state", T0 + 3 * S, "fault", 0) in found
    assert ("d/problem", T0 + 3 * S, "antenna", 0) in found
    assert ("d/frames", T0 + 3 * S, 3.0, 0) in found
    assert ("d/p/power_w", T0, 1.5, 1) in found
    assert len([entry for entry in found if entry[0] == "d/s/smoke"]) == 2
    history.seal()
    assert sorted(read_all(history.source())) == sorted(found)


def test_times_are_the_boxs_own_unless_the_reading_is_plainly_older(sample_site, open_history, read_all):
    hour = 3600 * S
    sample_site.say(
        (meter(1.0, "live", source_wall_ns=T0 - 3 * S), T0 + 1),
        (meter(2.0, "late", source_wall_ns=T0 - hour), T0),
        (meter(3.0, "future", source_wall_ns=T0 + hour), T0),
        (meter(4.0, "ancient", source_wall_ns=T0 - 10_000 * hour), T0),
        (SignalReading(point="w", kind=SignalKind.FLOW, active=True, delay_ms=1500), T0),
    )
    history = open_history()
    times = {channel: time_ns for channel, time_ns, _, _ in read_all(history.source())}
    assert times == {
        "d/live/power_w": T0,
        "d/late/power_w": T0 - hour,
        "d/future/power_w": T0,
        "d/ancient/power_w": T0,
        "d/w/flow": T0 - 1_500_000_000,
    }


def test_a_lost_file_is_sealed_again_from_the_log(sample_site, open_history, read_all):
    sample_site.say(*((meter(float(n)), T0 + n * S) for n in range(30)))
    history = open_history()
    history.seal()
    wanted = sorted(read_all(history.source()))
    history.close()
    (sample_site.directory / "samples.db").unlink()
    assert sorted(read_all(open_history().source())) == wanted


def test_a_damaged_file_is_kept_aside(sample_site, open_history, read_all):
    sample_site.say(*((meter(float(n)), T0 + n * S) for n in range(30)))
    history = open_history()
    history.seal()
    wanted = sorted(read_all(history.source()))
    history.close()
    path = sample_site.directory / "samples.db"
    data = bytearray(path.read_bytes())
    data[: 4096 * 3] = b"\x5a" * (4096 * 3)
    path.write_bytes(data)
    again = open_history()
    assert again.db.set_aside is not None
    assert again.db.set_aside.read_bytes() == bytes(data)
    assert sorted(read_all(again.source())) == wanted


def damage_table(path, table):
    """Overwrite the first page of a table."""
    connection = sqlite3.connect(path)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    data = bytearray(path.read_bytes())
    data[(page - 1) * 4096 : page * 4096] = b"\x5a" * 4096
    path.write_bytes(data)


@pytest.mark.parametrize("table", ["series", "word", "slab", "meta"])
def test_damage_that_no_check_found_is_met_and_kept_aside(sample_site, open_history, read_all, monkeypatch, table):
    """The check at a start is cut short on a large file: what it misses is met by loading or by the next seal."""
    real = sample_db.quick_check

    def cut_short(connection, path, limit_s):
        return limit_s > sample_db.CHECK_LIMIT_S and real(connection, path, limit_s)

    monkeypatch.setattr(sample_db, "quick_check", cut_short)
    sample_site.say(*((meter(float(n)), T0 + n * S) for n in range(30)))
    history = open_history()
    history.seal()
    wanted = sorted(read_all(history.source()))
    history.close()
    damage_table(sample_site.directory / "samples.db", table)
    again = open_history()
    again._try_seal()
    if again.broken:  # then the process ends and is started anew
        assert again.alarm == "seal_failed"
        again.close()
        again = open_history()
    assert again.db.set_aside is not None
    assert (again.alarm, sorted(read_all(again.source()))) == ("damaged", wanted)
    again.close()
    assert open_history().alarm == "", "kept aside once"


def test_a_table_whose_definition_is_damaged_is_kept_aside(sample_site, open_history, read_all):
    """One letter of a column's name in the file: every page is well for SQLite."""
    sample_site.say(*((meter(float(n)), T0 + n * S) for n in range(30)))
    history = open_history()
    history.seal()
    wanted = sorted(read_all(history.source()))
    history.close()
    path = sample_site.directory / "samples.db"
    data = path.read_bytes()
    assert data.count(b"last_value REAL") == 1
    path.write_bytes(data.replace(b"last_value REAL", b"last_vamue REAL"))
    again = open_history()
    assert again.db.set_aside is not None
    assert sorted(read_all(again.source())) == wanted


def test_tidying_that_stands_still_is_told(sample_site, open_history, monkeypatch):
    history = open_history()
    broken = sqlite3.OperationalError("disk I/O error")
    monkeypatch.setattr(history._roller, "step", lambda: (_ for _ in ()).throw(broken))
    for _ in range(TIDY_FAILURES):
        assert history.alarm == ""
        assert not history.tidy()
    assert history.alarm == "seal_failed"
    monkeypatch.undo()
    history.tidy()
    assert history.alarm == ""


def test_what_the_log_no_longer_has_is_told_as_a_gap(sample_site, open_history):
    for n in range(40):
        sample_site.say((meter(float(n)), T0 + n * S))
    connection = sqlite3.connect(sample_site.directory / "facts.db")
    connection.execute("DELETE FROM log WHERE seq_last <= 10")
    connection.execute("UPDATE log SET crc32 = crc32 + 1 WHERE seq_last = 20")
    connection.commit()
    connection.close()
    history = open_history()
    block = history.source().read(0, 1000)
    assert block.through_seq == 40
    assert block.gaps == ((1, 10), (20, 20))
    with history.db.read() as connection:
        times = connection.execute("SELECT t_first, t_last FROM gap ORDER BY seq_first").fetchall()
    assert times == [(0, T0 + 10 * S), (T0 + 18 * S, T0 + 20 * S)], "between its neighbours"
    history.seal()
    assert history.source().read(0, 1000).gaps == ((1, 10), (20, 20))
    assert history.source().read(15, 1000).gaps == ((20, 20),)


def test_a_flipped_bit_costs_its_chunk_and_is_told(sample_site, open_history):
    sample_site.say(*((meter(float(n), f"p{n % 2}"), T0 + n * S) for n in range(40)))
    history = open_history()
    history.seal()
    with history.db.write() as connection:
        slab, data = connection.execute("SELECT slab, data FROM chunk WHERE series = 1").fetchone()
        flipped = bytes((data[0], data[1] ^ 4)) + data[2:]
        connection.execute("UPDATE chunk SET data = ? WHERE slab = ? AND series = 1", (flipped, slab))
    block = history.source().read(0, 1000)
    assert block.value.tolist() == [float(n) for n in range(1, 40, 2)]
    assert block.gaps == ((1, 39),)


def test_one_writer_a_file(sample_site, open_history):
    open_history()
    with pytest.raises(StoreError) as refused:
        SampleHistory(sample_site.directory, "canteen")
    assert refused.value.code == "locked"


def test_a_log_set_back_by_a_restore_goes_on(sample_site, open_history, read_all):
    sample_site.say(*((meter(float(n)), T0 + n * S) for n in range(10)))
    sample_site.say(*((meter(float(n)), T0 + n * S) for n in range(10, 20)))
    history = open_history()
    history.seal()
    with history.db.write() as connection:
        connection.execute("INSERT INTO cursor VALUES ('lake', 20, 0, '')")
    connection = sqlite3.connect(sample_site.directory / "facts.db")
    connection.execute("DELETE FROM log WHERE seq_last > 10")
    connection.commit()
    connection.close()
    sample_site.store.close()
    sample_site.__init__(sample_site.directory)
    history.step()
    assert history.db.read().__enter__().execute("SELECT seq FROM cursor").fetchone() == (10,)
    sample_site.say((meter(77.0), T0 + 60 * S))
    while history.step():
        pass
    assert read_all(history.source(), after_seq=10)[-1][2] == 77.0


@pytest.mark.parametrize("had", [0, 5, 10, 14, 30])
@pytest.mark.parametrize("sealed_again", [False, True])
def test_a_sink_gets_all_that_comes_after_a_restore(sample_site, open_history, read_all, had, sealed_again):
    """Sealed in three stretches, the second of which goes on beyond the end of the restored log: what comes now has the
    numbers of what was sealed then, and must come all the same, wherever the sink stood."""
    history = open_history()
    for first in (0, 8, 16):
        for half in (0, 4):
            sample_site.say(*((meter(float(first + half + n)), T0 + (first + half + n) * S) for n in range(4)))
        while history.step():
            pass
        history.seal()
    with history.db.write() as connection:
        connection.execute("INSERT INTO cursor VALUES ('lake', ?, 0, '')", (min(had, 24),))
        connection.execute("INSERT INTO gap VALUES (13, 15, 1, 2, 'damaged', 0), (20, 21, 1, 2, 'damaged', 0)")
    connection = sqlite3.connect(sample_site.directory / "facts.db")
    connection.execute("DELETE FROM log WHERE seq_last > 12")
    connection.commit()
    connection.close()
    sample_site.store.close()
    sample_site.__init__(sample_site.directory)
    history.step()
    sample_site.say(*((meter(100.0 + n), T0 + (100 + n) * S) for n in range(9)))
    while history.step():
        pass
    if sealed_again:
        history.seal()
    with history.db.read() as connection:
        (after,) = connection.execute("SELECT seq FROM cursor").fetchone()
        assert connection.execute("SELECT count(*) FROM gap").fetchone() == (2,), "the page still shows them"
    assert after == min(had, 12)
    found = [value for _, _, value, _ in read_all(history.source(), after_seq=after, samples_max=3)]
    assert found == [*(float(n) for n in range(after, 12)), *(100.0 + n for n in range(9))]
    assert history.source().read(12, 100).gaps == ()


def test_batches_of_arrays_keep_their_names_over_a_restart(sample_site, open_history, read_all):
    writer = BatchWriter([("gateway", f"p{n}", "power_w") for n in range(3)])

    def write(n):
        sample_site.seq += 1
        data = writer.input(np.array([n, n + 0.5, np.nan]))
        wall_ns = T0 + n * S
        sample_site.write([LogRecord(Stamp(sample_site.seq, "b", wall_ns, wall_ns, wall_trusted=True), data)])

    for n in range(5):
        write(n)
    history = open_history()
    history.seal()
    history.close()
    for n in range(5, 9):
        write(n)
    again = open_history()
    assert again.all_counts()["without_key"] == 0
    found = read_all(again.source(), samples_max=1000)
    assert [value for name, _, value, _ in found if name == "gateway/p1/power_w"] == [n + 0.5 for n in range(9)]
    assert all(np.isnan(value) for name, _, value, _ in found if name == "gateway/p2/power_w")
    assert again.names.series(1).unit == "W"


def test_a_batch_without_its_names_is_counted_not_guessed(sample_site, open_history):
    writer = BatchWriter([("gateway", "p", "power_w")])
    writer.input(np.array([1.0]))
    sample_site.seq += 1
    stamp = Stamp(sample_site.seq, "b", T0, T0, wall_trusted=True)
    sample_site.write([LogRecord(stamp, writer.input(np.array([2.0])))])
    history = open_history()
    assert (history.tail.samples, history.all_counts()["without_key"]) == (0, 1)
