"""The console of a training machine and its CSAFE port. Written from ``drivers/csafe/PROTOCOL.md``.

The hard part is a real console's manners: it answers what it does not know with "ok", sends its odometer in the order
that its maker liked, needs a pause before it listens again, and may know commands only one at a time. A user would
notice a too polite model as a driver that works on the bench and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from firmware_sim.csafe.frames import Receiver, Request, sealed
from firmware_sim.exercise import Exercise
from firmware_sim.line import Heard, LineSettings
from firmware_sim.linedevice import LineDevice

NS_PER_MS = 1_000_000
#: A console looks at its port this long after its answer; what comes before is lost (section 1: 50 ms).
DEAF_AFTER_ANSWER_NS = 40 * NS_PER_MS
THINKS_NS = 8 * NS_PER_MS
STATES = {"error": 0, "idle": 1, "ready": 3, "in_use": 5, "paused": 6, "finished": 7, "offline": 9}
KM_H_TENTHS, RPM, METRES, KM_HUNDREDTHS, BPM, WATTS, MILLIAMPERES, PERCENT_TENTHS = 49, 82, 36, 35, 85, 88, 98, 76


@dataclass(slots=True)
class Console:
    """``unsupported``: commands that it does not know. ``big_odometer``: the maker's order. ``one_at_a_time``: of
    several commands it answers the first. ``disabled``: the port is off in the service menu. ``says_offline``: state 9
    also at work, as a real machine did. ``rev_speed``: speed in revolutions. ``slow_ns`` is added to each answer."""

    exercise: Exercise = field(default_factory=Exercise)
    serial: str = "000000000"
    unsupported: set[int] = field(default_factory=set)
    big_odometer: bool = False
    one_at_a_time: bool = False
    disabled: bool = False
    says_offline: bool = False
    rev_speed: bool = False
    refuses_stop: bool = False
    stuck_toggle: bool = False
    address: int = 253
    slow_ns: int = 0
    _toggle: bool = False

    def contents(self, request: Request, now_ns: int) -> bytes:
        """Status and items of the answer."""
        self.exercise.run(now_ns)
        previous = 0
        items = b""
        commands = request.commands[:1] if self.one_at_a_time else request.commands
        for identifier, _ in commands:
            if identifier == 0x86:
                if self.refuses_stop:
                    previous = 1
                else:
                    self.exercise.stop(now_ns)
                continue
            data = None if identifier in self.unsupported else self._data(identifier)
            if data is not None:
                items += bytes((identifier, len(data))) + data
        self._toggle = self._toggle if self.stuck_toggle else not self._toggle
        state = STATES["offline"] if self.says_offline else STATES[self.exercise.state]
        return bytes((self._toggle << 7 | previous << 4 | state,)) + items

    def _data(self, identifier: int) -> bytes | None:
        it = self.exercise
        match identifier:
            case 0x91:
                return bytes((3, 2, 7, 1, 0, 4, 1))
            case 0x94:
                return self.serial.encode("ascii")
            case 0x99:
                return int(it.life_h).to_bytes(3, "little")
            case 0x9A:
                return _value(it.motor_a * 1000, MILLIAMPERES)
            case 0x9B:
                order = "big" if self.big_odometer else "little"
                return int(it.life_km * 100).to_bytes(4, order) + bytes((KM_HUNDREDTHS,))  # type: ignore[arg-type]
            case 0x9C:
                return it.error_code.to_bytes(3, "little")
            case 0x9D:
                return it.service_code.to_bytes(3, "little")
            case _:
                return self._workout(identifier)

    def _workout(self, identifier: int) -> bytes | None:
        it = self.exercise
        seconds = int(it.elapsed_s)
        match identifier:
            case 0xA0:
                return bytes((seconds // 3600, seconds // 60 % 60, seconds % 60))
            case 0xA1:
                return _value(it.distance_m, METRES)
            case 0xA3:
                return (int(it.energy_kcal) & 0xFFFF).to_bytes(2, "little")
            case 0xA5:
                return _value(it.rate_per_min, RPM) if self.rev_speed else _value(it.told_km_h * 10, KM_H_TENTHS)
            case 0xA7:
                return _value(it.rate_per_min, RPM)
            case 0xA8:
                return _value(it.incline_pct * 10, PERCENT_TENTHS)
            case 0xB0:
                return bytes((round(it.heart_bpm) if it.grips_held else 0,))
            case 0xB4:
                return _value(it.power_w, WATTS)
            case _:
                return None


class CsafePort(LineDevice):
    """The port of one console. ``too_early`` counts questions that came while it was not listening."""

    def __init__(self, console: Console, *, seed: int = 0, line: LineSettings | None = None) -> None:
        super().__init__(line or LineSettings(9600, "N"), seed)
        self.console = console
        self.requests = 0
        self.too_early = 0
        self.bad_frames = 0
        self._receiver = Receiver()
        self._listens_ns = 0

    def forget(self) -> None:
        self._receiver.forget()

    def on_bytes(self, heard: Heard) -> None:
        if self.console.disabled:
            return
        if heard.start_ns < self._listens_ns:
            self.too_early += 1
            return
        for request in self._receiver.hear(heard.data):
            if request is None:
                self.bad_frames += 1
                continue
            self.requests += 1
            contents = self.console.contents(request, heard.end_ns)
            back = (request.extended[1], self.console.address) if request.extended else None
            frame = sealed(contents, back)
            self.at(heard.end_ns + THINKS_NS + self.console.slow_ns, partial(self._send, frame))

    def _send(self, frame: bytes, due_ns: int) -> None:
        self._listens_ns = self.answer([frame], due_ns) + DEAF_AFTER_ANSWER_NS


def _value(value: float, unit: int) -> bytes:
    return (round(value) & 0xFFFF).to_bytes(2, "little") + bytes((unit,))
