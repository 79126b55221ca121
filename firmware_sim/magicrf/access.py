"""Reading, writing, locking and killing a Gen2 chip through a MagicRF module.

Banks: 0 reserved (kill and access password), 1 EPC (CRC, PC, EPC), 2 TID, 3 user. Replies begin with UL (length of PC
+ EPC), PC, EPC (``drivers/magicrf/PROTOCOL.md``, section 3). Our chips keep their EPC and TID fixed, as plates do.
"""

from __future__ import annotations

import hashlib

from firmware_sim.chips import Chip
from firmware_sim.magicrf.codes import Cmd, Err
from firmware_sim.magicrf.frames import gen2_crc, pc_word

RESERVED, EPC, TID, USER = range(4)
USER_BYTES = 64
PASSWORD_BYTES = 4
#: Lock payload, 20 bits: mask of kill, access, EPC, TID, user (two bits each), then the action; the high bit of each
#: pair asks for the password before a write.
_LOCK_SHIFT = {RESERVED: 7, EPC: 5, TID: 3, USER: 1}


def bank_bytes(chip: Chip, bank: int) -> bytes:
    """The contents of a bank."""
    if bank in chip.banks:
        return bytes(chip.banks[bank])
    epc = bytes.fromhex(chip.uid)
    if bank == EPC:
        told = pc_word(epc).to_bytes(2, "big") + epc
        return gen2_crc(told).to_bytes(2, "big") + told
    if bank == TID:
        return b"\xe2\x80" + hashlib.shake_128(epc).digest(10)
    return bytes(8 if bank == RESERVED else USER_BYTES)


def tag_head(chip: Chip) -> bytes:
    """UL, PC, EPC."""
    epc = bytes.fromhex(chip.uid)
    return bytes((len(epc) + 2,)) + pc_word(epc).to_bytes(2, "big") + epc


def operate(command: int, parameter: bytes, chip: Chip | None) -> tuple[int | None, bytes]:
    """Carry out 39, 49, 65 or 82 on the chip that was singulated (None: none answered).

    Returns (error code or None, parameter of the reply frame).
    """
    failure = {Cmd.READ: Err.READ_FAIL, Cmd.WRITE: Err.WRITE_FAIL, Cmd.KILL: Err.KILL_FAIL, Cmd.LOCK: Err.LOCK_FAIL}
    if not _length_fits(command, parameter):
        return Err.BAD_COMMAND, b""
    if chip is None:
        return failure[Cmd(command)], b""
    head = tag_head(chip)
    password = parameter[:PASSWORD_BYTES]
    secrets = bank_bytes(chip, RESERVED)
    if command == Cmd.KILL:
        if not any(password) or password != secrets[:PASSWORD_BYTES]:
            return Err.KILL_FAIL, head
        chip.dead = True
        return None, head + b"\x00"
    if any(password) and password != secrets[PASSWORD_BYTES:]:
        return Err.PASSWORD, head
    error, data = _access(command, parameter[PASSWORD_BYTES:], chip, secured=password == secrets[PASSWORD_BYTES:])
    return error, head + data


def _length_fits(command: int, parameter: bytes) -> bool:
    match command:
        case Cmd.READ:
            return len(parameter) == 9
        case Cmd.WRITE:
            return len(parameter) >= 9 and len(parameter) == 9 + 2 * int.from_bytes(parameter[7:9], "big")
        case Cmd.LOCK:
            return len(parameter) == 7
        case _:
            return len(parameter) == PASSWORD_BYTES


def _access(command: int, rest: bytes, chip: Chip, *, secured: bool) -> tuple[int | None, bytes]:
    if command == Cmd.LOCK:
        _lock(chip, int.from_bytes(rest, "big") & 0xFFFFF)
        return None, b"\x00"
    bank, start = rest[0] & 3, 2 * int.from_bytes(rest[1:3], "big")
    end = start + 2 * int.from_bytes(rest[3:5], "big")
    memory = bank_bytes(chip, bank)
    overrun = end > len(memory)
    if command == Cmd.READ:
        return (Err.READ_OVERRUN, b"") if overrun else (None, memory[start:end])
    if overrun:
        return Err.WRITE_OVERRUN, b""
    if bank in {EPC, TID} or (bank in chip.locked_banks and not secured):
        return Err.WRITE_LOCKED, b""
    changed = bytearray(memory)
    changed[start:end] = rest[5:]
    chip.banks[bank] = changed
    return None, b"\x00"


def _lock(chip: Chip, payload: int) -> None:
    for bank, shift in _LOCK_SHIFT.items():
        if payload >> 10 >> shift & 1:
            if payload >> shift & 1:
                chip.locked_banks.add(bank)
            else:
                chip.locked_banks.discard(bank)
