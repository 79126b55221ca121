"""Maintenance by measured use: hours and calendar, fault codes, temperature, drift of the motor current.

What is due becomes a work order once, beforehand (``warn_pct``) as a word on the page. The hard part is to believe the
machine just as far as it deserves: its own hours where it tells them, integrated ones where it does not, never a step
back because a console was changed. A user would notice a mistake as a service that is due every morning.
"""

from __future__ import annotations

import msgspec

from edge.domain.alarm_states import Priority
from edge.domain.alarms import clear_alarm, raise_alarm
from edge.domain.gym.drift import cusum_step, drifts
from edge.domain.gym.dues import dues, orders_of, rule_of, wear_of
from edge.domain.gym.messages import ServiceDone
from edge.domain.gym.orders import answer_orders, open_order, say_more, settle
from edge.domain.gym.settings import AssetKind
from edge.domain.gym.trail_rows import CountDayRow
from edge.domain.gym.turn import Turn
from edge.domain.gym.wear_rows import WearDayRow, WearRow
from edge.domain.gym.wear_state import BASELINE_DAYS, HOURS, KEPT_DAYS, Day, Line, Wear
from edge.domain.gym.workout import NS_PER_S
from edge.domain.gym.workout_state import Asset, Phase
from edge.domain.gym.world import World
from edge.domain.kernel import Rows
from edge.domain.machine_readings import MachineHealthReading
from edge.domain.outcome import Outcome, refused

#: Below this speed current says nothing of the belt.
LEAST_KM_H = 1.0
NOTED_NS = 600 * NS_PER_S
BOX = "box"
#: The fault of a machine that says "error" without a code.
IN_FAULT = "error"


def load_wear(world: World, rows: Rows) -> None:
    """Wear as it was last kept."""
    for row in rows.all(WearRow):
        world.wear[row.asset] = msgspec.msgpack.decode(row.body, type=Wear)
        world.wear[row.asset].noted_ns = 0  # it was of another boot


def health(turn: Turn, asset: Asset, body: MachineHealthReading) -> None:
    """What the machine says of its own wear."""
    wear = wear_of(turn.world, asset.settings.asset)
    if body.usage_hours_h is not None:
        _hours(wear, body.usage_hours_h)
    if body.odometer_km is not None:
        wear.told_km = body.odometer_km
    if body.start_count is not None:
        wear.told_starts = body.start_count
    if body.motor_current_a is not None:
        _current(turn, asset, wear, body.motor_current_a * 1000)
    if body.motor_temperature_c is not None:
        _temperature(turn, asset, wear, body.motor_temperature_c)
    _codes(turn, asset, body)
    if turn.now_ns - wear.noted_ns >= NOTED_NS:
        keep(turn, asset)


def _hours(wear: Wear, hours_h: float) -> None:
    """The machine's own hours. A step back is believed when the next word says the same: a new console counts from
    elsewhere, a console that wakes up says 0 once."""
    if wear.told_hours_h is None:
        wear.service_h += hours_h - wear.hours_h
    elif hours_h < wear.told_hours_h:
        if wear.odd_hours_h is None or hours_h < wear.odd_hours_h:
            wear.odd_hours_h = hours_h
            return
        wear.service_h += wear.odd_hours_h - wear.told_hours_h
    wear.told_hours_h, wear.odd_hours_h = hours_h, None


def began(turn: Turn, asset: Asset) -> None:
    """A workout began: one start."""
    wear = wear_of(turn.world, asset.settings.asset)
    wear.starts += 1
    wear.day.starts += 1


def used(turn: Turn, asset: Asset, active_ms: int, distance_m: float) -> None:
    """A workout ended: what it added."""
    wear = wear_of(turn.world, asset.settings.asset)
    wear.own_ms += active_ms
    wear.own_m += distance_m
    wear.day.busy_ms += active_ms
    wear.day.distance_m += distance_m
    keep(turn, asset)


def keep(turn: Turn, asset: Asset) -> None:
    """Write the wear down, and order what has become due."""
    wear, name = wear_of(turn.world, asset.settings.asset), asset.settings.asset
    if not wear.service_day:
        wear.service_day = asset.settings.installed or turn.world.day
    wear.inspected_day = wear.inspected_day or wear.service_day
    wear.heard_day = wear.heard_day or turn.world.day
    wear.noted_ns = turn.now_ns
    turn.put(
        WearRow(
            asset=name,
            hours_h=round(wear.hours_h, 2),
            distance_km=round(wear.distance_km, 2),
            starts=wear.all_starts,
            service_day=wear.service_day,
            at_ns=turn.stamp.wall_ns,
            body=msgspec.msgpack.encode(wear),
        )
    )
    found = dues(turn, asset)
    owed = orders_of(found)
    settle(turn, asset, {code for code, _ in owed}, BOX)
    for code, pct in owed:
        # What the calendar or the hours make due was known for weeks: 232 such pieces must not fill the book of alarms.
        open_order(turn, asset, code, f"{pct} %" if pct else "", BOX, alarm=code in wear.drifts)
    told = tuple(code for code, _ in found)
    if told != wear.told_dues:
        wear.told_dues, turn.maintenance = told, True
        turn.show(name)


def service_done(turn: Turn, body: ServiceDone, by: str) -> Outcome:
    """The service has been done: intervals and the baseline begin anew."""
    asset = turn.world.assets.get(body.asset)
    if asset is None:
        return refused("unknown_asset", asset=body.asset)
    wear = wear_of(turn.world, body.asset)
    wear.service_h, wear.service_day = wear.hours_h, turn.world.day
    wear.indexes, wear.cusum, wear.drifts = [], 0.0, ()
    wear.line, wear.baseline_days = Line(), 0
    wear.day.measured = wear.day.expected = 0.0
    keep(turn, asset)
    answer_orders(turn, asset, by, body.note)
    turn.maintenance = True
    return Outcome("ok", {"asset": body.asset, "by": by})


def inspected(turn: Turn, asset: Asset) -> None:
    """The checklist has been gone through: the next inspection is due anew."""
    wear = wear_of(turn.world, asset.settings.asset)
    wear.inspected_day, wear.inspection = turn.world.day, turn.stamp.seq
    keep(turn, asset)
    turn.maintenance = True


def close_day(turn: Turn, day: str) -> None:
    """The business day ``day`` is over: its index joins the others, and every machine is compared with its sisters."""
    world = turn.world
    todays: dict[str, float] = {}
    for name, asset in world.assets.items():
        wear = wear_of(world, name)
        index = wear.day.measured / wear.day.expected if wear.day.expected else None
        turn.put(_day_row(name, day, wear.day, index))
        if asset.settings.kind is AssetKind.OUTDOOR:
            turn.put(
                CountDayRow(
                    asset=name, day=day, uses=wear.day.uses, counter=wear.counter or 0, at_ns=turn.stamp.wall_ns,
                    hours=msgspec.msgpack.encode(wear.day.hours or [0] * HOURS),
                )
            )  # fmt: skip
        if index is not None:
            todays[name] = index
        elif wear.day.n and wear.baseline_days < BASELINE_DAYS:
            wear.baseline_days += 1
        wear.day = Day()
    for name, index in todays.items():
        _compare(turn, world.assets[name], day, index, todays)


def open_day(turn: Turn) -> None:
    """A business day has begun: what the calendar makes due today is ordered today, also of what says nothing."""
    for asset in turn.world.assets.values():
        keep(turn, asset)


def _compare(turn: Turn, asset: Asset, day: str, index: float, todays: dict[str, float]) -> None:
    world, settings = turn.world, asset.settings
    wear, rule = wear_of(world, settings.asset), rule_of(turn, settings.kind)
    sisters = [
        value
        for name, value in todays.items()
        if name != settings.asset and settings.model and world.assets[name].settings.model == settings.model
    ]
    after = cusum_step(wear.cusum, index, sisters, [value for _, value in wear.indexes], rule)
    wear.cusum = wear.cusum if after is None else after
    wear.indexes = [*wear.indexes, (day, index)][-KEPT_DAYS:]
    wear.drifts = drifts(wear.indexes, wear.cusum, rule)


def _current(turn: Turn, asset: Asset, wear: Wear, current_ma: float) -> None:
    day, speed = wear.day, asset.latest.speed_km_h
    day.peak_current_ma = max(day.peak_current_ma or 0, round(current_ma))
    limit_ma = rule_of(turn, asset.settings.kind).current_max_ma
    _level(turn, asset, "current", "motor_current", high=bool(limit_ma) and current_ma > limit_ma)
    if asset.phase is not Phase.ACTIVE or speed is None or speed < LEAST_KM_H:
        return
    day.n += 1
    day.current += current_ma
    if wear.has_baseline:
        a, b = wear.line.fit()
        day.measured += current_ma
        day.expected += max(1.0, a + b * speed)
    else:
        wear.line.add(speed, current_ma)


def _temperature(turn: Turn, asset: Asset, wear: Wear, temperature_c: float) -> None:
    rule, day = rule_of(turn, asset.settings.kind), wear.day
    day.peak_temperature_c = max(temperature_c, day.peak_temperature_c or temperature_c)
    _level(turn, asset, "hot", "motor_hot", high=temperature_c >= rule.temperature_danger_c)
    if temperature_c >= rule.temperature_service_c:
        open_order(turn, asset, "motor_warm", f"{temperature_c:.0f} °C", BOX)


def _codes(turn: Turn, asset: Asset, body: MachineHealthReading) -> None:
    """Fault codes: an error takes the machine out of the visitors' list while it lasts; the order stays."""
    if body.error_code is not None:
        code = f"error_{body.error_code}" if body.error_code else ""
        _set_fault(turn, asset, code or (IN_FAULT if asset.fault == IN_FAULT else ""))
        _level(turn, asset, "fault", "machine_fault", high=bool(asset.fault))
        if code:
            order = open_order(turn, asset, "fault", code, BOX)
            if order.detail == IN_FAULT:
                say_more(turn, order, code, BOX)
    if body.service_code:
        open_order(turn, asset, "service_code", f"code {body.service_code}", BOX)


def stands(turn: Turn, asset: Asset, *, faulty: bool) -> None:
    """Whether its own state says that it is broken: all that a machine without error codes can tell. A code tells more,
    and what a code said is for the next code to take back, also after a start."""
    if asset.fault not in {"", IN_FAULT}:
        return
    _set_fault(turn, asset, IN_FAULT if faulty else "")
    alarm = turn.world.alarms.alarms.get(f"fault:{asset.settings.asset}")
    if faulty:
        _level(turn, asset, "fault", "machine_fault", high=True)
        open_order(turn, asset, "fault", IN_FAULT, BOX)
    elif alarm is not None and alarm.active and all(said.endswith(f":{IN_FAULT}") for said in alarm.details):
        _level(turn, asset, "fault", "machine_fault", high=False)


def standing_fault(world: World, name: str) -> str:
    """The fault of a machine as its standing alarm tells it: one that says its code once has it after a start too."""
    alarm = world.alarms.alarms.get(f"fault:{name}")
    if alarm is None or not alarm.active or alarm.clear_due_ns is not None or not alarm.details:
        return ""
    told = [detail.removeprefix(f"{name}:") for detail in alarm.details]
    return next((code for code in reversed(told) if code != IN_FAULT), IN_FAULT)


def _set_fault(turn: Turn, asset: Asset, fault: str) -> None:
    if fault != asset.fault:
        asset.fault = fault
        turn.show(asset.settings.asset, at_once=True)


def _level(turn: Turn, asset: Asset, kind: str, cause: str, *, high: bool) -> None:
    key = f"{kind}:{asset.settings.asset}"
    if high:
        raise_alarm(
            turn.world.alarms, key, cause=cause, zone=asset.settings.zone, priority=Priority.MEDIUM,
            detail=f"{asset.settings.asset}:{asset.fault}" if asset.fault else asset.settings.asset, stamp=turn.stamp,
        )  # fmt: skip
    else:
        clear_alarm(turn.world.alarms, key, turn.stamp)


def _day_row(asset: str, day: str, done: Day, index: float | None) -> WearDayRow:
    return WearDayRow(
        asset=asset,
        day=day,
        busy_ms=done.busy_ms,
        distance_m=round(done.distance_m, 1),
        starts=done.starts,
        uses=done.uses,
        current_index=None if index is None else round(index, 4),
        peak_current_ma=done.peak_current_ma,
        peak_temperature_c=done.peak_temperature_c,
        n=done.n,
        mean_current_ma=round(done.current / done.n) if done.n else None,
    )
