"""One client of a daemon's socket, seen from the daemon.

The hard part is the slow reader: while the socket's buffer is full, views wait here (the newest per key, no more) and
pulses are left out; answers are written all the same, for they are never dropped. Who does not read for ``SLOW_S``,
or makes over ``BUFFER_BYTES_MAX`` wait, is disconnected. A user would notice a mistake as memory that grows all day
because one wall screen has a bad cable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol, cast

import msgspec

from edge.runtime.ipc_frames import FrameBuffer, FrameError, frame, peer_uid
from edge.runtime.ipc_messages import Answer, Goodbye, ToDaemon

#: Above this the kernel's socket buffer is full and the peer counts as not reading.
HIGH_WATER_BYTES = 128 * 1024
BUFFER_BYTES_MAX = 16 << 20
SLOW_S = 10.0
HELLO_WITHIN_S = 5.0
PREFIXES_MAX = 64

_decoder = msgspec.msgpack.Decoder(ToDaemon)


class PeerHost(Protocol):
    """The server, as its peers know it."""

    def joined(self, peer: Peer) -> str: ...

    def left(self, peer: Peer) -> None: ...

    def message(self, peer: Peer, message: ToDaemon) -> str: ...

    def slow(self, peer: Peer) -> None: ...

    def bad(self) -> None: ...


class Peer(asyncio.Protocol):
    """A connection. ``outstanding`` is the number of its commands without an answer."""

    def __init__(self, host: PeerHost) -> None:
        self.uid = -1
        self.greeted = False
        self.outstanding = 0
        self._host = host
        self._buffer = FrameBuffer()
        self._transport: asyncio.WriteTransport | None = None
        self._prefixes: tuple[str, ...] = ()
        self._waiting: dict[str, bytes] = {}
        self._paused_since_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    # --- asyncio's calls ----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._transport.set_write_buffer_limits(high=HIGH_WATER_BYTES)
        self.uid = peer_uid(transport.get_extra_info("socket").fileno())
        reason = self._host.joined(self)
        if reason:
            self.goodbye(Goodbye(reason))
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(HELLO_WITHIN_S, self._hello_missing)

    def data_received(self, data: bytes) -> None:
        reason = ""
        try:
            for body in self._buffer.feed(data):
                if self._transport is None:
                    return
                reason = self._host.message(self, _decoder.decode(body))
                if reason:
                    break
        except (FrameError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            self._host.bad()
            reason = f"not understood: {error}"
        if reason:
            self.goodbye(Goodbye(reason))

    def pause_writing(self) -> None:
        self._paused_since_s = asyncio.get_running_loop().time()

    def resume_writing(self) -> None:
        self._paused_since_s = None
        while self._waiting and self._paused_since_s is None:
            self._write(self._waiting.pop(next(iter(self._waiting))))

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        self._host.left(self)

    # --- the server's calls -------------------------------------------------------------------------------------------

    def welcomed(self, data: bytes) -> None:
        """The peer said hello; ``data`` is the welcome."""
        self.greeted = True
        if self._timer is not None:
            self._timer.cancel()
        self._write(data)

    def watch(self, prefixes: tuple[str, ...], present: Iterable[tuple[str, bytes]]) -> None:
        """From now on send views of these prefixes, the present ones first. Replaces an earlier watch."""
        self._prefixes = prefixes[:PREFIXES_MAX]
        for key, data in present:
            self.view(key, data)

    def view(self, key: str, data: bytes) -> None:
        """Send a view, or keep it as the newest of its key while the peer does not read."""
        if not key.startswith(self._prefixes) or not self._prefixes:
            return
        if self._paused_since_s is None:
            self._write(data)
        else:
            self._waiting[key] = data

    def answer(self, answer: Answer) -> None:
        """Send the answer of one of this peer's commands, however slow it reads."""
        self.outstanding -= 1
        self._send_answer(answer)

    def refuse(self, command_id: str, code: str, detail: str) -> None:
        """Answer a command that did not enter."""
        self._send_answer(Answer(command_id, code, msgspec.json.encode({"detail": detail})))

    def pulse(self, data: bytes) -> None:
        """Send a pulse, unless the peer is slow; give up on one that has been slow for too long."""
        if self._paused_since_s is None:
            if self.greeted:
                self._write(data)
        elif asyncio.get_running_loop().time() - self._paused_since_s > SLOW_S:
            self._give_up()

    def goodbye(self, message: Goodbye) -> None:
        """Say why, then close."""
        if self._transport is not None:
            self._transport.write(frame(message))
            self._transport.close()
        self._forget()
        self._host.left(self)

    # --- own ----------------------------------------------------------------------------------------------------------

    def _send_answer(self, answer: Answer) -> None:
        try:
            self._write(frame(answer))
        except FrameError:
            self._write(frame(Answer(answer.command_id, answer.code, b"null")))
        if self._transport is not None and self._transport.get_write_buffer_size() > BUFFER_BYTES_MAX:
            self._give_up()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _give_up(self) -> None:
        if self._transport is not None:
            self._transport.abort()
        self._forget()
        self._host.slow(self)

    def _forget(self) -> None:
        self._transport = None
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _hello_missing(self) -> None:
        self.goodbye(Goodbye(f"no Hello within {HELLO_WITHIN_S:g} s"))
