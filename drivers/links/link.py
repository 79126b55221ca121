"""What a link is: bytes to and from one device, with the errors that opening and using it can give.

The hard part is that nothing here may ever wait: one loop serves all devices, so a port that hangs in ``open``, a peer
that does not read, or a dead cable must cost the others nothing. A user would notice as every checkout lane freezing
when one reader's cable is pulled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

#: Most bytes that may wait for a slow device. The longest command of any protocol here is below 1 KiB, so 64 KiB means
#: that the device has not taken anything for dozens of commands: it is dead, and the link is closed and opened anew.
WRITE_BUFFER_BYTES_MAX = 64 * 1024

#: Bytes taken per read call: about 0.35 s of a serial line at 115200 baud.
READ_BYTES_MAX = 4096


class LinkError(OSError):
    """The link cannot be opened or is gone; trying again later may help. The text says what and what to do."""


class LinkUrlError(ValueError):
    """The URL of a link is wrong; the text names the allowed form."""


class LinkHandler(Protocol):
    """Who uses a link. All calls come from the event loop, none after ``link_lost``, none after ``Link.close``."""

    def data_received(self, data: bytes) -> None: ...

    def message_received(self, data: bytes, settled: Callable[[], None]) -> None:
        """Like ``data_received``, of a message that the far end keeps until it is acknowledged (MQTT, QoS 1): call
        ``settled`` once, when all that came of it is on disk (or was given up on purpose), else it comes again."""
        ...

    def link_lost(self, reason: str) -> None: ...


class Link(Protocol):
    """An open connection to a device."""

    def write(self, data: bytes) -> None:
        """Send without waiting. When more than ``WRITE_BUFFER_BYTES_MAX`` wait already the link is given up: the
        handler gets ``link_lost``."""
        ...

    def pause_reading(self) -> None:
        """Leave bytes with the operating system until ``resume_reading`` (back-pressure)."""
        ...

    def resume_reading(self) -> None: ...

    def close(self) -> None:
        """Give the link back; the handler hears nothing more. Never waits."""
        ...


class Opener(Protocol):
    """Opens one device's link again and again. At most one link of an opener is open at a time."""

    async def open(self, handler: LinkHandler) -> Link:
        """Raise ``LinkError`` when the device cannot be reached now."""
        ...

    def close(self) -> None:
        """Stop listening or opening; idempotent."""
        ...
