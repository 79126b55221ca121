"""kill -9 of a real daemon between command and answer: nothing acknowledged is lost, nothing repeated counts twice.

Half of the lives end at an exact point of the store's transaction (before its commit, after its commit and before any
answer), half at a seeded moment from outside. What was not answered is sent again to the next life under its old id.
"""

from __future__ import annotations

import asyncio
import random

import pytest

from edge.runtime.ipc import AnswerUnknownError, DaemonUnreachableError, IpcClient
from edge.runtime.replay import replay
from edge.storage.facts import FactsStore

ROUNDS = 36
PAYS = 6
PATIENCE_S = 60
#: A life that is killed from outside has so long to answer, at first; less after one that answered everything, more
#: after one that answered nothing: on any machine some are answered and some are not.
FIRST_SPREAD_S, SPREAD_MAX_S = 0.008, 4.0
LESS, MORE = 0.7, 1.5


async def pay(client, command, acknowledged):
    """One attempt; True when it was answered."""
    try:
        answer = await client.submit(command, timeout_s=PATIENCE_S)
    except (AnswerUnknownError, DaemonUnreachableError):
        return False
    assert answer.code == "ok", (command, answer)
    before = acknowledged.setdefault(command.command_id, answer.json)
    assert before == answer.json, "a repeated command got another answer"
    return True


class Lives:
    """Lives of one store, one after the other. ``open``: commands that were not answered yet."""

    def __init__(self, toy, daemon, seed):
        self.toy, self.daemon, self.rng = toy, daemon, random.Random(seed)
        self.open, self.acknowledged = [], {}
        self.spread_s = FIRST_SPREAD_S

    async def one(self, number):
        """Start, send what is open and something new, die."""
        points = ("before_commit", "after_commit", "begin")
        by_itself = number % 2 == 1
        if by_itself:
            self.daemon.start(points[number % 3], self.rng.randint(2, 6))
        else:
            self.daemon.start()
        client = IpcClient(self.daemon.socket, "test")
        await client.start()
        fresh = [self.toy.Pay(f"pay-{number}-{n}", self.rng.choice("abc"), self.rng.randint(1, 500))
                 for n in range(PAYS)]  # fmt: skip
        commands = [*self.open, *fresh]
        ends = asyncio.create_task(self.daemon.ended())
        try:
            answered = await self._ask(client, commands, ends, by_itself=by_itself)
            self.open = [command for command, done in zip(commands, answered, strict=True) if not done]
        finally:
            self.daemon.kill()
            await ends
            await client.close()

    async def _ask(self, client, commands, ends, *, by_itself):
        """Whether each was answered; a life may end before anybody could speak to it."""
        connected = asyncio.create_task(client.wait_connected(PATIENCE_S))
        await asyncio.wait([connected, ends], return_when=asyncio.FIRST_COMPLETED)
        if not connected.done():
            connected.cancel()
            return [False] * len(commands)
        asked = [asyncio.create_task(pay(client, command, self.acknowledged)) for command in commands]
        if not by_itself:
            await asyncio.wait(asked, timeout=self.rng.random() * self.spread_s)
            self.daemon.kill()
        answered = await asyncio.gather(*asked)
        if not by_itself and len(set(answered)) == 1:
            self.spread_s = min(SPREAD_MAX_S, self.spread_s * (LESS if answered[0] else MORE))
        return answered


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(2, 12))])
def test_killed_lives_lose_nothing_acknowledged_and_double_nothing(toy, toy_daemon, seed):
    lives, halves = Lives(toy, toy_daemon, seed), {"answered": 0, "open": 0}
    acknowledged = lives.acknowledged

    async def campaign():
        for number in range(ROUNDS):
            before = len(acknowledged)
            await lives.one(number)
            halves["answered"] += len(acknowledged) - before
            halves["open"] += len(lives.open)
        toy_daemon.start()
        client = IpcClient(toy_daemon.socket, "test")
        await client.start()
        assert await client.wait_connected(PATIENCE_S)
        for command in lives.open:
            assert await pay(client, command, acknowledged)
        await client.close()
        toy_daemon.kill(15)
        await toy_daemon.ended()

    asyncio.run(campaign())
    assert halves["answered"] >= ROUNDS, "most lives must answer something"
    assert halves["open"] >= ROUNDS // 2, "many lives must die with something unanswered"
    store = FactsStore.open(toy_daemon.directory, toy.KERNEL.row_types, schema=toy.schema(), ballast_bytes=1 << 20)
    try:
        world = toy.KERNEL.load(store.rows())
    finally:
        store.close()
    for command_id, json in acknowledged.items():
        assert f'{{"after":{world.replies[command_id][2]}}}'.encode() == json
    assert len(acknowledged) == ROUNDS * PAYS
    sums = {}
    for name, fen, _after in world.replies.values():
        sums[name] = sums.get(name, 0) + fen
    assert world.accounts == sums
    assert len(world.replies) == len(acknowledged)
    report = replay(toy_daemon.directory, toy.KERNEL, known_version=toy.schema()[-1].version)
    assert (report.differing, report.unreadable) == (0, ())
    assert report.inputs >= len(acknowledged)


def test_a_latch_holds_through_kills(toy, toy_daemon):
    async def lives():
        for number in range(3):
            toy_daemon.start()
            client = IpcClient(toy_daemon.socket, "test")
            await client.start()
            assert await client.wait_connected(PATIENCE_S)
            if number == 0:
                assert (await client.submit(toy.Stop("s1", "west"), PATIENCE_S)).code == "ok"
            async with asyncio.timeout(PATIENCE_S):
                while "device/relay-west" not in client.views:
                    await asyncio.sleep(0.005)
            toy_daemon.kill()
            await toy_daemon.ended()
            await client.close()

    asyncio.run(lives())
