"""The made-up garage's access doors and their journal, by scene. Never part of a running site."""

from __future__ import annotations

from edge.domain.garage.access_rows import AccessEventRow
from edge.domain.garage.access_views import DoorView, LockState
from edge.domain.garage.messages import ZoneState
from edge.domain.words import Text

MIN_NS = 60_000_000_000
#: Door -> its zone and name.
DOORS = {
    "B1-gate": ("B1", Text("充电区入口", "Door of the charging area")),
    "B2-gate": ("B2", Text("西区楼梯门", "Stair door west")),
}
#: Minutes ago, door, what, why, holder, card_end: a morning with a visit, refusals, a wedge and a break-in.
_MORNING = (
    (340, "B1-gate", "granted", "", "m011", ""),
    (298, "B2-gate", "denied", "unknown_card", "", "9:41"),
    (251, "B2-gate", "forced", "", "", ""),
    (249, "B2-gate", "closed", "", "", ""),
    (190, "B1-gate", "denied", "wrong_hour", "m004", ""),
    (122, "B1-gate", "granted", "", "m007", ""),
    (121, "B1-gate", "held", "", "", ""),
    (117, "B1-gate", "closed", "", "", ""),
    (64, "B2-gate", "denied", "expired", "m019", ""),
    (31, "B2-gate", "denied", "wrong_door", "m002", ""),
    (6, "B1-gate", "granted", "", "m003", ""),
)


def access_rows(scene: str, at_ns: int) -> list[AccessEventRow]:
    """The journal in a scene, oldest first: 30 further visits, the morning, and the door that a fire released."""
    visits = [(3000 - 80 * n, "B1-gate", "granted", "", f"m{n % 9 + 1:03}", "") for n in range(30)]
    fire = [(3, "B1-gate", "released", "", "", "")] if scene == "fire" else []
    return [
        AccessEventRow(
            seq=1000 + 7 * n, door=door, what=what, why=why, holder=holder, card_end=card_end,
            at_ns=at_ns - minutes * MIN_NS, at_trusted=n != 35,
        )
        for n, (minutes, door, what, why, holder, card_end) in enumerate([*visits, *_MORNING, *fire])
    ]  # fmt: skip


def door_views(zone: str, scene: str, state: ZoneState) -> tuple[DoorView, ...]:
    """The doors of a zone: released by its fire, that of B2 forced while a sensor is silent there."""
    lock = LockState.RELEASED if state is ZoneState.FIRE else LockState.LOCKED
    found = []
    for door, (where, name) in DOORS.items():
        if where != zone:
            continue
        events = sum(row.door == door for row in access_rows(scene, 0))
        forced = zone == "B2" and scene == "watch"
        last, ago_s = ("granted", 360) if zone == "B1" else ("wrong_door", 1860)
        found.append(
            DoorView(
                door=door, name=name, lock=lock, open=forced, trouble="forced" if forced else "", last=last,
                last_ago_s=ago_s, events=events,
            )
        )  # fmt: skip
    return tuple(found)
