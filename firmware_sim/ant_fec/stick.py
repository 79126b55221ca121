"""An ANT stick on a serial line. Written from ``drivers/ant_fec/PROTOCOL.md`` sections 1, 2 and 4.

The hard part is what a stick forgets: after a hiccup of its supply it has no key and no channels, says so once, and is
silent. A user would notice a model that remembers as a row of machines that never comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from firmware_sim.ant_fec.pages import AntMachine, AntStrap
from firmware_sim.line import Heard, LineSettings
from firmware_sim.linedevice import LineDevice

NS_PER_MS = 1_000_000
PAGE_NS = 8192 * 1_000_000_000 // 32_768
RESET_NS = 300 * NS_PER_MS
CHANNELS = 8
_NEEDED = {0x42, 0x51, 0x45, 0x43}


@dataclass(slots=True)
class _Channel:
    told: set[int]
    number: int = 0
    kind: int = 0
    period: int = 0
    frequency: int = 0
    is_open: bool = False


def message(identifier: int, data: bytes) -> bytes:
    body = bytes((0xA4, len(data), identifier)) + data
    check = 0
    for byte in body:
        check ^= byte
    return body + bytes((check,))


def _type_of(machine: AntMachine | AntStrap) -> tuple[int, int]:
    """Device type and period."""
    return (0x78, 8070) if isinstance(machine, AntStrap) else (0x11, 8192)


class AntStick(LineDevice):
    """``machines`` and straps in the air. ``mute_steps``: it takes commands and does not answer them."""

    def __init__(
        self, machines: Sequence[AntMachine | AntStrap], *, key: bytes, seed: int = 0, line: LineSettings | None = None
    ) -> None:
        super().__init__(line or LineSettings(57_600, "N"), seed)
        self.machines = {(_type_of(machine)[0], machine.number): machine for machine in machines}
        self.key = key
        self.mute_steps = False
        self.written = 0
        self._buffer = bytearray()
        self._has_key = False
        self._channels: dict[int, _Channel] = {}
        self._ticking = False

    def forget(self) -> None:
        self._buffer.clear()
        self._has_key = False
        self._channels.clear()

    def close_channel(self, channel: int, now_ns: int) -> None:
        """The search for a machine has timed out."""
        self._channels[channel].is_open = False
        self.answer([message(0x40, bytes((channel, 1, 7)))], now_ns)

    def on_bytes(self, heard: Heard) -> None:
        self._buffer += heard.data
        while len(self._buffer) >= 4:
            if self._buffer[0] != 0xA4:
                del self._buffer[0]
                continue
            size = self._buffer[1] + 4
            if len(self._buffer) < size:
                return
            frame = bytes(self._buffer[:size])
            if message(frame[2], frame[3:-1]) != frame:
                del self._buffer[0]
                continue
            del self._buffer[:size]
            self.written += 1
            self._obey(frame[2], frame[3:-1], heard.end_ns)

    def _obey(self, identifier: int, data: bytes, now_ns: int) -> None:
        if identifier == 0x4A:
            self.forget()
            self.at(now_ns + RESET_NS, lambda due_ns: self._say(message(0x6F, b"\x00"), due_ns))
            return
        code = self._do(identifier, data)
        if not self.mute_steps:
            self._say(message(0x40, bytes((data[0], identifier, code))), now_ns + NS_PER_MS)
        if not self._ticking:
            self._ticking = True
            self.at(now_ns + PAGE_NS, self._air)

    def _do(self, identifier: int, data: bytes) -> int:
        number = data[0]
        if identifier == 0x46:
            self._has_key = data[1:] == self.key
            return 0
        if number >= CHANNELS:
            return 0x28
        if identifier == 0x42:
            self._channels[number] = _Channel({0x42})
            return 0
        channel = self._channels.get(number)
        if channel is None:
            return 0x15
        channel.told.add(identifier)
        match identifier:
            case 0x51:
                channel.number, channel.kind = int.from_bytes(data[1:3], "little"), data[3]
            case 0x43:
                channel.period = int.from_bytes(data[1:3], "little")
            case 0x45:
                channel.frequency = data[1]
            case 0x4B:
                if not channel.told >= _NEEDED:
                    return 0x16
                channel.is_open = True
            case _:
                return 0x28
        return 0

    def _air(self, due_ns: int) -> None:
        for number, channel in self._channels.items():
            machine = self.machines.get((channel.kind, channel.number))
            if machine is None or machine.dead:
                continue
            period = _type_of(machine)[1]
            if channel.is_open and self._has_key and channel.period == period and channel.frequency == 57:
                self._say(message(0x4E, bytes((number,)) + machine.page(due_ns)), due_ns)
        self.at(due_ns + PAGE_NS, self._air)

    def _say(self, frame: bytes, due_ns: int) -> None:
        self.answer([frame], due_ns)
