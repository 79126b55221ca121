"""What the API and a daemon say to each other: length-prefixed msgpack of these structs (``edge.runtime.ipc``).

Client to daemon: Hello, Submit, Watch. Daemon to client: Welcome, Answer, ViewUpdate, Pulse, Goodbye.
``Submit.command`` is the msgpack of the vertical's command struct, ``ViewUpdate.json`` the JSON of a view, encoded once
and passed through to browsers unread. Views coalesce by key, answers are never dropped (each client may have at most
``MAX_OUTSTANDING`` unanswered commands; one more is answered "busy" at once).
"""

from __future__ import annotations

import msgspec

PROTOCOL_VERSION = 1
MAX_OUTSTANDING = 256
MAX_MESSAGE_BYTES = 1 << 20
PULSE_S = 1.0


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    version: int
    client: str


class Submit(msgspec.Struct, frozen=True, tag="submit"):
    command: bytes


class Watch(msgspec.Struct, frozen=True, tag="watch"):
    """Ask for all views whose key begins with one of ``prefixes`` ("" = all): the present ones first."""

    prefixes: tuple[str, ...]


class Welcome(msgspec.Struct, frozen=True, tag="welcome"):
    version: int
    daemon: str
    build: str
    boot_id: str


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """The durable answer of a command, or a refusal before it entered (code "busy", "bad_command", "storage").
    ``replayed``: the command had been answered before, and this is that answer."""

    command_id: str
    code: str
    json: bytes
    replayed: bool = False


class ViewUpdate(msgspec.Struct, frozen=True, tag="view"):
    """The present state of ``key``; ``json`` is ``null`` for one that was taken back."""

    key: str
    version: int
    json: bytes


class Pulse(msgspec.Struct, frozen=True, tag="pulse"):
    """Sent every second: the daemon lives. ``lag_ms`` is how late its loop ran at worst since the last pulse."""

    mono_ns: int
    lag_ms: float
    counters: dict[str, int]


class Goodbye(msgspec.Struct, frozen=True, tag="goodbye"):
    reason: str


ToDaemon = Hello | Submit | Watch
ToClient = Welcome | Answer | ViewUpdate | Pulse | Goodbye
