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


async def pay(client, command, acknowledged):
    """One attempt; True when it was answered."""
    try:
        answer = await client.submit(command, timeout_s=5)
    except (AnswerUnknownError, DaemonUnreachableError):
        return False
    assert answer.code == "ok", (command, answer)
    before = acknowledged.setdefault(command.command_id, answer.json)
    assert before == answer.json, "a repeated command got another answer"
    return True


async def one_life(toy, daemon, rng, number, open_commands, acknowledged):
    """Start, send what is open and something new, die. Gives what is open still."""
    points = ("before_commit", "after_commit", "begin")
    if number % 2:
        daemon.start(points[number % 3], rng.randint(2, 6))
    else:
        daemon.start()
    client = IpcClient(daemon.socket, "test")
    await client.start()
    fresh = [toy.Pay(f"pay-{number}-{index}", rng.choice("abc"), rng.randint(1, 500)) for index in range(PAYS)]
    commands = [*open_commands, *fresh]
    try:
        if not await client.wait_connected(10 if number % 2 == 0 else 0.6):
            return commands
        asked = [asyncio.create_task(pay(client, command, acknowledged)) for command in commands]
        if number % 2 == 0:
            await asyncio.sleep(rng.random() * 0.008)
            daemon.kill()
        answered = await asyncio.gather(*asked)
        return [command for command, done in zip(commands, answered, strict=True) if not done]
    finally:
        daemon.kill()
        await daemon.ended()
        await client.close()


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(2, 12))])
def test_killed_lives_lose_nothing_acknowledged_and_double_nothing(toy, toy_daemon, seed):
    rng = random.Random(seed)
    acknowledged = {}
    halves = {"answered": 0, "open": 0}

    async def lives():
        open_commands = []
        for number in range(ROUNDS):
            before = len(acknowledged)
            open_commands = await one_life(toy, toy_daemon, rng, number, open_commands, acknowledged)
            halves["answered"] += len(acknowledged) - before
            halves["open"] += len(open_commands)
        toy_daemon.start()
        client = IpcClient(toy_daemon.socket, "test")
        await client.start()
        assert await client.wait_connected(60)
        for command in open_commands:
            assert await pay(client, command, acknowledged)
        await client.close()
        toy_daemon.kill(15)
        await toy_daemon.ended()

    asyncio.run(lives())
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
            assert await client.wait_connected(60)
            if number == 0:
                assert (await client.submit(toy.Stop("s1", "west"))).code == "ok"
            async with asyncio.timeout(60):
                while "device/relay-west" not in client.views:
                    await asyncio.sleep(0.005)
            toy_daemon.kill()
            await toy_daemon.ended()
            await client.close()

    asyncio.run(lives())
