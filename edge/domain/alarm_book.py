"""The book of alarms of one vertical: plain state that lives in a kernel's world and is snapshotted with it.

The hard part is that it is bounded and says what it dropped: details, alarms, histories and notices all have a limit,
and each limit leaves a visible mark. A user would notice a mistake as a page that shows 64 of 80 cut ports and no word
of the rest.
"""

from __future__ import annotations

import msgspec

from edge.domain.alarm_clock import BookClock
from edge.domain.alarm_rows import AlarmEventRow, AlarmHourRow, NotificationRow
from edge.domain.alarm_states import AlarmEvent, AlarmState, Priority
from edge.domain.kernel import Stamp
from edge.domain.notices import Channel

NS_PER_S = 1_000_000_000
#: Standing alarms of priorities below FIRE; more are folded into one alarm ``alarms:overflow``. Fires always enter, and
#: for grave ones there is as much room again: what nobody has acknowledged for a year must not hide a heart.
MAX_ALARMS, MAX_GRAVE_ALARMS = 500, 1000
#: Details kept per alarm; of the rest ``Alarm.dropped`` keeps a checksum each, to count them once.
MAX_DETAILS = 64
MAX_DROPPED = 1000
MAX_DETAIL_CHARS = 200
#: Keys whose recent raises are remembered for flap damping (the oldest are forgotten).
MAX_FLAPS = 1000
#: Hours of metrics held in memory: 31 days.
MAX_HOURS = 744
#: Notices that wait for proof; beyond it the oldest of the lowest priority is dropped, counted and told.
MAX_NOTICES = 500


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Tell ``target`` by ``channel`` of alarms of ``priority``, ``after_s`` after they sounded if they are still not
    acknowledged; 0 = at once, whatever is acknowledged."""

    priority: Priority
    channel: Channel
    target: str
    after_s: int = 0


class Alarm(msgspec.Struct, kw_only=True):
    """One occurrence. ``active``: the condition lasts; ``held``: a latch holds it until a reset. ``*_ns`` without wall
    are book time. ``hidden_by``: the parent key or design reason of a suppression. ``count`` is how often it was raised
    or added to. ``steps_done`` counts escalation steps of this annunciation,
    ``told`` names whom they reached out to."""

    alarm_id: str
    key: str
    cause: str
    zone: str
    priority: Priority
    shelvable: bool
    latched: bool
    parent: str
    first_wall_ns: int
    last_wall_ns: int
    state: AlarmState = AlarmState.NORMAL
    active: bool = False
    held: bool = False
    details: list[str] = []
    dropped: list[int] = []
    count: int = 0
    silenced: bool = False
    acknowledged_by: str = ""
    hidden_by: str = ""
    raised_ns: int = 0
    steps_done: int = 0
    told: list[tuple[Channel, str]] = []
    shelved_until_ns: int | None = None
    clear_due_ns: int | None = None
    release_due_ns: int | None = None

    @property
    def live(self) -> bool:
        return self.active or self.held


class Notice(msgspec.Struct, kw_only=True):
    """A notice that waits for proof; see ``edge.domain.notices.Notify``. ``sticky``: sent whatever is acknowledged."""

    notice_id: str
    alarm_id: str
    channel: Channel
    target: str
    what: str
    cause: str
    zone: str
    priority: Priority
    details: tuple[str, ...]
    since_wall_ns: int
    made_ns: int
    due_ns: int
    sticky: bool
    tries: int = 0


class AlarmBook(msgspec.Struct, kw_only=True):
    """All of it. ``alarms`` by key; ``flaps``: book times of recent raises by key; ``rings``: book times of recent
    annunciations. The last block holds what ``flush`` has still to give out; ``stirred``: something was done since the
    last ``flush``, which alone makes ``due_ns`` anew (monotonic: when ``tick`` has something to do, or None)."""

    steps: tuple[Step, ...] = ()
    clock: BookClock = msgspec.field(default_factory=BookClock)
    alarms: dict[str, Alarm] = {}
    flaps: dict[str, list[int]] = {}
    by_design: dict[str, str] = {}
    notices: dict[str, Notice] = {}
    hours: dict[int, AlarmHourRow] = {}
    rings: list[int] = []
    flood: bool = False
    dropped_notices: int = 0
    seq: int = -1
    serial: int = 0
    journal: list[AlarmEventRow] = []
    notice_rows: dict[str, NotificationRow] = {}
    ended: list[Alarm] = []
    dirty: dict[str, None] = {}
    dirty_hours: dict[int, None] = {}
    changed: bool = False
    stirred: bool = True
    due_ns: int | None = None


def next_id(book: AlarmBook, stamp: Stamp) -> str:
    """A new id, never given before in this store: input sequence and number within it."""
    return f"{stamp.seq}.{next_serial(book, stamp)}"


def next_serial(book: AlarmBook, stamp: Stamp) -> int:
    """The next number within one input."""
    if book.seq != stamp.seq:
        book.seq, book.serial = stamp.seq, 0
    book.serial += 1
    return book.serial


def note(book: AlarmBook, alarm: Alarm, event: AlarmEvent, stamp: Stamp, *, by: str = "", detail: str = "") -> None:
    """Write one line of the journal and mark the alarm as changed."""
    book.journal.append(
        AlarmEventRow(
            seq=stamp.seq,
            n=next_serial(book, stamp),
            alarm_id=alarm.alarm_id,
            event=event.value,
            state=alarm.state.value,
            by=by,
            detail=detail[:MAX_DETAIL_CHARS],
            at_ns=stamp.wall_ns,
            at_trusted=stamp.wall_trusted,
        )
    )
    mark(book, alarm)


def mark(book: AlarmBook, alarm: Alarm) -> None:
    """Have ``flush`` write the alarm and show the book."""
    book.dirty[alarm.key] = None
    book.changed = True


def is_full(book: AlarmBook, priority: Priority) -> bool:
    """Whether no further alarm of this priority finds room."""
    if priority is Priority.FIRE:
        return False
    return len(book.alarms) >= (MAX_GRAVE_ALARMS if priority is Priority.HIGH else MAX_ALARMS)


def find(book: AlarmBook, alarm_id: str) -> Alarm | None:
    """A standing alarm by its id."""
    return next((alarm for alarm in book.alarms.values() if alarm.alarm_id == alarm_id), None)
