"""A training machine with FTMS. Written from ``drivers/ftms/PROTOCOL.md``.

The hard part is breaking the flags exactly as real machines do: cut at 20 bytes, split over two notifications, a field
that no bit announces, a byte too many. A user would notice a too kind model as nonsense from the first real bike.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from firmware_sim.exercise import Exercise
from firmware_sim.ftms.records import encode
from firmware_sim.peripheral import Value

CHARS = {
    "treadmill": "2acd",
    "cross_trainer": "2ace",
    "step_climber": "2acf",
    "stair_climber": "2ad0",
    "rower": "2ad1",
    "bike": "2ad2",
}
MTU_BYTES = 20
HABITS = ("none", "truncate", "split", "extra_byte", "silent_cadence")


@dataclass(slots=True)
class FtmsMachine:
    """``habit``: how it breaks its flags (HABITS). ``obeys``: whether the control point may be used."""

    exercise: Exercise = field(default_factory=Exercise)
    habit: str = "none"
    obeys: bool = True
    every_s: float = 1.0
    dead: bool = False
    writes: list[bytes] = field(default_factory=list)
    _controlled: bool = False
    _told_state: str = "idle"

    @property
    def char(self) -> str:
        return CHARS[self.exercise.kind]

    def values(self, now_ns: int) -> list[Value]:
        self.exercise.run(now_ns)
        told = [Value("2ada", each) for each in self._events()]
        return told + [Value(self.char, each) for each in self._records()]

    def written(self, char: str, data: bytes, now_ns: int) -> list[Value]:
        if char != "2ad9" or not data:
            return []
        self.writes.append(data)
        result = self._obey(data, now_ns)
        answer = Value("2ad9", bytes((0x80, data[0], result)))
        return [answer] + [Value("2ada", each) for each in self._events()]

    def _obey(self, data: bytes, now_ns: int) -> int:
        if not self.obeys:
            return 5
        if data[0] == 0x00:
            self._controlled = True
            return 1
        if not self._controlled:
            return 5
        if data[0] != 0x08:
            return 2
        if data[1:] not in {b"\x01", b"\x02"}:
            return 3
        self.exercise.stop(now_ns, "finished" if data[1:] == b"\x01" else "paused")
        return 1

    def _events(self) -> list[bytes]:
        state = self.exercise.state
        if state == self._told_state:
            return []
        self._told_state = state
        if state == "in_use":
            return [b"\x04"]
        if state == "paused":
            return [b"\x02\x02"]
        if state == "finished":
            return [b"\x03" if self.exercise.key_pulled else b"\x02\x01"]
        return [b"\x01"]

    def _records(self) -> list[bytes]:
        char, values = self.char, self._values()
        match self.habit:
            case "truncate":
                return [encode(char, values)[:MTU_BYTES]]
            case "extra_byte":
                return [encode(char, values) + b"\xab"]
            case "split":
                first = {name for name in ("speed", "stroke_rate", "strokes", "floors", "steps") if name in values}
                rest = {name: value for name, value in values.items() if name not in first}
                return [encode(char, rest, more=True), encode(char, {name: values[name] for name in first})]
            case "silent_cadence" if char == "2ad2":
                return [encode(char, values, lie_bits=1 << 2)]
            case _:
                return [encode(char, values)]

    def _values(self) -> dict[str, float | None]:
        it = self.exercise
        rate: float | None = it.heart_bpm if it.grips_held else None
        common: dict[str, float | None] = {
            "kcal": int(it.energy_kcal),
            "kcal_h": None,
            "kcal_min": None,
            "hr": rate,
            "elapsed": int(it.elapsed_s) & 0xFFFF,
        }
        moved: dict[str, float | None] = {"speed": it.told_km_h, "distance": int(it.distance_m)}
        match it.kind:
            case "treadmill":
                return moved | {"incline": it.incline_pct, "ramp": None} | common
            case "cross_trainer":
                rates = {"rate": it.rate_per_min, "avg_rate": it.rate_per_min, "strides": it.turns}
                return moved | rates | {"resistance": it.resistance, "power": it.power_w} | common
            case "rower":
                pace = 500 / (it.speed_km_h / 3.6) if it.speed_km_h else 0
                strokes = {"stroke_rate": it.rate_per_min, "strokes": int(it.turns) & 0xFFFF}
                return strokes | {"distance": int(it.distance_m), "pace": pace, "power": it.power_w} | common
            case "bike":
                power = {"cadence": it.rate_per_min, "resistance": it.resistance, "power": it.power_w}
                return moved | power | common
            case "step_climber":
                return {"floors": int(it.floors), "steps": int(it.turns), "rate": it.rate_per_min} | common
            case _:
                return {"floors": int(it.floors), "rate": it.rate_per_min, "strides": int(it.turns)} | common
