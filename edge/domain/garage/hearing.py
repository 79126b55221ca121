"""From a device's reading to the sources, ports and outputs that it speaks of, and the zones to look at again.

One place may be many things: a plug is an outlet and its meter, a fire unit's point a smoke head and its battery. The
hard part is how little may be done: 400 meters that say "still 180 W" every second must not each weigh a whole zone. A
reading that nothing is mapped to is counted nowhere but does no harm. A user would notice a mistake as smoke that
waited behind meter readings.
"""

from __future__ import annotations

from edge.domain.actors import Role
from edge.domain.alarm_delivery import notified
from edge.domain.alarm_states import Priority
from edge.domain.alarms import clear_alarm, raise_alarm
from edge.domain.answered import AuditRow
from edge.domain.devices import DeviceHealth, DeviceReading, DeviceState
from edge.domain.field_devices import (
    CardReading,
    KeypadReading,
    MeterReading,
    OutputReading,
    PanelReset,
    PointHealth,
    PressureReading,
    SessionReading,
    SignalKind,
    SignalReading,
)
from edge.domain.garage import access, port_kernel
from edge.domain.garage.calm import keep_calm, may_say_the_same, said_the_same, unsettle
from edge.domain.garage.cut import LAG_NS, Switch, again, drive, due_ns, judge, measured, reported, returned
from edge.domain.garage.interlock import ORDERS, Mode
from edge.domain.garage.messages import CutState, ResetZone
from edge.domain.garage.signals import Weight, health, hear, link_is, turns_key
from edge.domain.garage.switching import cut_port, keep_switch
from edge.domain.garage.turn import Turn
from edge.domain.garage.world import Zone
from edge.domain.garage.zones import evaluate, is_reset_key, reset, strike
from edge.domain.kernel import Stamp
from edge.domain.notices import NotifyResult
from edge.domain.number_ranges import within
from edge.domain.places import place_key

#: What a meter of a garage can say at all; beyond it nothing was said, and the port's reading goes stale (which cuts).
#: Wide on the side that cuts: a feed of a garage is below 1 MW, and what a broken thermistor says is still too hot.
METER_RANGES = {
    "power_w": (-1e6, 1e6),
    "current_a": (-1e5, 1e5),
    "voltage_v": (0, 1e5),
    "energy_wh": (0, 1e12),
    "power_factor": (-2, 2),
    "temperature_c": (-273.15, 1e4),
    "residual_ma": (0, 1e6),
}


_NONE, _PROVEN = CutState.NONE, CutState.PROVEN
_USUAL = ("power_w", "current_a", "voltage_v", "energy_wh")
_POWER, _CURRENT, _VOLTAGE, _ENERGY = (METER_RANGES[name] for name in _USUAL)


def believable(body: MeterReading) -> MeterReading:
    """What lies within ``METER_RANGES``. Nearly every message holds these four at most, and all of them believable."""
    power_w, current_a, voltage_v, energy_wh = body.power_w, body.current_a, body.voltage_v, body.energy_wh
    if (
        (power_w is None or _POWER[0] <= power_w <= _POWER[1])
        and (current_a is None or _CURRENT[0] <= current_a <= _CURRENT[1])
        and (voltage_v is None or _VOLTAGE[0] <= voltage_v <= _VOLTAGE[1])
        and (energy_wh is None or _ENERGY[0] <= energy_wh <= _ENERGY[1])
        and body.power_factor is None and body.temperature_c is None and body.residual_ma is None
    ):  # fmt: skip
        return body
    return within(body, METER_RANGES)


def heard(turn: Turn, item: DeviceReading) -> None:
    """Take one reading in and bring every zone that it concerns up to date."""
    zones: dict[str, None] = {}
    body = item.body
    if isinstance(body, MeterReading):  # in the order of how often they come
        _meter(turn, item.device, body, zones)
    elif isinstance(body, OutputReading):
        _output(turn, item.device, body, zones)
    elif isinstance(body, SignalReading):
        _signal(turn, item.device, body, zones)
    else:
        unsettle(turn.world)
        _seldom(turn, item, zones)
    for name in zones:
        evaluate(turn, turn.world.zones[name])


def _seldom(turn: Turn, item: DeviceReading, zones: dict[str, None]) -> None:
    """All that is neither a figure nor a signal nor an output's word."""
    match item.body:
        case PointHealth() as body:
            _point(turn, item.device, body, zones)
        case DeviceHealth() as body:
            _device(turn, item.device, body, zones)
        case CardReading() | SessionReading() | KeypadReading() as body:
            if isinstance(body, CardReading):
                access.shown(turn, item.device, body)
            for name in turn.world.ports_at.get(place_key(item.device, body.point), ()):
                port_kernel.spoke(turn, turn.world.ports[name], body)
        case NotifyResult() as body:
            notified(turn.world.alarms, body, turn.stamp)
        case PressureReading() as body:
            as_signal = SignalReading(point=body.point, kind=SignalKind.PRESSURE, active=body.high)
            _signal(turn, item.device, as_signal, zones)
        case PanelReset() as body:
            _reset_panel(turn, item.device, body, zones)
        case _:
            pass


def _reset_panel(turn: Turn, device: str, body: PanelReset, zones: dict[str, None]) -> None:
    """Its driver says so of what it has heard itself; here is also what was heard before the box was started anew."""
    behind = f"{body.point}:"
    for source in [each for each in turn.world.sources.values() if each.device == device and each.weight]:
        if source.point == body.point or source.point.startswith(behind):
            word = SignalReading(point=source.point, kind=source.kind, active=False, detail=body.detail)
            _signal(turn, device, word, zones)


def _signal(turn: Turn, device: str, body: SignalReading, zones: dict[str, None]) -> None:
    world = turn.world
    for name in world.sources_at.get(f"{place_key(device, body.point)}\n{body.kind}", ()):
        source = world.sources[name]
        zone = world.zones[source.zone]
        if not source.fire:
            unsettle(world)
        calm = may_say_the_same(zone, source, body, turn.now_ns)
        turned = is_reset_key(zone, source) and turns_key(source, body, turn.now_ns)
        word = hear(source, body, turn.stamp)
        if calm and not word and said_the_same(source, turn.now_ns):
            keep_calm(world, zone, turn.now_ns)
            continue
        if word and source.fire:
            turn.struck.add(source.zone)
            turn.live = turn.live or word is Weight.FULL
            trying = zone.test_end_ns > turn.now_ns or (source.tried and word is not Weight.FULL)
            source.tried = source.detector and trying
            strike(turn, zone, source)
        zones[source.zone] = None
        if source.kind is SignalKind.DOOR_OPEN and body.active is not None and not body.retained:
            access.contact(turn, name, is_open=body.active)
        if turned and source.said is True:
            evaluate(turn, zone)
            if reset(turn, zone):
                turn.put(_by_key(zone.settings.zone, name, turn.stamp))


def _by_key(zone: str, key: str, stamp: Stamp) -> AuditRow:
    return AuditRow(
        seq=stamp.seq, role=Role.DEVICE.value, user=key, action=ResetZone.__name__, ref=zone, at_ns=stamp.wall_ns
    )


def _meter(turn: Turn, device: str, body: MeterReading, zones: dict[str, None]) -> None:
    world, body = turn.world, believable(body)
    for name in world.meters_at.get(f"{device}\n{body.point}", ()):
        port = world.ports.get(name)
        switch = port if port is not None else world.outputs[name].switch
        zone = world.zones[switch.zone]
        before_w = switch.power_w or 0.0
        if not measured(switch, body, zone.settings, turn.now_ns) and body.temperature_c is None:
            continue
        if port is not None:
            power_w = switch.power_w or 0.0
            if power_w > before_w:
                zone.bound_w += power_w - before_w
            if name in world.charging.sessions:
                port_kernel.metered(turn, port, body)
        _look(turn, zone, switch, zones, is_port=port is not None)


def _output(turn: Turn, device: str, body: OutputReading, zones: dict[str, None]) -> None:
    world, place = turn.world, place_key(device, body.point)
    for name in world.ports_at.get(place, ()):
        port = world.ports[name]
        zone, on, fault = world.zones[port.zone], port.on, port.fault
        reported(port, body, turn.now_ns)
        port_kernel.reported(turn, port, body)
        if port.wanted:
            _dropped(turn, port)
        if port.on != on or port.fault != fault:
            turn.ports[name] = None
            due = due_ns(port, zone.settings)  # a dead-man runs from the word "on"
            zone.due_ns = zone.due_ns if due is None else min(zone.due_ns, due)
        if port.wanted and port.fault != fault:
            zones[port.zone] = None
        else:
            _look(turn, zone, port, zones, is_port=True)
    for name in world.outputs_at.get(place, ()):
        switch = world.outputs[name].switch
        reported(switch, body, turn.now_ns)
        zones[switch.zone] = None


def _dropped(turn: Turn, port: Switch) -> None:
    """A port that was told on and keeps saying off was switched off by somebody, or tripped by itself. It is not told
    on again: what the device cut stays cut (garage-protocols.md 5.3)."""
    if port.on is False and (port.fault or not port.live or turn.now_ns - port.on_ns >= LAG_NS):
        cut_port(turn, port, port.fault or "switched_off_outside", urgent=False)


def _look(turn: Turn, zone: Zone, switch: Switch, zones: dict[str, None], *, is_port: bool) -> None:
    """After a word on one switch: look at the whole zone only if that word changed something for others."""
    cut = switch.cut
    if switch.wanted and cut is _NONE and is_port:
        return
    changed = returned(switch, zone.settings)
    if is_port and not changed:
        if cut is _NONE or cut is _PROVEN:  # calm: nearly all that comes
            return
        changed = judge(switch, zone.settings, turn.now_ns)
        turn.send(drive(switch, turn.stamp.seq, turn.now_ns, run=ORDERS[zone.mode].run))
        keep_switch(turn, switch)
        if switch.cut is CutState.PROVEN and zone.mode is not Mode.NORMAL:
            return  # good news: the zone's next tick (100 ms) takes all of them in at once, not 50 times the whole zone
    if changed or not is_port:
        zones[switch.zone] = None


def _point(turn: Turn, device: str, body: PointHealth, zones: dict[str, None]) -> None:
    world = turn.world
    prefix = place_key(device, body.point) + "\n"
    for place, names in world.sources_at.items():
        if place.startswith(prefix):
            for name in names:
                health(world.sources[name], body)
                zones[world.sources[name].zone] = None
    place = place_key(device, body.point)
    for name in (*world.ports_at.get(place, ()), *world.outputs_at.get(place, ())):
        port = world.ports.get(name)
        switch = port if port is not None else world.outputs[name].switch
        if body.rebooted and not body.retained:
            _restarted(switch, turn.now_ns)
        zones[switch.zone] = None


def _restarted(switch: Switch, now_ns: int) -> None:
    """The device began anew: it may be on or off now, and it has forgotten what it was told. Whatever was proven is
    proven no more, and what is wanted is not told again before it says that it is on."""
    switch.on, switch.live = None, False
    if not switch.wanted and switch.cut is not CutState.NONE:
        again(switch, now_ns)


def _device(turn: Turn, device: str, body: DeviceHealth, zones: dict[str, None]) -> None:
    """The link itself: down, and every source behind it is out of hearing. Connecting is no news: a link that was up
    is told lost first, and every driver ends it as ready or as a fault, so a start is not a page full of absent
    sensors, and one that never answers is an alarm of its own."""
    world, up = turn.world, body.state is DeviceState.READY
    if body.state is DeviceState.CONNECTING or world.devices.get(device) == up:
        return
    world.devices[device] = up
    for source in world.sources.values():
        if source.device == device:
            link_is(source, up=up, now_ns=turn.now_ns)
            zones[source.zone] = None
    key = f"device:{device}"
    if up:
        clear_alarm(world.alarms, key, turn.stamp)
    else:
        raise_alarm(
            world.alarms, key, cause="device_lost", zone="", priority=Priority.MEDIUM, stamp=turn.stamp,
            detail=f"{body.problem}:{device}" if body.problem else device,
        )  # fmt: skip
