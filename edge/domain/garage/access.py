"""Access doors: who may come in, what the door contact says, and when a door stands open that should not.

Everything is decided here, in the box, so that a dead network keeps nobody out and lets nobody in. The hard part is
that a door is also a way out of a fire: the interlock releases it, and nothing that is decided here may lock it again
while it does; and that a contact only says "open", so that whether it was opened or forced depends on what was granted
just before. A user would notice a mistake as a crowd before a locked door, or as an alarm each time somebody leaves.

Locks are power-to-lock: no power, no lock (garage-domain.md 1.1). The reader's own secure channel is its driver's
business (``drivers/osdp``); a reader that speaks with the default key is not heard at all.
"""

from __future__ import annotations

from edge.domain.alarm_states import Priority
from edge.domain.alarms import clear_alarm, raise_alarm
from edge.domain.field_devices import CardReading
from edge.domain.garage.access_rows import AccessEventRow
from edge.domain.garage.access_state import Door
from edge.domain.garage.cut import operate
from edge.domain.garage.interlock import ORDERS
from edge.domain.garage.settings import Credential, DoorSettings
from edge.domain.garage.signals import NS_PER_S
from edge.domain.garage.switching import keep_switch
from edge.domain.garage.turn import Turn
from edge.domain.garage.world import World
from edge.domain.kernel import EffectClass

#: After the lock has closed again the leaf may still be swinging: an opening so soon after is not forced.
GRACE_NS = 3 * NS_PER_S
#: The same card at the same door again within this time is the same visit (readers repeat a card that is held).
REPEAT_NS = 2 * NS_PER_S
_NS_PER_MIN = 60 * NS_PER_S
_MIN_PER_DAY = 1440


def new_doors(settings: tuple[DoorSettings, ...], old: dict[str, Door]) -> dict[str, Door]:
    """The doors of a configuration; what is known of one that stays is kept."""
    doors = {}
    for each in settings:
        door = old.get(each.door)
        if door is None or door.settings.reader != each.reader:
            door = Door(settings=each)
        door.settings = each
        doors[each.door] = door
    return doors


def by_card(credentials: tuple[Credential, ...]) -> dict[str, tuple[Credential, ...]]:
    """Credentials by card; one card may have several (other doors, other hours)."""
    found: dict[str, tuple[Credential, ...]] = {}
    for each in credentials:
        found[each.card] = (*found.get(each.card, ()), each)
    return found


def forget_boot(world: World) -> None:
    """A start: what was granted before it is over; the contact will say how the door stands."""
    world.doors = {name: Door(settings=door.settings) for name, door in world.doors.items()}


# --- cards ------------------------------------------------------------------------------------------------------------


def shown(turn: Turn, device: str, card: CardReading) -> None:
    """A card at a reader: unlock its door, or not, and write down which."""
    for door in turn.world.doors.values():
        place = door.settings.reader
        if (place.device, place.point) == (device, card.point):
            _decide(turn, door, card.card)


def _decide(turn: Turn, door: Door, card: str) -> None:
    now_ns = turn.now_ns
    again = door.last_card == card and now_ns - door.last_card_ns < REPEAT_NS
    door.last_card, door.last_card_ns = card, now_ns
    if again:
        return
    holder, why = judge(turn.world, door.settings, card, turn.stamp.wall_ns, trusted=turn.stamp.wall_trusted)
    door.last_answer = why or "granted"
    if why:
        _note(turn, door, "denied", why=why, holder=holder, card=card)
        return
    door.granted_until_ns = door.unlocked_until_ns = now_ns + door.settings.unlock_s * NS_PER_S
    _note(turn, door, "granted", holder=holder)
    _lock(turn, door, released=True)


def judge(world: World, door: DoorSettings, card: str, wall_ns: int, *, trusted: bool) -> tuple[str, str]:
    """(holder, why not): why is "" when the card may open the door now.

    Validity goes by the business day, which is logged and never goes back; hours only count while the clock can be
    trusted, for a box that has lost its time must not lock everybody out."""
    found: list[Credential] = [each for each in world.credentials.get(card, ()) if each.opens(door.door)]
    if card not in world.credentials:
        return "", "unknown_card"
    if not found:
        return world.credentials[card][0].holder, "wrong_door"
    holder = found[0].holder
    day = world.day
    if day:
        found = [each for each in found if each.valid_from <= day and (not each.valid_until or day <= each.valid_until)]
        if not found:
            return holder, "expired"
    offset_min = world.config.utc_offset_min if world.config is not None else 0
    minute = (wall_ns // _NS_PER_MIN + offset_min) % _MIN_PER_DAY
    if trusted and not any(each.start_min <= minute < each.end_min for each in found):
        return holder, "wrong_hour"
    return holder, ""


# --- the leaf ---------------------------------------------------------------------------------------------------------


def contact(turn: Turn, source: str, *, is_open: bool) -> None:
    """The door contact's word (a level: repeats change nothing)."""
    for door in turn.world.doors.values():
        if door.settings.contact != source or is_open == (door.opened_ns is not None):
            continue
        if is_open:
            _opened(turn, door)
        else:
            _closed(turn, door)


def _opened(turn: Turn, door: Door) -> None:
    door.opened_ns = turn.now_ns
    door.forced = not _may_be_open(turn.world, door, turn.now_ns)
    if door.forced:
        _note(turn, door, "forced")
        _alarm(turn, door, "door_forced", Priority.HIGH)


def _closed(turn: Turn, door: Door) -> None:
    door.opened_ns = None
    if door.forced or door.held:
        _note(turn, door, "closed")
    door.forced = door.held = False
    for cause in ("door_forced", "door_held"):
        clear_alarm(turn.world.alarms, _key(door, cause), turn.stamp)


def _may_be_open(world: World, door: Door, now_ns: int) -> bool:
    return is_released(world, door) or now_ns < door.granted_until_ns + GRACE_NS


def is_released(world: World, door: Door) -> bool:
    """The interlock has released the door: it must stand open to everybody."""
    output = world.outputs.get(door.settings.release)
    return output is not None and ORDERS[world.zones[output.settings.zone].mode].doors


def followed(turn: Turn, zone: str, *, released: bool) -> None:
    """The interlock has released the doors of a zone, or takes them back after its reset: a line for each."""
    for door in turn.world.doors.values():
        output = turn.world.outputs.get(door.settings.release)
        if output is not None and output.settings.zone == zone:
            _note(turn, door, "released" if released else "relocked")


def unlocked(world: World, output: str, now_ns: int) -> bool:
    """Whether a card holds the lock of this output open now (the interlock asks before it locks)."""
    return any(door.settings.release == output and now_ns < door.unlocked_until_ns for door in world.doors.values())


# --- time -------------------------------------------------------------------------------------------------------------


def due_ns(world: World) -> int | None:
    """When a lock has to fall again, or an open door becomes one that is held."""
    dues = []
    for door in world.doors.values():
        if door.unlocked_until_ns:
            dues.append(door.unlocked_until_ns)
        if door.opened_ns is not None and not (door.forced or door.held) and not is_released(world, door):
            dues.append(_held_ns(door))
    return min(dues, default=None)


def _held_ns(door: Door) -> int:
    assert door.opened_ns is not None, "asked of an open door"
    return max(door.opened_ns, door.granted_until_ns) + door.settings.held_s * NS_PER_S


def tick(turn: Turn) -> None:
    """Lock what was granted long enough, and tell of doors that are held open."""
    world, now_ns = turn.world, turn.now_ns
    for door in world.doors.values():
        if door.unlocked_until_ns and now_ns >= door.unlocked_until_ns:
            door.unlocked_until_ns = 0
            if not is_released(world, door):
                _note(turn, door, "relocked")
                _lock(turn, door, released=False)
        if door.opened_ns is None or door.forced or door.held or is_released(world, door):
            continue
        if now_ns >= _held_ns(door):
            door.held = True
            _note(turn, door, "held")
            _alarm(turn, door, "door_held", Priority.MEDIUM)


# --- what comes of it -------------------------------------------------------------------------------------------------


def _lock(turn: Turn, door: Door, *, released: bool) -> None:
    """Tell the lock, once and after the disk holds it: an unlocking is never repeated by a restart."""
    output = turn.world.outputs.get(door.settings.release)
    if output is None:
        return
    switch = output.switch
    switch.wanted, switch.began_ns = released, turn.now_ns
    send = operate(switch, on=released, seq=turn.stamp.seq, now_ns=turn.now_ns, effect_class=EffectClass.DURABLE)
    turn.send([send])
    keep_switch(turn, switch)


def _alarm(turn: Turn, door: Door, cause: str, priority: Priority) -> None:
    raise_alarm(
        turn.world.alarms, _key(door, cause), cause=cause, zone=door.settings.zone, priority=priority,
        detail=door.settings.door, stamp=turn.stamp,
    )  # fmt: skip


def _key(door: Door, cause: str) -> str:
    """Two alarms: a wedge must not pass for the break-in of yesterday that nobody has acknowledged yet."""
    return f"{cause}:{door.settings.door}"


def _note(turn: Turn, door: Door, what: str, *, why: str = "", holder: str = "", card: str = "") -> None:
    turn.touched[door.settings.zone] = None
    door.events += 1
    turn.put(
        AccessEventRow(
            seq=turn.stamp.seq, door=door.settings.door, what=what, why=why, holder=holder,
            card_end="" if holder else card[-4:], at_ns=turn.stamp.wall_ns, at_trusted=turn.stamp.wall_trusted,
        )
    )  # fmt: skip
