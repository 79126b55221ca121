"""The serial line of a simulated reader: wire time, and the faults a line can have.

The hard part is that faults must be true to a real line: they act on bytes after the frame is made, both ways, they
keep the order of bytes, and they come from their own seed, so that switching a fault on never changes what the radio
draws. A user would notice as a driver that passes its fault tests and then hangs on the first bad cable.

Times are simulated ns. Frames become visible when their last byte has crossed the wire; a dribbling line gives them
piece by piece.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass, field, replace
from operator import itemgetter

#: Bytes that wait for a host which does not read. Beyond, the oldest are lost, as in a UART without flow control.
MAX_WAITING_BYTES = 65_536
#: Mean time between bursts of spontaneous noise while that fault is on.
NOISE_EVERY_NS = 120_000_000


@dataclass(frozen=True, slots=True)
class LineSettings:
    """``parity`` N, E or O. One start bit, 8 data bits, one stop bit: 10 bits a byte without parity, 11 with it."""

    baud: int
    parity: str = "N"

    def __post_init__(self) -> None:
        if self.baud <= 0:
            raise ValueError(f"baud {self.baud} must be positive")
        if self.parity not in {"N", "E", "O"}:
            raise ValueError(f"parity {self.parity!r}: give N, E or O")

    @property
    def byte_ns(self) -> int:
        bits = 10 if self.parity == "N" else 11
        return bits * 1_000_000_000 // self.baud


@dataclass(frozen=True, slots=True)
class LineFaults:
    """What is wrong with the line. Probabilities are per byte except ``noise_p`` (per frame: a burst of 1..8 bytes
    before it). ``noise`` also sends bursts while nothing is said, ``dribble`` hands out frames in pieces of 1..5
    bytes with pauses of up to ``dribble_gap_ns``. ``mute``: the reader hears and works, but nothing comes back.
    ``deaf``: it hears nothing.
    """

    noise: bool = False
    noise_p: float = 0.0
    drop_p: float = 0.0
    flip_p: float = 0.0
    dribble: bool = False
    dribble_gap_ns: int = 2_000_000
    mute: bool = False
    deaf: bool = False


#: Faults by name, for command lines and the control socket.
NAMED_FAULTS: dict[str, LineFaults] = {
    "none": LineFaults(),
    "noise": LineFaults(noise=True, noise_p=0.3),
    "split": LineFaults(dribble=True),
    "drop": LineFaults(drop_p=0.005),
    "flip": LineFaults(flip_p=0.005),
    "mute": LineFaults(mute=True),
    "deaf": LineFaults(deaf=True),
}


@dataclass(slots=True)
class LineCounters:
    frames_out: int = 0
    bytes_out: int = 0
    bytes_in: int = 0
    bytes_lost: int = 0
    bytes_flipped: int = 0
    noise_bytes: int = 0
    overrun_bytes: int = 0


@dataclass(slots=True)
class Heard:
    """Bytes of the host as they reached the reader: wire time of the first bit and the end of the last."""

    start_ns: int
    end_ns: int
    data: bytes


@dataclass(slots=True)
class Line:
    """Both directions of one line. ``sent_end_ns`` is when the reader's last frame has left the wire."""

    settings: LineSettings
    rng: random.Random
    faults: LineFaults = field(default_factory=LineFaults)
    counters: LineCounters = field(default_factory=LineCounters)
    sent_end_ns: int = -1_000_000_000
    _heard_end_ns: int = -1_000_000_000
    _out: deque[tuple[int, bytes]] = field(default_factory=deque)
    _waiting: int = 0
    _next_noise_ns: int | None = None
    _noise_rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._noise_rng = random.Random(self.rng.getrandbits(64))

    def set_baud(self, baud: int) -> None:
        self.settings = replace(self.settings, baud=baud)

    def set_faults(self, faults: LineFaults, now_ns: int) -> None:
        self.faults = faults
        self._next_noise_ns = now_ns + self._noise_pause_ns() if faults.noise else None

    def hear(self, data: bytes, now_ns: int) -> Heard | None:
        """The host began to write ``data`` at ``now_ns``; what arrives of it and when. None when nothing does."""
        if self.faults.deaf or not data:
            return None
        start_ns = max(now_ns, self._heard_end_ns)
        self._heard_end_ns = start_ns + len(data) * self.settings.byte_ns
        data = self._damage(data)
        self.counters.bytes_in += len(data)
        return Heard(start_ns, self._heard_end_ns, data) if data else None

    def send(self, frame: bytes, earliest_ns: int) -> int:
        """The reader sends a frame, not before ``earliest_ns`` nor before its last one is out. Returns the ns at which
        its last byte has left (also when the line is mute: the reader does not know)."""
        start_ns = max(earliest_ns, self.sent_end_ns)
        end_ns = start_ns + len(frame) * self.settings.byte_ns
        self.sent_end_ns = end_ns
        self.counters.frames_out += 1
        if self.faults.mute:
            return end_ns
        if self.faults.noise_p and self.rng.random() < self.faults.noise_p:
            frame = self._burst(self.rng) + frame
        frame = self._damage(frame)
        if self.faults.dribble:
            self._dribble(frame, start_ns)
        else:
            self._push(end_ns, frame)
        return self.sent_end_ns

    def take(self, now_ns: int) -> bytes:
        """All bytes whose wire time has passed."""
        pieces: list[tuple[int, bytes]] = []
        while self._out and self._out[0][0] <= now_ns:
            pieces.append(self._out.popleft())
            self._waiting -= len(pieces[-1][1])
        if self._next_noise_ns is not None and self._next_noise_ns <= now_ns:
            pieces += self._idle_noise(now_ns)
            pieces.sort(key=itemgetter(0))
        data = b"".join(piece for _, piece in pieces)
        self.counters.bytes_out += len(data)
        return data

    def deadline(self) -> int | None:
        """When ``take`` next gives bytes, as far as they are sent already."""
        due_ns = self._out[0][0] if self._out else None
        if self._next_noise_ns is None:
            return due_ns
        return self._next_noise_ns if due_ns is None else min(due_ns, self._next_noise_ns)

    def cut(self) -> None:
        """The plug was pulled: bytes under way are lost."""
        self._out.clear()
        self._waiting = 0

    def _push(self, due_ns: int, data: bytes) -> None:
        if not data:
            return
        self._out.append((due_ns, data))
        self._waiting += len(data)
        while self._waiting > MAX_WAITING_BYTES:
            lost = len(self._out.popleft()[1])
            self._waiting -= lost
            self.counters.overrun_bytes += lost

    def _dribble(self, frame: bytes, start_ns: int) -> None:
        at_ns, position = start_ns, 0
        while position < len(frame):
            piece = frame[position : position + self.rng.randint(1, 5)]
            position += len(piece)
            at_ns += len(piece) * self.settings.byte_ns
            self._push(at_ns, piece)
            self.sent_end_ns = max(self.sent_end_ns, at_ns)
            at_ns += self.rng.randint(0, self.faults.dribble_gap_ns)

    def _damage(self, data: bytes) -> bytes:
        drop_p, flip_p = self.faults.drop_p, self.faults.flip_p
        if not drop_p and not flip_p:
            return data
        kept = bytearray()
        for byte in data:
            if drop_p and self.rng.random() < drop_p:
                self.counters.bytes_lost += 1
            elif flip_p and self.rng.random() < flip_p:
                self.counters.bytes_flipped += 1
                kept.append(byte ^ (1 << self.rng.randrange(8)))
            else:
                kept.append(byte)
        return bytes(kept)

    def _idle_noise(self, now_ns: int) -> list[tuple[int, bytes]]:
        """Bursts up to ``now_ns``. Their own dice: they fall at the same times however often the caller looks."""
        bursts = []
        while self._next_noise_ns is not None and self._next_noise_ns <= now_ns:
            bursts.append((self._next_noise_ns, self._burst(self._noise_rng)))
            self._next_noise_ns += self._noise_pause_ns()
        return bursts

    def _burst(self, rng: random.Random) -> bytes:
        data = rng.randbytes(rng.randint(1, 8))
        self.counters.noise_bytes += len(data)
        return data

    def _noise_pause_ns(self) -> int:
        return 1 + int(self._noise_rng.expovariate(1.0) * NOISE_EVERY_NS)
