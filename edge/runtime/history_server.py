"""The socket of the history process: one request, one answer, in a small pool of threads.

The hard part is a reader that hangs: it may hold its own connection and one answer in memory, and nothing else; no
lock, no transaction and no thread waits for it, and after ``SEND_S`` it is cut. A user would notice a mistake as a
history page that stays empty because another browser is on a bad line.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from edge.log import structlog
from edge.runtime.history_answers import Answerer
from edge.runtime.history_messages import ANSWER_BYTES_MAX, REQUEST_BYTES_MAX, Ask, AskStatus, Part, Refused
from edge.runtime.ipc_frames import check_socket_path, peer_uid

CLIENTS_MAX = 32
#: Requests that wait for a thread; one more is refused as busy.
WAITING_MAX = 32
THREADS = 2
SEND_S = 10.0
IDLE_S = 120.0

_HEAD = struct.Struct(">I")
_log = structlog.get_logger("history")
_encoder = msgspec.msgpack.Encoder()


class HistoryServer:
    """``make`` builds an answerer for a thread; ``status`` answers ``AskStatus`` in any
    thread."""

    def __init__(self, path: Path, make: Callable[[], Answerer], status: Callable[[], Part]) -> None:
        self._path = path
        self._make = make
        self._status = status
        self._own = threading.local()
        self._made: list[Answerer] = []
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="history-ask")
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._waiting = 0
        self._decoder: msgspec.msgpack.Decoder[Ask] = msgspec.msgpack.Decoder(Ask)
        self.counters = {"requests": 0, "refused_busy": 0, "clients_refused": 0, "clients_cut": 0, "failed": 0}

    async def start(self) -> None:
        """Listen. The caller holds the stores' locks, so a socket left behind is ours to replace."""
        address = check_socket_path(self._path)
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path.unlink(missing_ok=True)
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.setblocking(False)
        before = os.umask(0o177)
        try:
            sock.bind(address)
        finally:
            os.umask(before)
        self._server = await asyncio.start_unix_server(self._serve, sock=sock, backlog=CLIENTS_MAX)

    async def close(self) -> None:
        """Stop listening, cut everybody, end the threads."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._pool.shutdown)
        for answerer in self._made:
            answerer.close()
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        sock = writer.get_extra_info("socket")
        if len(self._tasks) >= CLIENTS_MAX or peer_uid(sock.fileno()) != os.geteuid():
            self.counters["clients_refused"] += 1
            writer.transport.abort()
            return
        self._tasks.add(task)
        try:
            while True:
                async with asyncio.timeout(IDLE_S):
                    (length,) = _HEAD.unpack(await reader.readexactly(_HEAD.size))
                    if length > REQUEST_BYTES_MAX:
                        break
                    request = await reader.readexactly(length)
                answer = await self._handle(request)
                writer.write(_HEAD.pack(len(answer)) + answer)
                async with asyncio.timeout(SEND_S):
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except TimeoutError:
            self.counters["clients_cut"] += 1
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _handle(self, request: bytes) -> bytes:
        self.counters["requests"] += 1
        try:
            ask = self._decoder.decode(request)
        except msgspec.MsgspecError as error:
            return _encoder.encode(Refused("bad", str(error)))
        if isinstance(ask, AskStatus):
            return _encoder.encode(await asyncio.to_thread(self._status))
        if self._waiting >= WAITING_MAX:
            self.counters["refused_busy"] += 1
            return _encoder.encode(Refused("busy", "too many questions at once: ask again in a moment"))
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._compute, ask)
        except Exception:  # noqa: BLE001 - one question must not end the process
            self.counters["failed"] += 1
            _log.exception("a question could not be answered", ask=type(ask).__name__)
            return _encoder.encode(Refused("storage", "a fault of ours; the log tells more"))
        finally:
            self._waiting -= 1

    def _compute(self, ask: Ask) -> bytes:
        answerer = getattr(self._own, "answerer", None)
        if answerer is None:
            answerer = self._own.answerer = self._make()
            self._made.append(answerer)
        answer = _encoder.encode(answerer.answer(ask))
        if len(answer) > ANSWER_BYTES_MAX:
            return _encoder.encode(Refused("slow", "the answer is too long: ask for less"))
        return answer
