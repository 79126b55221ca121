"""The made-up garage's views, by scene: two basements and a stairwell. Never part of a running site."""

from __future__ import annotations

import math

import msgspec

from edge.api.preview_garage_doors import MIN_NS, door_views
from edge.domain.field_devices import SignalKind
from edge.domain.garage.messages import (
    CutState,
    GarageView,
    OutputView,
    PortPhase,
    PortView,
    SourceState,
    SourceView,
    ZoneState,
    ZoneView,
)
from edge.domain.garage.session_rows import SessionRow
from edge.domain.garage.settings import OutputKind
from edge.domain.words import Text

SITE = Text("康乐花园", "Kangle Garden")
AT_NS = 1_795_147_440_000_000_000


class ZonePlan(msgspec.Struct, frozen=True):
    """What stands in a zone."""

    name: Text
    smokes: int
    ports: tuple[str, ...]
    water: bool
    limit_w: int


def _ports(zone: str, count: int) -> tuple[str, ...]:
    return tuple(f"{zone}-P{n:02}" for n in range(1, count + 1))


ZONES = {
    "B1": ZonePlan(Text("地下车库东区", "Basement east"), 6, _ports("B1", 20), water=True, limit_w=6000),
    "B2": ZonePlan(Text("地下车库西区", "Basement west"), 5, _ports("B2", 12), water=True, limit_w=4000),
    "S3": ZonePlan(Text("3 号楼楼道", "Stairwell, house 3"), 2, _ports("S3", 6), water=False, limit_w=1500),
}
PORTS = {port: zone for zone, plan in ZONES.items() for port in plan.ports}

_STATES = {
    "pre_alarm": ZoneState.PRE_ALARM,
    "fire": ZoneState.FIRE,
    "unproven": ZoneState.LATCHED,
    "latched": ZoneState.LATCHED,
    "resettable": ZoneState.RESETTABLE,
}
#: Phase and full power in W of every fourth charger, in turn.
_LOADS = (
    (PortPhase.CC, 176.0),
    (PortPhase.EMPTY, 0.3),
    (PortPhase.TAPER, 92.0),
    (PortPhase.CC, 243.0),
    (PortPhase.DONE, 2.1),
    (PortPhase.EMPTY, 0.2),
    (PortPhase.FLOAT, 21.0),
)


def port_view(port: str, now_s: int, *, cut: CutState) -> PortView:
    """A charger: every seventh alike, its power breathing a little."""
    number = int(port[-2:])
    phase, full_w = _LOADS[(number + len(port)) % len(_LOADS)]
    live = phase in {PortPhase.CC, PortPhase.TAPER, PortPhase.FLOAT}
    welded = cut is CutState.WELDED
    power_w = round(full_w * (1 + 0.03 * math.sin(now_s / 5 + number)), 1)
    if cut is not CutState.NONE:
        phase, power_w, live = PortPhase.TRIPPED, 241.0 if welded else 0.0, False
    minutes = 20 + 11 * number % 180
    return PortView(
        port=port,
        zone=PORTS[port],
        name=Text(f"{number} 号口", f"Outlet {number}"),
        phase=phase,
        armed=cut is CutState.NONE,
        wanted=live,
        on=live or welded,
        cut=cut,
        reason="smoke" if cut is not CutState.NONE else "full" if phase is PortPhase.DONE else "",
        fault="welded" if welded else "",
        power_w=power_w,
        current_a=round(power_w / 228, 3),
        temperature_c=31.5 + number % 5,
        measured_ago_s=1,
        session_id=f"s-{port}" if live else "",
        member=f"m{number:03}" if live else "",
        energy_wh=minutes * 3 if live else 0,
        cost_fen=minutes // 3 if live else 0,
        charging_s=minutes * 60 if live else 0,
        remaining_min=240 - minutes if live and phase is PortPhase.CC else None,
        queue=1 if port == "S3-P06" else 0,
        at_wall_ns=AT_NS + now_s * 1_000_000_000,
    )


def zone_view(zone: str, scene: str, ports: list[PortView]) -> ZoneView:
    """A zone in a scene: only B1 burns, only B2 has a silent detector."""
    plan = ZONES[zone]
    state = _STATES.get(scene, ZoneState.NORMAL) if zone == "B1" else ZoneState.NORMAL
    if (zone == "B2" and scene in {"watch", "fire", "aside"}) or (zone == "S3" and scene == "aside"):
        state = ZoneState.WATCH
    if scene == "gateway":
        state = ZoneState.WATCH
    hot = state not in {ZoneState.NORMAL, ZoneState.WATCH}
    fire = state is ZoneState.FIRE
    welded = any(port.cut is CutState.WELDED for port in ports)
    cut = CutState.NONE if not hot else CutState.WELDED if welded else CutState.PROVEN
    reasons = ("smoke:B1-smoke-3", "smoke:B1-smoke-4")[: 2 if fire else 1] if hot else ()
    return ZoneView(
        zone=zone,
        name=plan.name,
        state=state,
        reasons=reasons,
        blocks_reset=_blocks(state, welded=welded),
        clear_in_s=25 if state is ZoneState.LATCHED else None,
        cut=cut,
        silenced=False,
        test_left_s=1260 if scene == "aside" and zone == "S3" else 0,
        water_asked=fire,
        doors_released=fire,
        sources=_sources(zone, state, scene),
        outputs=_outputs(zone, state, cut),
        doors=door_views(zone, scene, state),
        ports=plan.ports,
        power_w=round(sum(port.power_w or 0 for port in ports)),
        limit_w=plan.limit_w,
        since_wall_ns=AT_NS - (3 if hot else 900) * MIN_NS,
        at_wall_ns=AT_NS,
        clock_trusted=True,
    )


def garage_view(scene: str, ports: list[PortView]) -> GarageView:
    """The whole garage in a scene."""
    views = [zone_view(zone, scene, [port for port in ports if port.zone == zone]) for zone in ZONES]
    problem = ("zone_without_contactor:S3",) if scene == "unarmed" else ()
    return GarageView(
        site=SITE,
        armed=not problem,
        problems=problem,
        zones=tuple((view.zone, view.state, view.cut) for view in views),
        sessions=sum(port.session_id != "" for port in ports),
        power_w=round(sum(port.power_w or 0 for port in ports)),
        set_aside=0,
        business_day="2026-11-20",
        at_wall_ns=AT_NS,
    )


def session_row(number: int) -> SessionRow:
    """One stored session of a few residents."""
    port = list(PORTS)[number % len(PORTS)]
    started_ns = AT_NS - number * 47 * MIN_NS
    return SessionRow(
        session_id=f"s-{number:04}",
        port=port,
        zone=PORTS[port],
        payer=f"m{1 + number % 3:03}",
        card="",
        day="2026-11-20",
        state="ended",
        reason=("full", "stopped", "unplugged", "hard_cap", "smoke")[number % 5],
        started_ns=started_ns,
        ended_ns=started_ns + 40 * MIN_NS,
        charging_ms=40 * 60_000,
        energy_mwh=412_000 + number * 1000,
        cost_fen=46 + number,
        limit_fen=500,
        limit_min=0,
        tariff_version="t1",
        parts=b"",
    )


def _blocks(state: ZoneState, *, welded: bool) -> tuple[str, ...]:
    if state in {ZoneState.PRE_ALARM, ZoneState.FIRE}:
        return ("signal:B1-smoke-3", "clear_for:60")
    return ("clear_for:25", *(("cut:B1-P07",) if welded else ())) if state is ZoneState.LATCHED else ()


def _sources(zone: str, state: ZoneState, scene: str) -> tuple[SourceView, ...]:
    burning = {ZoneState.PRE_ALARM: {3}, ZoneState.FIRE: {3, 4}}.get(state, set())
    found = []
    for n in range(1, ZONES[zone].smokes + 1):
        now = SourceState.ACTIVE if n in burning else SourceState.CLEAR
        if zone == "B2" and n == 4 and state is ZoneState.WATCH:
            now = SourceState.STALE
        if scene == "gateway" or (scene == "aside" and (zone, n) == ("S3", 1)):
            now = SourceState.ABSENT
        heard = 8100 if now is SourceState.STALE else 20 + 97 * n % 900
        name = Text(f"烟感 {n}", f"Smoke {n}")
        low = zone == "S3" and n == 2
        found.append(_source(f"{zone}-smoke-{n}", SignalKind.SMOKE, name, now, heard, low=low))
    call = _source(f"{zone}-call", SignalKind.CALL_POINT, Text("手报按钮", "Call point"), SourceState.CLEAR, 310)
    return (*found, call)


def _source(
    source: str, kind: SignalKind, name: Text, state: SourceState, heard_s: int, *, low: bool = False
) -> SourceView:
    return SourceView(source=source, kind=kind, name=name, state=state, heard_ago_s=heard_s, battery_low=low)


def _outputs(zone: str, state: ZoneState, cut: CutState) -> tuple[OutputView, ...]:
    fire, closed = state is ZoneState.FIRE, cut is CutState.NONE
    siren = state in {ZoneState.PRE_ALARM, ZoneState.FIRE}
    found = [
        _output(zone, OutputKind.CONTACTOR, Text("充电总接触器", "Charger contactor"), on=closed, cut=cut),
        _output(zone, OutputKind.SIREN, Text("警笛", "Siren"), on=siren),
        _output(zone, OutputKind.DOOR, Text("疏散门", "Escape door"), on=fire),
    ]
    if ZONES[zone].water:
        found.append(_output(zone, OutputKind.WATER, Text("预作用阀", "Pre-action valve"), on=fire))
    return tuple(found)


def _output(zone: str, kind: OutputKind, name: Text, *, on: bool, cut: CutState = CutState.NONE) -> OutputView:
    return OutputView(output=f"{zone}-{kind.value}", kind=kind, name=name, wanted=on, on=on, cut=cut)
