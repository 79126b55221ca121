"""What strace told of syncs that it slowed: when each began and how long it took.

The hard part is a sync during which another thread's began or ended: strace tells it in two pieces, and whoever
overlooks those takes a whole sync for the store's own dawdling."""

from __future__ import annotations

import re
from typing import NamedTuple

#: A line of strace: thread, time, and how long the call took. A call during which another thread's began or ended is
#: told in two lines: the first has its beginning, the second its length.
_CALL = re.compile(r"^(\d+)\s+(\d+\.\d+) (?:fsync|fdatasync)\(.*(?:<(\d+\.\d+)>|<unfinished \.\.\.>)$")
_RESUMED = re.compile(r"^(\d+)\s+\d+\.\d+ <\.\.\. (?:fsync|fdatasync) resumed>.*<(\d+\.\d+)>$")


def syncs_of(thread: int, trace: str) -> list[tuple[float, float]]:
    """(when it began, how many ms it took without the delay) of each sync of ``thread``."""
    found: list[tuple[float, float]] = []
    begun = 0.0
    for line in trace.splitlines():
        if (call := _CALL.match(line)) and int(call[1]) == thread:
            begun = float(call[2])
            if call[3]:
                found.append((begun, float(call[3]) * 1e3))
        elif (end := _RESUMED.match(line)) and int(end[1]) == thread:
            found.append((begun, float(end[2]) * 1e3))
    return found


class Moments(NamedTuple):
    """Seconds of wall time: a put was begun, its (last) sync came back, the put was answered."""

    begun: float
    synced: float
    end: float


def beyond(put: Moments, syncs: list[tuple[float, float]], delay_ms: float) -> float:
    """ms of a put that were no sync: before its last one began, as strace saw it, and after that one came back, as the
    writer itself saw it. So what strace keeps a thread beyond the delay is nobody's (a host that takes the processor
    away from strace makes every sync longer). Of syncs before the last, strace's length and the delay are taken off."""
    within = [(at, took) for at, took in syncs if put.begun <= at < put.synced]
    if not within:
        return (put.end - put.begun) * 1e3
    earlier_ms = sum(took + delay_ms for _, took in within[:-1])
    return (within[-1][0] - put.begun + put.end - put.synced) * 1e3 - earlier_ms
