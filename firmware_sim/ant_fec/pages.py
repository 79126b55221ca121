"""The pages of an ANT+ machine. Written from ``drivers/ant_fec/PROTOCOL.md`` section 3.

The hard part is that every counter is one byte: it must roll over here exactly as on the air. A user would notice a
wrong model as a driver that only works for the first 256 metres.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from firmware_sim.exercise import Exercise
from firmware_sim.peripheral import Value

_TYPES = {"treadmill": 19, "cross_trainer": 20, "rower": 22, "step_climber": 23, "bike": 25}
_STATES = {"idle": 2, "ready": 2, "in_use": 3, "paused": 4, "finished": 4, "error": 1}
_FF2 = b"\xff\xff"


@dataclass(slots=True)
class AntMachine:
    """``number``: its device number. ``laps`` finished. Also a peripheral of a gateway."""

    exercise: Exercise = field(default_factory=Exercise)
    number: int = 1
    laps: int = 0
    every_s: float = 0.25
    dead: bool = False
    _turn: int = 0

    def page(self, now_ns: int) -> bytes:
        """The next page: general, the kind's own, general, metabolic, and now and then who it is."""
        self.exercise.run(now_ns)
        self._turn += 1
        if self._turn % 66 in {64, 65}:
            return self._common(self._turn % 66)
        return (self._general, self._own, self._general, self._metabolic)[self._turn % 4]()

    def values(self, now_ns: int) -> list[Value]:
        return [Value("", self.page(now_ns))]

    def written(self, char: str, data: bytes, now_ns: int) -> list[Value]:
        return []

    def _last(self, capabilities: int) -> bytes:
        return bytes((capabilities | _STATES[self.exercise.state] << 4 | (self.laps & 1) << 7,))

    def _general(self) -> bytes:
        it = self.exercise
        rate, source = (round(it.heart_bpm), 3) if it.grips_held else (0xFF, 0)
        speed = round(it.told_km_h / 3.6 * 1000)
        counters = bytes((int(it.elapsed_s * 4) & 0xFF, int(it.distance_m) & 0xFF))
        head = bytes((16, _TYPES[it.kind])) + counters + speed.to_bytes(2, "little") + bytes((rate,))
        return head + self._last(0x04 | source)

    def _own(self) -> bytes:
        it = self.exercise
        turns, rate, power = int(it.turns) & 0xFF, round(it.rate_per_min), round(it.power_w)
        match it.kind:
            case "treadmill":
                return bytes((19, 255, 255, 255, min(rate, 254), 0, 0)) + self._last(3)
            case "bike":
                low = bytes((25, turns, rate)) + _FF2 + bytes((power & 0xFF, power >> 8))
                return low + self._last(0)
            case kind:
                head = bytes((_TYPES[kind], 255, 255, turns, rate))
                return head + power.to_bytes(2, "little") + self._last(1)

    def _metabolic(self) -> bytes:
        return bytes((18, 255)) + _FF2 + _FF2 + bytes((int(self.exercise.energy_kcal) & 0xFF,)) + self._last(1)

    def _common(self, turn: int) -> bytes:
        if turn == 64:
            return bytes((80, 255, 255, 2)) + (0x0101).to_bytes(2, "little") + (7).to_bytes(2, "little")
        return bytes((81, 255, 255, 14)) + (770_001).to_bytes(4, "little")


@dataclass(slots=True)
class AntStrap:
    """A heart rate strap. ``worn`` False: it sends its last beat and no rate."""

    exercise: Exercise = field(default_factory=Exercise)
    number: int = 777
    worn: bool = True
    dead: bool = False
    _beats: int = 0
    _beat_s: float = 0.0
    _pages: int = 0

    def page(self, now_ns: int) -> bytes:
        self.exercise.run(now_ns)
        self._pages += 1
        rate = self.exercise.heart_bpm
        while self.worn and self._beat_s + 60 / rate <= now_ns / 1e9:
            self._beat_s += 60 / rate
            self._beats += 1
        toggled = 0x80 if self._pages // 4 % 2 else 0
        time = int(self._beat_s * 1024) & 0xFFFF
        told = bytes((self._beats & 0xFF, round(rate) if self.worn else 0))
        return bytes((toggled, 255, 255, 255)) + time.to_bytes(2, "little") + told
