"""What devices say and are told, independent of any protocol: readings come up from drivers, commands go down.

Every driver translates its frames into these values and nothing else; no kernel knows a frame. Times are monotonic ns
of the box, taken where the bytes were read. UIDs and EPCs are lower-case hex, most significant byte first.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from edge.domain.field_devices import FieldCommand, FieldReading
from edge.domain.machine_readings import MachineCommand, MachineMessage
from edge.domain.notices import Notify, NotifyResult


class TagSeen(msgspec.Struct, frozen=True, array_like=True):
    """One chip in one pass. ``count`` is 1 even when the reader repeated it in the round (repeats are no trials)."""

    uid: str
    rssi_dbm: int | None = None


class PlatePass(msgspec.Struct, frozen=True, kw_only=True, tag="plate_pass"):
    """One inventory pass of a plate reader.

    ``complete`` is false when the reader said, or the driver found, that chips may have been left unread (FEIG 83, 93,
    94 unfinished, a refused frame, a time-out in the pass); such a pass is no trial. ``independent`` is false when the
    chips' quiet or session flags were not reset before the pass. ``residual`` marks the pass that asks only chips which
    have not answered yet. ``empty_passes`` > 1 stands for that many empty complete passes in a row (idle field).
    ``raw`` are the frames as received, for the black box; empty for empty passes.
    """

    tags: tuple[TagSeen, ...]
    complete: bool
    residual: bool
    independent: bool
    status: int
    status_name: str
    started_ns: int
    ended_ns: int
    empty_passes: int = 0
    raw: tuple[bytes, ...] = ()


class DeviceIdentity(msgspec.Struct, frozen=True, kw_only=True, tag="device_identity"):
    """Who answered the identity handshake. Sent after each (re)open, before the first reading."""

    protocol: str
    model: str
    firmware: str
    serial: str | None = None


class DeviceState(StrEnum):
    CONNECTING = "connecting"
    READY = "ready"
    FAULT = "fault"
    LOST = "lost"


class DeviceHealth(msgspec.Struct, frozen=True, kw_only=True, tag="device_health"):
    """The state of a device or of the link to it, sent on each change and once a minute. ``problem`` is a stable code
    ("" when ready), such as ``no_answer``, ``scan_mode_on``, ``antenna``, ``link_closed``; counters are since open."""

    state: DeviceState
    problem: str = ""
    detail: str = ""
    frames: int = 0
    refused: int = 0
    noise_bytes: int = 0
    timeouts: int = 0


Reading = PlatePass | DeviceIdentity | DeviceHealth | FieldReading | MachineMessage | NotifyResult


class ResidualPass(msgspec.Struct, frozen=True, tag="residual_pass"):
    """Ask the reader for ``passes`` passes of the chips that have not answered since the last reset, before its next
    statistical pass. A later one replaces an earlier one; harmless."""

    passes: int = 1


class FieldOn(msgspec.Struct, frozen=True, tag="field_on"):
    """Switch the reader's field, and with it polling, on or off."""

    on: bool


DeviceCommand = ResidualPass | FieldOn | FieldCommand | MachineCommand | Notify


class DeviceReading(msgspec.Struct, frozen=True, tag="reading", gc=False):
    """The input that carries a reading into a kernel. ``epoch`` counts the openings of the device's link: readings
    of an older epoch are from before a re-plug."""

    device: str
    epoch: int
    body: Reading
