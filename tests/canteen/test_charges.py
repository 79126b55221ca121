"""Charging sessions of the garage are taken from purses once, and copies of the purses are read page by page."""

from __future__ import annotations

import pytest

from edge.domain.actors import Role
from edge.domain.answered import ReplyRow
from edge.domain.canteen.messages import ChargeSession, DayOpened, ReadPurses, TopUp
from edge.domain.canteen.rows import PurseEntryRow, PurseRow, SessionChargeRow


def charge(canteen, session="s1", fen=120, **how):
    return canteen.command(ChargeSession(session_id=session, member="m-elder", fen=fen), role=Role.DEVICE, **how)


@pytest.fixture
def funded(canteen):
    assert canteen.command(TopUp(member="m-elder", fen=1000)).code == "ok"
    return canteen


def test_a_session_is_charged_once_whatever_the_command_id(funded):
    first = charge(funded)
    assert (first.code, first.body["balance_fen"]) == ("ok", 880)
    for _ in range(3):
        assert charge(funded).body["balance_fen"] == 880
    funded.restart()
    assert charge(funded).body["balance_fen"] == 880
    assert len(funded.rows.tables[SessionChargeRow]) == 1
    kinds = [row.kind for row in funded.rows.tables[PurseEntryRow].values()]
    assert kinds == ["top_up", "charge"]


def test_a_charge_is_known_for_ninety_days(funded):
    charge(funded)
    funded.give(DayOpened("2027-02-20"))
    assert charge(funded).body["balance_fen"] == 880
    funded.restart()
    assert charge(funded).body["balance_fen"] == 880


def test_a_short_purse_moves_nothing_and_may_be_asked_again(funded):
    assert charge(funded, fen=1001, command_id="try-1").code == "purse_short"
    assert funded.rows.tables[PurseRow][("m-elder",)].balance_fen == 1000
    funded.command(TopUp(member="m-elder", fen=1))
    assert charge(funded, fen=1001, command_id="try-2").body["balance_fen"] == 0


@pytest.mark.parametrize("fen", [-1, 100_001])
def test_no_other_amounts(funded, fen):
    assert charge(funded, fen=fen).code == "bad_value"


def test_only_devices_charge_and_read(funded):
    for role in (Role.MEMBER, Role.CASHIER, Role.ADMIN):
        assert funded.command(ChargeSession(session_id="s", member="m-elder", fen=1), role=role).code == "forbidden"
        assert funded.command(ReadPurses(), role=role).code == "forbidden"


def test_purses_are_read_page_by_page_and_leave_no_trace(funded):
    kept = len(funded.rows.tables[ReplyRow])
    first = funded.command(ReadPurses(limit=1), role=Role.DEVICE).body
    assert first["purses"] == [["m-elder", "1001", 1000]]
    assert first["as_of_wall_ns"] == funded.wall_ns
    rest = funded.command(ReadPurses(after=first["next"]), role=Role.DEVICE).body
    assert (rest["purses"], rest["next"]) == ([["m-young", "1002", 0]], "")
    assert funded.command(ReadPurses(limit=0), role=Role.DEVICE).code == "bad_value"
    assert len(funded.rows.tables[ReplyRow]) == kept
