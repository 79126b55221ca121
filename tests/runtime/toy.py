"""A toy vertical that uses every part of the kernel contract: accounts, a latch, a timer, and ways to go wrong.

Loaded by path (see ``conftest``) and, in the kill tests, by a real daemon process.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from edge.domain.devices import DeviceHealth, DeviceReading, FieldOn, PlatePass, ResidualPass
from edge.domain.kernel import EffectClass, Put, Reply, Row, Send, Show
from edge.runtime.kernels import VerticalAdapter
from edge.storage.migrate import Migration, packaged

SQL = """
CREATE TABLE toy_account (name TEXT PRIMARY KEY, fen INTEGER NOT NULL CHECK (fen >= 0)) STRICT, WITHOUT ROWID;
CREATE TABLE toy_reply (command_id TEXT PRIMARY KEY, name TEXT NOT NULL, fen INTEGER NOT NULL, after INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
CREATE TABLE toy_latch (zone TEXT PRIMARY KEY, closed INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE toy_word (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""


def schema():
    found = packaged()
    return (*found, Migration(found[-1].version + 1, SQL))


class AccountRow(Row, tag="toy_account"):
    KEY: ClassVar = ("name",)
    name: str
    fen: int


class ReplyRow(Row, tag="toy_reply"):
    KEY: ClassVar = ("command_id",)
    command_id: str
    name: str
    fen: int
    after: int


class LatchRow(Row, tag="toy_latch"):
    KEY: ClassVar = ("zone",)
    zone: str
    closed: bool


class WordRow(Row, tag="toy_word"):
    KEY: ClassVar = ("name",)
    name: str
    value: str


class StrangeRow(Row, tag="toy_strange"):
    KEY: ClassVar = ("name",)
    name: str


class Pay(msgspec.Struct, frozen=True, tag="pay"):
    """Add ``fen`` to an account; a result below zero breaks the rule of the table."""

    command_id: str
    name: str
    fen: int


class Boom(msgspec.Struct, frozen=True, tag="boom"):
    """The kernel changes its world and then raises."""

    command_id: str
    how: str = "raise"


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """A safety command."""

    command_id: str
    zone: str


class Wait(msgspec.Struct, frozen=True, tag="wait"):
    """Ask for a timer after so many ms; ``stuck`` leaves the deadline where it is, ``boom`` makes the timer raise."""

    command_id: str
    ms: int
    stuck: bool = False
    boom: bool = False


class Smoke(msgspec.Struct, frozen=True, tag="smoke"):
    zone: str
    boom: bool = False


class Config(msgspec.Struct, frozen=True, tag="config"):
    word: str


class Day(msgspec.Struct, frozen=True, tag="day"):
    day: str


class Timer(msgspec.Struct, frozen=True, tag="timer"):
    pass


Command = Pay | Boom | Stop | Wait
Input = DeviceReading | Pay | Boom | Stop | Wait | Smoke | Config | Day | Timer


class World(msgspec.Struct):
    accounts: dict[str, int] = {}
    replies: dict[str, tuple[str, int, int]] = {}
    latches: dict[str, bool] = {}
    words: dict[str, str] = {}
    lost: list[str] = []
    passes: int = 0
    timers: int = 0
    due_ns: int | None = None
    stuck: bool = False
    boom: bool = False


class Account(msgspec.Struct, frozen=True):
    name: str
    fen: int


class ToyKernel:
    name = "toy"
    world_type: type[Any] = World
    input_type: Any = Input
    row_types: tuple[type[Row], ...] = (AccountRow, ReplyRow, LatchRow, WordRow)

    def load(self, rows):
        return World(
            accounts={row.name: row.fen for row in rows.all(AccountRow)},
            replies={row.command_id: (row.name, row.fen, row.after) for row in rows.all(ReplyRow)},
            latches={row.zone: row.closed for row in rows.all(LatchRow)},
            words={row.name: row.value for row in rows.all(WordRow)},
        )

    def is_safety(self, item):
        return isinstance(item, Smoke | Stop)

    def deadline(self, world):
        return world.due_ns

    def resume(self, world, stamp):
        effects = [
            Show(f"account/{name}", Account(name, fen), EffectClass.DURABLE) for name, fen in world.accounts.items()
        ]
        effects += [self._cut(zone) for zone in world.latches]
        return [*effects, Show("world", {"seq": stamp.seq, "accounts": len(world.accounts)}, EffectClass.DURABLE)]

    def set_aside(self, world, item, stamp):
        if isinstance(item, Boom) and item.how == "twice":
            raise RuntimeError("set_aside raises as well")
        world.lost.append(type(item).__name__)
        effects = [Show("alarm", {"set_aside": len(world.lost)}, EffectClass.DURABLE)]
        if isinstance(item, Smoke):
            world.latches[item.zone] = True
            return [self._cut(item.zone), Put(LatchRow(zone=item.zone, closed=True)), *effects]
        return [*effects, Reply(item.command_id, "internal", {})] if hasattr(item, "command_id") else effects

    def handle(self, world, item, stamp):
        match item:
            case Pay():
                return self._pay(world, item)
            case Boom(command_id=command_id, how=how):
                world.accounts["broken"] = -1
                if how == "row":
                    return [Put(StrangeRow(name="x")), Reply(command_id, "ok", {})]
                if how == "view":
                    return [Show("odd", object(), EffectClass.PREVIEW), Reply(command_id, "ok", {})]
                raise ValueError(f"boom {command_id}")
            case Stop(command_id=command_id, zone=zone):
                world.latches[zone] = True
                return [Put(LatchRow(zone=zone, closed=True)), self._cut(zone), Reply(command_id, "ok", {"zone": zone})]
            case Wait(command_id=command_id, ms=ms):
                world.due_ns, world.stuck, world.boom = stamp.mono_ns + ms * 1_000_000, item.stuck, item.boom
                return [Reply(command_id, "ok", {"due_ns": world.due_ns})]
            case Smoke(zone=zone, boom=boom):
                if boom:
                    raise ValueError("boom in smoke")
                world.latches[zone] = True
                return [
                    Put(LatchRow(zone=zone, closed=True)),
                    self._cut(zone),
                    Show(f"zone/{zone}", {"closed": True}, EffectClass.SAFETY),
                ]
            case Config(word=word):
                return self._word(world, "config", word)
            case Day(day=day):
                return self._word(world, "day", day)
            case Timer():
                if world.boom:
                    raise ValueError("boom in timer")
                if world.stuck or world.due_ns is None:
                    return []
                world.timers, world.due_ns = world.timers + 1, None
                return [Show("timers", {"count": world.timers})]
            case DeviceReading(body=PlatePass() as seen):
                world.passes += 1
                return [Show("passes", {"count": world.passes, "tags": len(seen.tags)})]
            case DeviceReading(device=device, epoch=epoch, body=DeviceHealth() as health):
                return [
                    Show(f"state/{device}", {"state": health.state, "epoch": epoch}),
                    Send(device, ResidualPass(), EffectClass.PREVIEW),
                ]
            case _:
                return []

    def _pay(self, world, item):
        known = world.replies.get(item.command_id)
        if known is not None:
            if known[:2] != (item.name, item.fen):
                return [Reply(item.command_id, "id_reused", {})]
            return [Reply(item.command_id, "ok", {"after": known[2]})]
        after = world.accounts.get(item.name, 0) + item.fen
        world.accounts[item.name] = after
        world.replies[item.command_id] = (item.name, item.fen, after)
        return [
            Put(AccountRow(name=item.name, fen=after)),
            Put(ReplyRow(command_id=item.command_id, name=item.name, fen=item.fen, after=after)),
            Show(f"account/{item.name}", Account(item.name, after), EffectClass.DURABLE),
            Reply(item.command_id, "ok", {"after": after}),
        ]

    def _word(self, world, name, value):
        if world.words.get(name) == value:
            return []
        world.words[name] = value
        return [Put(WordRow(name=name, value=value)), Show(f"word/{name}", {"value": value}, EffectClass.DURABLE)]

    @staticmethod
    def _cut(zone):
        return Send(f"relay-{zone}", FieldOn(on=False), EffectClass.SAFETY)


KERNEL = ToyKernel()


def adapter():
    return VerticalAdapter(
        kernel=KERNEL,
        command_type=Command,
        timer=Timer,
        day=Day,
        configs=lambda site: (),
        utc_offset_min=lambda site: 480,
    )
