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


def load_uses(world: World, rows: Rows) -> None:
    """The hours of the business day."""
    for row in rows.since(UseRow, "day", world.day):
        world.uses[f"{row.hour}/{row.zone}/{row.kind}"] = UseHour(row=row)


def hour_of(turn: Turn, zone: str, kind: str) -> UseHour:
    """The sums of this hour of the site's clock."""
    hour = turn.site_time().hour
    key = f"{hour}/{zone}/{kind}"
    found = turn.world.uses.get(key)
    if found is None or found.row.day != turn.world.day:
        row = UseRow(
            day=turn.world.day, hour=hour, zone=zone, kind=kind, busy_ms=0, workouts=0, turned_away=0, waits=0,
            wait_ms=0, longest_wait_ms=0,
        )  # fmt: skip
        found = turn.world.uses[key] = UseHour(row=row)
    return found


def add(turn: Turn, zone: str, kind: str, **more: int) -> None:
    """Add to the sums of this hour; ``longest_wait_ms`` is a maximum."""
    found = hour_of(turn, zone, kind)
    longest = max(found.row.longest_wait_ms, more.pop("longest_wait_ms", 0))
    sums = {name: getattr(found.row, name) + value for name, value in more.items()}
    found.row = msgspec.structs.replace(found.row, longest_wait_ms=longest, **sums)
    found.dirty = True


def count(turn: Turn, asset: Asset) -> None:
    """Count a machine's busy time up to now."""
    busy = asset.phase in {Phase.ACTIVE, Phase.PAUSED, Phase.LOST}
    since_ns, asset.busy_ns = asset.busy_ns, turn.now_ns if busy else None
    if since_ns is not None and turn.now_ns > since_ns:
        add(turn, asset.settings.zone, asset.settings.kind.value, busy_ms=(turn.now_ns - since_ns) // NS_PER_MS)


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
