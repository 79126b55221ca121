"""What the embedded broker is made to do: know its users, keep no more than it may, and let a client come again.

amqtt loads the plugins by name. The hard part is what it does not say: its own queues have no bound, so a client that
never comes back would fill the memory with what is kept for it; and when a client connects anew before its old
connection has ended, amqtt 0.12 lets the end of the old one mark the session as away, so that the new one hears nothing
more. A user would notice as a demo that grows for days and then dies, or as a link that looks open while no alarm comes
through.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amqtt.broker import Broker, BrokerContext
from amqtt.contexts import BaseContext
from amqtt.plugins.base import BaseAuthPlugin, BasePlugin
from amqtt.session import Session

#: Messages kept for a client that is away; the oldest give way.
KEPT_MAX = 1000
#: Retained messages, one a topic. A garage has a few per device.
RETAINED_MAX = 20_000

#: How long a new connection waits for the old one of its client to end, and how often.
TAKE_OVER_S = 0.02
TAKE_OVER_TRIES = 100


class _Steady(dict[str, Any]):
    """Walked over as it was when the walk began: amqtt waits while it walks over its subscriptions, and whoever
    subscribes meanwhile ended the connection of the client that it walked for."""

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(super().__iter__()))


class TakeOverBroker(Broker):
    """A broker whose sessions outlive a take-over: the old connection of a client is over before the new one begins."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._subscriptions: dict[str, Any] = _Steady()

    async def _handle_client_session(
        self, reader: Any, writer: Any, client_session: Session, handler: Any, server: Any, listener_name: str
    ) -> None:
        """As amqtt has it, but for what comes first."""
        if not await self._authenticate(client_session, self.listeners_config[listener_name]):
            # amqtt would end the true client's connection for it, and publish the will that the stranger brought.
            client_session.will_flag = False
            handler.attach(client_session, reader, writer)
            await handler.mqtt_connack_authorize(authorize=False)
            await writer.close()
            return
        for _ in range(TAKE_OVER_TRIES):
            old = self._get_handler(client_session)
            if old is None or not client_session.transitions.is_connected():
                break
            await old.handle_connection_closed()
            with contextlib.suppress(TimeoutError):  # one that reads nothing more never lets its writer finish
                async with asyncio.timeout(TAKE_OVER_S):
                    await old.stop()
            await asyncio.sleep(TAKE_OVER_S)
        await super()._handle_client_session(reader, writer, client_session, handler, server, listener_name)


class UsersPlugin(BaseAuthPlugin):
    """Lets in who names a user of the file with its password; no guests. The passwords are random and long
    (``broker.make_users``), so they are compared as they are: a slow hash would cost each connection 50 ms of the
    loop that carries the alarms."""

    @dataclass
    class Config:
        """``users``: the file's path."""

        users: str = ""

    def __init__(self, context: BaseContext) -> None:
        super().__init__(context)
        lines = Path(self.config.users).read_text(encoding="utf-8").splitlines()
        pairs = (line.partition(":") for line in lines if ":" in line)
        self._passwords = {name: password.encode() for name, _, password in pairs if name and password}

    async def authenticate(self, *, session: Session) -> bool:
        given = session.password or ""
        known = self._passwords.get(session.username or "")
        raw = given if isinstance(given, bytes) else given.encode()
        return known is not None and hmac.compare_digest(known, raw)


class BoundsPlugin(BasePlugin[BrokerContext]):
    """Drops the oldest of what is kept beyond the bounds, and counts it."""

    def __init__(self, context: BrokerContext) -> None:
        super().__init__(context)
        self.dropped = 0

    async def on_broker_retained_message(self, *, client_id: str | None, retained_message: Any) -> None:
        """A message was kept: for a client that is away, or (no ``client_id``) for all who will subscribe."""
        if client_id is None:
            kept = self.context.retained_messages
            while len(kept) > RETAINED_MAX:
                del kept[next(iter(kept))]
                self.dropped += 1
            return
        session = self.context.get_session(client_id)
        while session is not None and session.retained_messages.qsize() > KEPT_MAX:
            session.retained_messages.get_nowait()
            self.dropped += 1
