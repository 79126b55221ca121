"""A toy vertical for the replay tests: purses, words in a set, and ways to go wrong. Importable by name in a
subprocess."""

from __future__ import annotations

from typing import Any

import msgspec

from edge.domain.canteen.rows import AuditRow, PurseRow
from edge.domain.kernel import EffectClass, Effects, Put, Reply, Row, Rows, Send, Show, Stamp


class Deposit(msgspec.Struct, frozen=True, tag="deposit"):
    member: str
    fen: int


class Word(msgspec.Struct, frozen=True, tag="word"):
    """Remembered in a set; shown sorted."""

    word: str


class Leak(msgspec.Struct, frozen=True, tag="leak"):
    """Shows the words in the order of the set: what a kernel must not do."""


class Quiet(msgspec.Struct, frozen=True, tag="quiet"):
    """Changes the world and says nothing."""


class Crash(msgspec.Struct, frozen=True, tag="crash"):
    """Makes the kernel raise, after it has spoilt its world."""


ToyInput = Deposit | Word | Leak | Quiet | Crash


class World(msgspec.Struct):
    purses: dict[str, int] = {}
    words: set[str] = set()
    quiet: int = 0
    resumed: int = 0


class ToyKernel:
    name = "toy"
    world_type = World
    input_type = ToyInput
    row_types: tuple[type[Row], ...] = (PurseRow, AuditRow)

    def __init__(self, bonus_fen: int = 0, forgiving: bool = False) -> None:
        self.bonus_fen = bonus_fen
        self.forgiving = forgiving

    def load(self, rows: Rows) -> World:
        return World(purses={row.member: row.balance_fen for row in rows.all(PurseRow)})

    def handle(self, world: World, item: Any, stamp: Stamp) -> Effects:
        match item:
            case Deposit(member, fen):
                world.purses[member] = world.purses.get(member, 0) + fen + self.bonus_fen
                row = PurseRow(member=member, balance_fen=world.purses[member])
                audit = AuditRow(seq=stamp.seq, role="r", user="u", action="deposit", ref=member, at_ns=stamp.wall_ns)
                return [Put(row), Put(audit), Reply(f"c{stamp.seq}", "ok", {"balance_fen": row.balance_fen})]
            case Word(word):
                world.words.add(word)
                return [Show("words", [*sorted(world.words), world.quiet])]
            case Leak():
                return [Show("words", list(world.words)), Send("lamp", "on", EffectClass.SAFETY)]
            case Quiet():
                world.quiet += 1
                return []
            case Crash():
                if self.forgiving:
                    return [Show("forgiven", stamp.seq)]
                world.purses.clear()
                raise ValueError("a bug of the kernel")
        raise AssertionError(item)

    def deadline(self, world: World) -> int | None:
        return None

    def resume(self, world: World, stamp: Stamp) -> Effects:
        world.resumed += 1
        return [Show("resumed", world.resumed)]

    def is_safety(self, item: Any) -> bool:
        return False

    def set_aside(self, world: World, item: Any, stamp: Stamp) -> Effects:
        return [Show("problem", stamp.seq)]


KERNEL = ToyKernel()
GENEROUS = ToyKernel(bonus_fen=1)
FORGIVING = ToyKernel(forgiving=True)
