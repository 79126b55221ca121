"""The rows of the made-up gym in memory, and the books that the API reads from them. Never part of a running site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol, TypeVar

from edge.api.books import BadCursor, BooksAway, Listing
from edge.domain.gym.photo_rows import PhotoDataRow, PhotoRow
from edge.domain.gym.pulses import PulseRow
from edge.domain.gym.rows import HeartAlarmRow, PersonRow, UseRow, VitalsRow, WorkoutRow
from edge.domain.gym.trail_rows import CountDayRow, LapRow
from edge.domain.gym.wear_rows import InspectionRow, OrderRow, OrderStepRow, WearDayRow, WearRow
from edge.domain.kernel import Row

R = TypeVar("R", bound=Row)


Key = tuple[Any, ...]
#: Values of some columns -> the rows that hold them, by primary key.
Index = dict[Key, dict[Key, Row]]


def _values(row: Row, names: tuple[str, ...]) -> Key:
    return tuple(getattr(row, name) for name in names)


class MemoryRows:
    """Rows as the store would give them back: by table and primary key, in key order. What is asked for by some columns
    is found by an index of these columns, made when it is first asked for, as a scan of weeks of rows costs more than
    the whole request."""

    def __init__(self) -> None:
        self._tables: dict[type[Row], dict[Key, Row]] = {}
        self._indexes: dict[type[Row], dict[tuple[str, ...], Index]] = {}

    def copy(self) -> MemoryRows:
        """The same rows (which never change) in tables of their own."""
        made = MemoryRows()
        made._tables = {kind: dict(table) for kind, table in self._tables.items()}
        return made

    def put(self, row: Row) -> None:
        key = _values(row, type(row).KEY)  # type: ignore[attr-defined] # every stored row names its key
        table = self._tables.setdefault(type(row), {})
        before = table.get(key)
        table[key] = row
        for names, index in self._indexes.get(type(row), {}).items():
            if before is not None:
                del index[_values(before, names)][key]
            index.setdefault(_values(row, names), {})[key] = row

    def all(self, kind: type[R]) -> Iterator[R]:
        return iter(_in_order(self._tables.get(kind, {})))

    def where(self, kind: type[R], where: Mapping[str, Any]) -> list[R]:
        """The rows whose columns have these values."""
        if not where:
            return _in_order(self._tables.get(kind, {}))
        names, indexes = tuple(where), self._indexes.setdefault(kind, {})
        if names not in indexes:
            made: Index = {}
            for key, row in self._tables.get(kind, {}).items():
                made.setdefault(_values(row, names), {})[key] = row
            indexes[names] = made
        return _in_order(indexes[names].get(tuple(where.values()), {}))

    def since(self, kind: type[R], column: str, value: str | int) -> Iterator[R]:
        return (row for row in self.all(kind) if getattr(row, column) >= value)

    def columns_since(self, kind: type[R], columns: tuple[str, ...], value: str | int) -> Iterator[Key]:
        return iter(sorted(_values(row, columns) for row in self.since(kind, columns[0], value)))


def _in_order(table: Mapping[Key, Row]) -> list[Any]:
    return [table[key] for key in sorted(table)]


class HasRows(Protocol):
    """Where the books find the rows of the scene that plays now."""

    rows: MemoryRows


class MemoryGymBooks:
    """As ``edge.api.gym_books.StoreGymBooks``, over the script's rows."""

    def __init__(self, script: HasRows) -> None:
        self._script = script
        self.away = False

    def workouts(self, where: Mapping[str, Any], cursor: str | None, limit: int) -> Listing[WorkoutRow]:
        return self._page(WorkoutRow, where, ("began_ns", "workout_id"), cursor, limit)

    def workout(self, workout_id: str) -> WorkoutRow | None:
        return next(iter(self._where(WorkoutRow, {"workout_id": workout_id})), None)

    def heart_alarms(self, workout_id: str) -> list[HeartAlarmRow]:
        return self._where(HeartAlarmRow, {"workout_id": workout_id})

    def pulses(self, workout_id: str) -> list[PulseRow]:
        return self._where(PulseRow, {"workout_id": workout_id})

    def person(self, person: str) -> PersonRow | None:
        return next(iter(self._where(PersonRow, {"person": person, "known": True})), None)

    def vitals(self, person: str, cursor: str | None, limit: int) -> Listing[VitalsRow]:
        return self._page(VitalsRow, {"person": person}, ("seq",), cursor, limit)

    def orders(self, where: Mapping[str, Any], cursor: str | None, limit: int) -> Listing[OrderRow]:
        return self._page(OrderRow, where, ("opened_ns", "order_id"), cursor, limit)

    def order_steps(self, order_id: str) -> list[OrderStepRow]:
        return self._where(OrderStepRow, {"order_id": order_id})

    def wear(self, asset: str) -> WearRow | None:
        return next(iter(self._where(WearRow, {"asset": asset})), None)

    def wear_days(self, asset: str, cursor: str | None, limit: int) -> Listing[WearDayRow]:
        return self._page(WearDayRow, {"asset": asset}, ("day",), cursor, limit)

    def inspections(self, asset: str, cursor: str | None, limit: int) -> Listing[InspectionRow]:
        return self._page(InspectionRow, {"asset": asset}, ("seq",), cursor, limit)

    def photo(self, kind: str, ref: str) -> PhotoRow | None:
        return next(iter(self._where(PhotoRow, {"kind": kind, "ref": ref})), None)

    def picture(self, kind: str, ref: str) -> bytes:
        return next((row.jpeg for row in self._where(PhotoDataRow, {"kind": kind, "ref": ref})), b"")

    def laps(self, trail: str, cursor: str | None, limit: int) -> Listing[LapRow]:
        return self._page(LapRow, {"trail": trail}, ("at_ns", "outing_id", "lap"), cursor, limit)

    def use_hours(self, day: str) -> list[UseRow]:
        return self._where(UseRow, {"day": day})

    def counts(self, day: str) -> list[CountDayRow]:
        return self._where(CountDayRow, {"day": day})

    def _where(self, kind: type[R], where: Mapping[str, Any]) -> list[R]:
        if self.away:
            raise BooksAway("preview: away")
        return self._script.rows.where(kind, where)

    def _page(
        self, kind: type[R], where: Mapping[str, Any], by: tuple[str, ...], cursor: str | None, limit: int
    ) -> Listing[R]:
        found = sorted(self._where(kind, where), key=lambda row: tuple(getattr(row, name) for name in by), reverse=True)
        if cursor is not None and not cursor.isdecimal():
            raise BadCursor(cursor)
        start = int(cursor or "0")
        return Listing(found[start : start + limit], str(start + limit) if start + limit < len(found) else None)
