"""Takes the echo of our own requests out of what is heard on a two-wire line.

The hard part is that the right answer to "switch coil 3 off" is, byte for byte, that request again: where the adapter
echoes, the echo would be taken for the relay's word. So the echo is learned from reads, whose answers always differ
from the question, and from then on the first copy of anything sent is dropped. A user would notice a mistake as a relay
that is shown as obeying with its power supply pulled.
"""

from __future__ import annotations

from enum import Enum


class Echo(Enum):
    UNKNOWN = "unknown"
    PRESENT = "present"
    ABSENT = "absent"


class EchoFilter:
    """``fixed``: what the site file says; UNKNOWN means: learn it. ``dropped`` counts echoes since creation."""

    def __init__(self, fixed: Echo) -> None:
        self._fixed = fixed
        self.state = fixed
        self.dropped = 0
        self._expected = b""
        self._telling = False
        self._held = b""
        self._owed = False

    def forget(self) -> None:
        """The link is open anew, perhaps through another adapter."""
        self.state, self._expected, self._held = self._fixed, b"", b""

    @property
    def holds(self) -> bool:
        """Bytes are held back that may become an echo."""
        return bool(self._held)

    def sent(self, frame: bytes, *, telling: bool) -> None:
        """``frame`` goes out. ``telling``: its answer cannot equal it, so whether it comes back tells of an echo."""
        self._held, self._telling, self._owed = b"", telling, self.state is Echo.PRESENT
        looked_for = self.state is Echo.PRESENT or (telling and self._fixed is Echo.UNKNOWN)
        self._expected = frame if looked_for else b""

    def heard(self, data: bytes) -> bytes:
        """``data`` without the echo. What may be the beginning of one is held back."""
        if not self._expected:
            return data
        self._held += data
        size = len(self._expected)
        if self._held.startswith(self._expected):
            rest, self._held, self._expected = self._held[size:], b"", b""
            self.dropped += 1
            self._owed = False
            if self._fixed is Echo.UNKNOWN:
                self.state = Echo.PRESENT
            return rest
        if self._expected.startswith(self._held):
            return b""
        return self.release()

    def takes_answer(self) -> bool:
        """True once for each frame sent where its echo is still owed: noise before it kept it from being recognised, so
        the first frame equal to the request is the echo and not the answer."""
        owed, self._owed = self._owed, False
        self.dropped += owed
        return owed

    def release(self) -> bytes:
        """It was no echo after all (other bytes, or silence): give back what was held."""
        held, self._held, self._expected = self._held, b"", b""
        if self._telling and self._fixed is Echo.UNKNOWN and self.state is Echo.UNKNOWN:
            self.state = Echo.ABSENT
        return held
