"""Simulated MQTT devices on a real broker: one connection each, as in the field.

The hard part is dying like a real device: one that loses its power sends no goodbye, so the broker sends its will, and
its socket is closed without a word. TCP_NODELAY is set, so that a device never adds 40 ms of its own. A user would
notice a polite model as an "offline" that is never seen in tests.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time

import aiomqtt

from firmware_sim.mqttdevice import MqttDevice

RETRY_S = 0.2
IDLE_S = 0.5
KEEPALIVE_S = 15


async def run_device(device: MqttDevice, host: str, port: int, user: str = "", password: str = "") -> None:
    """Connect, serve, connect again, until cancelled."""
    device.begin(time.monotonic_ns())
    while True:
        if device.way.dark:
            await asyncio.sleep(RETRY_S)
            continue
        will = device.will
        client = aiomqtt.Client(
            host,
            port,
            username=user or None,
            password=password or None,
            identifier=device.client_id,
            keepalive=KEEPALIVE_S,
            timeout=5,
            clean_session=True,
            will=aiomqtt.Will(will.topic, will.payload, will.qos, will.retain) if will is not None else None,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        try:
            async with client:
                await _serve(device, client)
        except (aiomqtt.MqttError, OSError):  # aiomqtt lets "bad file descriptor" out when the broker dies in a step
            _end_if_told()  # the goodbye failed: that must not keep us alive
        finally:
            device.disconnected(time.monotonic_ns())
        device.tick(time.monotonic_ns())  # its life goes on: what it cannot say it keeps or forgets
        await asyncio.sleep(RETRY_S)


async def _serve(device: MqttDevice, client: aiomqtt.Client) -> None:
    """Serve one connection until it breaks or the device goes dark."""
    for topic in device.subscriptions:
        await client.subscribe(topic, qos=1)
    wake = asyncio.Event()
    device.connected(time.monotonic_ns())
    hear = asyncio.create_task(_hear(device, client, wake))
    try:
        while not hear.done() and not device.way.dark:
            now_ns = time.monotonic_ns()
            device.tick(now_ns)
            for out in device.take(now_ns):
                await client.publish(out.topic, out.payload, out.qos, out.retain, timeout=5)
                _end_if_told()
            wake.clear()
            deadline = device.deadline()
            wait_s = IDLE_S if deadline is None else min(IDLE_S, max(0.0, (deadline - time.monotonic_ns()) / 1e9))
            try:
                async with asyncio.timeout(wait_s):
                    await wake.wait()
            except TimeoutError:
                continue
        if device.way.dark:
            _die(client)
    finally:
        hear.cancel()
        await asyncio.gather(hear, return_exceptions=True)


def _end_if_told() -> None:
    """Until Python 3.12 ``asyncio.wait_for``, which aiomqtt uses, may swallow a cancellation."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _hear(device: MqttDevice, client: aiomqtt.Client, wake: asyncio.Event) -> None:
    async for message in client.messages:
        device.receive(str(message.topic), message.payload, time.monotonic_ns(), retain=message.retain)
        wake.set()


def _die(client: aiomqtt.Client) -> None:
    """Without a goodbye: the broker gets a reset and sends the will."""
    sock = client._client.socket()  # noqa: SLF001 - aiomqtt has no way to die
    if isinstance(sock, socket.socket):
        with contextlib.suppress(OSError):  # the broker may have died first
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.shutdown(socket.SHUT_RDWR)
