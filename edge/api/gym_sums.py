"""Sums over many days of the gym: how busy each hour of the week is, and what one person did in a week.

The hard part is what to divide by: an hour counts on the days of which there are figures, a room that was closed is no
empty room. A user would notice a mistake as a Monday morning that is always free because the box was off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

import msgspec

from edge.domain.gym.effort import Effort, borders, effort_of
from edge.domain.gym.limits import Prescription, ceiling_of
from edge.domain.gym.pulses import PulseRow, samples_of
from edge.domain.gym.rows import PersonRow, UseRow, WorkoutRow
from edge.domain.gym.settings import AssetKind, GymConfig, LimitSettings, ZoneSettings

WEEK_H, DAY_H, WEEK_D = 168, 24, 7
HOUR_MS = 3_600_000


class UseWeekLine(msgspec.Struct, frozen=True, kw_only=True):
    """Use of one kind of machine in one room by the hour of the week; see ``view_docs_gym``."""

    zone: str
    kind: str
    machines: int
    busy_pct: list[int | None]
    workouts: int
    mean_use_s: int | None
    turns_per_h: float | None
    waits: int
    mean_wait_s: int | None
    longest_wait_s: int | None
    no_shows: int
    turned_away: int


class UseWeek(msgspec.Struct, frozen=True, kw_only=True):
    """The profile of the week, over several weeks."""

    first_day: str
    last_day: str
    days: list[int]
    items: list[UseWeekLine]


class MyDay(msgspec.Struct, frozen=True, kw_only=True):
    """What one person did on one day."""

    day: str
    workouts: int
    active_s: int
    distance_m: float
    energy_kcal: float
    pulse_s: int
    light_s: int
    moderate_s: int
    vigorous_s: int
    over_s: int


class MyWeek(msgspec.Struct, frozen=True, kw_only=True):
    """Seven days of one person, with the limits by which the zones were told."""

    person: str
    source: str
    ceiling_bpm: int
    max_bpm: int
    moderate_bpm: int
    vigorous_bpm: int
    days: list[MyDay]


ANSWERS = (UseWeek, MyWeek)


def days_until(last_day: str, count: int) -> list[str]:
    """The ``count`` days that end with ``last_day``."""
    last = date.fromisoformat(last_day)
    return [(last - timedelta(days=back)).isoformat() for back in reversed(range(count))]


def use_week(config: GymConfig, rows: Mapping[str, Sequence[UseRow]], last_day: str, days: int) -> UseWeek:
    """The profile of ``days`` days up to ``last_day``; ``rows`` by day. A day without any row was not measured."""
    wanted = days_until(last_day, days)
    counted = [0] * WEEK_D
    for day in wanted:
        counted[date.fromisoformat(day).weekday()] += bool(rows.get(day))
    found = [row for day in wanted for row in rows.get(day, ())]
    zones = {zone.zone: zone for zone in config.zones}
    here = dict.fromkeys((one.zone, one.kind) for one in config.assets if one.kind is not AssetKind.OUTDOOR)
    items = [_line(config, zones[zone], kind, found, counted) for zone, kind in here]
    return UseWeek(first_day=wanted[0], last_day=last_day, days=counted, items=items)


def _line(
    config: GymConfig, zone: ZoneSettings, kind: AssetKind, rows: Iterable[UseRow], counted: Sequence[int]
) -> UseWeekLine:
    mine = [row for row in rows if (row.zone, row.kind) == (zone.zone, kind.value)]
    machines = sum((one.zone, one.kind) == (zone.zone, kind) for one in config.assets)
    busy_ms = [0] * WEEK_H
    for row in mine:
        busy_ms[date.fromisoformat(row.day).weekday() * DAY_H + row.hour] += row.busy_ms
    waits, workouts = sum(row.waits for row in mine), sum(row.workouts for row in mine)
    open_h = machines * sum(_open(zone, hour % DAY_H) * counted[hour // DAY_H] for hour in range(WEEK_H))
    return UseWeekLine(
        zone=zone.zone,
        kind=kind.value,
        machines=machines,
        busy_pct=[
            min(100, round(100 * ms / (HOUR_MS * machines * counted[hour // DAY_H])))
            if counted[hour // DAY_H] and _open(zone, hour % DAY_H)
            else None
            for hour, ms in enumerate(busy_ms)
        ],
        workouts=workouts,
        mean_use_s=sum(busy_ms) // workouts // 1000 if workouts else None,
        turns_per_h=round(workouts / open_h, 2) if open_h else None,
        waits=waits,
        mean_wait_s=sum(row.wait_ms for row in mine) // waits // 1000 if waits else None,
        longest_wait_s=max((row.longest_wait_ms for row in mine), default=0) // 1000 if waits else None,
        no_shows=sum(row.no_shows for row in mine),
        turned_away=sum(row.turned_away for row in mine),
    )


def _open(zone: ZoneSettings, hour: int) -> bool:
    return zone.open_min < (hour + 1) * 60 and hour * 60 < zone.close_min


def my_week(
    person: str,
    workouts: Mapping[str, Sequence[WorkoutRow]],
    pulses: Mapping[str, Sequence[PulseRow]],
    known: PersonRow | None,
    settings: LimitSettings,
) -> MyWeek:
    """``workouts`` by day, in order; ``pulses`` by workout; ``known`` what staff have set."""
    prescription = None if known is None else _prescription(known)
    last_day = max(workouts)
    ceiling = ceiling_of(prescription, date.fromisoformat(last_day).year, settings)
    moderate, vigorous = borders(prescription, ceiling, settings)
    days = []
    for day, rows in workouts.items():
        done = [row for row in rows if row.state != "dropped"]
        effort = Effort()
        for row in done:
            beats = samples_of(pulses.get(row.workout_id, ()), row.began_ns, row.ended_ns or row.at_ns)
            effort = effort.plus(effort_of((bpm for _, bpm in beats), moderate, vigorous, ceiling.ceiling_bpm))
        days.append(
            MyDay(
                day=day,
                workouts=len(done),
                active_s=sum(row.active_ms for row in done) // 1000,
                distance_m=round(sum(row.distance_m for row in done), 1),
                energy_kcal=round(sum(row.energy_kcal for row in done), 1),
                **effort._asdict(),
            )
        )
    return MyWeek(
        person=person,
        source=ceiling.source,
        ceiling_bpm=ceiling.ceiling_bpm,
        max_bpm=ceiling.max_bpm,
        moderate_bpm=moderate,
        vigorous_bpm=vigorous,
        days=days,
    )


def _prescription(row: PersonRow) -> Prescription:
    return Prescription(
        birth_year=row.birth_year,
        rest_bpm=row.rest_bpm,
        ceiling_bpm=row.ceiling_bpm,
        max_bpm=row.max_bpm,
        beta_blocker=row.beta_blocker,
        by=row.set_by,
        day=row.day,
    )
