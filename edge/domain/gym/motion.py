"""From a machine's word to what was done since its last word: metres, strokes, repetitions, and whether that is motion.

Machines lie about speed (0 for ever, or a belt that idles), so use is proven by what is counted, never by speed; which
quantities count is a setting of the machine. A user would notice a mistake as a workout that never begins on the one
elliptical whose speed stays 0.
"""

from __future__ import annotations

from typing import NamedTuple

from edge.domain.gym.counters import Counter, Moved, advance
from edge.domain.gym.settings import Motion, QuirkSettings
from edge.domain.gym.workout_state import Asset, Latest, Phase
from edge.domain.machine_readings import MachineReading, MachineState, RepReading, StrengthSetReading

#: Fastest believable growth per second of what is not bounded by the machine's own speed limit.
_RATE_PER_S = {"strokes": 5.0, "energy_kcal": 1.0, "climb_m": 3.0, "floors": 2.0, "elapsed_s": 1.5}
#: What tells how far a workout is, and that a machine began anew.
_PROGRESS = frozenset({"distance_m", "elapsed_s", "strokes"})
#: A speed is made of metres over at least so long (gym-protocols.md 2.3).
TRACK_NS = 2_500_000_000
#: At 1 m resolution a slow walk says something new every 4 s; older points add nothing.
TRACK_KEPT_NS = 10_000_000_000


class Did(NamedTuple):
    """What one word added. ``moved``: it proves use. ``reset``: the machine began anew. ``elapsed_s`` None: it does not
    count time. ``finished``: its own word, told once (some say it until the next programme)."""

    moved: bool = False
    reset: bool = False
    finished: bool = False
    elapsed_s: float | None = None
    distance_m: float = 0.0
    strokes: float = 0.0
    energy_kcal: float = 0.0
    climb_m: float = 0.0
    floors: float = 0.0
    reps: int = 0
    sets: int = 0
    work_j: float = 0.0
    peak_torque_nm: float = 0.0
    leaps: int = 0
    from_ns: int = 0
    """When what is told began, where the word comes at its end; 0: with the word."""
    set_ms: int = 0
    """How long the set that is over lasted by the machine's clock; 0: it does not say."""
    counts: bool = False
    """It counts something (metres, strokes), so that progress can be told from mere time."""
    told_ns: int | None = None
    """When its clock, its metres or its strokes were told before, the last of those that it tells; None: never."""

    @property
    def tells(self) -> bool:
        """Whether it says anything of progress; a bare state, even the last one, or a pulse does not."""
        return self.moved or self.counts or self.elapsed_s is not None


def machine_said(asset: Asset, reading: MachineReading, now_ns: int, *, older: bool = False) -> Did:
    """Take in a machine's word: keep the latest values and work out what it adds. ``older``: it was said before what
    was heard last."""
    quirks, latest = asset.settings.quirks, asset.latest
    done: dict[str, float] = {}
    reset, leaps, counts = False, 0, False
    told_ns = _told_before(asset, reading)
    for name, value in _counted(reading):
        if value is None:
            continue
        counter = asset.counters.setdefault(name, Counter())
        rate = quirks.max_speed_km_h / 3.6 if name == "distance_m" else _RATE_PER_S[name]
        modulus = quirks.counter_modulus_m if name == "distance_m" else 0
        moved, added = advance(counter, value, now_ns, rate_per_s=rate, modulus=modulus, older=older)
        reset = reset or (moved is Moved.RESET and name in _PROGRESS)
        leaps += moved is Moved.LEAP
        counts = counts or name in {"distance_m", "strokes"}
        done[name] = added
    finished = reading.state is MachineState.FINISHED and latest.state is not MachineState.FINISHED
    _keep(latest, reading, quirks, done.get("distance_m"), now_ns)
    elapsed_s = done.pop("elapsed_s", None)
    if counts and "elapsed_s" not in told_ns:
        elapsed_s = None  # a clock that is heard for the first time tells nothing of the time before
    return Did(
        moved=_is_motion(asset, done, reading.power_w),
        reset=reset,
        finished=finished,
        elapsed_s=elapsed_s,
        leaps=leaps,
        counts=counts,
        told_ns=max(told_ns.values(), default=None),
        distance_m=done.get("distance_m", 0.0),
        strokes=done.get("strokes", 0.0),
        energy_kcal=done.get("energy_kcal", 0.0),
        climb_m=done.get("climb_m", 0.0),
        floors=done.get("floors", 0.0),
    )


def _told_before(asset: Asset, reading: MachineReading) -> dict[str, int]:
    """When each quantity of progress that this word tells was told before, monotonic ns."""
    said = {name for name, value in _counted(reading) if value is not None}
    known = {name: one for name, one in asset.counters.items() if one.last is not None}
    return {name: known[name].at_ns for name in _PROGRESS & said & known.keys()}


def since_told(asset: Asset, done: Did, now_ns: int, lost_ns: int) -> Did:
    """A pause in which the machine spoke, but told nothing of progress for as long as a loss takes (half of its answers
    went under on a bad line), was none for as long as its clock went on: the motion began then (``from_ns``)."""
    told_ns, moved_ns = done.told_ns, asset.moved_ns
    if asset.phase is not Phase.PAUSED or told_ns is None or moved_ns is None or not done.elapsed_s:
        return done
    if now_ns - told_ns < lost_ns:
        return done
    return done._replace(from_ns=max(told_ns, moved_ns, now_ns - round(done.elapsed_s * 1e9)))


def rep_done(asset: Asset, reading: RepReading) -> Did:
    """A repetition is motion."""
    asset.set_reps += 1
    began_ns, asset.set_ns = asset.set_ns, None
    return Did(
        moved=Motion.REPS in asset.settings.quirks.motion,
        from_ns=0 if began_ns is None else max(began_ns, asset.since_ns),
        reps=1,
        work_j=reading.work_j or 0.0,
        peak_torque_nm=reading.peak_torque_nm or 0.0,
    )


def set_said(asset: Asset, reading: StrengthSetReading, now_ns: int) -> Did:
    """A set or course under way: its minutes count as use while they grow. A finished set adds the repetitions that
    were not told one by one."""
    grown, more, from_ns = 0.0, 0, 0
    if reading.state is MachineState.IN_USE and not reading.rep_count and asset.set_ns is None:
        asset.set_ns = now_ns
    if reading.duration_s is not None:
        counter = asset.counters.setdefault("elapsed_s", Counter())
        _, grown = advance(counter, reading.duration_s, now_ns, rate_per_s=_RATE_PER_S["elapsed_s"])
        from_ns = max(now_ns - round(grown * 1e9), asset.since_ns)
    if reading.finished:
        more, asset.set_reps = max(0, (reading.rep_count or 0) - asset.set_reps), 0
        asset.set_ns = None
    over = reading.state is MachineState.FINISHED and asset.latest.state is not MachineState.FINISHED
    asset.latest.state = reading.state or asset.latest.state
    return Did(
        moved=(grown > 0 and Motion.MINUTES in asset.settings.quirks.motion) or reading.finished,
        from_ns=from_ns if grown > 0 else 0,
        set_ms=round((reading.duration_s or 0.0) * 1000) if reading.finished else 0,
        finished=over,
        elapsed_s=grown or None,
        reps=more,
        sets=int(reading.finished),
        peak_torque_nm=reading.peak_torque_nm or 0.0,
    )


def _counted(reading: MachineReading) -> tuple[tuple[str, float | None], ...]:
    strokes = next(
        (value for value in (reading.stroke_count, reading.stride_count, reading.step_count) if value is not None), None
    )
    return (
        ("distance_m", reading.distance_m),
        ("strokes", strokes),
        ("energy_kcal", reading.energy_kcal),
        ("climb_m", reading.elevation_gain_m),
        ("floors", reading.floor_count),
        ("elapsed_s", reading.elapsed_s),
    )


def _is_motion(asset: Asset, done: dict[str, float], power_w: float | None) -> bool:
    quirks = asset.settings.quirks
    if Motion.DISTANCE in quirks.motion and done.get("distance_m", 0.0) > 0:
        return True
    if Motion.STROKES in quirks.motion and (done.get("strokes", 0.0) > 0 or done.get("floors", 0.0) > 0):
        return True
    least_w = quirks.motion_w if asset.phase is Phase.ACTIVE else quirks.start_w
    return Motion.POWER in quirks.motion and power_w is not None and power_w >= least_w


def _keep(latest: Latest, reading: MachineReading, quirks: QuirkSettings, metres: float | None, now_ns: int) -> None:
    """The latest word of each quantity; what this word does not say stays."""
    if metres is not None:
        latest.metres += metres
        latest.track.append((now_ns, latest.metres))
        while latest.track[0][0] < now_ns - TRACK_KEPT_NS:
            latest.track.pop(0)
    for name in ("state", "power_w", "heart_rate_bpm", "incline_pct", "resistance_level", "elapsed_s",
                 "safety_key_pulled"):  # fmt: skip
        value = getattr(reading, name)
        if value is not None:
            setattr(latest, name, value)
    rhythm = (reading.cadence_rpm, reading.stroke_rate_spm, reading.step_rate_spm)
    said = next((value for value in rhythm if value is not None), None)
    if said is not None:
        latest.cadence_rpm, latest.cadence_ns = said, now_ns
    if not quirks.speed_from_distance:
        latest.speed_km_h = latest.speed_km_h if reading.speed_km_h is None else reading.speed_km_h
    elif metres is not None:
        latest.speed_km_h = _speed_km_h(latest.track)


def _speed_km_h(track: list[tuple[int, float]]) -> float | None:
    """Speed over the kept stretch; None while it is shorter than ``TRACK_NS``."""
    (first_ns, first_m), (last_ns, last_m) = track[0], track[-1]
    if last_ns - first_ns < TRACK_NS:
        return None
    return round((last_m - first_m) / (last_ns - first_ns) * 3.6e9, 2)
