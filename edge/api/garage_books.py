"""What the API reads from the garage's store: sessions, the journals of alarms and doors, the figures of the alarms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from edge.api.books import BadCursor, BooksAway, Listing
from edge.domain.alarm_flush import load_alarms
from edge.domain.alarm_metrics import AlarmKpi, kpi
from edge.domain.alarm_rows import AlarmEventRow
from edge.domain.garage.access_rows import AccessEventRow
from edge.domain.garage.session_rows import SessionRow
from edge.domain.kernel import Row, Stamp
from edge.storage.errors import StoreError
from edge.storage.reading import StoreReader, Value

R = TypeVar("R", bound=Row)
T = TypeVar("T")
#: Rows of one table that a report reads at most: 20 days of hours, all standing alarms.
MAX_ROWS = 500


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A charging session, open (``ended_ns`` 0) or closed. ``member`` is a token, ``charging_s`` the time connected."""

    session_id: str
    port: str
    zone: str
    member: str
    state: str
    reason: str
    started_ns: int
    ended_ns: int
    charging_s: int
    energy_wh: int
    cost_fen: int
    tariff_version: str


class SessionList(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions, newest first."""

    items: list[Session]
    next_cursor: str | None


class AlarmEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the journal of alarms; ``by`` is "" for what happened by itself."""

    alarm_id: str
    event: str
    state: str
    by: str
    detail: str
    at_ns: int
    at_trusted: bool


class AlarmEventList(msgspec.Struct, frozen=True, kw_only=True):
    """The journal, newest first."""

    items: list[AlarmEvent]
    next_cursor: str | None


class GarageBooks(Protocol):
    """Stored rows, read-only. Every method may raise ``BooksAway``, those with a cursor ``BadCursor``."""

    def sessions(self, payer: str | None, port: str, cursor: str | None, limit: int) -> Listing[SessionRow]:
        """Newest first; ``payer`` None is everybody, ``port`` "" any."""
        ...

    def alarm_events(self, cursor: str | None, limit: int) -> Listing[AlarmEventRow]: ...

    def report(self, at_wall_ns: int, operators: int, hours: int) -> AlarmKpi: ...

    def access_events(self, door: str, cursor: str | None, limit: int) -> Listing[AccessEventRow]:
        """Newest first; ``door`` "" any."""
        ...


class StoreGarageBooks:
    """Reads ``facts.db`` of the garage in ``directory``."""

    def __init__(self, directory: Path) -> None:
        self._reader = StoreReader(directory, vertical="garage")

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()

    def sessions(self, payer: str | None, port: str, cursor: str | None, limit: int) -> Listing[SessionRow]:
        where: dict[str, Value] = {
            **({"payer": payer} if payer is not None else {}),
            **({"port": port} if port else {}),
        }
        return self._page(SessionRow, where, ("started_ns", "session_id"), cursor, limit)

    def alarm_events(self, cursor: str | None, limit: int) -> Listing[AlarmEventRow]:
        return self._page(AlarmEventRow, {}, ("seq", "n"), cursor, limit)

    def report(self, at_wall_ns: int, operators: int, hours: int) -> AlarmKpi:
        book = _read(lambda: load_alarms(_Rows(self._reader)))
        # The book's clock stands where the daemon last wrote; what has passed since then ages the alarms too.
        clock = book.clock
        clock.now_ns += max(0, at_wall_ns - clock.wall_ns) if clock.wall_ns else 0
        return kpi(book, Stamp(0, "", 0, at_wall_ns, wall_trusted=True), operators=operators, hours=hours)

    def access_events(self, door: str, cursor: str | None, limit: int) -> Listing[AccessEventRow]:
        return self._page(AccessEventRow, {"door": door} if door else {}, ("seq", "door", "what"), cursor, limit)

    def _page(
        self, kind: type[R], where: dict[str, Value], by: tuple[str, ...], cursor: str | None, limit: int
    ) -> Listing[R]:
        def page() -> Listing[R]:
            found = self._reader.page(kind, where, by=by, newest_first=True, cursor=cursor, limit=limit)
            return Listing(found.rows, found.cursor)

        return _read(page)


class _Rows:
    """The reader as ``StandingRows``."""

    def __init__(self, reader: StoreReader) -> None:
        self._reader = reader

    def all(self, kind: type[R]) -> list[R]:
        by: tuple[str, ...] = kind.KEY  # type: ignore[attr-defined] # every row struct has one
        return self._reader.page(kind, by=by, newest_first=True, limit=MAX_ROWS).rows

    def where(self, kind: type[R], where: Mapping[str, str | int]) -> list[R]:
        return self._reader.fetch(kind, where, limit=MAX_ROWS)


def _read(work: Callable[[], T]) -> T:
    try:
        return work()
    except StoreError as exc:
        if exc.code == "cursor":
            raise BadCursor(exc.text) from exc
        raise BooksAway(f"{exc.code}: {exc.text}") from exc


def session_list(listing: Listing[SessionRow]) -> SessionList:
    """Stored sessions as an answer."""
    items = [
        Session(
            session_id=row.session_id,
            port=row.port,
            zone=row.zone,
            member=row.payer,
            state=row.state,
            reason=row.reason,
            started_ns=row.started_ns,
            ended_ns=row.ended_ns,
            charging_s=row.charging_ms // 1000,
            energy_wh=row.energy_mwh // 1000,
            cost_fen=row.cost_fen,
            tariff_version=row.tariff_version,
        )
        for row in listing.rows
    ]
    return SessionList(items=items, next_cursor=listing.next_cursor)


def event_list(listing: Listing[AlarmEventRow]) -> AlarmEventList:
    """The stored journal as an answer."""
    items = [
        AlarmEvent(
            alarm_id=row.alarm_id,
            event=row.event,
            state=row.state,
            by=row.by,
            detail=row.detail,
            at_ns=row.at_ns,
            at_trusted=row.at_trusted,
        )
        for row in listing.rows
    ]
    return AlarmEventList(items=items, next_cursor=listing.next_cursor)
