"""Laps and paces on a trail from tags that pass gates.

The hard part is what a gate did not see. A tag that turns up two gates on was either not read once, or went across the
grass: the time tells, measured against the walker's own pace of this lap. A lap with an unread gate counts and says
so; a short-cut does not. A user would notice a mistake as a record that a cyclist holds, or as an honest lap that is
refused because a tag was in a pocket.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from edge.domain.gym.settings import TrailSettings
from edge.domain.gym.trail_rows import LapRow, OutingRow
from edge.domain.gym.trail_state import Outing, Trail
from edge.domain.gym.turn import Turn
from edge.domain.gym.view_types import LapView, TrailView
from edge.domain.gym.workout import NS_PER_MS, NS_PER_S
from edge.domain.gym.world import World
from edge.domain.kernel import Rows
from edge.domain.machine_readings import GateReading
from edge.domain.places import place_key

#: Reads of one tag at one gate within this time are one passage.
PASSAGE_NS = 20 * NS_PER_S
#: Over an unread gate a walker is believed to be at most so much faster than on the rest of the lap.
OWN_PACE = 1.3
#: A gate may hold a passage back for so long.
MAX_DELAY_NS = 300 * NS_PER_S
MAX_OUT = 500
SHOWN_LAPS = 20


def load_trails(world: World, rows: Rows) -> None:
    """Outings under way end with the stop of the box: a lap with a hole in it is none."""
    world.cut_outings = list(rows.where(OutingRow, {"standing": 1}))
    for lap in rows.since(LapRow, "day", world.day):
        world.trails.setdefault(lap.trail, Trail()).laps_today += lap.problem in {"", "missing_gate"}


def begin(turn: Turn) -> None:
    """Close what a stop of the box cut off."""
    for row in turn.world.cut_outings:
        turn.put(msgspec.structs.replace(row, standing=False))
    turn.world.cut_outings = []


def passed(turn: Turn, device: str, body: GateReading) -> None:
    """A tag has passed a gate."""
    found = turn.world.gates_at.get(place_key(device, body.point))
    if found is None or body.retained or not body.tag:
        return
    name, number = found
    settings = next(one for one in turn.config.trails if one.trail == name)
    trail = turn.world.trails.setdefault(name, Trail())
    at_ns = turn.now_ns - _delay_ns(body, turn.stamp.wall_ns)
    outing = trail.out.get(body.tag)
    if outing is None:
        outing = _set_out(turn, settings, trail, body.tag, at_ns)
    elif outing.gate == number and at_ns - outing.at_ns < PASSAGE_NS:
        outing.at_ns = max(outing.at_ns, at_ns)
        return
    elif at_ns <= outing.at_ns:
        return  # an older word that comes late: the walker has been seen further on since
    if outing.gate == number and _rests(settings, outing, at_ns):
        return
    _at_gate(turn, settings, outing, number, at_ns)
    turn.trails[name] = None


def _rests(settings: TrailSettings, outing: Outing, at_ns: int) -> bool:
    """Seen again at the same gate sooner than anybody could have gone round: still there. A lap begins on leaving."""
    round_ns = settings.length_m * 3.6 / settings.fastest_km_h * NS_PER_S
    if outing.gate < 0 or at_ns - outing.at_ns > round_ns:
        return False
    outing.at_ns = at_ns
    if outing.gate == 0 and len(outing.segments) == 1:
        outing.lap_ns = at_ns
    return True


def rebuild(turn: Turn, former: Sequence[TrailSettings]) -> None:
    """The site was changed: who is out on a trail that is not what it was goes home."""
    world, same = turn.world, {one.trail: one for one in turn.config.trails}
    for settings in former:
        trail = world.trails.get(settings.trail)
        if trail is None or same.get(settings.trail) == settings:
            continue
        for outing in list(trail.out.values()):
            _go_home(turn, settings, outing)
        if settings.trail not in same:
            del world.trails[settings.trail]


def tick(turn: Turn) -> None:
    """Who was not seen for long has gone home."""
    for settings in turn.config.trails:
        trail = turn.world.trails.get(settings.trail)
        for outing in list(trail.out.values()) if trail is not None else ():
            if turn.now_ns - outing.at_ns >= settings.idle_s * NS_PER_S:
                _go_home(turn, settings, outing)


def due_ns(world: World) -> int | None:
    """When the next outing ends by silence."""
    if world.config is None:
        return None
    dues = [
        outing.at_ns + settings.idle_s * NS_PER_S
        for settings in world.config.trails
        for outing in world.trails.get(settings.trail, Trail()).out.values()
    ]
    return min(dues, default=None)


def trail_view(turn: Turn, settings: TrailSettings) -> TrailView:
    """A trail; key ``trail/<trail>``."""
    trail, zone = turn.world.trails.get(settings.trail, Trail()), turn.world.zones[settings.zone]
    minute = turn.site_time().hour * 60 + turn.site_time().minute
    return TrailView(
        trail=settings.trail,
        name=settings.name,
        length_m=settings.length_m,
        open=not turn.stamp.wall_trusted or zone.open_min <= minute < zone.close_min,
        out=tuple((tag, one.laps, settings.gates[one.gate].gate) for tag, one in trail.out.items()),
        laps=tuple(trail.last_laps),
        laps_today=trail.laps_today,
        at_wall_ns=turn.stamp.wall_ns,
    )


def _delay_ns(body: GateReading, wall_ns: int) -> int:
    """How long the word was on its way, as the gate tells; an unbelievable one counts as none."""
    if body.delay_ms is not None:
        delay_ns = body.delay_ms * NS_PER_MS
    else:
        delay_ns = wall_ns - body.source_wall_ns if body.source_wall_ns is not None else 0
    return delay_ns if 0 <= delay_ns <= MAX_DELAY_NS else 0


def _set_out(turn: Turn, settings: TrailSettings, trail: Trail, tag: str, at_ns: int) -> Outing:
    while len(trail.out) >= MAX_OUT:
        _go_home(turn, settings, min(trail.out.values(), key=lambda one: one.at_ns))
    outing = Outing(outing_id=f"{settings.trail}-{turn.stamp.seq}", tag=tag, began_ns=at_ns, at_ns=at_ns)
    outing.began_wall_ns = turn.stamp.wall_ns - (turn.now_ns - at_ns)
    trail.out[tag] = outing
    return outing


def _at_gate(turn: Turn, settings: TrailSettings, outing: Outing, number: int, at_ns: int) -> None:
    count = len(settings.gates)
    if outing.gate < 0 or (outing.lap_ns is None and number):
        outing.gate, outing.at_ns = number, at_ns
        outing.lap_ns = at_ns if number == 0 else None
        outing.segments = [(number, 0)] if number == 0 else []
        _keep(turn, settings, outing)
        return
    skipped = (number - outing.gate - 1) % count
    problem = "" if outing.lap_ns is None else _problem(settings, outing, number, at_ns, skipped)
    outing.problem = outing.problem if outing.problem in {"short_cut", "too_fast"} else problem or outing.problem
    outing.gate, outing.at_ns = number, at_ns
    if outing.lap_ns is not None:
        outing.segments.append((number, (at_ns - outing.lap_ns) // NS_PER_MS))
    if number == 0:
        _lap(turn, settings, outing, at_ns)
    _keep(turn, settings, outing)


def _problem(settings: TrailSettings, outing: Outing, number: int, at_ns: int, skipped: int) -> str:
    """What is wrong with the stretch since the last gate: nothing, or why."""
    stretch_m = (settings.gates[number].at_m - settings.gates[outing.gate].at_m) % settings.length_m
    stretch_m = stretch_m or settings.length_m
    seconds = (at_ns - outing.at_ns) / NS_PER_S
    speed_m_s = stretch_m / seconds
    if speed_m_s * 3.6 > settings.fastest_km_h:
        return "short_cut" if skipped else "too_fast"
    if not skipped:
        return ""
    walked_m = (settings.gates[outing.gate].at_m - settings.gates[0].at_m) % settings.length_m
    walked_s = outing.segments[-1][1] / 1000 if outing.segments else 0.0
    if walked_m and walked_s and speed_m_s > OWN_PACE * walked_m / walked_s:
        return "short_cut"
    return "missing_gate"


def _lap(turn: Turn, settings: TrailSettings, outing: Outing, at_ns: int) -> None:
    """The start is passed again: a lap is over and the next begins."""
    trail = turn.world.trails[settings.trail]
    if outing.lap_ns is not None:
        took_ms = (at_ns - outing.lap_ns) // NS_PER_MS
        counts = outing.problem in {"", "missing_gate"}
        outing.laps += counts
        outing.lap_count += 1
        trail.laps_today += counts
        pace = round(took_ms / settings.length_m) if counts else None
        trail.last_laps.append(
            LapView(tag=outing.tag, lap=outing.laps, seconds=took_ms / 1000, pace_s_per_km=pace, problem=outing.problem)
        )
        del trail.last_laps[:-SHOWN_LAPS]
        turn.put(
            LapRow(
                outing_id=outing.outing_id,
                lap=outing.lap_count,
                trail=settings.trail,
                day=turn.world.day,
                ms=took_ms,
                problem=outing.problem,
                segments=msgspec.msgpack.encode(outing.segments),
                at_ns=turn.stamp.wall_ns - (turn.now_ns - at_ns),
            )
        )
    outing.lap_ns, outing.segments, outing.problem = at_ns, [(0, 0)], ""


def _keep(turn: Turn, settings: TrailSettings, outing: Outing, *, standing: bool = True) -> None:
    turn.put(
        OutingRow(
            outing_id=outing.outing_id,
            trail=settings.trail,
            tag=outing.tag,
            person=turn.world.cards.get(outing.tag, ""),
            day=turn.world.day,
            standing=standing,
            laps=outing.laps,
            distance_m=outing.laps * settings.length_m,
            began_ns=outing.began_wall_ns,
            ended_ns=outing.began_wall_ns + outing.at_ns - outing.began_ns,
        )
    )


def _go_home(turn: Turn, settings: TrailSettings, outing: Outing) -> None:
    del turn.world.trails[settings.trail].out[outing.tag]
    _keep(turn, settings, outing, standing=False)
    turn.trails[settings.trail] = None
