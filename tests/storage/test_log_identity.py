"""facts.db replaced by hand: an older copy that grew past what was sealed, or the log of another store.

What was measured stays, what comes is sealed, nothing stands twice, and every sink gets what is new.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.domain.devices import DeviceHealth, DeviceState
from edge.domain.field_devices import MeterReading
from edge.domain.kernel import Stamp
from edge.storage.log import LogRecord
from edge.storage.log_identity import MARKS_KEPT, first_difference
from edge.storage.sample_columns import columns_of
from edge.storage.sample_history import SampleHistory
from edge.storage.sample_queries import SampleQueries

S = 1_000_000_000
T0 = 1_795_000_000 * S


class Site:
    """A site whose log grows; every reading has a value of its own. ``said``: of the log that is there now."""

    def __init__(self, site, rng):
        self.site, self.rng = site, rng
        self.number, self.said = 0, {}
        self.copies = []

    def commit(self, count=None):
        batch = []
        for _ in range(count or self.rng.randrange(1, 6)):
            self.number += 1
            time_ns = T0 + self.number * 7 * S
            kind = self.rng.random()
            if kind < 0.15:
                body = None  # an input without a sample
            elif kind < 0.3:
                body = DeviceHealth(state=self.rng.choice((DeviceState.READY, DeviceState.FAULT)))
            else:
                body = MeterReading(point=f"p{self.number % 2}", power_w=float(self.number))
                self.said[self.site.seq + len(batch) + 1] = float(self.number)
            batch.append((body, time_ns))
        if all(body is not None for body, _ in batch):
            self.site.say(*batch)
            return
        for body, time_ns in batch:
            if body is not None:
                self.site.say((body, time_ns))
                continue
            self.site.seq += 1
            stamp = Stamp(self.site.seq, "boot", time_ns, time_ns, wall_trusted=True)
            self.site.write([LogRecord(stamp, b"\x80")])

    def copy(self):
        """As it is now; what a reader keeps in the write-ahead log too."""
        source = sqlite3.connect(self.site.directory / "facts.db")
        target = sqlite3.connect(self.site.directory / "copy.db")
        with closing(source), closing(target):
            source.backup(target)
        self.copies = [dict(self.said)]

    def put_back(self):
        def swap(path):
            for suffix in ("-wal", "-shm"):
                path.with_name(path.name + suffix).unlink(missing_ok=True)
            path.unlink()
            shutil.copy(path.with_name("copy.db"), path)

        self._closed(swap)
        self.said = dict(self.copies[0])

    def begin_anew(self):
        """Another store in its place, from its first input."""
        self._closed(lambda path: path.unlink())
        self.said = {}

    def _closed(self, act):
        self.site.store.close()
        act(self.site.directory / "facts.db")
        self.site.__init__(self.site.directory)


def catch_up(history):
    while history.step():
        pass


def numbers_of(history):
    """All meter values in all curves, sorted."""
    queries = SampleQueries(history)
    found = []
    for series in history.names.all():
        if series.quantity == "power_w":
            found += queries.samples(series.id, 0, 2**62, 10_000).raw.value.tolist()
    queries.close()
    return sorted(found)


def sent_behind(history, after):
    """What a sink gets from there on: seq -> value."""
    found = {}
    source = history.source()
    while True:
        block = source.read(after, 5)
        for seq, number, value in zip(block.seq.tolist(), block.series_id.tolist(), block.value.tolist(), strict=True):
            if history.names.series(number).quantity == "power_w":
                assert seq not in found
                found[seq] = value
        if block.through_seq == after:
            source.close()
            return found
        after = block.through_seq


@pytest.fixture(params=[*range(3), *(pytest.param(seed, marks=pytest.mark.full) for seed in range(3, 40))])
def rng(request):
    return random.Random(request.param)


@pytest.mark.parametrize("watched", [True, False])
def test_an_older_copy_that_grew_past_what_was_sealed(sample_site, rng, watched):
    """Seals at random places, also between the copy's end and where the new log stands; the history watches, or is
    only started when all is done."""
    site = Site(sample_site, rng)
    history = SampleHistory(sample_site.directory, "canteen")
    copied_at = rng.randrange(12)
    for at in range(18):
        site.commit()
        if at == copied_at:
            site.copy()
        catch_up(history)
        if rng.random() < 0.4:
            history.seal()
    measured, end = set(site.said.values()), sample_site.seq
    with history.db.write() as connection:
        connection.execute("INSERT INTO cursor VALUES ('lake', ?, 0, '')", (history.through_seq,))
    if not watched:
        history.seal()
        history.close()
    site.put_back()
    common = sample_site.seq
    while sample_site.seq <= end + 3 or common == sample_site.seq:
        site.commit()
        if watched and rng.random() < 0.3 and sample_site.seq > end:
            catch_up(history)
    if not watched:
        history = SampleHistory(sample_site.directory, "canteen")
    catch_up(history)
    if rng.random() < 0.5:
        history.seal()
    assert numbers_of(history) == sorted(measured | set(site.said.values()))
    assert history.alarm == "log_changed"
    with history.db.read() as connection:
        (cursor,) = connection.execute("SELECT seq FROM cursor").fetchone()
    assert common <= cursor <= end or cursor == 0
    assert sent_behind(history, common) == {seq: value for seq, value in site.said.items() if seq > common}
    assert not {seq for seq in site.said if common < seq <= cursor}, "the sink would pass over these"
    history.close()


def test_a_copy_is_met_also_when_no_row_was_remembered(sample_site):
    """A samples.db of the release before: everything that the log still has is compared."""
    site = Site(sample_site, random.Random(1))
    history = SampleHistory(sample_site.directory, "canteen")
    for at in range(6):
        site.commit(4)
        if at == 2:
            site.copy()
        catch_up(history)
        history.seal()
    measured = set(site.said.values())
    with history.db.write() as connection:
        connection.execute("UPDATE meta SET value = '[]' WHERE key = 'log_marks'")
    site.put_back()
    site.commit(30)
    catch_up(history)
    assert numbers_of(history) == sorted(measured | set(site.said.values()))
    history.close()


@pytest.mark.parametrize("grown", [3, 60])
def test_the_log_of_another_store_is_taken_from_its_beginning(sample_site, grown):
    site = Site(sample_site, random.Random(2))
    history = SampleHistory(sample_site.directory, "canteen")
    site.commit(20)
    catch_up(history)
    history.seal()
    site.commit(5)
    catch_up(history)
    measured = set(site.said.values())
    site.begin_anew()
    site.commit(grown)
    catch_up(history)
    assert numbers_of(history) == sorted(measured | set(site.said.values()))
    assert sent_behind(history, 0) == site.said
    history.close()


def test_the_same_log_is_never_another(sample_site):
    """Through seals, starts and pruning, also of the very row that was remembered."""
    site = Site(sample_site, random.Random(3))
    for _ in range(4):
        history = SampleHistory(sample_site.directory, "canteen")
        site.commit()
        catch_up(history)
        history.seal()
        history.close()
    with closing(sqlite3.connect(sample_site.directory / "facts.db")) as connection, connection:
        connection.execute("DELETE FROM log WHERE seq_last <= ?", (sample_site.seq,))
        connection.execute(
            "INSERT INTO snapshot (seq, wall_ns, reason, build, crc32, data) VALUES (?, 1, 'hourly', '', 0, x'')",
            (sample_site.seq,),
        )
    for _ in range(2):
        history = SampleHistory(sample_site.directory, "canteen")
        catch_up(history)
        assert (history.alarm, history.through_seq) == ("", sample_site.seq)
        history.close()
        site.commit()


def test_it_is_told_for_a_day(sample_site):
    site = Site(sample_site, random.Random(4))
    history = SampleHistory(sample_site.directory, "canteen")
    site.copy()
    site.commit(5)
    catch_up(history)
    site.put_back()
    site.commit(9)
    catch_up(history)
    assert history.alarm == "log_changed"
    sample_site.say((MeterReading(point="p0", power_w=1.0), T0 + 2 * 86_400 * S))
    catch_up(history)
    assert history.alarm == ""
    history.close()


def test_until_what_was_measured_is_sealed_the_other_log_waits(sample_site, monkeypatch):
    """The disk is full at that moment: the tail must not be lost for it."""
    site = Site(sample_site, random.Random(5))
    history = SampleHistory(sample_site.directory, "canteen")
    site.copy()
    site.commit(8)
    catch_up(history)
    measured = set(site.said.values())
    site.put_back()
    site.commit(12)

    def full(_stretch):
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(history._sealer, "seal", full)
        assert not history.step()
        assert history.alarm == "seal_failed"
    catch_up(history)
    assert numbers_of(history) == sorted(measured | set(site.said.values()))
    history.close()


def test_few_rows_are_remembered(sample_site):
    site = Site(sample_site, random.Random(6))
    history = SampleHistory(sample_site.directory, "canteen")
    for _ in range(MARKS_KEPT + 5):
        site.commit(1)
        catch_up(history)
        history.seal()
    assert history.db.meta("log_marks").count("[") == MARKS_KEPT + 1
    history.close()


VALUES = st.sampled_from([0.0, 1.5, float("nan")])
SAMPLES = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 2), st.integers(0, 2), VALUES))


@given(SAMPLES, SAMPLES)
def test_the_first_difference_is_the_first(ours, theirs):
    found = first_difference(columns(ours), columns(theirs))
    by_seq = [
        sorted(map(str, (each for each in side if each[0] == seq))) for side in (ours, theirs) for seq in range(1, 7)
    ]
    differing = [seq for seq in range(1, 7) if by_seq[seq - 1] != by_seq[seq + 5]]
    assert found == min(differing, default=None)


def columns(samples):
    ordered = sorted(samples, key=lambda each: each[0])
    if not ordered:
        return columns_of([], [], [], [], [])
    seq, series, time_ns, value = zip(*ordered, strict=True)
    return columns_of(seq, series, time_ns, value, [0] * len(seq))
