"""A charging board for e-bikes with its ports, written from ``drivers/dc589/PROTOCOL.md``.

The hard part to simulate is what it leaves out: ports are told only when asked for, a board with over twelve ports
tells half of the charging ones in each of two frames, and a stop is answered with 10h. A user would notice a nicer
board as a driver that takes silence for "idle".
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import xor

from firmware_sim.line import Heard, LineSettings
from firmware_sim.linedevice import LineDevice

LOOK_NS = 100_000_000
IN_ONE_FRAME = 10
SPLIT_FROM = 13
ID = bytes.fromhex("5348240514082652")
IMEI = bytes.fromhex("0863121077410587")
STOPPED, NO_PORT, PORT_FAULT = 0x10, 0x00, 0x04
UNPLUGGED, FULL, FAULT, OVERPOWER, SMOKE, HOT = 1, 2, 3, 4, 8, 9
FULL_W = 8.0


@dataclass(slots=True)
class Outlet:
    """One port. ``bike_w``: what is plugged in would draw. ``welded``: the relay does not open any more. ``broken``: it
    does not close."""

    bike_w: float = 0.0
    welded: bool = False
    broken: bool = False
    closed: bool = False
    charged_s: float = 0.0
    energy_wh: float = 0.0
    limit_min: int = 0
    order: bytes = bytes(8)

    @property
    def power_w(self) -> float:
        return self.bike_w if (self.closed or self.welded) and not self.broken else 0.0

    @property
    def state(self) -> int:
        if self.welded and not self.closed:
            return 4
        return 3 if self.broken else int(self.closed)


@dataclass(slots=True)
class Power:
    """The board as a whole. ``tells_ports`` follows A6; ``ignores_a6``: old firmware. ``deaf``: it does what it does
    and hears no command. ``late_reason``: tells end reasons in byte 40, as newer firmware does."""

    smoke: bool = False
    temperature_c: int = 25
    guard_c: int = 70
    tells_ports: bool = False
    ignores_a6: bool = False
    deaf: bool = False
    silent: bool = False
    late_reason: bool = True
    heartbeat_s: int = 3


class Board(LineDevice):
    """``starts`` and ``stops`` list the ports of commands that arrived."""

    def __init__(
        self, ports: int = 10, *, power: Power | None = None, seed: int = 0, line: LineSettings | None = None
    ) -> None:
        super().__init__(line or LineSettings(1_000_000, "N"), seed)
        self.power = power or Power()
        self.ports = [Outlet() for _ in range(ports)]
        self.starts: list[int] = []
        self.stops: list[int] = []
        self.acked_ends = 0
        self._heard = bytearray()
        self._session = bytes(6)
        self._logged_in = False
        self._login_ns = self._beat_ns = -1 << 62
        self._looked_ns = 0
        self._told_smoke = self._told_hot = False
        self._ends: list[tuple[int, bytes, int]] = []
        self.at(0, self._look)

    def forget(self) -> None:
        self._heard.clear()
        self._logged_in = False
        self._login_ns = -1 << 62

    # --- what comes in

    def on_bytes(self, heard: Heard) -> None:
        self._heard += heard.data
        buffer = self._heard
        while len(buffer) >= 2:
            if buffer[0] != 0xEE or buffer[1] < 8:
                del buffer[0]
                continue
            size = buffer[1] + 2
            if len(buffer) < size:
                return
            frame = bytes(buffer[:size])
            if reduce(xor, frame[1:], 0):
                del buffer[0]
                continue
            del buffer[:size]
            if not self.power.deaf and not self.power.silent:
                self._obey(frame[2], frame[3:9], frame[9:-1], heard.end_ns)

    def _obey(self, command: int, session: bytes, data: bytes, now_ns: int) -> None:
        match command:
            case 0xA1:
                self._session, self._logged_in = session, True
                self._beat_ns = -1 << 62
            case 0xA6:
                self.power.heartbeat_s = int.from_bytes(data[:2], "little")
                self.power.tells_ports = data[2] == 1 and not self.power.ignores_a6
                self._say(0xA7, b"\x00", now_ns)
            case 0xB7:
                self._start(data, now_ns)
            case 0xB9:
                self._stop(data[0], now_ns)
            case 0xBC:
                self.acked_ends += 1
                self._ends = [end for end in self._ends if end[0] != data[1]]
            case 0xC5:
                table = bytearray(33)
                table[23], table[32] = 1, self.power.guard_c
                self._say(0xC6, bytes(table), now_ns)
            case _:
                pass

    def _start(self, data: bytes, now_ns: int) -> None:
        port = data[0]
        self.starts.append(port)
        if not 1 <= port <= len(self.ports):
            self._say(0xB8, bytes((NO_PORT, port)), now_ns)
            return
        outlet = self.ports[port - 1]
        if outlet.broken or outlet.welded:
            self._say(0xB8, bytes((PORT_FAULT, port)), now_ns)
            return
        outlet.closed, outlet.order = True, data[1:9]
        outlet.limit_min = int.from_bytes(data[11:13], "little")
        outlet.charged_s = outlet.energy_wh = 0.0
        self._say(0xB8, bytes((STOPPED, port)), now_ns)

    def _stop(self, port: int, now_ns: int) -> None:
        self.stops.append(port)
        if not 1 <= port <= len(self.ports):
            self._say(0xBA, bytes((NO_PORT, port)), now_ns)
            return
        was = self.ports[port - 1].closed
        self.ports[port - 1].closed = False
        welded = self.ports[port - 1].welded
        self._say(0xBA, bytes((PORT_FAULT if welded else STOPPED, port)), now_ns)
        if was:
            self._end(port, 0, now_ns)

    # --- what goes out

    def _look(self, now_ns: int) -> None:
        self.at(now_ns + LOOK_NS, self._look)
        self._charge((now_ns - self._looked_ns) / 1e9, now_ns)
        self._looked_ns = now_ns
        if self.power.silent:
            return
        if not self._logged_in:
            if now_ns - self._login_ns >= 5 * 10**9:
                self._login_ns = now_ns
                versions = b"DC589-V2" + b"SW589   " + (513).to_bytes(2, "little")
                self._say(0xA0, ID + versions + IMEI + bytes.fromhex("898600C2d40714f93001") + b"\x11", now_ns)
            return
        self._tell_dangers(now_ns)
        for at, (port, data, told_ns) in enumerate(self._ends):
            if now_ns - told_ns >= 10 * 10**9:
                self._ends[at] = (port, data, now_ns)
                self._say(0xBB, data, now_ns)
        if now_ns - self._beat_ns >= self.power.heartbeat_s * 10**9:
            self._beat_ns = now_ns
            self._beat(now_ns)

    def _charge(self, seconds: float, now_ns: int) -> None:
        for number, outlet in enumerate(self.ports, 1):
            if not outlet.closed:
                continue
            outlet.charged_s += seconds
            outlet.energy_wh += outlet.power_w * seconds / 3600
            if outlet.bike_w == 0 and outlet.charged_s > 30:
                outlet.closed = False
                self._end(number, UNPLUGGED, now_ns)
            elif outlet.limit_min and outlet.charged_s >= outlet.limit_min * 60:
                outlet.closed = False
                self._end(number, 0, now_ns)

    def _tell_dangers(self, now_ns: int) -> None:
        hot = self.power.temperature_c >= self.power.guard_c
        for told, now, code in ((self._told_smoke, self.power.smoke, 0xBB), (self._told_hot, hot, 0xAA)):
            if now and not told:
                self._say(0xC0, bytes((1, code, 0, 0, 0)), now_ns)
        self._told_smoke, self._told_hot = self.power.smoke, hot

    def _beat(self, now_ns: int) -> None:
        short = ID + IMEI + b"\x11"
        if not self.power.tells_ports:
            self._say(0xA4, short, now_ns)
            return
        hot = self.power.temperature_c >= self.power.guard_c
        status = 2 if self.power.smoke else int(hot)
        states = bytes(outlet.state for outlet in self.ports)
        charging = [(number, each) for number, each in enumerate(self.ports, 1) if each.closed]
        head = short + bytes((status,)) + (220).to_bytes(2, "little")
        head += bytes((self.power.temperature_c + 50, len(self.ports))) + states + bytes((len(charging),))
        size = IN_ONE_FRAME if len(self.ports) >= SPLIT_FROM else len(self.ports)
        for at in range(0, max(1, len(charging)), size):
            records = b"".join(_record(number, outlet) for number, outlet in charging[at : at + size])
            self._say(0xA4, head + records, now_ns)

    def _end(self, port: int, reason: int, now_ns: int) -> None:
        outlet = self.ports[port - 1]
        data = bytearray(44)
        data[1] = port
        data[2:10] = outlet.order
        seconds = int(outlet.charged_s)
        data[26:28] = (seconds // 60).to_bytes(2, "little")
        data[28] = seconds % 60
        data[29] = 2 if self.power.late_reason else reason
        data[32:34] = int(outlet.energy_wh).to_bytes(2, "little")
        data[40] = reason if self.power.late_reason else 0
        data[42:44] = int(outlet.power_w * 10).to_bytes(2, "little")
        self._ends.append((port, bytes(data), now_ns))
        del self._ends[:-32]
        self._say(0xBB, bytes(data), now_ns)

    def _say(self, command: int, data: bytes, now_ns: int) -> None:
        body = bytes((8 + len(data), command)) + self._session + data
        self.answer([b"\xee" + body + bytes((reduce(xor, body, 0),))], now_ns)


def _record(number: int, outlet: Outlet) -> bytes:
    left = max(0, outlet.limit_min * 60 - int(outlet.charged_s))
    done = int(outlet.charged_s)
    return b"".join(
        (
            bytes((number,)),
            (left // 60).to_bytes(2, "little") + bytes((left % 60,)),
            (done // 60).to_bytes(2, "little") + bytes((done % 60,)),
            bytes(2),
            int(outlet.energy_wh).to_bytes(2, "little"),
            int(outlet.power_w * 10).to_bytes(2, "little"),
        )
    )
