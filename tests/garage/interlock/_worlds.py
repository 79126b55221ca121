"""Worlds for the explorer: copies, the rows that they believe to be on disk, a kernel without what decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from edge.domain.actors import Actor
from edge.domain.answered import ConfigRow
from edge.domain.garage import kernel, port_kernel, switching, zones
from edge.domain.garage.messages import StartSession, StopSession
from edge.domain.garage.world import World
from edge.domain.garage.zone_rows import CauseRow, SwitchRow, ZoneRow
from edge.domain.outcome import Outcome, refused


def clone(world: World) -> World:
    """A copy that shares what no input changes. By the structs' own ``__copy__``: ``copy.copy`` takes twice as long to
    find it, a million times."""
    new = world.__copy__()
    new.sources = {name: one.__copy__() for name, one in world.sources.items()}
    new.ports = {name: one.__copy__() for name, one in world.ports.items()}
    new.outputs, new.zones = outputs, zones_ = {}, {}
    for name, output in world.outputs.items():
        outputs[name] = one = output.__copy__()
        one.switch = output.switch.__copy__()
    for name, zone in world.zones.items():
        zones_[name] = one = zone.__copy__()
        one.causes = zone.causes.copy()
        one.calm.until_ns, one.calm.rest_due_ns = zone.calm.until_ns, zone.calm.rest_due_ns
    new.switch_rows, new.replies = world.switch_rows.copy(), {}
    return new


class WorldRows:
    """The rows that a world believes to be on disk."""

    def __init__(self, world: World, config_row: ConfigRow) -> None:
        self._tables: dict[type, list[Any]] = {
            ConfigRow: [config_row],
            ZoneRow: [zone.row for zone in world.zones.values() if zone.row is not None],
            CauseRow: [cause for zone in world.zones.values() for cause in zone.causes.values()],
            SwitchRow: list(world.switch_rows.values()),
        }

    def told(self) -> tuple[Any, ...]:
        """All of it, to the last value, to be compared."""
        return tuple(row for kind in (ZoneRow, CauseRow, SwitchRow) for row in self._tables[kind])

    def all(self, kind: type) -> Any:
        return iter(self._tables.get(kind, ()))

    def since(self, kind: type, column: str, value: Any) -> Any:
        return (row for row in self.all(kind) if getattr(row, column) >= value)

    def where(self, kind: type, where: Mapping[str, Any]) -> Any:
        return (row for row in self.all(kind) if where.items() <= msgspec.structs.asdict(row).items())

    def columns_since(self, kind: type, columns: tuple[str, ...], value: Any) -> Any:
        found = self.since(kind, columns[0], value)
        return iter(sorted(tuple(getattr(row, name) for name in columns) for row in found))


def plain_start(turn: Any, body: StartSession, _actor: Actor) -> Outcome:
    """A port as a plain switch: what the interlock allows, without purse, queue and battery."""
    port = turn.world.ports[body.port]
    why = "port_busy" if port.wanted else switching.blocks_on(turn.world, port)
    if why:
        return refused("not_now", problem=why)
    switching.switch_on(turn, port)
    return Outcome("ok", {})


def plain_stop(turn: Any, body: StopSession, _actor: Actor) -> Outcome:
    switching.cut_port(turn, turn.world.ports[body.port], "stopped", urgent=False)
    return Outcome("ok", {})


def quiet(monkeypatch: Any) -> None:
    """Views and alarms off, for nothing decides by them; charging is a plain switch (it has tests of its own)."""
    monkeypatch.setattr(zones, "sync_alarms", lambda turn, zone: None)
    monkeypatch.setattr(kernel, "flush", lambda book, stamp: [])
    monkeypatch.setattr(kernel, "shows", lambda turn: [])
    monkeypatch.setattr(port_kernel, "start", plain_start)
    monkeypatch.setattr(port_kernel, "stop", plain_stop)
    for name in ("metered", "reported", "spoke", "ended", "tick"):
        monkeypatch.setattr(port_kernel, name, lambda *_args: None)
    monkeypatch.setattr(port_kernel, "due_ns", lambda _world: None)
