"""The alarms of a zone, level by level: what lasts is raised, what has gone is cleared, nothing is counted twice.

Forty ports cut by one fire are one alarm with its causes as details. A source behind a link that is down is a detail of
the link's alarm. A silent sensor is an alarm of its own. A user would notice a mistake as a page full of words that all
mean the same, or as a detector that went missing without one.

A sensor whose silence people know of (its zone is in a walk test, or the site file says until when) is suppressed by
design: listed with its reason, without sound or notice, and back by itself when the reason ends. The zone stays WATCH
all the while, and its fires, cuts and outputs are never suppressed (decision 0010).
"""

from __future__ import annotations

from typing import NamedTuple

from edge.domain.alarm_book import Alarm
from edge.domain.alarm_states import Priority
from edge.domain.alarms import clear_alarm, raise_alarm, reset_key, suppress, unsuppress
from edge.domain.garage.charging_alarms import port_of
from edge.domain.garage.interlock import ORDERS, Mode
from edge.domain.garage.messages import SourceState
from edge.domain.garage.outputs import PRESS_NS, water_confirmed
from edge.domain.garage.turn import Turn
from edge.domain.garage.world import World, Zone

_SILENT = {
    SourceState.STALE: "sensor_stale",
    SourceState.ABSENT: "sensor_absent",
    SourceState.FAULT: "sensor_fault",
}


class Due(NamedTuple):
    """An alarm that should stand now. ``known``: why it is suppressed by design, "" when it is not."""

    cause: str
    priority: Priority
    details: tuple[str, ...] = ()
    parent: str = ""
    known: str = ""


def sync_alarms(turn: Turn, zone: Zone) -> None:
    """Raise and clear so that exactly what lasts stands. Costs nothing while nothing changes."""
    wanted: dict[str, Due] = {}
    _of_zone(turn, zone, wanted)
    _of_sources(turn, zone, wanted)
    _of_switches(turn, zone, wanted)
    known, world, stamp = zone.alarms, turn.world, turn.stamp
    for key in [key for key in known if key not in wanted]:
        del known[key]
        clear_alarm(world.alarms, key, stamp)
        if key in world.alarms.by_design:
            unsuppress(world.alarms, key, stamp)
        if key.startswith("fire:"):
            reset_key(world.alarms, key, "interlock", stamp)
    for key, due in wanted.items():
        mark = f"{due.cause}|{due.known}|{'|'.join(due.details)}"
        if known.get(key) == mark:
            continue
        known[key] = mark
        if due.known:
            suppress(world.alarms, key, due.known, stamp)
        elif key in world.alarms.by_design:
            unsuppress(world.alarms, key, stamp)
        for detail in due.details or ("",):
            raise_alarm(
                world.alarms, key, cause=due.cause, zone=zone.settings.zone, priority=due.priority, detail=detail,
                stamp=stamp, parent=due.parent, reannounce=key.startswith("fire:"),
                latched=key.startswith("fire:"), shelvable=not key.startswith("fire:"),
            )  # fmt: skip


def end_orphans(turn: Turn) -> None:
    """After a reload: alarms of zones, outlets and doors that are no longer there; nobody else would ever end them."""
    world = turn.world
    for key in [alarm.key for alarm in world.alarms.alarms.values() if alarm.active and _is_orphan(world, alarm)]:
        clear_alarm(world.alarms, key, turn.stamp)
        if key in world.alarms.by_design:
            unsuppress(world.alarms, key, turn.stamp)


def _is_orphan(world: World, alarm: Alarm) -> bool:
    port = port_of(alarm.key)
    kind, _, name = alarm.key.partition(":")
    if port:  # one that was put in another place is armed
        return port not in world.ports or (kind == "trip" and world.ports[port].armed)
    return alarm.zone not in {"", *world.zones} or (kind in {"door_forced", "door_held"} and name not in world.doors)


def _of_zone(turn: Turn, zone: Zone, wanted: dict[str, Due]) -> None:
    name, orders = zone.settings.zone, ORDERS[zone.mode]
    if orders.latched:
        details = tuple(zone.causes)
        if orders.doors:
            wanted[f"fire:{name}"] = Due("fire", Priority.FIRE, details)
        else:
            wanted[f"fire:{name}"] = Due("pre_alarm", Priority.HIGH, details)
    if zone.mode is Mode.DARK:
        wanted[f"dark:{name}"] = Due("no_detector", Priority.HIGH)
    if zone.test_end_ns > turn.now_ns:
        wanted[f"test:{name}"] = Due("walk_test", Priority.LOW)
    if zone.water_asked:
        for water in zone.waters:
            output = turn.world.outputs[water]
            if output.settings.feedback_source and water_confirmed(turn, zone, output) is False:
                wanted[f"water:{water}"] = Due("water_unconfirmed", Priority.HIGH, (water,))


def _of_sources(turn: Turn, zone: Zone, wanted: dict[str, Due]) -> None:
    for name in zone.sources:
        source = turn.world.sources[name]
        if source.state is SourceState.CLEAR:
            if source.battery_low:
                why = _known(turn, zone, source.known_until)
                wanted[f"battery:{name}"] = Due("battery_low", Priority.LOW, (name,), known=why)
            continue
        cause = _SILENT.get(source.state)
        if cause is not None:
            parent = f"device:{source.device}" if source.link_down else ""
            why = _known(turn, zone, source.known_until)
            wanted[f"source:{name}"] = Due(cause, Priority.MEDIUM, (name,), parent, why)


def _known(turn: Turn, zone: Zone, until: str) -> str:
    """Why people know of a sensor's trouble now: a code, and for the site file's word its last day; "" they do not."""
    if until and turn.world.day and turn.world.day <= until:
        return f"known_until:{until}"
    return "walk_test" if zone.test_end_ns > turn.now_ns else ""


def _of_switches(turn: Turn, zone: Zone, wanted: dict[str, Due]) -> None:
    world = turn.world
    for name in zone.ports:
        port = world.ports[name]
        if port.bad:
            wanted[f"cut:{name}"] = Due(_CUT_CAUSE[port.bad], Priority.HIGH, (name,))
    for name in zone.contactors:
        contactor = world.outputs[name].switch
        if contactor.bad:
            wanted[f"cut:{name}"] = Due(_CUT_CAUSE[contactor.bad], Priority.HIGH, (name,))
    for name in (*zone.feeds, *zone.sirens, *zone.doors):
        switch = world.outputs[name].switch
        if switch.wanted and switch.on is not True and turn.now_ns - switch.began_ns >= PRESS_NS:
            wanted[f"output:{name}"] = Due("output_unconfirmed", Priority.MEDIUM, (name,))


_CUT_CAUSE = {"unproven": "cut_not_confirmed", "welded": "contact_welded", "meter_stuck": "meter_stuck"}
