"""A Bluetooth device as a link, through the optional package ``bleak``: its notifications become messages of the raw
contract (drivers/ftms/PROTOCOL.md section 1), so that a driver cannot tell it from a gateway.

The hard part is that Bluetooth waits everywhere and a link may wait nowhere: connecting, writing and hanging up are
tasks of their own, bounded in number and time. A user would notice a mistake as a whole box that holds its breath while
one strap is out of range. ``bleak`` is imported when such a link is first opened, and never needed otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from drivers.links.ble_url import BleUrl
from drivers.links.link import LinkError, LinkHandler
from drivers.messages import Message, encode_message, parse_message

SITE = "ble"
"""First level of the topics."""
CONNECT_S = 20.0
WRITE_S = 5.0
WRITES_MAX = 8
"""Writes under way; more means that the device has not taken anything for seconds: the link is given up."""
HELD_MAX = 1_000
"""Notifications kept while reading is paused; the oldest are dropped."""
_UUID = "0000{}-0000-1000-8000-00805f9b34fb"


class BleOpener:
    """Connects to one device again and again."""

    def __init__(self, url: BleUrl) -> None:
        self._url = url

    async def open(self, handler: LinkHandler) -> BleLink:
        try:
            bleak: Any = import_module("bleak")
        except ImportError:
            raise LinkError(f"{self._url.address}: Bluetooth needs the package bleak: pip install bleak") from None
        link = BleLink(self._url, handler)
        try:
            async with asyncio.timeout(CONNECT_S):
                await link.begin(bleak)
        except BaseException as error:
            link.close()
            if isinstance(error, TimeoutError):
                raise LinkError(f"{self._url.address}: not reached within {CONNECT_S:g} s; is it in range?") from None
            # The stacks below bleak have errors of many kinds; whatever it is, trying again later is all there is.
            if isinstance(error, Exception) and not isinstance(error, LinkError):
                raise LinkError(f"{self._url.address}: {str(error) or type(error).__name__}") from error
            raise
        return link

    def close(self) -> None:
        """Nothing stays open between links."""


class BleLink:
    """One connection. ``dropped`` counts notifications lost while reading was paused, and messages that cannot be
    written."""

    def __init__(self, url: BleUrl, handler: LinkHandler) -> None:
        self.dropped = 0
        self._url = url
        self._handler: LinkHandler | None = handler
        self._client: Any = None
        self._seq = 0
        self._held: list[bytes] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, bleak: Any) -> None:
        """Connect and subscribe what the device has of the wanted characteristics."""
        loop = asyncio.get_running_loop()

        def lost(_client: Any) -> None:
            # Some stacks call back from their own threads.
            loop.call_soon_threadsafe(self._lost, "the device hung up")

        self._client = bleak.BleakClient(self._url.address, disconnected_callback=lost)
        await self._client.connect()
        subscribed = 0
        for char in self._url.chars:
            if self._client.services.get_characteristic(_UUID.format(char)) is not None:
                await self._client.start_notify(_UUID.format(char), self._teller(char, loop))
                subscribed += 1
        if not subscribed:
            raise LinkError(f"{self._url.address}: it has none of {', '.join(self._url.chars)}")

    # --- Link ---------------------------------------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        """A message on ``<site>/<zone>/<asset>/write``."""
        message = parse_message(data)
        told = _write_of(message) if message is not None else None
        if told is None or message is None or message.topic != f"{SITE}/{self._url.point}/write":
            self.dropped += 1
        elif len(self._tasks) >= WRITES_MAX:
            self._lost(f"{WRITES_MAX} writes wait")
        else:
            self._spawn(self._write(*told))

    def pause_reading(self) -> None:
        self._held = self._held if self._held is not None else []

    def resume_reading(self) -> None:
        held, self._held = self._held or [], None
        for line in held:
            self._hand_over(line)

    def close(self) -> None:
        self._handler = None
        client, self._client = self._client, None
        if client is not None:
            self._spawn(_hang_up(client))

    # --- inside -------------------------------------------------------------------------------------------------------

    def _teller(self, char: str, loop: asyncio.AbstractEventLoop) -> Callable[[Any, bytearray], None]:
        def tell(_sender: Any, value: bytearray) -> None:
            loop.call_soon_threadsafe(self._notified, char, bytes(value))

        return tell

    def _notified(self, char: str, value: bytes) -> None:
        self._seq += 1
        payload = {
            "transport": "ble",
            "char": char,
            "hex": value.hex(),
            "time": time.time_ns() // 1_000_000,
            "seq": self._seq,
        }
        message = Message(topic=f"{SITE}/{self._url.point}/raw", payload=json.dumps(payload), retain=False)
        line = encode_message(message)
        if self._held is None:
            self._hand_over(line)
            return
        self._held.append(line)
        if len(self._held) > HELD_MAX:
            del self._held[0]
            self.dropped += 1

    def _hand_over(self, line: bytes) -> None:
        if self._handler is not None:
            self._handler.data_received(line)

    def _lost(self, reason: str) -> None:
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.link_lost(f"{self._url.address}: {reason}")

    async def _write(self, char: str, data: bytes) -> None:
        try:
            async with asyncio.timeout(WRITE_S):
                await self._client.write_gatt_char(_UUID.format(char), data, response=True)
        except Exception as error:  # noqa: BLE001 - any stack's error ends the link, which is opened anew
            self._lost(f"write to {char} failed: {str(error) or type(error).__name__}")

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _write_of(message: Message) -> tuple[str, bytes] | None:
    """Characteristic and bytes of a write; None when it is none."""
    try:
        fields = json.loads(message.payload)
        return str(fields["char"]), bytes.fromhex(fields["hex"])
    except (ValueError, KeyError, TypeError):
        return None


async def _hang_up(client: Any) -> None:
    with contextlib.suppress(Exception):
        async with asyncio.timeout(WRITE_S):
            await client.disconnect()
