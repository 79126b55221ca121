"""The menu of a site: a rotation of days, exceptions by date, meals, and the check of the plan.

The menu that the kernel gets covers yesterday to 30 days ahead of ``today``, which the caller gives: the same files
and the same day always give the same menu. A user would notice a mistake here as an empty board, or as the wrong
day's dishes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import date, timedelta
from pathlib import Path
from typing import assert_never

import msgspec

from edge.domain.canteen.menu import FaultKind, check_plan, rotation
from edge.domain.canteen.settings import Meal, MenuDay
from edge.domain.words import Text
from edge.site_report import EMPTY, Bag, Place, one_of
from edge.site_table import Seen, Table, once, open_table
from edge.site_toml import read_toml

DAYS_BACK = 1

#: Load the site anew each day. Should that fail (a slip in a file while the canteen sells), the menu known so far still
#: lasts a month.
DAYS_AHEAD = 30
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CYCLE_MAX = 60


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """The menu file as values."""

    cycle_start: date
    cycle: tuple[tuple[str, ...], ...]
    closed_weekdays: frozenset[int]
    exceptions: dict[str, tuple[str, ...]]
    dishes_per_day: int
    no_repeat_days: int

    def days(self, today: date) -> tuple[MenuDay, ...]:
        """The menu days around ``today``; exceptions replace what the rotation gives."""
        first = today - timedelta(days=DAYS_BACK)
        count = DAYS_BACK + 1 + DAYS_AHEAD
        plan = {d.day: d for d in rotation(self.cycle_start, self.cycle, first, count, self.closed_weekdays)}
        last = first + timedelta(days=count - 1)
        for day, dish_ids in self.exceptions.items():
            if first.isoformat() <= day <= last.isoformat():
                plan[day] = MenuDay(day=day, dish_ids=dish_ids)
        return tuple(plan[day] for day in sorted(plan) if plan[day].dish_ids)


def read_menu(path: Path, file: str, dishes: Collection[str] | None, today: date, bag: Bag) -> tuple[MenuDay, ...]:
    """The menu around ``today``; plan faults become warnings, one for each kind."""
    top = open_table(read_toml(path, file, bag), bag)
    start = top.day("cycle_start")
    closed = frozenset(WEEKDAYS.index(word) for word in top.strings("closed_weekdays", WEEKDAYS))
    if len(closed) == len(WEEKDAYS):
        top.mistake("contradiction", "closed_weekdays", "", Text("至少一天营业", "at least one open day"))
    per_day = top.integer("dishes_per_day", 0, 200, 24) or 0
    no_repeat = top.integer("no_repeat_days", 0, 60, 15) or 0
    cycle = tuple(_day(entry, dishes) for entry in top.tables("day"))
    exceptions = _exceptions(top, dishes)
    top.finish()
    if top.has("cycle_start") and not 1 <= len(cycle) <= CYCLE_MAX:
        top.mistake(
            "missing", "day", str(len(cycle)), Text(f"1 到 {CYCLE_MAX} 个 [[day]]", f"1 to {CYCLE_MAX} [[day]]")
        )
    if not start or not cycle or len(closed) == len(WEEKDAYS):
        return ()
    plan = Rotation(
        cycle_start=date.fromisoformat(start),
        cycle=cycle,
        closed_weekdays=closed,
        exceptions=exceptions,
        dishes_per_day=per_day,
        no_repeat_days=no_repeat,
    )
    days = plan.days(today)
    _warn(days, plan, len(set().union(*cycle)), Place(file, None, ""), bag)
    return days


def _day(entry: Table, dishes: Collection[str] | None) -> tuple[str, ...]:
    found = entry.strings("dishes", dishes)
    entry.finish()
    return found


def _exceptions(top: Table, dishes: Collection[str] | None) -> dict[str, tuple[str, ...]]:
    """``[[exception]]``: a date with its own ``dishes``, or ``closed = true``."""
    found = {}
    seen: Seen = {}
    for entry in top.tables("exception"):
        day = entry.day("date")
        closed = entry.boolean("closed", default=False)
        own = entry.strings("dishes", dishes)
        entry.finish()
        if closed == bool(own):
            entry.mistake(
                "contradiction", "", "", Text("要么 closed = true，要么 dishes", "either closed = true or dishes")
            )
        if once(seen, day, entry, "date"):
            found[day] = own
    return found


def _warn(days: tuple[MenuDay, ...], plan: Rotation, variety: int, place: Place, bag: Bag) -> None:
    faults = check_plan(days, plan.dishes_per_day, plan.no_repeat_days)
    for kind, count in sorted(Counter(fault.kind for fault in faults).items()):
        first = next(fault for fault in faults if fault.kind is kind)
        match kind:
            case FaultKind.REPEAT:
                need = plan.dishes_per_day * plan.no_repeat_days
                allowed = Text(
                    f"{plan.no_repeat_days} 天内不重复（约需 {need} 道菜，现有 {variety} 道）",
                    f"no repeat within {plan.no_repeat_days} days (needs about {need} dishes, the cycle has {variety})",
                )
                found = f"{count} x, {first.day} {first.dish_id} ({first.last_day})"
            case FaultKind.TWICE_A_DAY:
                allowed, found = EMPTY, f"{count} x, {first.day} {first.dish_id}"
            case FaultKind.TOO_FEW | FaultKind.TOO_MANY:
                allowed = Text(f"每天 {plan.dishes_per_day} 道", f"{plan.dishes_per_day} dishes a day")
                found = f"{count} x, {first.day}: {first.number}"
            case _:
                assert_never(kind)
        bag.add("menu_plan", place, found, allowed, warn=True)


def read_meals(path: Path, file: str, bag: Bag) -> tuple[Meal, ...]:
    """The meals by start; they must not overlap."""
    top = open_table(read_toml(path, file, bag), bag)
    meals: list[Meal] = []
    seen: Seen = {}
    for entry in top.tables("meal"):
        meal_id = entry.ident("id")
        once(seen, meal_id, entry, "id")
        name = entry.text("name")
        start, end = entry.clock("start"), entry.clock("end")
        entry.finish()
        if start is None or end is None:
            continue
        if end <= start:
            entry.mistake("contradiction", "end", "", Text("晚于 start", "after start"))
        elif clash := next((m for m in meals if start < m.end_min and m.start_min < end), None):
            entry.mistake("ambiguous", "start", meal_id, hint=one_of([clash.meal_id]))
        else:
            meals.append(Meal(meal_id=meal_id, name=name, start_min=start, end_min=end))
    top.finish()
    return tuple(sorted(meals, key=lambda meal: meal.start_min))
