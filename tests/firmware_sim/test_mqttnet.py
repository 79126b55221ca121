"""A simulated device on a network that breaks in the middle of a step."""

from __future__ import annotations

import asyncio
import errno

import aiomqtt
import pytest

from firmware_sim import mqttnet
from firmware_sim.mqttdevice import MqttDevice


class Quiet(MqttDevice):
    client_id = "quiet"

    def on_connected(self):
        pass

    def on_message(self, topic, payload, *, retain):
        pass


class BrokenClient:
    """Every connection ends as ``errors`` says, then none ends any more."""

    errors: list
    tried = 0

    def __init__(self, *_words, **_facts):
        pass

    async def __aenter__(self):
        BrokenClient.tried += 1
        if self.errors:
            raise self.errors.pop(0)
        await asyncio.Event().wait()

    async def __aexit__(self, *_why):
        return None


@pytest.mark.parametrize("error", [OSError(errno.EBADF, "Bad file descriptor"), aiomqtt.MqttError("gone")])
def test_a_broker_that_dies_in_any_step_ends_no_device(monkeypatch, error):
    monkeypatch.setattr(BrokenClient, "errors", [error, error], raising=False)
    monkeypatch.setattr(BrokenClient, "tried", 0)
    monkeypatch.setattr(mqttnet.aiomqtt, "Client", BrokenClient)
    monkeypatch.setattr(mqttnet, "RETRY_S", 0.001)

    async def play():
        task = asyncio.create_task(mqttnet.run_device(Quiet(1), "127.0.0.1", 1))
        async with asyncio.timeout(60):
            while BrokenClient.tried < 3 and not task.done():
                await asyncio.sleep(0.001)
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(play())
    assert BrokenClient.tried == 3
