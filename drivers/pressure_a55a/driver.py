"""Driver of an A55A pressure terminal: it listens. See PROTOCOL.md section 4.

The hard part is that the terminal says when it likes, and sleeps in between: only its absence for long tells that it is
gone. A user would notice a mistake as a sprinkler main that is shown full since last week.
"""

from __future__ import annotations

from collections.abc import Mapping

from drivers.options import OptionReader, OptionValue
from drivers.pressure_a55a.describe import HIGH_BIT
from drivers.pressure_a55a.frames import Frame, Grammar
from drivers.stream import StreamDriver
from edge.domain.devices import DeviceCommand, DeviceIdentity
from edge.domain.field_devices import PointHealth, PressureReading, SetClock, SignalKind, SignalReading

PARTIAL_MS = 1000
NS_PER_S = 1_000_000_000
_LOW_BATTERY_PCT = 25


class PressureTerminalDriver(StreamDriver[Frame]):
    """Options as PROTOCOL.md section 5 lists them; LocalProtocolError names a wrong one. The point is the terminal's
    own id."""

    protocol = "pressure_a55a"
    silent_hint = "the terminal has not reported: check its battery, its radio and its interval"

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        reader = OptionReader(self.protocol, options)
        self._present_kpa = reader.integer("present_kpa", 100, 1, 65_535)
        silent_s = reader.integer("silent_s", 3_900, 10, 604_800)
        reader.finish()
        super().__init__(Grammar(), partial_ms=PARTIAL_MS, silent_ms=silent_s * 1000)
        self._heard_of: dict[str, bool] = {}

    def on_opened(self) -> None:
        self._heard_of.clear()

    def on_frame(self, frame: Frame) -> None:
        point = frame.device_id
        if not self._heard_of:
            self.say(DeviceIdentity(protocol=self.protocol, model="A55A pressure terminal", firmware="", serial=point))
        self.ready()
        if not self._heard_of.get(point, False):
            self._heard_of = {point: True}
            self.say(PointHealth(point=point, online=True, detail=f"rssi {frame.rssi_dbm} dBm"))
        low = frame.pressure_kpa <= frame.low_limit_kpa
        high = bool(frame.alarm >> HIGH_BIT & 1) or 0 < frame.high_limit_kpa < frame.pressure_kpa
        self.say(PressureReading(point=point, pressure_kpa=float(frame.pressure_kpa), low=low, high=high))
        self.say(
            SignalReading(
                point=point,
                kind=SignalKind.PRESSURE,
                active=frame.pressure_kpa >= self._present_kpa,
                source_wall_ns=frame.unix_s * NS_PER_S,
                battery_low=None if frame.battery_pct is None else frame.battery_pct <= _LOW_BATTERY_PCT,
                detail=f"alarm bits {frame.alarm:02x}" if frame.alarm else "",
            )
        )

    def on_silent(self) -> None:
        for point in self._heard_of:
            self._heard_of[point] = False
            self.say(PointHealth(point=point, online=False, detail="silent"))

    def on_command(self, command: DeviceCommand) -> bool:
        """The terminal takes no commands; being told the time is no mistake of anybody."""
        return isinstance(command, SetClock)
