"""What the data of DNY messages means. PROTOCOL.md section 3; most of it is second-hand, so every reader is lenient:
what is too short is not told.

A user would notice a mistake as a port whose power is ten times too high.
"""

from __future__ import annotations

import msgspec

CHARGE_LENGTH = 37
_ORDER_LENGTH = 16


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """20."""

    firmware: str
    port_count: int


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """01 and 21: the state of every port, from port 0."""

    voltage_v: float
    states: tuple[int, ...]
    temperature_c: int | None


class PortPower(msgspec.Struct, frozen=True, kw_only=True):
    """06 and 26. ``port`` counts from 0; ``energy_wh`` in steps of 10."""

    port: int
    state: int
    duration_s: int
    energy_wh: float
    power_w: float


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """03. ``port`` counts from 0."""

    port: int
    duration_s: int
    energy_wh: float
    card: str
    reason: int
    order: str


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """02."""

    card: str
    port: int


class ChargeReply(msgspec.Struct, frozen=True, kw_only=True):
    """82 from the board. ``port`` None: not told."""

    code: int
    port: int | None


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def read_register(data: bytes) -> Register | None:
    if len(data) < 3:
        return None
    return Register(firmware=f"{_u16(data, 0) / 100:.2f}", port_count=data[2])


def read_ports(data: bytes, *, old: bool) -> Ports | None:
    at = 2 if old else 0
    if len(data) < at + 3:
        return None
    count = data[at + 2]
    states = data[at + 3 : at + 3 + count]
    if len(states) < count:
        return None
    behind = data[at + 3 + count :]
    temperature_c = behind[1] - 65 if not old and len(behind) >= 2 and behind[1] else None
    return Ports(voltage_v=_u16(data, at) / 10, states=tuple(states), temperature_c=temperature_c)


def read_port_power(data: bytes) -> PortPower | None:
    if len(data) < 9:
        return None
    return PortPower(
        port=data[0],
        state=data[1],
        duration_s=_u16(data, 2),
        energy_wh=_u16(data, 4) * 10.0,
        power_w=_u16(data, 7) / 10,
    )


def read_settlement(data: bytes) -> Settlement | None:
    if len(data) < 13 + _ORDER_LENGTH:
        return None
    return Settlement(
        duration_s=_u16(data, 0),
        energy_wh=_u16(data, 4) * 10.0,
        port=data[6],
        card=data[11:7:-1].hex(),
        reason=data[12],
        order=data[13 : 13 + _ORDER_LENGTH].rstrip(b"\0 ").decode("ascii", "replace"),
    )


def read_card(data: bytes) -> Card | None:
    if len(data) < 6:
        return None
    return Card(card=data[3::-1].hex(), port=data[5])


def read_charge_reply(data: bytes) -> ChargeReply | None:
    if not data:
        return None
    port = data[1 + _ORDER_LENGTH] if len(data) > 1 + _ORDER_LENGTH else None
    return ChargeReply(code=data[0], port=port)


def write_charge(port: int, *, on: bool, limit_s: int = 0, order: str = "") -> bytes:
    """82: by time (mode 0). ``limit_s`` up to 65535; ``order`` up to 16 ASCII characters."""
    data = bytes(5) + bytes((port, int(on))) + limit_s.to_bytes(2, "little")
    data += order.encode("ascii", "replace")[:_ORDER_LENGTH].ljust(_ORDER_LENGTH, b"\0")
    return data.ljust(CHARGE_LENGTH, b"\0")
