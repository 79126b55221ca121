"""Photos of a fault or an inspection: one an order, the newest of each inspected machine.

The hard part is that pictures are large and show people. Each is bounded, and so is their number; the world holds their
facts alone; an order's photo is erased with the order, and staff can erase any at any time (decision 0011). A user
would notice a mistake as a box whose disk fills with pictures, or as a neighbour's face that nobody can take away.
"""

from __future__ import annotations

import hashlib

import msgspec

from edge.domain.actors import Actor, Role
from edge.domain.gym.jpeg import Picture, Refusal, clean
from edge.domain.gym.messages import AddInspectionPhoto, AddOrderPhoto, ErasePhoto, PhotoCommand
from edge.domain.gym.photo_rows import INSPECTION, ORDER, PhotoDataRow, PhotoRow
from edge.domain.gym.turn import Turn
from edge.domain.gym.view_types import PhotoView
from edge.domain.gym.wear_rows import OrderStepRow
from edge.domain.gym.world import World
from edge.domain.kernel import Rows
from edge.domain.outcome import Outcome, refused

#: Photos that may stand at a time, by what they belong to: 6 MB and 48 MB at most. 512 is twice the 232 outdoor points
#: of the largest site known.
MAX_STANDING = {ORDER: 64, INSPECTION: 512}
#: Who looks after all machines: may add a photo to any order and replace another's.
STAFF = frozenset({Role.COACH, Role.MAINTENANCE, Role.MANAGER, Role.ADMIN})


def digest_of(jpeg: bytes) -> str:
    """What tells one picture from another: 32 hex digits."""
    return hashlib.blake2b(jpeg, digest_size=16).hexdigest()


def load_photos(world: World, rows: Rows) -> None:
    """The facts of the standing photos; no picture is read."""
    world.photos = {_key(row.kind, row.ref): row for row in rows.where(PhotoRow, {"standing": 1})}


def photo_view(world: World, kind: str, ref: str) -> PhotoView | None:
    """What a page must know to fetch it; None without one."""
    row = world.photos.get(_key(kind, ref))
    if row is None:
        return None
    return PhotoView(
        digest=row.digest, size_bytes=row.size_bytes, width_px=row.width_px, height_px=row.height_px, by=row.by,
        taken_wall_ns=row.at_ns,
    )  # fmt: skip


def act(turn: Turn, body: PhotoCommand, actor: Actor) -> Outcome:
    """Do what ``actor`` wants with a photo."""
    match body:
        case AddOrderPhoto():
            return _add_to_order(turn, body, actor)
        case AddInspectionPhoto():
            return _add_to_inspection(turn, body, actor)
        case ErasePhoto():
            return _erase(turn, body, actor)


def _add_to_order(turn: Turn, body: AddOrderPhoto, actor: Actor) -> Outcome:
    """The photo of a fault that was reported. An order has one: its sender and staff may replace it."""
    if body.order_id not in turn.world.orders:
        return refused("unknown_order", order=body.order_id)
    known = turn.world.photos.get(_key(ORDER, body.order_id))
    if known is not None and known.by != actor.user and actor.role not in STAFF:
        return refused("photo_taken", order=body.order_id)
    outcome = _keep(turn, ORDER, body.order_id, 0, body.jpeg, actor.user)
    if outcome.code == "ok":
        _step(turn, body.order_id, "photo", actor.user)
        turn.maintenance = True
    return outcome


def _add_to_inspection(turn: Turn, body: AddInspectionPhoto, actor: Actor) -> Outcome:
    """The photo of the last inspection of a machine; it replaces that of an earlier one."""
    if body.asset not in turn.world.assets:
        return refused("unknown_asset", asset=body.asset)
    wear = turn.world.wear.get(body.asset)
    if body.inspection < 1 or wear is None or wear.inspection != body.inspection:
        return refused("not_now", problem="inspect_first", asset=body.asset)
    return _keep(turn, INSPECTION, body.asset, body.inspection, body.jpeg, actor.user)


def _erase(turn: Turn, body: ErasePhoto, actor: Actor) -> Outcome:
    """Take a photo away for good, whatever it belongs to."""
    kind, ref = (ORDER, body.order_id) if body.order_id else (INSPECTION, body.asset)
    if _key(kind, ref) not in turn.world.photos:
        return refused("no_photo", ref=ref)
    erase(turn, kind, ref, actor.user)
    if kind == ORDER:
        _step(turn, ref, "photo_erased", actor.user)
        turn.maintenance = True
    return Outcome("ok", {"kind": kind, "ref": ref})


def erase(turn: Turn, kind: str, ref: str, by: str) -> None:
    """The picture goes, if there is one; its row stays and says when and by whom."""
    row = turn.world.photos.pop(_key(kind, ref), None)
    if row is None:
        return
    gone = msgspec.structs.replace(
        row, standing=False, digest="", size_bytes=0, width_px=0, height_px=0, by=by, at_ns=turn.stamp.wall_ns
    )
    turn.put(gone)
    turn.put(PhotoDataRow(kind=kind, ref=ref, jpeg=b""))


def erase_strangers(turn: Turn, staying: set[str], by: str) -> None:
    """Machines that are no longer of this site keep no photo of their inspection."""
    for row in list(turn.world.photos.values()):
        if row.kind == INSPECTION and row.ref not in staying:
            erase(turn, INSPECTION, row.ref, by)


def _keep(turn: Turn, kind: str, ref: str, inspection: int, jpeg: bytes, by: str) -> Outcome:
    photos = turn.world.photos
    picture = clean(jpeg)
    if isinstance(picture, Refusal):
        return refused("bad_value", field="jpeg", why=picture.value)
    if picture.jpeg != jpeg:
        return refused("bad_value", field="jpeg", why="not_cleaned")
    standing = sum(row.kind == kind for row in photos.values())
    if _key(kind, ref) not in photos and standing >= MAX_STANDING[kind]:
        return refused("photos_full", high=MAX_STANDING[kind])
    row = _row(turn, kind, ref, inspection, picture, by)
    photos[_key(kind, ref)] = row
    turn.put(row)
    turn.put(PhotoDataRow(kind=kind, ref=ref, jpeg=jpeg))
    return Outcome("ok", {"digest": row.digest, "size_bytes": row.size_bytes})


def _row(turn: Turn, kind: str, ref: str, inspection: int, picture: Picture, by: str) -> PhotoRow:
    return PhotoRow(
        kind=kind, ref=ref, standing=True, digest=digest_of(picture.jpeg), inspection=inspection,
        size_bytes=len(picture.jpeg), width_px=picture.width_px, height_px=picture.height_px, by=by,
        at_ns=turn.stamp.wall_ns,
    )  # fmt: skip


def _step(turn: Turn, order_id: str, step: str, by: str) -> None:
    turn.put(
        OrderStepRow(
            seq=turn.stamp.seq, order_id=order_id, step=step, by=by, note="", at_ns=turn.stamp.wall_ns
        )
    )  # fmt: skip


def _key(kind: str, ref: str) -> str:
    return f"{kind}:{ref}"
