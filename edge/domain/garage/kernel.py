"""The garage's kernel: routes inputs to the pure pieces and turns what they decide into effects.

An added layer beside a certified fire panel, never a replacement for it. The hard part is order: cuts leave first and
before the disk knows, everything that lets current flow leaves last and only after it; and an input that cannot be
handled cuts the zone that it came from. A user would notice a mistake as a charger that burns while the box writes.
"""

from __future__ import annotations

from typing import Any

from edge.domain.alarm_flush import flush
from edge.domain.alarms import tick
from edge.domain.answered import AuditRow, answered, repeated
from edge.domain.devices import DeviceReading
from edge.domain.field_devices import SignalReading
from edge.domain.garage import access, port_kernel
from edge.domain.garage.acting import decide
from edge.domain.garage.building import apply_config
from edge.domain.garage.calm import unsettle
from edge.domain.garage.charging_book import forget_ids
from edge.domain.garage.charging_due import settle
from edge.domain.garage.hearing import heard
from edge.domain.garage.messages import Command, ConfigApplied, CutZone, DayOpened, GarageInput, Timer
from edge.domain.garage.rows import ROW_TYPES, DayRow
from edge.domain.garage.setting_aside import bare_cut, zones_of
from edge.domain.garage.signals import FIRE_KINDS
from edge.domain.garage.starting import CONFIG_KIND, begin, days_kept_from, load_world
from edge.domain.garage.turn import Turn
from edge.domain.garage.views import garage_view, port_view, shows
from edge.domain.garage.world import World
from edge.domain.garage.zones import evaluate, impulse
from edge.domain.kernel import EffectClass, Effects, Leave, Reply, Row, Rows, Show, Stamp, taken_back

#: Zones that want to be looked at in the same moment follow each other by this.
STAGGER_NS = 1_000_000


class GarageKernel:
    """See ``edge.domain.kernel.Kernel``."""

    name = "garage"
    world_type: type[Any] = World
    input_type: Any = GarageInput
    row_types: tuple[type[Row], ...] = ROW_TYPES
    keeps_timers = True

    def load(self, rows: Rows) -> World:
        return load_world(rows)

    def is_safety(self, item: GarageInput) -> bool:
        """A word of a detector, call point or panel, and a hand that cuts."""
        if isinstance(item, DeviceReading):
            return isinstance(item.body, SignalReading) and item.body.kind in FIRE_KINDS
        return isinstance(item, Command) and isinstance(item.body, CutZone)

    def deadline(self, world: World) -> int | None:
        dues = [zone.due_ns for zone in world.zones.values()]
        others = (world.alarms.due_ns, port_kernel.due_ns(world), access.due_ns(world) if world.doors else None)
        dues += [due for due in others if due is not None]
        return min(dues, default=None)

    def resume(self, world: World, stamp: Stamp) -> Effects:
        turn = Turn(world, stamp, EffectClass.DURABLE)
        begin(turn)
        return self._finish(turn, whole=True)

    def set_aside(self, world: World, item: GarageInput, stamp: Stamp) -> Effects:
        """Begin anew without the input, and cut the zones that it was about. Should even that fail, the bare commands
        to cut still leave."""
        world.set_aside += 1
        effects: Effects
        zones = zones_of(world, item)
        try:
            turn = Turn(world, stamp, EffectClass.DURABLE)
            begin(turn)
            for zone in zones:
                turn.struck.add(zone.settings.zone)
                impulse(turn, zone, "set_aside", type(item).__name__)
                evaluate(turn, zone)
            effects = self._finish(turn, whole=True)
        except Exception:  # noqa: BLE001 - this is the last line: whatever is broken, the zone is cut
            effects = bare_cut(world, zones, stamp)
        if isinstance(item, Command):
            effects.append(Reply(item.command_id, "internal", {"remedy": "the zone was cut; the input was kept"}))
        return effects

    def handle(self, world: World, item: GarageInput, stamp: Stamp) -> Effects:
        return self._handle(item, Turn(world, stamp))

    def handle_leaving(self, world: World, item: GarageInput, stamp: Stamp, leave: Leave) -> Effects:
        """See ``edge.domain.kernel.LeavesEarly``."""
        return self._handle(item, Turn(world, stamp, leave=leave))

    def _handle(self, item: GarageInput, turn: Turn) -> Effects:
        world, stamp = turn.world, turn.stamp
        world.clock_trusted = stamp.wall_trusted
        if isinstance(item, DeviceReading):  # nearly all that comes
            heard(turn, item)
            return self._finish(turn)
        unsettle(world)
        match item:
            case Timer():
                _timer(turn)
            case Command():
                turn.view_class = EffectClass.DURABLE
                return self._command(turn, item)
            case ConfigApplied(config=config):
                turn.view_class = EffectClass.DURABLE
                before = _keys(world)
                apply_config(turn, config, CONFIG_KIND)
                return [*self._finish(turn, whole=True), *taken_back(before, _keys(world))]
            case DayOpened(day=day):
                turn.view_class = EffectClass.DURABLE
                if not _open_day(turn, day):
                    return []
                return [*self._finish(turn), Show("garage", garage_view(world, stamp), EffectClass.DURABLE)]
        return self._finish(turn)

    def _command(self, turn: Turn, command: Command) -> Effects:
        world = turn.world
        known = repeated(world.replies, command)
        if known is not None:
            return [known]
        outcome = decide(turn, command)
        row, reply = answered(world.replies, command, outcome.code, outcome.body, world.day)
        turn.put(row)
        if outcome.code == "ok":
            turn.put(_audit(command, turn.stamp))
        return [*self._finish(turn), reply]

    @staticmethod
    def _finish(turn: Turn, *, whole: bool = False) -> Effects:
        """Tell sessions what ended, then the effects in their order: cuts, rows, alarms, views."""
        world, stamp = turn.world, turn.stamp
        if not (whole or turn.stirred or world.alarms.stirred or world.charging.moved):
            return []  # nearly every reading
        for name in turn.ports:
            if name in world.ports:
                world.zones[world.ports[name].zone].calm.until_ns = 0
        for name in sorted(turn.review):
            evaluate(turn, world.zones[name])
        for name, reason in turn.ended:
            if name in world.ports:
                port_kernel.ended(turn, world.ports[name], reason)
        settle(world)
        alarms = flush(world.alarms, stamp)
        if not whole:
            return [*turn.effects(), *alarms, *shows(turn)]
        views: Effects = [Show(f"port/{name}", port_view(world, port, stamp), EffectClass.DURABLE)
                          for name, port in world.ports.items()]  # fmt: skip
        turn.ports = {}
        views.append(Show("garage", garage_view(world, stamp), EffectClass.DURABLE))
        return [*turn.effects(), *alarms, *shows(turn), *views]


def _keys(world: World) -> list[str]:
    """The views of things that a configuration may take away."""
    return [*(f"zone/{name}" for name in world.zones), *(f"port/{name}" for name in world.ports)]


def _timer(turn: Turn) -> None:
    world, now_ns = turn.world, turn.now_ns
    due = [zone for zone in world.zones.values() if zone.due_ns <= now_ns]
    for zone in due[:1]:
        evaluate(turn, zone)
    for number, zone in enumerate(due[1:], 1):  # each gets a turn of its own: smoke waits for one zone at most
        zone.due_ns = now_ns + number * STAGGER_NS
    due_ns = world.alarms.due_ns
    if due_ns is not None and due_ns <= now_ns:
        tick(world.alarms, turn.stamp)
    due_ns = port_kernel.due_ns(world)
    if due_ns is not None and due_ns <= now_ns:
        port_kernel.tick(turn)
    due_ns = access.due_ns(world)
    if due_ns is not None and due_ns <= now_ns:
        access.tick(turn)


def _open_day(turn: Turn, day: str) -> bool:
    """Begin ``day``; the business day never goes back."""
    world = turn.world
    if day <= world.day:
        return False
    world.day = day
    oldest = days_kept_from(day)
    world.replies = {key: reply for key, reply in world.replies.items() if reply.day >= oldest}
    forget_ids(world.charging, day)
    turn.put(DayRow(day=day))
    return True


def _audit(command: Command, stamp: Stamp) -> AuditRow:
    body = command.body
    refs = ("zone", "port", "alarm_id", "session_id")
    ref = next((value for name in refs if (value := getattr(body, name, ""))), command.command_id)
    person = getattr(body, "person", "")
    return AuditRow(
        seq=stamp.seq,
        role=command.actor.role.value,
        user=f"{command.actor.user}/{person}" if person else command.actor.user,
        action=type(body).__name__,
        ref=ref,
        at_ns=stamp.wall_ns,
    )
