"""A bus of DL/T 645-2007 meters on one half-duplex line."""

from __future__ import annotations

from collections.abc import Iterable

from firmware_sim.dlt645 import frames
from firmware_sim.dlt645.meter import TRIP_NS, TURNAROUND_NS, Meter
from firmware_sim.line import Heard, LineSettings
from firmware_sim.linedevice import LineDevice


class MeterBus(LineDevice):
    """``meters`` by name. Factory line 2400 8E1."""

    def __init__(self, meters: dict[str, Meter], *, seed: int = 0, line: LineSettings | None = None) -> None:
        super().__init__(line or LineSettings(2400, "E"), seed)
        self.meters = meters
        self.requests = 0
        self._buffer = bytearray()

    def forget(self) -> None:
        self._buffer.clear()

    def on_bytes(self, heard: Heard) -> None:
        self._buffer += heard.data
        for request in frames.scan(self._buffer):
            self.requests += 1
            self._ask(request, heard.end_ns)

    def _ask(self, request: frames.Request, now_ns: int) -> None:
        answers: list[bytes] = []
        wait_ns = 0
        for meter in self._meant(request):
            reply = meter.reply(request, now_ns)
            if reply is None:
                continue
            control, data = reply
            answers.append(frames.sealed(meter.wire, control, data))
            wait_ns = max(wait_ns, TURNAROUND_NS + meter.slow_ns)
            wanted = meter.wants(request) if control == 0x9C else None
            if wanted is not None:
                self._drive(meter, now_ns + TRIP_NS, closed=wanted)
        if answers:
            # Sent when due, not before: a slow meter must not hold the line for the others.
            self.at(now_ns + wait_ns, lambda due_ns: self._send(answers, due_ns))

    def _send(self, answers: list[bytes], due_ns: int) -> None:
        self.answer(answers, due_ns)

    def _drive(self, meter: Meter, due_ns: int, *, closed: bool) -> None:
        self.at(due_ns, lambda at_ns: meter.move(closed=closed, now_ns=at_ns))

    def _meant(self, request: frames.Request) -> Iterable[Meter]:
        return (each for each in self.meters.values() if not each.dead and frames.matches(request.address, each.wire))
