"""The canteen's kernel: routes inputs to the pure pieces and turns outcomes into effects.

The hard part is what repeats and restarts do: a command that was answered gets the very same answer again, one that was
never answered can be sent again under its id, and a world loaded from rows decides as the old one would have. What a
lane saw of an unpaid tray is not kept: after a start the reader tells it anew within a second.
"""

from __future__ import annotations

from typing import Any

from edge.domain.answered import AuditRow, answered, repeated
from edge.domain.canteen import tray
from edge.domain.canteen.applying import apply_config, load_world, open_day
from edge.domain.canteen.boards import day_view, menu_view
from edge.domain.canteen.lane_commands import call_staff, confirm_plates, identify, key_plate
from edge.domain.canteen.lanes import (
    WAIT_NS,
    belief_of,
    local_minute,
    no_tray,
    other_claims,
    refresh,
    residual_request,
)
from edge.domain.canteen.messages import (
    COMMAND_ROLES,
    BindPlates,
    CallStaff,
    CanteenInput,
    ChargeSession,
    Command,
    CommandBody,
    ConfigApplied,
    ConfirmPlates,
    DayOpened,
    Identify,
    KeyPlate,
    Pay,
    Phase,
    ReadPurses,
    RefundLines,
    RegisterPlates,
    RetirePlate,
    Timer,
    TopUp,
    VoidOrder,
)
from edge.domain.canteen.orders import pay
from edge.domain.canteen.outcome import Outcome, refused
from edge.domain.canteen.plates import bind_plates, register_plates, retire_plate
from edge.domain.canteen.purses import charge_session, read_purses, top_up
from edge.domain.canteen.quoting import meal_at
from edge.domain.canteen.refunds import refund_lines, void_order
from edge.domain.canteen.rows import ROW_TYPES
from edge.domain.canteen.world import Lane, World
from edge.domain.devices import DeviceHealth, DeviceReading, DeviceState, PlatePass
from edge.domain.kernel import EffectClass, Effects, Put, Reply, Row, Rows, Show, Stamp, taken_back

MAX_COMMAND_ID = 255
#: The boards (menu, day) follow a command so much later: no checkout waits for them, and a rush shows them once.
BOARDS_DELAY_NS = 50_000_000
#: Commands that concern only the screen of a lane: no audit row.
SCREEN_COMMANDS = (Identify, ConfirmPlates, CallStaff)


class CanteenKernel:
    """See ``edge.domain.kernel.Kernel``."""

    name = "canteen"
    world_type: type[Any] = World
    input_type: Any = CanteenInput
    row_types: tuple[type[Row], ...] = ROW_TYPES

    def load(self, rows: Rows) -> World:
        return load_world(rows)

    def is_safety(self, item: CanteenInput) -> bool:
        return False

    def deadline(self, world: World) -> int | None:
        """When a lane that still reads has to ask for help, or forgets who put down no tray, or the boards are to be
        shown."""
        due = [] if world.boards_due_ns is None else [world.boards_due_ns]
        due += [
            lane.field.changed_ns + lane.settings.cap_ms * 1_000_000
            for lane in world.lanes.values()
            if lane.shown is not None and lane.shown.phase is Phase.READING
        ]
        due += [lane.waits_ns + WAIT_NS for lane in world.lanes.values() if lane.waits_ns is not None]
        return min(due) if due else None

    def resume(self, world: World, stamp: Stamp) -> Effects:
        """Forget what the antennas saw before, and show every lane as it now stands."""
        for lane in world.lanes.values():
            tray.clear(lane.field)
            lane.paid_uids, lane.paid_view, lane.shown = {}, None, None
            lane.device_ready, lane.device_problem = False, "not_connected"
        return self._refresh_all(world, stamp, durable=True) + _boards(world, stamp)

    def set_aside(self, world: World, item: CanteenInput, stamp: Stamp) -> Effects:
        world.set_aside += 1
        effects: Effects = [Show("day", day_view(world), EffectClass.DURABLE)]
        if isinstance(item, Command):
            effects.append(Reply(item.command_id, "internal", {"remedy": "call staff; the input was kept for repair"}))
        return effects

    def handle(self, world: World, item: CanteenInput, stamp: Stamp) -> Effects:
        world.clock_trusted = stamp.wall_trusted
        match item:
            case DeviceReading():
                return self._reading(world, item, stamp)
            case Command():
                return self._command(world, item, stamp)
            case ConfigApplied(config=config):
                before = [f"lane/{name}" for name in world.lanes]
                effects = self._written(apply_config(world, config))
                effects += self._refresh_all(world, stamp, durable=True) + _boards(world, stamp)
                return effects + taken_back(before, [f"lane/{name}" for name in world.lanes])
            case DayOpened(day=day):
                rows = open_day(world, day)
                if not rows:
                    return []
                return self._written(rows) + self._refresh_all(world, stamp, durable=True) + _boards(world, stamp)
            case Timer():
                return self._refresh_all(world, stamp, durable=False) + self._boards_if_due(world, stamp)

    # --- readings ---

    def _reading(self, world: World, item: DeviceReading, stamp: Stamp) -> Effects:
        name = world.lane_of_device.get(item.device)
        lane = world.lanes.get(name) if name is not None else None
        if lane is None:
            return []
        match item.body:
            case PlatePass() as seen:
                return self._pass(world, lane, seen, stamp)
            case DeviceHealth(state=state, problem=problem):
                ready = state is DeviceState.READY
                if not ready:
                    tray.clear(lane.field)
                    lane.paid_uids, lane.paid_view = {}, None
                lane.device_ready = ready
                lane.device_problem = "" if ready else problem or state.value
                return refresh(world, lane, stamp)
            case _:
                return []

    def _pass(self, world: World, lane: Lane, seen: PlatePass, stamp: Stamp) -> Effects:
        config = world.config
        if config is None:
            return []
        meal = meal_at(config, local_minute(config, stamp.wall_ns))
        shared = [other for other in world.lanes.values() if other is not lane and other.field.tracks]
        foreign = _foreign(world, lane, seen, shared)
        if meal != world.board_meal and world.boards_due_ns is None:
            world.boards_due_ns = stamp.mono_ns + BOARDS_DELAY_NS
        change = tray.observe(lane.field, seen, belief_of(lane, meal), foreign)
        if change.replaced:
            no_tray(lane, stamp)
        for uid in change.vanished:
            lane.paid_uids.pop(uid, None)
        if not lane.paid_uids:
            lane.paid_view = None
        effects = refresh(world, lane, stamp)
        if seen.independent:
            effects += residual_request(world, lane, stamp)
        heard = {tag.uid for tag in seen.tags} | set(change.vanished)
        for other in shared:
            if not heard.isdisjoint(other.field.tracks):
                effects += refresh(world, other, stamp)
        return effects

    # --- commands ---

    def _command(self, world: World, command: Command, stamp: Stamp) -> Effects:
        if isinstance(command.body, ReadPurses):
            outcome = self._decide(world, command, stamp)
            return [Reply(command.command_id, outcome.code, outcome.body)]
        known = repeated(world.replies, command)
        if known is not None:
            return [known]
        outcome = self._decide(world, command, stamp)
        row, reply = answered(world.replies, command, outcome.code, outcome.body, world.day)
        effects = [*self._written(outcome.rows), Put(row)]
        if outcome.rows and not isinstance(command.body, SCREEN_COMMANDS):
            effects.append(Put(_audit(command, stamp)))
        effects.append(reply)
        effects += self._refresh_all(world, stamp, durable=True)
        if outcome.rows and world.boards_due_ns is None:
            world.boards_due_ns = stamp.mono_ns + BOARDS_DELAY_NS
        return effects

    def _decide(self, world: World, command: Command, stamp: Stamp) -> Outcome:
        if not 1 <= len(command.command_id) <= MAX_COMMAND_ID:
            return refused("bad_value", max_command_id=MAX_COMMAND_ID)
        if command.actor.role not in COMMAND_ROLES[type(command.body)]:
            return refused("forbidden", role=command.actor.role.value)
        if world.config is None:
            return refused("blocked", problem="no_config")
        return _dispatch(world, command, command.body, stamp)

    # --- effects ---

    @staticmethod
    def _written(rows: list[Row]) -> Effects:
        return [Put(row) for row in rows]

    @staticmethod
    def _refresh_all(world: World, stamp: Stamp, *, durable: bool) -> Effects:
        effects: Effects = []
        for name in sorted(world.lanes):
            effects += refresh(world, world.lanes[name], stamp, durable=durable)
        return effects

    @staticmethod
    def _boards_if_due(world: World, stamp: Stamp) -> Effects:
        """As previews: they never overtake a payment that is being written, and need no commit of their own."""
        if world.boards_due_ns is None or stamp.mono_ns < world.boards_due_ns:
            return []
        world.boards_due_ns = None
        return _boards(world, stamp, EffectClass.PREVIEW)


def _boards(world: World, stamp: Stamp, cls: EffectClass = EffectClass.DURABLE) -> Effects:
    """The menu and the day as they now stand."""
    if world.config is None:
        return []
    menu = menu_view(world, world.config, stamp)
    world.board_meal = menu.meal
    return [Show("menu", menu, cls), Show("day", day_view(world), cls)]


def _foreign(world: World, lane: Lane, seen: PlatePass, shared: list[Lane]) -> frozenset[str]:
    """Chips of this pass that another lane clearly holds: known there for some passes and mostly answering."""
    return frozenset(
        tag.uid
        for tag in seen.tags
        for other in shared
        if (track := other.field.tracks.get(tag.uid)) is not None
        and track.passes >= tray.CHOICE_PASSES
        and track.rate > tray.RATE_GAP
        and not _holds(world, lane, tag.uid)
    )


def _holds(world: World, lane: Lane, uid: str) -> bool:
    """True when this lane's own evidence for a chip wins against every other lane."""
    return uid in lane.field.tracks and other_claims(world, lane, uid) is None


def _audit(command: Command, stamp: Stamp) -> AuditRow:
    body = command.body
    ref = getattr(body, "order_id", "") or getattr(body, "member", "") or getattr(body, "dish_id", "")
    return AuditRow(
        seq=stamp.seq,
        role=command.actor.role.value,
        user=command.actor.user,
        action=type(body).__name__,
        ref=ref or getattr(body, "uid", "") or command.command_id,
        at_ns=stamp.wall_ns,
    )


def _dispatch(world: World, command: Command, body: CommandBody, stamp: Stamp) -> Outcome:
    actor = f"{command.actor.role.value}:{command.actor.user}"
    match body:
        case Identify():
            return identify(world, body, stamp)
        case Pay():
            return pay(world, body, stamp)
        case ConfirmPlates():
            return confirm_plates(world, body)
        case KeyPlate():
            return key_plate(world, body, stamp)
        case CallStaff():
            return call_staff(world, body)
        case VoidOrder():
            return void_order(world, body, command.command_id, actor, stamp)
        case RefundLines():
            return refund_lines(world, body, actor, stamp)
        case TopUp():
            return top_up(world, body, command.command_id, stamp)
        case ChargeSession():
            return charge_session(world, body, stamp)
        case ReadPurses():
            return read_purses(world, body, stamp)
        case BindPlates():
            return bind_plates(world, body)
        case RegisterPlates():
            return register_plates(world, body)
        case RetirePlate():
            return retire_plate(world, body)
