"""The garage's own file behind the API: sessions by owner, the journal, and the report of the alarms."""

from __future__ import annotations

import threading

import pytest

from edge.api.books import BadCursor, BooksAway
from edge.api.garage_books import StoreGarageBooks
from edge.api.preview_garage_doors import access_rows
from edge.api.preview_garage_world import AT_NS, session_row
from edge.domain.alarm_book import AlarmBook
from edge.domain.alarm_flush import flush
from edge.domain.alarm_states import Priority
from edge.domain.alarms import acknowledge, raise_alarm
from edge.domain.garage.rows import ROW_TYPES
from edge.domain.kernel import Put, Stamp
from edge.storage.batch import Batch
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord, RecordKind

HOUR_NS = 3600 * 10**9
DOORS = access_rows("fire", AT_NS)


def alarm_rows():
    """The rows of five alarms, one an hour, the first of them acknowledged after 30 s."""
    book, kept = AlarmBook(), {}
    for number in range(5):
        wall_ns = AT_NS + number * HOUR_NS
        facts = {"cause": "sensor_stale", "zone": "B1", "priority": Priority.LOW, "detail": f"s{number}"}
        stamp = Stamp(2 * number, "b", wall_ns, wall_ns, wall_trusted=True)
        alarm_id = raise_alarm(book, f"source:s{number}", **facts, stamp=stamp)
        effects = flush(book, stamp)
        if number == 0:
            later = Stamp(1, "b", wall_ns + 30 * 10**9, wall_ns + 30 * 10**9, wall_trusted=True)
            assert acknowledge(book, alarm_id, "panel:p", later) == "ok"
            effects += flush(book, later)
        for effect in effects:
            if isinstance(effect, Put):
                kept[type(effect.row), *(getattr(effect.row, name) for name in type(effect.row).KEY)] = effect.row
    return list(kept.values())


@pytest.fixture(scope="module")
def books(memory_folder):
    directory = memory_folder()
    store = FactsStore.open(directory, ROW_TYPES, vertical="garage", ballast_bytes=0)
    done, errors = threading.Event(), []
    record = LogRecord(Stamp(1, "boot", 1, 1, wall_trusted=True), b"in", b"", RecordKind.INPUT)
    content = [*[session_row(n) for n in range(1, 13)], *alarm_rows(), *DOORS]
    store.submit(Batch(records=[record], rows=content), lambda error: (errors.append(error), done.set()))
    assert done.wait(60)
    assert errors == [None]
    store.close()
    reader = StoreGarageBooks(directory)
    yield reader
    reader.close()


def test_sessions_newest_first_by_owner_and_port_in_pages(books):
    whole = books.sessions(None, "", None, 50).rows
    assert [row.started_ns for row in whole] == sorted((row.started_ns for row in whole), reverse=True)
    assert len(whole) == 12
    mine = books.sessions("m002", "", None, 3)
    assert {row.payer for row in mine.rows} == {"m002"}
    rest = books.sessions("m002", "", mine.next_cursor, 3)
    assert [row.session_id for row in mine.rows + rest.rows] == [r.session_id for r in whole if r.payer == "m002"]
    assert [row.port for row in books.sessions(None, whole[0].port, None, 9).rows] == [whole[0].port]
    assert books.sessions("", "", None, 9).rows == [], "a resident without a member token sees nothing"


def test_the_journal_is_newest_first(books):
    events = books.alarm_events(None, 3).rows
    assert [(row.event, row.detail) for row in events] == [("raise", "s4"), ("raise", "s3"), ("raise", "s2")]


def test_the_journal_of_the_doors_is_newest_first_by_door_in_pages(books):
    found, cursor = [], None
    while not found or cursor is not None:
        listing = books.access_events("", cursor, 9)
        found, cursor = [*found, *listing.rows], listing.next_cursor
    assert found == DOORS[::-1]
    assert books.access_events("B2-gate", None, 50).rows == [row for row in found if row.door == "B2-gate"]
    assert books.access_events("nowhere", None, 50).rows == []
    with pytest.raises(BadCursor):
        books.access_events("B2-gate", "rubbish", 5)


def test_the_report_counts_what_is_stored_and_ages_what_stands(books):
    now_ns = AT_NS + 4 * HOUR_NS
    report = books.report(now_ns, 1, 24)
    assert (report.annunciations, report.peak_hour, report.standing) == (5, 1, 5)
    assert (report.share_low_pct, report.mean_ack_wait_s) == (100.0, 30.0)
    assert report.stale == ()
    assert books.report(now_ns, 1, 2).annunciations == 2
    assert len(books.report(AT_NS + 26 * HOUR_NS, 1, 24).stale) == 3, "over 24 h old by then"


def test_a_bad_cursor_and_a_missing_store_say_so(books, tmp_path):
    with pytest.raises(BadCursor):
        books.sessions(None, "", "zzz", 5)
    nothing = StoreGarageBooks(tmp_path)
    with pytest.raises(BooksAway):
        nothing.alarm_events(None, 5)
    nothing.close()
