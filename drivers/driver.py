"""The Driver protocol: bytes, commands and the passing of time in; readings and bytes out. No I/O, no clock.

The pump (``edge.runtime.pump``) owns the link and calls these methods with the monotonic time at which the bytes were
read. After every call it writes ``Output.write`` to the link, hands ``Output.readings`` to the daemon, and asks
``deadline`` when the driver next wants ``tick``.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import msgspec

from edge.domain.devices import DeviceCommand, Reading


class Output(msgspec.Struct):
    """What a driver wants done after a call: ``readings`` in order, and ``write``, each item one frame. ``acknowledge``
    are frames that promise the sender that it need not repeat: they are written when the readings of this output are on
    disk, and never if the link is lost before."""

    readings: list[Reading] = []
    write: list[bytes] = []
    acknowledge: list[bytes] = []


class Driver(Protocol):
    """One per device. Drivers never raise on anything that a device can send."""

    protocol: str

    def opened(self, now_ns: int) -> Output:
        """The link is open (again): forget partial frames, begin the identity handshake."""
        ...

    def received(self, data: bytes, now_ns: int) -> Output:
        """Bytes arrived, in any split."""
        ...

    def command(self, command: DeviceCommand, now_ns: int) -> Output:
        """Carry out a command of the kernel. A command that this device cannot do is ignored and counted."""
        ...

    def tick(self, now_ns: int) -> Output:
        """The deadline has come (or passed; a late or superfluous tick must be harmless)."""
        ...

    def closed(self, now_ns: int) -> Output:
        """The link is gone: report the device as lost."""
        ...

    def deadline(self) -> int | None:
        """Monotonic ns of the next wanted ``tick``, or None."""
        ...


@runtime_checkable
class TopicDriver(Protocol):
    """A driver of an MQTT link: its bytes are messages as JSON objects (``drivers.messages``), and it knows the topic
    filters that it wants."""

    topics: tuple[str, ...]


class DriverError(Exception):
    """Base of driver errors; never raised itself."""


class LocalProtocolError(DriverError):
    """We asked the driver for something that cannot be put on this wire: a bug or a wrong setting of ours."""
