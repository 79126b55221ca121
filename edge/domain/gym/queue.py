"""The virtual queue: who is next for a machine of a kind, called by name of the machine, with grace.

The hard part is fairness without a guard. One place a person; the first in line is called when a machine becomes free
and keeps it for a while; who does not come loses the place and is counted, never blocked. Nobody called, the machine
is anybody's. A user would notice a mistake as two people called to one treadmill.
"""

from __future__ import annotations

import msgspec

from edge.domain.gym.messages import JoinQueue, LeaveQueue
from edge.domain.gym.occupancy import add
from edge.domain.gym.rows import QueueRow
from edge.domain.gym.settings import AssetKind
from edge.domain.gym.turn import Turn
from edge.domain.gym.use import use_of
from edge.domain.gym.view_types import QueueEntry, Use
from edge.domain.gym.workout import NS_PER_MS, NS_PER_S
from edge.domain.gym.workout_state import Asset
from edge.domain.gym.world import QueuePlace, World
from edge.domain.kernel import Rows
from edge.domain.outcome import Outcome, refused

WAITING, CALLED = "waiting", "called"
MAX_QUEUE = 200
_TAKEABLE = frozenset({Use.FREE, Use.WARM})


def load_queue(world: World, rows: Rows) -> None:
    """Who was waiting goes on waiting; who was called is called anew by the first tick. Who joined first
    is known by the number of the input: a clock may have been set back between two."""
    waiting = sorted(rows.where(QueueRow, {"waiting": 1}), key=lambda row: int(row.entry_id.rpartition("-")[2]))
    world.queue = [
        QueuePlace(row=msgspec.structs.replace(row, state=WAITING, asset=""), joined_ns=0) for row in waiting
    ]
    world.cap_due_ns = 0 if waiting else None


def join(turn: Turn, body: JoinQueue) -> Outcome:
    """Take a place at the end of the line."""
    world, zone = turn.world, turn.world.zones.get(body.zone)
    if zone is None:
        return refused("unknown_zone", zone=body.zone)
    if not zone.queue:
        return refused("not_now", problem="no_queue", zone=body.zone)
    if not body.person:
        return refused("no_person")
    if not any(one.settings.zone == body.zone and one.settings.kind is body.kind for one in world.assets.values()):
        return refused("unknown_asset", zone=body.zone)
    line = [one for one in world.queue if (one.row.zone, one.row.kind) == (body.zone, body.kind.value)]
    for one in world.queue:
        if one.row.person == body.person:
            if one not in line:
                return refused("already_waiting")
            return Outcome("ok", {"entry": one.row.entry_id, "place": line.index(one) + 1})
    if len(world.queue) >= MAX_QUEUE:
        return refused("busy", high=MAX_QUEUE)
    row = QueueRow(
        entry_id=f"{body.zone}-{turn.stamp.seq}", zone=body.zone, kind=body.kind.value, person=body.person,
        state=WAITING, waiting=True, asset="", joined_ns=turn.stamp.wall_ns, at_ns=turn.stamp.wall_ns,
    )  # fmt: skip
    world.queue.append(QueuePlace(row=row, joined_ns=turn.now_ns))
    world.cap_due_ns = turn.now_ns
    turn.put(row)
    call(turn)
    turn.board()
    return Outcome("ok", {"entry": row.entry_id, "place": len(line) + 1})


def leave(turn: Turn, body: LeaveQueue) -> Outcome:
    """Give up the place."""
    for place in turn.world.queue:
        if place.row.person == body.person:
            _end(turn, place, "left")
            call(turn)
            return Outcome("ok", {"entry": place.row.entry_id})
    return refused("not_waiting")


def withdraw(turn: Turn, person: str = "") -> None:
    """Take a person out of the line, or ("") everybody: nobody waits over night."""
    for place in [one for one in turn.world.queue if not person or one.row.person == person]:
        _end(turn, place, "left")


def drop_lines(turn: Turn) -> None:
    """The site was changed: nobody waits for machines that are not there any more."""
    there = {(one.settings.zone, one.settings.kind.value) for one in turn.world.assets.values()}
    for place in [one for one in turn.world.queue if (one.row.zone, one.row.kind) not in there]:
        _end(turn, place, "left")


def may_take(turn: Turn, asset: Asset, person: str) -> bool:
    """Whether this machine is not held for somebody who was called."""
    held = [one for one in turn.world.queue if one.row.asset == asset.settings.asset]
    return not held or held[0].row.person == person


def taken(turn: Turn, asset: Asset, person: str) -> None:
    """A machine was taken: who was called to it is served; who waits for its kind and took it needs no place."""
    for place in list(turn.world.queue):
        row = place.row
        same_kind = (row.zone, row.kind) == (asset.settings.zone, asset.settings.kind.value)
        if person and row.person == person and same_kind:
            _end(turn, place, "served")
            waited_ms = (turn.now_ns - place.joined_ns) // NS_PER_MS if place.joined_ns else 0
            add(turn, row.zone, row.kind, waits=1, wait_ms=waited_ms, longest_wait_ms=waited_ms)


def call(turn: Turn) -> None:
    """Call the first in line for each free machine; who was called and did not come has lost the place."""
    world, grace_ns = turn.world, turn.config.session.grace_s * NS_PER_S
    for place in [one for one in world.queue if one.row.state == CALLED]:
        asset = world.assets.get(place.row.asset)
        if asset is None or use_of(turn, asset) not in _TAKEABLE | {Use.BUSY}:
            _update(turn, place, state=WAITING, asset="")
        elif turn.now_ns - place.called_ns < grace_ns:
            continue
        elif use_of(turn, asset) is Use.BUSY:  # somebody else stepped on: that is not the fault of who was called
            _update(turn, place, state=WAITING, asset="")
        else:
            _end(turn, place, "no_show")
            add(turn, place.row.zone, place.row.kind, no_shows=1)
    held = {one.row.asset for one in world.queue if one.row.asset}
    for place in [one for one in world.queue if one.row.state == WAITING]:
        for name, asset in world.assets.items():
            wanted = (asset.settings.zone, asset.settings.kind.value) == (place.row.zone, place.row.kind)
            if wanted and name not in held and use_of(turn, asset) in _TAKEABLE:
                held.add(name)
                place.called_ns = turn.now_ns
                _update(turn, place, state=CALLED, asset=name)
                break


def due_ns(world: World, grace_s: int) -> int | None:
    """When the grace of somebody called ends."""
    called = [one.called_ns + grace_s * NS_PER_S for one in world.queue if one.row.state == CALLED]
    return min(called, default=None)


def entries(turn: Turn) -> tuple[QueueEntry, ...]:
    """The queue for the wall: in order, those who are called first; ``place`` in the line for that kind."""
    grace_ns = turn.config.session.grace_s * NS_PER_S
    found: list[QueueEntry] = []
    for place in sorted(turn.world.queue, key=lambda one: one.row.state != CALLED):
        row = place.row
        number = 1 + sum((one.zone, one.kind) == (row.zone, row.kind) for one in found)
        left_ns = max(0, place.called_ns + grace_ns - turn.now_ns) if row.state == CALLED else 0
        waited_s = max(0, turn.now_ns - place.joined_ns) // NS_PER_S if place.joined_ns else 0
        found.append(
            QueueEntry(
                place=number, zone=row.zone, kind=AssetKind(row.kind), person=row.person, called_asset=row.asset,
                grace_left_s=left_ns // NS_PER_S, waiting_s=waited_s,
            )
        )  # fmt: skip
    return tuple(found)


def _update(turn: Turn, place: QueuePlace, *, state: str, asset: str) -> None:
    place.row = msgspec.structs.replace(place.row, state=state, asset=asset, at_ns=turn.stamp.wall_ns)
    turn.put(place.row)
    turn.board()


def _end(turn: Turn, place: QueuePlace, state: str) -> None:
    turn.world.queue.remove(place)
    turn.put(msgspec.structs.replace(place.row, state=state, waiting=False, at_ns=turn.stamp.wall_ns))
    turn.board()
