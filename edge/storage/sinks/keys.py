"""The time under which a sample is stored elsewhere: the same one each time it is sent, another one for each sample.

A server overwrites by measurement, tags, field and time. A sample that is sent again must hit its own key and no
sample may hit another's: two readings in one millisecond, or an hour lived twice because the clock was set back, stay
two. The hard part is that both must hold across restarts and rewinds without making every time stamp odd, since a
server packs round times far better. A user would notice a mistake as a missing value, or as one that stands twice.

Rule: a sample that is newer than every earlier-born one of its series keeps its own time. Any other gets 1 .. slot-1 ns
on top, taken from the seq of its input (and its place among equals within the input). The rule needs only the newest
time of each series, so that is what is kept with a settled cursor (``encode``).
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Mapping

import msgspec

#: Series of finer resolution than this have no room below it; their slot is one millisecond.
MIN_SLOT_NS = 1000
_DEFAULT_SLOT_NS = 1_000_000
_BEFORE_ALL_NS = -(1 << 63) - 1

_Blob = list[tuple[int, int]]


class KeysError(ValueError):
    """A stored state of keys cannot be read."""


class TimeKeys:
    """Gives samples their key times; ask in the order of birth, once for each sample. ``newest``: the newest time of
    each series so far; who finds a sample newer may write it there and take the time itself as key."""

    def __init__(self, newest: Mapping[int, int] | None = None) -> None:
        self.newest: dict[int, int] = dict(newest or {})
        self._same: tuple[int, int, int] = (-1, -1, -1)
        self._nth = 0

    def key_ns(self, series_id: int, time_ns: int, seq: int, resolution_ns: int) -> int:
        """UTC ns of the key of a sample that was born from input ``seq``."""
        if time_ns > self.newest.get(series_id, _BEFORE_ALL_NS):
            self.newest[series_id] = time_ns
            return time_ns
        same = (series_id, time_ns, seq)
        self._nth = self._nth + 1 if same == self._same else 0
        self._same = same
        slot_ns = resolution_ns if resolution_ns >= MIN_SLOT_NS else _DEFAULT_SLOT_NS
        # 1009 is prime: repeats within one input stay apart from those of the next thousand inputs.
        return time_ns + 1 + (seq * 1009 + self._nth) % (slot_ns - 1)

    def copy(self) -> TimeKeys:
        """The state between two inputs, to come back to."""
        return TimeKeys(self.newest)

    def __len__(self) -> int:
        return len(self.newest)

    def encode(self) -> str:
        """ASCII text, about 5 bytes a series."""
        packed = msgspec.msgpack.encode(sorted(self.newest.items()))
        return base64.b85encode(zlib.compress(packed, 6)).decode()

    @staticmethod
    def decode(text: str) -> TimeKeys:
        """Raises KeysError."""
        try:
            packed = zlib.decompress(base64.b85decode(text))
            return TimeKeys(dict(msgspec.msgpack.decode(packed, type=_Blob)))
        except (ValueError, zlib.error, binascii.Error, msgspec.MsgspecError) as error:
            raise KeysError(f"not a state of keys: {error}") from error
