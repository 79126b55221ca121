"""The scenes of the made-up gym: who does what. Never part of a running site."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from edge.api.preview_gym import AT_NS, DAY, DAYS_BEFORE, NS_PER_S, GymScript
from edge.api.preview_gym_park import park
from edge.api.preview_gym_past import past_use, past_workouts
from edge.domain.actors import Actor, Role
from edge.domain.gym.messages import (
    ClaimAsset,
    DayOpened,
    GiveStopReason,
    JoinQueue,
    LeaveAsset,
    LockOut,
    ReportFault,
    SetPerson,
    TicketOrder,
)
from edge.domain.gym.rows import WorkoutRow
from edge.domain.gym.settings import AssetKind

#: Token, year of birth, ceiling (0: by table), maximum, beta-blocker.
PEOPLE = (
    ("m001", 1951, 112, 140, False),
    ("m002", 1958, 0, 0, False),
    ("m003", 1949, 105, 130, False),
    ("m004", 1955, 0, 0, True),
    ("m005", 1960, 118, 145, False),
)
_MENDER = Actor(Role.MAINTENANCE, "duty1")


def quiet(script: GymScript) -> None:
    """Two people trained and left; a rower was never heard of."""
    _know(script)
    for asset, person, bpm in (("tm-1", "m001", 98), ("tm-2", "m002", 104)):
        _train(script, asset, person, bpm)


def busy(script: GymScript) -> None:
    """Half of the hall in use, one machine broken, one locked out, one just left."""
    quiet(script)
    for asset, person in (("tm-1", "m001"), ("bk-1", "m002"), ("tm-4", ""), ("tm-5", ""), ("xt-1", "")):
        if person:
            script.order(ClaimAsset(asset=asset, person=person))
        script.move(asset, 6.0, 104 if person else None, incline_pct=1.0)
    script.order(ReportFault(asset="tm-6", what="noise", note="7 km/h"), _MENDER)
    script.order(LockOut(asset="tm-6", note="belt"), _MENDER)
    script.health("bk-2", error_code=12)
    script.admit("m005")
    script.order(ClaimAsset(asset="et-1", person="m005"))
    script.move("et-1", 4.2, 101)
    script.run(64)
    script.pause("tm-4")
    script.run(10)
    script.move("tm-3", 5.0)
    script.run(40)
    script.order(LeaveAsset(asset="tm-3"))
    script.stand("tm-3")


def queue(script: GymScript) -> None:
    """Every treadmill of the hall in use, three people wait, then one machine is left and the first is called."""
    _know(script)
    for number in range(1, 7):
        script.move(f"tm-{number}", 5.0 + number / 5)
    script.run(40)
    for person in ("m001", "m002", "m003"):
        script.order(JoinQueue(zone="hall", kind=AssetKind.TREADMILL, person=person))
        script.run(20)
    script.stand("tm-3")
    script.order(LeaveAsset(asset="tm-3"))


def heart(script: GymScript) -> None:
    """In the elders' gym: an alarm, a warning, a pulse that is doubtful, one that is unknown, one judged by feeling."""
    _know(script)
    for person, asset in (("m001", "et-1"), ("m002", "et-2"), ("m003", "et-3"), ("m005", "eb-1"), ("m004", "eb-2")):
        script.admit(person)
        script.order(ClaimAsset(asset=asset, person=person))
        script.move(asset, 4.8, 96)
    script.run(40)
    script.kiosk("c0000002", 184, 88)
    script.move("et-1", 4.8, 128)
    script.move("et-2", 4.8, 121)
    script.move("et-3", 4.8)
    script.move("eb-1", 14.0, 96, cadence_rpm=96.0)
    script.run(34)


def locked(script: GymScript) -> None:
    """Six weeks of use: one treadmill's belt drags, orders stand in every state, services are due."""
    first = date.fromisoformat(DAY) - timedelta(days=DAYS_BEFORE["locked"])
    for day in range(41):
        if day:
            script.give(DayOpened((first + timedelta(days=day)).isoformat()))
        for asset in ("tm-1", "tm-2", "tm-3", "tm-4"):
            _wear(script, asset, day, drag=0.012 if asset == "tm-3" else 0.0)
        if day < 40:
            script.elapse((AT_NS - (39 - day) * 86_400 * NS_PER_S - script.wall_ns) / NS_PER_S)
    _know(script)
    script.health("tm-5", usage_hours_h=4100.0)
    script.health("tm-5", usage_hours_h=4478.0)
    script.order(ReportFault(asset="tm-6", what="noise", note="7 km/h"), _MENDER)
    script.order(LockOut(asset="tm-6", note="belt torn"), _MENDER)
    taken = script.order(ReportFault(asset="bk-1", what="saddle"), _MENDER)
    script.order(TicketOrder(order_id=str(taken.body["order"]), ticket="W-2077"), _MENDER)
    script.health("bk-2", error_code=12)


def closed(script: GymScript) -> None:
    """Half past two in the night."""
    script.elapse(14.5 * 3600)


def trail(script: GymScript) -> None:
    """Three people on the loop: one walks, one takes a short cut, one is missed by a gate."""
    _know(script)
    for lap in range(3):
        for number in range(3):
            for tag in ("aa01", "aa02", "aa03"):
                if not (tag == "aa03" and lap == 1 and number == 1):
                    script.gate(number, tag)
            script.elapse(210)
    for tag in ("aa01", "aa02", "aa03"):
        script.gate(0, tag)
    script.elapse(110)
    script.gate(0, "aa02")


def weeks(script: GymScript) -> None:
    """As quiet, and the first of the two has trained in the days before."""
    quiet(script)
    past_workouts(script, "m001")


def capped(script: GymScript) -> None:
    """Treadmills in use for more than half an hour, somebody waits; a safety key was pulled and put back."""
    _know(script)
    script.order(ClaimAsset(asset="tm-1", person="m001"))
    for number in range(1, 7):
        script.move(f"tm-{number}", 5.2)
    script.run(10)
    for _ in range(10):  # heard now and then is enough: the machines' own counters fill the rest
        script.elapse(170)
        script.run(8)
    script.order(JoinQueue(zone="hall", kind=AssetKind.TREADMILL, person="m003"))
    script.run(40)
    for pulled in (True, False):
        script.says("rw-1", safety_key_pulled=pulled)


SCENES: Mapping[str, Callable[[GymScript], None]] = {
    "quiet": quiet, "busy": busy, "queue": queue, "heart": heart, "locked": locked, "closed": closed, "trail": trail,
    "weeks": weeks, "capped": capped, "park": park,
}  # fmt: skip


def _know(script: GymScript) -> None:
    past_use(script)
    for number, (person, born, ceiling, highest, blocker) in enumerate(PEOPLE, start=1):
        script.order(
            SetPerson(person=person, birth_year=born, ceiling_bpm=ceiling, max_bpm=highest, beta_blocker=blocker,
                      cards=(f"c{number:07}",))
        )  # fmt: skip


def _train(script: GymScript, asset: str, person: str, bpm: int) -> None:
    """A workout with a pause in it, that has ended."""
    script.order(ClaimAsset(asset=asset, person=person))
    script.move(asset, 5.4, bpm)
    script.run(50)
    script.stand(asset)
    script.run(12)
    script.move(asset, 6.0, bpm + 6)
    script.run(40)
    script.stand(asset)
    script.order(LeaveAsset(asset=asset))
    ended = next(row for row in script.rows.all(WorkoutRow) if row.person == person)
    script.order(GiveStopReason(workout_id=ended.workout_id, reason="finished"))
    script.elapse(600)


def _wear(script: GymScript, asset: str, day: int, *, drag: float) -> None:
    """A day of a treadmill: its motor takes more current the faster it runs, and more each day where the belt drags."""
    script.playing.clear()
    script.move(asset, 4.0 + day % 3)
    script.run(8)
    for turn in range(40):
        current_a = (1.2 + 0.35 * (4.0 + day % 3)) * (1 + drag * day) * (1 + 0.01 * ((day * 7 + turn) % 3 - 1))
        script.health(asset, motor_current_a=round(current_a, 3))
    script.order(LeaveAsset(asset=asset))
    script.stand(asset)
