"""Killed between the message and its commit: the broker still has it, and sends it to the next life."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge.runtime.ipc import IpcClient
from edge.storage.facts import FactsStore

TESTS = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def toy():
    if "kangle_toy" not in sys.modules:
        spec = importlib.util.spec_from_file_location("kangle_toy", TESTS / "runtime" / "toy.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules["kangle_toy"] = module
        spec.loader.exec_module(module)
    return sys.modules["kangle_toy"]


class Guard:
    """Lives of the guard daemon in ``directory``."""

    def __init__(self, directory, url):
        self.directory, self.url, self.process = directory, url, None
        self._log = (directory / "log").open("ab")

    def start(self):
        command = [sys.executable, str(TESTS / "mqtt" / "guard_process.py"), str(self.directory), self.url]
        self.process = subprocess.Popen(command, stdout=self._log, stderr=self._log, env={**os.environ})

    async def ready(self):
        """Wait until its link is open."""
        client = IpcClient(self.directory / "toy.sock", "test")
        await client.start()
        try:
            assert await client.wait_connected(60), (self.directory / "log").read_text()[-3000:]
            async with asyncio.timeout(60):
                while "device/z2m" not in client.views or not json.loads(client.views["device/z2m"].json)["epoch"]:
                    await asyncio.sleep(0.01)
        finally:
            await client.close()

    async def ended(self):
        return await asyncio.to_thread(self.process.wait, 60)

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(60)
        self._log.close()


@pytest.fixture
def guard(tmp_path, mosquitto):
    directory = tmp_path / "site"
    directory.mkdir()
    guard = Guard(directory, mosquitto.url(client="guard", topics="zigbee2mqtt/%23"))
    yield guard
    guard.close()


def latches(toy, directory):
    store = FactsStore.open(directory, toy.KERNEL.row_types, schema=toy.schema(), ballast_bytes=1 << 20)
    try:
        return {row.zone for row in store.rows().all(toy.LatchRow)}
    finally:
        store.close()


def test_smoke_that_came_in_the_last_moment_comes_again(toy, guard, mosquitto, run):
    async def die():
        guard.start()
        await guard.ready()
        (guard.directory / "armed").touch()
        async with mosquitto.peer() as peer:
            await peer.publish("zigbee2mqtt/west", '{"smoke":true}', qos=1)
        assert await guard.ended() == -signal.SIGKILL
        (guard.directory / "armed").unlink()
        assert latches(toy, guard.directory) == set(), "it died before the commit"
        guard.start()
        await guard.ready()
        async with asyncio.timeout(60):
            while not any("relay-west" in view for view in await views(guard)):
                await asyncio.sleep(0.02)
        guard.process.terminate()
        assert await guard.ended() == 0
        assert latches(toy, guard.directory) == {"west"}

    run(die())


def acknowledged(log, topic):
    """Whether the guard has acknowledged what the broker sent it of a topic."""
    sent = re.search(rf"Sending PUBLISH to guard \(d0, q1, r0, m(\d+), '{topic}'", log)
    return sent is not None and f"Received PUBACK from guard (Mid: {sent[1]}," in log


def test_smoke_that_is_on_disk_was_acknowledged(toy, guard, mosquitto, linked, heard, run):
    async def live():
        mosquitto.restart("log_type debug\n")
        guard.start()
        await guard.ready()
        async with mosquitto.peer() as peer:
            await peer.publish("zigbee2mqtt/west", '{"smoke":true}', qos=1)
            # The message also made the link "ready", and readings that nobody waits for are gathered for a second.
            async with asyncio.timeout(60):
                while not acknowledged(mosquitto.log, "zigbee2mqtt/west"):
                    await asyncio.sleep(0.02)
            guard.process.terminate()
            assert await guard.ended() == 0
            told = heard()
            async with linked(guard.url, told):  # the same client name: what the broker still keeps would come
                await peer.publish("zigbee2mqtt/mark", "{}", qos=1)
                await told.until(lambda t: t.messages)
                assert [each["topic"] for each in told.messages] == ["zigbee2mqtt/mark"]
        assert latches(toy, guard.directory) == {"west"}

    run(live())


async def views(guard):
    """Keys of the daemon's views; the latch shows as a command to a device that the site does not name."""
    client = IpcClient(guard.directory / "toy.sock", "test")
    await client.start()
    try:
        await client.wait_connected(60)
        await asyncio.sleep(0.05)
        return list(client.views)
    finally:
        await client.close()
