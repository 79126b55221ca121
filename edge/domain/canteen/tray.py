"""Which plates lie in a lane's field, and how sure that is. Evidence only: no dishes, no money.

The hard part is knowing when to stop. A price shown as firm while a plate is still unread gives food away, silently,
every day; a rule that is too shy makes a queue of hungry people lift their plates again. The rule (see ``confidence``)
counts independent complete passes since something new last appeared, so plates put down one after the other are safe
too, and names what is missing when it cannot be sure in time. The reader's word that a pass was incomplete makes it no
trial.

Two lanes may see one plate (UHF). The lane that reads it clearly more often, or clearly stronger, owns it; until that
is clear nobody is charged.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from edge.domain.canteen.confidence import at_least_one, missed_mean, silent
from edge.domain.devices import PlatePass

#: Nothing may have appeared or vanished for this long before a tray is firm.
REST_NS = 200_000_000
#: A pass that began sooner after the last change is no trial: while one plate is noticed the next may be on its way
#: down.
SETTLE_NS = 150_000_000
#: Empty complete passes after which the field may count as cleared (the lane re-arms).
CLEAR_PASSES = 3
#: Chance, per plate and pass, to take a plate that lies there for one that was lifted.
FORGET = 1e-7
#: Lane choice: passes needed on both lanes, gap of read rates, gap of signal strength (19 dB was seen at 2 m).
CHOICE_PASSES = 4
RATE_GAP = 0.5
RSSI_GAP_DB = 10.0
MAX_TRACKS = 64
#: So long a tray may stand of which nothing answers: its only chips are dead, and staff entered the labels.
ALONE_NS = 60_000_000_000
#: Residual passes behind each statistical one: an empty one takes 17 ms, a statistical one 55 (HF, 3 plates, 115200
#: baud).
RESIDUALS_PER_PASS = 2
#: Trials beyond this add nothing to the certainty and are not counted.
MAX_TRIALS = 100


class Track(msgspec.Struct):
    """One chip in the field. ``reads`` of ``passes`` count statistical passes since it first answered; ``seen`` every
    pass in which it answered; ``silent`` the trials since it last did, ``silent_residual`` those of them that were
    residual passes (a chip told by the statistical pass before is quiet then, not silent). ``keyed``: staff entered its
    label; ``alone``: they did where nothing answered, so no silence can tell when it is lifted."""

    uid: str
    seen: int = 1
    reads: int = 0
    passes: int = 0
    silent: int = 0
    silent_residual: int = 0
    rssi_sum: int = 0
    rssi_count: int = 0
    keyed: bool = False
    alone: bool = False

    @property
    def rate(self) -> float:
        return self.reads / self.passes if self.passes else 0.0


class Belief(msgspec.Struct, frozen=True):
    """What the lane believes about read rates and trays (see ``confidence``)."""

    a: float
    b: float
    mean_plates: float
    epsilon: float
    hidden: float = 0.0

    def missed(self, passes: int, residuals: int) -> float:
        """Mean number of live plates still unread (see ``confidence.missed_mean``)."""
        return missed_mean(passes, residuals, self.mean_plates, (self.a, self.b), self.hidden)

    def gone(self, trials: int, residuals: int) -> float:
        """Chance that a live plate which lies here stays silent so long."""
        return missed_mean(trials, residuals, 1.0, (self.a, self.b), self.hidden)


class Field(msgspec.Struct):
    """All that a lane's antenna sees now. ``passes`` counts trials since something new appeared, ``residuals`` those of
    them that were residual passes."""

    tracks: dict[str, Track] = {}
    passes: int = 0
    incomplete: int = 0
    open_incomplete: bool = False
    residuals: int = 0
    empty_run: int = 0
    changed_ns: int = 0
    overflow: int = 0


class Change(msgspec.Struct, frozen=True):
    """``replaced``: a tray of which nothing answers made way for one that does, which may be the next guest's."""

    appeared: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    replaced: bool = False

    def __bool__(self) -> bool:
        return bool(self.appeared or self.vanished)


NO_CHANGE = Change()


def observe(field: Field, item: PlatePass, belief: Belief, foreign: frozenset[str]) -> Change:
    """Take one pass into the field. ``foreign`` are chips that another lane clearly holds: their appearance does not
    start the count anew. Returns what appeared or vanished."""
    statistical = item.complete and item.independent and not item.residual
    heard = {tag.uid: tag.rssi_dbm for tag in item.tags}
    appeared = _hear(field, heard, statistical=statistical)
    if heard:
        field.empty_run = 0
    if any(uid not in foreign for uid in appeared):
        field.passes = field.residuals = 0
        field.changed_ns = item.ended_ns
    settled = item.started_ns >= field.changed_ns + SETTLE_NS
    if statistical:
        count = max(1, item.empty_passes)
        field.passes = min(MAX_TRIALS, field.passes + count) if settled else 0
        field.open_incomplete = False
        field.empty_run += 0 if heard else count
        for track in field.tracks.values():
            if track.uid not in heard:
                track.passes += count
                track.silent += count
    elif not item.complete:
        field.incomplete += 1
        field.open_incomplete = True
    elif item.residual and field.tracks and not field.open_incomplete:  # else chips may be quiet that nobody heard
        if settled:
            field.passes = min(MAX_TRIALS, field.passes + 1)
            field.residuals = min(MAX_TRIALS, field.residuals + 1)
        for track in field.tracks.values():
            if track.uid not in heard and track.silent:
                track.silent += 1
                track.silent_residual += 1
    replaced = _replace(field) if any(uid not in foreign for uid in appeared) else ()
    vanished = replaced + _forget(field, belief, item.ended_ns)
    if any(uid not in foreign for uid in vanished):
        field.changed_ns = item.ended_ns
    return Change(appeared, vanished, bool(replaced)) if appeared or vanished else NO_CHANGE


def _hear(field: Field, heard: dict[str, int | None], *, statistical: bool) -> tuple[str, ...]:
    appeared = []
    for uid, rssi in heard.items():
        track = field.tracks.get(uid)
        if track is None:
            if len(field.tracks) >= MAX_TRACKS:
                field.overflow += 1
                continue
            track = field.tracks[uid] = Track(uid=uid, seen=0)
            appeared.append(uid)
        track.seen += 1
        track.silent = track.silent_residual = 0
        if statistical:
            track.reads += 1
            track.passes += 1
        if rssi is not None:
            track.rssi_sum += rssi
            track.rssi_count += 1
    return tuple(appeared)


def _replace(field: Field) -> tuple[str, ...]:
    """Something answers: what staff entered before that was another tray, and nobody may pay for both."""
    gone = tuple(track.uid for track in field.tracks.values() if track.alone)
    for uid in gone:
        del field.tracks[uid]
    return gone


def _forget(field: Field, belief: Belief, now_ns: int) -> tuple[str, ...]:
    """Drop chips that have been silent for so long that a live one would be a wonder, or all when the field is clear.

    The screen asks some sixteen times a second whether each plate still lies there, for as long as a person reads: the
    chance to lose one that does must be far below epsilon.
    """
    may_clear = field.empty_run >= CLEAR_PASSES and not any(track.alone for track in field.tracks.values())
    if may_clear and silent(field.empty_run, belief.a, belief.b) ** len(field.tracks) <= FORGET:
        gone = tuple(field.tracks)
        clear(field)
        return gone
    gone = tuple(track.uid for track in field.tracks.values() if _is_gone(field, track, belief, now_ns))
    for uid in gone:
        del field.tracks[uid]
    return gone


def _is_gone(field: Field, track: Track, belief: Belief, now_ns: int) -> bool:
    if track.keyed:
        return track.alone and now_ns - field.changed_ns >= ALONE_NS
    return bool(track.silent) and belief.gone(track.silent, track.silent_residual) <= FORGET


def clear(field: Field) -> None:
    """Forget the tray; what the lane learned about its own passes goes too."""
    field.tracks.clear()
    field.passes = field.incomplete = 0
    field.open_incomplete = False
    field.residuals = 0


class Sureness(msgspec.Struct, frozen=True):
    """``failing`` names the checks of the stopping rule that do not hold; empty = sure."""

    passes: int
    singletons: int
    miss_bound: float
    failing: tuple[str, ...]


def sureness(field: Field, own: frozenset[str], belief: Belief, now_ns: int) -> Sureness:
    """Judge the stopping rule for the plates ``own`` of this lane (the others in the field are another lane's or paid).

    1 passes: the chance of an unread live plate is at most epsilon; 2 singletons: each plate answered at least twice;
    3 residual: a residual pass found nothing new; 4 incomplete: the last statistical pass was complete; 5 moving:
    nothing appeared or vanished for 200 ms (the scale's part of check 5 needs a scale).
    """
    missed = belief.missed(field.passes, field.residuals)
    singletons = sum(1 for uid in own if field.tracks[uid].seen < 2 and not field.tracks[uid].keyed)
    failing = []
    if missed > belief.epsilon:
        failing.append("passes")
    if singletons:
        failing.append("singletons")
    if not field.residuals:
        failing.append("residual")
    if field.open_incomplete:
        failing.append("incomplete")
    if now_ns - field.changed_ns < REST_NS:
        failing.append("moving")
    return Sureness(field.passes, singletons, at_least_one(missed), tuple(failing))


def residuals_wanted(field: Field, belief: Belief) -> int:
    """How many residual passes to ask for behind the pass that just ended, 0 for none.

    Against capture every statistical pass is followed by ``RESIDUALS_PER_PASS`` until they suffice, and as long as a
    chip has been heard only once or has fallen silent: only they tell hidden from lifted. Where capture is no danger a
    residual pass costs as much as two others, and one is asked for when it is all that is missing.
    """
    open_question = any(track.seen < 2 or track.silent for track in field.tracks.values() if not track.keyed)
    enough = field.residuals > 0 and belief.missed(field.passes, field.residuals) <= belief.epsilon
    if not field.tracks or (enough and not open_question):
        return 0
    if belief.hidden:
        return RESIDUALS_PER_PASS
    return 1 if not enough and belief.missed(field.passes + 1, 1) <= belief.epsilon else 0


class Choice(StrEnum):
    MINE = "mine"
    THEIRS = "theirs"
    UNDECIDED = "undecided"


def choose(mine: Track, theirs: Track) -> Choice:
    """Whose plate is it that two lanes see? By signal gap, by read-rate gap, else nobody's yet.

    A lane that has held a plate for some passes keeps it against another's first stray reads, until those have become
    evidence too: a plate that really moved is forgotten here within as many passes.
    """
    if mine.keyed or theirs.keyed:
        return Choice.MINE if mine.keyed else Choice.THEIRS
    if mine.rssi_count and theirs.rssi_count:
        gap_db = mine.rssi_sum / mine.rssi_count - theirs.rssi_sum / theirs.rssi_count
        if abs(gap_db) >= RSSI_GAP_DB:
            return Choice.MINE if gap_db > 0 else Choice.THEIRS
    known, known_there = mine.passes >= CHOICE_PASSES, theirs.passes >= CHOICE_PASSES
    if known != known_there:
        return Choice.MINE if known else Choice.THEIRS
    gap = mine.rate - theirs.rate
    if known and abs(gap) >= RATE_GAP:
        return Choice.MINE if gap > 0 else Choice.THEIRS
    return Choice.UNDECIDED
