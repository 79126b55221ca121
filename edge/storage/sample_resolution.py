"""How finely the times of a channel are kept: one millisecond, or coarser where the site says so.

The hard part is that the same reading must give the same sample for as long as its channel lives: what a sink was sent
from the log today it may be sent from a chunk next week, and another time would be a second point. So a channel is born
with its resolution and keeps it (``samples.db``, table ``series``); a setting is for channels that are born after it.
A coarser time merges nothing: two readings in one unit are two samples in their order, at the same time. A user would
notice a mistake as a curve with doubled points, or as readings that vanish when they come fast.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from fnmatch import fnmatchcase

import msgspec

_MS = 1_000_000


class Resolution(StrEnum):
    """What a site may ask for. Each divides a minute, so that no reading leaves the minute of its roll-up; finer than a
    millisecond nothing is kept (the times of chunks, and of the API, are milliseconds)."""

    MS = "1ms"
    MS_10 = "10ms"
    MS_100 = "100ms"
    SECOND = "1s"
    SECOND_10 = "10s"
    MINUTE = "60s"

    @property
    def ns(self) -> int:
        return _NS[self]


_NS = {
    Resolution.MS: _MS,
    Resolution.MS_10: 10 * _MS,
    Resolution.MS_100: 100 * _MS,
    Resolution.SECOND: 1000 * _MS,
    Resolution.SECOND_10: 10_000 * _MS,
    Resolution.MINUTE: 60_000 * _MS,
}


class ChannelResolution(msgspec.Struct, frozen=True):
    """``match``: ``vertical/device/point/quantity`` (without a point: ``vertical/device/quantity``) with ``*``, ``?``
    and ``[...]`` of the shell; ``*`` stands for slashes too."""

    match: str
    resolution: Resolution


class Resolutions(msgspec.Struct, frozen=True):
    """Of all channels: that of the first entry that matches, else ``default``."""

    default: Resolution = Resolution.MS
    channels: Sequence[ChannelResolution] = ()

    def of(self, vertical: str, device: str, point: str, quantity: str) -> int:
        """The resolution of a channel that is born now, ns."""
        name = "/".join(part for part in (vertical, device, point, quantity) if part)
        for channel in self.channels:
            if fnmatchcase(name, channel.match):
                return channel.resolution.ns
        return self.default.ns
