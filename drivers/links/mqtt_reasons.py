"""Reason codes of MQTT (MQTT 5, 2.4; MQTT 3.1.1, 3.2.2.3) and the words for them."""

from __future__ import annotations

UNSUPPORTED_VERSION = 0x84


def reason_name(code: int) -> str:
    """Words for a reason code of MQTT 5."""
    return _REASONS.get(code, f"reason {code:#04x}")


def new_code(old: int) -> int:
    """The code of MQTT 5 for a return code of 3.1.1 (0 stays 0)."""
    return _OLD_CODES.get(old, 0x80) if old else 0


_OLD_CODES = {1: 0x84, 2: 0x85, 3: 0x88, 4: 0x86, 5: 0x87}
_REASONS = {
    0x00: "Normal disconnection",
    0x80: "Unspecified error",
    0x81: "Malformed packet",
    0x82: "Protocol error",
    0x83: "Implementation specific error",
    0x84: "Unsupported protocol version",
    0x85: "Client identifier not valid",
    0x86: "Bad user name or password",
    0x87: "Not authorized",
    0x88: "Server unavailable",
    0x89: "Server busy",
    0x8A: "Banned",
    0x8B: "Server shutting down",
    0x8C: "Bad authentication method",
    0x8D: "Keep alive timeout",
    0x8E: "Session taken over",
    0x93: "Receive maximum exceeded",
    0x95: "Packet too large",
    0x96: "Message rate too high",
    0x97: "Quota exceeded",
    0x98: "Administrative action",
    0x99: "Payload format invalid",
    0x9C: "Use another server",
    0x9D: "Server moved",
    0x9F: "Connection rate exceeded",
}
