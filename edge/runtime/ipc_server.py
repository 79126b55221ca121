"""The daemon's socket: commands in, answers and views out, a pulse each second.

The hard part is a client that does not read. Views for it coalesce by key (only the newest state is worth sending),
answers are never dropped, and a client that stays slow is disconnected, so that memory is bounded and no other client
waits. A view is encoded once and the same bytes go to all. A user would notice a mistake as a checkout screen that lags
behind because another browser is on a bad line.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections import deque
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import msgspec

from edge.runtime.ipc_frames import check_socket_path, frame
from edge.runtime.ipc_messages import (
    MAX_OUTSTANDING,
    PROTOCOL_VERSION,
    Answer,
    Goodbye,
    Hello,
    Pulse,
    Submit,
    ToDaemon,
    ViewUpdate,
    Watch,
    Welcome,
)
from edge.runtime.ipc_peer import Peer

CLIENTS_MAX = 64

#: More distinct views than any site has; one more is refused and counted, since a client holds one slot per key.
VIEWS_MAX = 4096

#: Takes a command into the daemon's inbox, or gives the code with which it is refused ("busy", "storage").
TakeCommand = Callable[[Any], str | None]


class _View:
    """The present state of one key; ``frame`` are the bytes that go to every client."""

    __slots__ = ("frame", "json", "version")

    def __init__(self, key: str, version: int, json: bytes) -> None:
        self.version = version
        self.json = json
        self.frame = frame(ViewUpdate(key, version, json))


class IpcServer:
    """Serves one daemon's clients. All methods run in the event loop and never wait."""

    def __init__(
        self,
        path: Path,
        welcome: Welcome,
        command_type: Any,
        take: TakeCommand,
        *,
        allowed_uids: Collection[int] | None = None,
    ) -> None:
        self._path = path
        self._welcome = frame(welcome)
        self._commands: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(command_type)
        self._take = take
        self.allowed_uids = frozenset({os.geteuid()} if allowed_uids is None else allowed_uids)
        self._server: asyncio.Server | None = None
        self._peers: set[Peer] = set()
        self._askers: dict[str, deque[Peer]] = {}
        self._views: dict[str, _View] = {}
        self._json = msgspec.json.Encoder()
        self.counters = {"clients_refused": 0, "clients_slow": 0, "bad_messages": 0, "views_refused": 0}

    async def start(self) -> None:
        """Listen. The caller holds the store's lock, so a socket left behind by a killed daemon is ours to replace."""
        address = check_socket_path(self._path)
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.setblocking(False)
        before = os.umask(0o177)
        try:
            sock.bind(address)
        finally:
            os.umask(before)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: Peer(self), sock=sock, backlog=CLIENTS_MAX)

    async def close(self, reason: str) -> None:
        """Say goodbye to all, stop listening, remove the socket."""
        if self._server is None:
            return
        self._server.close()
        for peer in tuple(self._peers):
            peer.goodbye(Goodbye(reason))
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    @property
    def clients(self) -> int:
        return len(self._peers)

    # --- out ----------------------------------------------------------------------------------------------------------

    def show(self, key: str, view: Any) -> None:
        """Make ``view`` the present state of ``key`` and send it to whoever watches; an unchanged one is not sent."""
        json = self._json.encode(view)
        known = self._views.get(key)
        if known is not None and known.json == json:
            return
        if known is None and len(self._views) >= VIEWS_MAX:
            self.counters["views_refused"] += 1
            return
        fresh = _View(key, known.version + 1 if known else 1, json)
        self._views[key] = fresh
        for peer in self._peers:
            peer.view(key, fresh.frame)

    def reply(self, command_id: str, code: str, body: Any, *, replayed: bool = False) -> None:
        """Answer the oldest asker of this command id; nothing happens when it has gone."""
        askers = self._askers.get(command_id)
        if not askers:
            return
        peer = askers.popleft()
        if not askers:
            del self._askers[command_id]
        peer.answer(Answer(command_id, code, self._json.encode(body), replayed))

    def pulse(self, pulse: Pulse) -> None:
        """Tell all clients that the daemon lives, and drop those that have not read for too long."""
        data = frame(pulse)
        for peer in tuple(self._peers):
            peer.pulse(data)

    # --- in (called by peers) -----------------------------------------------------------------------------------------

    def joined(self, peer: Peer) -> str:
        """Accept a connection, or give the reason why not."""
        if peer.uid not in self.allowed_uids:
            self.counters["clients_refused"] += 1
            return f"user id {peer.uid} may not use this socket"
        if len(self._peers) >= CLIENTS_MAX:
            self.counters["clients_refused"] += 1
            return f"over {CLIENTS_MAX} clients"
        self._peers.add(peer)
        return ""

    def left(self, peer: Peer) -> None:
        """The connection is gone; it keeps its place among the askers, so that others' answers stay in order."""
        self._peers.discard(peer)

    def slow(self, peer: Peer) -> None:
        """The peer was given up because it did not read."""
        self.counters["clients_slow"] += 1
        self.left(peer)

    def bad(self) -> None:
        """A peer sent something that is no message."""
        self.counters["bad_messages"] += 1

    def message(self, peer: Peer, message: ToDaemon) -> str:
        """Handle one message; a non-empty result is the reason to end the connection."""
        match message:
            case Hello(version=version):
                if version != PROTOCOL_VERSION:
                    return f"version {version} is not {PROTOCOL_VERSION}: API and daemon are of different releases"
                peer.welcomed(self._welcome)
            case _ if not peer.greeted:
                return "the first message must be Hello"
            case Watch(prefixes=prefixes):
                peer.watch(prefixes, ((key, view.frame) for key, view in self._views.items()))
            case Submit(command=command):
                self._submit(peer, command)
        return ""

    def _submit(self, peer: Peer, raw: bytes) -> None:
        try:
            command = self._commands.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            self.counters["bad_messages"] += 1
            peer.refuse(_find_id(raw), "bad_command", str(error))
            return
        command_id: str = command.command_id
        if peer.outstanding >= MAX_OUTSTANDING:
            peer.refuse(command_id, "busy", f"over {MAX_OUTSTANDING} unanswered commands")
            return
        refusal = self._take(command)
        if refusal is not None:
            peer.refuse(command_id, refusal, "the daemon cannot take it now; try again with the same id")
            return
        peer.outstanding += 1
        self._askers.setdefault(command_id, deque()).append(peer)


def _find_id(raw: bytes) -> str:
    """The command id of something that is no command, so that its sender can at least be told."""
    try:
        loose = msgspec.msgpack.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ""
    command_id = loose.get("command_id") if isinstance(loose, dict) else None
    return command_id if isinstance(command_id, str) else ""
