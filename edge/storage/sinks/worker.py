"""One sink at work: read behind the cursor, make items, get them through, move the cursor.

The hard part is the order of three things that can each be cut short: the server's answer, the commit of the cursor
and the process itself. The cursor follows the answer, never leads it, and a start goes back to the settled position, so
whatever is cut only sends again what overwrites itself. A user would notice a mistake as a hole in a dashboard exactly
where the box was restarted.

Order: by seq, oldest first, also after an outage. Newest first would show the present sooner, but then a cursor is no
longer one number: it becomes a set of holes that every crash, rewind and retention must keep right, and the keys of
same-millisecond samples, which depend on what came before, would change. Instead a backlog goes out fast (hundreds of
times real time) and ``samples_per_s_max`` keeps it from crowding out the rest of the box.

``step`` does one thing and says how long to wait; it never sleeps itself, so a test runs days in a moment.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from random import Random

from edge.log import structlog
from edge.storage.errors import StoreError
from edge.storage.sample_model import SampleSource
from edge.storage.sinks.answers import Answer, Backoff, Verdict
from edge.storage.sinks.cursors import Cursors
from edge.storage.sinks.delivery import Delivery
from edge.storage.sinks.keys import TimeKeys
from edge.storage.sinks.ports import Times, Transport
from edge.storage.sinks.prepared import Former, Prepared, Unsendable
from edge.storage.sinks.progress import Mark, Progress
from edge.storage.sinks.resend import Resend
from edge.storage.sinks.settings import SinkKind, SinkSettings
from edge.storage.sinks.status import BEHIND_S, LagMeter, SinkHealth, SinkStatus

POLL_S = 1.0
SAVE_EVERY_S = 1.0
#: Samples read at once, in batches of the sink: bounds memory to some 20 MB a sink.
READ_BATCHES = 4
#: A request's text is kept below this, whatever the number of samples.
REQUEST_BYTES = 4 << 20
#: Batches that went through before a limit that a 413 had halved is doubled again.
REGROW_AFTER = 100
#: How often a batch of which nothing at all is taken is tried again before its items are set aside.
HOLDS_MAX = 3

_log = structlog.get_logger("sink")

_HEALTH = {
    Verdict.BUSY: SinkHealth.WAITING,
    Verdict.UNREACHABLE: SinkHealth.UNREACHABLE,
    Verdict.MISCONFIGURED: SinkHealth.MISCONFIGURED,
}


class SinkWorker:
    """Drives one sink on one daemon's samples. Not thread-safe: one thread makes it, steps it, closes it."""

    def __init__(
        self,
        settings: SinkSettings,
        vertical: str,
        *,
        source: SampleSource,
        former: Former,
        transport: Transport,
        cursors: Cursors,
        times: Times,
        rng: Random,
    ) -> None:
        self._settings = settings
        self._source = source
        self._former = former
        self._transport = transport
        self._cursors = cursors
        self._times = times
        self._backoff = Backoff(rng)
        self._meter = LagMeter()
        saved = cursors.status()
        self.status = saved or SinkStatus(sink=settings.sink, vertical=vertical, kind=settings.kind.value)
        self.status.health = SinkHealth.STARTING
        start = cursors.settled()
        if first_time := start is None:
            start = Mark(0 if settings.history or saved is not None else source.head_seq(), TimeKeys())
        self._progress = Progress(start)
        self._settled = None if first_time else start
        self._keys = start.keys.copy()
        self._limit = settings.batch_samples
        self._through = self._holds = 0
        self._saved_s = 0.0
        self._prepared: Prepared | None = None
        self._delivery = Delivery(0, 1)
        self._resend = Resend(cursors.aside(), messages=settings.kind is SinkKind.MQTT)
        self.status.acked_seq = self.status.settled_seq = start.seq
        if first_time:
            self._save()

    def step(self) -> float:
        """Do one thing; returns seconds to wait before the next. Raises StoreError when samples cannot be read now
        (call it again later), sqlite3.Error when what is set aside cannot be kept (make another worker)."""
        self._meet_other_log(self._source.set_back())
        if self._prepared is None and not self._read():
            return self._idle()
        assert self._prepared is not None
        piece = self._delivery.next()
        if piece is None:
            self._arrived(self._prepared)
            return 0.0
        began_s = self._times.mono_s()
        items = piece.of(self._prepared.items)
        answer = self._transport.send(items)
        wait_s = self._take(answer, len(items))
        if answer.verdict is Verdict.STORED:
            pace_s = len(items) / self._settings.samples_per_s_max
            wait_s = max(wait_s, pace_s - (self._times.mono_s() - began_s))
        return max(0.0, wait_s)

    def close(self) -> None:
        """Save where it is and let go of the connection."""
        try:
            self._save()
        finally:
            self._transport.close()
            self._cursors.close()

    # --- reading ------------------------------------------------------------------------------------------------------

    def _read(self) -> bool:
        """The next block, made into items; False when there is nothing behind the cursor."""
        again = self._resend.next(self._progress.acked.seq, self._times.wall_ns())
        if again is not None:
            self._prepared, self._delivery = again, Delivery(len(again.items), self._limit, again.kind_of)
            return True
        after, head = self._progress.acked.seq, self._source.head_seq()
        self.status.head_seq = head
        if head < after:
            self._meet_other_log(head)
        if head <= after:
            return False
        block = self._source.read(after, READ_BATCHES * self._settings.batch_samples)
        if block.through_seq <= after:
            return False
        prepared = self._former.prepare(block, after, self._keys)
        self.status.add_gaps(prepared.gaps, self._times.wall_ns())
        count = len(prepared.items)
        self._meter.saw(block.through_seq - after, count, prepared.bytes_sum)
        by_bytes = int(REQUEST_BYTES / max(prepared.bytes_sum / max(count, 1), 1.0))
        self._prepared = prepared
        self._delivery = Delivery(count, min(self._limit, by_bytes), prepared.kind_of)
        return True

    def _meet_other_log(self, fork_seq: int | None) -> None:
        """Behind ``fork_seq`` the log is another one (an older store was put in place): what was read of it is given
        up. The keys know the newest times, so nothing new hits an old key."""
        if fork_seq is None:
            return
        self._prepared = None
        self._resend.rewind()
        if fork_seq >= self._progress.acked.seq:
            self._keys = self._progress.acked.keys.copy()
            return
        _log.warning("the log ends before the cursor", sink=self._settings.sink, head=fork_seq)
        self._progress = Progress(Mark(fork_seq, self._keys.copy()))
        self.status.reason = f"the log went back to {fork_seq}"
        self._save()

    def _idle(self) -> float:
        if self.status.health in {SinkHealth.STARTING, SinkHealth.CATCHING_UP}:
            self.status.health = SinkHealth.LIVE
        self._save_if_due()
        return POLL_S

    # --- answers ------------------------------------------------------------------------------------------------------

    def _take(self, answer: Answer, count: int) -> float:
        self.status.requests += 1
        lost = self._progress.heard(answer, self._times.mono_s())
        wait_s = 0.0
        match answer.verdict:
            case Verdict.STORED:
                self._stored(count)
            case Verdict.REFUSED | Verdict.PARTLY_STORED:
                self.status.reason = answer.reason
                self._delivery.refused(answer.reason, partly_stored=answer.verdict is Verdict.PARTLY_STORED)
                if self._delivery.hopeless and self._holds < HOLDS_MAX:
                    wait_s = self._hold(answer)
            case Verdict.TOO_LARGE:
                self._delivery.too_large(answer.reason)
                self._limit, self._through = self._delivery.limit, 0
            case Verdict.BUSY | Verdict.UNREACHABLE | Verdict.MISCONFIGURED:
                wait_s = self._failed(answer)
        if lost:
            self._rewind()
        return wait_s

    def _stored(self, count: int) -> None:
        self._delivery.stored()
        self._backoff.succeeded()
        self._through += 1
        if self._through >= REGROW_AFTER and self._limit < self._settings.batch_samples:
            self._limit, self._through = min(self._limit * 2, self._settings.batch_samples), 0
        status = self.status
        status.samples_sent += count
        status.last_success_wall_ns = self._times.wall_ns()
        status.reason = status.remedy = ""
        self._refresh()
        status.health = SinkHealth.LIVE if status.lag_s < BEHIND_S else SinkHealth.CATCHING_UP
        self._save_if_due()

    def _failed(self, answer: Answer) -> float:
        status, health = self.status, _HEALTH[answer.verdict]
        status.failures += 1
        if health is not status.health:
            _log.warning("a sink does not take samples", sink=status.sink, health=health.value, why=answer.reason)
        status.health, status.reason = health, answer.reason
        status.remedy = answer.reason if health is SinkHealth.MISCONFIGURED else ""
        self._save_if_due()
        return self._backoff.wait_s(answer)

    def _hold(self, answer: Answer) -> float:
        """Nothing of the batch is taken: rather a wrong setting than so many bad lines. Wait, then try it again."""
        assert self._prepared is not None
        self._holds += 1
        self._delivery = Delivery(len(self._prepared.items), self._limit, self._prepared.kind_of)
        reason = f"the server refuses every line: {answer.reason}"
        return self._failed(Answer(Verdict.MISCONFIGURED, reason, answer.retry_after_s))

    def _rewind(self) -> None:
        mark = self._progress.rewind()
        _log.info("a sink may have restarted: sending again", sink=self._settings.sink, after_seq=mark.seq)
        self._keys, self._prepared = mark.keys.copy(), None
        self._resend.rewind()
        self.status.rewinds, self.status.acked_seq = self.status.rewinds + 1, mark.seq
        self._save()

    def _arrived(self, prepared: Prepared) -> None:
        """All of the block is on the server or set aside: move the cursor."""
        if self._resend.active:
            self.status.resent += self._resend.arrived(self._delivery.set_aside, self._times.mono_s())
            self._prepared = None
            return
        set_aside = [*prepared.unsendable, *prepared.refused(self._delivery.set_aside)]
        if set_aside:
            _log.warning("set aside", sink=self.status.sink, items=len(set_aside), reason=set_aside[-1].reason)
        self._progress.arrived(Mark(prepared.through_seq, self._keys.copy()), self._times.mono_s())
        self.status.bytes_sent += prepared.bytes_sum
        self._resend.settle(self._progress.safe_s)
        self._prepared = None
        self._holds = 0
        self._refresh()
        if set_aside or self._progress.settled is not self._settled:
            self._save(set_aside=set_aside)
        else:
            self._save_if_due()

    # --- saying how it is ---------------------------------------------------------------------------------------------

    def _refresh(self) -> None:
        status, prepared = self.status, self._prepared
        position = self._delivery.position
        pending = prepared is not None and position is not None and position < len(prepared.items)
        with suppress(StoreError):
            status.head_seq = self._source.head_seq()
        status.acked_seq = self._progress.acked.seq
        if prepared is not None:
            items = len(prepared.items) if position is None else position
            status.acked_seq = prepared.acked_seq(items, status.acked_seq)
        status.lag_inputs = max(0, status.head_seq - status.acked_seq)
        status.lag_samples = self._meter.samples(status.lag_inputs)
        status.lag_bytes = self._meter.bytes(status.lag_inputs)
        status.samples_per_input, status.bytes_per_input = self._meter.per_input()
        if pending and not self._resend.active:
            assert prepared is not None
            assert position is not None
            status.lag_s = max(0.0, (self._times.wall_ns() - prepared.times_ns[position]) / 1e9)
        elif status.lag_inputs == 0:
            status.lag_s = 0.0

    def _save_if_due(self) -> None:
        if self._times.mono_s() - self._saved_s >= SAVE_EVERY_S:
            self._save()

    def _save(self, *, set_aside: Sequence[Unsendable] = ()) -> None:
        self._meet_other_log(self._source.set_back())  # or the old log's cursor would cover the one that was set back
        self._refresh()
        self._saved_s = self._times.mono_s()
        status, settled = self.status, self._progress.settled
        status.settled_seq, status.wall_ns = settled.seq, self._times.wall_ns()
        moved = settled is not self._settled
        try:
            self._cursors.save(status, settled if moved else None, set_aside, status.wall_ns)
        except sqlite3.OperationalError as error:
            if set_aside:
                raise
            # A full disk: samples still go out. After a start they go out again, from where it was last saved.
            _log.warning("the cursor cannot be saved", sink=status.sink, why=str(error))
            return
        self._settled = settled
