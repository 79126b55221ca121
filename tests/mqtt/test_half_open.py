"""Brokers that are not there any more, or are none: frozen, silent, babbling, mute about what they took."""

from __future__ import annotations

import asyncio
import contextlib
import random

import pytest

from drivers.links import mqtt_link
from drivers.links.link import LinkError
from drivers.links.opening import opener_of


class Wire:
    """A wire to the broker that can be cut without either end hearing of it."""

    def __init__(self, port):
        self.target, self.frozen, self.tasks = port, False, set()

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _connected(self, reader, writer):
        self.tasks.add(asyncio.current_task())
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        try:
            await asyncio.gather(self._pass_on(reader, far_writer), self._pass_on(far_reader, writer))
        finally:
            for each in (writer, far_writer):
                each.transport.abort()

    async def _pass_on(self, reader, writer):
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                if not self.frozen:
                    writer.write(data)
        writer.transport.abort()


async def server(handle):
    """A listener that is no broker; gives its port and how to close it."""
    listening = await asyncio.start_server(handle, "127.0.0.1", 0)
    return listening.sockets[0].getsockname()[1], listening


def test_a_cut_wire_is_found_by_the_keep_alive(broker, heard, linked, run):
    async def cut():
        told = heard()
        async with Wire(broker.port) as wire:
            async with linked(broker.url(port=wire.port, extra="&keepalive=2"), told):
                wire.frozen = True
                await told.until(lambda t: t.lost)
            assert "ended" in told.lost

    run(cut())


def test_a_broker_that_acknowledges_nothing_is_given_up(broker, heard, linked, run, message, monkeypatch):
    monkeypatch.setattr(mqtt_link, "UNSENT_S", 0.3)

    async def cut():
        told = heard()
        async with Wire(broker.port) as wire, linked(broker.url(port=wire.port), told) as link:
            wire.frozen = True
            link.write(message("cmnd/x", "OFF"))
            await told.until(lambda t: t.lost)
            assert "acknowledges nothing" in told.lost

    run(cut())


def test_a_message_that_nobody_settles_is_asked_for_again(mosquitto, heard, linked, run, monkeypatch):
    monkeypatch.setattr(mqtt_link, "UNSETTLED_S", 0.3)

    async def forget():
        told = heard(settle=False)
        async with mosquitto.peer() as peer, linked(mosquitto.url(), told):
            await peer.publish("a/x", "smoke", qos=1)
            await told.until(lambda t: t.lost)
            assert "not settled" in told.lost
        again = heard()
        async with linked(mosquitto.url(), again):
            await again.until(lambda t: t.payloads == ["smoke"])

    run(forget())


@pytest.mark.parametrize("v5", ["yes", "no"])
def test_a_server_that_says_nothing_is_no_broker(heard, run, v5):
    async def silent():
        gone = asyncio.Event()

        async def handle(reader, writer):
            await gone.wait()
            writer.transport.abort()

        port, listening = await server(handle)
        from drivers.links.mqtt import MqttOpener
        from drivers.links.url import parse_link_url

        opener = MqttOpener(parse_link_url(f"mqtt://127.0.0.1:{port}?client=x&topics=a&v5={v5}"), timeout_s=0.4)
        with pytest.raises(LinkError, match="is it an MQTT broker"):
            await opener.open(heard())
        gone.set()
        listening.close()

    run(silent())


@pytest.mark.parametrize("seed", range(12))
def test_a_server_that_babbles_harms_nobody(heard, run, seed):
    """Random bytes, and random packets behind a right CONNACK: a lost link, never an exception."""

    async def babble():
        rng = random.Random(seed)
        problems = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: problems.append(context))

        async def handle(reader, writer):
            await reader.read(10)
            if seed % 2:
                writer.write(b"\x20\x02\x00\x00\x90\x03\x00\x01\x01")
            for _ in range(40):
                kind = rng.choice([0x30, 0x32, 0x34, 0x40, 0x50, 0x62, 0x90, 0xB0, 0xD0, 0xE0, rng.randrange(256)])
                body = rng.randbytes(rng.randrange(20))
                writer.write(bytes([kind, len(body)]) + body)
            writer.write(rng.randbytes(200))
            with contextlib.suppress(ConnectionError):
                await writer.drain()
            writer.close()

        port, listening = await server(handle)
        told = heard()
        opener = opener_of(f"mqtt://127.0.0.1:{port}?client=x&topics=a&v5=no")
        try:
            link = await opener.open(told)
        except LinkError:
            pass
        else:
            await told.until(lambda t: t.lost)
            link.close()
        listening.close()
        await asyncio.sleep(0.02)
        assert problems == []

    run(babble())
