"""The scene of a park with many outdoor points: six weeks of use and of inspections, and an evening in its halls. Never
part of a running site."""

from __future__ import annotations

from datetime import date, timedelta

from edge.api.preview_gym import AT_NS, DAY, DAYS_BEFORE, NS_PER_S, GymScript
from edge.domain.actors import Actor, Role
from edge.domain.gym.messages import DayOpened, Inspect, LockOut, ReportFault
from edge.domain.gym.settings import AssetKind

_MENDER = Actor(Role.MAINTENANCE, "duty1")
#: Days of the scene on which somebody goes round with the checklist, after which a few counters fall silent, and all
#: on which something happens.
_ROUNDS, _SILENT = (12, 14, 30), 28
_DAYS = (0, *_ROUNDS, 36, 38, 39, 40)


def park(script: GymScript) -> None:
    """Most points were inspected, some long ago; a few are worn, two dangerous; a few counters are silent or weak."""
    points = [one.asset for one in script.config.assets if one.kind is AssetKind.OUTDOOR]
    first = date.fromisoformat(DAY) - timedelta(days=DAYS_BEFORE["park"])
    counts = dict.fromkeys(points, 412)
    for day in _DAYS:
        if day:
            script.give(DayOpened((first + timedelta(days=day)).isoformat()))
        for number, point in enumerate(points):
            if number % 53 == 7 and day > _SILENT:
                continue
            counts[point] += (number * 7 + day * 13) % 40
            script.count(point, counts[point], battery_pct=9.0 if number % 71 == 3 else 80.0)
        if day in _ROUNDS:
            _inspect(script, points[_ROUNDS.index(day) :: 4])
        if day < DAYS_BEFORE["park"]:
            script.elapse((AT_NS - (39 - day) * 86_400 * NS_PER_S - script.wall_ns) / NS_PER_S)
    for point in points[5::47]:
        script.order(ReportFault(asset=point, what="noise"), _MENDER)
    script.elapse(61)
    _evening(script)


def _evening(script: GymScript) -> None:
    """A third of the machines in use, one of fifty broken, one locked out."""
    machines = [one.asset for one in script.config.assets if one.kind is not AssetKind.OUTDOOR]
    for machine in machines[::3]:
        script.move(machine)
    for machine in machines[1::51]:
        script.health(machine, error_code=12)
    for machine in machines[20:21]:
        script.order(ReportFault(asset=machine, what="noise"), _MENDER)
        script.order(LockOut(asset=machine, note="belt torn"), _MENDER)
    script.run(4)


def _inspect(script: GymScript, points: list[str]) -> None:
    items = [item for item, _ in script.config.inspection]
    for number, point in enumerate(points):
        worst = "danger" if number == 31 else "minor" if number % 9 == 4 else "ok"
        graded = tuple((item, worst if item == items[0] else "ok") for item in items)
        script.order(Inspect(asset=point, items=graded), _MENDER)
