"""A person on a training machine: what moves, counts, heats and wears. Physics for all simulated gym devices.

The hard part is that machines of all kinds must tell one consistent story: distance is speed over time, energy follows
power, the heart follows effort with a lag, and the life counters go on when the workout's begin anew. A user would
notice a wrong model as tests that pass while real totals do not add up. In simulated time; the same calls give the same
values.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Kind -> full speed km/h, steps, strokes or revolutions a minute at full effort, W at full effort.
_FULL = {
    "treadmill": (12.0, 170.0, 0.0),
    "cross_trainer": (10.0, 140.0, 180.0),
    "step_climber": (2.0, 90.0, 150.0),
    "stair_climber": (2.0, 80.0, 150.0),
    "rower": (14.0, 30.0, 200.0),
    "bike": (32.0, 90.0, 220.0),
}
KINDS = tuple(_FULL)
_HEART_LAG_S = 30.0
_REST_BPM, _FULL_BPM = 72.0, 160.0
_NO_LOAD_A, _FULL_A = 1.5, 5.0
_FLOOR_STEPS = 20.0


@dataclass(slots=True)
class Exercise:
    """``state``: idle, ready, in_use, paused, finished, error. ``effort`` 0 to 1 while in use. ``lies``: the machine
    reports speed 0 for ever. ``friction`` multiplies the motor's current (a worn belt). ``life_*`` never begin anew."""

    kind: str = "treadmill"
    state: str = "idle"
    effort: float = 0.5
    incline_pct: float = 0.0
    resistance: int = 5
    lies: bool = False
    friction: float = 1.0
    grips_held: bool = False
    key_pulled: bool = False
    error_code: int = 0
    service_code: int = 0
    elapsed_s: float = 0.0
    distance_m: float = 0.0
    energy_kcal: float = 0.0
    turns: float = 0.0
    heart_bpm: float = _REST_BPM
    life_h: float = 4562.0
    life_km: float = 32_390.0
    starts: int = 812
    _at_ns: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in _FULL:
            raise ValueError(f"kind {self.kind!r}: give one of {', '.join(KINDS)}")

    @property
    def moving(self) -> bool:
        return self.state == "in_use"

    @property
    def speed_km_h(self) -> float:
        return _FULL[self.kind][0] * self.effort if self.moving else 0.0

    @property
    def told_km_h(self) -> float:
        return 0.0 if self.lies else self.speed_km_h

    @property
    def rate_per_min(self) -> float:
        """Steps, strokes, strides or revolutions."""
        return _FULL[self.kind][1] * self.effort if self.moving else 0.0

    @property
    def power_w(self) -> float:
        return _FULL[self.kind][2] * self.effort if self.moving else 0.0

    @property
    def motor_a(self) -> float:
        return (_NO_LOAD_A + (_FULL_A - _NO_LOAD_A) * self.effort) * self.friction if self.moving else 0.0

    @property
    def floors(self) -> float:
        return self.turns / _FLOOR_STEPS

    def run(self, now_ns: int) -> None:
        """Let the time since the last call pass; a look back changes nothing."""
        if self._at_ns is not None and now_ns < self._at_ns:
            return
        seconds = 0.0 if self._at_ns is None else (now_ns - self._at_ns) / 1e9
        self._at_ns = now_ns
        goal = _REST_BPM + (_FULL_BPM - _REST_BPM) * self.effort if self.moving else _REST_BPM
        self.heart_bpm += (goal - self.heart_bpm) * min(1.0, seconds / _HEART_LAG_S)
        if not self.moving:
            return
        metres = self.speed_km_h / 3.6 * seconds
        self.elapsed_s += seconds
        self.distance_m += metres
        self.turns += self.rate_per_min / 60 * seconds
        self.energy_kcal += (0.3 + self.effort) * seconds / 8
        self.life_h += seconds / 3600
        self.life_km += metres / 1000

    def start(self, now_ns: int) -> None:
        """Begin anew, or go on after a pause."""
        self.run(now_ns)
        if self.state != "paused":
            self.reset(now_ns)
            self.starts += 1
        self.state, self.key_pulled = "in_use", False

    def stop(self, now_ns: int, state: str = "finished") -> None:
        self.run(now_ns)
        self.state = state

    def reset(self, now_ns: int) -> None:
        """The workout's counters begin anew: a console that was switched off and on."""
        self.run(now_ns)
        self.elapsed_s = self.distance_m = self.energy_kcal = self.turns = 0.0
