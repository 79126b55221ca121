"""The client of a daemon's socket, for the API process and the tools.

The hard part is honesty about what is not known: an answer that did not come says nothing about whether the command
was carried out, and a view that is not refreshed is old. So a lost answer is its own error (``AnswerUnknownError``:
submit the same command id again), and ``status`` tells how old the last sign of life is. A user would notice a
mistake as a page that shows yesterday's price as today's, or a sale that is paid twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

import msgspec

from edge.runtime.ipc_frames import FrameBuffer, FrameError, check_socket_path, frame
from edge.runtime.ipc_messages import (
    MAX_MESSAGE_BYTES,
    MAX_OUTSTANDING,
    PROTOCOL_VERSION,
    Answer,
    Goodbye,
    Hello,
    Pulse,
    Submit,
    ToClient,
    ViewUpdate,
    Watch,
    Welcome,
)

#: Pulses come each second; after this long without one the views are stale.
STALE_AFTER_S = 1.5

#: A connection without any pulse for this long is dead although the socket looks open (a stopped process).
DEAD_AFTER_S = 5.0

BACKOFF_FIRST_S = 0.05
BACKOFF_MAX_S = 1.0

_decoder = msgspec.msgpack.Decoder(ToClient)


class HasCommandId(Protocol):
    """A vertical's command struct."""

    @property
    def command_id(self) -> str: ...


class DaemonUnreachableError(ConnectionError):
    """There is no connection to the daemon; nothing was sent."""


class AnswerUnknownError(Exception):
    """The command was sent but no answer came: it may or may not have been carried out. Submitting it again with the
    same command id is safe and gives the stored answer."""


@dataclass(frozen=True, slots=True)
class DaemonStatus:
    """What is known of the daemon. ``age_ms`` is the time since its last pulse (or since ``start`` if there was none);
    ``alive`` is false when that is over 1.5 s or there is no connection: all views are then to be shown as stale."""

    alive: bool
    age_ms: int
    boot_id: str
    build: str
    lag_ms: float
    counters: dict[str, int]


@dataclass(eq=False, slots=True)
class _Watcher:
    """One ``watch`` loop: the newest update per key that it has not taken yet."""

    prefixes: tuple[str, ...]
    waiting: dict[str, ViewUpdate] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, update: ViewUpdate) -> None:
        if update.key.startswith(self.prefixes):
            self.waiting[update.key] = update
            self.wake.set()


class IpcClient:
    """Keeps one connection to a daemon, reconnecting by itself. ``views`` holds the newest view of each key."""

    def __init__(self, path: Path, name: str, *, rng: random.Random | None = None) -> None:
        self.views: dict[str, ViewUpdate] = {}
        self._address = check_socket_path(path)
        self._name = name
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not secrets
        self._task: asyncio.Task[None] | None = None
        self._connection: _Connection | None = None
        self._welcome: Welcome | None = None
        self._connected = asyncio.Event()
        self._pulse: Pulse | None = None
        self._life_s = time.monotonic()
        self._waiting: dict[str, deque[asyncio.Future[Answer]]] = {}
        self._outstanding = 0
        self._watchers: set[_Watcher] = set()
        self._closed = False

    async def start(self) -> None:
        """Begin to connect, and go on connecting, in the background. Returns at once."""
        self._life_s = time.monotonic()
        self._task = asyncio.create_task(self._run(), name=f"ipc client {self._address}")

    async def close(self) -> None:
        """End the connection; waiting submits fail, watchers end."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for watcher in self._watchers:
            watcher.wake.set()

    async def wait_connected(self, timeout_s: float) -> bool:
        """True as soon as the daemon has welcomed us, false when that took longer."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._connected.wait()
        return self._connected.is_set()

    def status(self) -> DaemonStatus:
        """How the daemon is, by its own pulses."""
        age_s = time.monotonic() - self._life_s
        welcome, pulse = self._welcome, self._pulse
        return DaemonStatus(
            alive=self._connected.is_set() and age_s < STALE_AFTER_S,
            age_ms=int(age_s * 1000),
            boot_id=welcome.boot_id if welcome else "",
            build=welcome.build if welcome else "",
            lag_ms=pulse.lag_ms if pulse else 0.0,
            counters=pulse.counters if pulse else {},
        )

    async def submit(self, command: HasCommandId, timeout_s: float = 5.0) -> Answer:
        """Send a command and wait for its durable answer.

        Raises ``DaemonUnreachableError`` when nothing was sent, ``AnswerUnknownError`` when no answer came in time, and
        ``ValueError`` for a command over the message bound. Never sends twice."""
        connection = self._connection
        if connection is None or not self._connected.is_set():
            raise DaemonUnreachableError(f"no connection to {self._address}: is the daemon running?")
        if self._outstanding >= MAX_OUTSTANDING:
            return Answer(command.command_id, "busy", b"{}")
        try:
            data = frame(Submit(msgspec.msgpack.encode(command)))
        except FrameError as error:
            raise ValueError(f"{error} (commands are at most {MAX_MESSAGE_BYTES} bytes)") from error
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(command.command_id, deque()).append(future)
        self._outstanding += 1
        connection.write(data)
        try:
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError:
            raise AnswerUnknownError(f"no answer to {command.command_id} within {timeout_s:g} s") from None

    async def watch(self, *prefixes: str) -> AsyncIterator[ViewUpdate]:
        """Yield the present views whose key begins with one of ``prefixes`` (none = all), then each change. A slow
        consumer gets only the newest view of each key. Ends when the client is closed."""
        watcher = _Watcher(prefixes or ("",))
        for update in self.views.values():
            watcher.offer(update)
        self._watchers.add(watcher)
        try:
            while not self._closed:
                await watcher.wake.wait()
                watcher.wake.clear()
                while watcher.waiting:
                    yield watcher.waiting.pop(next(iter(watcher.waiting)))
        finally:
            self._watchers.discard(watcher)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        backoff_s = BACKOFF_FIRST_S
        while True:
            with contextlib.suppress(OSError):
                _transport, connection = await loop.create_unix_connection(lambda: _Connection(self), self._address)
                try:
                    await self._stay(connection)
                finally:
                    if self._connected.is_set():
                        backoff_s = BACKOFF_FIRST_S
                    self._lost(connection)
            await asyncio.sleep(backoff_s * self._rng.uniform(0.5, 1.0))
            backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)

    async def _stay(self, connection: _Connection) -> None:
        """Return when the connection is gone, or when the other end has been silent for too long."""
        self._connection = connection
        connection.write(frame(Hello(PROTOCOL_VERSION, self._name)) + frame(Watch(("",))))
        opened_s = time.monotonic()
        while not connection.gone.done():
            await asyncio.wait([connection.gone], timeout=1.0)
            if time.monotonic() - max(self._life_s, opened_s) > DEAD_AFTER_S:
                return

    def take(self, message: ToClient) -> None:
        """A message came from the daemon (called by the connection)."""
        match message:
            case ViewUpdate(key=key):
                self.views[key] = message
                for watcher in self._watchers:
                    watcher.offer(message)
            case Answer():
                self._answered(message)
            case Pulse():
                self._pulse = message
                self._life_s = time.monotonic()
            case Welcome():
                self._welcomed(message)
            case Goodbye(reason=reason):
                raise FrameError(f"the daemon ended the connection: {reason}")

    def _answered(self, answer: Answer) -> None:
        """Each answer belongs to the oldest unanswered submit of its id, also one that nobody waits for any more."""
        waiting = self._waiting.get(answer.command_id)
        if not waiting:
            return
        future = waiting.popleft()
        if not waiting:
            del self._waiting[answer.command_id]
        self._outstanding -= 1
        if not future.done():
            future.set_result(answer)

    def _welcomed(self, welcome: Welcome) -> None:
        """The views of an earlier connection must not outlive it: the present ones follow."""
        self.views.clear()
        for watcher in self._watchers:
            watcher.waiting.clear()
        self._welcome = welcome
        self._life_s = time.monotonic()
        self._connected.set()

    def _lost(self, connection: _Connection) -> None:
        connection.abort()
        self._connection = None
        self._connected.clear()
        for waiting in self._waiting.values():
            for future in waiting:
                if not future.done():
                    future.set_exception(
                        AnswerUnknownError("the connection to the daemon was lost before the answer came")
                    )
        self._waiting.clear()
        self._outstanding = 0


class _Connection(asyncio.Protocol):
    """One life of the socket: messages go straight to the client, without a task in between."""

    def __init__(self, client: IpcClient) -> None:
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._client = client
        self._buffer = FrameBuffer()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        if self.gone.done():
            return
        try:
            for body in self._buffer.feed(data):
                self._client.take(_decoder.decode(body))
        except (FrameError, msgspec.MsgspecError):
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.gone.done():
            self.gone.set_result(None)

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        if not self.gone.done():
            self.gone.set_result(None)
