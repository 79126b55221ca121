"""Whatever order inputs, commits and failures come in, no promise leaves the box before the disk holds it."""

from __future__ import annotations

import asyncio
from unittest import mock

from hypothesis import given
from hypothesis import strategies as st

from edge.runtime.inbox import Entry, EntryKind

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), st.integers(0, 5), st.sampled_from(["ada", "bob"])),
        st.tuples(st.just("stop"), st.integers(0, 1)),
        st.tuples(st.just("pass")),
        st.tuples(st.just("smoke"), st.booleans()),
        st.tuples(st.just("boom"), st.integers(0, 3)),
        st.tuples(st.just("turn")),
        st.tuples(st.just("commit"), st.integers(1, 3)),
        st.tuples(st.just("fail"), st.sampled_from(["storage", "row"])),
        st.tuples(st.just("recover")),
    ),
    max_size=40,
)


class Witness:
    """Notes each promise when it leaves and whether the disk held it then."""

    def __init__(self, store, toy) -> None:
        self.store = store
        self.toy = toy
        self.broken = []
        self.answers = {}
        self.sent = 0
        self.previews_high = 0

    def show(self, key, view):
        if key.startswith("account/"):
            row = self.store.tables.get(self.toy.AccountRow, {}).get((view.name,))
            if row is None or row.fen < view.fen:
                self.broken.append((key, view, row))

    def send(self, device, command):
        self.sent += 1
        return True

    def reply(self, command_id, code, body, *, replayed=False):
        self.answers.setdefault(command_id, []).append((code, body))
        if code == "ok" and command_id.startswith("pay"):
            row = self.store.tables.get(self.toy.ReplyRow, {}).get((command_id,))
            if row is None or row.after != body["after"]:
                self.broken.append((command_id, body, row))
        latched = self.store.tables.get(self.toy.LatchRow, {})
        if code == "ok" and command_id.startswith("stop") and (body["zone"],) not in latched:
            self.broken.append((command_id, body))


async def live(bench, toy, steps):
    b = bench()
    b.store.holds_out = False
    witness = Witness(b.store, toy)
    b.daemon._executor._outlets = witness
    b.daemon._recovery._parts = b.daemon._recovery._parts.__class__(
        b.daemon._keeper, b.store, b.daemon._inbox, b.daemon._executor, witness, b.clock
    )
    b.daemon.start([toy.Config("one")])
    asked = {}
    cuts = 0
    for step in steps:
        match step:
            case ("pay", number, name):
                command = toy.Pay(f"pay{number}", name, number + 1)
                if b.daemon.post_command(command) is None:
                    asked[command.command_id] = asked.get(command.command_id, 0) + 1
            case ("stop", number):
                if b.daemon.post_command(toy.Stop(f"stop{number}", f"z{number}")) is None:
                    asked[f"stop{number}"] = asked.get(f"stop{number}", 0) + 1
                    cuts += 1
            case ("smoke", boom):
                b.daemon._enter(Entry(toy.Smoke("hall", boom=boom), EntryKind.READING))
                cuts += 1
            case ("boom", number):
                if b.daemon.post_command(toy.Boom(f"boom{number}")) is None:
                    asked[f"boom{number}"] = asked.get(f"boom{number}", 0) + 1
            case ("pass",):
                b.daemon._enter(Entry(toy.Day("2026-09-22"), EntryKind.SHELL))
            case ("turn",):
                await b.settle()
            case ("commit", count):
                b.store.commit(min(count, len(b.store.waiting)))
            case ("fail", code):
                if b.store.waiting:
                    b.store.fail(code if any(batch.rows for batch, _ in b.store.waiting[:1]) else "storage")
            case ("recover",):
                await asyncio.sleep(0.002)
        assert witness.broken == []
    async with asyncio.timeout(60):
        while b.daemon.health()["waiting"] or b.daemon.health()["uncommitted"] or b.daemon.state.value != "running":
            if b.daemon.fatal.done():  # rows of a fresh world were refused: the process would start anew
                assert witness.broken == []
                return
            b.store.commit()
            b.daemon._journal.flush()
            b.clock.advance(100_000_000)
            b.daemon.tick()
            await (asyncio.sleep(0.0005) if b.daemon.state.value == "failed" else b.settle())
    await b.settle()
    assert witness.broken == []
    for command_id, times in asked.items():
        assert len(witness.answers[command_id]) == times, command_id
    paid = {}
    for row in b.store.tables.get(toy.ReplyRow, {}).values():
        paid[row.name] = paid.get(row.name, 0) + row.fen
    assert {row.name: row.fen for row in b.store.tables.get(toy.AccountRow, {}).values()} == paid
    for command_id, answers in witness.answers.items():
        for code, body in answers:
            if code == "ok" and command_id.startswith("pay"):
                assert b.store.tables[toy.ReplyRow][(command_id,)].after == body["after"]
    assert witness.sent >= cuts
    seqs = [record.stamp.seq for record in b.store.records]
    assert seqs == list(range(1, len(seqs) + 1))
    b.store.auto = True
    assert await b.daemon.stop()


@given(steps=STEPS)
def test_no_durable_effect_ever_leaves_before_its_commit(bench, toy, steps):
    waits = {"RETRY_FIRST_S": 0.0005, "RETRY_MAX_S": 0.001}
    with mock.patch.multiple("edge.runtime.recovery", **waits), asyncio.Runner() as runner:
        runner.run(asyncio.wait_for(live(bench, toy, steps), 60))
