"""A radio module with charging boards behind it, written from ``drivers/dny/PROTOCOL.md``.

The hard part to simulate is its pace: a board that gets a second command within half a second does not hear it. A user
would notice a nicer board as a driver that cuts ten ports at once and reaches one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from firmware_sim.line import Heard, LineSettings
from firmware_sim.linedevice import LineDevice

LOOK_NS = 100_000_000
LINK_NS = 30_000_000_000
HEARTBEAT_NS = 60_000_000_000
POWER_NS = 10_000_000_000
SIM = b"89860440191890012345"
UNPLUGGED, FULL, OVER, REMOTE = 5, 1, 3, 8


@dataclass(slots=True)
class Socket:
    """One port of a board, numbered from 0 on the wire."""

    bike_w: float = 0.0
    welded: bool = False
    closed: bool = False
    charged_s: float = 0.0
    energy_wh: float = 0.0
    order: bytes = bytes(16)

    @property
    def power_w(self) -> float:
        return self.bike_w if self.closed or self.welded else 0.0

    @property
    def state(self) -> int:
        if self.welded and not self.closed:
            return 9
        return 1 if self.closed else 2 if self.bike_w else 0


@dataclass(slots=True)
class Radio:
    """``dead_boards``: the module lives and says ``link``, nothing behind it speaks. ``gap_ms``: commands closer than
    this are not heard."""

    dead_boards: bool = False
    silent: bool = False
    gap_ms: int = 40


class Module(LineDevice):
    """``commands`` are those that were heard: (device, port, on, time)."""

    def __init__(
        self,
        boards: Iterable[str] = ("04a26cf3",),
        *,
        ports: int = 2,
        radio: Radio | None = None,
        seed: int = 0,
        line: LineSettings | None = None,
    ) -> None:
        super().__init__(line or LineSettings(1_000_000, "N"), seed)
        self.radio = radio or Radio()
        self.boards = {name: [Socket() for _ in range(ports)] for name in boards}
        self.commands: list[tuple[str, int, bool, int]] = []
        self.unheard = 0
        self.settled = 0
        self._heard = bytearray()
        self._number = 0
        self._due = dict.fromkeys(("link", "beat", "power", "register"), 0)
        self._last_ns = -1 << 62
        self._looked_ns = 0
        self._unsettled: dict[int, tuple[str, bytes, int]] = {}
        self.at(0, self._hello)

    def forget(self) -> None:
        self._heard.clear()
        self._due["register"] = 0

    def _hello(self, now_ns: int) -> None:
        self.answer([SIM], now_ns)
        self._look(now_ns)

    def on_bytes(self, heard: Heard) -> None:
        self._heard += heard.data
        buffer = self._heard
        while (start := buffer.find(b"DNY")) >= 0:
            del buffer[:start]
            if len(buffer) < 5:
                return
            size = 5 + int.from_bytes(buffer[3:5], "little")
            if len(buffer) < size:
                return
            frame = bytes(buffer[:size])
            if size < 14 or sum(frame[:-2]) & 0xFFFF != int.from_bytes(frame[-2:], "little"):
                del buffer[0]
                continue
            del buffer[:size]
            board = frame[5:9][::-1].hex()
            if board in self.boards and not self.radio.dead_boards and not self.radio.silent:
                self._obey(board, int.from_bytes(frame[9:11], "little"), frame[11], frame[12:-2], heard.end_ns)

    def _obey(self, board: str, number: int, command: int, data: bytes, now_ns: int) -> None:
        if command == 0x03:
            self.settled += self._unsettled.pop(number, None) is not None
        elif command == 0x81:
            self._beat(board, now_ns)
        elif command == 0x82:
            if now_ns - self._last_ns < self.radio.gap_ms * 1_000_000:
                self.unheard += 1
                return
            self._last_ns = now_ns
            self._charge_command(board, number, data, now_ns)

    def _charge_command(self, board: str, number: int, data: bytes, now_ns: int) -> None:
        port, on = data[5], data[6] == 1
        self.commands.append((board, port, on, now_ns))
        sockets = self.boards[board]
        if port >= len(sockets):
            code = 4
        elif on and not sockets[port].bike_w:
            code = 1
        elif sockets[port].closed == on:
            code = 2
        else:
            code = 0
            if not on:
                self._settle(board, port, REMOTE, now_ns)
            sockets[port].closed = on
            sockets[port].order = data[9:25]
            sockets[port].charged_s = sockets[port].energy_wh = 0.0
        self._say(board, 0x82, bytes((code,)) + data[9:25] + bytes((port, 0, 0)), now_ns, number)

    def _look(self, now_ns: int) -> None:
        self.at(now_ns + LOOK_NS, self._look)
        self._charge((now_ns - self._looked_ns) / 1e9, now_ns)
        self._looked_ns = now_ns
        if self.radio.silent:
            return
        if self._is_due("link", LINK_NS, now_ns):
            self.answer([b"link"], now_ns)
        if self.radio.dead_boards:
            return
        if self._is_due("register", 1 << 62, now_ns):
            for board, sockets in self.boards.items():
                self._say(board, 0x20, b"\x80\x02" + bytes((len(sockets), 0x0A, 0x31, 0x06)), now_ns)
        if self._is_due("beat", HEARTBEAT_NS, now_ns):
            for board in self.boards:
                self._beat(board, now_ns)
        if self._is_due("power", POWER_NS, now_ns):
            self._tell_power(now_ns)
        for number, (board, data, told_ns) in list(self._unsettled.items()):
            if now_ns - told_ns >= 15 * 10**9:
                self._unsettled[number] = (board, data, now_ns)
                self._say(board, 0x03, data, now_ns, number)

    def _charge(self, seconds: float, now_ns: int) -> None:
        for board, sockets in self.boards.items():
            for port, socket in enumerate(sockets):
                if not socket.closed:
                    continue
                socket.charged_s += seconds
                socket.energy_wh += socket.power_w * seconds / 3600
                if not socket.bike_w:
                    socket.closed = False
                    self._settle(board, port, UNPLUGGED, now_ns)

    def _is_due(self, what: str, every_ns: int, now_ns: int) -> bool:
        if now_ns < self._due[what]:
            return False
        self._due[what] = now_ns + every_ns
        return True

    def _beat(self, board: str, now_ns: int) -> None:
        sockets = self.boards[board]
        states = bytes(socket.state for socket in sockets)
        self._say(board, 0x21, (2374).to_bytes(2, "little") + bytes((len(sockets),)) + states + b"\x1f\x5a", now_ns)

    def _tell_power(self, now_ns: int) -> None:
        for board, sockets in self.boards.items():
            for port, socket in enumerate(sockets):
                if socket.closed or socket.welded:
                    data = bytes((port, socket.state)) + int(socket.charged_s).to_bytes(2, "little")
                    data += int(socket.energy_wh / 10).to_bytes(2, "little") + b"\x01"
                    self._say(board, 0x06, data + int(socket.power_w * 10).to_bytes(2, "little"), now_ns)

    def _settle(self, board: str, port: int, reason: int, now_ns: int) -> None:
        """Told until it is acknowledged; at most 32 wait."""
        socket = self.boards[board][port]
        data = int(socket.charged_s).to_bytes(2, "little") + int(socket.power_w * 10).to_bytes(2, "little")
        data += int(socket.energy_wh / 10).to_bytes(2, "little") + bytes((port, 1)) + bytes(4) + bytes((reason,))
        data += socket.order
        number = self._say(board, 0x03, data, now_ns)
        self._unsettled[number] = (board, data, now_ns)
        while len(self._unsettled) > 32:
            del self._unsettled[next(iter(self._unsettled))]

    def _say(self, board: str, command: int, data: bytes, now_ns: int, number: int | None = None) -> int:
        if number is None:
            self._number = number = self._number % 0xFFFF + 1
        body = bytes.fromhex(board)[::-1] + number.to_bytes(2, "little") + bytes((command,)) + data
        frame = b"DNY" + (len(body) + 2).to_bytes(2, "little") + body
        self.answer([frame + (sum(frame) & 0xFFFF).to_bytes(2, "little")], now_ns)
        return number
