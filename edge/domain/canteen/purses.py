"""Members' purses: every movement is a row with the balance after it; a balance is never negative."""

from __future__ import annotations

from edge.domain.canteen.messages import ChargeSession, ReadPurses, TopUp
from edge.domain.canteen.outcome import Outcome, refused
from edge.domain.canteen.rows import PurseEntryRow, PurseRow, SessionChargeRow
from edge.domain.canteen.world import World
from edge.domain.kernel import Row, Stamp

MAX_TOP_UP_FEN = 200_000
MAX_BALANCE_FEN = 500_000
TOP_UP_METHODS = ("cash", "transfer")
MAX_CHARGE_FEN = 100_000
PURSES_PER_PAGE_MAX = 2000


def move(world: World, member: str, fen: int, kind: str, ref: str, stamp: Stamp) -> tuple[list[Row], int]:
    """Move ``fen`` (signed) and return the rows and the balance after. Raises when the purse would be negative: callers
    check first and refuse with words."""
    balance = world.purses.get(member, 0) + fen
    if balance < 0:
        raise AssertionError(f"purse of {member} would fall to {balance} fen")
    world.purses[member] = balance
    world.money_version += 1
    entry = PurseEntryRow(
        seq=stamp.seq, member=member, fen=fen, balance_fen=balance, kind=kind, ref=ref, at_ns=stamp.wall_ns
    )
    return [PurseRow(member=member, balance_fen=balance), entry], balance


def top_up(world: World, command: TopUp, command_id: str, stamp: Stamp) -> Outcome:
    """Put money into a member's purse."""
    if command.member not in world.members:
        return refused("unknown_member", member=command.member)
    if command.method not in TOP_UP_METHODS:
        return refused("bad_method", allowed=list(TOP_UP_METHODS))
    balance = world.purses.get(command.member, 0)
    if not 1 <= command.fen <= MAX_TOP_UP_FEN or balance + command.fen > MAX_BALANCE_FEN:
        return refused("bad_value", max_fen=min(MAX_TOP_UP_FEN, MAX_BALANCE_FEN - balance), balance_fen=balance)
    rows, balance = move(world, command.member, command.fen, "top_up", command_id, stamp)
    return Outcome("ok", {"member": command.member, "balance_fen": balance}, rows)


def charge_session(world: World, command: ChargeSession, stamp: Stamp) -> Outcome:
    """Take a charging session's price, once."""
    if command.session_id in world.charged:
        return Outcome("ok", {"session_id": command.session_id, "balance_fen": world.purses.get(command.member, 0)})
    if command.member not in world.members:
        return refused("unknown_member", member=command.member)
    if not command.session_id or not 0 <= command.fen <= MAX_CHARGE_FEN:
        return refused("bad_value", max_fen=MAX_CHARGE_FEN)
    balance = world.purses.get(command.member, 0)
    if balance < command.fen:
        return refused("purse_short", balance_fen=balance, payable_fen=command.fen)
    rows, balance = move(world, command.member, -command.fen, "charge", command.session_id, stamp)
    world.charged[command.session_id] = world.day
    rows.append(SessionChargeRow(day=world.day, session_id=command.session_id, member=command.member, fen=command.fen))
    return Outcome("ok", {"session_id": command.session_id, "balance_fen": balance}, rows)


def read_purses(world: World, command: ReadPurses, stamp: Stamp) -> Outcome:
    """A page of (member, card, balance), in the order of members."""
    if not 1 <= command.limit <= PURSES_PER_PAGE_MAX:
        return refused("bad_value", max_limit=PURSES_PER_PAGE_MAX)
    after = sorted(member for member in world.members if member > command.after)
    page = after[: command.limit]
    purses = [[member, world.members[member].card, world.purses.get(member, 0)] for member in page]
    following = page[-1] if len(after) > len(page) else ""
    return Outcome("ok", {"as_of_wall_ns": stamp.wall_ns, "purses": purses, "next": following})
