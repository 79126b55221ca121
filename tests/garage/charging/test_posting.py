"""A session's price leaves after its row, again after a start, and again when a debt can be paid."""

from __future__ import annotations

import pytest

from edge.domain.actors import Role
from edge.domain.garage.messages import PURSES_DEVICE, ChargeDue, ChargePosted, PurseCopy, StartSession, StopSession
from edge.domain.garage.session_rows import ChargeRow
from edge.domain.kernel import EffectClass

DUE = ChargeDue(session_id="s1", member="m1", fen=20)


@pytest.fixture
def ended(garage):
    """A session of 0.2 kWh that was just stopped."""
    garage.command(PurseCopy(as_of_wall_ns=garage.wall_ns, purses=(("m1", "c1", 5000),)), role=Role.DEVICE)
    garage.command(StartSession(session_id="s1", port="B1-p1", member="m1"), role=Role.RESIDENT)
    garage.reports("B1-p1", True)
    for k in range(361):
        garage.run(0.1)
        garage.elapse(9.9)
        if k % 60 == 0:
            garage.all_clear()
        garage.meter("B1-p1", 200.0 + 0.1 * (k % 7))
    garage.command(StopSession(port="B1-p1"))
    return garage


def sent(garage):
    return [(command, cls) for device, command, cls in garage.sent if device == PURSES_DEVICE]


def answer(garage, code):
    garage.command(ChargePosted(session_id="s1", code=code), role=Role.DEVICE)


def test_the_price_leaves_once_and_after_its_row(ended):
    assert sent(ended) == [(DUE, EffectClass.DURABLE)]
    (row,) = ended.rows.all(ChargeRow)
    assert (row.state, row.fen) == ("pending", 20)


def test_a_start_sends_what_was_not_answered_and_nothing_else(ended):
    ended.restart()
    assert [command for command, _ in sent(ended)] == [DUE, DUE]
    answer(ended, "ok")
    ended.restart()
    assert len(sent(ended)) == 2


def test_a_debt_is_asked_for_again_when_the_purse_can_pay(ended):
    answer(ended, "purse_short")
    ended.restart()
    assert len(sent(ended)) == 1
    copy = PurseCopy(as_of_wall_ns=ended.wall_ns, purses=(("m1", "c1", 19),))
    ended.command(copy, role=Role.DEVICE)
    assert len(sent(ended)) == 1
    ended.elapse(60)
    ended.command(PurseCopy(as_of_wall_ns=ended.wall_ns, purses=(("m1", "c1", 20),)), role=Role.DEVICE)
    assert [command for command, _ in sent(ended)] == [DUE, DUE]
    answer(ended, "ok")
    (row,) = ended.rows.all(ChargeRow)
    assert row.state == "paid"
