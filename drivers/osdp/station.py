"""One reader on the bus as the panel keeps it: sequence numbers, its secure channel, what it is to be told.

The hard part is the sequence number: a repeated question must look the same byte for byte, or the reader does twice
what it was told once. A user would notice a mistake as a door that opens a second time by itself.
"""

from __future__ import annotations

from collections import deque

import msgspec

from drivers.buffer import Refusal
from drivers.osdp.frames import BlockType, Frame, build, read_content, seal
from drivers.osdp.securechannel import SecureChannel
from edge.domain.field_devices import Operate

STATUS_NS = 30_000_000_000
"""Inputs, outputs and tamper are asked for so often: a contact that never moves is heard of all the same."""
WAITING_MAX = 32
"""Operates that wait; the newest of a point replaces older ones, offs go first, beyond the oldest is dropped."""


class Station:
    """``next_ns`` is when it is polled next; ``operates`` what it is to be told, offs first."""

    def __init__(self, address: int) -> None:
        self.address = address
        self.online: bool | None = None
        self.problem = ("", "")
        self.channel: SecureChannel | None = None
        self.next_ns = 0
        self.told_ns = 0
        self.backoff_ns = 0
        self.operates: deque[Operate] = deque()
        self.wants_status = False
        self.status_ns = 0
        self._sequence = 0

    def forget(self) -> None:
        """Begin anew: sequence 0, no channel."""
        self._sequence = 0
        self.channel = None

    def take_status(self, now_ns: int) -> bool:
        """Whether its whole state is to be asked for now, because somebody wants it or it is time again."""
        wanted = self.wants_status or now_ns >= self.status_ns
        if wanted:
            self.wants_status, self.status_ns = False, now_ns + STATUS_NS
        return wanted

    @property
    def sequence(self) -> int:
        return self._sequence

    def advance(self) -> None:
        """0 is only for the first question; then 1, 2, 3, 1 .."""
        self._sequence = self._sequence % 3 + 1

    def queue(self, command: Operate) -> Operate | None:
        """Take a command in; gives the one that had to go for it."""
        kept = [each for each in self.operates if each.point != command.point]
        dropped = kept.pop(0) if len(kept) >= WAITING_MAX else None
        offs = [each for each in [*kept, command] if not each.on]
        self.operates = deque([*offs, *(each for each in [*kept, command] if each.on)])
        return dropped

    def frame(self, code: int, payload: bytes, block: bytes = b"") -> bytes:
        """The next question; make it once and repeat its bytes."""
        if self.channel is not None and self.channel.active:
            return self.channel.wrap(self.address, self._sequence, code, payload)
        return seal(build(self.address, self._sequence, code, payload, block=block))

    def read(self, frame: Frame) -> Frame | None:
        """The reply in plain, or None when it breaks the channel."""
        if self.channel is None or not self.channel.active:
            return frame if not frame.mac else None
        payload = self.channel.unwrap(frame) if frame.mac else None
        if payload is None:
            return None
        content = read_content(frame.code, payload)
        if isinstance(content, Refusal):
            return None
        keys, card = content
        return msgspec.structs.replace(frame, payload=payload, mac=b"", keys=keys, card=card)


CHALLENGE = bytes((BlockType.CHALLENGE, 0x01))
CRYPTOGRAM = bytes((BlockType.CRYPTOGRAM, 0x01))
"""The 01 says: with a key of its own, not with the default one."""
