"""A made-up garage for ``edge.api.preview`` and the tests: zones, chargers and real alarms, in scenes. Never part of a
running site.

The alarms are the real book: what the pages' buttons do to it is what the daemon would do.
"""

from __future__ import annotations

import math
import time
from typing import Literal, TypeVar

import msgspec

from edge.api.books import BadCursor, Listing
from edge.api.preview_fakes import MemoryGateway
from edge.api.preview_garage_doors import access_rows
from edge.api.preview_garage_world import (
    AT_NS,
    PORTS,
    ZONES,
    garage_view,
    port_view,
    session_row,
    zone_view,
)
from edge.domain.alarm_book import AlarmBook
from edge.domain.alarm_commands import AckAlarm, AlarmShown, ResetAlarm, ServiceAlarm, ShelveAlarm, act
from edge.domain.alarm_flush import flush
from edge.domain.alarm_metrics import AlarmKpi, kpi
from edge.domain.alarm_rows import AlarmEventRow
from edge.domain.alarm_states import Priority
from edge.domain.alarm_views import alarms_view
from edge.domain.alarms import raise_alarm, shelve, silence, suppress
from edge.domain.garage import messages
from edge.domain.garage.access_rows import AccessEventRow
from edge.domain.garage.messages import Command, CutState, PortPhase, PortView
from edge.domain.garage.session_rows import SessionRow
from edge.domain.kernel import Put, Stamp

R = TypeVar("R")
Scene = Literal[
    "quiet", "watch", "gateway", "aside", "pre_alarm", "fire", "unproven", "latched", "resettable", "unarmed"
]  # fmt: skip
_CUT = {"pre_alarm", "fire", "unproven", "latched", "resettable"}


class GarageScript:
    """Shows one scene at a time; buttons change its alarms, sessions and sound as the daemon would."""

    def __init__(self, gateway: MemoryGateway) -> None:
        self.gateway = gateway
        self.scene: Scene = "quiet"
        self.events: list[AlarmEventRow] = []
        self._seq = 0
        self._begun_ns = time.monotonic_ns()
        self._sessions: dict[str, messages.StartSession] = {}
        self._ended: set[str] = set()
        self._silenced = False
        self.play("quiet")

    def play(self, scene: Scene) -> None:
        """Begin ``scene`` anew."""
        self.scene, self._silenced = scene, False
        self._sessions, self._ended = {}, set()
        self.book = AlarmBook()
        for key, cause, zone, priority, details in _alarms_of(scene):
            for detail in details:
                stamp = self._stamp()
                raise_alarm(
                    self.book,
                    key,
                    cause=cause,
                    zone=zone,
                    priority=priority,
                    detail=detail,
                    stamp=stamp,
                    latched=priority is Priority.FIRE,
                    parent="device:zigbee" if key.startswith("source:") and scene == "gateway" else "",
                )
        if scene == "aside":
            self._put_aside()
        self.show()

    def _put_aside(self) -> None:
        """One alarm on the shelf, one suppressed by design."""
        stamp = self._stamp()
        shelve(self.book, self.book.alarms["stale:B2-smoke-4"].alarm_id, 60, "maintenance:li", stamp, reason="fitter")
        suppress(self.book, "source:S3-smoke-1", "walk_test", stamp)

    @property
    def access(self) -> list[AccessEventRow]:
        """The journal of the doors as the scene has it, oldest first."""
        return access_rows(self.scene, AT_NS)

    def show(self) -> None:
        """Publish everything as it is now."""
        stamp = self._stamp()
        rows = [effect.row for effect in flush(self.book, stamp) if isinstance(effect, Put)]
        self.events += [row for row in rows if isinstance(row, AlarmEventRow)]
        now_s = stamp.mono_ns // 1_000_000_000
        ports = {port: self.port(port, now_s) for port in PORTS}
        for zone in ZONES:
            view = zone_view(zone, self.scene, [ports[port] for port in ZONES[zone].ports])
            self.gateway.show(f"zone/{zone}", msgspec.structs.replace(view, silenced=view.silenced or self._silenced))
        for port, shown in ports.items():
            self.gateway.show(f"port/{port}", shown)
        self.gateway.show("alarms", alarms_view(self.book, stamp))
        self.gateway.show("garage", garage_view(self.scene, list(ports.values())))

    def port(self, port: str, now_s: int) -> PortView:
        """A charger as it is now."""
        cut = self.scene in _CUT and port in ZONES["B1"].ports
        state = CutState.WELDED if self.scene == "unproven" and port == "B1-P07" else CutState.PROVEN
        view = port_view(port, now_s, cut=state if cut else CutState.NONE)
        if port in self._ended:
            nothing = {"power_w": 0.4, "current_a": 0.0, "wanted": False, "on": False, "session_id": "", "member": ""}
            return msgspec.structs.replace(view, phase=PortPhase.EMPTY, reason="stopped", remaining_min=None, **nothing)
        begun = self._sessions.get(port)
        if begun is None or cut:
            return view
        power_w = 180 + 4 * math.sin(now_s / 3)
        return msgspec.structs.replace(
            view,
            phase=PortPhase.CC,
            wanted=True,
            on=True,
            power_w=power_w,
            current_a=power_w / 228,
            session_id=begun.session_id,
            member=begun.member,
            remaining_min=190,
        )

    def answer(self, command: Command) -> tuple[str, object]:
        """Decide a command as the daemon would, as far as the pages can tell."""
        body, stamp = command.body, self._stamp()
        by = f"{command.actor.role.value}:{command.actor.user}"
        code = "ok"
        match body:
            case AckAlarm() | ShelveAlarm() | ResetAlarm() | ServiceAlarm() | AlarmShown():
                code = act(self.book, body, by, stamp)
            case messages.SilenceZone(zone=zone):
                self._silenced = True
                silence(self.book, stamp, zone=zone)
            case messages.ResetZone(zone=zone, panel=panel):
                code = self._reset(zone, panel)
            case messages.StartSession(port=port):
                self._ended.discard(port)
                self._sessions[port] = body
            case messages.StopSession(port=port):
                self._sessions.pop(port, None)
                self._ended.add(port)
            case messages.CutZone():
                self.play("pre_alarm")
            case _:
                pass
        self.show()
        return code, {}

    def _reset(self, zone: str, panel: str) -> str:
        if panel != "B1-door" or zone != "B1":
            return "not_on_site"
        if self.scene != "resettable":
            return "not_resettable" if self.scene in _CUT else "not_latched"
        self.play("quiet")
        return "ok"

    def _stamp(self) -> Stamp:
        self._seq += 1
        mono_ns = time.monotonic_ns() - self._begun_ns
        return Stamp(self._seq, "preview", mono_ns, AT_NS + mono_ns, wall_trusted=True)


class MemoryGarageBooks:
    """A few sessions, and the journal of the script's alarms."""

    def __init__(self, script: GarageScript) -> None:
        self._script = script
        self._sessions = [session_row(i) for i in range(30, 0, -1)]

    def sessions(self, payer: str | None, port: str, cursor: str | None, limit: int) -> Listing[SessionRow]:
        found = [row for row in self._sessions if payer in {None, row.payer} and port in {"", row.port}]
        return _page(found, cursor, limit)

    def alarm_events(self, cursor: str | None, limit: int) -> Listing[AlarmEventRow]:
        return _page(self._script.events[::-1], cursor, limit)

    def access_events(self, door: str, cursor: str | None, limit: int) -> Listing[AccessEventRow]:
        return _page([row for row in self._script.access[::-1] if door in {"", row.door}], cursor, limit)

    def report(self, at_wall_ns: int, operators: int, hours: int) -> AlarmKpi:
        stamp = Stamp(0, "preview", 0, AT_NS, wall_trusted=True)
        return kpi(self._script.book, stamp, operators=operators, hours=hours)


def _page(found: list[R], cursor: str | None, limit: int) -> Listing[R]:
    if cursor is not None and not cursor.isdecimal():
        raise BadCursor(cursor)
    start = int(cursor or "0")
    return Listing(found[start : start + limit], str(start + limit) if start + limit < len(found) else None)


def _alarms_of(scene: Scene) -> list[tuple[str, str, str, Priority, tuple[str, ...]]]:
    stale = ("stale:B2-smoke-4", "sensor_stale", "B2", Priority.MEDIUM, ("B2-smoke-4",))
    fire, heads = ("fire:B1", "fire", "B1", Priority.FIRE), ("smoke:B1-smoke-3", "smoke:B1-smoke-4")
    one = ("fire:B1", "pre_alarm", "B1", Priority.FIRE, heads[:1])
    match scene:
        case "watch":
            return [stale]
        case "aside":
            return [stale, ("source:S3-smoke-1", "sensor_absent", "S3", Priority.MEDIUM, ("S3-smoke-1",))]
        case "gateway":
            lost = ("device:zigbee", "device_lost", "", Priority.MEDIUM, ("bridge_offline:zigbee",))
            away = [f"{zone}-smoke-{n}" for zone in ZONES for n in range(1, ZONES[zone].smokes + 1)]
            silent = [(f"source:{h}", "sensor_absent", h[:2], Priority.MEDIUM, (h,)) for h in away]
            return [lost, *silent]
        case "pre_alarm" | "latched" | "resettable":
            return [one]
        case "fire":
            return [stale, (*fire, heads)]
        case "unproven":
            return [one, ("cut:B1-P07", "contact_welded", "B1", Priority.HIGH, ("B1-P07",))]
        case "quiet" | "unarmed":
            return []
