"""Owner checks: may this caller see or touch this very object?

A member sees only the own purse and orders, a family user those of members who consented, a terminal only its own lane.
Others' objects answer 404 with the same words as objects that do not exist, so that nobody can find out which exist. A
user would notice a mistake here as a stranger reading what they eat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from edge.api.gateway import KeyedView
from edge.api.gym_owners import gym_seen_by
from edge.api.principal import Principal
from edge.api.problems import ApiProblem
from edge.api.roles import DESK, view_roles
from edge.domain.actors import Role
from edge.domain.garage.messages import PortView

#: Who charges from the own purse, and sees the own sessions only.
PAYS_OWN = frozenset({Role.RESIDENT, Role.MEMBER})
_GYM = frozenset({"gym", "asset", "trail"})

#: (member, family user) -> whether the member has consented.
Consents = Callable[[str, str], bool]


def may_see_member(who: Principal, member: str | None, consents: Consents) -> bool:
    """True for the desk, for the member, and for a family user with the member's consent."""
    if who.role in DESK:
        return True
    if member is None:
        return False
    if who.role is Role.MEMBER:
        return who.member == member
    return who.role is Role.FAMILY and consents(member, who.user)


def check_member(who: Principal, member: str, consents: Consents) -> None:
    """404 unless ``who`` may see this member's purse and orders."""
    if not may_see_member(who, member, consents):
        raise ApiProblem("unknown_member")


def may_see_order(who: Principal, lane: str, member: str | None, consents: Consents) -> bool:
    """As ``may_see_member`` for the order's member; a terminal sees the orders of its lane."""
    if who.role is Role.DINER_TERMINAL:
        return who.lane == lane
    return may_see_member(who, member, consents)


def check_lane(who: Principal, lane: str) -> None:
    """404 for a terminal that asks for another lane."""
    if who.role is Role.DINER_TERMINAL and who.lane != lane:
        raise ApiProblem("unknown_lane")


def may_see_view(who: Principal, key: str) -> bool:
    """Whether the live view ``key`` may be shown to ``who``."""
    if who.role not in view_roles(key):
        return False
    if who.role is Role.DINER_TERMINAL and key.startswith("lane/"):
        return key == f"lane/{who.lane}"
    return True


def seen_by(who: Principal, view: KeyedView) -> KeyedView | None:
    """``view`` as ``who`` may see it: whole, without what concerns a stranger's session, or None."""
    if not may_see_view(who, view.key):
        return None
    if view.key.partition("/")[0] in _GYM:
        return gym_seen_by(who, view)
    if who.role not in PAYS_OWN or not view.key.startswith("port/"):
        return view
    port = msgspec.json.decode(view.json, type=PortView)
    if port.member == (who.member or "") != "":
        return view
    blank = msgspec.structs.replace(
        port,
        session_id="",
        member="",
        power_w=None,
        current_a=None,
        energy_wh=0,
        cost_fen=0,
        charging_s=0,
        remaining_min=None,
    )
    return msgspec.structs.replace(view, json=msgspec.json.encode(blank))


def owns_session(who: Principal, views: Iterable[KeyedView], port: str, session_id: str) -> bool:
    """Whether ``who`` may stop this session: the staff any, a resident the own one that runs at this port now."""
    if who.role not in PAYS_OWN:
        return True
    for view in views:
        if view.key == f"port/{port}":
            shown = msgspec.json.decode(view.json, type=PortView)
            return shown.member == (who.member or "") != "" and shown.session_id == session_id
    return False
