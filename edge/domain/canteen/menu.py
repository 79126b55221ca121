"""What is on sale on a day, and whether a plan of days keeps its own rules.

The hard part of a plan is the repeat rule over a rolling window: with ``no_repeat_days`` = 15 a dish of day d must
not come again before day d + 15. Guests would notice a mistake as the same fish twice a week under a poster that
promises otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum

import msgspec

from edge.domain.canteen.settings import CanteenConfig, DishCard, MenuDay


def dishes_on(config: CanteenConfig, day: str) -> tuple[DishCard, ...]:
    """The dishes on sale on ``day`` (ISO) in the order of the board; () on a day without a menu."""
    cards = {dish.dish_id: dish for dish in config.dishes}
    for menu_day in config.menu:
        if menu_day.day == day:
            return tuple(cards[dish_id] for dish_id in menu_day.dish_ids if dish_id in cards)
    return ()


def rotation(
    cycle_start: date, cycle: Sequence[tuple[str, ...]], first: date, days: int, closed_weekdays: frozenset[int]
) -> tuple[MenuDay, ...]:
    """``days`` calendar days from ``first``, filled from ``cycle`` (one tuple of dish ids per day of the cycle).

    The cycle counts open days only, from ``cycle_start`` on and backwards before it, so that a closed Sunday does not
    swallow a menu. ``closed_weekdays``: 0 = Monday .. 6 = Sunday; those days get no menu.
    """
    plan = []
    for offset in range(days):
        day = first + timedelta(days=offset)
        if day.weekday() not in closed_weekdays:
            at = _open_days(cycle_start, day, closed_weekdays) % len(cycle)
            plan.append(MenuDay(day=day.isoformat(), dish_ids=cycle[at]))
    return tuple(plan)


def _open_days(start: date, day: date, closed: frozenset[int]) -> int:
    """Open days from ``start`` (inclusive) to ``day`` (exclusive); negative when ``day`` is before ``start``."""
    low, high, sign = (start, day, 1) if day >= start else (day, start, -1)
    weeks, rest = divmod((high - low).days, 7)
    tail = sum(1 for i in range(rest) if (low + timedelta(days=i)).weekday() not in closed)
    return sign * (weeks * (7 - len(closed)) + tail)


class FaultKind(StrEnum):
    TOO_FEW = "too_few"
    TOO_MANY = "too_many"
    TWICE_A_DAY = "twice_a_day"
    REPEAT = "repeat"


class PlanFault(msgspec.Struct, frozen=True, kw_only=True):
    """One broken rule. ``dish_id`` is "" for counts; ``number`` is the count of dishes, or the days since the dish was
    last on sale (on ``last_day``)."""

    kind: FaultKind
    day: str
    dish_id: str = ""
    number: int = 0
    last_day: str = ""


def check_plan(plan: Sequence[MenuDay], dishes_per_day: int, no_repeat_days: int) -> tuple[PlanFault, ...]:
    """All faults of ``plan`` (days ascending), in the order of days and of the board.

    ``dishes_per_day`` 0 or ``no_repeat_days`` < 2 switch the rule off. A repeat is reported against the latest earlier
    day that had the dish.
    """
    faults = []
    last: dict[str, str] = {}
    for menu_day in plan:
        count = len(menu_day.dish_ids)
        if dishes_per_day and count != dishes_per_day:
            kind = FaultKind.TOO_FEW if count < dishes_per_day else FaultKind.TOO_MANY
            faults.append(PlanFault(kind=kind, day=menu_day.day, number=count))
        seen: set[str] = set()
        for dish_id in menu_day.dish_ids:
            if dish_id in seen:
                faults.append(PlanFault(kind=FaultKind.TWICE_A_DAY, day=menu_day.day, dish_id=dish_id))
            elif fault := _repeat(dish_id, menu_day.day, last.get(dish_id), no_repeat_days):
                faults.append(fault)
            seen.add(dish_id)
        last.update(dict.fromkeys(seen, menu_day.day))
    return tuple(faults)


def _repeat(dish_id: str, day: str, last_day: str | None, no_repeat_days: int) -> PlanFault | None:
    if last_day is None:
        return None
    gap = (date.fromisoformat(day) - date.fromisoformat(last_day)).days
    if gap >= no_repeat_days:
        return None
    return PlanFault(kind=FaultKind.REPEAT, day=day, dish_id=dish_id, number=gap, last_day=last_day)
