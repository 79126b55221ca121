"""How far each sink is behind, in inputs, samples, bytes and seconds, from the files alone.

So it is right also when the history process is away: the distance is counted from the cursor to the end of the log, and
its age is that of the oldest input that was not sent. The hard part is a log that has dropped that input already: then
its oldest one speaks, and the age is said to be at least that. A user would notice a mistake as a sink that looks fine
although nobody has fed it for a week.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

import msgspec

from edge.storage.backup_facts import tables_of
from edge.storage.sinks.cursors import statuses_of
from edge.storage.sinks.quarantine import counts

_OLDEST_UNSENT = "SELECT wall_ns FROM log WHERE seq_last > ? ORDER BY seq_last LIMIT 1"


class SinkLag(msgspec.Struct, frozen=True, kw_only=True):
    """One sink. ``health``, ``reason`` and ``remedy`` are as of ``told_ns`` (UTC); the distances are of now:
    ``behind_samples`` and ``behind_bytes`` (as sent, before compression) are estimated from what the last inputs came
    to, None when nothing is known of them; ``behind_s`` 0 when nothing is behind. ``set_aside``: lines in the
    quarantine; ``aside_dropped``: those that found no room there. ``lost_inputs``: inputs whose samples were
    dropped before this sink had them."""

    sink: str
    health: str
    reason: str
    remedy: str
    told_ns: int
    at_seq: int
    behind: int = 0
    behind_samples: int | None = None
    behind_bytes: int | None = None
    behind_s: float = 0.0
    set_aside: int = 0
    aside_dropped: int = 0
    lost_inputs: int = 0
    per_input: tuple[float, float] = (0.0, 0.0)


def sinks_of(samples: sqlite3.Connection) -> tuple[SinkLag, ...]:
    """The sinks of an open ``samples.db``, without their distance. Raises sqlite3.Error."""
    if not {"cursor", "quarantine"} <= tables_of(samples):
        return ()
    has_marks = "again" in {row[1] for row in samples.execute("PRAGMA table_info(quarantine)")}
    aside = counts(samples) if has_marks else {}
    return tuple(
        SinkLag(
            sink=status.sink,
            health=status.health.value,
            reason=status.reason,
            remedy=status.remedy,
            told_ns=status.wall_ns,
            at_seq=status.acked_seq,
            set_aside=aside[status.sink].items if status.sink in aside else 0,
            aside_dropped=status.quarantine_dropped,
            lost_inputs=status.lost_inputs,
            per_input=(status.samples_per_input, status.bytes_per_input),
        )
        for status in statuses_of(samples)
    )


def unsent_since(log: sqlite3.Connection, at_seq: int) -> int:
    """When (UTC ns) the oldest kept input behind ``at_seq`` came; 0 when there is none. Raises sqlite3.Error."""
    row = log.execute(_OLDEST_UNSENT, (at_seq,)).fetchone()
    return int(row[0]) if row else 0


def with_lag(sinks: Sequence[SinkLag], log: sqlite3.Connection, head: int, now_ns: int) -> tuple[SinkLag, ...]:
    """``sinks`` with their distance to ``head``, the last input of the log beside them. Raises sqlite3.Error."""
    told = []
    for each in sinks:
        behind = max(0, head - each.at_seq)
        since_ns = unsent_since(log, each.at_seq) if behind else 0
        samples, size = each.per_input
        told.append(
            msgspec.structs.replace(
                each,
                behind=behind,
                behind_samples=round(behind * samples) if samples or not behind else None,
                behind_bytes=round(behind * size) if size or not behind else None,
                behind_s=max(0.0, (now_ns - since_ns) / 1e9) if since_ns else 0.0,
            )
        )
    return tuple(told)
