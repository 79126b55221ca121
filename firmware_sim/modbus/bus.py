"""Relay boards on one line: serial (RTU), or behind one TCP port."""

from __future__ import annotations

from firmware_sim.line import Heard, LineSettings
from firmware_sim.linedevice import LineDevice
from firmware_sim.modbus import frames
from firmware_sim.modbus.board import Board

#: From the last byte of a request to the first of its answer (our assumption; 3.5 characters at 9600 are 4 ms).
TURNAROUND_NS = 5_000_000


class BoardBus(LineDevice):
    """``boards`` by name. Factory line 9600 8N1. Over TCP give a very fast line and ``tcp``."""

    def __init__(
        self, boards: dict[str, Board], *, seed: int = 0, line: LineSettings | None = None, tcp: bool = False
    ) -> None:
        super().__init__(line or LineSettings(9600, "N"), seed)
        self.boards = boards
        self.requests = 0
        self._tcp = tcp
        self._buffer = bytearray()
        self._heard_ns = 0

    def forget(self) -> None:
        self._buffer.clear()

    def on_bytes(self, heard: Heard) -> None:
        # A slave gives a broken request up after 1.5 characters of silence; the simulated one is a little patient.
        if not self._tcp and heard.start_ns - self._heard_ns > 20 * self.line.settings.byte_ns:
            self._buffer.clear()
        self._heard_ns = heard.end_ns
        self._buffer += heard.data
        scan = frames.scan_tcp if self._tcp else frames.scan_rtu
        for request in scan(self._buffer):
            self.requests += 1
            self._ask(request, heard.end_ns)

    def _ask(self, request: frames.Request, now_ns: int) -> None:
        meant = [board for board in self.boards.values() if board.unit == request.unit and not board.dead]
        answers = [frames.sealed(request, board.reply(request, now_ns, self.at)) for board in meant]
        if answers:
            wait_ns = TURNAROUND_NS + max(board.slow_ns for board in meant)
            self.at(now_ns + wait_ns, lambda due_ns: self._send(answers, due_ns))

    def _send(self, answers: list[bytes], due_ns: int) -> None:
        self.answer(answers, due_ns)
