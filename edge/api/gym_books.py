"""What the API reads from the gym's store: workouts, people, measurements, orders, wear, use, laps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from edge.api.books import BadCursor, BooksAway, Listing
from edge.domain.gym.photo_rows import PhotoDataRow, PhotoRow
from edge.domain.gym.pulses import PulseRow
from edge.domain.gym.rows import HeartAlarmRow, PersonRow, UseRow, VitalsRow, WorkoutRow
from edge.domain.gym.trail_rows import CountDayRow, LapRow
from edge.domain.gym.wear_rows import InspectionRow, OrderRow, OrderStepRow, WearDayRow, WearRow
from edge.domain.kernel import Row
from edge.storage.errors import StoreError
from edge.storage.reading import StoreReader, Value

R = TypeVar("R", bound=Row)
T = TypeVar("T")
MAX_ROWS = 500


class GymBooks(Protocol):
    """The stored rows of a gym. Every method may raise ``BooksAway``, those with a cursor ``BadCursor``."""

    def workouts(self, where: dict[str, Value], cursor: str | None, limit: int) -> Listing[WorkoutRow]:
        """Newest first; ``where`` may hold person, asset, day."""
        ...

    def workout(self, workout_id: str) -> WorkoutRow | None: ...

    def heart_alarms(self, workout_id: str) -> list[HeartAlarmRow]:
        """The warnings and alarms of a workout, with their samples."""
        ...

    def pulses(self, workout_id: str) -> list[PulseRow]:
        """The parts of a workout's pulse, in order."""
        ...

    def person(self, person: str) -> PersonRow | None:
        """What staff have set; None also for a person who was forgotten."""
        ...

    def vitals(self, person: str, cursor: str | None, limit: int) -> Listing[VitalsRow]:
        """Measurements on arrival, newest first."""
        ...

    def orders(self, where: dict[str, Value], cursor: str | None, limit: int) -> Listing[OrderRow]:
        """Work orders, newest first; ``where`` may hold asset, standing."""
        ...

    def order_steps(self, order_id: str) -> list[OrderStepRow]:
        """What was done to an order."""
        ...

    def wear(self, asset: str) -> WearRow | None:
        """A machine's wear as it was last kept."""
        ...

    def wear_days(self, asset: str, cursor: str | None, limit: int) -> Listing[WearDayRow]:
        """A machine's days, newest first."""
        ...

    def inspections(self, asset: str, cursor: str | None, limit: int) -> Listing[InspectionRow]:
        """Inspections of a machine, newest first."""
        ...

    def photo(self, kind: str, ref: str) -> PhotoRow | None:
        """The facts of a photo, also of one that was erased."""
        ...

    def picture(self, kind: str, ref: str) -> bytes:
        """The photo itself; empty when there is none."""
        ...

    def laps(self, trail: str, cursor: str | None, limit: int) -> Listing[LapRow]:
        """Laps of a trail, newest first."""
        ...

    def use_hours(self, day: str) -> list[UseRow]:
        """The hours of one day."""
        ...

    def counts(self, day: str) -> list[CountDayRow]:
        """The uses of every outdoor point on a day that is over."""
        ...


class StoreGymBooks:
    """Reads ``facts.db`` of the gym in ``directory``, read-only; see ``GymBooks``."""

    def __init__(self, directory: Path) -> None:
        self._reader = StoreReader(directory, vertical="gym")

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()

    def workouts(self, where: dict[str, Value], cursor: str | None, limit: int) -> Listing[WorkoutRow]:
        return self._page(WorkoutRow, where, ("began_ns", "workout_id"), cursor, limit)

    def workout(self, workout_id: str) -> WorkoutRow | None:
        return _read(lambda: self._reader.get(WorkoutRow, workout_id))

    def heart_alarms(self, workout_id: str) -> list[HeartAlarmRow]:
        return _read(lambda: self._reader.fetch(HeartAlarmRow, {"workout_id": workout_id}, limit=MAX_ROWS))

    def pulses(self, workout_id: str) -> list[PulseRow]:
        return _read(lambda: self._reader.fetch(PulseRow, {"workout_id": workout_id}, limit=MAX_ROWS))

    def person(self, person: str) -> PersonRow | None:
        row = _read(lambda: self._reader.get(PersonRow, person))
        return row if row is not None and row.known else None

    def vitals(self, person: str, cursor: str | None, limit: int) -> Listing[VitalsRow]:
        return self._page(VitalsRow, {"person": person}, ("seq", "at_ns"), cursor, limit)

    def orders(self, where: dict[str, Value], cursor: str | None, limit: int) -> Listing[OrderRow]:
        return self._page(OrderRow, where, ("opened_ns", "order_id"), cursor, limit)

    def order_steps(self, order_id: str) -> list[OrderStepRow]:
        return _read(lambda: self._reader.fetch(OrderStepRow, {"order_id": order_id}, limit=MAX_ROWS))

    def wear(self, asset: str) -> WearRow | None:
        return _read(lambda: self._reader.get(WearRow, asset))

    def wear_days(self, asset: str, cursor: str | None, limit: int) -> Listing[WearDayRow]:
        return self._page(WearDayRow, {"asset": asset}, ("asset", "day"), cursor, limit)

    def inspections(self, asset: str, cursor: str | None, limit: int) -> Listing[InspectionRow]:
        return self._page(InspectionRow, {"asset": asset}, ("seq",), cursor, limit)

    def photo(self, kind: str, ref: str) -> PhotoRow | None:
        return _read(lambda: self._reader.get(PhotoRow, kind, ref))

    def picture(self, kind: str, ref: str) -> bytes:
        row = _read(lambda: self._reader.get(PhotoDataRow, kind, ref))
        return b"" if row is None else row.jpeg

    def laps(self, trail: str, cursor: str | None, limit: int) -> Listing[LapRow]:
        return self._page(LapRow, {"trail": trail}, ("at_ns", "outing_id", "lap"), cursor, limit)

    def use_hours(self, day: str) -> list[UseRow]:
        return self._all(UseRow, {"day": day}, ("day", "hour", "zone", "kind"))

    def counts(self, day: str) -> list[CountDayRow]:
        return self._all(CountDayRow, {"day": day}, ("day", "asset"))

    def _all(self, kind: type[R], where: dict[str, Value], by: tuple[str, ...]) -> list[R]:
        """Every row, however many: a park of 65 places has more hours of use a day than one page holds."""
        found: list[R] = []
        cursor: str | None = None
        while True:
            page = self._page(kind, where, by, cursor, MAX_ROWS)
            found += page.rows
            cursor = page.next_cursor
            if cursor is None:
                return found[::-1]

    def _page(
        self, kind: type[R], where: dict[str, Value], by: tuple[str, ...], cursor: str | None, limit: int
    ) -> Listing[R]:
        def page() -> Listing[R]:
            found = self._reader.page(kind, where, by=by, newest_first=True, cursor=cursor, limit=limit)
            return Listing(found.rows, found.cursor)

        return _read(page)


def _read(work: Callable[[], T]) -> T:
    try:
        return work()
    except StoreError as exc:
        if exc.code == "cursor":
            raise BadCursor(exc.text) from exc
        raise BooksAway(f"{exc.code}: {exc.text}") from exc
