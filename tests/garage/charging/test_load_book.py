"""A start reads what is open and what is young: the book is the same as if everything ever written had been read."""

import random
import sqlite3
from datetime import date, timedelta

import msgspec
import pytest

from edge.domain.garage import charging, charging_book, purses, tariff
from edge.domain.garage.charging_book import Book, Session
from edge.domain.garage.messages import PurseCopy
from edge.domain.garage.rows import ROW_TYPES
from edge.domain.garage.session_rows import ChargeRow, PortChargingRow, PurseCopyRow, SessionRow
from edge.domain.kernel import Stamp
from edge.storage.facts import FactsStore
from edge.storage.tables import table_of

TODAY = date(2026, 11, 23)
COPIED_NS = 10_000
PORTS = [f"B1-p{n}" for n in range(12)]


def read_everything(rows, day):
    """The book by looking at every row: what is read must not change what is known."""
    book = Book()
    for copy in rows.all(PurseCopyRow):
        purses.take_copy(book.purses, PurseCopy(as_of_wall_ns=copy.as_of_ns, purses=()))
    for charge in rows.all(ChargeRow):
        if charge.state != "paid" or charge.answered_ns >= book.purses.as_of_wall_ns:
            paid_ns = charge.answered_ns if charge.state == "paid" else 0
            book.purses.unseen[charge.session_id] = (charge.member, charge.fen, paid_ns)
        if charge.state != "paid":
            book.charges[charge.session_id] = charge
    machines = {row.port: row for row in rows.all(PortChargingRow) if row.open}
    for row in rows.all(SessionRow):
        book.spent.setdefault(row.day, []).append(charging_book._mark(row.session_id))
        machine = machines.get(row.port)
        if row.state == "ended" or machine is None or machine.session_id != row.session_id:
            continue
        book.sessions[row.port] = charging_book._session(row, machine)
        book.resumed_ns[row.port] = machine.at_ns
        if row.payer:
            book.purses.reserved[row.session_id] = (row.payer, row.limit_fen)
    oldest = day and (date.fromisoformat(day) - timedelta(days=100)).isoformat()
    book.spent = {began: marks for began, marks in book.spent.items() if began >= oldest}
    return book


def in_order(book):
    """All of it, with the order of what the kernel goes through; of the spent ids only the days have none."""
    plain = msgspec.structs.replace(book, spent=dict(sorted(book.spent.items())))
    return msgspec.msgpack.encode(plain)


@pytest.fixture
def store(tmp_path):
    store = FactsStore.open(tmp_path, ROW_TYPES, vertical="garage", ballast_bytes=0)
    yield store
    store.close()


@pytest.fixture
def write(tmp_path, store):
    def write(rows):
        connection = sqlite3.connect(tmp_path / "facts.db")
        with connection:
            for row in rows:
                table = table_of(type(row))
                connection.execute(table.put_sql, table.values(row))
        connection.close()

    return write


def session_of(rng, config, number, days_ago):
    """A session of a day, one of ten of "before the first day", under an id that says nothing about when."""
    name = f"{rng.getrandbits(64):016x}-{number}"
    return Session(
        session_id=name,
        port=rng.choice(PORTS),
        zone="B1",
        member=rng.choice(["", "m1", "m2"]),
        card="",
        day=rng.choice([(TODAY - timedelta(days=days_ago)).isoformat()] * 9 + ["0000-00-00"]),
        started_ns=number,
        limit_fen=500,
        limit_min=0,
        charging=charging.start(name, 0, 0),
        bill=tariff.open_bill(config.tariff, 480),
        waiting=rng.random() < 0.3,
    )


def history(rng, config):
    """A year of sessions and charges, and what the ports say: of sessions that run, that ended, that were never written
    or are at another port."""
    around = (0, 1, COPIED_NS - 1, COPIED_NS, COPIED_NS + 1, 2 * COPIED_NS)
    days = [99, 100, 101, *(rng.randrange(365) for _ in range(200))]
    sessions = [session_of(rng, config, number, days_ago) for number, days_ago in enumerate(days)]
    stamp = Stamp(1, "b", 5, 7, wall_trusted=True)
    running = set(rng.sample(range(len(sessions)), 60))
    for number, session in enumerate(sessions):
        yield charging_book.session_row(session, stamp, ended=number not in running)
        if rng.random() < 0.7:
            state = rng.choice(["paid"] * 8 + ["pending", "owed"])
            answered_ns = 0 if state == "pending" else rng.choice(around)
            yield ChargeRow(
                session_id=session.session_id, member="m1", fen=9, state=state, code="", attempts=1, at_ns=3,
                answered_ns=answered_ns,
            )  # fmt: skip
    for port in rng.sample(PORTS, 10):
        some = [sessions[number] for number in (sorted(running) if rng.random() < 0.8 else range(len(sessions)))]
        session = rng.choice([one for one in some if one.port == port or rng.random() < 0.02] or some)
        stamp = Stamp(1, "b", 5, rng.randrange(99), wall_trusted=True)
        row = charging_book.port_row(session, stamp, is_open=rng.random() < 0.9, armed=True)
        row = msgspec.structs.replace(row, session_id="gone") if rng.random() < 0.1 else row
        yield msgspec.structs.replace(row, port=port)
    if rng.random() < 0.8:
        yield PurseCopyRow(kind="purses", as_of_ns=COPIED_NS, received_ns=1, body=msgspec.msgpack.encode(()))


@pytest.mark.parametrize("seed", range(12))
def test_the_book_is_as_if_everything_were_read(garage, store, write, seed):
    rng = random.Random(seed)
    write(history(rng, garage.config))
    for day in (TODAY.isoformat(), ""):
        book, whole = charging_book.load_book(store.rows(), day), read_everything(store.rows(), day)
        assert in_order(book) == in_order(whole)
    assert all((book.sessions, book.charges, book.purses.unseen, len(book.spent) > 100))


def test_an_open_session_is_found_however_long_ago_it_began(garage, store, write):
    rng, stamp = random.Random(1), Stamp(1, "b", 5, 7, wall_trusted=True)
    old, undated, ended = (
        msgspec.structs.replace(session_of(rng, garage.config, n, 300), port=PORTS[n]) for n in range(3)
    )
    undated.day = "0000-00-00"
    write([charging_book.session_row(one, stamp, ended=one is ended) for one in (old, undated, ended)])
    write([charging_book.port_row(one, stamp, is_open=True, armed=True) for one in (old, undated, ended)])
    book = charging_book.load_book(store.rows(), TODAY.isoformat())
    assert {port: one.session_id for port, one in book.sessions.items()} == {
        PORTS[0]: old.session_id,
        PORTS[1]: undated.session_id,
    }
    assert book.spent == {}
