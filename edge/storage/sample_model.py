"""What a sample is, and how whoever carries samples away reads them: the seam between sealing, queries and sinks.

A sample is one value of one series at one time. It is born from one input of the log, so the input's sequence number
is its identity for cursors, never its time: clocks step, sequence numbers do not. The hard part is that the same
stretch is read from the log today and from sealed chunks tomorrow, and must be the same samples both times. A user
would notice a mistake here as a hole, or as a doubled point, in a curve at the place where the server had been away.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NamedTuple, Protocol

import msgspec
import numpy as np
import numpy.typing as npt


class SeriesKind(StrEnum):
    NUMBER = "number"
    STATE = "state"
    """A step series of words (on, off, a fault code): a value holds until the next one."""


class SampleQuality(IntEnum):
    """How far a sample may be trusted; higher is worse."""

    GOOD = 0
    CLOCK_UNTRUSTED = 1
    """The box did not know the time when it took this sample."""
    RETAINED = 2
    """Stored state that a broker repeated: old by an unknown age."""
    FAULT = 3
    TEST = 4


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One quantity of one point of one device. ``id`` is stable within one ``samples.db`` only; the names are what
    identifies a series elsewhere. ``quantity`` carries its unit as suffix (``power_w``); ``unit`` is that unit as
    people write it ("W", "" for a pure number or a state). ``point`` is "" for the device itself."""

    id: int
    vertical: str
    device: str
    point: str
    quantity: str
    unit: str
    kind: SeriesKind
    resolution_ns: int = 1_000_000

    @property
    def channel(self) -> str:
        """The name of the series within its device: ``point/quantity``, or ``quantity`` of the device itself."""
        return f"{self.point}/{self.quantity}" if self.point else self.quantity


class SampleBlock(NamedTuple):
    """Samples as columns of equal length n, ordered by (seq, order in the input). ``through_seq``: every sample of the
    log up to and including this seq is in this block or an earlier one; it may be past the last sample, and the next
    read starts behind it. ``gaps`` are spans of seq (first, last) whose samples are lost for good."""

    through_seq: int
    seq: npt.NDArray[np.int64]
    """Exact for each sample, from chunks as from the log: sinks drop by it what they had, and tell samples of one
    series and millisecond apart by it. The order of a series' samples is that of their birth both times."""
    series_id: npt.NDArray[np.int32]
    time_ns: npt.NDArray[np.int64]
    """UTC ns, cut to the series' resolution."""
    value: npt.NDArray[np.float64]
    """NaN for states."""
    quality: npt.NDArray[np.uint8]
    text: list[str | None]
    """The word of a state; None for numbers."""
    gaps: tuple[tuple[int, int], ...] = ()


class SampleSource(Protocol):
    """All samples of one daemon in the order of their birth, from sealed chunks and from the log alike."""

    def head_seq(self) -> int:
        """The last committed seq of the log."""
        ...

    def set_back(self) -> int | None:
        """The seq behind which the log has become another one (an older copy was put in its place) since this was asked
        last: what comes behind it has numbers that were sent before. None: nothing of the kind."""
        ...

    def series(self, series_id: int) -> Series: ...

    def read(self, after_seq: int, samples_max: int) -> SampleBlock:
        """The samples behind ``after_seq``, about ``samples_max`` at most but at least one input. A block from sealed
        chunks may repeat samples of before ``after_seq`` (a chunk is sent whole): sinks write by key."""
        ...
