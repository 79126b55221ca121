"""When a workout begins, pauses, is lost and found again, and ends; whose it is.

idle → armed (claimed) → active (motion) → paused (none) → ended; lost whenever a machine in use falls silent, which is
no pause: nothing is known then. The hard part is to add up only what was done. Totals stand still in a pause, whatever
a flywheel or a drifting counter says; after a loss the machine's own counters fill the gap, unless it began anew. A
user would notice a mistake as minutes that nobody trained, or as half an hour that vanished with the radio.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from edge.domain.gym.breaks import close_break, lose_from, open_break, still_since
from edge.domain.gym.motion import Did, since_told
from edge.domain.gym.sets import fill_set, lost_ns, pause_ns
from edge.domain.gym.settings import SessionSettings
from edge.domain.gym.workout_state import Asset, Identity, Phase, Totals, Workout
from edge.domain.kernel import Stamp

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
_NOTHING = Totals()


class What(StrEnum):
    ARMED = "armed"
    DISARMED = "disarmed"
    BEGAN = "began"
    PAUSED = "paused"
    RESUMED = "resumed"
    LOST = "lost"
    FOUND = "found"
    ENDED = "ended"


class Happened(NamedTuple):
    """A change of a machine. ``workout`` is the one that ended (with ``reason`` and when, monotonic ns), or the one
    that is under way."""

    what: What
    workout: Workout | None = None
    reason: str = ""
    at_ns: int = 0


def did(asset: Asset, done: Did, stamp: Stamp, settings: SessionSettings) -> list[Happened]:
    """Take in what a machine's word added. Call ``tick`` first: a word may come after the silence it ends."""
    now_ns, happened = stamp.mono_ns, []
    silent = asset.heard_ns is None or now_ns - asset.heard_ns >= settings.lost_s * NS_PER_S
    asset.heard_ns = now_ns
    if asset.phase is Phase.LOST and asset.workout is not None:
        asset.workout.finishing |= done.finished  # it ends once a later word has told what was done unheard
        if not done.tells and asset.counters:
            return []  # a bare state: what was done meanwhile is told by a later word
        happened = _found(asset, done, now_ns)
        return [*happened, *_set_over(asset, done, now_ns)]
    if asset.phase is Phase.ACTIVE and asset.workout is not None:
        _active(asset, asset.workout, done, now_ns)
    elif done.moved:
        unheard = silent and not (done.reps or done.sets)
        said = Did(moved=True) if unheard else since_told(asset, done, now_ns, settings.lost_s * NS_PER_S)
        happened = _stirred(asset, said, stamp, settings)
    elif asset.moving_ns is not None:
        _add(asset.pending, done)
    happened += _set_over(asset, done, now_ns)
    if done.finished and asset.workout is not None:
        happened.append(end(asset, "finished", now_ns))
    return happened


def _set_over(asset: Asset, done: Did, now_ns: int) -> list[Happened]:
    """The machine says that a set is over: its time is what the machine says, and from now on it is a rest."""
    if not done.sets or asset.workout is None or asset.phase is not Phase.ACTIVE:
        return []
    fill_set(asset.workout, done.set_ms, now_ns)
    _pause_at(asset, now_ns)
    return [Happened(What.PAUSED, asset.workout)]


def _active(asset: Asset, workout: Workout, done: Did, now_ns: int) -> None:
    """A word in motion. What comes without motion (calories in a word of their own) waits for the next motion: in a
    pause it was nothing."""
    if not done.moved:
        _add(asset.pending, done)
        return
    asset.moved_ns = now_ns
    if asset.moving_ns is None:
        asset.moving_ns = now_ns
    _add(workout.totals, done)
    if asset.pending != _NOTHING:
        _join(workout.totals, asset.pending)
        asset.pending = Totals()
    _count_time(asset, workout.totals, now_ns)


def _stirred(asset: Asset, done: Did, stamp: Stamp, settings: SessionSettings) -> list[Happened]:
    """Motion where there was none: a workout begins or goes on once it has lasted, or at a repetition. What a counter
    grew by while nobody heard it (``did``) belongs to nobody."""
    now_ns = stamp.mono_ns
    still = asset.moved_ns is None or now_ns - asset.moved_ns > pause_ns(asset, settings)
    if still or asset.moving_ns is None:
        asset.moving_ns, asset.pending = done.from_ns or now_ns, Totals()
    asset.moved_ns = now_ns
    _add(asset.pending, done)
    began_ns = asset.moving_ns
    lasted = now_ns - began_ns >= settings.motion_s * NS_PER_S
    return [_go_on(asset, began_ns, stamp)] if lasted or asset.pending.reps or asset.pending.sets else []


def _count_time(asset: Asset, totals: Totals, now_ns: int) -> None:
    """Time in motion up to now, and the means and peaks over it."""
    passed_ms = (now_ns - asset.counted_ns) // NS_PER_MS
    totals.active_ms += passed_ms
    asset.counted_ns += passed_ms * NS_PER_MS
    power_w, bpm = asset.latest.power_w, asset.bpm
    if power_w is not None:
        totals.power_ws += power_w * passed_ms / 1000
        totals.power_ms += passed_ms
        totals.peak_power_w = max(totals.peak_power_w, power_w)
    if bpm is not None:
        totals.heart_beats += bpm * passed_ms / 60_000
        totals.heart_ms += passed_ms
        totals.peak_bpm = max(totals.peak_bpm, bpm)


def _go_on(asset: Asset, began_ns: int, stamp: Stamp) -> Happened:
    """Begin a workout, or resume the paused one, from the first motion on."""
    now_ns = stamp.mono_ns
    resumed = asset.workout is not None
    if asset.workout is None:
        asset.workout = Workout(
            workout_id=f"{asset.settings.asset}-{stamp.seq}",
            asset=asset.settings.asset,
            person=asset.armed_for,
            identity=asset.armed_by,
            began_ns=began_ns,
            began_wall_ns=stamp.wall_ns - (now_ns - began_ns),
            clock_trusted=stamp.wall_trusted,
        )
        asset.armed_for, asset.armed_by = "", Identity.NONE
    workout = asset.workout
    close_break(workout, began_ns)
    _join(workout.totals, asset.pending)
    workout.totals.active_ms += (now_ns - began_ns) // NS_PER_MS
    asset.pending, asset.counted_ns = Totals(), now_ns
    _enter(asset, Phase.ACTIVE, began_ns)
    return Happened(What.RESUMED if resumed else What.BEGAN, workout)


def tick(asset: Asset, now_ns: int, settings: SessionSettings) -> list[Happened]:
    """What time alone does to a machine. ``now_ns`` is on the machine's own line of time, behind the box's by
    ``lag_ns``: a gateway that holds words back makes nobody stand still."""
    workout = asset.workout
    if workout is None:
        if asset.phase is Phase.ARMED and now_ns - asset.since_ns >= settings.arm_s * NS_PER_S:
            return [disarm(asset, now_ns)]
        return []
    happened = []
    heard_ns = asset.since_ns if asset.heard_ns is None else asset.heard_ns
    if asset.phase is not Phase.LOST and now_ns - heard_ns >= lost_ns(asset, settings):
        _pause_at(asset, heard_ns)
        close_break(workout, heard_ns)
        open_break(workout, "lost", heard_ns)
        _enter(asset, Phase.LOST, heard_ns)
        happened.append(Happened(What.LOST, workout))
    if asset.phase is Phase.LOST:
        if now_ns - asset.since_ns >= settings.lost_end_s * NS_PER_S:
            happened.append(end(asset, "signal_lost", still_since(asset, workout)))
        return happened
    moved_ns = asset.since_ns if asset.moved_ns is None else asset.moved_ns
    if asset.phase is Phase.ACTIVE and now_ns - moved_ns >= pause_ns(asset, settings):
        _pause_at(asset, moved_ns)
        happened.append(Happened(What.PAUSED, workout))
    if asset.phase is Phase.PAUSED and workout.finishing:
        happened.append(end(asset, "finished", still_since(asset, workout)))
    elif asset.phase is Phase.PAUSED and now_ns - asset.since_ns >= settings.end_s * NS_PER_S:
        happened.append(end(asset, "idle", still_since(asset, workout)))
    return happened


def due_ns(asset: Asset, settings: SessionSettings) -> int | None:
    """When time alone will next change something, on the box's line of time."""
    due = _own_due_ns(asset, settings)
    return None if due is None else due + asset.lag_ns


def _own_due_ns(asset: Asset, settings: SessionSettings) -> int | None:
    if asset.workout is None:
        return asset.since_ns + settings.arm_s * NS_PER_S if asset.phase is Phase.ARMED else None
    if asset.phase is Phase.LOST:
        return asset.since_ns + settings.lost_end_s * NS_PER_S
    heard_ns = asset.since_ns if asset.heard_ns is None else asset.heard_ns
    silent_ns = heard_ns + lost_ns(asset, settings)
    if asset.phase is Phase.PAUSED:
        return min(silent_ns, asset.since_ns + settings.end_s * NS_PER_S)
    moved_ns = asset.since_ns if asset.moved_ns is None else asset.moved_ns
    return min(silent_ns, moved_ns + pause_ns(asset, settings))


def arm(asset: Asset, person: str, identity: Identity, now_ns: int) -> Happened:
    """A free machine is claimed."""
    asset.armed_for, asset.armed_by = person, identity
    _enter(asset, Phase.ARMED, now_ns)
    return Happened(What.ARMED)


def disarm(asset: Asset, now_ns: int) -> Happened:
    """The claim was not used."""
    asset.armed_for, asset.armed_by = "", Identity.NONE
    _enter(asset, Phase.IDLE, now_ns)
    return Happened(What.DISARMED)


def end(asset: Asset, reason: str, at_ns: int) -> Happened:
    """The workout under way is over; what is still pending was nothing."""
    workout = asset.workout
    if workout is None:
        raise ValueError(f"no workout at {asset.settings.asset}")
    while workout.breaks and workout.breaks[-1].start_ms >= workout.ms(at_ns):
        workout.breaks.pop()
    close_break(workout, at_ns)
    asset.workout, asset.pending, asset.set_reps = None, Totals(), 0
    asset.moved_ns = asset.moving_ns = None
    asset.freed_ns = at_ns
    _enter(asset, Phase.IDLE, at_ns)
    return Happened(What.ENDED, workout, reason, at_ns)


def is_short(workout: Workout, settings: SessionSettings) -> bool:
    """Too short to be a workout at all, so far."""
    return workout.totals.active_ms < settings.least_s * 1000 and not workout.totals.sets


def _found(asset: Asset, done: Did, now_ns: int) -> list[Happened]:
    """A lost machine speaks again: its counters tell what was done meanwhile. One that began anew was somebody else's,
    or a new programme: the workout ended where it was lost."""
    workout, lost_ns = asset.workout, asset.since_ns
    if workout is None:
        return []
    if done.reset:
        return [end(asset, "restarted", lost_ns)]
    # Words that told nothing of progress may have come for a while before it was lost.
    from_ns = lost_ns if done.told_ns is None else min(lost_ns, max(done.told_ns, asset.moved_ns or done.told_ns))
    gap_ms = (now_ns - from_ns) // NS_PER_MS
    told_ms = gap_ms if done.elapsed_s is None else min(gap_ms, round(done.elapsed_s * 1000))
    vouched = done.moved if done.counts else done.elapsed_s is not None and told_ms > 0
    filled_ms = told_ms if vouched else 0
    if filled_ms and from_ns < lost_ns:
        lose_from(workout, from_ns)
    close_break(workout, now_ns)
    if done.moved or filled_ms:
        _add(workout.totals, done)
        workout.totals.active_ms += filled_ms
        workout.backfilled_ms += filled_ms
        workout.filled_to_ms = workout.ms(now_ns)
        asset.moved_ns = asset.moving_ns = asset.counted_ns = now_ns
        _enter(asset, Phase.ACTIVE, now_ns)
    else:
        asset.moved_ns = lost_ns
        open_break(workout, "pause", now_ns)
        _enter(asset, Phase.PAUSED, now_ns)
    return [Happened(What.FOUND, workout)]


def _pause_at(asset: Asset, at_ns: int) -> None:
    """ACTIVE until ``at_ns``; the totals stand as they were then."""
    if asset.phase is not Phase.ACTIVE or asset.workout is None:
        return
    open_break(asset.workout, "pause", at_ns)
    asset.pending, asset.moving_ns = Totals(), None
    _enter(asset, Phase.PAUSED, at_ns)


def _enter(asset: Asset, phase: Phase, at_ns: int) -> None:
    asset.phase, asset.since_ns = phase, at_ns


def _add(totals: Totals, done: Did) -> None:
    totals.distance_m += done.distance_m
    totals.strokes += done.strokes
    totals.energy_kcal += done.energy_kcal
    totals.climb_m += done.climb_m
    totals.floors += done.floors
    totals.reps += done.reps
    totals.sets += done.sets
    totals.work_j += done.work_j
    totals.peak_torque_nm = max(totals.peak_torque_nm, done.peak_torque_nm)


def _join(totals: Totals, pending: Totals) -> None:
    """Add what was pending (it holds no times and no pulse)."""
    for name in ("distance_m", "strokes", "energy_kcal", "climb_m", "floors", "reps", "sets", "work_j"):
        setattr(totals, name, getattr(totals, name) + getattr(pending, name))
    totals.peak_torque_nm = max(totals.peak_torque_nm, pending.peak_torque_nm)
