"""A disk that answers with errors is not a damaged file: neither the curves nor the money are given up for it."""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing

import pytest

from edge.domain.canteen.rows import ROW_TYPES
from edge.domain.field_devices import MeterReading
from edge.storage import connect, facts, sample_db
from edge.storage.errors import StoreError
from edge.storage.facts import FactsStore
from edge.storage.sample_db import BAD_MARK, MARKS_MAX, mark_bad

S = 1_000_000_000
T0 = 1_795_000_000 * S
MALFORMED = sqlite3.DatabaseError("database disk image is malformed")


@pytest.fixture
def sealed(sample_site, open_history):
    """A site with thirty sealed samples."""
    sample_site.say(*((MeterReading(point="p", power_w=float(n)), T0 + n * S) for n in range(30)))
    history = open_history()
    history.seal()
    history.close()
    return sample_site


@pytest.fixture
def failing_reads(monkeypatch):
    """Reads past SQLite fail, as a disk does that has gone."""

    def pread(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(connect.os, "pread", pread)


def checks(monkeypatch, module, *outcomes):
    """The next checks of a file end so."""
    real, left = module.quick_check, list(outcomes)

    def quick_check(connection, path, *limit_s):
        outcome = left.pop(0) if left else True
        if outcome is not True:
            raise connect.damaged(path, str(outcome))
        return real(connection, path, *limit_s)

    monkeypatch.setattr(module, "quick_check", quick_check)


def test_a_read_that_failed_once_costs_no_curve(sealed, open_history, read_all, monkeypatch):
    """SQLite calls the file malformed when the disk answers EIO; a moment later all is well."""
    checks(monkeypatch, sample_db, MALFORMED)
    history = open_history()
    assert (history.db.set_aside, history.alarm) == (None, "")
    assert len(read_all(history.source())) == 30


def test_what_is_damaged_at_a_second_look_is_put_aside(sealed, open_history, read_all, monkeypatch):
    checks(monkeypatch, sample_db, MALFORMED, MALFORMED)
    history = open_history()
    assert history.alarm == "damaged"
    assert len(read_all(history.source())) == 30, "made again from the log"


@pytest.mark.usefixtures("failing_reads")
def test_while_the_disk_fails_nothing_is_put_aside(sealed, open_history, monkeypatch):
    checks(monkeypatch, sample_db, MALFORMED)
    with pytest.raises(StoreError, match=r"Input/output error.*the disk is failing") as refused:
        open_history()
    assert refused.value.code == "storage"
    assert list(sealed.directory.glob("samples.db.damaged-*")) == []


@pytest.mark.usefixtures("failing_reads")
def test_while_the_disk_fails_money_is_not_called_damaged(sealed, monkeypatch):
    """The remedy of damage is a backup, which costs the day's sales: not for a plug that came loose."""
    sealed.store.close()
    checks(monkeypatch, facts, MALFORMED)
    with pytest.raises(StoreError, match="the disk is failing") as refused:
        FactsStore.open(sealed.directory, ROW_TYPES, ballast_bytes=0)
    assert refused.value.code == "storage"


def test_money_is_opened_at_the_second_look(sealed, monkeypatch):
    sealed.store.close()
    checks(monkeypatch, facts, MALFORMED)
    store = FactsStore.open(sealed.directory, ROW_TYPES, ballast_bytes=0)
    assert store.last_seq() == 30
    store.close()


def test_one_mark_condemns_no_file_and_the_next_seal_takes_it_away(sealed, open_history):
    mark_bad(sealed.directory)
    history = open_history()
    assert history.alarm == ""
    assert (sealed.directory / BAD_MARK).exists()
    sealed.say((MeterReading(point="p", power_w=1.0), T0 + 100 * S))
    history.step()
    history.seal()
    assert not (sealed.directory / BAD_MARK).exists()


def test_a_definition_that_only_a_seal_needs_is_met_and_made_anew(sealed, open_history, read_all):
    """One letter in the file: the start, the check and every page are well."""
    path = sealed.directory / "samples.db"
    data = path.read_bytes()
    assert data.count(b"    bytes INTEGER NOT NULL") == 1
    path.write_bytes(data.replace(b"    bytes INTEGER NOT NULL", b"    byfes INTEGER NOT NULL"))
    sealed.say((MeterReading(point="p", power_w=1.0), T0 + 100 * S))
    for _ in range(MARKS_MAX):
        history = open_history()
        assert not history._try_seal()
        assert history.broken, "the process ends and is started anew"
        history.close()
    history = open_history()
    assert (history.alarm, history._try_seal()) == ("damaged", True)
    assert len(read_all(history.source())) == 31


@pytest.mark.parametrize("flipped", ["CAST(x'3137393b' AS TEXT)", "CAST(x'3137ff39' AS TEXT)", "'١٢'"])
@pytest.mark.parametrize("key", ["seal_seq", "seal_wall_ns", "last_slab"])
def test_a_mark_that_is_no_number_is_damage(sealed, open_history, read_all, key, flipped):
    """It ended every start with a traceback."""
    with closing(sqlite3.connect(sealed.directory / "samples.db")) as connection, connection:
        connection.execute(f"UPDATE meta SET value = {flipped} WHERE key = ?", (key,))
    history = open_history()
    assert history.alarm == "damaged"
    assert len(read_all(history.source())) == 30


def test_damage_that_comes_back_is_believed_whatever_the_check_says(sealed, open_history, read_all):
    for _ in range(MARKS_MAX):
        mark_bad(sealed.directory)
    history = open_history()
    assert history.alarm == "damaged"
    assert len(read_all(history.source())) == 30
    history.close()
    assert open_history().alarm == "", "put aside once"
