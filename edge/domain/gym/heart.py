"""The pulse of whoever trains on a machine: whose it is, what it may be, and who hears when it is too high.

A strap is believed before the machine's hand grips. The hard part is that all of this works with every uplink down: the
buzzer of the room is told by this box, pages and pagers come on top. A warning carries the beats that caused it. The
only thing that is ever written to a machine is a soft stop, and only where the site has allowed it for that machine. A
user would notice a mistake as an alarm about somebody who had left the machine ten minutes ago.
"""

from __future__ import annotations

from datetime import date

import msgspec

from edge.domain.alarm_moves import end_alarm
from edge.domain.alarm_states import AlarmState, Priority
from edge.domain.alarms import clear_alarm, raise_alarm
from edge.domain.field_devices import Operate
from edge.domain.gym import pulses
from edge.domain.gym.limits import (
    Ceiling,
    Level,
    Watch,
    beat,
    ceiling_of,
    due_ns,
    judge,
    recovery_bpm,
    rises_fast,
)
from edge.domain.gym.messages import GRAVE_REASONS, StopAsset
from edge.domain.gym.rows import HeartAlarmRow, WorkoutRow
from edge.domain.gym.turn import Turn
from edge.domain.gym.workout import NS_PER_MS, NS_PER_S, is_short
from edge.domain.gym.workout import due_ns as workout_due_ns
from edge.domain.gym.workout_state import Asset, Phase
from edge.domain.gym.world import Recovery, World
from edge.domain.kernel import EffectClass, Send
from edge.domain.machine_readings import StopMachine
from edge.domain.outcome import Outcome, refused

#: A strap that was heard within this time is believed instead of the grips.
STRAP_NS = 5 * NS_PER_S
#: A cadence that was told longer ago says nothing of the pulse.
CADENCE_NS = 10 * NS_PER_S
#: A buzzer falls off by itself unless it is told again within its hold; it is told again so often.
BUZZER_HOLD_S = 60
BUZZER_AGAIN_NS = 20 * NS_PER_S
#: The pulse a minute after effort is looked for until then.
RECOVERY_NS = 70 * NS_PER_S
#: A stop that could not be written within this time is no longer meant.
STOP_NS = 10 * NS_PER_S
_CAUSE = {Level.WARN: "heart_high", Level.ALARM: "heart_alarm", Level.DOUBTFUL: "heart_doubtful"}
_UNHEARD = frozenset({AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED_UNACKNOWLEDGED})
_PRIORITY = {Level.WARN: Priority.MEDIUM, Level.ALARM: Priority.HIGH, Level.DOUBTFUL: Priority.LOW}


def ceiling(turn: Turn, asset: Asset) -> Ceiling:
    """The limits of whoever trains here now; none outside of zones that watch limits, or for nobody known."""
    workout = asset.workout
    if workout is None or not turn.world.zones[asset.settings.zone].limits:
        return Ceiling("none")
    day = turn.world.day
    year = date.fromisoformat(day).year if day else 0
    return ceiling_of(turn.world.persons.get(workout.person), year, turn.config.limits)


def begin(turn: Turn, asset: Asset) -> None:
    """Somebody begins here, or is known from now on: what was judged of another counts no more."""
    name = asset.settings.asset
    former = turn.world.watches.get(name)
    watch = Watch(began_ns=turn.now_ns)
    if former is not None and former.samples and asset.workout is not None:
        watch.samples = [one for one in former.samples if one[0] >= asset.workout.began_ns]
    turn.world.watches[name] = watch
    turn.world.recoveries.pop(name, None)
    _settle(turn, asset, watch)
    if asset.workout is not None and not asset.workout.pulse:
        for at_ns, bpm in watch.samples:  # of the first seconds, in which motion was not yet believed
            _write_down(turn, asset, bpm, at_ns)


def resume(turn: Turn, asset: Asset) -> None:
    """A start: what was judged of whoever trains here stands until the pulse says otherwise."""
    alarm = turn.world.alarms.alarms.get(f"heart:{asset.settings.asset}")
    if alarm is None or not alarm.active or alarm.clear_due_ns is not None:
        return
    judged = next((level for level, cause in _CAUSE.items() if cause == alarm.cause), Level.DOUBTFUL)
    if judged is not Level.DOUBTFUL:
        turn.world.watches[asset.settings.asset] = Watch(began_ns=turn.now_ns, judged=judged)


def pulse(
    turn: Turn, asset: Asset, bpm: int | None, *, contact: bool = True, strap: bool = False, delay_ms: int | None = None
) -> None:
    """A beat of a strap or of the machine's grips. One that was held back until stale is no pulse of now."""
    world, name, limits = turn.world, asset.settings.asset, turn.config.limits
    if delay_ms is not None and delay_ms >= limits.stale_s * 1000:
        return
    if strap:
        if contact and bpm is not None and limits.low_bpm <= bpm <= limits.high_bpm:
            world.straps[name] = turn.now_ns
    elif turn.now_ns - world.straps.get(name, -STRAP_NS) < STRAP_NS:
        return
    watch = world.watches.get(name)
    if watch is None:
        watch = world.watches[name] = Watch(began_ns=turn.now_ns)
    told_ago_ns = turn.now_ns - asset.latest.cadence_ns
    cadence = asset.latest.cadence_rpm if told_ago_ns <= CADENCE_NS else None
    fresh = beat(watch, bpm, contact=contact, cadence=cadence, now_ns=turn.now_ns, settings=limits)
    _settle(turn, asset, watch, fresh=fresh)
    if fresh:
        _write_down(turn, asset, watch.samples[-1][1], turn.now_ns - (delay_ms or 0) * NS_PER_MS)
    _recovered(turn, asset, watch)
    schedule(turn, asset)
    turn.show(name)


def tick(turn: Turn, asset: Asset) -> None:
    """Silence has gone on."""
    watch = turn.world.watches.get(asset.settings.asset)
    if watch is not None:
        _settle(turn, asset, watch)
        _recovered(turn, asset, watch)


def schedule(turn: Turn, asset: Asset) -> None:
    """Work out when silence alone changes what is known of a machine or of the pulse on it."""
    watch = turn.world.watches.get(asset.settings.asset)
    silent_ns = None if watch is None else due_ns(watch, turn.config.limits)
    if silent_ns is None and watch is not None and watch.samples and asset.bpm is not None:
        silent_ns = watch.samples[-1][0] + turn.config.limits.stale_s * NS_PER_S  # a pulse without limits ages too
    still_ns = workout_due_ns(asset, turn.config.session)
    asset.due_ns = min((due for due in (silent_ns, still_ns) if due is not None), default=None)


def ended(turn: Turn, asset: Asset, row: WorkoutRow, at_ns: int) -> None:
    """The workout is over: its alarms have gone, and the pulse is watched for a minute of rest."""
    name = asset.settings.asset
    for key in (f"heart:{name}", f"rise:{name}"):  # the next one here is somebody else
        end_alarm(turn.world.alarms, key, turn.stamp)
    watch = turn.world.watches.get(name)
    if watch is not None and row.state == "ended":
        turn.world.recoveries[name] = Recovery(row.workout_id, at_ns)
    asset.bpm = None


def told_reason(turn: Turn, place: tuple[str, str], workout_id: str, reason: str) -> None:
    """A person gave a grave reason for stopping at ``place`` (machine, zone): a coach is called."""
    name, zone = place
    if reason in GRAVE_REASONS:
        raise_alarm(
            turn.world.alarms, f"call:{name}", cause=f"felt_{reason}", zone=zone, priority=Priority.HIGH,
            detail=f"{name}:{workout_id}", stamp=turn.stamp,
        )  # fmt: skip


def calls_heard(turn: Turn) -> None:
    """A call to a coach lasts until one has acknowledged it."""
    book = turn.world.alarms
    for key, alarm in list(book.alarms.items()):
        if key.startswith("call:") and alarm.state is AlarmState.ACKNOWLEDGED:
            end_alarm(book, key, turn.stamp)


def stop(turn: Turn, body: StopAsset) -> Outcome:
    """A coach stops a machine from afar, where the site allows it."""
    asset = turn.world.assets.get(body.asset)
    if asset is None:
        return refused("unknown_asset", asset=body.asset)
    if not asset.settings.stop:
        return refused("not_now", problem="stop_not_allowed", asset=body.asset)
    _stop(turn, asset)
    return Outcome("ok", {"asset": body.asset})


def buzz(turn: Turn) -> None:
    """Sound the buzzer of each zone in which a grave alarm is not acknowledged; tell it again. A pulse that is not
    heard of any more, or a workout that ends because nobody moves, is no reason to be quiet."""
    loud = {
        alarm.zone
        for alarm in turn.world.alarms.alarms.values()
        if alarm.priority.rank <= Priority.HIGH.rank and alarm.state in _UNHEARD and not alarm.silenced
    }
    for name, zone in turn.world.zones.items():
        if zone.buzzer is None:  # nearly all of 65 zones, at each of 300 words a second
            continue
        wanted, told_ns = name in loud, turn.world.buzzers_ns.get(name, 0)
        again = wanted and turn.now_ns - told_ns >= BUZZER_AGAIN_NS
        if turn.world.buzzers.get(name) == wanted and not again:
            continue
        turn.world.buzzers[name], turn.world.buzzers_ns[name] = wanted, turn.now_ns
        command = Operate(
            point=zone.buzzer.point, on=wanted, command_id=f"buzzer-{turn.stamp.seq}",
            hold_s=BUZZER_HOLD_S if wanted else 0,
        )  # fmt: skip
        turn.send(Send(zone.buzzer.device, command, EffectClass.SAFETY if wanted else EffectClass.DURABLE))


def buzz_due_ns(world: World) -> int | None:
    """When a buzzer that sounds is told again."""
    dues = [world.buzzers_ns[name] + BUZZER_AGAIN_NS for name, on in world.buzzers.items() if on]
    return min(dues, default=None)


def _settle(turn: Turn, asset: Asset, watch: Watch, *, fresh: bool = False) -> None:
    """Judge, and raise or clear what comes of it."""
    before, judged_before = watch.level, watch.judged
    limit = ceiling(turn, asset)
    level = judge(watch, limit, turn.now_ns, turn.config.limits, fresh=fresh)
    silent = not watch.samples or turn.now_ns - watch.samples[-1][0] >= turn.config.limits.stale_s * NS_PER_S
    asset.bpm = None if silent else watch.samples[-1][1]
    if level is not before:
        turn.show(asset.settings.asset, at_once=True)
        _alarm(turn, asset, level, watch, limit)
        if level is Level.ALARM and asset.settings.stop:
            _stop(turn, asset)
    if watch.judged is not judged_before and watch.judged in {Level.WARN, Level.ALARM}:
        _record(turn, asset, watch, limit)
    if fresh and limit.applies:
        if rises_fast(watch, turn.config.limits):
            _raise(turn, asset, "rise", "heart_rises", Priority.LOW)
        else:
            clear_alarm(turn.world.alarms, f"rise:{asset.settings.asset}", turn.stamp)


def _write_down(turn: Turn, asset: Asset, bpm: int, at_ns: int) -> None:
    """A believed beat of a workout in motion becomes part of it."""
    if asset.workout is None or asset.phase is not Phase.ACTIVE:
        return
    full = pulses.record(asset.workout, bpm, at_ns)
    if full is not None and not is_short(asset.workout, turn.config.session):
        turn.put(full)


def _alarm(turn: Turn, asset: Asset, level: Level, watch: Watch, limit: Ceiling) -> None:
    name = asset.settings.asset
    cause = _CAUSE.get(level)
    if cause is not None:
        detail = f"{name}:{watch.samples[-1][1]}/{limit.ceiling_bpm}"
        _raise(turn, asset, "heart", cause, _PRIORITY[level], detail=detail)
    elif level in {Level.OK, Level.OFF}:
        clear_alarm(turn.world.alarms, f"heart:{name}", turn.stamp)
        clear_alarm(turn.world.alarms, f"rise:{name}", turn.stamp)


def _raise(turn: Turn, asset: Asset, kind: str, cause: str, priority: Priority, *, detail: str = "") -> None:
    raise_alarm(
        turn.world.alarms, f"{kind}:{asset.settings.asset}", cause=cause, zone=asset.settings.zone, priority=priority,
        detail=detail or asset.settings.asset, stamp=turn.stamp,
    )  # fmt: skip


def _record(turn: Turn, asset: Asset, watch: Watch, limit: Ceiling) -> None:
    """Keep the beats that caused it."""
    workout = asset.workout
    ages = [((turn.now_ns - at_ns) // 1_000_000, bpm) for at_ns, bpm in watch.samples]
    turn.put(
        HeartAlarmRow(
            seq=turn.stamp.seq,
            asset=asset.settings.asset,
            workout_id="" if workout is None else workout.workout_id,
            person="" if workout is None else workout.person,
            level=watch.judged.value,
            ceiling_bpm=limit.ceiling_bpm,
            max_bpm=limit.max_bpm,
            source=limit.source,
            at_ns=turn.stamp.wall_ns,
            samples=msgspec.msgpack.encode(ages),
        )
    )


def _stop(turn: Turn, asset: Asset) -> None:
    for place in asset.settings.at:
        command = StopMachine(
            point=place.point, command_id=f"stop-{turn.stamp.seq}", expires_mono_ns=turn.now_ns + STOP_NS
        )
        turn.send(Send(place.device, command, EffectClass.SAFETY))


def _recovered(turn: Turn, asset: Asset, watch: Watch) -> None:
    """A minute after the end: by how much the pulse fell, as a note in the workout's row."""
    world, name = turn.world, asset.settings.asset
    recovery = world.recoveries.get(name)
    if recovery is None or turn.now_ns - recovery.stopped_ns < RECOVERY_NS:
        return
    del world.recoveries[name]
    fell, row = recovery_bpm(watch, recovery.stopped_ns), world.ended.get(recovery.workout_id)
    if fell is None or row is None:
        return
    row = msgspec.structs.replace(row, recovery_bpm=fell)
    world.ended[row.workout_id] = row
    turn.put(row)
