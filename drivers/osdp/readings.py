"""From a reader's replies to readings, and from commands to a reader's payloads. PROTOCOL.md sections 3 and 5.

A user would notice a mistake here as a card that opens the wrong door, or a number of 26 bits that was misread and is
somebody else's.
"""

from __future__ import annotations

from drivers.osdp.frames import Card, Command, Frame, Reply
from edge.domain.devices import DeviceIdentity
from edge.domain.field_devices import (
    CardReading,
    FieldReading,
    KeypadReading,
    Operate,
    OutputReading,
    SignalKind,
    SignalReading,
)

_ISTATR = 0x49
_TENTHS_MAX = 0xFFFF
_RED, _GREEN = 1, 2


def readings_of(frame: Frame) -> list[FieldReading]:
    """What a (plain) reply says: cards, keys, tamper, inputs, outputs."""
    point = str(frame.address)
    payload = frame.payload
    if frame.card is not None:
        return [CardReading(point=point, card=card_name(frame.card), bits=frame.card.bit_count)]
    if frame.keys is not None:
        return [KeypadReading(point=point, keys=frame.keys)]
    match frame.code:
        case Reply.LSTATR if len(payload) >= 2:
            detail = "power fault" if payload[1] else ""
            return [SignalReading(point=point, kind=SignalKind.TAMPER, active=bool(payload[0]), detail=detail)]
        case code if code == _ISTATR:
            return [
                SignalReading(point=f"{point}:in{number}", kind=SignalKind.DOOR_OPEN, active=bool(state))
                for number, state in enumerate(payload)
            ]
        case Reply.OSTATR:
            return [OutputReading(point=f"{point}:{number}", on=bool(state)) for number, state in enumerate(payload)]
        case _:
            return []


def card_name(card: Card) -> str:
    """``facility:number`` for a Wiegand number of 26 bits whose parities are right, else the bits as hex with their
    count, which no credential is written as."""
    if card.even_parity_ok and card.odd_parity_ok:
        return f"{card.facility_code}:{card.card_number}"
    if card.even_parity_ok is None:
        return card.data_hex
    return f"{card.data_hex}/parity"


def identity_of(frame: Frame) -> DeviceIdentity | None:
    """From PDID: vendor 3, model 1, version 1, serial 4, firmware 3."""
    payload = frame.payload
    if len(payload) < 12:
        return None
    return DeviceIdentity(
        protocol="osdp",
        model=f"{payload[:3].hex()}-{payload[3]}.{payload[4]}",
        firmware=".".join(str(byte) for byte in payload[9:12]),
        serial=f"{int.from_bytes(payload[5:9], 'little'):08x}",
    )


def to_wire(command: Operate) -> tuple[int, bytes] | None:
    """Code and payload for ``<address>:<output>``, ``<address>:led`` or ``<address>:buzzer``; None for other points."""
    what = command.point.partition(":")[2]
    if what == "led":
        color = _GREEN if command.on else _RED
        return Command.LED, bytes((0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, color, color))
    if what == "buzzer":
        # tone 2 is the reader's own, 1 is off; on and off times in tenths; repeated until told off (count 0)
        return Command.BUZ, bytes((0, 2, 2, 2, 0)) if command.on else bytes((0, 1, 0, 0, 1))
    if not what.isascii() or not what.isdigit() or int(what) > 0xFF:
        return None
    if not command.on:
        control, tenths = 1, 0  # permanently off, whatever timer runs
    elif command.hold_s:
        control, tenths = 5, min(command.hold_s * 10, _TENTHS_MAX)  # on for this long, then as it was
    else:
        control, tenths = 2, 0  # permanently on, whatever timer runs
    return Command.OUT, bytes((int(what), control)) + tenths.to_bytes(2, "little")
