"""From a device's reading to the machine, person or kiosk that it speaks of.

A reading that nothing is mapped to does no harm. Stored state (retained) is never an event: yesterday's metres must not
begin a workout. What a gateway held back while the radio was away is taken at the time it was measured. A user would
notice a mistake as a workout that starts with the broker.
"""

from __future__ import annotations

import msgspec

from edge.domain.alarm_delivery import notified
from edge.domain.alarm_states import Priority
from edge.domain.alarms import clear_alarm, raise_alarm
from edge.domain.devices import DeviceHealth, DeviceReading, DeviceState, Reading
from edge.domain.field_devices import LAST_WILL, CardReading, PointHealth
from edge.domain.gym import counts, heart, kiosks, machines, trail, wear
from edge.domain.gym.believable import believable
from edge.domain.gym.messages import ClaimAsset
from edge.domain.gym.motion import Did, machine_said, rep_done, set_said
from edge.domain.gym.turn import Turn
from edge.domain.gym.workout import did, tick
from edge.domain.gym.workout_state import Asset, Identity, Phase
from edge.domain.kernel import Stamp
from edge.domain.machine_readings import (
    BloodPressureReading,
    CountReading,
    GateReading,
    HeartContact,
    HeartRateReading,
    MachineEvent,
    MachineHealthReading,
    MachineReading,
    MachineState,
    RepReading,
    StopOutcome,
    StrengthSetReading,
    WeightReading,
)
from edge.domain.notices import NotifyResult
from edge.domain.places import place_key

#: A gateway may hold a reading back for at most so long and still be believed.
MAX_DELAY_MS = 300_000
#: A word is older than the last one when its gateway says so by so much, and not by more than a gateway keeps.
OLDER_NS, OLDER_MAX_NS = 1_000_000_000, 3_600_000_000_000
#: The same card at the same reader within this time of its last reading is still the same tap.
TAP_NS = 2_000_000_000


def heard(turn: Turn, item: DeviceReading) -> None:
    """Take one reading in."""
    body, device = believable(item.body), item.device
    match body:
        case DeviceHealth():
            _device(turn, device, body)
        case NotifyResult():
            notified(turn.world.alarms, body, turn.stamp)
        case CardReading():
            _card(turn, device, body)
        case GateReading():
            trail.passed(turn, device, body)
        case BloodPressureReading() | WeightReading() if not body.retained:
            kiosks.measured(turn, device, body)
        case HeartRateReading() if not body.retained:
            asset = _at(turn, turn.world.hearts_at, device, body.point)
            if asset is not None:
                contact, delay_ms = body.contact is not HeartContact.NOT_DETECTED, body.delay_ms
                heart.pulse(turn, asset, body.heart_rate_bpm, contact=contact, strap=True, delay_ms=delay_ms)
        case _:
            asset = _at(turn, turn.world.assets_at, device, getattr(body, "point", ""))
            if asset is not None and (not getattr(body, "retained", False) or _is_will(body)):
                _of_machine(turn, asset, body)


def _is_will(body: Reading) -> bool:
    """A last will is kept by the broker: that it is stored makes it no older than the silence that it explains."""
    return isinstance(body, PointHealth) and body.detail == LAST_WILL


def _of_machine(turn: Turn, asset: Asset, body: Reading) -> None:
    match body:
        case MachineReading() | RepReading() | StrengthSetReading():
            _machine(turn, asset, body)
        case MachineEvent():
            _event(turn, asset, body)
        case MachineHealthReading():
            wear.health(turn, asset, body)
        case CountReading():
            _reachable(turn, asset, up=True)
            turn.show(asset.settings.asset, at_once=asset.heard_ns is None)
            asset.heard_ns = turn.now_ns
            counts.counted(turn, asset, body)
        case StopOutcome(accepted=False):
            _not_stopped(turn, asset, body)
        case PointHealth():
            _reachable(turn, asset, up=body.online)
        case _:
            pass


def _at(turn: Turn, places: dict[str, str], device: str, point: str) -> Asset | None:
    return turn.world.assets.get(places.get(place_key(device, point), ""))


def _machine(turn: Turn, asset: Asset, body: MachineReading | RepReading | StrengthSetReading) -> None:
    stamp, session = _when(turn.stamp, asset, body.delay_ms), turn.config.session
    asset.lag_ns = turn.now_ns - stamp.mono_ns
    before = tick(asset, stamp.mono_ns, session)
    if isinstance(body, MachineReading):
        done = machine_said(asset, body, stamp.mono_ns, older=_is_older(asset, body.source_wall_ns))
        if body.safety_key_pulled is not None:
            _key(turn, asset, pulled=body.safety_key_pulled)
        if body.heart_rate_bpm is not None:
            heart.pulse(turn, asset, body.heart_rate_bpm, delay_ms=body.delay_ms)
    elif isinstance(body, RepReading):
        done = rep_done(asset, body)
    else:
        done = set_said(asset, body, stamp.mono_ns)
    _reachable(turn, asset, up=True)
    if asset.workout is not None:
        asset.workout.leaps += done.leaps
    if asset.locked_by:
        done = Did()
    machines.changed(turn, asset, [*before, *did(asset, done, stamp, session)])
    if isinstance(body, MachineReading) and body.state is not None:
        # One that says "error" for ever and is trained on is not out of order.
        wear.stands(turn, asset, faulty=body.state is MachineState.FAULT and asset.phase is not Phase.ACTIVE)
    turn.show(asset.settings.asset)


def _when(stamp: Stamp, asset: Asset, delay_ms: int | None) -> Stamp:
    """The stamp of when it was measured; never before what was already heard of the machine."""
    if not delay_ms or not 0 < delay_ms <= MAX_DELAY_MS:
        return stamp
    mono_ns = max(stamp.mono_ns - delay_ms * 1_000_000, asset.heard_ns or 0)
    return msgspec.structs.replace(stamp, mono_ns=mono_ns, wall_ns=stamp.wall_ns - (stamp.mono_ns - mono_ns))


def _is_older(asset: Asset, source_wall_ns: int | None) -> bool:
    """Said before the asset's last word, by the gateway's own clock, right or wrong: a gateway whose broker died says
    again what was under way. One whose clock went back by more has been set or begun anew, and counts from there."""
    if source_wall_ns is None:
        return False
    behind_ns = asset.said_wall_ns - source_wall_ns
    if OLDER_NS < behind_ns <= OLDER_MAX_NS:
        return True
    if behind_ns < 0 or behind_ns > OLDER_MAX_NS:
        asset.said_wall_ns = source_wall_ns
    return False


def _event(turn: Turn, asset: Asset, body: MachineEvent) -> None:
    if body.event in {"stopped_by_safety_key", "started_or_resumed_by_user"}:
        _key(turn, asset, pulled=body.event == "stopped_by_safety_key")


def _key(turn: Turn, asset: Asset, *, pulled: bool) -> None:
    """Somebody may have fallen: a pulled safety key calls until the machine runs again, and stands until a person has
    looked after it and resets it: whoever puts the key back need not be who fell."""
    key = f"key:{asset.settings.asset}"
    if pulled:
        raise_alarm(
            turn.world.alarms, key, cause="safety_key", zone=asset.settings.zone, priority=Priority.HIGH,
            detail=asset.settings.asset, stamp=turn.stamp, latched=True,
        )  # fmt: skip
    else:
        clear_alarm(turn.world.alarms, key, turn.stamp)


def _card(turn: Turn, device: str, body: CardReading) -> None:
    """A card at a machine's reader claims it; at a kiosk it says who is being measured. A card that is held to the
    reader is read many times, and is one tap."""
    world, place = turn.world, place_key(device, body.point)
    if place not in world.kiosks_at and place not in world.readers_at:
        return
    card, at_ns = world.taps.get(place, ("", 0))
    world.taps[place] = (body.card, turn.now_ns)
    if card == body.card and turn.now_ns - at_ns < TAP_NS:
        return
    kiosk = world.kiosks_at.get(place)
    if kiosk is not None:
        kiosks.shown(turn, world.kiosks[kiosk], body.card)
    name = world.readers_at.get(place)
    if name is None:
        return
    outcome = machines.claim(turn, ClaimAsset(asset=name, card=body.card), identity=Identity.CARD)
    problem = str(outcome.body.get("problem", outcome.code))
    key, asset = f"refused:{name}", world.assets[name]
    if outcome.code != "ok" and problem.startswith("gate_"):
        raise_alarm(
            world.alarms, key, cause=problem, zone=asset.settings.zone, priority=Priority.LOW, detail=name,
            stamp=turn.stamp,
        )  # fmt: skip
    clear_alarm(world.alarms, key, turn.stamp)


def _not_stopped(turn: Turn, asset: Asset, body: StopOutcome) -> None:
    """A stop was asked for and the machine refused it: somebody has to go there."""
    raise_alarm(
        turn.world.alarms, f"call:{asset.settings.asset}", cause="stop_refused", zone=asset.settings.zone,
        priority=Priority.HIGH, detail=f"{asset.settings.asset}:{body.detail}", stamp=turn.stamp,
    )  # fmt: skip


def _reachable(turn: Turn, asset: Asset, *, up: bool) -> None:
    if asset.link_down == up:
        asset.link_down = not up
        turn.show(asset.settings.asset, at_once=True)


def _device(turn: Turn, device: str, body: DeviceHealth) -> None:
    """The link itself. Connecting is no news: every driver ends it as ready or as a fault."""
    world, up = turn.world, body.state is DeviceState.READY
    if body.state is DeviceState.CONNECTING or world.devices.get(device) == up:
        return
    world.devices[device] = up
    for asset in world.assets.values():
        if any(place.device == device for place in asset.settings.at):
            _reachable(turn, asset, up=up)
    key = f"device:{device}"
    if up:
        clear_alarm(world.alarms, key, turn.stamp)
    else:
        raise_alarm(
            world.alarms, key, cause="device_lost", zone="", priority=Priority.MEDIUM,
            detail=f"{device}:{body.problem}", stamp=turn.stamp,
        )  # fmt: skip
