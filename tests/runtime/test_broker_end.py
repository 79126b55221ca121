"""The embedded broker's end: in order where amqtt can, and an end in any case."""

from __future__ import annotations

import asyncio

import pytest

from edge.runtime import broker

CONFIG = {"listeners": {"default": {"bind": "127.0.0.1:1"}}}


def ended(monkeypatch, shutdown):
    """What ``serve`` says of an end that goes like ``shutdown``."""

    class Broker:
        def __init__(self, config):
            assert config is CONFIG

        async def start(self):
            pass

    Broker.shutdown = shutdown
    monkeypatch.setattr(broker, "TakeOverBroker", Broker)

    async def run():
        stop = asyncio.Event()
        stop.set()
        return await broker.serve(CONFIG, stop)

    return asyncio.run(run())


def test_an_end_in_order_is_said(monkeypatch):
    async def shutdown(_self):
        await asyncio.sleep(0)

    assert ended(monkeypatch, shutdown) is True


def test_an_end_that_does_not_come_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(broker, "SHUTDOWN_S", 0.01)

    async def shutdown(_self):
        await asyncio.Event().wait()

    assert ended(monkeypatch, shutdown) is False


def test_a_mistake_in_the_end_is_told(monkeypatch):
    async def shutdown(_self):
        raise ConnectionError("of a plugin")

    with pytest.raises(ConnectionError, match="of a plugin"):
        ended(monkeypatch, shutdown)


def test_a_process_that_cannot_end_in_order_ends(monkeypatch):
    """By ``os._exit``: amqtt's tasks would hold up the loop's own end as well."""

    class Ended(BaseException):
        pass

    def leave(status):
        raise Ended(status)

    async def serve(_config, _stop):
        return False

    monkeypatch.setattr(broker, "serve", serve)
    monkeypatch.setattr(broker.os, "_exit", leave)
    with pytest.raises(Ended):
        asyncio.run(broker._run(CONFIG))
