"""A battery-powered pressure terminal on a sprinkler main: it wakes, measures, tells, sleeps.

The hard part is that it decides alone when to speak: at its interval, and at once when a limit is passed. A user would
notice a wrong model as a low-pressure alarm that waits for the next hour. Written from
``drivers/pressure_a55a/PROTOCOL.md``; what the real terminal does with a full history is not documented: this one keeps
the last ten.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass

from firmware_sim.line import Heard, LineSettings
from firmware_sim.linedevice import LineDevice
from firmware_sim.modbus.frames import crc

RECORDS = 10
#: It looks at the pressure this often and speaks when a limit is passed.
LOOK_NS = 1_000_000_000
HIGH_ALARM = 0x02


@dataclass(slots=True)
class Pipe:
    """Water under pressure: ``kpa`` leaks away at ``leak_kpa_s`` until it is empty."""

    kpa: float = 605.0
    leak_kpa_s: float = 0.0

    def run(self, seconds: float) -> None:
        self.kpa = min(6_000.0, max(0.0, self.kpa - self.leak_kpa_s * seconds))


class PressureTerminal(LineDevice):
    """``interval_s`` between reports; ``unix_s`` is what its clock shows at ``now_ns``, when it is switched on.
    ``dead``: its battery is empty."""

    def __init__(
        self,
        pipe: Pipe,
        *,
        device_id: str = "SHRP25090120",
        interval_s: int = 60,
        limits_kpa: tuple[int, int] = (0, 2500),
        unix_s: int = 1_761_589_383,
        now_ns: int = 0,
        seed: int = 0,
        line: LineSettings | None = None,
    ) -> None:
        super().__init__(line or LineSettings(9600, "N"), seed)
        self.pipe = pipe
        self.device_id = device_id
        self.interval_s = interval_s
        self.limits_kpa = limits_kpa
        self.battery = 4
        self.rssi_dbm = -48
        self.dead = False
        self.reports = 0
        self._unix_s = unix_s - now_ns // 1_000_000_000
        self._records: deque[int] = deque(maxlen=RECORDS)
        self._was_outside = False
        self._told_ns = now_ns - interval_s * 1_000_000_000
        self._looked_ns = now_ns
        self.at(now_ns, self._look)

    def on_bytes(self, heard: Heard) -> None:
        """It hears nothing."""

    def frame(self, now_ns: int) -> bytes:
        """The report of this moment."""
        kpa = round(self.pipe.kpa)
        low, high = self.limits_kpa
        self._records.appendleft(kpa)
        tail = b"".join(struct.pack(">H", each) for each in self._records)
        name = self.device_id.encode("ascii").ljust(12, b"\0")
        fixed = struct.pack(">BbHH", 0x30 + self.battery, self.rssi_dbm, self.interval_s, len(self._records))
        unix_s = self._unix_s + now_ns // 1_000_000_000
        alarm = HIGH_ALARM if high and kpa > high else 0
        values = struct.pack(">BBHHHI", 1, alarm, low, high, kpa, unix_s)
        size = 5 + len(name) + len(fixed) + len(values) + len(tail) + 4
        body = b"\xa5\x5a" + size.to_bytes(3, "big") + name + fixed + values + tail
        return body + crc(body).to_bytes(2, "big") + b"\x55\xaa"

    def _look(self, now_ns: int) -> None:
        self.pipe.run((now_ns - self._looked_ns) / 1_000_000_000)
        self._looked_ns = now_ns
        low, high = self.limits_kpa
        outside = self.pipe.kpa < low or bool(high and self.pipe.kpa > high)
        if not self.dead and (outside != self._was_outside or now_ns - self._told_ns >= self.interval_s * 10**9):
            self._told_ns = now_ns
            self.reports += 1
            self.answer([self.frame(now_ns)], now_ns)
        self._was_outside = outside
        self.at(now_ns + LOOK_NS, self._look)
