"""InfluxDB v2 over ``influxdb-client``: one synchronous write, one answer. Retries, batching and memory are ours,
because the client's own lose data (docs/sinks.md).

The hard part is what the client hides: a server that restarted while the connection was idle is met again over a new
connection without a word, and one that trickles bytes outlasts any read time-out. So connections are counted, a
watchdog closes a socket at the deadline, and after each new connection the server is asked since when it runs. A user
would notice a mistake as the last seconds before a server's crash that never come back.
"""

from __future__ import annotations

import contextlib
import gzip
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import urllib3
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.write_precision import WritePrecision
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from edge.storage.sinks.answers import Answer, Verdict, remedy_of, retry_after_s, verdict_of
from edge.storage.sinks.prepared import Item
from edge.storage.sinks.settings import SinkSettings

CONNECT_S = 5.0
#: The client compresses at level 9, which costs four times the time of level 1 for a tenth of the size.
GZIP_LEVEL = 1
REASON_CHARS = 300
METRICS_BYTES_MAX = 1 << 20
TOKEN_BYTES_MAX = 4096
#: Starts that are this near are one start: an uptime is read with some delay.
START_TOLERANCE_S = 2.0

#: Since when the server runs: VictoriaMetrics and every Go program with Prometheus' process collector; InfluxDB v2.
_START = re.compile(rb"^(?:vm_app_start_timestamp|process_start_time_seconds)(?:\{[^}]*\})? ([0-9.e+]+)", re.MULTILINE)
_UPTIME = re.compile(rb"^influxdb_uptime_seconds(?:\{[^}]*\})? ([0-9.e+]+)", re.MULTILINE)
#: Headers of an answer that change when another server, or another life of it, answers.
_IDENTITY = ("X-Boot-Id", "X-Server-Hostname", "X-Influxdb-Build", "X-Influxdb-Version")


class TokenError(Exception):
    """The token file cannot be used; the text says what to do."""


class _Wire:
    """The connections of one transport: counts those that were opened, cuts those that take too long."""

    def __init__(self) -> None:
        self.opened = 0
        self.cut = False
        self._socket: socket.socket | None = None

    def connected(self, sock: socket.socket | None) -> None:
        self.opened += 1
        self._socket = sock

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Whatever waits on the socket after ``seconds`` gets its end."""
        self.cut = False
        watchdog = threading.Timer(seconds, self._cut_off)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()

    def _cut_off(self) -> None:
        self.cut = True
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def _pools(wire: _Wire) -> dict[str, type[HTTPConnectionPool]]:
    """Connection pools that tell ``wire`` of each connection. urllib3 sets TCP_NODELAY on each by itself."""

    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            wire.connected(self.sock)

    class Secure(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            wire.connected(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


class InfluxTransport:
    """Writes line protocol to one bucket. Keeps one connection; reads the token anew whenever it builds the client."""

    def __init__(self, settings: SinkSettings) -> None:
        self._settings = settings
        self._client: Any = None  # the library is not typed throughout
        self._wire = _Wire()
        self._life = ""
        self._start_s = 0.0
        self._identity: tuple[str, ...] = ()

    def send(self, items: Sequence[Item]) -> Answer:
        """One write of ``items`` (lines)."""
        body = "\n".join(str(item) for item in items).encode()
        if self._client is None:
            try:
                self._client = self._open()
            except (TokenError, OSError, ssl.SSLError) as error:
                return Answer(Verdict.MISCONFIGURED, str(error)[:REASON_CHARS])
        opened = self._wire.opened
        with self._wire.within(self._settings.timeout_s + CONNECT_S):
            answer = self._write(self._client, body)
        fresh = self._wire.opened != opened
        if answer.verdict in {Verdict.UNREACHABLE, Verdict.MISCONFIGURED}:
            self._drop()
        elif fresh:
            self._learn_life()
        return answer._replace(fresh=fresh, life=self._life)

    def close(self) -> None:
        self._drop()

    def _drop(self) -> None:
        """Let go of the client with its connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _open(self) -> Any:
        settings = self._settings
        make: Any = InfluxDBClient
        client = make(
            url=settings.url,
            token=read_token(settings.token_file),
            org=settings.org,
            timeout=(int(CONNECT_S * 1000), int(settings.timeout_s * 1000)),
            ssl_context=self._tls(),
            connection_pool_maxsize=1,
        )
        client.api_client.rest_client.pool_manager.pool_classes_by_scheme = _pools(self._wire)
        return client

    def _tls(self) -> ssl.SSLContext | None:
        if urlsplit(self._settings.url).scheme != "https":
            return None
        return ssl.create_default_context(cafile=self._settings.tls_ca)

    def _write(self, client: Any, body: bytes) -> Answer:
        service: Any = WriteService
        more: dict[str, Any] = {}
        if self._settings.gzip:
            body = gzip.compress(body, GZIP_LEVEL, mtime=0)
            more["content_encoding"] = "gzip"
        try:
            service(client.api_client).post_write(
                self._settings.org,
                self._settings.bucket,
                body,
                precision=WritePrecision.NS,
                content_type="text/plain; charset=utf-8",
                **more,
            )
        except ApiException as error:
            return self._refusal(error)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return Answer(Verdict.UNREACHABLE, self._words(error))
        response = client.api_client.last_response
        if response.status != 204:
            return Answer(Verdict.MISCONFIGURED, remedy_of(response.status))
        return Answer(Verdict.STORED, sign=self._identity_changed(response))

    def _refusal(self, error: ApiException) -> Answer:
        if not error.status:
            # The client's only use of status 0: TLS, be it a certificate or a connection that broke.
            reason = f"TLS: {error.reason}"[:REASON_CHARS]
            if "CERTIFICATE" in reason or "WRONG_VERSION" in reason:
                return Answer(Verdict.MISCONFIGURED, f"{reason}; give the server's authority as tls_ca")
            return Answer(Verdict.UNREACHABLE, reason)
        verdict = verdict_of(error.status)
        message = str(error.message or error.reason or "").strip()[:REASON_CHARS]
        if verdict is Verdict.MISCONFIGURED:
            return Answer(verdict, f"{remedy_of(error.status)} (HTTP {error.status}: {message})")
        wait_s = retry_after_s(error.headers.get("Retry-After") if error.headers else None, time.time())
        return Answer(verdict, f"HTTP {error.status}: {message}", wait_s)

    def _words(self, error: Exception) -> str:
        if self._wire.cut:
            return f"no whole answer within {self._settings.timeout_s:.0f} s"
        return f"{type(error).__name__}: {error}"[:REASON_CHARS]

    def _identity_changed(self, response: Any) -> bool:
        identity = tuple(response.getheader(name) or "" for name in _IDENTITY)
        before, self._identity = self._identity, identity
        return bool(before) and identity != before

    def _learn_life(self) -> None:
        """Ask since when the server's process runs; what it does not tell stays unknown."""
        start_s = start_of(self._metrics(), time.time())
        if start_s is None:
            self._life = ""
        elif not self._life or abs(start_s - self._start_s) > START_TOLERANCE_S:
            self._life, self._start_s = f"start {start_s:.0f}", start_s

    def _metrics(self) -> bytes:
        """The beginning of the server's ``/metrics``, asked for without the token; b"" when there is none."""
        wire = _Wire()
        timeout = urllib3.Timeout(connect=CONNECT_S, read=CONNECT_S)
        url = f"{self._settings.url.rstrip('/')}/metrics"
        with urllib3.PoolManager(num_pools=1, retries=False, ssl_context=self._tls()) as pool:
            pool.pool_classes_by_scheme = _pools(wire)
            try:
                with wire.within(CONNECT_S * 2):
                    answer = pool.request("GET", url, preload_content=False, timeout=timeout, redirect=False)
                    return answer.read(METRICS_BYTES_MAX) if answer.status == 200 else b""
            except (urllib3.exceptions.HTTPError, OSError, ValueError):
                return b""


def start_of(metrics: bytes, now_unix_s: float) -> float | None:
    """When the server's process began (Unix seconds), from the text of its ``/metrics``; None when that does not
    tell."""
    if (start := _START.search(metrics)) is not None:
        return float(start[1])
    if (uptime := _UPTIME.search(metrics)) is not None:
        return now_unix_s - float(uptime[1])
    return None


def read_token(path: Path | None) -> str | None:
    """The first line of the token file; None when the site names none. Raises TokenError."""
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            text = file.read(TOKEN_BYTES_MAX).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise TokenError(
            f"the token file {path} cannot be read ({error}): write the token into it, mode 0600"
        ) from error
    token = text.partition("\n")[0].strip()
    if not token:
        raise TokenError(f"the token file {path} is empty: write the token into it, mode 0600")
    return token
