"""What a history must hold after anything: each sample that the log still holds once, with its value and time, in all
answers; of the others each one, or a gap that is told; cursors not ahead of what was sent. Or an honest error.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import NamedTuple

import numpy as np
from _history_life import POINTS, RETENTION, S, sent_runs, small, time_ns

from edge.storage.errors import StoreError
from edge.storage.sample_history import SampleHistory
from edge.storage.sample_queries import SampleQueries

#: A file may be refused for these: each text names the file and the remedy.
REFUSALS = {"storage", "newer", "schema"}


class Seen(NamedTuple):
    """``head``: inputs of the log. ``error``: why there is no answer. ``wrong``: what differs from what was said.
    ``aside``: the file was found damaged, and begun anew. ``gaps``: inputs that are told as lost."""

    head: int
    error: str
    wrong: str
    aside: bool = False
    gaps: int = 0


def look(directory: Path, sent: Path | int, retention: str = "keep", *, deep: bool = True) -> Seen:
    """Open the history as its process does, and compare all its answers with what was said; ``deep``: once more when
    everything is sealed and rolled up. ``sent``: the file of what the sink took, or how far it got."""
    with small():
        return _look(directory, sent, retention, deep=deep)


def _look(directory: Path, sent: Path | int, retention: str, *, deep: bool) -> Seen:
    try:
        history = SampleHistory(directory, "canteen", RETENTION[retention])
    except StoreError as error:
        return Seen(0, f"{error.code}: {error.text}", "" if error.code in REFUSALS else "refused without need")
    try:
        while history.step():
            pass
        seen = _seen(history, sent, retention)
        if deep and not seen.wrong:
            history.seal()
            while history.tidy():
                pass
            seen = _seen(history, sent, retention)
        return seen
    except (sqlite3.Error, StoreError) as error:
        return Seen(0, f"reading: {error}", "")
    finally:
        history.close()


def _seen(history: SampleHistory, sent: Path | int, retention: str) -> Seen:
    found, gaps = _read(history)
    head, aside = history.through_seq, history.db.set_aside is not None
    numbers = [number for number, _, _ in found]
    wrong = ""
    if len(set(numbers)) != len(numbers):
        wrong = "samples stand twice"
    if any(value != number or at_ns != time_ns(number) for number, value, at_ns in found):
        wrong = "a sample is another"
    missing = set(range(1, head + 1)) - set(numbers)
    with history.db.read() as connection:
        cursors = dict(connection.execute("SELECT sink, seq FROM cursor").fetchall())
        dropped_ns = int(history.db.meta("chunks_from_ns", "0"))
    aged = {number for number in missing if retention == "retain" and time_ns(number) < dropped_ns}
    behind = min(cursors.values(), default=head)
    silent = sorted(number for number in missing - gaps if number not in aged or number > behind)
    if silent:
        wrong = f"{len(silent)} samples are nowhere, {silent[0]} first"
    first = history._follower.first_seq() or head + 1
    needless = sorted(number for number in gaps if number >= first)
    if needless and retention == "keep":
        wrong = f"{len(needless)} samples that the log has are told as lost, {needless[0]} first"
    wrong = wrong or _windows(history, found, retention) or _cursors(cursors, sent, head, gaps)
    if gaps and retention == "keep" and not aside and not wrong:
        wrong = f"{len(gaps)} samples are lost though the file was never damaged"
    return Seen(head, "", wrong, aside, len(gaps))


def _read(history: SampleHistory) -> tuple[list[tuple[int, float, int]], set[int]]:
    found, gaps, after = [], set(), 0
    source = history.source()
    try:
        while True:
            block = source.read(after, 1000)
            found += zip(block.seq.tolist(), block.value.tolist(), block.time_ns.tolist(), strict=True)
            gaps |= {number for first, last in block.gaps for number in range(first, last + 1)}
            if block.through_seq == after:
                return found, gaps
            after = block.through_seq
    finally:
        source.close()


def _windows(history: SampleHistory, found: list[tuple[int, float, int]], retention: str) -> str:
    """Spans, windows and last values against a plain computation (of chunks that went by age only spans are left)."""
    queries = SampleQueries(history)
    last = history.last.picture()
    try:
        for series in history.names.all():
            mine = sorted((at_ns, value) for number, value, at_ns in found if f"p{number % POINTS}" == series.point)
            page = queries.samples(series.id, 0, 2**62, 10_000)
            if list(zip(page.raw.time_ns.tolist(), page.raw.value.tolist(), strict=True)) != mine:
                return f"the span of {series.point} is another"
            if not mine or retention == "retain":
                continue
            if (last.time_ns[series.id], last.value[series.id]) != mine[-1]:
                return f"the last value of {series.point} is another"
            bins = queries.windows(series.id, mine[0][0], mine[-1][0], 3600)
            hours, counts = np.unique(np.array([at_ns for at_ns, _ in mine]) // (3600 * S), return_counts=True)
            if (bins.slot.tolist(), bins.n.tolist()) != (hours.tolist(), counts.tolist()):
                return f"the hours of {series.point} are others"
            if float(bins.sum.sum()) != sum(value for _, value in mine):
                return f"the sums of {series.point} are others"
    finally:
        queries.close()
    return ""


def _cursors(cursors: dict[str, int], sent: Path | int, head: int, gaps: set[int]) -> str:
    furthest = max(cursors.values(), default=0)
    if furthest > head:
        return f"a cursor stands at {furthest}, beyond the log's {head}"
    if isinstance(sent, int):
        return f"a cursor stands at {furthest}, sent was {sent}" if furthest > sent else ""
    told = {number for first, last in sent_runs(sent) for number in range(first, last + 1)}
    skipped = sorted(set(range(1, furthest + 1)) - told - gaps)
    return f"a cursor stands at {furthest}, {skipped[0]} was never sent" if skipped else ""


def copied(source: Path, target: Path) -> Path:
    """A copy of the files of a store that nobody writes, without SQLite's shared memory."""
    target.mkdir()
    for name in ("facts.db", "facts.db-wal", "samples.db", "samples.db-wal"):
        if (source / name).exists():
            shutil.copy(source / name, target / name)
    return target
