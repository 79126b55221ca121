"""What maintenance is due on a machine: by hours, by calendar, by inspection, by its age and by drift.

Each interval is told as soon, due and overdue. The hard part is one order for one debt: a code that grows graver on the
page stays the same order. A user would notice a mistake as three tickets for one oil can.
"""

from __future__ import annotations

from datetime import date

from edge.domain.gym.settings import AssetKind, WearSettings
from edge.domain.gym.turn import Turn
from edge.domain.gym.wear_state import Wear
from edge.domain.gym.workout_state import Asset
from edge.domain.gym.world import World

#: Below this the battery of a counter is told: weeks before it is empty, by what its makers say of such cells [K].
BATTERY_LOW_PCT = 15


def wear_of(world: World, asset: str) -> Wear:
    """The wear of a machine, from the first word on."""
    return world.wear.setdefault(asset, Wear())


def rule_of(turn: Turn, kind: AssetKind) -> WearSettings:
    """The maintenance settings of a kind; none: nothing is due."""
    return next((one for one in turn.config.wear if one.kind is kind), WearSettings(kind=kind))


def dues(turn: Turn, asset: Asset) -> tuple[tuple[str, int], ...]:
    """(code, share of the interval in %): hours, days, inspection with _soon, _due, _overdue; life_over, drift,
    counter_silent and battery_low of an outdoor point's counter."""
    settings, wear, today = asset.settings, wear_of(turn.world, asset.settings.asset), turn.world.day
    rule, found = rule_of(turn, settings.kind), []
    if rule.service_hours:
        found.append(("hours", int(100 * (wear.hours_h - wear.service_h) / rule.service_hours)))
    calendar = (("days", wear.service_day, rule.service_days), ("inspection", wear.inspected_day, rule.inspect_days))
    found += [(name, 100 * _days(since, today) // days) for name, since, days in calendar if days and since and today]
    codes = [(f"{name}_{_grade(pct, rule)}", pct) for name, pct in found if pct >= rule.warn_pct]
    known = settings.life_years and settings.installed and today
    if known and _days(settings.installed, today) >= 365.25 * settings.life_years:
        codes.append(("life_over", 100))
    if rule.silent_days and wear.heard_day and today and _days(wear.heard_day, today) >= rule.silent_days:
        codes.append(("counter_silent", 0))
    if wear.battery_pct is not None and wear.battery_pct < BATTERY_LOW_PCT:
        codes.append(("battery_low", 0))
    return (*codes, *((name, 0) for name in wear.drifts))


def orders_of(codes: tuple[tuple[str, int], ...]) -> list[tuple[str, int]]:
    """Those of ``dues`` that somebody has to do, by the code of their order."""
    owed = [(code.replace("_overdue", "_due"), pct) for code, pct in codes]
    return [(code, pct) for code, pct in owed if not code.endswith("_soon")]


def _grade(pct: int, rule: WearSettings) -> str:
    return "soon" if pct < 100 else "due" if pct < rule.overdue_pct else "overdue"


def _days(earlier: str, later: str) -> int:
    return (date.fromisoformat(later) - date.fromisoformat(earlier)).days
