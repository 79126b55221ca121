"""Sends what sessions cost to the canteen's purses, and asks again for what is owed.

The row is the promise, the sending only its carrier: it leaves after the row is on disk, the shell repeats it until the
canteen has spoken, a start sends every unanswered one again, and the session's id makes all of them one. A user would
notice a mistake as a free charge, or as one that was paid twice.
"""

from __future__ import annotations

from edge.domain.garage import charging_book, purses
from edge.domain.garage.messages import PURSES_DEVICE, ChargeDue, ChargePosted, PurseCopy
from edge.domain.garage.session_rows import ChargeRow
from edge.domain.garage.turn import Turn
from edge.domain.kernel import EffectClass, Send
from edge.domain.outcome import Outcome


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


def copied(turn: Turn, body: PurseCopy) -> Outcome:
    """The canteen's purses, for authorising."""
    if turn.stamp.wall_trusted:
        purses.forget_future(turn.world.charging.purses, turn.stamp.wall_ns)
    if purses.take_copy(turn.world.charging.purses, body):
        turn.put(charging_book.copy_row(body, turn.stamp))
        post_debts(turn)
    return Outcome("ok", {"as_of_wall_ns": turn.world.charging.purses.as_of_wall_ns})


def posted(turn: Turn, body: ChargePosted) -> Outcome:
    """The canteen's answer to a charge. One that is not known any more was paid."""
    book = turn.world.charging
    row = book.charges.get(body.session_id)
    if row is not None:
        row = purses.answered(book.purses, purses.tried(row), body.code, turn.stamp.wall_ns)
        book.charges[body.session_id] = row
        if row.state == "paid":
            del book.charges[body.session_id]
        turn.put(row)
    return Outcome("ok", {"session_id": body.session_id})
