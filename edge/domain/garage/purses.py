"""Who may charge, and how the money reaches the canteen: an aged copy of its purses, and an outbox of charges.

The purses live in the canteen. The garage keeps a copy, and from it, less what is promised here, decides alone: the
canteen being down never stops charging. A copy that is too old still lets a small amount be charged. What a session
costs becomes one row with the session's id as its key, posted until it is answered; the canteen books an id once.
A user would notice a mistake as a session charged twice, or as an empty purse that still charges all night.
"""

from __future__ import annotations

import msgspec

from edge.domain.garage.messages import PurseCopy
from edge.domain.garage.session_rows import ChargeRow

SECOND_NS = 1_000_000_000
#: Answers that end a charge as a debt that a person settles; any other code but ok is tried again.
DEBT_CODES = frozenset({"purse_short", "no_member", "unknown_member", "id_reused", "forbidden", "bad_value"})


class Purses(msgspec.Struct, kw_only=True):
    """The copy, and what is promised since: ``reserved`` limits of running sessions, ``unseen`` charges that the copy
    does not contain yet (posted after it was taken, or still on their way), by session: (member, fen, paid_wall_ns)."""

    as_of_wall_ns: int = 0
    balances: dict[str, int] = msgspec.field(default_factory=dict)
    cards: dict[str, str] = msgspec.field(default_factory=dict)
    reserved: dict[str, tuple[str, int]] = msgspec.field(default_factory=dict)
    unseen: dict[str, tuple[str, int, int]] = msgspec.field(default_factory=dict)


class Authorised(msgspec.Struct, frozen=True, kw_only=True):
    """``code`` ok: ``member`` may be charged up to ``limit_fen``. Else why not: unknown_card, no_member, purse_short,
    offline_limit. ``offline``: by the limit for an old copy, not by the balance."""

    code: str
    member: str = ""
    limit_fen: int = 0
    offline: bool = False


def take_copy(purses: Purses, copy: PurseCopy) -> bool:
    """Replace the copy by a newer one. False: it is older than ours and changes nothing."""
    if copy.as_of_wall_ns < purses.as_of_wall_ns:
        return False
    purses.as_of_wall_ns = copy.as_of_wall_ns
    purses.balances = {member: fen for member, _, fen in copy.purses}
    purses.cards = {card: member for member, card, _ in copy.purses if card}
    purses.unseen = {
        session: charge
        for session, charge in purses.unseen.items()
        if charge[2] == 0 or charge[2] >= copy.as_of_wall_ns
    }
    return True


def forget_future(purses: Purses, wall_ns: int) -> None:
    """By a trusted clock it is ``wall_ns`` now: what is dated later was so by a clock that was wrong, and must not
    stand against all that comes until then."""
    if purses.as_of_wall_ns > wall_ns:
        purses.as_of_wall_ns = 0
    purses.unseen = {session: (who, fen, min(paid, wall_ns)) for session, (who, fen, paid) in purses.unseen.items()}


def available_fen(purses: Purses, member: str) -> int:
    """The copied balance less what is promised here; may be negative."""
    return purses.balances.get(member, 0) - promised_fen(purses, member)


def promised_fen(purses: Purses, member: str) -> int:
    running = sum(fen for who, fen in purses.reserved.values() if who == member)
    return running + sum(fen for who, fen, _ in purses.unseen.values() if who == member)


def is_old(purses: Purses, wall_ns: int, max_age_s: int, *, trusted: bool) -> bool:
    """Whether the copy may no longer decide about a whole balance; also when the clock cannot say how old it is."""
    return not trusted or not 0 <= wall_ns - purses.as_of_wall_ns <= max_age_s * SECOND_NS


def authorise(
    purses: Purses, member: str, card: str, *, limit_fen: int, deposit_fen: int, offline_fen: int, old: bool
) -> Authorised:
    """Decide whether a session may begin, and what it may cost. ``member`` (page, API) goes before ``card``. From an
    ``old`` copy at most ``offline_fen`` may be promised to one member in all, never more than the copied balance."""
    if not member:
        member = purses.cards.get(card, "")
        if not member:
            return Authorised(code="unknown_card" if card else "no_member")
    if member not in purses.balances:
        return Authorised(code="no_member")
    room = available_fen(purses, member)
    if room < max(1, deposit_fen):
        return Authorised(code="purse_short", member=member)
    if old:
        rest = offline_fen - promised_fen(purses, member)
        if rest < max(1, min(deposit_fen, offline_fen)):
            return Authorised(code="offline_limit", member=member, offline=True)
        room = min(room, rest)
    return Authorised(code="ok", member=member, limit_fen=min(room, limit_fen) if limit_fen > 0 else room, offline=old)


def reserve(purses: Purses, session_id: str, allowed: Authorised) -> None:
    """Promise what a session may cost at most, until ``settle``."""
    purses.reserved[session_id] = (allowed.member, allowed.limit_fen)


def settle(purses: Purses, session_id: str, member: str, fen: int, wall_ns: int) -> ChargeRow | None:
    """The session is over: its reservation becomes a charge on its way, None when it costs nothing or was settled
    before (a repeat changes nothing)."""
    purses.reserved.pop(session_id, None)
    if fen <= 0 or not member or session_id in purses.unseen:
        return None
    purses.unseen[session_id] = (member, fen, 0)
    return ChargeRow(
        session_id=session_id,
        member=member,
        fen=fen,
        state="pending",
        code="",
        attempts=0,
        at_ns=wall_ns,
        answered_ns=0,
    )


def tried(row: ChargeRow) -> ChargeRow:
    """The row after one more try to post it."""
    return msgspec.structs.replace(row, attempts=row.attempts + 1)


def answered(purses: Purses, row: ChargeRow, code: str, wall_ns: int) -> ChargeRow:
    """The canteen's answer: ok pays, a refusal makes it a debt, anything else leaves it pending. The first final answer
    stays; a debt that is booked after all (topped up, posted again by a person) becomes paid."""
    if row.state == "paid":
        return row
    if code == "ok":
        purses.unseen[row.session_id] = (row.member, row.fen, wall_ns)
        return msgspec.structs.replace(row, state="paid", code=code, answered_ns=wall_ns)
    if code in DEBT_CODES:
        return msgspec.structs.replace(row, state="owed", code=code, answered_ns=wall_ns)
    return msgspec.structs.replace(row, code=code)
