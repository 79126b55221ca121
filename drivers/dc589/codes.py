"""The codes of DC589 boards. PROTOCOL.md section 3."""

from __future__ import annotations

from enum import IntEnum


class BoardStatus(IntEnum):
    OK = 0
    HIGH_TEMPERATURE = 1
    SMOKE = 2


class PortState(IntEnum):
    IDLE = 0
    CHARGING = 1
    OUTPUT_FAULT = 3
    WELDED_RELAY = 4


class StopResult(IntEnum):
    """The code of BA. Zero is NOT success."""

    NO_SUCH_PORT = 0x00
    PORT_FAULT = 0x04
    STOPPED = 0x10


class FaultCode(IntEnum):
    HIGH_TEMPERATURE = 0xAA
    SMOKE = 0xBB


class EndReason(IntEnum):
    UNPLUGGED = 1
    FULL = 2
    FAULT = 3
    OVERPOWER = 4
    SMOKE = 8
    HOT = 9
