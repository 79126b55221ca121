"""Whose the gym's things are: a person sees and touches the own workouts, the own pulse, the own place in the queue.

Health data is shown to the person, to coaches and managers, and to family whom the person has let in; maintenance and
visitors see a machine without who is on it. A user would notice a mistake as a neighbour who reads one's pulse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from edge.api.gateway import KeyedView
from edge.api.principal import Principal
from edge.domain.actors import Role
from edge.domain.gym.limits import Level
from edge.domain.gym.view_types import AssetView, GymView, HeartView, TrailView

#: Who looks after people, and sees whose workout and which pulse it is.
CARERS = frozenset({Role.COACH, Role.MANAGER, Role.ADMIN})
#: Who acts for himself only.
OWN = frozenset({Role.MEMBER, Role.RESIDENT})
_BLANK = HeartView(level=Level.OFF.value, bpm=None, ceiling_bpm=0, max_bpm=0, source="none")


def acts_for(who: Principal, person: str) -> str:
    """For whom ``who`` acts: a member for himself, staff and panels for whom they name."""
    return (who.member or "") if who.role in OWN else person


def may_see_person(who: Principal, person: str, consents: Callable[[str, str], bool]) -> bool:
    """Whether ``who`` may read this person's workouts and measurements."""
    if who.role in CARERS:
        return True
    if who.role in OWN:
        return bool(person) and who.member == person
    return who.role is Role.FAMILY and bool(person) and consents(person, who.user)


def trains_at(who: Principal, views: Iterable[KeyedView], asset: str) -> bool:
    """Whether ``who`` may end what goes on at this machine: staff and panels always, a member the own workout."""
    if who.role not in OWN:
        return True
    for view in views:
        if view.key == f"asset/{asset}":
            shown = msgspec.json.decode(view.json, type=AssetView)
            return bool(who.member) and shown.person == who.member
    return False


def gym_seen_by(who: Principal, view: KeyedView) -> KeyedView:
    """A view of the gym without what concerns other people."""
    if who.role in CARERS:
        return view
    kind, own = view.key.partition("/")[0], who.member or ""
    if kind == "asset":
        asset = msgspec.json.decode(view.json, type=AssetView)
        if asset.person == own != "":
            return view
        blank = msgspec.structs.replace(asset, person="", identity="none", workout_id="", totals=None, heart=_BLANK)
        if asset.phase == "active" and not asset.person:
            blank = msgspec.structs.replace(blank, workout_id=asset.workout_id, totals=asset.totals)
        return msgspec.structs.replace(view, json=msgspec.json.encode(blank))
    if kind == "gym":
        board = msgspec.json.decode(view.json, type=GymView)
        queue = tuple(
            one if one.person == own != "" else msgspec.structs.replace(one, person="") for one in board.queue
        )
        return msgspec.structs.replace(view, json=msgspec.json.encode(msgspec.structs.replace(board, queue=queue)))
    if kind == "trail":
        trail = msgspec.json.decode(view.json, type=TrailView)
        known = {tag: tag[-4:] for tag in [*(one[0] for one in trail.out), *(lap.tag for lap in trail.laps)]}
        shown = msgspec.structs.replace(
            trail,
            out=tuple((known[tag], laps, gate) for tag, laps, gate in trail.out),
            laps=tuple(msgspec.structs.replace(lap, tag=known[lap.tag]) for lap in trail.laps),
        )
        return msgspec.structs.replace(view, json=msgspec.json.encode(shown))
    return view
