"""A toy vertical for the replay tests (purses, words in a set, ways to go wrong) and as much of a daemon as makes its
log. Importable by name in a subprocess."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

import msgspec

from edge.domain.answered import AuditRow
from edge.domain.canteen.rows import PurseRow
from edge.domain.digest import effects_digest
from edge.domain.kernel import EffectClass, Effects, Put, Reply, Row, Rows, Send, Show, Stamp
from edge.storage.batch import Batch, LogRecord, RecordKind, SetAside, WorldSnapshot
from edge.storage.facts import FactsStore
from edge.storage.snapshots import encode_world


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


class Shell:
    """As much of a daemon as a log needs: start, handle, the crash rule, hourly copies."""

    def __init__(self, directory: Path, kernel: Any = KERNEL, build: str = "b1") -> None:
        self.kernel = kernel
        self.store = FactsStore.open(directory, kernel.row_types, ballast_bytes=0, build=build)
        self.seq = self.store.last_seq()
        self.world: Any = None
        self.start("start")

    def stamp(self) -> Stamp:
        self.seq += 1
        return Stamp(self.seq, "boot", self.seq * 10, self.seq * 1000, wall_trusted=True)

    def write(self, batch: Batch) -> None:
        answered, errors = threading.Event(), []
        self.store.submit(batch, lambda error: (errors.append(error), answered.set()))
        assert answered.wait(60)
        assert errors == [None]

    def start(self, reason: str) -> None:
        self.world = self.kernel.load(self.store.rows())
        stamp = self.stamp()
        effects = self.kernel.resume(self.world, stamp)
        record = LogRecord(stamp, b"", effects_digest(effects), RecordKind.RESUMED)
        self.write(Batch(records=[record], snapshot=WorldSnapshot(stamp.seq, reason, encode_world(self.world))))

    def feed(self, *items: Any, copy: bool = False) -> None:
        for item in items:
            self.one(item, copy=copy and item is items[-1])

    def one(self, item: Any, *, copy: bool) -> None:
        stamp, data = self.stamp(), msgspec.msgpack.encode(item)
        try:
            effects = self.kernel.handle(self.world, item, stamp)
        except ValueError as error:
            self.world = self.kernel.load(self.store.rows())
            effects = [*self.kernel.set_aside(self.world, item, stamp), *self.kernel.resume(self.world, stamp)]
            self.write(
                Batch(
                    records=[LogRecord(stamp, data, effects_digest(effects), RecordKind.RAISED)],
                    snapshot=WorldSnapshot(stamp.seq, "rebuild", encode_world(self.world)),
                    set_aside=[SetAside(stamp, data, repr(error))],
                )
            )
            return
        rows = [effect.row for effect in effects if isinstance(effect, Put)]
        snapshot = WorldSnapshot(stamp.seq, "hourly", encode_world(self.world)) if copy else None
        record = LogRecord(stamp, data, effects_digest(effects))
        self.write(Batch(records=[record], rows=rows, snapshot=snapshot))

    def restart(self) -> Shell:
        directory = Path(self.store._reader.execute("PRAGMA database_list").fetchone()[2]).parent
        self.store.close()
        return Shell(directory, self.kernel)


def some(draw: random.Random, count: int) -> list[Any]:
    """Inputs of all harmless kinds."""
    return [
        draw.choice(
            [
                Deposit(f"m{draw.randrange(5)}", draw.randrange(1, 100)),
                Word(draw.choice(["白米饭", "rice", "soup", "fish", "豆腐"])),
                Quiet(),
            ]
        )
        for _ in range(count)
    ]
