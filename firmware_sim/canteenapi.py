"""The canteen's HTTP API as the floor's people use it: a small HTTP/1.1 client on asyncio streams.

The hard part is not to do harm when the API is away: a command that may or may not have arrived is repeated under the
same Idempotency-Key, a bounded number of times, and never under a new one. A user would notice a mistake as a tray
paid twice. One connection per request: a dropped one can only ever lose one answer.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from urllib.parse import urlsplit

ANSWER_S = 5.0
MAX_BODY_BYTES = 4 * 1024 * 1024
#: Pauses between repeats of a command that was not answered.
REPEAT_AFTER_S = (0.3, 1.0, 3.0)
PREFIX = "/api/v1"


class ApiAwayError(Exception):
    """No answer: the API is down, not yet up, or too slow."""


@dataclass(frozen=True, slots=True)
class Reply:
    """``code``: the problem code, "ok" for success; ``detail``: its words."""

    status: int
    code: str
    detail: str
    body: dict[str, object]

    @property
    def ok(self) -> bool:
        return self.status < 300


class CanteenApi:
    """``base``: ``http://host:port``. Says on stderr once when the API goes away and once when it is back."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self._base = base
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or 80
        self._away = False

    async def get(self, path: str, token: str) -> Reply:
        """One question, not repeated. Raises ``ApiAwayError``."""
        return await self._once("GET", path, token, None, "")

    async def post(self, path: str, token: str, body: dict[str, object], key: str) -> Reply:
        """One command under ``key``; repeated while unanswered or answered 503. Raises ``ApiAwayError`` at the end."""
        for pause_s in REPEAT_AFTER_S:
            try:
                reply = await self._once("POST", path, token, body, key)
            except ApiAwayError:
                await asyncio.sleep(pause_s)
                continue
            if reply.status != 503:
                return reply
            await asyncio.sleep(pause_s)
        return await self._once("POST", path, token, body, key)

    async def _once(self, method: str, path: str, token: str, body: dict[str, object] | None, key: str) -> Reply:
        try:
            async with asyncio.timeout(ANSWER_S):
                status, content = await self._exchange(_request(method, self._host, path, token, body, key))
        except (OSError, TimeoutError, EOFError, ValueError, IndexError, asyncio.LimitOverrunError) as error:
            why = str(error) or type(error).__name__
            if not self._away:
                self._away = True
                say(f"{self._base} does not answer ({why}); the floor goes on and asks again")
            raise ApiAwayError(why) from error
        if self._away:
            self._away = False
            say(f"{self._base} answers again")
        return _reply(status, content)

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(request)
            await writer.drain()
            return await _read_answer(reader)
        finally:
            writer.close()


def say(line: str) -> None:
    """One line for the person who watches."""
    sys.stderr.write(f"floor: {line}\n")
    sys.stderr.flush()


def _request(method: str, host: str, path: str, token: str, body: dict[str, object] | None, key: str) -> bytes:
    payload = b"" if body is None else json.dumps(body).encode()
    lines = [
        f"{method} {PREFIX}{path} HTTP/1.1",
        f"Host: {host}",
        f"Authorization: Bearer {token}",
        "Accept: application/json, application/problem+json",
        "Accept-Language: en",
        "Connection: close",
    ]
    if key:
        lines.append(f"Idempotency-Key: {key}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(payload)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + payload


async def _read_answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body. Raises ``ValueError`` for what is no HTTP, ``EOFError`` for a cut answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    status = int(head[0].split(" ", 2)[1])
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
    if "chunked" in headers.get("transfer-encoding", ""):
        return status, await _read_chunks(reader)
    if "content-length" in headers:
        length = int(headers["content-length"])
        if not 0 <= length <= MAX_BODY_BYTES:
            raise ValueError(f"an answer of {length} bytes")
        return status, await reader.readexactly(length)
    return status, await reader.read(MAX_BODY_BYTES)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        size = int((await reader.readline()).split(b";")[0], 16)
        if len(body) + size > MAX_BODY_BYTES:
            raise ValueError(f"an answer over {MAX_BODY_BYTES} bytes")
        chunk = await reader.readexactly(size + 2)
        if not size:
            return bytes(body)
        body += chunk[:-2]


def _reply(status: int, content: bytes) -> Reply:
    try:
        body = json.loads(content) if content else {}
    except ValueError:
        body = {}
    if not isinstance(body, dict):
        body = {}
    code = "ok" if status < 300 else str(body.get("code", f"http_{status}"))
    return Reply(status, code, str(body.get("detail") or body.get("title") or ""), body)
