"""One prepaid meter or smart breaker: its contact, what flows through it, its clock, and how it can be broken.

The hard part is to keep apart what the meter says and what the copper does: a welded contact answers 9C like a good
one and goes on carrying current. A user would notice as a cut that is believed and not proven.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from firmware_sim.dlt645.frames import Request, digits, number

#: From the accepted request to the open contact.
TRIP_NS = 60_000_000
#: Meters average power over about this time before they tell it.
TURNAROUND_NS = 30_000_000
HOUR_NS = 3_600_000_000_000
TRIP, CLOSE, PERMIT = 0x1A, 0x1C, 0x1B
OTHER_ERROR, NO_DATA, REFUSED = 0x01, 0x02, 0x04
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""What a meter's clock shows at simulated time 0 (China local time, kept without zone)."""


@dataclass(slots=True)
class Meter:
    """``load_w`` is what the plugged vehicle would draw. Faults: ``dead`` silent; ``slow_ns`` more before it answers;
    ``welded`` the contact never opens; ``deaf_relay`` says 9C and does nothing (a lying relay); ``stuck`` tells the
    values of the moment it got stuck; ``edition`` 2007, 1997 (silent to 2007 requests) or mixed."""

    address: str
    load_w: float = 0.0
    voltage_v: float = 228.4
    power_factor: float = 0.98
    temperature_c: float = 24.5
    phases: int = 1
    closed: bool = True
    energy_wh: float = 12_345.0
    password: bytes = bytes(3)
    takes_short: bool = True
    far_dates: bool = True
    clock_offset_s: int = 0
    dead: bool = False
    slow_ns: int = 0
    welded: bool = False
    deaf_relay: bool = False
    stuck: bool = False
    edition: str = "2007"
    trips: int = 0
    refusals: int = 0
    _since_ns: int | None = None
    _stuck_w: float = 0.0

    @property
    def wire(self) -> bytes:
        return bytes.fromhex(self.address)[::-1]

    @property
    def conducts(self) -> bool:
        return self.closed or self.welded

    @property
    def true_w(self) -> float:
        """What really flows, W."""
        return self.load_w if self.conducts else 0.0

    def run_to(self, now_ns: int) -> None:
        """Count the energy up to ``now_ns``."""
        if self._since_ns is not None:
            self.energy_wh += self.true_w * max(0, now_ns - self._since_ns) / HOUR_NS
        self._since_ns = now_ns
        if not self.stuck:
            self._stuck_w = self.true_w

    def move(self, *, closed: bool, now_ns: int) -> None:
        """The contact is driven."""
        self.run_to(now_ns)
        self.trips += self.closed and not closed
        self.closed = closed

    def reply(self, request: Request, now_ns: int) -> tuple[int, bytes] | None:
        """Control byte and data of the answer, or None."""
        self.run_to(now_ns)
        if self.edition == "1997":
            return self._reply_1997(request)
        match request.control:
            case 0x11:
                return self._read(request.data)
            case 0x13:
                return 0x93, self.wire
            case 0x1C:
                return self._switch(request.data, now_ns)
            case control if control & 0x80:
                return None
            case control:
                return 0xC0 | control, bytes((OTHER_ERROR,))

    def wants(self, request: Request) -> bool | None:
        """The contact position that an accepted request asks for; None: none."""
        if request.control != 0x1C or self.deaf_relay or len(request.data) < 9:
            return None
        return {TRIP: False, CLOSE: True}.get(request.data[8])

    def _reply_1997(self, request: Request) -> tuple[int, bytes] | None:
        if request.control != 0x01 or len(request.data) != 2:
            return None
        power_w = self.true_w
        values = {
            "9010": digits(int(self.energy_wh / 10), 4),
            "b611": digits(round(self.voltage_v), 2),
            "b621": digits(round(power_w / self.voltage_v / self.power_factor * 100), 2),
            "b630": digits(round(power_w * 10), 3),
        }
        value = values.get(request.data[::-1].hex())
        return (0xC1, bytes((NO_DATA,))) if value is None else (0x81, request.data + value)

    def _read(self, data: bytes) -> tuple[int, bytes]:
        if self.edition == "mixed":
            return 0x91, b"\x10\x90" + digits(int(self.energy_wh / 10), 4)
        value = self._value(data[::-1].hex()) if len(data) == 4 else None
        return (0xD1, bytes((NO_DATA,))) if value is None else (0x91, data + value)

    def _value(self, identifier: str) -> bytes | None:
        power_w = self._stuck_w if self.stuck else self.true_w
        current_a = power_w / (self.voltage_v * self.power_factor)
        phase = self.phases
        power = _signed(round(power_w * 10 / phase), 3)
        current = digits(round(abs(current_a) * 1000 / phase), 3)
        volts = digits(round(self.voltage_v * 10), 2)
        total = digits(int(self.energy_wh / 10), 4)
        absent = 3 - phase
        table = {
            "00000000": total,
            "00010000": total,
            "0001ff00": total * 2,
            "02010100": volts,
            "02020100": current,
            "02030000": _signed(round(power_w * 10), 3),
            "0201ff00": volts * phase + b"\xff\xff" * absent,
            "0202ff00": current * phase + b"\xff\xff\xff" * absent,
            "0203ff00": _signed(round(power_w * 10), 3) + power * phase + b"\xff\xff\xff" * absent,
            "02800007": digits(round(self.temperature_c * 10), 2),
        }
        return table.get(identifier)

    def _switch(self, data: bytes, now_ns: int) -> tuple[int, bytes]:
        error = self._switch_error(data, now_ns)
        if error:
            self.refusals += 1
            return 0xDC, bytes((error,))
        return 0x9C, b""

    def _switch_error(self, data: bytes, now_ns: int) -> int:
        if len(data) not in {9, 16} or (len(data) == 9 and not self.takes_short):
            return OTHER_ERROR
        if data[1:4] != self.password:
            return REFUSED
        if data[8] not in {TRIP, CLOSE, PERMIT}:
            return OTHER_ERROR
        if len(data) == 16:
            try:
                second, minute, hour, day, month, year = (number(data[at : at + 1]) for at in range(10, 16))
                until = datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
            except ValueError:
                return OTHER_ERROR
            if until < self.clock(now_ns) or (until.year > 2090 and not self.far_dates):
                return OTHER_ERROR
        return 0

    def clock(self, now_ns: int) -> datetime:
        """What the meter's clock shows."""
        return EPOCH + timedelta(microseconds=now_ns // 1000, seconds=self.clock_offset_s)


def _signed(value: int, size: int) -> bytes:
    raw = digits(abs(value), size)
    return raw if value >= 0 else raw[:-1] + bytes((raw[-1] | 0x80,))
