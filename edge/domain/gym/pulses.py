"""The pulse of a workout second by second, in rows of its own: it is the person's, not the machine's.

What straps say is kept out of the shared history (it is personal), so a workout keeps what was believed of it: by the
workout's own rules of who may see it, in parts that are written with the workout. Only time in motion is kept: in a
pause somebody else may already stand there with a strap. A user would notice a mistake as a stranger's heart in one's
own curve, or as a curve that ends where the box was restarted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from edge.domain.gym.workout_state import Workout
from edge.domain.kernel import Row

#: Seconds in one part, and so the bytes of one row.
PART_S = 300
#: A beat counts for the seconds after it up to the next, this long at most (stale from then on).
HELD_S = 5
NS_PER_S = 1_000_000_000


class PulseRow(Row, frozen=True, kw_only=True, tag="pulse"):
    """A part of a workout's pulse from its second ``from_s`` on: ``bpm`` is one byte a second, 0 unknown."""

    KEY: ClassVar = ("workout_id", "from_s")
    workout_id: str
    from_s: int
    bpm: bytes


def record(workout: Workout, bpm: int, at_ns: int) -> PulseRow | None:
    """Take a believed beat (monotonic ``at_ns``); returns the part that it completed. A beat of a second that an
    earlier part holds, or that no byte holds, is left out."""
    second = workout.ms(at_ns) // 1000
    if not 0 < bpm <= 255 or at_ns < workout.began_ns or second < workout.pulse_from_s:
        return None
    full = None
    if workout.pulse and second - workout.pulse_from_s >= PART_S:
        full, workout.pulse = part_of(workout), b""
    if not workout.pulse:
        workout.pulse_from_s = second
    known = workout.pulse[: second - workout.pulse_from_s]
    missing = second - workout.pulse_from_s - len(known)
    held = known[-1:] if missing < HELD_S else b""
    workout.pulse = known + (held or b"\0") * missing + bytes((bpm,)) + workout.pulse[len(known) + missing + 1 :]
    workout.pulse_kept = False
    return full


def part_of(workout: Workout) -> PulseRow | None:
    """The part under way if it is not kept yet; it counts as kept from now on."""
    if workout.pulse_kept or not workout.pulse:
        return None
    workout.pulse_kept = True
    return PulseRow(workout_id=workout.workout_id, from_s=workout.pulse_from_s, bpm=workout.pulse)


def cut(workout: Workout, end_ns: int) -> None:
    """The workout ended at ``end_ns``, before now: beats after that are not its."""
    length = max(0, workout.ms(end_ns) // 1000 - workout.pulse_from_s + 1)
    if length < len(workout.pulse):
        workout.pulse, workout.pulse_kept = workout.pulse[:length], False


def samples_of(rows: Iterable[PulseRow], began_ns: int, ended_ns: int) -> list[tuple[int, float]]:
    """(UTC ns, beats a minute) of the known seconds from ``began_ns`` to ``ended_ns``, oldest first. After a restart
    with a clock that went back two parts may overlap: the later one counts."""
    known: dict[int, int] = {}
    for row in sorted(rows, key=lambda one: one.from_s):
        known.update((row.from_s + place, bpm) for place, bpm in enumerate(row.bpm) if bpm)
    found = [(began_ns + second * NS_PER_S, float(bpm)) for second, bpm in sorted(known.items())]
    return [one for one in found if one[0] <= ended_ns]
