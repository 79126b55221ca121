"""Pauses and losses within a workout."""

from __future__ import annotations

from edge.domain.gym.workout_state import MAX_BREAKS, Asset, Break, Workout

NS_PER_MS = 1_000_000


def open_break(workout: Workout, kind: str, at_ns: int) -> None:
    """One begins; beyond the kept number the last one is lengthened."""
    if len(workout.breaks) < MAX_BREAKS:
        workout.breaks.append(Break(kind, workout.ms(at_ns)))
    else:
        workout.breaks[-1].end_ms = None


def close_break(workout: Workout, at_ns: int) -> None:
    """The one under way is over; an empty one was none."""
    if workout.breaks and workout.breaks[-1].end_ms is None:
        last = workout.breaks[-1]
        last.end_ms = max(last.start_ms, workout.ms(at_ns))
        if last.end_ms == last.start_ms:
            workout.breaks.pop()


def lose_from(workout: Workout, at_ns: int) -> None:
    """The loss under way began at ``at_ns`` already: what was held for a pause since then was not known."""
    if not workout.breaks or workout.breaks[-1].kind != "lost" or workout.breaks[-1].end_ms is not None:
        return
    at_ms = workout.ms(at_ns)
    while workout.breaks and workout.breaks[-1].start_ms >= at_ms:
        workout.breaks.pop()
    former = workout.breaks[-1] if workout.breaks else None
    if former is not None and (former.end_ms or 0) > at_ms:
        former.end_ms = at_ms
    workout.breaks.append(Break("lost", at_ms))


def still_since(asset: Asset, workout: Workout) -> int:
    """When the last motion ended: pauses and losses that follow each other without motion are one stillness. A loss
    that the counters filled was motion."""
    if not workout.breaks or workout.breaks[-1].end_ms is not None:
        return asset.since_ns
    start_ms = workout.breaks[-1].start_ms
    for former in reversed(workout.breaks[:-1]):
        if former.end_ms != start_ms or start_ms <= workout.filled_to_ms:
            break
        start_ms = former.start_ms
    return min(asset.since_ns, workout.began_ns + start_ms * NS_PER_MS)
