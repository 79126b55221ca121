"""The plate registry: which chip is which plate, what was put on it, and that each filling is sold at most once.

The price belongs to the filling, never to the chip: ``fill_epoch`` rises with each binding after washing, and a sale
takes the pair (plate, epoch) for ever.
"""

from __future__ import annotations

from edge.domain.canteen.messages import BindPlates, RegisterPlates, RetirePlate
from edge.domain.canteen.outcome import Outcome, refused
from edge.domain.canteen.rows import DishDayRow, PlateRow
from edge.domain.canteen.settings import PricedBy
from edge.domain.canteen.world import DishCount, Plate, World
from edge.domain.kernel import Row

MAX_PLATES = 50_000
MAX_PLATES_PER_COMMAND = 500
MAX_GRAMS = 5_000


def plate_row(plate: Plate) -> PlateRow:
    """The stored form of a plate."""
    return PlateRow(
        uid=plate.uid,
        label=plate.label,
        kind=plate.kind,
        tare_g=plate.tare_g,
        dish_id=plate.dish_id,
        grams=plate.grams,
        fill_epoch=plate.fill_epoch,
        sold_epoch=plate.sold_epoch,
        bound_day=plate.bound_day,
        retired=plate.retired,
        reads=plate.reads,
        passes=plate.passes,
    )


def register(world: World, uid: str, label: str, kind: str, tare_g: int) -> list[Row]:
    """Enter a plate or correct its label, kind and tare; its filling stays."""
    plate = world.plates.get(uid) or Plate(uid=uid, label=label, kind=kind, tare_g=tare_g)
    if world.labels.get(plate.label) == uid:
        del world.labels[plate.label]
    plate.label, plate.kind, plate.tare_g = label, kind, tare_g
    bereft = enter(world, plate)
    return [plate_row(each) for each in (bereft, plate) if each is not None]


def enter(world: World, plate: Plate) -> Plate | None:
    """Put a plate into the registry. A label is of the plate that got it last (a new chip in a worn plate): whichever
    had it before is returned, now without one, else the next start would choose between the two by UID."""
    holder = world.plates.get(world.labels.get(plate.label, plate.uid))
    bereft = holder if holder is not None and holder.uid != plate.uid else None
    if bereft is not None:
        bereft.label = ""
    world.plates[plate.uid] = plate
    if plate.label:
        world.labels[plate.label] = plate.uid
    return bereft


def register_plates(world: World, command: RegisterPlates) -> Outcome:
    """All plates of the command or none."""
    if not 1 <= len(command.plates) <= MAX_PLATES_PER_COMMAND:
        return refused("bad_value", max_plates=MAX_PLATES_PER_COMMAND)
    if len(world.plates) + len(command.plates) > MAX_PLATES:
        return refused("bad_value", max_registry=MAX_PLATES)
    for uid, label, _, tare_g in command.plates:
        taken = world.labels.get(label)
        if not uid or not label or tare_g < 0 or (taken is not None and taken != uid):
            return refused("bad_value", uid=uid, label=label, label_of=taken)
    labels = [label for _, label, _, _ in command.plates]
    if len(set(labels)) < len(labels):
        return refused("bad_value", reason="a label twice in one command")
    rows = [row for plate in command.plates for row in register(world, *plate)]
    return Outcome("ok", {"registered": len(command.plates)}, rows)


def bind_plates(world: World, command: BindPlates) -> Outcome:
    """Begin a new filling on each plate. A plate that was bound today and not sold moves from its old dish."""
    card = world.dishes.get(command.dish_id)
    if card is None:
        return refused("unknown_dish", dish_id=command.dish_id)
    if not 1 <= len(command.plate_uids) <= MAX_PLATES_PER_COMMAND:
        return refused("bad_value", max_plates=MAX_PLATES_PER_COMMAND)
    if card.priced_by is PricedBy.WEIGHT:
        if command.grams is None or not 1 <= command.grams <= MAX_GRAMS:  # a usual portion would be a guessed price
            return refused("bad_value", priced_by=card.priced_by.value, max_grams=MAX_GRAMS)
    elif command.grams is not None:
        return refused("bad_value", priced_by=card.priced_by.value)
    uids = sorted(set(command.plate_uids))
    unknown = [uid for uid in uids if uid not in world.plates or world.plates[uid].retired]
    if unknown:
        return refused("unknown_plate", plate_uids=unknown[:20])
    dishes = {command.dish_id}
    for uid in uids:
        plate = world.plates[uid]
        if plate.dish_id is not None and plate.bound_day == world.day and plate.sold_epoch < plate.fill_epoch:
            world.counts.setdefault(plate.dish_id, DishCount()).bound -= 1
            dishes.add(plate.dish_id)
        plate.dish_id, plate.grams = command.dish_id, command.grams
        plate.fill_epoch += 1
        plate.bound_day = world.day
        world.counts.setdefault(command.dish_id, DishCount()).bound += 1
    rows: list[Row] = [plate_row(world.plates[uid]) for uid in uids]
    rows += [count_row(world, dish) for dish in sorted(dishes)]
    return Outcome("ok", {"dish_id": command.dish_id, "bound": len(uids)}, rows)


def count_row(world: World, dish_id: str) -> DishDayRow:
    """The stored form of a dish's portions of the day."""
    count = world.counts.get(dish_id, DishCount())
    return DishDayRow(day=world.day, dish_id=dish_id, bound=count.bound, sold=count.sold)


def retire_plate(world: World, command: RetirePlate) -> Outcome:
    """Take a plate out of use (weak chip, broken), or put it back."""
    plate = world.plates.get(command.uid)
    if plate is None:
        return refused("unknown_plate", plate_uids=[command.uid])
    plate.retired = command.retired
    return Outcome("ok", {"uid": plate.uid, "retired": plate.retired}, [plate_row(plate)])
