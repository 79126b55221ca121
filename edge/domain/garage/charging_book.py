"""The sessions of a garage as the kernel keeps them, and the rows that bring them back after a start.

A session survives a restart with all its durations: downtime counts, and when nobody can say how long it was, the
session ends. A user would notice a mistake as a session that is billed twice, or not at all.
"""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import msgspec

from edge.domain.field_devices import MeterReading
from edge.domain.garage import charging, load, purses, tariff
from edge.domain.garage.charging import Charging
from edge.domain.garage.load import Load
from edge.domain.garage.messages import PurseCopy
from edge.domain.garage.purses import Purses
from edge.domain.garage.session_rows import (
    ChargeRow,
    CutRecordRow,
    LoadRow,
    PortChargingRow,
    PurseCopyRow,
    SessionRow,
)
from edge.domain.garage.tariff import Bill, PricePart
from edge.domain.kernel import Row, Rows, Stamp

PURSES_KIND = "purses"
#: So long the id of a session may not be used again: longer than the canteen takes a repeated charge for paid.
ID_DAYS = 100


class Session(msgspec.Struct, kw_only=True):
    """One session at a port. ``waiting``: in the zone's queue, its port off. ``billed_wh``: of ``charging.total_wh``
    what the bill has seen. ``at_mono_ns``: when that was."""

    session_id: str
    port: str
    zone: str
    member: str
    card: str
    day: str
    started_ns: int
    limit_fen: int
    limit_min: int
    charging: Charging
    bill: Bill
    waiting: bool = False
    billed_wh: float = 0.0
    at_mono_ns: int = 0


class Book(msgspec.Struct, kw_only=True):
    """All sessions by port, the purses, charges on their way, the queues of the zones, and when those are looked at.
    ``due_ns``: not after the first moment at which time alone does something; made anew when sessions ``moved``.
    ``spent``: marks of the ids that sessions had, by the business day on which these began."""

    sessions: dict[str, Session] = {}
    purses: Purses = msgspec.field(default_factory=Purses)
    charges: dict[str, ChargeRow] = {}
    loads: dict[str, Load] = {}
    resumed_ns: dict[str, int] = {}
    load_due_ns: int = 0
    due_ns: int | None = None
    moved: bool = True
    spent: dict[str, list[int]] = {}


def is_spent(book: Book, session_id: str) -> bool:
    """Whether a session has or had this id: a page makes it, and what is charged by it is charged once."""
    if session_id in book.purses.reserved or session_id in book.charges:
        return True
    if any(session.session_id == session_id for session in book.sessions.values()):
        return True  # begun before the first day was known: its mark went when that day began
    mark = _mark(session_id)
    return any(mark in marks for marks in book.spent.values())


def enter(book: Book, session: Session) -> None:
    """A session begins; its id is used up."""
    book.sessions[session.port], book.moved = session, True
    _spend(book, session.session_id, session.day)


def _spend(book: Book, session_id: str, day: str) -> None:
    book.spent.setdefault(day, []).append(_mark(session_id))


def forget_ids(book: Book, day: str) -> None:
    """``day`` begins: ids of long ago may be used again."""
    oldest = _ids_kept_from(day)
    book.spent = {began: marks for began, marks in book.spent.items() if began >= oldest}


def _ids_kept_from(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=ID_DAYS)).isoformat() if day else ""


def _mark(session_id: str) -> int:
    """Eight bytes stand for an id: the world, which is written each hour, holds tens of thousands."""
    return int.from_bytes(hashlib.blake2b(session_id.encode(), digest_size=8).digest())


def cost(session: Session) -> int:
    return _price(session)[0]


def _price(session: Session) -> tuple[int, tuple[PricePart, ...]]:
    """(fen, parts) of what is charged: never more than the limit, which the last reading may have passed and the
    tariff's minimum may be above of."""
    fen, parts = tariff.price(session.bill)
    over = fen - session.limit_fen if session.limit_fen else 0
    if over <= 0:
        return fen, parts
    waived = PricePart(kind="limit", start_min=0, end_min=1440, energy_mwh=0, fen_per_kwh=0, fen=-over)
    return session.limit_fen, (*parts, waived)


def book_energy(session: Session, reading: MeterReading, stamp: Stamp) -> None:
    """Put on the bill what was drawn since the last reading. A stored one tells a counter of before: it would be billed
    up to now a second time."""
    if reading.retained:
        return
    drawn = session.charging.total_wh
    energy = tariff.interval_mwh(session.bill, max(0, round((drawn - session.billed_wh) * 1000)), reading.energy_wh)
    length_ns = max(0, stamp.mono_ns - session.at_mono_ns)
    session.billed_wh, session.at_mono_ns = drawn, stamp.mono_ns
    tariff.add(session.bill, energy, stamp.wall_ns, length_ns, trusted=stamp.wall_trusted)


def session_row(session: Session, stamp: Stamp, *, ended: bool) -> SessionRow:
    """The session as it stands."""
    fen, parts = _price(session)
    return SessionRow(
        session_id=session.session_id,
        port=session.port,
        zone=session.zone,
        payer=session.member,
        card=session.card,
        day=session.day,
        state="ended" if ended else "waiting" if session.waiting else "charging",
        reason=session.charging.reason,
        started_ns=session.started_ns,
        ended_ns=stamp.wall_ns if ended else 0,
        charging_ms=session.charging.age_ns // 1_000_000,
        energy_mwh=tariff.total_mwh(session.bill),
        cost_fen=fen,
        limit_fen=session.limit_fen,
        limit_min=session.limit_min,
        tariff_version=session.bill.tariff.version,
        parts=msgspec.msgpack.encode(parts),
    )


def port_row(session: Session, stamp: Stamp, *, is_open: bool, armed: bool) -> PortChargingRow:
    """The machine of the port, for the next start."""
    return PortChargingRow(
        port=session.port,
        session_id=session.session_id,
        open=is_open,
        armed=armed,
        at_ns=stamp.wall_ns,
        charging=msgspec.msgpack.encode(charging.without_samples(session.charging)),
        bill=msgspec.msgpack.encode(session.bill),
    )


def cut_row(session: Session, stamp: Stamp) -> CutRecordRow:
    """Why it ended, with the evidence."""
    state = session.charging
    return CutRecordRow(
        seq=stamp.seq,
        port=session.port,
        session_id=session.session_id,
        reason=state.reason,
        phase=state.phase.value,
        at_ns=stamp.wall_ns,
        age_ms=state.age_ns // 1_000_000,
        detail=state.how,
        samples=bytes(state.samples),
    )


def copy_row(copy: PurseCopy, stamp: Stamp) -> PurseCopyRow:
    body = msgspec.msgpack.encode(copy.purses)
    return PurseCopyRow(kind=PURSES_KIND, as_of_ns=copy.as_of_wall_ns, received_ns=stamp.wall_ns, body=body)


def load_row(zone: str, queue: Load, stamp: Stamp) -> LoadRow:
    return LoadRow(zone=zone, at_ns=stamp.wall_ns, body=msgspec.msgpack.encode(queue))


def ended_rows(book: Book, session: Session, stamp: Stamp, *, armed: bool) -> list[Row]:
    """All that a session leaves behind; its charge goes on its way."""
    rows: list[Row] = [
        session_row(session, stamp, ended=True),
        port_row(session, stamp, is_open=False, armed=armed),
        cut_row(session, stamp),
    ]
    charge = purses.settle(book.purses, session.session_id, session.member, cost(session), stamp.wall_ns)
    if charge is not None:
        book.charges[session.session_id] = charge
        rows.append(charge)
    return rows


def load_book(rows: Rows, day: str) -> Book:
    """The book as committed rows tell it on ``day`` ("" before the first). Running sessions wait for ``resumed_ns``
    (their row's wall time) to be turned into downtime by the first turn after the start. Of sessions and charges only
    those are read that matter now: the rows are of all years, and nothing is cut until they are read."""
    book = Book()
    for copy in rows.all(PurseCopyRow):
        known = msgspec.msgpack.decode(copy.body, type=tuple[tuple[str, str, int], ...])
        purses.take_copy(book.purses, PurseCopy(as_of_wall_ns=copy.as_of_ns, purses=known))
    _load_charges(book, rows)
    for began, session_id in rows.columns_since(SessionRow, ("day", "session_id"), _ids_kept_from(day)):
        _spend(book, session_id, began)
    _load_sessions(book, rows)
    drawing = {port for port, session in book.sessions.items() if not session.waiting}
    for queue in rows.all(LoadRow):
        book.loads[queue.zone] = msgspec.msgpack.decode(queue.body, type=Load)
        load.rebase(book.loads[queue.zone], drawing)
    return book


def _load_charges(book: Book, rows: Rows) -> None:
    """Charges on their way, and those paid since the copy of the purses was taken, which does not contain them."""
    answered = rows.since(ChargeRow, "answered_ns", book.purses.as_of_wall_ns)
    unseen = [charge for charge in answered if charge.state == "paid"]
    for state in ("pending", "owed"):
        unseen += rows.where(ChargeRow, {"state": state})
    for charge in sorted(unseen, key=lambda charge: charge.session_id):
        paid_ns = charge.answered_ns if charge.state == "paid" else 0
        book.purses.unseen[charge.session_id] = (charge.member, charge.fen, paid_ns)
        if charge.state != "paid":
            book.charges[charge.session_id] = charge


def _load_sessions(book: Book, rows: Rows) -> None:
    """The sessions whose port says that it has them open, by id: on whatever day they began, "0000-00-00" included."""
    machines = [machine for machine in rows.all(PortChargingRow) if machine.open]
    for machine in sorted(machines, key=lambda machine: machine.session_id):
        for row in rows.where(SessionRow, {"session_id": machine.session_id}):
            if row.state == "ended" or row.port != machine.port:
                continue
            book.sessions[row.port] = _session(row, machine)
            book.resumed_ns[row.port] = machine.at_ns
            if row.payer:
                book.purses.reserved[row.session_id] = (row.payer, row.limit_fen)


def _session(row: SessionRow, machine: PortChargingRow) -> Session:
    state = msgspec.msgpack.decode(machine.charging, type=Charging)
    return Session(
        session_id=row.session_id,
        port=row.port,
        zone=row.zone,
        member=row.payer,
        card=row.card,
        day=row.day,
        started_ns=row.started_ns,
        limit_fen=row.limit_fen,
        limit_min=row.limit_min,
        charging=state,
        bill=msgspec.msgpack.decode(machine.bill, type=Bill),
        waiting=row.state == "waiting",
        billed_wh=state.total_wh,
    )
