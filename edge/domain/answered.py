"""How a command is known again, and what is kept of it: the same in every vertical.

The hard part is that a repeat gets the very same answer, and that the same id with another wish is refused. A user
would notice a mistake as a retry that pays twice, or that is answered with somebody else's receipt.
"""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar, Protocol

import msgspec

from edge.domain.actors import Actor
from edge.domain.kernel import Reply, Row


class StoredReply(msgspec.Struct, frozen=True, array_like=True):
    """The answer to a command as a world keeps it; ``body`` is msgpack, ``day`` the business day of the answer."""

    digest: bytes
    code: str
    body: bytes
    day: str


class ReplyRow(Row, frozen=True, kw_only=True, tag="command_reply"):
    """The stored answer of a command: the same id with the same digest gets it again."""

    KEY: ClassVar = ("day", "command_id")
    day: str
    command_id: str
    digest: bytes
    code: str
    body: bytes


class AuditRow(Row, frozen=True, kw_only=True, tag="audit"):
    """Who did what: one row per accepted command that changed something."""

    KEY: ClassVar = ("seq",)
    seq: int
    role: str
    user: str
    action: str
    ref: str
    at_ns: int


class ConfigRow(Row, frozen=True, kw_only=True, tag="config"):
    """The configuration in force; ``body`` is its msgpack."""

    KEY: ClassVar = ("kind",)
    kind: str
    version: str
    body: bytes


class AskedBy(Protocol):
    """What a command of any vertical has."""

    @property
    def command_id(self) -> str: ...

    @property
    def actor(self) -> Actor: ...

    @property
    def body(self) -> Any: ...


def command_digest(command: AskedBy) -> bytes:
    """What must be equal for two commands of one id to be the same wish: who asks, and for what."""
    content = msgspec.msgpack.encode((command.actor.user, command.body))
    return hashlib.blake2b(content, digest_size=16).digest()


def repeated(replies: dict[str, StoredReply], command: AskedBy) -> Reply | None:
    """The answer of a command whose id is known: the stored one, or a refusal when it is another wish. None for a new
    command."""
    stored = replies.get(command.command_id)
    if stored is None:
        return None
    if stored.digest != command_digest(command):
        return Reply(command.command_id, "id_reused", {})
    return Reply(command.command_id, stored.code, msgspec.msgpack.decode(stored.body), replayed=True)


def answered(
    replies: dict[str, StoredReply], command: AskedBy, code: str, content: Any, day: str
) -> tuple[ReplyRow, Reply]:
    """Keep the answer of a new command: its row, and the reply as every repeat will get it."""
    digest, body = command_digest(command), msgspec.msgpack.encode(content)
    replies[command.command_id] = StoredReply(digest, code, body, day)
    row = ReplyRow(day=day, command_id=command.command_id, digest=digest, code=code, body=body)
    return row, Reply(command.command_id, code, msgspec.msgpack.decode(body))
