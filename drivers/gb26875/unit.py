"""The sending side of GB/T 26875.3: we report our states to a monitoring centre. PROTOCOL.md section 6.

The hard part is order and proof: fire goes before everything else that waits, is repeated until the centre has
acknowledged it, and outlives a lost connection. A user would notice a mistake as a centre that hears of a fault first
and of the fire a minute later, or never.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from drivers.buffer import Refused
from drivers.engine import NS_PER_MS
from drivers.gb26875.frames import (
    AppType,
    Command,
    Frame,
    Grammar,
    Header,
    answer,
    component_state,
    encode,
    nack_of,
    system_state,
    unit_state,
)
from drivers.gb26875.objects import FAULT, FIRE, RESET, write_time
from drivers.options import OptionReader, OptionValue
from drivers.stream import StreamDriver
from drivers.wallclock import WallClock, to_china
from edge.domain.devices import DeviceCommand
from edge.domain.field_devices import OutputReading, PointHealth, Poll, ReportFire, SetClock

WAITING_MAX = 256
"""Reports that wait; when full, the oldest that is no fire goes (then the oldest fire), and is counted."""
_IN_FLIGHT_MAX = 4
_TRIES = 4
_VERSION = (1, 1)
_NORMAL = 1
"""Bit 0: normal operation, not a test."""
_STATUS = {"fire": _NORMAL | FIRE, "fault": _NORMAL | FAULT, "normal": _NORMAL, "reset": _NORMAL | RESET}
_POINT = re.compile(r"(\d{1,3}):(\d{1,3})(?::(\d{1,5}):(\d{1,5})(?::(\d{1,3}))?)?")
_TYPE_OTHER_DETECTOR = 25
"""Component type of a point that does not name one: fire detector, kind not said."""


class _Report(NamedTuple):
    report: ReportFire
    fire: bool


class _Flight(NamedTuple):
    """A report under way: sent ``tries`` times, the last at ``sent_ns``."""

    item: _Report
    frame: bytes
    tries: int
    sent_ns: int


class UnitDriver(StreamDriver[Frame]):
    """Options as PROTOCOL.md section 7 lists them."""

    protocol = "gb26875"
    silent_hint = (
        "the centre does not answer: check address, port and own_address in site.toml; reports are kept and sent again"
    )

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        read = OptionReader("gb26875", options)
        read.choice("role", "unit", ("centre", "unit"))
        self._heartbeat_ns = read.integer("heartbeat_s", 30, 1, 600) * 1000 * NS_PER_MS
        self._own_address = read.integer("own_address", 0, 0, (1 << 48) - 1)
        self._centre_address = read.integer("peer_address", 0, 0, (1 << 48) - 1)
        read.flag("poll", default=True)  # the centre's; a site file's options are also tried one by one
        self._ack_ns = read.integer("ack_timeout_ms", 5_000, 100, 10_000) * NS_PER_MS
        read.finish()
        super().__init__(Grammar(), partial_ms=3_000, silent_ms=3 * self._heartbeat_ns // NS_PER_MS)
        self._clock = WallClock()
        self._serial = 0
        self._waiting: list[_Report] = []
        self._flights: dict[int, _Flight] = {}
        self._last: dict[str, ReportFire] = {}
        self._sent_ns = 0
        self.dropped = 0
        """Reports that were dropped because too many waited."""

    # --- stream -------------------------------------------------------------------------------------------------------

    def on_opened(self) -> None:
        self._send_heartbeat()
        self._fly()

    def on_closed(self) -> None:
        """What was under way is sent again on the next connection, the fires first."""
        self._waiting[:0] = [flight.item for flight in self._flights.values()]
        self._flights.clear()
        while len(self._waiting) > WAITING_MAX:
            self._drop_one()
        self.say(PointHealth(point="", online=False, detail="link_closed"))

    def on_frame(self, frame: Frame) -> None:
        self.ready()
        match frame.command:
            case Command.ACK:
                self._acknowledged(frame.header.serial)
            case Command.NACK:
                self._denied(frame.header.serial)
            case Command.REQUEST:
                self._asked(frame)
            case Command.CONTROL:
                self._controlled(frame)
            case _:
                pass
        self.alive()

    def on_refused(self, refused: Refused) -> None:
        nack = nack_of(refused)
        if nack is not None:
            self._put(nack)
            self.alive(f"refused: {refused.kind.value}")

    def on_command(self, command: DeviceCommand) -> bool:
        match command:
            case ReportFire():
                self._report(command)
                return True
            case SetClock(wall_ns=wall_ns):
                self._clock.set(wall_ns, self.now_ns)
                return True
            case Poll():
                self._send_heartbeat()
                return True
            case _:
                return False

    def on_tick(self) -> None:
        for serial, flight in list(self._flights.items()):
            if self.now_ns >= flight.sent_ns + self._ack_ns:
                self._repeat(serial, flight)
        if self.now_ns >= self._sent_ns + self._heartbeat_ns:
            self._send_heartbeat()

    def next_tick(self) -> int | None:
        acks = [flight.sent_ns + self._ack_ns for flight in self._flights.values()]
        return min([self._sent_ns + self._heartbeat_ns, *acks])

    # --- reports ------------------------------------------------------------------------------------------------------

    def _report(self, report: ReportFire) -> None:
        self._clock.set(report.wall_ns, self.now_ns)
        item = _Report(report, fire=report.state == "fire")
        if any(flight.item.report.point == report.point for flight in self._flights.values()) and (
            self._last.get(report.point, report).state == report.state
        ):
            return  # the same word is under way already
        # A newer word on the same point replaces one that still waits or is repeated, except that no other word removes
        # a fire: what the centre hears last of a point must be the newest.
        self._waiting = [each for each in self._waiting if not _is_replaced(each, item)]
        self._flights = {at: each for at, each in self._flights.items() if not _is_replaced(each.item, item)}
        if len(self._waiting) >= WAITING_MAX:
            self._drop_one()
        self._waiting.append(item)
        self._last[report.point] = report
        if len(self._last) > WAITING_MAX:
            del self._last[next(iter(self._last))]
        if self.is_open:
            self._fly()

    def _drop_one(self) -> None:
        self.dropped += 1
        del self._waiting[next((at for at, each in enumerate(self._waiting) if not each.fire), 0)]

    def _fly(self) -> None:
        """Send what may be sent: fires at once, however much is under way; the rest a few at a time, in order, and
        behind the fire of their own point."""
        for item in sorted(self._waiting, key=lambda each: not each.fire):
            behind = any(flight.item.report.point == item.report.point for flight in self._flights.values())
            if item.fire or (len(self._flights) < _IN_FLIGHT_MAX and not behind):
                self._waiting.remove(item)
                self._serial = (self._serial + 1) & 0xFFFF
                frame = self._frame(Command.SEND_DATA, _application(item.report))
                self._flights[self._serial] = _Flight(item, frame, 1, self.now_ns)
                self._put(frame)

    def _repeat(self, serial: int, flight: _Flight) -> None:
        if flight.tries >= _TRIES:
            detail = "the centre does not acknowledge: the report is kept and repeated"
            self.ready("not_acknowledged", detail)
            tries = 1
        else:
            tries = flight.tries + 1
        self._flights[serial] = flight._replace(tries=tries, sent_ns=self.now_ns)
        self._put(flight.frame)

    def _acknowledged(self, serial: int) -> None:
        flight = self._flights.pop(serial, None)
        if flight is not None:
            report = flight.item.report
            self.say(OutputReading(point=report.point, accepted=True, detail=f"reported:{report.state}"))
        self._fly()

    def _denied(self, serial: int) -> None:
        """Asked to repeat. A fire is repeated for ever; anything else is given up when it was denied often enough."""
        flight = self._flights.get(serial)
        if flight is None:
            return
        if flight.tries < _TRIES or flight.item.fire:
            if flight.tries < _TRIES:
                self._repeat(serial, flight)
            return
        del self._flights[serial]
        report = flight.item.report
        self.say(OutputReading(point=report.point, accepted=False, detail=f"denied:{report.state}"))
        self.ready("denied", "the centre refuses our reports: compare addresses and point numbers with its operator")
        self._fly()

    # --- what the centre asks -------------------------------------------------------------------------------------

    def _asked(self, frame: Frame) -> None:
        now = self._clock.china(self.now_ns)
        states = {report.state for report in self._last.values()}
        status = _NORMAL | (FIRE if "fire" in states else 0) | (FAULT if "fault" in states else 0)
        match frame.app_type:
            case AppType.READ_UNIT_STATE:
                reply = unit_state(status, now)
            case AppType.READ_SYSTEM_STATE:
                reply = system_state(1, 1, status, now)
            case AppType.READ_UNIT_VERSION:
                reply = bytes((AppType.UNIT_VERSION, 1, *_VERSION))
            case AppType.READ_UNIT_CLOCK:
                reply = bytes((AppType.UNIT_CLOCK, 1)) + write_time(now)
            case _:
                self._put(answer(frame.header, Command.NACK))
                return
        self._put(answer(frame.header, Command.REPLY, reply))

    def _controlled(self, frame: Frame) -> None:
        """The clock (which we keep ourselves) and the guard check are acknowledged; nobody initialises us from afar."""
        obliges = frame.app_type in {AppType.SET_UNIT_CLOCK, AppType.GUARD_CHECK}
        self._put(answer(frame.header, Command.ACK if obliges else Command.NACK))

    # --- frames -------------------------------------------------------------------------------------------------------

    def _send_heartbeat(self) -> None:
        self._serial = (self._serial + 1) & 0xFFFF
        self._put(self._frame(Command.SEND_DATA, b""))

    def _put(self, frame: bytes) -> None:
        self._sent_ns = self.now_ns
        self.write(frame)

    def _frame(self, command: Command, app: bytes) -> bytes:
        header = Header(
            serial=self._serial,
            version_major=_VERSION[0],
            version_user=_VERSION[1],
            time=write_time(self._clock.china(self.now_ns)),
            source=self._own_address,
            destination=self._centre_address,
        )
        return encode(header, command, app)


def _is_replaced(old: _Report, new: _Report) -> bool:
    return old.report.point == new.report.point and (new.fire or not old.fire)


def _application(report: ReportFire) -> bytes:
    """``type:address`` is a system, ``type:address:zone:position[:component type]`` a component, all else the unit as a
    whole: a report whose point is not understood still goes out."""
    status, at = _STATUS.get(report.state, _NORMAL | FAULT), to_china(report.wall_ns)
    match = _POINT.fullmatch(report.point)
    numbers = [int(group) for group in match.groups() if group is not None] if match else []
    if not numbers or max(numbers[:2]) > 0xFF or max(numbers) > 0xFFFF or (len(numbers) == 5 and numbers[4] > 0xFF):
        return unit_state(status & 0xFF, at)
    if len(numbers) == 2:
        return system_state(numbers[0], numbers[1], status, at)
    kind = numbers[4] if len(numbers) == 5 else _TYPE_OTHER_DETECTOR
    where = (numbers[0], numbers[1], kind, numbers[2], numbers[3])
    return component_state(where, status & 0x1FF, report.text, at)
