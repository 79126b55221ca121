"""How long one may keep a machine while others wait for its kind.

Nobody is stopped in motion. When the time is up the coach is told, at the first standstill the machine goes to the next
in line, and whoever has had the time may take no other of its kind before those who wait. The hard part is that ending
a workout and beginning the next must not begin the time anew. A user would notice a mistake as a treadmill that the
same person has had all morning, or as being sent away from an empty one.
"""

from __future__ import annotations

from edge.domain.gym.turn import Turn
from edge.domain.gym.workout import NS_PER_S
from edge.domain.gym.workout_state import Asset

#: (zone, kind) of a line.
Line = tuple[str, str]


def line_of(asset: Asset) -> Line:
    """The line in which people wait for this machine."""
    return asset.settings.zone, asset.settings.kind.value


def lines(turn: Turn) -> set[Line]:
    """The lines in which somebody waits."""
    return {(one.row.zone, one.row.kind) for one in turn.world.queue}


def left_s(turn: Turn, asset: Asset, waited_for: set[Line]) -> int | None:
    """Seconds that whoever trains here may still keep it, 0 when the time is up; None while nobody waits for it."""
    if asset.workout is None or line_of(asset) not in waited_for:
        return None
    return max(0, turn.config.session.queue_cap_s - (turn.now_ns - asset.workout.began_ns) // NS_PER_S)


def waiting_before(turn: Turn, asset: Asset, person: str) -> int:
    """How many wait for this kind of machine before ``person``, if this person has had the time already; else 0. Who
    has the machine called to him has stood in line and goes first. Time counts anew after as long an absence."""
    line = [one.row for one in turn.world.queue if (one.row.zone, one.row.kind) == line_of(asset)]
    if not line or any(row.person == person and row.asset == asset.settings.asset for row in line):
        return 0
    cap_ns = turn.config.session.queue_cap_s * NS_PER_S
    since_ns = turn.stamp.wall_ns - cap_ns
    used_ns = sum(
        row.ended_ns - row.began_ns
        for row in turn.world.ended.values()
        if row.person == person and (row.zone, row.kind) == line_of(asset) and row.ended_ns > since_ns
    )
    used_ns += sum(
        turn.now_ns - one.workout.began_ns
        for one in turn.world.assets.values()
        if one.workout is not None and one.workout.person == person and line_of(one) == line_of(asset)
    )
    return sum(row.person != person for row in line) if used_ns >= cap_ns else 0
