"""What a source is worth now: the level of its evidence, never an edge.

The hard part is which words to believe. A stored (retained) "smoke" is evidence, for it may be all that is left of a
message that nobody was there to hear; a stored "clear" is nothing. A word that is older than one already heard may
raise an alarm but never take one back, and proves no life. Times are compared only with the same device's own earlier
times; a device whose clock was set is believed again as soon as its time runs with ours. A user would notice a mistake
here as a fire of last week, or as a detector whose battery died and that still looks well.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from edge.domain.field_devices import PointHealth, Quality, SignalKind, SignalReading
from edge.domain.garage.messages import SourceState
from edge.domain.garage.settings import SourceSettings
from edge.domain.kernel import Stamp
from edge.domain.places import place_key
from edge.domain.words import Text

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

DETECTORS = frozenset({SignalKind.SMOKE, SignalKind.HEAT, SignalKind.GAS})
#: Kinds that speak of fire. The others (flow, door, key ...) never cut by themselves.
FIRE_KINDS = DETECTORS | {SignalKind.CALL_POINT, SignalKind.PANEL_FIRE}
#: Field devices: those that may vouch for water. A panel passes on what others saw, so it is no second witness.
FIELD_KINDS = DETECTORS | {SignalKind.CALL_POINT}

#: Missed supervision periods after which a source is stale (garage-domain.md 6).
MISSED_PERIODS = 2
#: A message known to have waited longer than this on its way is old.
OLD_MS = 20_000
#: At the first word since a start there is nothing to compare with but the (trusted) wall clock. It is old after the
#: time in which its source would be stale, but neither sooner than this (a clock step of an hour decides nothing) ...
OLD_WALL_LEAST_NS = 7_200 * NS_PER_S
#: ... nor later than this.
OLD_WALL_MOST_NS = 43_200 * NS_PER_S
#: A device's clock that was set: its next words must advance like our time over at least this span.
REBASE_MIN_NS = 5 * NS_PER_S
REBASE_SLACK_NS = 2 * NS_PER_S


class Weight(IntEnum):
    """How much an active word counts. WEAK (stored, old, of a faulty or self-testing head): cuts, but is never the
    only proof of a fire and never asks for water."""

    NONE = 0
    WEAK = 1
    FULL = 2


class Source(msgspec.Struct):
    """One source and what is believed of it. ``weight`` is evidence that no fresh good word has taken back. ``seen``: a
    fresh good reading came since this start. ``tried``: its alarm was last said in a walk test. ``newest_wall_ns`` is
    the newest time that the device itself named, ``odd_*`` the last word that was older, ``begun_ns`` when this start
    began to listen.
    Monotonic times are of this boot."""

    source: str
    zone: str
    device: str
    kind: SignalKind
    name: Text
    unit: str
    stale_ns: int
    detector: bool
    fire: bool
    point: str = ""
    begun_ns: int = 0
    state: SourceState = SourceState.UNKNOWN
    said: bool | None = None
    weight: Weight = Weight.NONE
    tried: bool = False
    quality: Quality = Quality.GOOD
    heard_ns: int | None = None
    seen: bool = False
    absent: bool = False
    link_down: bool = False
    newest_wall_ns: int | None = None
    odd_wall_ns: int | None = None
    odd_heard_ns: int = 0
    battery_low: bool = False
    detail: str = ""
    known_until: str = ""


def new_source(settings: SourceSettings) -> Source:
    """A source of which nothing is known yet. An unnamed unit is all that is at one place: a head that smells smoke and
    gas is one thing."""
    return Source(
        source=settings.source,
        zone=settings.zone,
        device=settings.at.device,
        point=settings.at.point,
        kind=settings.kind,
        name=settings.name,
        unit=settings.unit or f"={place_key(settings.at.device, settings.at.point)}",
        stale_ns=MISSED_PERIODS * settings.supervision_s * NS_PER_S,
        detector=settings.kind in DETECTORS,
        fire=settings.kind in FIRE_KINDS,
        known_until=settings.known_until,
    )


def forget_boot(source: Source, now_ns: int) -> None:
    """A start: what was heard before it is no fresh word. Evidence (``weight``) stays."""
    source.begun_ns = now_ns
    source.said, source.heard_ns, source.seen = None, None, False
    source.absent, source.link_down, source.quality = False, False, Quality.GOOD
    source.newest_wall_ns, source.odd_wall_ns, source.odd_heard_ns = None, None, 0
    source.state = SourceState.ACTIVE if source.weight else SourceState.UNKNOWN


def hear(source: Source, reading: SignalReading, stamp: Stamp) -> Weight:
    """Take a word in. Gives how much it counts for an alarm, be it the hundredth time; NONE when it speaks of none."""
    if reading.battery_low is not None:
        source.battery_low = reading.battery_low
    active = reading.active is True
    if reading.retained:
        if active and not _is_known(source, reading):
            _add(source, Weight.WEAK)
        return Weight.WEAK if active else Weight.NONE
    if not _is_fresh(source, reading, stamp):
        return _add(source, Weight.WEAK) if active else Weight.NONE
    source.absent, source.quality, source.detail = False, reading.quality, reading.detail
    if reading.active is None:
        return Weight.NONE
    source.said = reading.active
    good = _is_good(source, reading.quality)
    source.seen = source.seen or good
    if active:
        return _add(source, Weight.FULL if good or not source.detector else Weight.WEAK)
    if good:
        source.weight = Weight.NONE
    return Weight.NONE


def _add(source: Source, weight: Weight) -> Weight:
    source.weight = max(source.weight, weight)
    return weight


def _is_good(source: Source, quality: Quality) -> bool:
    """TEST counts for detectors only: fire units send real fires with the test bit (garage-protocols.md 1.3)."""
    return quality is Quality.GOOD or (quality is Quality.TEST and not source.detector)


def _is_known(source: Source, reading: SignalReading) -> bool:
    """True for a stored word that is not newer than what the source itself has said since."""
    wall_ns, newest_ns = reading.source_wall_ns, source.newest_wall_ns
    return wall_ns is not None and newest_ns is not None and source.heard_ns is not None and wall_ns <= newest_ns


def _is_fresh(source: Source, reading: SignalReading, stamp: Stamp) -> bool:
    """Judge the age of a live word, and note it as a sign of life when it is fresh."""
    now_ns = stamp.mono_ns
    if reading.delay_ms is not None and reading.delay_ms > OLD_MS:
        return False
    wall_ns = reading.source_wall_ns
    if wall_ns is None:
        source.heard_ns = now_ns
        return True
    newest_ns = source.newest_wall_ns
    if newest_ns is None:
        old_ns = min(max(source.stale_ns, OLD_WALL_LEAST_NS), OLD_WALL_MOST_NS)
        in_order = not stamp.wall_trusted or stamp.wall_ns - wall_ns <= old_ns
    elif wall_ns == newest_ns:  # the same message again, or two in one tick of the device: a word, but no sign of life
        return True
    else:
        in_order = wall_ns > newest_ns
    if not in_order and not _runs_with_ours(source, wall_ns, now_ns):
        source.odd_wall_ns, source.odd_heard_ns = wall_ns, now_ns
        return False
    source.newest_wall_ns, source.odd_wall_ns, source.heard_ns = wall_ns, None, now_ns
    return True


def _runs_with_ours(source: Source, wall_ns: int, now_ns: int) -> bool:
    """True when the device's time, though odd, has advanced like ours since its last odd word: its clock was set. A
    queue of old messages advances by hours in milliseconds."""
    if source.odd_wall_ns is None:
        return False
    passed_ns = now_ns - source.odd_heard_ns
    moved_ns = wall_ns - source.odd_wall_ns
    return passed_ns >= REBASE_MIN_NS and abs(moved_ns - passed_ns) <= REBASE_SLACK_NS + passed_ns // 10


def health(source: Source, reading: PointHealth) -> None:
    """What the link's master says of the point. Online is no proof of life; a device that started anew may have set
    its clock."""
    source.absent = not reading.online
    if reading.rebooted and not reading.retained:
        source.newest_wall_ns = source.odd_wall_ns = None
    if source.absent or reading.rebooted:
        _lose_key(source)


def link_is(source: Source, *, up: bool, now_ns: int) -> None:
    """The link to the source came or went. When it comes back, whoever fell silent only because nobody could hear it is
    unknown, with as much time to speak as at a start: forty heads that speak once an hour are not forty alarms."""
    source.link_down = not up
    _lose_key(source)
    heard_ns = source.begun_ns if source.heard_ns is None else source.heard_ns
    if up and not source.weight and now_ns - heard_ns > source.stale_ns:
        source.heard_ns, source.begun_ns = None, now_ns


def _lose_key(source: Source) -> None:
    """A key switch out of hearing may be found turned, or its wire cut, when it is heard again: that is no turning."""
    if source.kind is SignalKind.KEY_SWITCH:
        source.said = None


def turns_key(source: Source, reading: SignalReading, now_ns: int) -> bool:
    """Whether this word may be a hand that turns the key: a good live word of a switch that was heard at rest, and has
    been in hearing ever since."""
    heard_ns = now_ns if source.heard_ns is None else source.heard_ns
    at_rest = source.said is False and source.quality is Quality.GOOD and now_ns - heard_ns <= source.stale_ns
    return at_rest and reading.active is True and not reading.retained and reading.quality is Quality.GOOD


def vouches(source: Source, now_ns: int) -> bool:
    """Whether an active source may vouch for water: its full word was not said in a walk test, and it has been heard of
    within its two periods (since the start, where a start came between)."""
    heard_ns = source.begun_ns if source.heard_ns is None else source.heard_ns
    return source.weight is Weight.FULL and not source.tried and now_ns - heard_ns <= source.stale_ns


def state_of(source: Source, now_ns: int, *, testing: bool) -> SourceState:
    """The level now. An active word stays until a fresh good word takes it back, however long ago it was said."""
    testing = testing and source.detector
    if source.weight:
        return SourceState.TEST if testing else SourceState.ACTIVE
    if source.absent or source.link_down:
        return SourceState.ABSENT
    heard_ns = source.heard_ns
    if now_ns - (source.begun_ns if heard_ns is None else heard_ns) > source.stale_ns:
        return SourceState.STALE
    if heard_ns is None or source.said is None:
        return SourceState.UNKNOWN
    if source.quality is Quality.FAULT:
        return SourceState.FAULT
    if testing or not _is_good(source, source.quality):
        return SourceState.TEST
    return SourceState.CLEAR


def stale_due_ns(source: Source) -> int | None:
    """When silence alone will change the source's state."""
    if source.state is SourceState.STALE or source.weight:
        return None
    return (source.begun_ns if source.heard_ns is None else source.heard_ns) + source.stale_ns + 1
