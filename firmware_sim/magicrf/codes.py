"""Command and error bytes of the MagicRF protocol (``drivers/magicrf/PROTOCOL.md``, sections 3 and 6)."""

from __future__ import annotations

from enum import IntEnum


class Cmd(IntEnum):
    MODULE_INFO = 0x03
    IDLE_MODE = 0x04
    SET_REGION = 0x07
    GET_REGION = 0x08
    GET_SELECT = 0x0B
    SET_SELECT = 0x0C
    GET_QUERY = 0x0D
    SET_QUERY = 0x0E
    SET_BAUD = 0x11
    SELECT_MODE = 0x12
    SLEEP = 0x17
    GPIO = 0x1A
    IDLE_TIME = 0x1D
    SINGLE_POLL = 0x22
    MULTI_POLL = 0x27
    STOP_MULTI_POLL = 0x28
    READ = 0x39
    WRITE = 0x49
    KILL = 0x65
    LOCK = 0x82
    INSERT_CHANNEL = 0xA9
    GET_CHANNEL = 0xAA
    SET_CHANNEL = 0xAB
    FHSS = 0xAD
    CONTINUOUS_WAVE = 0xB0
    SET_POWER = 0xB6
    GET_POWER = 0xB7
    BLOCK_PERMALOCK = 0xD3
    NXP_CHANGE_CONFIG = 0xE0
    NXP_READPROTECT = 0xE1
    NXP_RESET_READPROTECT = 0xE2
    NXP_CHANGE_EAS = 0xE3
    NXP_EAS_ALARM = 0xE4
    MONZA_QT_READ = 0xE5
    MONZA_QT_WRITE = 0xE6
    SET_DEMOD = 0xF0
    GET_DEMOD = 0xF1
    SCAN_JAMMER = 0xF2
    SCAN_RSSI = 0xF3
    ERROR = 0xFF


class Err(IntEnum):
    READ_FAIL = 0x09
    WRITE_FAIL = 0x10
    KILL_FAIL = 0x12
    LOCK_FAIL = 0x13
    PERMALOCK_FAIL = 0x14
    NO_TAG = 0x15
    PASSWORD = 0x16
    BAD_COMMAND = 0x17
    READ_OVERRUN = 0xA3
    WRITE_OVERRUN = 0xB3
    WRITE_LOCKED = 0xB4


#: Operations of makes of chips that our plates do not have, and the error that they fail with.
FOREIGN_OPERATIONS = {
    Cmd.BLOCK_PERMALOCK: Err.PERMALOCK_FAIL,
    Cmd.NXP_CHANGE_CONFIG: 0x1A,
    Cmd.NXP_READPROTECT: 0x2A,
    Cmd.NXP_RESET_READPROTECT: 0x2B,
    Cmd.NXP_CHANGE_EAS: 0x1B,
    Cmd.NXP_EAS_ALARM: 0x1D,
    Cmd.MONZA_QT_READ: 0x2E,
    Cmd.MONZA_QT_WRITE: 0x2E,
}
