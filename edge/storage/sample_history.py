"""The history of one daemon: follows its log, holds the tail, seals, and hands out readers.

``step`` is called again and again by the one thread that owns it. The hard part is to start right whatever was found: a
new file beside an old log, a log that began anew behind us, a log that a restored backup set back. In each case the
span that nobody has is told as a gap, and everything else goes on. A user would notice a mistake as a curve that ends
at the day of the last repair.
"""

from __future__ import annotations

import sqlite3
import time
from bisect import bisect_left
from functools import partial
from pathlib import Path

from edge.log import structlog
from edge.storage.errors import StoreError
from edge.storage.log import LogDamage
from edge.storage.log_follow import LogFollower, LogPart
from edge.storage.log_identity import LogIdentity, forget_marks, write_mark
from edge.storage.rollups import Roller
from edge.storage.sample_db import MARKS_MAX, SampleDb, clear_bad, is_malformed, mark_bad, put_meta
from edge.storage.sample_extract import Extractor
from edge.storage.sample_names import SeriesNames
from edge.storage.sample_reading import SeriesReader
from edge.storage.sample_resolution import Resolutions
from edge.storage.sample_retention import DAY_NS, Keeper, Retention
from edge.storage.sample_source import SetBacks, StoredSamples, StretchCache
from edge.storage.sample_tail import LastValues, SampleTail
from edge.storage.sealing import Sealed, Sealer, Stretch, is_due

#: With so many unsealed (the disk is full, say) the log is followed no further: it keeps the rest.
TAIL_MAX = 4_000_000
#: What a person may do about an alarm.
REMEDIES = {
    "damaged": "it is kept aside and begun anew; for what came before the log: kangle restore FILE --samples",
    "log_changed": "facts.db is another file than the one that was sealed; the curves go on from where the two part. "
    "If nobody put it there, stop the box and restore the last backup",
}
#: So many failures of ``tidy`` in a row are told: about half a minute of them.
TIDY_FAILURES = 30

_GAP = "INSERT OR REPLACE INTO gap (seq_first, seq_last, t_first, t_last, reason, wall_ns) VALUES (?, ?, ?, ?, ?, ?)"
#: Slabs and gaps beyond ?1 keep their times alone: 0 and negative numbers are behind every cursor.
_FORGET_NUMBERS = (
    "UPDATE slab SET seq_first = 0, seq_last = 0 WHERE seq_first > ?1",
    "UPDATE slab SET seq_last = ?1 WHERE seq_last > ?1",
    "UPDATE OR REPLACE gap SET seq_first = -seq_first, seq_last = -seq_last WHERE seq_first > ?1",
    "UPDATE gap SET seq_last = ?1 WHERE seq_last > ?1",
    "UPDATE cursor SET seq = ?1 WHERE seq > ?1",
)
_log = structlog.get_logger("samples")


class SampleHistory:
    """Opens ``samples.db`` in the store directory of ``vertical`` and keeps it in step with the log. All methods but
    ``source``, ``names``, ``tail`` and ``last`` belong to one thread."""

    def __init__(
        self, directory: Path, vertical: str, retention: Retention | None = None, resolutions: Resolutions | None = None
    ) -> None:
        """Raises StoreError "locked", "newer", "schema", "storage" (of ``samples.db``)."""
        self.directory = directory
        self.vertical = vertical
        self.db = SampleDb(directory)
        self.names = SeriesNames(vertical, resolutions)
        self.last = LastValues()
        self._load()
        self._sealed_seq = int(self.db.meta("seal_seq", "0"))
        self.tail = SampleTail(self._sealed_seq)
        self.cache = StretchCache()
        self._set_backs = SetBacks()
        self._follower = LogFollower(directory, vertical)
        self._identity = LogIdentity(self.db, self._follower, self._sealed_seq)
        self._extractor = Extractor(self.names)
        self._sealer = Sealer(self.db, self.names)
        self._roller = Roller(self.db, SeriesReader(self.db, self.tail))
        self._keeper = Keeper(self.db, retention or Retention())
        self._keeper.resume()
        self._through = self._sealed_seq
        self._through_wall_ns = int(self.db.meta("seal_wall_ns", "0"))
        self._changed_ns = int(self.db.meta("log_changed_ns", "0"))
        self._trusted_wall_ns = 0
        self._tail_wall_ns = 0
        self._tail_mono_ns = time.monotonic_ns()
        self._seal_failed = False
        self._tidy_failures, self._tidy_reason = 0, ""
        #: Set when damage keeps the file from being written: start anew, which puts it aside.
        self.broken = False
        self.counts = {"sealed": 0, "slabs": 0, "sealed_bytes": 0, "gaps": 0, "seal_errors": 0}

    def _load(self) -> None:
        for _ in range(MARKS_MAX + 2):  # so many marks, and the file is put aside
            try:
                with self.db.read() as connection:
                    self.names.load(connection)
                    self.last.load(connection)
                return
            except (sqlite3.Error, UnicodeDecodeError) as error:
                self.db.close()
                # These are plain SELECTs: an error of SQL itself is a table whose definition is damaged.
                code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
                if code != sqlite3.SQLITE_ERROR and not is_malformed(error):
                    raise StoreError("storage", f"{self.db.path} cannot be read: {error}") from error
            mark_bad(self.directory)
            self.db = SampleDb(self.directory)
            self.names, self.last = self.names.anew(), LastValues()
        self.db.close()
        raise StoreError("storage", f"{self.db.path} cannot be read, and nothing can be written beside it")

    @property
    def through_seq(self) -> int:
        """The last seq that was taken from the log."""
        return self._through

    @property
    def through_wall_ns(self) -> int:
        """Its wall time."""
        return self._through_wall_ns

    @property
    def sealed_seq(self) -> int:
        """The seal mark."""
        return self._sealed_seq

    def source(self) -> StoredSamples:
        """A ``SampleSource`` for one thread."""
        follower = LogFollower(self.directory, self.vertical)
        return StoredSamples(self.db, self.names, follower, self.tail, self.cache, self._set_backs)

    def step(self) -> bool:
        """Take the next part of the log, seal when it is time. True when there is more to do at once. Raises StoreError
        when the log cannot be read now."""
        if self.tail.samples >= TAIL_MAX and not self._try_seal():
            return False
        if not self._meet_other_log():
            return False
        part = self._follower.read(self._through)
        moved = part.through_seq > self._through
        if moved:
            self._take(part)
        if is_due(self.tail.samples, len(self.names.all()), self._age_ns()):
            self._try_seal()
        return moved

    def tidy(self) -> bool:
        """One slice of what can wait: roll-ups, then retention. True when there is more to do."""
        dropped = self._keeper.counts["slabs_dropped"]
        try:
            more = self._roller.step() or self._keeper.step(self._through_wall_ns, self._trusted_wall_ns)
        except (sqlite3.Error, StoreError) as error:
            if str(error) != self._tidy_reason:
                _log.error("cannot tidy up", daemon=self.vertical, reason=str(error))
            self._tidy_failures, self._tidy_reason = self._tidy_failures + 1, str(error)
            return False
        if self._keeper.counts["slabs_dropped"] != dropped:
            self.cache.clear()  # or a sink would be sent what was told as gone
        self._tidy_failures, self._tidy_reason = 0, ""
        return more

    @property
    def alarm(self) -> str:
        """What a person must know, as a stable code; "" when all is well. ``damaged``: the file was found damaged at
        this start; ``samples_dropped``: samples went for want of space before a sink had them, within the last day;
        ``log_changed``: within the last day facts.db was another one than what was sealed (``_meet_other_log``);
        ``seal_failed``: the last seal failed, or roll-ups and retention stand still."""
        if self._seal_failed or self._tidy_failures >= TIDY_FAILURES:
            return "seal_failed"
        if self._today(self._keeper.dropped_unsent_ns):
            return "samples_dropped"
        if self._today(self._changed_ns):
            return "log_changed"
        return "damaged" if self.db.set_aside is not None else ""

    @property
    def remedy(self) -> str:
        """What to do about ``alarm``; "" when that is plain."""
        return REMEDIES.get(self.alarm, "")

    def _today(self, wall_ns: int) -> bool:
        return bool(wall_ns) and abs(self._through_wall_ns - wall_ns) < DAY_NS

    def all_counts(self) -> dict[str, int]:
        """Every counter of this history."""
        parts = (
            self.counts,
            self._extractor.counts,
            self._extractor.batch_counts,
            self._roller.counts,
            self._keeper.counts,
            self.names.counts,
        )
        return {name: count for part in parts for name, count in part.items()}

    def _take(self, part: LogPart) -> None:
        columns = self._extractor.extract(part.entries)
        if not self._tail_wall_ns:
            self._tail_wall_ns = part.entries[0].wall_ns if part.entries else part.wall_ns
            self._tail_mono_ns = time.monotonic_ns()
        self._tell(part)
        self.tail.append(columns, part.through_seq)
        self.last.put(columns, part.wall_ns or self._through_wall_ns)
        self._identity.taken(part)
        self._through = part.through_seq
        self._through_wall_ns = part.wall_ns or self._through_wall_ns
        if part.entries and part.entries[-1].wall_trusted:
            self._trusted_wall_ns = part.entries[-1].wall_ns

    def _tell(self, part: LogPart) -> None:
        if not part.damage:
            return
        now_ns = time.time_ns()
        with self.db.write() as connection:
            for span in part.damage:
                # The times of its neighbours: its own are lost with it, and the clock may have been set back in it.
                times = sorted(_around(span, part, (self._through_wall_ns, part.wall_ns or now_ns)))
                connection.execute(_GAP, (span.seq_first, span.seq_last, *times, span.reason, now_ns))
        self.counts["gaps"] += len(part.damage)
        _log.warning("samples are lost", daemon=self.vertical, spans=len(part.damage), reason=part.damage[0].reason)

    def _age_ns(self) -> int:
        if not self._tail_wall_ns:
            return 0
        return max(self._through_wall_ns - self._tail_wall_ns, time.monotonic_ns() - self._tail_mono_ns)

    def _try_seal(self) -> bool:
        try:
            self.seal()
        except (sqlite3.Error, StoreError) as error:
            self._seal_failed = True
            self.counts["seal_errors"] += 1
            if is_malformed(error):
                mark_bad(self.directory)
                self.broken = True
            _log.error("cannot seal", daemon=self.vertical, reason=str(error))
            return False
        self._seal_failed = False
        return True

    def seal(self) -> Sealed:
        """Seal all of the tail now. Raises sqlite3.Error."""
        picture = self.tail.picture()
        mark = self._identity.mark(picture.through_seq)
        note = None if mark is None else partial(write_mark, mark=mark)
        stretch = Stretch(self._sealed_seq + 1, picture.through_seq, self._through_wall_ns, picture.columns, note)
        sealed = self._sealer.seal(stretch)
        clear_bad(self.directory)
        self._roller.restart()
        self._sealed_seq = picture.through_seq
        self.tail.drop(picture.through_seq)
        self._tail_wall_ns = 0
        self.counts["sealed"] += sealed.samples
        self.counts["slabs"] += 1
        self.counts["sealed_bytes"] += sealed.bytes
        return sealed

    def _meet_other_log(self) -> bool:
        """A log that is another one than what was taken (a restore, an older copy put back by hand) is taken over from
        where the two part: ``log_identity``. What was sealed beyond it stays in the curves (it was measured). Its
        numbers are given out again, so no sink may find it under them, or it would pass over what comes now; cursors
        are set back for the same reason. False when that must wait."""
        if not self._identity.is_other(self._through):
            return True
        if self._through > self._sealed_seq and not self._try_seal():  # what was measured is kept first
            return False
        source = self.source()
        try:
            fork_seq = self._identity.fork_seq(source, self._sealed_seq)
        finally:
            source.close()
        _log.error("facts.db is another log than before", daemon=self.vertical, sealed=self._sealed_seq, from_=fork_seq)
        store_id = self._follower.store_id()
        changed_ns = self._through_wall_ns or time.time_ns()
        with self.db.write() as connection:
            put_meta(connection, "seal_seq", fork_seq)
            for sql in _FORGET_NUMBERS:
                connection.execute(sql, (fork_seq,))
            put_meta(connection, "log_changed_ns", changed_ns)
            forget_marks(connection, fork_seq, store_id)
        self._identity.adopt(store_id)
        self._changed_ns, self._sealed_seq, self._through, self._tail_wall_ns = changed_ns, fork_seq, fork_seq, 0
        self.tail.restart(fork_seq)
        self.cache.clear()
        self._set_backs.add(fork_seq)
        return True

    def close(self) -> None:
        """Let go of the files. What is not sealed stays in the log. Idempotent."""
        self._follower.close()
        self._roller.close()
        self.db.close()


def _around(span: LogDamage, part: LogPart, known_ns: tuple[int, int]) -> tuple[int, int]:
    """The wall times of the inputs before and behind a span; those of ``known_ns`` where the part begins or ends."""
    behind = bisect_left(part.entries, span.seq_first, key=lambda entry: entry.seq)
    before_ns = part.entries[behind - 1].wall_ns if behind else known_ns[0]
    return before_ns, part.entries[behind].wall_ns if behind < len(part.entries) else known_ns[1]
