"""How much each kind of machine is used, hour by hour: the profile that tells when to come.

Kept as sums of an hour (busy time, workouts, waits), written once a minute, so that a year is 9,000 small rows a kind
and any profile (hour of week, median, ratio) is a sum of them. A user would notice a mistake as an evening of 120 %.
"""

from __future__ import annotations

import msgspec

from edge.domain.gym.rows import UseRow
from edge.domain.gym.turn import Turn
from edge.domain.gym.workout import NS_PER_MS, NS_PER_S
from edge.domain.gym.workout_state import Asset, Phase
from edge.domain.gym.world import UseHour, World
from edge.domain.kernel import Rows

NOTED_NS = 60 * NS_PER_S
HOURS, HOUR_NS = 24, 3600 * NS_PER_S


def load_uses(world: World, rows: Rows) -> None:
    """The hours of the business day."""
    for row in rows.since(UseRow, "day", world.day):
        world.uses[f"{row.hour}/{row.zone}/{row.kind}"] = UseHour(row=row)


def hour_of(turn: Turn, zone: str, kind: str, hour: int) -> UseHour:
    """The sums of an hour of the site's clock."""
    key = f"{hour}/{zone}/{kind}"
    found = turn.world.uses.get(key)
    if found is None or found.row.day != turn.world.day:
        if found is not None and found.dirty:
            turn.put(found.row)
        row = UseRow(
            day=turn.world.day, hour=hour, zone=zone, kind=kind, busy_ms=0, workouts=0, turned_away=0, waits=0,
            wait_ms=0, longest_wait_ms=0, no_shows=0,
        )  # fmt: skip
        found = turn.world.uses[key] = UseHour(row=row)
    return found


def add(turn: Turn, zone: str, kind: str, *, hour: int | None = None, **more: int) -> None:
    """Add to the sums of this hour, or of ``hour``; ``longest_wait_ms`` is a maximum."""
    found = hour_of(turn, zone, kind, turn.site_time().hour if hour is None else hour)
    longest = max(found.row.longest_wait_ms, more.pop("longest_wait_ms", 0))
    sums = {name: getattr(found.row, name) + value for name, value in more.items()}
    found.row = msgspec.structs.replace(found.row, longest_wait_ms=longest, **sums)
    found.dirty = True


def count(turn: Turn, asset: Asset) -> None:
    """Count a machine's busy time up to now, each hour's part in that hour."""
    busy = asset.phase in {Phase.ACTIVE, Phase.PAUSED, Phase.LOST}
    since_ns, asset.busy_ns = asset.busy_ns, turn.now_ns if busy else None
    if since_ns is None:
        return
    for hour, busy_ns in _by_hour(turn, since_ns):
        if busy_ns >= NS_PER_MS:
            add(turn, asset.settings.zone, asset.settings.kind.value, hour=hour, busy_ms=busy_ns // NS_PER_MS)


def _by_hour(turn: Turn, since_ns: int) -> list[tuple[int, int]]:
    """The stretch from ``since_ns`` (monotonic) to now, cut where hours of the site's clock begin: (hour, ns)."""
    left_ns, now = turn.now_ns - since_ns, turn.site_time()
    found: list[tuple[int, int]] = []
    hour, in_hour_ns = now.hour, ((now.minute * 60 + now.second) * 1_000_000 + now.microsecond) * 1000
    while left_ns > 0 and len(found) < HOURS:
        part_ns = min(left_ns, in_hour_ns)
        found.append((hour, part_ns))
        left_ns, hour, in_hour_ns = left_ns - part_ns, (hour - 1) % HOURS, HOUR_NS
    return found


def close_day(turn: Turn) -> None:
    """The business day ends: what was busy until now is its, and is written down."""
    for asset in turn.world.assets.values():
        if asset.busy_ns is not None:
            count(turn, asset)
    for found in turn.world.uses.values():
        if found.dirty:
            turn.put(found.row)
    turn.world.uses = {}


def keep(turn: Turn) -> None:
    """Write what has changed, once a minute."""
    world = turn.world
    if turn.now_ns - world.uses_ns < NOTED_NS:
        return
    world.uses_ns = turn.now_ns
    for asset in world.assets.values():
        if asset.busy_ns is not None:
            count(turn, asset)
    for found in world.uses.values():
        if found.dirty:
            found.dirty = False
            turn.put(found.row)
    world.uses = {key: found for key, found in world.uses.items() if found.row.day == world.day}
