"""Commands that concern one lane's tray before it is paid: who eats, how many plates, help."""

from __future__ import annotations

from edge.domain.canteen.lanes import state_of, tray_uids
from edge.domain.canteen.messages import CallStaff, ConfirmPlates, Identify, KeyPlate, PlateState
from edge.domain.canteen.outcome import Outcome, refused
from edge.domain.canteen.tray import MAX_TRACKS, Track
from edge.domain.canteen.world import Lane, World
from edge.domain.kernel import Stamp


def _lane(world: World, name: str) -> Lane | Outcome:
    lane = world.lanes.get(name)
    return lane if lane is not None else refused("unknown_lane", lane=name)


def identify(world: World, command: Identify, stamp: Stamp) -> Outcome:
    """A member's card, or a guest category; neither forgets who stood there."""
    lane = _lane(world, command.lane)
    if isinstance(lane, Outcome):
        return lane
    if command.card and command.category:
        return refused("bad_value", reason="a card or a category, not both")
    if command.card:
        member = world.cards.get(command.card)
        if member is None:
            return refused("unknown_card")
        lane.member, lane.category, lane.waits_ns = member, "", stamp.mono_ns
        return Outcome("ok", {"member": member, "balance_fen": world.purses.get(member, 0)})
    known = {c.category_id for c in world.config.categories} if world.config is not None else set()
    if command.category and command.category not in known:
        return refused("bad_value", categories=sorted(known))
    lane.member, lane.category = None, command.category
    lane.waits_ns = stamp.mono_ns if command.category else None
    return Outcome("ok", {"member": None})


def confirm_plates(world: World, command: ConfirmPlates) -> Outcome:
    """The guest's count is kept with the tray; a differing one blocks until the tray changes or is counted again."""
    lane = _lane(world, command.lane)
    if isinstance(lane, Outcome):
        return lane
    if lane.tray_id != command.tray_id or not lane.tray_id:
        return refused("tray_changed", tray_id=lane.tray_id, tray_version=lane.tray_version)
    if not 1 <= command.plates <= MAX_TRACKS:
        return refused("bad_value", max_plates=MAX_TRACKS)
    lane.confirmed = command.plates
    read = len(tray_uids(lane.content))
    return Outcome("ok", {"confirmed": command.plates, "read": read, "equal": command.plates == read})


def key_plate(world: World, command: KeyPlate, stamp: Stamp) -> Outcome:
    """Enter a plate whose chip does not answer. It must be a plate that could be sold; it stays until the tray goes.
    Where nothing answers it is a tray by itself, until another one is put down or a minute has passed."""
    lane = _lane(world, command.lane)
    if isinstance(lane, Outcome):
        return lane
    if lane.tray_id != command.tray_id:
        return refused("tray_changed", tray_id=lane.tray_id, tray_version=lane.tray_version)
    uid = world.labels.get(command.label)
    if uid is None:
        return refused("unknown_plate", label=command.label)
    plate = world.plates[uid]
    state = state_of(world, plate)
    if state is not PlateState.PRICED:
        return refused("blocked", problem=f"plate_{state.value}")
    if any(uid in other.field.tracks for other in world.lanes.values() if other is not lane):
        return refused("blocked", problem="plate_other_lane")
    track = lane.field.tracks.get(uid)
    if track is None:
        if len(lane.field.tracks) >= MAX_TRACKS:
            return refused("bad_value", max_plates=MAX_TRACKS)
        alone = all(track.alone for track in lane.field.tracks.values())
        lane.field.tracks[uid] = Track(uid=uid, keyed=True, alone=alone)
        lane.field.changed_ns = stamp.mono_ns
    return Outcome("ok", {"uid": uid, "label": command.label, "dish_id": plate.dish_id})


def call_staff(world: World, command: CallStaff) -> Outcome:
    lane = _lane(world, command.lane)
    if isinstance(lane, Outcome):
        return lane
    lane.staff_called = command.on
    return Outcome("ok", {"lane": command.lane, "on": command.on})
