"""Sealed samples in backups, restores and verification: the cursor travels, nothing is missing, damage is told."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge.domain.field_devices import MeterReading
from edge.storage.backup import take_backup
from edge.storage.backup_stores import StoreFile, site_stores
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore
from edge.storage.restore import Order, restore
from edge.storage.sample_db import SampleDb
from edge.storage.sample_history import SampleHistory
from edge.storage.sample_retention import _Oldest
from edge.storage.seal_mark import seal_mark
from edge.storage.verify import verify_store

S = 1_000_000_000
T0 = 1_795_000_000 * S
STORES = site_stores(("canteen",), StoreFile("api.db", 2))
SAMPLES, FACTS = STORES[0], STORES[1]


def silent(_stage, _done, _total):
    pass


def meter(value, point="p"):
    return MeterReading(point=point, power_w=value, voltage_v=230.0)


def cursor(history, sink="influx", seq=None):
    with history.db.write() as connection:
        if seq is not None:
            connection.execute("INSERT OR REPLACE INTO cursor VALUES (?, ?, 0, '')", (sink, seq))
        return dict(connection.execute("SELECT sink, seq FROM cursor")).get(sink)


@pytest.fixture
def sealed(sample_site, open_history):
    """60 readings of three points, 40 of them sealed, a sink that has come to 25."""
    sample_site.say(*((meter(float(n), f"p{n % 3}"), T0 + n * S) for n in range(40)))
    history = open_history()
    history.seal()
    cursor(history, seq=25)
    sample_site.say(*((meter(float(n), f"p{n % 3}"), T0 + n * S) for n in range(40, 60)))
    while history.step():
        pass
    return history


def findings(folder):
    return verify_store(folder, SAMPLES, silent)


def test_the_cursor_travels_and_the_sink_goes_on_without_a_hole(sealed, sample_site, read_all, tmp_path):
    options = {"site_id": "here", "build": "1", "now_ns": T0, "notes": {}, "tell": silent}
    taken = take_backup(tmp_path, STORES, tmp_path / "b", **options)
    samples, facts = taken.manifest.files
    assert (samples.name, samples.seal_seq, samples.cursors) == ("canteen/samples.db", 40, {"influx": 25})
    assert (facts.name, facts.head_seq) == ("canteen/facts.db", 60)
    wanted = read_all(sealed.source(), after_seq=25)
    assert {value for _, _, value, _ in wanted} >= {float(n) for n in range(25, 60)}
    other = tmp_path / "other"
    restore(Order(tmp_path / "b", other, STORES, "here", T0), tell=silent)
    history = SampleHistory(other / "canteen", "canteen")
    while history.step():
        pass
    assert cursor(history) == 25
    assert sorted(read_all(history.source(), after_seq=25)) == sorted(wanted)
    assert verify_store(other, FACTS, silent) == []
    history.close()
    assert findings(other) == []


def test_a_restored_log_sets_a_sink_back_that_was_ahead_of_it(sealed, sample_site, read_all, tmp_path):
    """What the sink was sent after the backup happened to the world; what comes now has the same numbers again."""
    options = {"site_id": "here", "build": "1", "now_ns": T0, "notes": {}, "tell": silent}
    take_backup(tmp_path, STORES, tmp_path / "b", **options)
    sample_site.say(*((meter(float(n), "gone"), T0 + n * S) for n in range(60, 80)))
    while sealed.step():
        pass
    sealed.seal()
    cursor(sealed, seq=80)
    sealed.close()
    sample_site.close()
    restore(Order(tmp_path / "b", tmp_path, STORES, "here", T0), tell=silent)
    assert seal_mark(tmp_path / "canteen") == 40
    sample_site.store = FactsStore.open(tmp_path / "canteen", (), ballast_bytes=0)
    sample_site.seq = sample_site.store.last_seq()
    assert sample_site.seq == 60
    sample_site.say(*((meter(float(n), "new"), T0 + n * S) for n in range(100, 105)))
    history = SampleHistory(tmp_path / "canteen", "canteen")
    while history.step():
        pass
    sent = read_all(history.source(), after_seq=cursor(history))
    assert {value for name, _, value, _ in sent if name == "d/new/power_w"} == {100.0, 101.0, 102.0, 103.0, 104.0}
    assert not any("gone" in name for name, _, _, _ in sent)
    history.close()


@pytest.fixture
def lost(sealed, sample_site, tmp_path):
    """A backup of ``sealed``; since then 20 inputs, a log that begins at 51, and a samples.db that was lost."""
    options = {"site_id": "here", "build": "1", "now_ns": T0, "notes": {}, "tell": silent}
    take_backup(tmp_path, STORES, tmp_path / "b", **options)
    sample_site.say(*((meter(float(n), f"p{n % 3}"), T0 + n * S) for n in range(60, 80)))
    sealed.close()
    (tmp_path / "canteen" / "samples.db").unlink()
    return Order(tmp_path / "b", tmp_path, STORES, "here", T0 + 1, samples_only=True)


def test_curves_come_back_from_a_backup_while_the_log_stays(lost, sample_site, tmp_path, read_all):
    dry = restore(lost._replace(dry_run=True), tell=silent)
    done = restore(lost, tell=silent)  # beside the daemon, which holds its log
    assert done.placed == dry.placed == ("canteen/samples.db",)
    assert (done.retired, done.left) == ((), ("canteen/facts.db",))
    history = SampleHistory(tmp_path / "canteen", "canteen")
    while history.step():
        pass
    values = sorted(value for name, _, value, _ in read_all(history.source()) if "power_w" in name)
    assert values == [float(n) for n in range(80)]
    assert cursor(history) == 25, "the sink goes on where the backup knows that it was"
    history.close()
    assert findings(tmp_path) == []
    assert sample_site.store.last_seq() == 80


def refused(order):
    with pytest.raises(StoreError) as found:
        restore(order, tell=silent)
    return found.value.code


def test_curves_that_are_well_stay_when_others_are_put_back(sealed, sample_site, tmp_path):
    """They have more than the backup, and their log may be shorter than its age."""
    options = {"site_id": "here", "build": "1", "now_ns": T0, "notes": {}, "tell": silent}
    take_backup(tmp_path, STORES, tmp_path / "b", **options)
    sample_site.say(*((meter(float(n), "p0"), T0 + n * S) for n in range(60, 80)))
    while sealed.step():
        pass
    sealed.seal()
    sealed.close()
    order = Order(tmp_path / "b", tmp_path, STORES, "here", T0 + 1, samples_only=True)
    assert refused(order) == "whole"
    assert seal_mark(tmp_path / "canteen") == 80
    assert refused(order._replace(daemons=("gym",))) == "absent"
    assert restore(order._replace(daemons=("canteen",)), tell=silent).placed == ("canteen/samples.db",)
    assert seal_mark(tmp_path / "canteen") == 40
    (tmp_path / "canteen" / "samples.db").write_bytes(b"no database at all" * 1000)
    assert restore(order, tell=silent).placed == ("canteen/samples.db",)


def test_curves_are_put_beside_no_other_log(lost, sample_site, tmp_path):
    """Another log's numbers mean other inputs; so do those that a restore of all gave out again."""
    other = tmp_path / "other"
    assert refused(lost._replace(data_dir=other)) == "site"
    FactsStore.open(other / "canteen", (), ballast_bytes=0).close()
    assert refused(lost._replace(data_dir=other)) == "site"
    history = SampleHistory(tmp_path / "canteen", "canteen")
    assert refused(lost) == "locked"
    history.close()
    with closing(sqlite3.connect(tmp_path / "canteen" / "facts.db", isolation_level=None)) as connection:
        for head_seq, code in ((40, None), (39, "site")):
            mark = f'{{"restored_ns": {T0 + 1}, "backup_ns": 0, "head_seq": {head_seq}}}'
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('restored', ?)", (mark,))
            if code is None:
                restore(lost._replace(dry_run=True), tell=silent)
            else:
                assert refused(lost) == code
    assert refused(lost._replace(stores=STORES[1:])) == "site"


def test_a_slab_that_is_being_emptied_is_no_finding(sealed, tmp_path):
    sealed._keeper._begin_slab(_Oldest(1, 40, T0, T0 + 40 * S), T0, T0, by_bytes=True)
    assert findings(tmp_path) == []
    with sealed.db.write() as connection:
        connection.execute("DELETE FROM meta WHERE key = 'emptying_slab'")
    assert {finding.check for finding in findings(tmp_path)} == {"what belongs together"}


def test_whole_samples_are_whole_also_while_they_are_written(sealed, tmp_path):
    assert findings(tmp_path) == []


CHANGES = [
    ("UPDATE chunk SET data = zeroblob(length(data)) WHERE series = 1", "chunks"),
    ("UPDATE chunk SET max = max + 1 WHERE n > 1 AND max > min", "chunks"),
    ("UPDATE chunk SET part = part + 1", "chunks"),
    ("UPDATE time_column SET data = zeroblob(length(data))", "times and roll-ups"),
    ("DELETE FROM time_column", "what belongs together"),
    ("DELETE FROM series WHERE id = 1", "what belongs together"),
    ("UPDATE slab SET n = n + 1", "what belongs together"),
    ("DELETE FROM slab", "what belongs together"),
    ("UPDATE meta SET value = '9000' WHERE key = 'seal_seq'", "marks"),
    ("UPDATE cursor SET seq = 61", "marks"),
    ("DROP TABLE gap", "tables"),
]


@pytest.mark.parametrize(("statement", "check"), CHANGES, ids=range(len(CHANGES)))
def test_what_is_changed_is_found(sealed, tmp_path, statement, check):
    sealed.close()
    with closing(sqlite3.connect(tmp_path / "canteen" / "samples.db", isolation_level=None)) as connection:
        assert connection.execute(statement).rowcount != 0
    found = findings(tmp_path)
    assert check in {finding.check for finding in found}, found
    assert all(finding.remedy for finding in found)
    assert not any("last backup" in finding.remedy for finding in found), "that would undo orders for a curve"


def test_any_flipped_bit_is_found_or_changes_no_sample(sealed, sample_site, tmp_path, read_all):
    wanted = sorted(read_all(sealed.source()))
    sealed.close()
    source = (tmp_path / "canteen" / "samples.db").read_bytes()
    draw, told = random.Random(4), 0
    for number in range(40):
        data = bytearray(source)
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        folder = tmp_path / f"flip-{number}"
        (folder / "canteen").mkdir(parents=True)
        (folder / "canteen" / "samples.db").write_bytes(data)
        if findings(folder):
            told += 1
            continue
        (folder / "canteen" / "facts.db").write_bytes(facts_bytes(sample_site.directory))
        history = SampleHistory(folder / "canteen", "canteen")
        while history.step():
            pass
        got = sorted(read_all(history.source()))
        history.close()
        assert got == wanted or differs_by_name_only(got, wanted), f"flip {number}"
    assert told >= 2


def facts_bytes(directory: Path) -> bytes:
    target = directory / "copy.db"
    with closing(sqlite3.connect(directory / "facts.db")) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    data = target.read_bytes()
    target.unlink()
    return data


def differs_by_name_only(got, wanted):
    """A letter of a series' name has no checksum (docs/backup.md says so); values and times have."""
    return sorted(row[1:] for row in got) == sorted(row[1:] for row in wanted)


def test_a_half_done_restore_keeps_the_history_out(tmp_path):
    (tmp_path / "restore.json").write_text("{}")
    with pytest.raises(StoreError, match="cut short"):
        SampleDb(tmp_path / "canteen")
