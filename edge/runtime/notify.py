"""Sends notices of alarms to the outside world, and tells the kernel what came of each attempt.

What is due, how often and until what proof is decided by ``edge.domain.alarm_notices``; here one attempt is made and
answered for. The hard part is that a target which hangs must hold up neither the daemon's loop nor the other targets:
each attempt has a deadline, webhooks run in threads of their own, and one target has one attempt at a time. A user
would notice a mistake as a fire call that waits behind a dead district server.

At least once, with an id: the same notice may arrive twice under one ``Idempotency-Key`` (webhook) or ``id`` (both).
Proof is a 2xx status, or the broker's PUBACK. An answer that trying again cannot change (other 3xx, 4xx) is final.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import ssl
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from edge.domain.devices import DeviceReading
from edge.domain.notices import NOTIFY_DEVICE, Channel, Notify, NotifyResult
from edge.log import structlog

#: One attempt, from the first byte to the proof.
ATTEMPT_S = 10.0
#: Notices that wait for their attempt; beyond it the attempt counts as failed and the kernel tries again later.
MAX_WAITING = 200
#: Attempts at the same time; one target has at most one.
MAX_AT_ONCE = 4
#: 4xx answers that may change by themselves: time-out, too early, too many.
_PASSING = frozenset({408, 425, 429})

_log = structlog.get_logger("notify")


class NoticeSender:
    """``send`` never waits; every notice that it takes is answered through ``post`` by a ``NotifyResult``. ``site``
    goes into each message, so that one receiver can serve many boxes."""

    def __init__(self, post: Callable[[DeviceReading], object], *, site: str = "") -> None:
        self._post = post
        self._site = site
        self._waiting: deque[Notify] = deque()
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._known: set[str] = set()
        self._threads = ThreadPoolExecutor(MAX_AT_ONCE, thread_name_prefix="notify")
        self._stopped = False
        self.counters = {"notices_sent": 0, "notices_proven": 0, "notices_failed": 0, "notices_refused": 0}

    def send(self, notice: Notify) -> bool:
        """Take a notice. A repeat of one that is still under way is its own answer; False after the stop."""
        if self._stopped:
            return False
        if notice.notice_id in self._known:
            return True
        if len(self._waiting) >= MAX_WAITING:
            self.counters["notices_refused"] += 1
            self._answer(NotifyResult(notice_id=notice.notice_id, delivered=False, proof="too many notices wait"))
            return True
        self._known.add(notice.notice_id)
        self._waiting.append(notice)
        self._go_on()
        return True

    async def stop(self) -> None:
        """End all attempts; what was not proven is sent again after the next start."""
        self._stopped = True
        self._waiting.clear()
        tasks = list(self._busy.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _go_on(self) -> None:
        """Begin the first waiting notice of each idle target, as far as there is room."""
        held: deque[Notify] = deque()
        while self._waiting and len(self._busy) < MAX_AT_ONCE:
            notice = self._waiting.popleft()
            if notice.target in self._busy:
                held.append(notice)
                continue
            self._busy[notice.target] = asyncio.create_task(self._attempt(notice), name=f"notify {notice.notice_id}")
        self._waiting.extendleft(reversed(held))

    async def _attempt(self, notice: Notify) -> None:
        self.counters["notices_sent"] += 1
        try:
            async with asyncio.timeout(ATTEMPT_S):
                result = await self._deliver(notice)
        except (OSError, TimeoutError, http.client.HTTPException, ValueError) as error:
            result = NotifyResult(notice_id=notice.notice_id, delivered=False, proof=_words(error))
        finally:
            self._busy.pop(notice.target, None)
            self._known.discard(notice.notice_id)
        self.counters["notices_proven" if result.delivered else "notices_failed"] += 1
        if not result.delivered:
            _log.warning("a notice is unproven", target=_no_secrets(notice.target), why=result.proof)
        self._answer(result)
        if not self._stopped:
            self._go_on()

    async def _deliver(self, notice: Notify) -> NotifyResult:
        body = encode(notice, self._site)
        url = urlsplit(notice.target)
        match notice.channel, url.scheme:
            case Channel.WEBHOOK, "http" | "https":
                loop = asyncio.get_running_loop()
                status, reason = await loop.run_in_executor(self._threads, _post_http, url, body, notice.notice_id)
                passing = status in _PASSING or status >= 500
                proof = f"HTTP {status} {reason}".strip()
                delivered = 200 <= status < 300
                final = not (delivered or passing)
                return NotifyResult(notice_id=notice.notice_id, delivered=delivered, proof=proof, final=final)
            case Channel.MQTT, "mqtt" | "mqtts":
                await _publish(url, body)
                return NotifyResult(notice_id=notice.notice_id, delivered=True, proof="PUBACK")
            case _:
                proof = "unknown kind of target"
                return NotifyResult(notice_id=notice.notice_id, delivered=False, proof=proof, final=True)

    def _answer(self, result: NotifyResult) -> None:
        self._post(DeviceReading(NOTIFY_DEVICE, 0, result))


def encode(notice: Notify, site: str) -> bytes:
    """The message: one JSON object, times UTC ns, words as stable codes."""
    plain = msgspec.to_builtins(notice)
    plain.pop("type", None)
    plain["id"] = plain.pop("notice_id")
    plain["site"] = site
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()


def _post_http(url: SplitResult, body: bytes, notice_id: str) -> tuple[int, str]:
    """One POST without redirects: status and reason. Raises OSError or HTTPException."""
    if not url.hostname:
        raise ValueError("the URL names no host")
    if url.scheme == "https":
        context = ssl.create_default_context()
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            url.hostname, url.port, timeout=ATTEMPT_S, context=context
        )
    else:
        connection = http.client.HTTPConnection(url.hostname, url.port, timeout=ATTEMPT_S)
    path = f"{url.path or '/'}?{url.query}" if url.query else url.path or "/"
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": notice_id,
        "User-Agent": "kangle-edge",
        "Connection": "close",
    }
    with contextlib.closing(connection):
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read(4096)
        return answer.status, answer.reason


async def _publish(url: SplitResult, body: bytes) -> None:
    """One message of quality 1, never retained; returns with the broker's PUBACK. Raises OSError."""
    import aiomqtt  # noqa: PLC0415 - only boxes that notify over MQTT need the library

    topic = url.path.lstrip("/")
    if not url.hostname or not topic or "+" in topic or url.fragment:
        raise ValueError("the target must be mqtt://HOST:PORT/TOPIC")
    secure = url.scheme == "mqtts"
    client = aiomqtt.Client(
        url.hostname,
        url.port or (8883 if secure else 1883),
        username=unquote(url.username) if url.username else None,
        password=unquote(url.password) if url.password else None,
        tls_context=ssl.create_default_context() if secure else None,
        timeout=ATTEMPT_S,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    )
    try:
        async with client:
            await client.publish(topic, body, qos=1, retain=False)
    except aiomqtt.MqttError as error:
        raise OSError(f"the broker: {error}") from error


def _words(error: BaseException) -> str:
    return "no answer in time" if isinstance(error, TimeoutError) else f"{type(error).__name__}: {error}"[:200]


def _no_secrets(target: str) -> str:
    """A target without user, password and query, for the log."""
    url = urlsplit(target)
    return f"{url.scheme}://{url.hostname or ''}{url.path}" if url.scheme else target
