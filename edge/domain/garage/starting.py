"""From rows to a world, from a configuration to zones, and what a start does before anything else.

The hard part of a start is to know nothing and still be safe: latches and their causes are as they were, every other
zone is blind until its detectors have spoken, what was off is told off again, and nothing is told on. All devices are
asked where they stand, for the last cut may have left without its record. A user would notice a mistake as a charger
that came back with the power, or as a latch that a restart had opened.
"""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

from edge.domain.alarm_flush import load_alarms
from edge.domain.alarms import tick
from edge.domain.answered import ConfigRow, ReplyRow, StoredReply
from edge.domain.field_devices import Poll
from edge.domain.garage import port_kernel
from edge.domain.garage.access import forget_boot as forget_doors
from edge.domain.garage.building import MAKESHIFT, apply_rows, build
from edge.domain.garage.cut import NS_PER_S, REPEAT_NS, again
from edge.domain.garage.cut import forget_boot as forget_switch
from edge.domain.garage.interlock import ORDERS, Mode
from edge.domain.garage.messages import CutState
from edge.domain.garage.rows import DayRow
from edge.domain.garage.settings import GarageConfig
from edge.domain.garage.signals import forget_boot as forget_source
from edge.domain.garage.turn import Turn
from edge.domain.garage.world import World, Zone
from edge.domain.garage.zone_rows import CauseRow, SwitchRow, ZoneRow
from edge.domain.garage.zones import MINUTE_NS, evaluate
from edge.domain.kernel import EffectClass, Rows, Send, Stamp

CONFIG_KIND = "garage"
REPLY_DAYS = 7


def load_world(rows: Rows) -> World:
    """The world as the committed rows tell it."""
    world = World()
    for day in rows.all(DayRow):
        world.day = day.day
    world.alarms = load_alarms(rows)
    configs = {row.kind: row for row in rows.all(ConfigRow)}
    world.makeshift = CONFIG_KIND not in configs and MAKESHIFT in configs
    config = configs.get(MAKESHIFT if world.makeshift else CONFIG_KIND)
    if config is not None:
        world.config = msgspec.msgpack.decode(config.body, type=GarageConfig)
    world.zone_rows = {row.zone: row for row in rows.all(ZoneRow)}
    world.switch_rows = {row.name: row for row in rows.all(SwitchRow)}
    for cause in rows.where(CauseRow, {"standing": 1}):
        world.cause_rows.setdefault(cause.zone, []).append(cause)
    if world.config is not None:
        build(world, world.config)
        apply_rows(world)
    port_kernel.load_sessions(world, rows)
    for reply in rows.since(ReplyRow, "day", days_kept_from(world.day)):
        world.replies[reply.command_id] = StoredReply(reply.digest, reply.code, reply.body, reply.day)
    return world


def days_kept_from(day: str) -> str:
    """The oldest business day whose replies are kept: ``REPLY_DAYS`` before ``day``; "" before the first day."""
    if not day:
        return ""
    return (date.fromisoformat(day) - timedelta(days=REPLY_DAYS)).isoformat()


def begin(turn: Turn) -> None:
    """A start, or a rebuild: forget what was heard, cut again what was cut, ask everybody, judge every zone."""
    world, now_ns = turn.world, turn.now_ns
    world.starting, world.devices = True, {}
    forget_doors(world)
    for source in world.sources.values():
        forget_source(source, now_ns)
    for switch in (*world.ports.values(), *(output.switch for output in world.outputs.values())):
        forget_switch(switch)
        if switch.cut is not CutState.NONE:
            again(switch, now_ns)
        else:
            switch.began_ns, switch.told_ns = now_ns, now_ns - REPEAT_NS
    for zone in world.zones.values():
        _begin_zone(zone, turn.stamp)
    tick(world.alarms, turn.stamp)
    port_kernel.begin(turn)
    for name, zone in world.zones.items():
        turn.struck.add(name)  # a latched zone tells its cut again; water stays untouched, for no device spoke
        evaluate(turn, zone)
    turn.send([Send(device, Poll(), EffectClass.SAFETY) for device in _devices(world)])


def _begin_zone(zone: Zone, stamp: Stamp) -> None:
    now_ns = stamp.mono_ns
    zone.clear_ns, zone.own_active, zone.shown_key, zone.shown_ns = None, False, (), 0
    zone.struck_ns = now_ns - NS_PER_S
    zone.water_ns, zone.test_end_ns, zone.blind_ns = now_ns, 0, now_ns
    row = zone.row
    if row is not None:
        gone_ns = stamp.wall_ns - row.noted_ns
        if row.test_left_min and stamp.wall_trusted and gone_ns >= 0:  # else nobody knows how long we were away
            zone.test_end_ns = max(0, now_ns + row.test_left_min * MINUTE_NS - gone_ns)
        zone.blind_ns = now_ns - row.blind_min * MINUTE_NS
    if not ORDERS[zone.mode].latched:
        zone.mode = Mode.BLIND


def _devices(world: World) -> list[str]:
    """Every device of the garage, in the order of the configuration."""
    config = world.config
    if config is None:
        return []
    places = [output.at for output in config.outputs] + [port.at for port in config.ports]
    places += [source.at for source in config.sources]
    meters = [output.meter for output in config.outputs] + [port.meter for port in config.ports]
    places += [meter for meter in meters if meter is not None]
    return list(dict.fromkeys(place.device for place in places))
