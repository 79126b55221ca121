"""A desk with a book of alarms, a clock that the test turns, and a store that keeps the rows that the book gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import pytest

from edge.domain.alarm_book import AlarmBook, Step
from edge.domain.alarm_flush import flush, load_alarms
from edge.domain.alarm_states import Priority
from edge.domain.alarm_views import AlarmsView, AlarmView, alarms_view
from edge.domain.alarms import clear_alarm, raise_alarm, tick
from edge.domain.kernel import Effects, Put, Row, Send, Show, Stamp
from edge.domain.notices import Notify

S = 1_000_000_000


class Desk:
    """``rows`` is what is on disk after each ``done``; ``restart`` makes the book anew from it alone."""

    def __init__(self, steps: tuple[Step, ...] = ()) -> None:
        self.steps = steps
        self.book = AlarmBook(steps=steps)
        self.seq, self.boot, self.mono_ns, self.wall_ns = 0, "boot-1", 1000 * S, 1_790_000_000 * S
        self.trusted = True
        self.rows: dict[type, dict[Any, Row]] = {}
        self.sent: list[Notify] = []
        self.view: AlarmsView | None = None
        self.changed: Effects = []

    # --- the store, as a kernel reads it ---

    def all(self, kind: type) -> Iterator[Any]:
        yield from (row for _, row in sorted(self.rows.get(kind, {}).items()))

    def where(self, kind: type, where: Mapping[str, str | int]) -> Any:
        return iter([row for row in self.all(kind) if where.items() <= msgspec.structs.asdict(row).items()])

    # --- time ---

    def stamp(self) -> Stamp:
        self.seq += 1
        return Stamp(self.seq, self.boot, self.mono_ns, self.wall_ns, self.trusted)

    def wait(self, seconds: float) -> None:
        self.mono_ns += int(seconds * S)
        self.wall_ns += int(seconds * S)

    def tick(self, seconds: float = 0) -> Effects:
        self.wait(seconds)
        return self.do(tick)

    def restart(self, seconds: float = 5, *, trusted: bool = True, wall_step_s: float = 0) -> None:
        self.boot += "+"
        self.mono_ns = 7 * S
        self.wall_ns += int((seconds + wall_step_s) * S)
        self.trusted = trusted
        self.book = load_alarms(self, self.steps)
        self.do(tick)

    # --- acts ---

    def do(self, act: Callable[..., Any], *args: Any, **kwargs: Any) -> Effects:
        stamp = self.stamp()
        self.result = act(self.book, *args, stamp=stamp, **kwargs)
        self.changed = flush(self.book, stamp)
        for effect in self.changed:
            match effect:
                case Put(row=row):
                    key = tuple(getattr(row, name) for name in type(row).KEY)
                    self.rows.setdefault(type(row), {})[key] = row
                case Send(command=command):
                    self.sent.append(command)
                case Show(view=view):
                    self.view = view
        again = msgspec.msgpack.decode(msgspec.msgpack.encode(self.book), type=AlarmBook)
        assert again == self.book, "a snapshot of the world must hold the whole book"
        return self.changed

    def raise_(self, key: str, detail: str = "", priority: Priority = Priority.MEDIUM, **more: Any) -> str:
        facts = {"cause": key.split(":", maxsplit=1)[0], "zone": "B1", "priority": priority, "detail": detail, **more}
        self.do(raise_alarm, key, **facts)
        return self.result

    def clear(self, key: str) -> None:
        self.do(clear_alarm, key)

    # --- looking ---

    def now(self) -> AlarmsView:
        return alarms_view(self.book, Stamp(self.seq, self.boot, self.mono_ns, self.wall_ns, self.trusted))

    def one(self, key: str) -> AlarmView:
        alarm_id = self.book.alarms[key].alarm_id
        return next(alarm for alarm in self.now().alarms if alarm.alarm_id == alarm_id)

    def state(self, key: str) -> str:
        alarm = self.book.alarms.get(key)
        return "normal" if alarm is None else alarm.state.value

    def kept(self, kind: type) -> list[Any]:
        return list(self.all(kind))


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def desk_with() -> Callable[..., Desk]:
    return lambda *steps: Desk(tuple(steps))
