"""One zone's evaluation: weigh the evidence, ask the table, remember why, and obey.

Everything here is a level: it may be called on every message and on every tick, any number of times, and does the same.
The hard part is what is remembered of a trip: its causes survive a restart and make the second witness of tomorrow,
while what has been reset must never come back. A user would notice a mistake as a fire whose first cause nobody can
name, or as a zone that trips again by itself.
"""

from __future__ import annotations

from edge.domain.field_devices import SignalKind
from edge.domain.garage.access import followed
from edge.domain.garage.calm import TICK_NS, settle
from edge.domain.garage.cut import due_ns as switch_due_ns
from edge.domain.garage.cut import is_calm
from edge.domain.garage.evidence import Finding, is_burning, unproven, weigh
from edge.domain.garage.interlock import ORDERS, TABLE, Evidence, Mode
from edge.domain.garage.obey import obey, open_first
from edge.domain.garage.outputs import ask_water, stand_down
from edge.domain.garage.outputs import due_ns as output_due_ns
from edge.domain.garage.signals import Source, Weight, stale_due_ns
from edge.domain.garage.turn import Turn
from edge.domain.garage.world import MAX_CAUSES, World, Zone
from edge.domain.garage.zone_alarms import sync_alarms
from edge.domain.garage.zone_rows import CauseRow, ZoneRow

MINUTE_NS = 60_000_000_000
#: Later than any moment of a boot.
NEVER_NS = 1 << 62
#: An escalation (a cut that fails) changes the evidence; each pass escalates one layer.
_PASSES = 3


def evaluate(turn: Turn, zone: Zone) -> None:
    """Bring a zone up to date with all that is known now; its neighbours follow when a fire begins or ends here."""
    burned = is_burning(zone)
    for _ in range(_PASSES):
        _step(turn, zone, weigh(turn.world, zone, turn.now_ns))
        failed = obey(turn, zone)
        if failed:
            zone.feed_asked = True
            impulse(turn, zone, "cut_unconfirmed", failed)
        elif zone.evidence is not Evidence.QUIET or not ORDERS[zone.mode].latched or not unproven(turn.world, zone):
            break  # else current came back at this very moment: what was resettable is so no longer
    turn.review.discard(zone.settings.zone)
    _keep(turn, zone)
    sync_alarms(turn, zone)
    zone.due_ns = _due_ns(turn.world, zone, turn.now_ns)
    turn.touched[zone.settings.zone] = None
    if is_burning(zone) != burned:
        for name in zone.settings.neighbours:
            evaluate(turn, turn.world.zones[name])


def strike(turn: Turn, zone: Zone, source: Source) -> None:
    """Open the contactor of a zone that is set so on a credible word, before the other sources are weighed: whatever
    they say, it is at least this. The evaluation that follows finds it done. Where it may be a test, or the zone is
    latched, that decides alone; a stored word that its source has long taken back is none (it has no weight)."""
    testing = zone.test_end_ns > turn.now_ns
    if not source.weight or testing or not zone.settings.contactor_first or ORDERS[zone.mode].latched:
        return
    open_first(turn, zone, ORDERS[TABLE[zone.mode][Evidence.ONE]], str(source.kind))
    _move(turn, zone, Evidence.ONE)
    _remember_active(turn, zone, source)


def impulse(turn: Turn, zone: Zone, what: str, ref: str) -> None:
    """One credible signal without a source behind it: a hand, an input that could not be handled, a failed cut."""
    zone.test_end_ns = 0
    _move(turn, zone, Evidence.ONE)
    _remember(turn, zone, what, ref, weight=Weight.FULL, active=False)


def reset(turn: Turn, zone: Zone) -> bool:
    """Release the latch, if the table lets a reset through now. Chargers stay off; the contactor stays as it is."""
    if not ORDERS[zone.mode].latched or ORDERS[TABLE[zone.mode][Evidence.RESET]].latched:
        return False
    _move(turn, zone, Evidence.RESET)
    for cause in zone.causes.values():
        turn.put(_changed(cause, standing=False))
    zone.causes, zone.silenced, zone.water_asked, zone.feed_asked = {}, False, False, False
    stand_down(turn, zone)
    evaluate(turn, zone)
    return True


def _step(turn: Turn, zone: Zone, finding: Finding) -> None:
    _move(turn, zone, finding.evidence)
    zone.evidence = finding.evidence
    if not ORDERS[zone.mode].latched:
        return
    for source in finding.active:
        _remember_active(turn, zone, source)
    if finding.evidence is Evidence.ONE and not finding.active:
        for name in zone.fed_by:
            if is_burning(turn.world.zones[name]):
                _remember(turn, zone, "neighbour", name, weight=Weight.FULL, active=False)
    _forget_cleared(turn, zone)
    if finding.water:
        ask_water(turn, zone)


def _move(turn: Turn, zone: Zone, evidence: Evidence) -> None:
    following = TABLE[zone.mode][evidence]
    if following is zone.mode:
        return
    before, after = ORDERS[zone.mode], ORDERS[following]
    if after.latched and not before.latched:
        zone.trips += 1
        zone.causes, zone.silenced = {}, False
    if after.doors and not before.doors:
        zone.silenced = False
    zone.mode, zone.since_ns = following, turn.stamp.wall_ns
    if after.doors != before.doors:
        followed(turn, zone.settings.zone, released=after.doors)


def _remember_active(turn: Turn, zone: Zone, source: Source) -> None:
    weight = Weight.WEAK if source.tried else source.weight  # after a start nobody knows that it was a test
    _remember(turn, zone, str(source.kind), source.source, weight=weight, active=True)


def _remember(turn: Turn, zone: Zone, what: str, ref: str, *, weight: Weight, active: bool) -> None:
    key = f"{what}:{ref}"
    known = zone.causes.get(key)
    if known is None:
        if len(zone.causes) >= MAX_CAUSES:
            return
        zone.silenced = False
        row = CauseRow(
            zone=zone.settings.zone, trip=zone.trips, n=len(zone.causes) + 1, what=what, ref=ref, weight=int(weight),
            active=active, standing=True, seq=turn.stamp.seq, at_ns=turn.stamp.wall_ns,
        )  # fmt: skip
    elif active and (known.weight != weight or not known.active):
        zone.silenced = zone.silenced and known.active
        row = _changed(known, active=True, weight=int(weight))
    else:
        return
    zone.causes[key] = row
    turn.put(row)


def _forget_cleared(turn: Turn, zone: Zone) -> None:
    """A source that took its word back is a cause still, but not an active one."""
    for key, cause in zone.causes.items():
        if not cause.active:
            continue
        source = turn.world.sources.get(cause.ref)
        if source is None or not source.weight:
            zone.causes[key] = _changed(cause, active=False)
            turn.put(zone.causes[key])


def _changed(
    row: CauseRow, *, active: bool | None = None, standing: bool = True, weight: int | None = None
) -> CauseRow:
    return CauseRow(
        zone=row.zone, trip=row.trip, n=row.n, what=row.what, ref=row.ref,
        weight=row.weight if weight is None else weight,
        active=row.active if active is None else active,
        standing=standing, seq=row.seq, at_ns=row.at_ns,
    )  # fmt: skip


def _keep(turn: Turn, zone: Zone) -> None:
    """Write the zone's row when something that must outlive a power cut is another."""
    now_ns = turn.now_ns
    # Noted when it was another: a row that is written for another reason must not round a walk test up again.
    test_min = -(-(zone.test_end_ns - now_ns) // MINUTE_NS) if zone.test_end_ns > now_ns else 0
    # A minute that was begun counts: a box that starts anew every half minute would never come to an end of them.
    blind_min = -(-(now_ns - zone.blind_ns) // MINUTE_NS) if zone.blind_ns is not None else 0
    old = zone.row
    if old is not None and (
        old.mode == zone.mode and old.trips == zone.trips and old.silenced == zone.silenced
        and old.water_asked == zone.water_asked and old.feed_asked == zone.feed_asked
        and old.test_left_min == test_min and old.blind_min == blind_min
    ):  # fmt: skip
        return
    noted_ns = old.noted_ns if old is not None and old.test_left_min == test_min else turn.stamp.wall_ns
    zone.row = ZoneRow(
        zone=zone.settings.zone, mode=zone.mode.value, trips=zone.trips, since_ns=zone.since_ns,
        silenced=zone.silenced, water_asked=zone.water_asked, feed_asked=zone.feed_asked, test_left_min=test_min,
        blind_min=blind_min, noted_ns=noted_ns,
    )  # fmt: skip
    turn.put(zone.row)


def _due_ns(world: World, zone: Zone, now_ns: int) -> int:
    """When time alone will change something. A zone that is not NORMAL is looked at every tick."""
    tick_ns = now_ns + TICK_NS
    zone.calm.until_ns = 0
    if zone.mode is not Mode.NORMAL:
        return tick_ns
    dues, calm = _switch_dues(world, zone)
    rest_due_ns = min(dues, default=NEVER_NS)
    dues += [due for name in zone.sources if (due := stale_due_ns(world.sources[name])) is not None]
    due_ns = min(dues, default=now_ns + MINUTE_NS)
    if calm:
        settle(zone, now_ns, due_ns, rest_due_ns)
    return max(due_ns, tick_ns)


def _switch_dues(world: World, zone: Zone) -> tuple[list[int], bool]:
    """When switches and outputs want something by time alone; and whether no cut is under way and no output is on."""
    dues: list[int] = []
    calm = True
    ports, settings = world.ports, zone.settings
    for switch in (*(ports[name] for name in zone.ports), *(world.outputs[name].switch for name in zone.contactors)):
        resting = is_calm(switch)
        if switch.wanted or not resting:
            calm = calm and resting
            due = switch_due_ns(switch, settings)
            if due is not None:
                dues.append(due)
    for name in (*zone.feeds, *zone.sirens, *zone.doors):
        switch = world.outputs[name].switch
        calm = calm and not switch.wanted
        due = output_due_ns(switch)
        if due is not None:
            dues.append(due)
    return dues, calm


def is_reset_key(zone: Zone, source: Source) -> bool:
    """Whether this source is the zone's key switch."""
    return source.kind is SignalKind.KEY_SWITCH and zone.settings.key_switch == source.source
