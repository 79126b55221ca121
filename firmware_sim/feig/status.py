"""Status and command bytes of the FEIG host mode (RFID reference, sections 2.2 and 2.3)."""

from __future__ import annotations

from enum import IntEnum


class Command(IntEnum):
    BAUD_DETECTION = 0x52
    CPU_RESET = 0x63
    SOFTWARE_VERSION = 0x65
    READER_INFO = 0x66
    RF_RESET = 0x69
    RF_ON_OFF = 0x6A
    DIAGNOSTIC = 0x6E
    SET_OUTPUT = 0x72
    ISO15693 = 0xB0


class Iso(IntEnum):
    """Sub-commands of B0."""

    INVENTORY = 0x01
    STAY_QUIET = 0x02
    READ_BLOCKS = 0x23
    SELECT = 0x25
    RESET_TO_READY = 0x26
    SYSTEM_INFORMATION = 0x2B


class Status(IntEnum):
    OK = 0x00
    NO_TRANSPONDER = 0x01
    RANGE_ERROR = 0x11
    UNKNOWN_COMMAND = 0x80
    LENGTH_ERROR = 0x81
    COMMAND_NOT_AVAILABLE = 0x82
    RF_COMMUNICATION_ERROR = 0x83
    DATA_BUFFER_OVERFLOW = 0x93
    MORE_DATA = 0x94
    ISO15693_ERROR = 0x95


#: Codes behind status 95 (section 2.3).
ISO_NO_SUCH_BLOCK = 0x10
ISO_UNSUPPORTED = 0x01
