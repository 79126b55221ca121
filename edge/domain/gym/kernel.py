"""The gym's kernel: routes inputs to the pure pieces and turns what they decide into effects.

The hard part is that 200 machines and 100 straps speak every second and almost nothing changes: a reading touches its
own machine and no other, a machine is shown at most once a second unless its state changes, the board follows changes.
A user would notice a mistake as a wall that stutters at six in the evening.
"""

from __future__ import annotations

from typing import Any

from edge.domain.alarm_flush import flush
from edge.domain.alarms import tick
from edge.domain.answered import AuditRow, answered, repeated
from edge.domain.devices import DeviceReading
from edge.domain.gym import counts, heart, occupancy, people, queue, trail, wear
from edge.domain.gym.acting import decide
from edge.domain.gym.hearing import heard
from edge.domain.gym.machines import ticked, told_long
from edge.domain.gym.messages import Command, ConfigApplied, DayOpened, GymInput, Timer
from edge.domain.gym.rows import ROW_TYPES, DayRow
from edge.domain.gym.starting import apply_config, begin, days_kept_from, load_world
from edge.domain.gym.trail import trail_view
from edge.domain.gym.turn import Turn
from edge.domain.gym.views import asset_view, gym_view, kiosk_view, maintenance_view
from edge.domain.gym.workout import NS_PER_S
from edge.domain.gym.workout_state import Asset
from edge.domain.gym.world import Today, World
from edge.domain.kernel import Effect, EffectClass, Effects, Reply, Row, Rows, Show, Stamp, taken_back

#: A machine whose state does not change is shown at most so often.
SHOWN_NS = NS_PER_S
ALARMS_KEY = "gym-alarms"
#: The board is drawn anew so often even if nothing has changed: rooms open and close, warm machines cool.
REFRESH_NS = 30 * NS_PER_S


class GymKernel:
    """See ``edge.domain.kernel.Kernel``."""

    name = "gym"
    world_type: type[Any] = World
    input_type: Any = GymInput
    row_types: tuple[type[Row], ...] = ROW_TYPES

    def load(self, rows: Rows) -> World:
        return load_world(rows)

    def is_safety(self, item: GymInput) -> bool:
        """Nothing here goes before all others: beats are weighed over seconds."""
        return False

    def deadline(self, world: World) -> int | None:
        dues = [due for asset in world.assets.values() if (due := asset.due_ns) is not None]
        grace_s = 0 if world.config is None else world.config.session.grace_s
        buzzer_ns = heart.buzz_due_ns(world)
        others = (
            world.alarms.due_ns,
            world.board_due_ns,
            world.cap_due_ns,
            queue.due_ns(world, grace_s),
            trail.due_ns(world),
            buzzer_ns,
        )
        dues += [due for due in others if due is not None]
        return min(dues, default=None)

    def resume(self, world: World, stamp: Stamp) -> Effects:
        turn = Turn(world, stamp, EffectClass.DURABLE)
        begin(turn)
        return self._finish(turn, whole=True)

    def set_aside(self, world: World, item: GymInput, stamp: Stamp) -> Effects:
        """Begin anew without the input."""
        world.set_aside += 1
        turn = Turn(world, stamp, EffectClass.DURABLE)
        begin(turn)
        effects = self._finish(turn, whole=True)
        if isinstance(item, Command):
            effects.append(Reply(item.command_id, "internal", {"remedy": "the input was kept for the makers"}))
        return effects

    def handle(self, world: World, item: GymInput, stamp: Stamp) -> Effects:
        turn = Turn(world, stamp)
        world.clock_trusted = stamp.wall_trusted
        if isinstance(item, Command):
            turn.view_class = EffectClass.DURABLE
            return self._command(turn, item)
        whole, gone = False, Effects()
        match item:
            case DeviceReading() if world.config is not None:
                heard(turn, item)
            case Timer() if world.config is not None:
                _timer(turn)
            case ConfigApplied(config=config):
                turn.view_class, whole = EffectClass.DURABLE, True
                before = _keys(world)
                apply_config(turn, config)
                gone = taken_back(before, _keys(world))
            case DayOpened(day=day):
                turn.view_class, whole = EffectClass.DURABLE, True
                if not _open_day(turn, day):
                    return []
            case _:
                pass
        return [*self._finish(turn, whole=whole), *gone]

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
        """Stops first, then rows, alarms, views."""
        world = turn.world
        if world.config is None:
            return [*turn.first, *turn.rest, *flush(world.alarms, turn.stamp, ALARMS_KEY)]
        counts.note(turn)
        occupancy.keep(turn)
        heart.buzz(turn)
        if whole:
            turn.urgent = dict.fromkeys(world.assets)
            turn.kiosks = dict.fromkeys(world.kiosks)
            turn.trails = dict.fromkeys(one.trail for one in turn.config.trails)
            turn.maintenance = True
            world.board_due_ns = turn.now_ns
        alarms = flush(world.alarms, turn.stamp, ALARMS_KEY)
        return [*turn.first, *turn.rest, *alarms, *_views(turn)]


def _keys(world: World) -> list[str]:
    """The views of things that a configuration may take away."""
    trails = () if world.config is None else world.config.trails
    kinds = (("asset", world.assets), ("kiosk", world.kiosks), ("trail", [one.trail for one in trails]))
    return [f"{kind}/{name}" for kind, names in kinds for name in names]


def _views(turn: Turn) -> Effects:
    world, shown = turn.world, turn.urgent
    effects: list[Effect] = []
    for name in {**turn.urgent, **turn.assets}:
        asset = world.assets.get(name)
        if asset is None or (name not in shown and turn.now_ns - asset.shown_ns < SHOWN_NS):
            continue
        effects.append(_shown(turn, asset))
    effects += [Show(f"kiosk/{name}", kiosk_view(turn, world.kiosks[name]), turn.view_class) for name in turn.kiosks]
    trails = [one for one in turn.config.trails if one.trail in turn.trails]
    effects += [Show(f"trail/{one.trail}", trail_view(turn, one), turn.view_class) for one in trails]
    if turn.maintenance:
        effects.append(Show("maintenance", maintenance_view(turn), turn.view_class))
    if world.board_due_ns is not None and world.board_due_ns <= turn.now_ns:
        world.board_due_ns = turn.now_ns + REFRESH_NS
        board = gym_view(turn)
        effects.append(Show("gym", board, turn.view_class))
        changed = [world.assets[name] for name, use, _ in board.assets if world.assets[name].shown_use != use]
        effects += [_shown(turn, asset) for asset in changed]
    return effects


def _shown(turn: Turn, asset: Asset) -> Show:
    """Show a machine. A quiet one changes by the clock alone: rooms open and close, warm machines cool; the board's
    redraw sees to those."""
    view = asset_view(turn, asset)
    asset.shown_ns, asset.shown_use = turn.now_ns, view.use
    return Show(f"asset/{asset.settings.asset}", view, turn.view_class)


def _timer(turn: Turn) -> None:
    world, now_ns = turn.world, turn.now_ns
    for asset in world.assets.values():
        if asset.due_ns is not None and asset.due_ns <= now_ns:
            asset.due_ns = None
            ticked(turn, asset)
    queue.call(turn)
    told_long(turn)
    trail.tick(turn)
    due_ns = world.alarms.due_ns
    if due_ns is not None and due_ns <= now_ns:
        tick(world.alarms, turn.stamp)


def _open_day(turn: Turn, day: str) -> bool:
    """Begin ``day``; the business day never goes back."""
    world = turn.world
    if day <= world.day:
        return False
    if world.day and world.config is not None:
        occupancy.close_day(turn)
        wear.close_day(turn, world.day)
        queue.withdraw(turn)
        people.forget_old(turn)
    closed, world.day, world.today = bool(world.day and world.config is not None), day, Today()
    if closed:
        wear.open_day(turn)
    for trail_state in world.trails.values():
        trail_state.laps_today = 0
    oldest = days_kept_from(day)
    world.replies = {key: reply for key, reply in world.replies.items() if reply.day >= oldest}
    turn.put(DayRow(day=day))
    return True


def _audit(command: Command, stamp: Stamp) -> AuditRow:
    body = command.body
    refs = ("asset", "person", "workout_id", "order_id", "alarm_id")
    return AuditRow(
        seq=stamp.seq,
        role=command.actor.role.value,
        user=command.actor.user,
        action=type(body).__name__,
        ref=next((value for name in refs if (value := getattr(body, name, ""))), command.command_id),
        at_ns=stamp.wall_ns,
    )
