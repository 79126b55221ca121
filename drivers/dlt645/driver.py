"""Driver of a DL/T 645-2007 bus: polls its meters and breakers, trips and closes them. See PROTOCOL.md section 6.

The hard part is what an answer is worth: 9C means that the meter understood, not that a contact opened, and a request
with a time in the past is refused, so that a wrong clock anywhere would disable the cut in silence. A user would notice
a mistake as a charger that is shown as cut and goes on charging.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from drivers.buffer import Scanner
from drivers.bus import BusDriver
from drivers.busqueue import Item, Station
from drivers.dlt645 import edition1997
from drivers.dlt645.data import write_valid_until
from drivers.dlt645.frames import HEADER_BYTES, PREAMBLE, Action, Control, Frame, Function, Grammar, encode
from drivers.dlt645.readings import QUANTITIES, to_reading
from drivers.dlt645.settings import read_settings
from drivers.driver import Output
from drivers.engine import NS_PER_MS, Ask, Engine
from drivers.options import OptionValue
from drivers.wallclock import CHINA
from edge.domain.field_devices import MeterReading, Operate, PointHealth

FAR = datetime(2099, 12, 31, 23, 59, 59, tzinfo=CHINA)
"""Valid-until of the first attempt at a trip: no meter's clock is past it, however wrong ours or its own is."""
PERMIT_CLOSE = 0x1B
MIXED = "edition_mixed: the meter answers with identifiers of the 1997 edition; its values cannot be read"
_BITS_PER_BYTE = 11
_FLOWING_W = 5.0
_FLOWING_A = 0.05
"""Above either, current flows: the proof of a cut as ``garage-domain.md`` section 6 defines it."""
_ANSWER_BYTES = 24


class Dlt645Driver(BusDriver[Frame]):
    """Options as PROTOCOL.md section 7 lists them; LocalProtocolError names a wrong one."""

    protocol = "dlt645"
    line_hint = "no meter answers: check the wires A and B, baud rate and even parity (usually 2400 8E1), addresses"

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        self.settings = read_settings(options)
        self.echoes = 0
        """Own requests heard back from the transceiver."""
        meters = self.settings.meters
        items = [self._item(point, name) for name in self.settings.fast + self.settings.slow for point in meters]
        items.sort(key=lambda item: item.points)
        stations = [Station(point, (point,)) for point in meters]
        super().__init__(items, stations, dead_poll_ms=self.settings.dead_poll_ms)
        self._told_once: set[tuple[str, str]] = set()
        self._of_1997: set[str] = set()

    def _new_engine(self) -> Engine[Frame]:
        scanner = Scanner(Grammar(), PREAMBLE)
        return Engine(scanner, self.settings.gap_ms * NS_PER_MS, self.settings.quiet_ms * NS_PER_MS, patient=True)

    # --- reading ------------------------------------------------------------------------------------------------------

    def _item(self, point: str, name: str) -> Item:
        fast = name in self.settings.fast
        period_ns = (self.settings.poll_ms if fast else self.settings.slow_ms) * NS_PER_MS
        ask: Callable[[], Ask] = partial(self._read_ask, point, name)
        return Item(point, (point,), period_ns, ask, partial(self._told, point, name), proof=fast)

    def _read_ask(self, point: str, name: str) -> Ask:
        identifier = QUANTITIES[name]
        station = self.queue.stations[point]
        # A meter that has gone silent may be an old one: every second question to it is put in the old way.
        if point in self._of_1997 or (station.online is False and station.misses % 2):
            return self._read_1997_ask(point, name)
        data = bytes.fromhex(identifier)[::-1]

        def matches(frame: Frame) -> bool:
            return self._is_answer(frame, point, Function.READ) and (
                frame.error_reply or frame.mixed_versions or frame.identifier == identifier
            )

        return self._ask(point, Function.READ, data, matches)

    def _read_1997_ask(self, point: str, name: str) -> Ask:
        question = edition1997.question_of(name)
        known = point in self._of_1997

        def matches(frame: Frame) -> bool:
            return self._is_answer(frame, point, edition1997.READ) and edition1997.is_answer(
                frame, question, known=known
            )

        return self._ask(point, edition1997.READ, question, matches)

    def _ask(self, point: str, function: int, data: bytes, matches: Callable[[Frame], bool]) -> Ask:
        frame = encode(self.settings.meters[point], function, data, preamble=self.settings.preamble)
        wire_bytes = len(frame) + self.settings.preamble + _ANSWER_BYTES + HEADER_BYTES
        wire_ms = wire_bytes * _BITS_PER_BYTE * 1000 // self.settings.baud
        return Ask(frame, (wire_ms + self.settings.turn_round_ms) * NS_PER_MS, matches)

    def _is_answer(self, frame: Frame, point: str, function: int) -> bool:
        if not frame.from_meter:
            self.echoes += 1
            return False
        asked = self.settings.meters[point]
        return frame.function == function and all(
            want in {"a", got} for want, got in zip(asked, frame.address, strict=True)
        )

    def strays(self) -> int:
        return super().strays() - self.echoes

    def _told(self, point: str, name: str, frame: Frame) -> None:
        if frame.function == edition1997.READ:
            self._of_1997.add(point)
            self._tell_once(point, online=True, detail=edition1997.WHAT)
            old = edition1997.to_reading(point, name, frame)
            if old is not None:
                self.say(old)
            return
        if frame.mixed_versions:
            self._tell_once(point, online=False, detail=MIXED)
            return
        if frame.error_reply:
            self._tell_once(point, online=True, detail=f"refuses a read: {','.join(frame.errors or ()) or 'no reason'}")
            return
        reading = to_reading(point, frame)
        if reading is None:
            return
        self.say(reading)
        if is_flowing(reading):
            self.queue.still_flowing(point)

    def _tell_once(self, point: str, *, online: bool, detail: str) -> None:
        """Once per opening, so that a meter which cannot do something is a line in the log and not a flood."""
        if (point, detail) not in self._told_once:
            self._told_once.add((point, detail))
            self.say(PointHealth(point=point, online=online, detail=detail))

    def opened(self, now_ns: int) -> Output:
        self._told_once.clear()
        self._of_1997.clear()
        return super().opened(now_ns)

    # --- switching ----------------------------------------------------------------------------------------------------

    def _can_operate(self, point: str) -> bool:
        return point in self.settings.meters

    def _station_of(self, point: str) -> str:
        return point

    def _operate_ask(self, command: Operate, attempt: int) -> Ask | str:
        settings = self.settings
        if command.point in self._of_1997:
            return edition1997.WHAT
        if command.on and not self.clock.is_set:
            return "the clock is not set"
        until = FAR
        # A meter that refuses a date so far away gets one by the clock at the next attempt.
        if command.on or (attempt % 2 and self.clock.is_set):
            until = self.clock.china(self.now_ns + settings.valid_ms * NS_PER_MS)
        action = (PERMIT_CLOSE if settings.permit_close else Action.CLOSE) if command.on else Action.TRIP
        data = settings.authority + bytes([action])
        if not settings.short_control:
            data += b"\0" + write_valid_until(until)
        point = command.point
        return self._ask(point, Function.SWITCH, data, lambda frame: self._is_answer(frame, point, Function.SWITCH))

    def _outcome(self, answer: Frame) -> tuple[bool, str]:
        if answer.control & Control.ERROR:
            return False, ",".join(answer.errors or ()) or "refused"
        return True, ""


def is_flowing(reading: MeterReading) -> bool:
    """True when the reading says that current flows."""
    power_w, current_a = reading.power_w, reading.current_a
    return (power_w is not None and abs(power_w) >= _FLOWING_W) or (
        current_a is not None and abs(current_a) >= _FLOWING_A
    )
