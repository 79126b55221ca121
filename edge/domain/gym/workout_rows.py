"""Workouts as rows, and rows as workouts again after a start.

A workout that was under way when the box stopped is *lost*, not ended: the machine may still be in use, and its own
counters tell what was done meanwhile. A user would notice a mistake as a power cut that splits a walk in two.
"""

from __future__ import annotations

import msgspec

from edge.domain.gym.counters import Counter
from edge.domain.gym.rows import WorkoutRow
from edge.domain.gym.turn import Turn
from edge.domain.gym.workout import NS_PER_MS, NS_PER_S
from edge.domain.gym.workout_state import MAX_BREAKS, Asset, Break, Identity, Phase, Totals, Workout
from edge.domain.gym.world import MAX_ENDED, World
from edge.domain.kernel import Rows, Stamp

#: The workout under way is kept so often.
NOTED_NS = 60 * NS_PER_S


class Kept(msgspec.Struct, array_like=True):
    """What of a machine in use the workout's row does not say. Times are ms since the workout began, -1 none.
    ``boot_id`` and ``mono_ns``: when it was kept, on a clock that nobody sets."""

    phase: Phase
    ms: int
    since_ms: int
    totals: Totals
    counters: dict[str, float]
    set_active_ms: int = 0
    set_over_ms: int = 0
    set_reps: int = 0
    boot_id: str = ""
    mono_ns: int = 0


def row_of(
    turn: Turn, asset: Asset, workout: Workout, *, state: str, reason: str = "", ended_ns: int = 0
) -> WorkoutRow:
    """The row of a workout, under way or over (``ended_ns`` monotonic)."""
    totals, stamp = workout.totals, turn.stamp
    return WorkoutRow(
        workout_id=workout.workout_id,
        asset=workout.asset,
        zone=asset.settings.zone,
        kind=asset.settings.kind.value,
        person=workout.person,
        identity=workout.identity.value,
        day=turn.world.day,
        standing=state == "open",
        state=state,
        reason=reason,
        stop_reason="",
        began_ns=workout.began_wall_ns,
        ended_ns=workout.began_wall_ns + workout.ms(ended_ns) * NS_PER_MS if ended_ns else 0,
        clock_trusted=workout.clock_trusted,
        active_ms=totals.active_ms,
        filled_ms=workout.backfilled_ms,
        distance_m=round(totals.distance_m, 1),
        strokes=round(totals.strokes, 1),
        energy_kcal=round(totals.energy_kcal, 1),
        climb_m=round(totals.climb_m, 1),
        reps=totals.reps,
        sets=totals.sets,
        work_j=round(totals.work_j, 1),
        peak_torque_nm=totals.peak_torque_nm,
        mean_power_w=round(totals.power_ws * 1000 / totals.power_ms, 1) if totals.power_ms else None,
        peak_power_w=totals.peak_power_w,
        mean_bpm=round(totals.heart_beats * 60_000 / totals.heart_ms, 1) if totals.heart_ms else None,
        peak_bpm=totals.peak_bpm,
        recovery_bpm=None,
        breaks=msgspec.msgpack.encode(workout.breaks),
        at_ns=stamp.wall_ns,
        body=_kept(asset, workout, stamp) if state == "open" else b"",
    )


def _kept(asset: Asset, workout: Workout, stamp: Stamp) -> bytes:
    counters = {name: one.last for name, one in asset.counters.items() if one.last is not None}
    sets = (workout.set_active_ms, workout.set_over_ms, asset.set_reps)
    kept = Kept(
        asset.phase, workout.ms(stamp.mono_ns), workout.ms(asset.since_ns), workout.totals, counters, *sets,
        stamp.boot_id, stamp.mono_ns,
    )  # fmt: skip
    return msgspec.msgpack.encode(kept)


def load_workouts(world: World, rows: Rows) -> dict[str, WorkoutRow]:
    """The rows of workouts that were under way, by machine."""
    for row in sorted(rows.since(WorkoutRow, "day", world.day), key=lambda row: (row.ended_ns, row.workout_id)):
        if row.state == "ended":
            world.ended[row.workout_id] = row
            world.today.workouts += 1
            world.today.active_ms += row.active_ms
            world.today.distance_m += row.distance_m
    world.ended = dict(list(world.ended.items())[-MAX_ENDED:])
    return {row.asset: row for row in rows.where(WorkoutRow, {"standing": 1})}


def take_up(asset: Asset, row: WorkoutRow, stamp: Stamp) -> None:
    """Go on with a workout that a stop of the box interrupted: lost since it was last kept."""
    kept = msgspec.msgpack.decode(row.body, type=Kept)
    same_boot = kept.boot_id == stamp.boot_id
    away_ns = max(0, stamp.mono_ns - kept.mono_ns if same_boot else stamp.wall_ns - row.at_ns)
    noted_ns = stamp.mono_ns - away_ns
    workout = Workout(
        workout_id=row.workout_id,
        asset=row.asset,
        person=row.person,
        identity=Identity(row.identity),
        began_ns=noted_ns - kept.ms * NS_PER_MS,
        began_wall_ns=row.began_ns,
        clock_trusted=row.clock_trusted,
        totals=kept.totals,
        breaks=msgspec.msgpack.decode(row.breaks, type=list[Break]),
        backfilled_ms=row.filled_ms,
        pulse_from_s=kept.ms // 1000 + 1,
        set_active_ms=kept.set_active_ms,
        set_over_ms=kept.set_over_ms,
    )
    if workout.breaks and workout.breaks[-1].end_ms is None:
        workout.breaks[-1].end_ms = kept.ms
    workout.breaks = [*workout.breaks[: MAX_BREAKS - 1], Break("lost", kept.ms)]
    asset.workout, asset.phase, asset.since_ns = workout, Phase.LOST, noted_ns
    asset.counters = {name: Counter(value, noted_ns) for name, value in kept.counters.items()}
    asset.noted_ns, asset.set_reps = stamp.mono_ns, kept.set_reps
