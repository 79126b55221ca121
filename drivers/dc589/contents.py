"""What the data of DC589 frames means, by command. PROTOCOL.md section 3.

The hard part is absence: ports are told only after the platform asked for them, and a big board tells its charging
ports in two frames. A user would notice a mistake as a port that charges and is shown as free.
"""

from __future__ import annotations

import msgspec

from drivers.buffer import ErrorKind, Refusal

TEMPERATURE_OFFSET_C = 50
SHORT_HEARTBEAT_LENGTH = 17
_HEARTBEAT_FIXED = 23
_RECORD_LENGTH = 13
_SECONDS_MAX = 59
PARAMETERS_LENGTH = 33


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """A0."""

    board_id: str
    hardware_version: str
    software_id: str
    software_version: int
    imei: str
    sim: str
    signal_raw: int


class PortRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One charging port of a heartbeat."""

    port: int
    remaining_s: int
    charged_s: int
    energy_wh: float
    power_w: float


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """A4. All below ``signal_raw`` is None in the short form: not told, which is neither idle nor zero."""

    board_id: str
    imei: str
    signal_raw: int
    board_status: int | None = None
    voltage_v: int | None = None
    temperature_c: int | None = None
    port_states: tuple[int, ...] | None = None
    charging_port_count: int | None = None
    ports: tuple[PortRecord, ...] | None = None

    @property
    def complete(self) -> bool | None:
        return None if self.ports is None else len(self.ports) == self.charging_port_count


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """B6."""

    port: int
    card_number: int
    debit_fen: int


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """D1."""

    result: int
    card_number: int
    balance_fen: int


class Port(msgspec.Struct, frozen=True, kw_only=True):
    """B9."""

    port: int


class CommandResult(msgspec.Struct, frozen=True, kw_only=True):
    """B8 and BA."""

    result: int
    port: int


class ChargeEnd(msgspec.Struct, frozen=True, kw_only=True):
    """BB. ``reason`` is byte 29; ``late_reason`` byte 40, where newer firmware tells it (PROTOCOL.md section 4)."""

    port: int
    order: str
    charged_s: int
    reason: int
    late_reason: int
    energy_wh: float
    power_w: float


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """C0."""

    port: int
    fault: int


class PowerChange(msgspec.Struct, frozen=True, kw_only=True):
    """C2."""

    port: int
    remaining_s: int
    power_w: float


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """C3 and C6, the 33-byte table of boards with five power steps. ``temperature_guard_c`` None: switched off."""

    run_mode: int
    stop_when_full: bool
    float_power_w: float
    float_s: int
    removal_s: int
    temperature_guard_c: int | None


Content = (
    Login | Heartbeat | Card | Balance | Port | CommandResult | ChargeEnd | Fault | PowerChange | Parameters | None
)


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def _text(data: bytes) -> str:
    return data.rstrip(b"\0 ").decode("ascii", "replace")


def _duration_s(data: bytes, at: int) -> int:
    """Minutes u16, seconds u8."""
    return _u16(data, at) * 60 + data[at + 2]


def _wrong_length(data: bytes, needed: str) -> Refusal:
    return Refusal(ErrorKind.BAD_LENGTH, f"{len(data)} data bytes, must be {needed}")


def _wrong_seconds(value: int) -> Refusal:
    return Refusal(ErrorKind.BAD_TIME, f"a seconds field is {value}")


def read_login(data: bytes) -> Login | Refusal:
    if len(data) != 45:
        return _wrong_length(data, "45")
    return Login(
        board_id=data[:8].hex(),
        hardware_version=_text(data[8:16]),
        software_id=_text(data[16:24]),
        software_version=_u16(data, 24),
        imei=data[26:34].hex(),
        sim=data[34:44].hex(),
        signal_raw=data[44],
    )


def read_heartbeat(data: bytes) -> Heartbeat | Refusal:
    if len(data) < SHORT_HEARTBEAT_LENGTH:
        return _wrong_length(data, "at least 17")
    short = Heartbeat(board_id=data[:8].hex(), imei=data[8:16].hex(), signal_raw=data[16])
    if len(data) == SHORT_HEARTBEAT_LENGTH:
        return short
    if len(data) < _HEARTBEAT_FIXED or len(data) < _HEARTBEAT_FIXED + data[21]:
        count = data[21] if len(data) > 21 else 0
        return Refusal(ErrorKind.BAD_COUNT, f"{count} port states do not fit {len(data)} data bytes")
    count = data[21]
    charging, rest = data[22 + count], data[23 + count :]
    if len(rest) % _RECORD_LENGTH:
        return _wrong_length(rest, "whole records of 13")
    if len(rest) // _RECORD_LENGTH > charging:
        return Refusal(ErrorKind.BAD_COUNT, f"{len(rest)} bytes of records for {charging} charging ports")
    records = []
    for at in range(0, len(rest), _RECORD_LENGTH):
        record = rest[at : at + _RECORD_LENGTH]
        if max(record[3], record[6]) > _SECONDS_MAX:
            return _wrong_seconds(max(record[3], record[6]))
        records.append(
            PortRecord(
                port=record[0],
                remaining_s=_duration_s(record, 1),
                charged_s=_duration_s(record, 4),
                energy_wh=float(_u16(record, 9)),
                power_w=_u16(record, 11) / 10,
            )
        )
    return msgspec.structs.replace(
        short,
        board_status=data[17],
        voltage_v=_u16(data, 18),
        temperature_c=data[20] - TEMPERATURE_OFFSET_C,
        port_states=tuple(data[22 : 22 + count]),
        charging_port_count=charging,
        ports=tuple(records),
    )


def read_card(data: bytes) -> Card | Refusal:
    if len(data) < 7:
        return _wrong_length(data, "at least 7")
    return Card(port=data[0], card_number=int.from_bytes(data[1:5], "little"), debit_fen=_u16(data, 5) * 10)


def read_balance(data: bytes) -> Balance | Refusal:
    if len(data) < 7:
        return _wrong_length(data, "at least 7")
    return Balance(result=data[0], card_number=int.from_bytes(data[1:5], "little"), balance_fen=_u16(data, 5) * 10)


def read_port(data: bytes) -> Port | Refusal:
    return Port(port=data[0]) if len(data) == 1 else _wrong_length(data, "1")


def read_result(data: bytes) -> CommandResult | Refusal:
    return CommandResult(result=data[0], port=data[1]) if len(data) == 2 else _wrong_length(data, "2")


def read_charge_end(data: bytes) -> ChargeEnd | Refusal:
    if len(data) != 44:
        return _wrong_length(data, "44")
    if max(data[24], data[28]) > _SECONDS_MAX:
        return _wrong_seconds(max(data[24], data[28]))
    return ChargeEnd(
        port=data[1],
        order=data[2:10].hex(),
        charged_s=_duration_s(data, 26),
        reason=data[29],
        late_reason=data[40],
        energy_wh=float(_u16(data, 32)),
        power_w=_u16(data, 42) / 10,
    )


def read_fault(data: bytes) -> Fault | Refusal:
    return Fault(port=data[0], fault=data[1]) if len(data) >= 2 else _wrong_length(data, "at least 2")


def read_power_change(data: bytes) -> PowerChange | Refusal:
    if len(data) < 9:
        return _wrong_length(data, "at least 9")
    return PowerChange(port=data[0], remaining_s=_u16(data, 4) * 60, power_w=_u16(data, 7) / 10)


def read_parameters(data: bytes) -> Parameters | None:
    """None for a table of another length (boards with eight power steps): its fields are not ours to guess."""
    if len(data) != PARAMETERS_LENGTH:
        return None
    return Parameters(
        run_mode=data[0],
        stop_when_full=bool(data[23]),
        float_power_w=_u16(data, 24) / 10,
        float_s=_u16(data, 26),
        removal_s=_u16(data, 28),
        temperature_guard_c=None if data[32] == 0xFF else data[32],
    )
