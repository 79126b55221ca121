"""Tasmota as a driver: telemetry and states to readings, POWER with PulseTime to the plugs.

The hard part is a plug that helps itself: after an overload it closes its relay again, several times, and an OFF does
not end that (arendst/Tasmota#354, #525). So a trip is latched here above the plug's own: until the kernel switches the
point on anew, whatever of it reports "on" or "about to" is told OFF at once. A user would notice a mistake as a charger
that comes back a few seconds after it was cut for overload.
"""

from __future__ import annotations

from collections.abc import Mapping

from drivers.messages import Message, Problem
from drivers.options import OptionReader, OptionValue
from drivers.tasmota.frames import Command, Energy, Event, Numbers, Online, State, parse
from drivers.topics import POINTS_MAX, TopicsDriver
from edge.domain.field_devices import MeterReading, Operate, OutputReading, PointHealth

#: PulseTime: up to 111 in tenths of a second, from 112 whole seconds plus 100 (Tasmota's command reference).
_PULSE_TENTHS_MAX_S = 11
_PULSE_MAX_S = 64_800


class TasmotaDriver(TopicsDriver):
    """A point is the device's topic, or ``<topic>:<n>`` for a numbered relay or meter channel. Options: ``set_up`` 0 to
    leave the plugs' settings alone; ``tele_period_s`` between telemetry messages; ``power_delta_w``: a change of so
    many watts is told at once."""

    protocol = "tasmota"
    quiet_hint = "no message of a Tasmota device; is its FullTopic %prefix%/%topic%/ ?"
    topics = ("tele/#", "stat/#", "cmnd/#")

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        super().__init__()
        reader = OptionReader(self.protocol, options)
        self._set_up = reader.flag("set_up", default=True)
        self._tele_period_s = reader.integer("tele_period_s", 10, 10, 3600)
        self._power_delta_w = reader.integer("power_delta_w", 5, 1, 3000)
        reader.finish()
        self._known: dict[str, str] = {}
        self._met: set[str] = set()
        self._pulse: dict[str, int] = {}
        self._tripped: set[str] = set()

    def on_opened(self) -> None:
        self._met.clear()
        self._pulse.clear()

    # --- in -----------------------------------------------------------------------------------------------------------

    def on_message(self, message: Message) -> None:
        if message.topic.startswith("cmnd/") and not message.retain:
            return  # our own, or another's: heard only for the retained ones, which switch at every connection
        for item in parse(message):
            if isinstance(item, Problem):
                self._refuse(message, item)
                continue
            device = item.device
            if device is None:
                continue
            self.heard()
            match item:
                case Energy():
                    self._energy(device, item)
                case State(output_on=bool(on)):
                    self._state(self._point(device, item.channel), on=on, retained=item.retained)
                case Event():
                    self._event(device, item)
                case Online():
                    self._online(device, item)
                case Command():
                    detail = "a retained command is at the broker: it switches at every connection; delete it there"
                    point = self._point(device, item.channel)
                    self.say(OutputReading(point=point, fault="output_fault", retained=True, detail=detail))
                case State():
                    pass
            if not item.retained or (isinstance(item, Online) and item.online):
                self._meet(device)

    def _refuse(self, message: Message, problem: Problem) -> None:
        if problem.kind in {"bad_message", "missing_value"}:
            return  # other topics, other sensors: whole, and not for us
        self.refused += 1
        device = message.topic.partition("/")[2].rpartition("/")[0]
        if problem.kind == "meter_fault" and device:
            for point in self._points_of(device):  # its figures are refused as a whole
                self.say(OutputReading(point=point, fault="output_fault", detail=problem.detail))

    def _energy(self, device: str, told: Energy) -> None:
        columns = (told.power_w, told.current_a, told.voltage_v, told.energy_wh, told.power_factor)
        count = max((len(each) for each in columns if isinstance(each, list)), default=0)
        for channel in range(1, count + 1) if count else (None,):
            power_w, current_a, voltage_v, energy_wh, power_factor = (_of(each, channel) for each in columns)
            self.say(
                MeterReading(
                    point=self._point(device, channel),
                    power_w=power_w,
                    current_a=current_a,
                    voltage_v=voltage_v,
                    energy_wh=energy_wh,
                    power_factor=power_factor,
                    retained=told.retained,
                )
            )

    def _state(self, point: str, *, on: bool, retained: bool) -> None:
        fault = ""
        if on and point in self._tripped and not retained:
            fault = "reclose_pending"
            self._power(point, "OFF")
        self.say(OutputReading(point=point, on=on, fault=fault, retained=retained))

    def _event(self, device: str, told: Event) -> None:
        match told.event_name:
            case "overpower" | "reclose_pending" as fault if not told.retained:
                detail = "" if told.power_w is None else f"{told.power_w:g} W"
                for point in self._meant(device, told.channel):
                    if len(self._tripped) < POINTS_MAX:
                        self._tripped.add(point)
                    self._power(point, "OFF")
                    self.say(OutputReading(point=point, fault=fault, detail=detail))
            case "reboot" if not told.retained:
                self._forget(device)
                for each in self._points_of(device):
                    reason = told.restart_reason or ""
                    self.say(PointHealth(point=each, online=True, rebooted=True, detail=reason))
            case _:
                pass

    def _meant(self, device: str, channel: int | None) -> list[str]:
        """The points of an event. Without a number it is the whole device, whose relays all open and close again."""
        return self._points_of(device) if channel is None else [self._point(device, channel)]

    def _online(self, device: str, told: Online) -> None:
        if told.online and not told.retained:
            self._forget(device)
        for point in self._points_of(device):
            self.say(PointHealth(point=point, online=told.online, retained=told.retained))

    def _forget(self, device: str) -> None:
        """It may have started anew: what it was told must be told again."""
        self._met.discard(device)
        for point in self._points_of(device):
            self._pulse.pop(point, None)

    def _points_of(self, device: str) -> list[str]:
        return [point for point, owner in self._known.items() if owner == device] or [device]

    def _point(self, device: str, channel: int | None) -> str:
        point = device if channel is None else f"{device}:{channel}"
        if point not in self._known and len(self._known) < POINTS_MAX:
            self._known[point] = device
        return point

    def _meet(self, device: str) -> None:
        """Set up a device that is heard of for the first time since the opening or its restart: telemetry often enough,
        off after a power cut, one try to close again after an overload (SetOption33 has no 0)."""
        if not self._set_up or device in self._met or len(self._met) >= POINTS_MAX:
            return
        self._met.add(device)
        settings = (
            f"TelePeriod {self._tele_period_s}; PowerDelta {100 + self._power_delta_w}; PowerOnState 0; SetOption33 1"
        )
        self.publish(f"cmnd/{device}/Backlog", settings)

    # --- out ----------------------------------------------------------------------------------------------------------

    def on_operate(self, command: Operate) -> bool:
        point = command.point
        if command.on:
            if not 0 <= command.hold_s <= _PULSE_MAX_S:
                return False
            self._tripped.discard(point)
            pulse = _pulse_time(command.hold_s)
            if self._pulse.get(point) != pulse:
                if len(self._pulse) < POINTS_MAX:
                    self._pulse[point] = pulse
                device, number = _split(point)
                self.publish(f"cmnd/{device}/PulseTime{number or 1}", str(pulse), self.expiry_s(command))
        self._power(point, "ON" if command.on else "OFF", self.expiry_s(command))
        return True

    def on_poll(self, point: str) -> bool:
        points = [point] if point else list(self._known)
        for each in points:
            device, number = _split(each)
            self.publish(f"cmnd/{device}/POWER{number}", "")
        for device in dict.fromkeys(_split(each)[0] for each in points):
            self.publish(f"cmnd/{device}/STATUS", "8")
        return bool(points)

    def _power(self, point: str, word: str, expiry_s: int = 5) -> None:
        device, number = _split(point)
        self.publish(f"cmnd/{device}/POWER{number}", word, expiry_s)


def _split(point: str) -> tuple[str, str]:
    """Device topic and relay number ("" for the only one)."""
    device, colon, number = point.rpartition(":")
    if colon and device and number.isascii() and number.isdigit() and len(number) <= 2:
        return device, number
    return point, ""


def _pulse_time(hold_s: int) -> int:
    return hold_s * 10 if hold_s <= _PULSE_TENTHS_MAX_S else hold_s + 100


def _of(values: Numbers, channel: int | None) -> float | None:
    """The value of a channel; one that all share counts for each."""
    if isinstance(values, list):
        return values[channel - 1] if channel is not None and channel <= len(values) else None
    return values
