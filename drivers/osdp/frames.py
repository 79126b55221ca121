"""OSDP v2 frames: bytes to frame and back. Pure; the wire is described in PROTOCOL.md section 2.

The hard part is the one start byte, 53, the letter S, which is common in payloads: the length and one of two kinds of
check tell. A user would notice a mistake here as a card that must be shown twice.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from drivers.buffer import ErrorKind, Refusal
from drivers.checksum import crc16_osdp
from drivers.driver import LocalProtocolError

START = 0x53
MARK = b"\xff"
LENGTH_MAX = 1440
"""Longest packet of the specification."""
LENGTH_MIN = 7
MAC_LENGTH = 4
_REPLY = 0x80
_CRC, _BLOCK = 0x04, 0x08
_HEADER_LENGTH = 5
_KEYS = {0x7F: "*", 0x0D: "#"}
_WIEGAND_BITS = 26


class Command(IntEnum):
    POLL = 0x60
    ID = 0x61
    CAP = 0x62
    LSTAT = 0x64
    ISTAT = 0x65
    OSTAT = 0x66
    OUT = 0x68
    LED = 0x69
    BUZ = 0x6A
    TEXT = 0x6B
    TDSET = 0x6D
    CHLNG = 0x76
    SCRYPT = 0x77


class Reply(IntEnum):
    ACK = 0x40
    NAK = 0x41
    PDID = 0x45
    PDCAP = 0x46
    LSTATR = 0x48
    OSTATR = 0x4A
    RAW = 0x50
    KEYPAD = 0x53
    CCRYPT = 0x76
    RMAC_I = 0x78
    BUSY = 0x79


class BlockType(IntEnum):
    """Security blocks: handshake, then secured without and with encrypted data, each from panel and from reader."""

    CHALLENGE = 0x11
    CHALLENGE_REPLY = 0x12
    CRYPTOGRAM = 0x13
    CRYPTOGRAM_REPLY = 0x14
    COMMAND = 0x15
    REPLY = 0x16
    COMMAND_DATA = 0x17
    REPLY_DATA = 0x18


SECURED = frozenset({BlockType.COMMAND, BlockType.REPLY, BlockType.COMMAND_DATA, BlockType.REPLY_DATA})


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """Raw card data. The last four are None unless it is a Wiegand number of 26 bits."""

    reader: int
    format: int
    bit_count: int
    data_hex: str
    facility_code: int | None = None
    card_number: int | None = None
    even_parity_ok: bool | None = None
    odd_parity_ok: bool | None = None


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """A proven frame. ``block`` is the security block's type, None without one; ``mac`` is empty unless the block is a
    secured one, whose payload is then still encrypted and whose MAC nobody has checked yet."""

    raw: bytes
    address: int
    reply: bool
    sequence: int
    crc: bool
    block: int | None
    block_data: bytes
    code: int
    payload: bytes
    mac: bytes = b""
    keys: str | None = None
    card: Card | None = None


class Grammar:
    """Cuts and proves frames of both directions. ``secured``: frames of an active secure channel are let through for
    whoever holds its keys; else they are refused, as no MAC of theirs can be right."""

    max_length = LENGTH_MAX

    def __init__(self, *, secured: bool = False) -> None:
        self._secured = secured

    def seek(self, data: bytearray, at: int) -> int:
        found = data.find(START, at)
        return found if found >= 0 else len(data)

    def claim(self, data: bytearray, at: int) -> int | Refusal:
        field = data[at + 2 : at + 4]
        if len(field) < 2:
            return 0
        length = int.from_bytes(field, "little")
        if not LENGTH_MIN <= length <= LENGTH_MAX:
            return Refusal(ErrorKind.BAD_LENGTH, f"the length is {length}, must be {LENGTH_MIN} to {LENGTH_MAX}")
        return length

    def parse(self, raw: bytes) -> Frame | Refusal:
        control = raw[4]
        wrong = _wrong_check(raw, crc=bool(control & _CRC))
        if wrong is not None:
            return wrong
        end = len(raw) - (2 if control & _CRC else 1)
        block: int | None = None
        at, block_data = _HEADER_LENGTH, b""
        if control & _BLOCK:
            length = raw[at]
            if length < 2 or at + length >= end:
                return Refusal(ErrorKind.BAD_LENGTH, f"a security block of {length} bytes does not fit")
            block, block_data = raw[at + 1], raw[at + 2 : at + length]
            at += length
            if not BlockType.CHALLENGE <= block <= BlockType.REPLY_DATA:
                return Refusal(ErrorKind.SECURITY, f"security block type {block:02x} does not exist")
            if block in SECURED and not self._secured:
                return Refusal(ErrorKind.SECURITY, f"security block type {block:02x}, but no secure channel is active")
        return self._content(raw, (block, block_data), at, end)

    def is_plausible(self, data: bytearray, at: int) -> bool:
        """True when the control byte has none of its reserved bits set."""
        return at + 4 < len(data) and not data[at + 4] & 0xF0

    def _content(self, raw: bytes, block: tuple[int | None, bytes], at: int, end: int) -> Frame | Refusal:
        mac = b""
        if block[0] in SECURED:
            if at + 1 + MAC_LENGTH > end:
                return Refusal(ErrorKind.BAD_LENGTH, "no room for the MAC")
            end -= MAC_LENGTH
            mac = raw[end : end + MAC_LENGTH]
        reply, code, payload = bool(raw[1] & _REPLY), raw[at], raw[at + 1 : end]
        content = read_content(code, payload) if reply and not mac else (None, None)
        if isinstance(content, Refusal):
            return content
        return Frame(
            raw=raw,
            address=raw[1] & 0x7F,
            reply=reply,
            sequence=raw[4] & 0x03,
            crc=bool(raw[4] & _CRC),
            block=block[0],
            block_data=block[1],
            code=code,
            payload=payload,
            mac=mac,
            keys=content[0],
            card=content[1],
        )


def checksum8(data: bytes) -> int:
    """Two's complement of the sum."""
    return -sum(data) & 0xFF


def _wrong_check(raw: bytes, *, crc: bool) -> Refusal | None:
    if crc:
        if len(raw) <= LENGTH_MIN:
            return Refusal(ErrorKind.BAD_LENGTH, f"{len(raw)} bytes are too few for a frame with CRC")
        found, right = int.from_bytes(raw[-2:], "little"), crc16_osdp(raw[:-2])
    else:
        found, right = raw[-1], checksum8(raw[:-1])
    return None if found == right else Refusal(ErrorKind.BAD_CHECKSUM, f"the check is {found:x}, must be {right:x}")


def read_content(code: int, payload: bytes) -> tuple[str | None, Card | None] | Refusal:
    """The keys or the card of a (decrypted) reply."""
    match code:
        case Reply.KEYPAD:
            if len(payload) < 2 or len(payload) != 2 + payload[1]:
                return Refusal(ErrorKind.BAD_COUNT, f"{len(payload)} bytes do not hold the announced keys")
            return "".join(_KEYS.get(key, chr(key) if 32 <= key < 127 else "?") for key in payload[2:]), None
        case Reply.RAW:
            if len(payload) < 4:
                return Refusal(ErrorKind.BAD_LENGTH, f"card data of {len(payload)} bytes")
            bits = int.from_bytes(payload[2:4], "little")
            if len(payload) - 4 != (bits + 7) // 8:
                return Refusal(
                    ErrorKind.BAD_COUNT, f"{bits} bits need {(bits + 7) // 8} bytes, {len(payload) - 4} came"
                )
            return None, _read_card(payload, bits)
        case _:
            return None, None


def _read_card(payload: bytes, bits: int) -> Card:
    card = Card(reader=payload[0], format=payload[1], bit_count=bits, data_hex=payload[4:].hex())
    if bits != _WIEGAND_BITS:
        return card
    number = int.from_bytes(payload[4:8]) >> 6
    # From the left: even parity, facility 8, number 16, odd parity; each parity covers its half of 13 bits.
    return msgspec.structs.replace(
        card,
        facility_code=number >> 17 & 0xFF,
        card_number=number >> 1 & 0xFFFF,
        even_parity_ok=(number >> 13).bit_count() % 2 == 0,
        odd_parity_ok=(number & 0x1FFF).bit_count() % 2 == 1,
    )


def build(
    address: int,
    sequence: int,
    code: int,
    payload: bytes = b"",
    *,
    block: bytes = b"",
    room: int = 0,
    crc: bool = True,
) -> bytes:
    """The frame without its check: ``room`` bytes (a MAC) are counted in its length and still to be appended."""
    control = sequence | (_CRC if crc else 0) | (_BLOCK if block else 0)
    body = (bytes((len(block) + 1,)) + block if block else b"") + bytes((code,)) + payload
    length = _HEADER_LENGTH + len(body) + room + (2 if crc else 1)
    if not 0 <= address <= 0x7F or not 0 <= sequence <= 3 or length > LENGTH_MAX:
        message = f"osdp: address {address}, sequence {sequence} or length {length} has no room"
        raise LocalProtocolError(message)
    return bytes((START, address)) + length.to_bytes(2, "little") + bytes((control,)) + body


def seal(frame: bytes) -> bytes:
    """``frame`` with the check that its control byte announces."""
    if frame[4] & _CRC:
        return frame + crc16_osdp(frame).to_bytes(2, "little")
    return frame + bytes((checksum8(frame),))
