"""Machines in use: what changes of a workout mean for rows, people and pages; who may claim what.

One person, one machine: who walks on to the next has left the one before. The hard part is a claim that is fair to two
people: a machine in motion is nobody else's, one that stands still in a pause is. A user would notice a mistake as a
stranger's kilometres in one's own book.
"""

from __future__ import annotations

import msgspec

from edge.domain.alarm_states import Priority
from edge.domain.alarms import clear_alarm, raise_alarm
from edge.domain.gym import cap, heart, occupancy, pulses, queue, wear
from edge.domain.gym.messages import GRAVE_REASONS, STOP_REASONS, ClaimAsset, ClaimWorkout, GiveStopReason, LeaveAsset
from edge.domain.gym.people import verdict_of
from edge.domain.gym.rows import WorkoutRow
from edge.domain.gym.turn import Turn
from edge.domain.gym.use import is_open
from edge.domain.gym.view_types import GateDecision
from edge.domain.gym.workout import NS_PER_S, Happened, What, arm, disarm, end, is_short, tick
from edge.domain.gym.workout_rows import NOTED_NS, row_of
from edge.domain.gym.workout_state import Asset, Identity, Phase, Workout
from edge.domain.gym.world import MAX_ENDED
from edge.domain.outcome import Outcome, refused

#: While somebody waits, who has had the time is looked for so often.
LOOKED_NS = 5 * NS_PER_S
_HELD_BACK = frozenset({GateDecision.REST, GateDecision.HOLD, GateDecision.REFER})
#: Whoever is there keeps it: a fresh claim, motion, and a machine of which nothing is known just now.
_TAKEN = frozenset({Phase.ARMED, Phase.ACTIVE, Phase.LOST})


def changed(turn: Turn, asset: Asset, happened: list[Happened]) -> None:
    """Write and show what became of a machine; call it after every ``did`` and ``tick``, also with nothing."""
    for one in happened:
        turn.show(asset.settings.asset, at_once=True)
        if one.what is What.BEGAN and one.workout is not None:
            _leave_others(turn, one.workout.person, asset.settings.asset)
            _begins(turn, asset)
            wear.began(turn, asset)
            queue.taken(turn, asset, one.workout.person)
        if one.what is What.ENDED:
            _ended(turn, asset, one)
        elif one.what is What.ARMED:  # somebody else's strap may be heard from now on
            turn.world.recoveries.pop(asset.settings.asset, None)
        elif one.workout is not None:
            note(turn, asset)
    if asset.workout is not None and turn.now_ns - asset.noted_ns >= NOTED_NS:
        note(turn, asset)
    if happened:
        occupancy.count(turn, asset)
        queue.call(turn)
    heart.schedule(turn, asset)


def _begins(turn: Turn, asset: Asset) -> None:
    """Somebody begins, or is known from now on. The gate cannot stop feet: who was held back and trains is told."""
    heart.begin(turn, asset)
    person = "" if asset.workout is None else asset.workout.person
    decision = verdict_of(turn, person).decision
    if person and turn.world.zones[asset.settings.zone].limits and decision in _HELD_BACK:
        raise_alarm(
            turn.world.alarms, f"gate:{asset.settings.asset}", cause=f"gate_{decision.value}",
            zone=asset.settings.zone, priority=Priority.MEDIUM, detail=asset.settings.asset, stamp=turn.stamp,
        )  # fmt: skip


def note(turn: Turn, asset: Asset) -> None:
    """Keep the workout under way, so that a power cut costs at most a minute of it."""
    if asset.workout is not None:
        asset.noted_ns = turn.now_ns
        turn.put(row_of(turn, asset, asset.workout, state="open"))
        _keep_pulse(turn, asset.workout)


def _keep_pulse(turn: Turn, workout: Workout) -> None:
    """Write down the part of its pulse under way; of what may turn out to be no workout nothing is kept."""
    if is_short(workout, turn.config.session):
        return
    part = pulses.part_of(workout)
    if part is not None:
        turn.put(part)


def ticked(turn: Turn, asset: Asset) -> None:
    """Time alone changes it."""
    changed(turn, asset, tick(asset, turn.now_ns - asset.lag_ns, turn.config.session))
    heart.tick(turn, asset)
    heart.schedule(turn, asset)


def told_long(turn: Turn) -> None:
    """While others wait for its kind, a use that is longer than the settings' cap is told to the coach, and ends where
    it stands still."""
    if turn.world.cap_due_ns is None or turn.world.cap_due_ns > turn.now_ns:
        return  # as nearly always: 200 machines need no look at every timer
    turn.world.cap_due_ns = turn.now_ns + LOOKED_NS if turn.world.queue else None
    waited_for = cap.lines(turn)
    for asset in turn.world.assets.values():
        if cap.left_s(turn, asset, waited_for) != 0:
            clear_alarm(turn.world.alarms, cap_key(asset), turn.stamp)
        elif asset.phase is Phase.PAUSED:
            changed(turn, asset, [end(asset, "queue_cap", asset.since_ns)])
            waited_for = cap.lines(turn)
        else:
            raise_alarm(
                turn.world.alarms, cap_key(asset), cause="queue_cap", zone=asset.settings.zone, priority=Priority.LOW,
                detail=asset.settings.asset, stamp=turn.stamp,
            )  # fmt: skip


def cap_key(asset: Asset) -> str:
    return f"cap:{asset.settings.asset}"


def _ended(turn: Turn, asset: Asset, one: Happened) -> None:
    workout, world = one.workout, turn.world
    if workout is None:
        return
    for key in (cap_key(asset), f"gate:{asset.settings.asset}"):
        clear_alarm(world.alarms, key, turn.stamp)
    short = is_short(workout, turn.config.session)
    row = row_of(turn, asset, workout, state="dropped" if short else "ended", reason=one.reason, ended_ns=one.at_ns)
    turn.put(row)
    pulses.cut(workout, one.at_ns)
    _keep_pulse(turn, workout)
    heart.ended(turn, asset, row, one.at_ns)
    wear.used(turn, asset, row.active_ms, row.distance_m)
    if short:
        return
    occupancy.add(turn, row.zone, row.kind, workouts=1)
    world.today.workouts += 1
    world.today.active_ms += row.active_ms
    world.today.distance_m += row.distance_m
    world.ended[row.workout_id] = row
    while len(world.ended) > MAX_ENDED:
        del world.ended[next(iter(world.ended))]


def _leave_others(turn: Turn, person: str, asset: str) -> None:
    """Who begins here has left every other machine."""
    if not person:
        return
    for other in turn.world.assets.values():
        if other.settings.asset == asset:
            continue
        if other.workout is not None and other.workout.person == person:
            changed(turn, other, [end(other, "left", min(turn.now_ns, other.moved_ns or turn.now_ns))])
        elif other.phase is Phase.ARMED and other.armed_for == person:
            changed(turn, other, [disarm(other, turn.now_ns)])


# --- commands ---------------------------------------------------------------------------------------------------------


def claim(turn: Turn, body: ClaimAsset, *, identity: Identity) -> Outcome:
    """Take a machine, or, the same person again, be done with it."""
    world = turn.world
    asset = world.assets.get(body.asset)
    if asset is None:
        return refused("unknown_asset", asset=body.asset)
    person = body.person or world.cards.get(body.card, "")
    if not person:
        return refused("unknown_card" if body.card else "no_person", asset=body.asset)
    if asset.locked_by or asset.fault:
        return refused("not_now", problem="out_of_order", asset=body.asset)
    if not is_open(turn, asset):
        return refused("not_now", problem="closed", asset=body.asset)
    waiting = cap.waiting_before(turn, asset, person)
    if waiting and person != (asset.armed_for if asset.workout is None else asset.workout.person):
        return refused("not_now", problem="queue_cap", asset=body.asset, waiting=waiting)
    if not queue.may_take(turn, asset, person):
        occupancy.add(turn, asset.settings.zone, asset.settings.kind.value, turned_away=1)
        return refused("asset_held", asset=body.asset)
    if person == (asset.armed_for if asset.workout is None else asset.workout.person):
        _done(turn, asset)
        return Outcome("ok", {"asset": body.asset, "done": True})
    decision = verdict_of(turn, person).decision
    if world.zones[asset.settings.zone].limits and decision is not GateDecision.ADMIT:
        return refused("not_now", problem=f"gate_{decision.value}", asset=body.asset)
    return _take(turn, asset, person, identity)


def _take(turn: Turn, asset: Asset, person: str, identity: Identity) -> Outcome:
    workout, name = asset.workout, asset.settings.asset
    if _trains_elsewhere(turn, person, asset):
        return refused("not_now", problem="busy_elsewhere", asset=name)
    if workout is not None and not workout.person:
        _becomes(turn, asset, workout, person, identity)
    elif asset.phase in _TAKEN:
        occupancy.add(turn, asset.settings.zone, asset.settings.kind.value, turned_away=1)
        return refused("asset_busy", asset=name)
    else:
        happened = [] if workout is None else [end(asset, "claimed", asset.since_ns)]
        _leave_others(turn, person, name)
        queue.taken(turn, asset, person)
        changed(turn, asset, [*happened, arm(asset, person, identity, turn.now_ns)])
    turn.show(name, at_once=True)
    return Outcome("ok", {"asset": name, "done": False})


def _trains_elsewhere(turn: Turn, person: str, asset: Asset) -> bool:
    return any(
        other is not asset and other.workout is not None and other.workout.person == person
        and other.phase is Phase.ACTIVE
        for other in turn.world.assets.values()
    )  # fmt: skip


def _becomes(turn: Turn, asset: Asset, workout: Workout, person: str, identity: Identity) -> None:
    """The anonymous workout under way is this person's, who is nowhere else and waits for no such machine any more."""
    workout.person, workout.identity = person, identity
    _leave_others(turn, person, asset.settings.asset)
    queue.taken(turn, asset, person)
    _begins(turn, asset)
    note(turn, asset)


def leave(turn: Turn, body: LeaveAsset) -> Outcome:
    """Done with a machine."""
    asset = turn.world.assets.get(body.asset)
    if asset is None:
        return refused("unknown_asset", asset=body.asset)
    _done(turn, asset)
    return Outcome("ok", {"asset": body.asset})


def _done(turn: Turn, asset: Asset) -> None:
    if asset.workout is not None:
        changed(turn, asset, [end(asset, "left", turn.now_ns)])
    elif asset.phase is Phase.ARMED:
        changed(turn, asset, [disarm(asset, turn.now_ns)])


def claim_workout(turn: Turn, body: ClaimWorkout) -> Outcome:
    """An anonymous workout finds its person, while it runs or for a while after it."""
    if not body.person:
        return refused("no_person")
    for asset in turn.world.assets.values():
        workout = asset.workout
        if workout is not None and workout.workout_id == body.workout_id:
            if workout.person not in {"", body.person}:
                return refused("workout_taken", workout=body.workout_id)
            if not workout.person:
                if _trains_elsewhere(turn, body.person, asset):
                    return refused("not_now", problem="busy_elsewhere", asset=asset.settings.asset)
                _becomes(turn, asset, workout, body.person, Identity.LATE)
                turn.show(asset.settings.asset, at_once=True)
            return Outcome("ok", {"workout": body.workout_id})
    row = turn.world.ended.get(body.workout_id)
    if row is None or turn.stamp.wall_ns - row.ended_ns > turn.config.session.claim_s * NS_PER_S:
        return refused("unknown_workout", workout=body.workout_id)
    if row.person not in {"", body.person}:
        return refused("workout_taken", workout=body.workout_id)
    _replace(turn, msgspec.structs.replace(row, person=body.person, identity=Identity.LATE.value))
    return Outcome("ok", {"workout": body.workout_id})


def stop_reason(turn: Turn, body: GiveStopReason) -> Outcome:
    """Why a workout was stopped; a grave reason calls the coach. Who says it while the machine still waits has left."""
    if body.reason not in STOP_REASONS:
        return refused("bad_value", reasons=list(STOP_REASONS))
    for asset in turn.world.assets.values():
        if asset.workout is not None and asset.workout.workout_id == body.workout_id:
            changed(turn, asset, [end(asset, "left", turn.now_ns)])
    row = turn.world.ended.get(body.workout_id)
    if row is not None:
        _replace(turn, msgspec.structs.replace(row, stop_reason=body.reason))
        place = (row.asset, row.zone)
    else:
        known = turn.world.assets.get(body.workout_id.rpartition("-")[0])
        # Nothing is kept of a use that was no workout; who has chest pain after twenty seconds is heard all the same.
        if known is None or body.reason not in GRAVE_REASONS:
            return refused("unknown_workout", workout=body.workout_id)
        place = (known.settings.asset, known.settings.zone)
    heart.told_reason(turn, place, body.workout_id, body.reason)
    return Outcome("ok", {"workout": body.workout_id})


def _replace(turn: Turn, row: WorkoutRow) -> None:
    turn.world.ended[row.workout_id] = row
    turn.put(row)
