"""From rows to a world, from a configuration to machines, and what a start does first.

A start knows nothing of the machines: each is unknown until it speaks, a workout that was under way is lost, not over,
and a machine that was locked out stays so. A user would notice a mistake as a broken treadmill that a power cut gave
back to the visitors.
"""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

from edge.domain.alarm_book import mark
from edge.domain.alarm_flush import load_alarms
from edge.domain.alarm_moves import end_alarm, enter
from edge.domain.alarms import tick
from edge.domain.answered import ConfigRow, ReplyRow, StoredReply
from edge.domain.field_devices import Poll
from edge.domain.gym import heart, machines, queue, trail
from edge.domain.gym.occupancy import load_uses
from edge.domain.gym.orders import LOCKED, apply_locks, load_orders, lock
from edge.domain.gym.people import load_people
from edge.domain.gym.photos import erase_strangers, load_photos
from edge.domain.gym.queue import load_queue
from edge.domain.gym.rows import DayRow
from edge.domain.gym.settings import AssetSettings, GymConfig, KioskSettings, ZoneSettings
from edge.domain.gym.turn import Turn
from edge.domain.gym.wear import keep as keep_wear
from edge.domain.gym.wear import load_wear, standing_fault
from edge.domain.gym.workout import end
from edge.domain.gym.workout_rows import load_workouts, take_up
from edge.domain.gym.workout_state import Asset, Phase
from edge.domain.gym.world import Kiosk, World
from edge.domain.kernel import EffectClass, Rows, Send
from edge.domain.places import Place, place_key

CONFIG_KIND = "gym"
REPLY_DAYS = 7


def load_world(rows: Rows) -> World:
    """The world as the committed rows tell it."""
    world = World()
    for day in rows.all(DayRow):
        world.day = day.day
    world.alarms = load_alarms(rows)
    for config in rows.all(ConfigRow):
        if config.kind == CONFIG_KIND:
            world.config = msgspec.msgpack.decode(config.body, type=GymConfig)
    load_people(world, rows)
    load_orders(world, rows)
    load_photos(world, rows)
    load_wear(world, rows)
    load_queue(world, rows)
    load_uses(world, rows)
    trail.load_trails(world, rows)
    world.open_rows = load_workouts(world, rows)
    if world.config is not None:
        build(world, world.config)
    for reply in rows.since(ReplyRow, "day", days_kept_from(world.day)):
        world.replies[reply.command_id] = StoredReply(reply.digest, reply.code, reply.body, reply.day)
    return world


def days_kept_from(day: str) -> str:
    """The oldest business day whose replies are kept: ``REPLY_DAYS`` before ``day``; "" before the first day."""
    return (date.fromisoformat(day) - timedelta(days=REPLY_DAYS)).isoformat() if day else ""


def apply_config(turn: Turn, config: GymConfig) -> None:
    """Put a configuration into force. What is under way goes on where its machine still exists."""
    world = turn.world
    if world.config != config:
        former = world.config
        if former is not None:
            _retire(turn, {one.asset for one in config.assets})
            _part(turn, config, _owners(former))
        zones = world.zones
        build(world, config)
        _follow_zones(turn, zones)
        if former is not None:
            _keep_locked(turn, _owners(former))
            _keep_wear(turn, former)
        trail.rebuild(turn, () if former is None else former.trails)
        queue.drop_lines(turn)
        body = msgspec.msgpack.encode(config)
        turn.put(ConfigRow(kind=CONFIG_KIND, version=config.version, body=body))
    _end_orphans(turn)
    world.alarms.steps = config.escalation
    for asset in world.assets.values():
        if asset.workout is not None:
            heart.schedule(turn, asset)


def _retire(turn: Turn, staying: set[str]) -> None:
    """Machines that are no longer of this site: what is under way on them ends, what they alarmed of has gone."""
    world = turn.world
    erase_strangers(turn, staying, "box")
    for name in [name for name in world.assets if name not in staying]:
        asset = world.assets[name]
        if asset.workout is not None:
            machines.changed(turn, asset, [end(asset, "left", turn.now_ns)])
        for key in [key for key in world.alarms.alarms if key.endswith(f":{name}")]:
            end_alarm(world.alarms, key, turn.stamp)
        for kept in (world.watches, world.straps, world.recoveries):
            kept.pop(name, None)


def _end_orphans(turn: Turn) -> None:
    """Alarms of devices that the site no longer names: none of them will ever say that it is well."""
    world, here = turn.world, _all_devices(turn.config)
    for key in list(world.alarms.alarms):
        kind, _, device = key.partition(":")
        if kind == "device" and device not in here:
            world.devices.pop(device, None)
            end_alarm(world.alarms, key, turn.stamp)


def _owners(config: GymConfig) -> dict[Place, str]:
    """Which machine is heard at which place."""
    return {place: one.asset for one in config.assets for place in one.at}


def _part(turn: Turn, config: GymConfig, owners: dict[Place, str]) -> None:
    """Machines that are now heard where another one was: what its console counted is somebody else's, and whoever
    trained under this name trains under another one from now on."""
    world = turn.world
    for one in config.assets:
        asset = world.assets.get(one.asset)
        if asset is None or all(owners.get(place, one.asset) == one.asset for place in one.at):
            continue
        if asset.workout is not None:
            at_ns = asset.since_ns if asset.phase is Phase.LOST else turn.now_ns
            machines.changed(turn, asset, [end(asset, "left", at_ns)])
        world.assets[one.asset] = Asset(settings=asset.settings)
        for kept in (world.watches, world.straps, world.recoveries):
            kept.pop(one.asset, None)


def _keep_locked(turn: Turn, owners: dict[Place, str]) -> None:
    """What stands where a machine was locked out is locked out too, whatever it is called now: the name in the site
    file mends no belt."""
    locked = {order.asset for order in turn.world.orders.values() if order.state == LOCKED}
    for asset in turn.world.assets.values():
        was = {owners[place] for place in asset.settings.at if owners.get(place) in locked}
        if was and not asset.locked_by:
            lock(turn, asset, "locked_out", f"was {min(was)}", "box")


def _keep_wear(turn: Turn, former: GymConfig) -> None:
    """A machine of another name owes the service that it owed: the same maker, model, number and day of installation,
    heard at the same place."""
    world, gone = turn.world, {one.asset: one for one in former.assets if one.asset not in turn.world.assets}
    known, owners = {one.asset for one in former.assets}, _owners(former)
    for name, asset in world.assets.items():
        was = next((gone[owners[place]] for place in asset.settings.at if owners.get(place) in gone), None)
        if name not in known and was is not None and _plate(was) == _plate(asset.settings) and was.asset in world.wear:
            world.wear[name] = world.wear.pop(was.asset)
            keep_wear(turn, asset)


def _plate(one: AssetSettings) -> tuple[str, ...]:
    """What stands on the machine itself."""
    return one.kind.value, one.maker, one.model, one.serial, one.installed


def _follow_zones(turn: Turn, former: dict[str, ZoneSettings]) -> None:
    """What a machine alarms of is of the zone in which it now is, and sounds there. A buzzer that is no longer the
    zone's falls off by itself, within the time for which it was told to sound."""
    world, book = turn.world, turn.world.alarms
    for alarm in book.alarms.values():
        asset = world.assets.get(alarm.key.partition(":")[2])
        if asset is not None and alarm.zone != asset.settings.zone:
            enter(book, turn.stamp)
            alarm.zone = asset.settings.zone
            mark(book, alarm)
    same = {name for name, zone in former.items() if name in world.zones and world.zones[name].buzzer == zone.buzzer}
    world.buzzers = {name: on for name, on in world.buzzers.items() if name in same}


def build(world: World, config: GymConfig) -> None:
    """Machines, readers and kiosks of ``config``, keeping the state of those that stay."""
    world.config = config
    world.zones = {zone.zone: zone for zone in config.zones}
    former, world.assets = world.assets, {}
    for settings in config.assets:
        asset = former.get(settings.asset) or Asset(settings=settings)
        asset.settings = settings
        world.assets[settings.asset] = asset
    world.assets_at = {_key(place): one.asset for one in config.assets for place in one.at}
    apply_locks(world)
    world.gates_at = {
        _key(gate.at): (one.trail, number) for one in config.trails for number, gate in enumerate(one.gates)
    }
    world.readers_at = {_key(one.reader): one.asset for one in config.assets if one.reader is not None}
    world.hearts_at = {_key(place): one.asset for one in config.assets for place in one.heart}
    kiosks, world.kiosks = world.kiosks, {}
    for kiosk in config.kiosks:
        known = kiosks.get(kiosk.kiosk)
        if known is None or _devices_of(known.settings) != _devices_of(kiosk):
            known = Kiosk(settings=kiosk)  # whoever showed a card stands before other devices
        known.settings = kiosk
        world.kiosks[kiosk.kiosk] = known
    world.kiosks_at = {_key(place): one.kiosk for one in config.kiosks for place in _devices_of(one) if place}


def begin(turn: Turn) -> None:
    """A start, or a rebuild: take up what was under way, ask every device where it stands."""
    world, stamp = turn.world, turn.stamp
    world.devices, world.straps, world.buzzers, world.watches, world.recoveries = {}, {}, {}, {}, {}
    for name, asset in world.assets.items():
        asset.heard_ns = asset.moved_ns = asset.moving_ns = asset.freed_ns = None
        asset.fault = standing_fault(world, name)
        row = world.open_rows.pop(name, None)
        if row is not None:
            take_up(asset, row, stamp)
            heart.resume(turn, asset)
            asset.due_ns = stamp.mono_ns
    for row in world.open_rows.values():  # its machine is gone from the configuration
        turn.put(
            msgspec.structs.replace(
                row, standing=False, state="ended", reason="signal_lost", ended_ns=row.at_ns, body=b""
            )
        )
    world.open_rows = {}
    trail.begin(turn)
    tick(world.alarms, stamp)
    for device in _devices(world):
        turn.send(Send(device, Poll(), EffectClass.DURABLE))


def _all_devices(config: GymConfig) -> set[str]:
    """Every device that the site names for anything."""
    places: list[Place | None] = [zone.buzzer for zone in config.zones]
    for one in config.assets:
        places += [*one.at, *one.heart, one.reader]
    for kiosk in config.kiosks:
        places += _devices_of(kiosk)
    places += [gate.at for trail in config.trails for gate in trail.gates]
    return {place.device for place in places if place is not None}


def _devices_of(kiosk: KioskSettings) -> tuple[Place | None, ...]:
    return kiosk.reader, kiosk.cuff, kiosk.scale


def _key(place: Place) -> str:
    return place_key(place.device, place.point)


def _devices(world: World) -> list[str]:
    """Every device that machines are heard through, in the order of the configuration."""
    config = world.config
    return [] if config is None else list(dict.fromkeys(place.device for one in config.assets for place in one.at))
