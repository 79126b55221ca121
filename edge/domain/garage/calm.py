"""What spares a zone its evaluation: a detector says again what it has said before, and nothing else has moved.

Of two thousand devices hundreds are detectors that say "clear" every second. Weighing a zone of a hundred ports each
time would decide nothing: in a zone that is calm (NORMAL, all its sources good and clear, no cut under way, nothing due
by time), such a word only moves the moment of that detector's own silence, and exactly that is done here. Whatever else
is heard, told, configured or comes due ends the calm (``unsettle``) until the zone was evaluated again; a calm is never
longer than a second. The hard part is "nothing else": the effects must be those of an evaluation, to the last one
(tests/garage/test_calm.py compares them on random days). A user would notice a mistake as a zone that sees smoke late.

The memory of it (``Zone.calm``) is no part of the world: it is neither kept nor copied, and a zone without it is
evaluated.
"""

from __future__ import annotations

from edge.domain.field_devices import Quality, SignalReading
from edge.domain.garage.interlock import Evidence, Mode
from edge.domain.garage.messages import SourceState
from edge.domain.garage.signals import Source, stale_due_ns
from edge.domain.garage.world import World, Zone

#: A calm is over after so long, whatever was heard.
CALM_NS = 1_000_000_000
#: The power of a normal zone follows its outlets so often: 95 figures a second are no reason to add it up each time.
POWER_EVERY_NS = 10_000_000_000
#: A zone is never looked at more often than this by time alone; one that is not NORMAL is, without being asked (issue
#: 3.1).
TICK_NS = 100_000_000
_CLEAR, _GOOD, _NORMAL = SourceState.CLEAR, Quality.GOOD, Mode.NORMAL


def unsettle(world: World) -> None:
    """Something came of which nobody has thought here: every zone is evaluated at the next word on it."""
    for zone in world.zones.values():
        zone.calm.until_ns = 0


def settle(zone: Zone, now_ns: int, due_ns: int, rest_due_ns: int) -> None:
    """A zone was just evaluated in which no cut is under way and nothing but contactors and chargers is on. Nothing
    in it changes by time before ``due_ns``, nor for another reason than a source's silence before ``rest_due_ns``."""
    if zone.mode is _NORMAL and zone.evidence is Evidence.CLEAR and zone.test_end_ns <= now_ns:
        zone.calm.until_ns, zone.calm.rest_due_ns = min(due_ns, now_ns + CALM_NS), rest_due_ns


def may_say_the_same(zone: Zone, source: Source, body: SignalReading, now_ns: int) -> bool:
    """Before the word is heard: whether it may be one that changes nothing."""
    return (
        now_ns < zone.calm.until_ns
        and now_ns - zone.shown_ns < POWER_EVERY_NS
        and source.state is _CLEAR
        and source.fire
        and source.seen
        and source.quality is _GOOD
        and body.quality is _GOOD
        and body.active is not True
        and not body.retained
        and (body.battery_low is None or body.battery_low is source.battery_low)
    )


def said_the_same(source: Source, now_ns: int) -> bool:
    """After it was heard: whether it was fresh and left the source as it was."""
    return source.heard_ns == now_ns and source.said is False and not source.weight and not source.absent


def keep_calm(world: World, zone: Zone, now_ns: int) -> None:
    """The detector's silence begins anew: what an evaluation would come to."""
    sources = world.sources
    dues = [due for name in zone.sources if (due := stale_due_ns(sources[name])) is not None]
    zone.due_ns = max(min(*dues, zone.calm.rest_due_ns), now_ns + TICK_NS)
