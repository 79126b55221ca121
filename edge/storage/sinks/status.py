"""How a sink is doing: what the API, health checks and ``doctor`` show, and what is kept with its cursor."""

from __future__ import annotations

from enum import StrEnum

import msgspec

GAPS_MAX = 20
#: A sink is called behind when its oldest unsent sample is older than this.
BEHIND_S = 30.0


class SinkHealth(StrEnum):
    STARTING = "starting"
    LIVE = "live"
    CATCHING_UP = "catching_up"
    WAITING = "waiting"
    """The server asked to wait."""
    UNREACHABLE = "unreachable"
    MISCONFIGURED = "misconfigured"
    """Only a person can mend it; ``remedy`` says how."""
    FAILED = "failed"
    """The worker itself failed and is started again."""


class LostSpan(msgspec.Struct, frozen=True, array_like=True):
    """Inputs whose samples were dropped (retention by bytes, damage) before this sink had them."""

    seq_first: int
    seq_last: int
    wall_ns: int


class SinkStatus(msgspec.Struct, kw_only=True):
    """One sink on one daemon's samples. Counts are since the cursor began. ``lag_inputs`` is exact, and 0 means that
    nothing is behind; ``lag_samples`` and ``lag_bytes`` (as sent, before compression) are estimated from what the last
    inputs came to (``samples_per_input``, ``bytes_per_input``). ``lag_s`` is the age of the oldest sample that is not
    sent. ``resent``: set-aside lines that the sink took when they were sent again."""

    sink: str
    vertical: str
    kind: str
    health: SinkHealth = SinkHealth.STARTING
    reason: str = ""
    remedy: str = ""
    acked_seq: int = 0
    settled_seq: int = 0
    head_seq: int = 0
    lag_inputs: int = 0
    lag_samples: int = 0
    lag_bytes: int = 0
    lag_s: float = 0.0
    samples_per_input: float = 0.0
    bytes_per_input: float = 0.0
    samples_sent: int = 0
    bytes_sent: int = 0
    requests: int = 0
    failures: int = 0
    rewinds: int = 0
    quarantined: int = 0
    quarantine_dropped: int = 0
    resent: int = 0
    lost_inputs: int = 0
    gaps: list[LostSpan] = []
    gaps_through_seq: int = 0
    last_success_wall_ns: int = 0
    wall_ns: int = 0

    def add_gaps(self, gaps: tuple[tuple[int, int], ...], wall_ns: int) -> None:
        """Record spans that are lost for this sink, each once also when it is read again; the newest ``GAPS_MAX`` are
        listed, the count keeps all."""
        for first, last in sorted(gaps):
            new_first = max(first, self.gaps_through_seq + 1)
            if new_first <= last:
                self.gaps_through_seq = last
                self.lost_inputs += last - new_first + 1
                self.gaps = [*self.gaps, LostSpan(new_first, last, wall_ns)][-GAPS_MAX:]


class LagMeter:
    """What an input comes to, in samples and bytes, as an average over the last few thousand inputs."""

    def __init__(self) -> None:
        self._inputs = self._samples = self._bytes = 0.0

    def saw(self, inputs: int, samples: int, size: int) -> None:
        """A block of ``inputs`` inputs came to so many samples and bytes."""
        keep = 0.5 if self._inputs > 4096 else 1.0
        self._inputs = self._inputs * keep + inputs
        self._samples = self._samples * keep + samples
        self._bytes = self._bytes * keep + size

    def per_input(self) -> tuple[float, float]:
        """Samples and bytes of one input; 0 when nothing was seen yet."""
        if not self._inputs:
            return 0.0, 0.0
        return round(self._samples / self._inputs, 3), round(self._bytes / self._inputs, 1)

    def samples(self, inputs: int) -> int:
        return round(inputs * self._samples / self._inputs) if self._inputs else inputs

    def bytes(self, inputs: int) -> int:
        return round(inputs * self._bytes / self._inputs) if self._inputs else 0
