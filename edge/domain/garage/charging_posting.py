"""Sends what sessions cost to the canteen's purses, and asks again for what is owed.

The row is the promise, the sending only its carrier: it leaves after the row is on disk, the shell repeats it until the
canteen has spoken, a start sends every unanswered one again, and the session's id makes all of them one. A user would
notice a mistake as a free charge, or as one that was paid twice.
"""

from __future__ import annotations

from edge.domain.garage.messages import PURSES_DEVICE, ChargeDue
from edge.domain.garage.session_rows import ChargeRow
from edge.domain.garage.turn import Turn
from edge.domain.kernel import EffectClass, Send


def post(turn: Turn, row: ChargeRow) -> None:
    """Send one charge on its way."""
    due = ChargeDue(session_id=row.session_id, member=row.member, fen=row.fen)
    turn.send([Send(PURSES_DEVICE, due, EffectClass.DURABLE)])


def post_pending(turn: Turn) -> None:
    """After a start: all that the canteen has not answered."""
    for row in turn.world.charging.charges.values():
        if row.state == "pending":
            post(turn, row)


def post_debts(turn: Turn) -> None:
    """After a new copy of the purses: debts that the purse can pay now."""
    book = turn.world.charging
    for row in book.charges.values():
        if row.state == "owed" and row.code == "purse_short" and book.purses.balances.get(row.member, 0) >= row.fen:
            post(turn, row)
