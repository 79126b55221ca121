"""The fake server's HTTP: ``POST /api/v2/write`` as strict as InfluxDB v2, ``/health``, ``/ping``, ``/metrics``, and
``/fake/...`` for the test that drives it.

Answers as InfluxDB's API reference states them: 204 all stored; 400 a malformed line, nothing stored; 401 token; 404
bucket or organisation; 413 too large; 422 some rejected, the rest stored. Everything else happens on demand
(``script``).
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import socket
import ssl
import struct
import time
import zlib
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from firmware_sim.influx_fake.bucket import Bucket
from firmware_sim.influx_fake.line_parser import LineSyntaxError, Point, parse
from firmware_sim.influx_fake.script import Script, ScriptError, Step

REASONS = {
    200: "OK", 204: "No Content", 302: "Found", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 413: "Request Entity Too Large", 422: "Unprocessable Entity", 429: "Too Many Requests",
    500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip
HEAD_BYTES_MAX = 16 << 10
HARD_BODY_MAX = 64 << 20
SYNC_EVERY_S = 0.02


@dataclass
class Options:
    """``metrics``: tell since when it runs. ``boot_id``: say so in each answer. ``keep_alive`` False: close after each
    answer."""

    token: str
    org: str = "kangle"
    bucket: str = "edge"
    body_max: int = 8 << 20
    metrics: bool = True
    boot_id: str = ""
    keep_alive: bool = True


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Reply:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class FakeInflux:
    """One server. ``serve`` listens until cancelled; ``port`` is known from then on."""

    def __init__(self, options: Options, bucket: Bucket) -> None:
        self.options = options
        self.bucket = bucket
        self.script = Script()
        self.counts: dict[str, int] = {}
        self.port = 0
        self._began_s = time.time()

    async def serve(self, host: str, port: int, ready: asyncio.Event, tls: ssl.SSLContext | None = None) -> None:
        server = await asyncio.start_server(self._connection, host, port, limit=HEAD_BYTES_MAX, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        async with server:
            while True:
                await asyncio.sleep(SYNC_EVERY_S)
                self.bucket.sync(time.monotonic())

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._count("connections")
        try:
            while await self._exchange(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            self._count("broken")
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; False when the connection ends."""
        request = await _read_head(reader)
        if request is None:
            return False
        is_write = request.path == "/api/v2/write" and request.method == "POST"
        step = self.script.next() if is_write else None
        length = int(request.headers.get("content-length", "0"))
        if length > HARD_BODY_MAX:
            return False
        if step is not None and step.do == "cut_request":
            await reader.readexactly(length // 2)
            return _reset(writer)
        request.body = await reader.readexactly(length)
        if not is_write:
            return await self._send(writer, self._other(request))
        self._count("writes")
        return await self._answer(writer, request, step)

    async def _answer(self, writer: asyncio.StreamWriter, request: Request, step: Step | None) -> bool:
        if step is not None and step.do.isdigit():
            return await self._send(writer, _scripted(step))
        if step is not None and step.do in {"slow", "hang"}:
            await asyncio.sleep(step.seconds if step.do == "slow" else 3600)
        reply = self._write(request)
        if step is None or step.do in {"ok", "slow"}:
            return await self._send(writer, reply)
        raw = self._encode(reply)
        match step.do:
            case "cut_response":
                writer.write(raw[: len(raw) // 2])
                await writer.drain()
            case "trickle":
                for byte in raw:
                    writer.write(bytes((byte,)))
                    await writer.drain()
                    await asyncio.sleep(step.seconds)
            case "close":
                await self._send(writer, reply)
                return False
            case _:
                pass
        return _reset(writer)

    async def _send(self, writer: asyncio.StreamWriter, reply: Reply) -> bool:
        self._count(str(reply.status))
        writer.write(self._encode(reply))
        await writer.drain()
        return self.options.keep_alive

    def _encode(self, reply: Reply) -> bytes:
        headers = {"X-Influxdb-Version": "fake", "X-Influxdb-Build": "OSS", **reply.headers}
        if self.options.boot_id:
            headers["X-Boot-Id"] = self.options.boot_id
        if not self.options.keep_alive:
            headers["Connection"] = "close"
        if reply.status != 204:
            headers["Content-Length"] = str(len(reply.body))
        lines = [f"HTTP/1.1 {reply.status} {REASONS.get(reply.status, 'Other')}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + reply.body

    # --- the write ----------------------------------------------------------------------------------------------------

    def _write(self, request: Request) -> Reply:
        options = self.options
        if request.headers.get("authorization") != f"Token {options.token}":
            return _problem(401, "unauthorized", "unauthorized access")
        if request.query.get("org") != options.org:
            return _problem(404, "not found", "organization name not found")
        if request.query.get("bucket") != options.bucket:
            return _problem(404, "not found", f'bucket "{request.query.get("bucket")}" not found')
        if request.query.get("precision", "ns") != "ns":
            return _problem(400, "invalid", "this server expects precision ns")
        try:
            body = _body(request, options.body_max)
        except (OSError, EOFError, zlib.error) as error:
            return _problem(400, "invalid", f"bad gzip: {error}")
        if body is None:
            return _problem(413, "request too large", f"body exceeds {options.body_max} bytes")
        try:
            points = _points(body)
        except LineSyntaxError as error:
            return _problem(400, "invalid", str(error))
        rejected = self.bucket.write(points, time.monotonic())
        if rejected is not None:
            text = f"partial write: {rejected.reason} dropped={rejected.dropped}"
            return _problem(422, "unprocessable entity", text)
        return Reply(204)

    def _other(self, request: Request) -> Reply:
        match request.method, request.path:
            case "GET", "/health":
                return _json({"name": "influxdb", "status": "pass", "message": "ready for queries and writes"})
            case "GET", "/ping":
                return Reply(204)
            case "GET", "/metrics" if self.options.metrics:
                text = (
                    f"# TYPE influxdb_uptime_seconds gauge\ninfluxdb_uptime_seconds {time.time() - self._began_s:g}\n"
                )
                return Reply(200, text.encode(), {"Content-Type": "text/plain"})
            case "GET", "/fake/points":
                return Reply(200, "\n".join(self.bucket.lines()).encode())
            case "GET", "/fake/stats":
                changed = len(self.bucket.changed)
                kept = {"keys": len(self.bucket.values), "changed": changed, "recovered": self.bucket.recovered}
                return _json({**kept, "counts": self.counts})
            case "POST", "/fake/script":
                try:
                    self.script.set(json.loads(request.body))
                except (ScriptError, ValueError) as error:
                    return _problem(400, "invalid", str(error))
                return Reply(204)
            case _:
                return _problem(404, "not found", "path not found")

    def _count(self, name: str) -> None:
        self.counts[name] = self.counts.get(name, 0) + 1


def _scripted(step: Step) -> Reply:
    status = int(step.do)
    if status == 204:
        return Reply(204)
    reply = _problem(status, "scripted", step.body or f"scripted {status}")
    if step.retry_after:
        reply.headers["Retry-After"] = step.retry_after
    if 300 <= status < 400:
        reply.headers["Location"] = "http://127.0.0.1:9/elsewhere"
    return reply


def _points(body: bytes) -> list[Point]:
    """All lines, or LineSyntaxError for the first bad one: then none is stored."""
    points: list[Point] = []
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LineSyntaxError(f"not UTF-8: {error}") from error
    for number, line in enumerate(text.split("\n"), 1):
        if not line and points:
            continue
        try:
            points.append(parse(line))
        except LineSyntaxError as error:
            raise LineSyntaxError(f"unable to parse line {number} '{line[:100]}': {error}") from error
    return points


def _body(request: Request, most: int) -> bytes | None:
    """The body, unpacked; None when it is too large."""
    if request.headers.get("content-encoding") != "gzip":
        return request.body if len(request.body) <= most else None
    body = gzip.decompress(request.body)
    return body if len(body) <= most else None


async def _read_head(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    first, *rest = head.decode("latin-1").split("\r\n")
    method, target, _version = first.split(" ", 2)
    headers = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in rest if ":" in line}
    url = urlsplit(target)
    query = {key: values[0] for key, values in parse_qs(url.query).items()}
    return Request(method, url.path, query, headers, b"")


def _reset(writer: asyncio.StreamWriter) -> bool:
    """End the connection as a cut line does: no FIN, a reset."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False


def _json(value: object) -> Reply:
    return Reply(200, json.dumps(value).encode(), {"Content-Type": "application/json"})


def _problem(status: int, code: str, message: str) -> Reply:
    return Reply(status, json.dumps({"code": code, "message": message}).encode(), {"Content-Type": "application/json"})
