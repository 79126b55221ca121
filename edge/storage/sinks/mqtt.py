"""Samples to an MQTT broker: QoS 1, each acknowledged before the cursor moves. The resend loop is the worker's.

The hard part is that a PUBACK is not always a yes: MQTT 5 brokers acknowledge with a refusal (no right to the topic, a
quota), which the client library drops, so it is looked at here. Older brokers are spoken to in 3.1.1, where a refusal
cannot be seen. The library's loop runs in a thread of its own, so that the connection is kept alive between batches. A
user would notice a mistake as topics that stay empty although the box believes that all is delivered.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import socket
import ssl
import threading
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiomqtt

from edge.log import structlog
from edge.storage.sinks.answers import Answer, Verdict
from edge.storage.sinks.prepared import Item, Message
from edge.storage.sinks.settings import SinkSettings

T = TypeVar("T")
CONNECT_S = 10.0
KEEPALIVE_S = 60
#: MQTT 5 reason codes that ask for patience: quota exceeded, server busy (3.4.2.1 of the standard).
_BUSY_CODES = frozenset({0x89, 0x97})
#: And those that only a person can mend: not authorised, bad user or password, banned, bad authentication.
_CONFIG_CODES = frozenset({0x84, 0x86, 0x87, 0x8A, 0x8C})

_log = structlog.get_logger("sink")


class MqttTransport:
    """One connection to one broker."""

    def __init__(self, settings: SinkSettings) -> None:
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"mqtt {settings.sink}", daemon=True)
        self._thread.start()
        self._client: aiomqtt.Client | None = None
        self._v5 = True
        self._refusals: list[Any] = []

    def send(self, items: Sequence[Item]) -> Answer:
        """Publish ``items`` (messages) and wait for the acknowledgement of each."""
        # Bounds also what the library might not: connecting, the batch, and some air.
        limit_s = CONNECT_S + self._settings.timeout_s + 5
        try:
            return self._run(self._send(items), limit_s)
        except (TimeoutError, concurrent.futures.TimeoutError):
            self._forget()
            return Answer(Verdict.UNREACHABLE, f"no acknowledgement within {limit_s:.0f} s")

    def close(self) -> None:
        with contextlib.suppress(TimeoutError, concurrent.futures.TimeoutError):
            self._run(self._disconnect(), 2.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5.0)
        if not self._thread.is_alive():
            self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T], limit_s: float) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(limit_s)
        finally:
            future.cancel()

    async def _send(self, items: Sequence[Item]) -> Answer:
        fresh = self._client is None
        if self._client is None:
            answer = await self._connect()
            if answer is not None:
                return answer
        assert self._client is not None
        self._refusals.clear()
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                await self._publish(self._client, items)
        except (aiomqtt.MqttError, OSError, TimeoutError) as error:
            await self._disconnect()
            return Answer(Verdict.UNREACHABLE, _words(error), fresh=fresh)
        if self._refusals:
            return _refusal(self._refusals[0], fresh=fresh)
        return Answer(Verdict.STORED, fresh=fresh)

    async def _publish(self, client: aiomqtt.Client, items: Sequence[Item]) -> None:
        """``in_flight`` at a time, in order: the library hands each to the socket before it first waits."""
        window, retain = self._settings.in_flight, self._settings.retain
        for start in range(0, len(items), window):
            calls = [
                client.publish(item.topic, item.payload, qos=1, retain=retain)
                for item in items[start : start + window]
                if isinstance(item, Message)
            ]
            for outcome in await asyncio.gather(*calls, return_exceptions=True):
                if isinstance(outcome, BaseException):
                    raise outcome

    async def _connect(self) -> Answer | None:
        """None when connected."""
        try:
            client = self._make()
        except (OSError, ssl.SSLError, UnicodeDecodeError) as error:
            return Answer(Verdict.MISCONFIGURED, f"password or certificate file: {error}")
        try:
            async with asyncio.timeout(CONNECT_S):
                await client.__aenter__()
        except aiomqtt.MqttCodeError as error:
            code = getattr(error.rc, "value", error.rc)
            if code in _CONFIG_CODES or code in {4, 5}:
                return Answer(Verdict.MISCONFIGURED, f"{error}: correct user and password file")
            self._v5 = not self._v5  # it may not speak this version
            return Answer(Verdict.UNREACHABLE, _words(error))
        except (aiomqtt.MqttError, OSError, TimeoutError) as error:
            self._v5 = not self._v5 or "refused" in str(error)
            return Answer(Verdict.UNREACHABLE, _words(error))
        self._look_at_refusals(client)
        # That the connection ended is seen by the next send. What the library keeps for whoever asks why would else be
        # reported to the log as an error that nobody looked at, long after.
        client._disconnected.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # noqa: SLF001
        self._client = client
        return None

    def _make(self) -> aiomqtt.Client:
        settings = self._settings
        url = urlsplit(settings.url)
        secure = url.scheme == "mqtts"
        return aiomqtt.Client(
            url.hostname or "",
            url.port or (8883 if secure else 1883),
            username=settings.user or None,
            password=_password(settings.password_file),
            identifier=settings.client,
            tls_context=ssl.create_default_context(cafile=settings.tls_ca) if secure else None,
            protocol=aiomqtt.ProtocolVersion.V5 if self._v5 else aiomqtt.ProtocolVersion.V311,
            clean_session=None if self._v5 else True,
            keepalive=KEEPALIVE_S,
            timeout=settings.timeout_s,
            max_inflight_messages=settings.in_flight,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )

    def _look_at_refusals(self, client: aiomqtt.Client) -> None:
        """The library takes every PUBACK for a yes; its own handler is called after ours."""
        inner = client._client  # noqa: SLF001 - the library gives the reason code to nobody
        on_publish: Any = inner.on_publish

        def look(paho: Any, userdata: Any, mid: int, reason_code: Any, properties: Any) -> None:
            if getattr(reason_code, "is_failure", False):
                self._refusals.append(reason_code)
            on_publish(paho, userdata, mid, reason_code, properties)

        inner.on_publish = look
        client.pending_calls_threshold = self._settings.in_flight + 10

    async def _disconnect(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(aiomqtt.MqttError, OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await client.__aexit__(None, None, None)

    def _forget(self) -> None:
        """After a send that never ended: the next one begins with a new connection."""
        self._client = None


def _refusal(code: Any, *, fresh: bool) -> Answer:
    reason = f"the broker refuses: {code}"
    if code.value in _BUSY_CODES:
        return Answer(Verdict.BUSY, reason, fresh=fresh)
    if code.value in _CONFIG_CODES:
        return Answer(Verdict.MISCONFIGURED, f"{reason}: let this user publish below the topic prefix", fresh=fresh)
    return Answer(Verdict.REFUSED, reason, fresh=fresh)


def _password(path: Path | None) -> str | None:
    return None if path is None else path.read_text(encoding="utf-8").partition("\n")[0].strip()


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return f"{type(error).__name__}: {error}"[:300]
