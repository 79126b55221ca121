"""B0 commands to single chips: read blocks, select, reset to ready, stay quiet, system information.

Layouts from the FEIG manuals of the PR101, MR200 and CPR30 (pages "[0x23]", "[0x25]", "[0x26]", "[0x2B]"). Chips here
are NXP SLI-like: 28 blocks of 4 bytes, AFI and DSFID 0. Each addressed request is one trial on the air: a chip with
read probability p answers it with p.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

from firmware_sim.air15693 import exchange_ns
from firmware_sim.chips import Answer, Placed
from firmware_sim.feig.status import ISO_NO_SUCH_BLOCK, ISO_UNSUPPORTED, Iso, Status

BLOCKS = 28
BLOCK_BYTES = 4
IC_REFERENCE = 0x01
UID_BYTES = 8
ADDRESSED, SELECTED = 1, 2


class ChipReply(NamedTuple):
    """Status and data for the reply frame, and the time on the air."""

    status: int
    data: bytes = b""
    air_ns: int = 0


@dataclass(slots=True)
class ChipCommands:
    """Carries out single-chip commands; keeps which stay is selected (one chip at a time)."""

    selected_stay: int | None = None

    def run(self, request: bytes, answers: list[Answer]) -> ChipReply:
        """``request``: the B0 data from the sub-command on. ``answers``: the chips that have power in this exchange."""
        if len(request) < 2:
            return ChipReply(Status.LENGTH_ERROR)
        command, mode = request[0], request[1]
        address_mode = mode & 0x07
        if address_mode > SELECTED:
            return ChipReply(Status.RANGE_ERROR)
        uid_end = 2 + (UID_BYTES if address_mode == ADDRESSED else 0)
        rest = request[uid_end:]
        if len(request) < uid_end or len(rest) != (2 if command == Iso.READ_BLOCKS else 0):
            return ChipReply(Status.LENGTH_ERROR)
        meant = [a.placed for a in answers if self._is_meant(a.placed, address_mode, request[2:uid_end])]
        air_ns = exchange_ns(4 + (UID_BYTES if address_mode == ADDRESSED else 0), 3)
        if not meant:
            return ChipReply(Status.NO_TRANSPONDER, b"", air_ns)
        if len(meant) > 1 and command != Iso.RESET_TO_READY:
            return ChipReply(Status.RF_COMMUNICATION_ERROR, b"", air_ns)
        return self._carry_out(command, mode, rest, meant)

    def _is_meant(self, placed: Placed, address_mode: int, uid: bytes) -> bool:
        if address_mode == ADDRESSED:
            return placed.chip.number == int.from_bytes(uid, "big")
        if address_mode == SELECTED:
            return placed.stay == self.selected_stay
        return not placed.quiet

    def _carry_out(self, command: int, mode: int, rest: bytes, meant: list[Placed]) -> ChipReply:
        placed = meant[0]
        match command:
            case Iso.READ_BLOCKS:
                return _read_blocks(placed, rest[0], rest[1], security=bool(mode & 0x08))
            case Iso.SELECT if mode & 0x07 == ADDRESSED:
                placed.quiet = False
                self.selected_stay = placed.stay
            case Iso.STAY_QUIET if mode & 0x07 == ADDRESSED:
                placed.quiet = True
            case Iso.SELECT | Iso.STAY_QUIET:
                return ChipReply(Status.RANGE_ERROR)
            case Iso.RESET_TO_READY:
                for each in meant:
                    each.quiet = False
                self.selected_stay = None
            case Iso.SYSTEM_INFORMATION:
                return ChipReply(Status.OK, _system_information(placed), exchange_ns(12, 17))
            case _:
                return ChipReply(Status.ISO15693_ERROR, bytes((ISO_UNSUPPORTED,)), exchange_ns(12, 4))
        return ChipReply(Status.OK, b"", exchange_ns(12, 3))


def memory(placed: Placed) -> bytes:
    """The chip's user memory: fixed by its UID. The price is never in here."""
    return hashlib.shake_128(placed.chip.uid.encode()).digest(BLOCKS * BLOCK_BYTES)


def _read_blocks(placed: Placed, first: int, count: int, *, security: bool) -> ChipReply:
    if not count:
        return ChipReply(Status.RANGE_ERROR)
    if first + count > BLOCKS:
        return ChipReply(Status.ISO15693_ERROR, bytes((ISO_NO_SUCH_BLOCK,)), exchange_ns(14, 4))
    data = memory(placed)
    blocks = b"".join(
        b"\x00" + data[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES] for number in range(first, first + count)
    )
    air_bytes = 3 + count * (BLOCK_BYTES + int(security))
    return ChipReply(Status.OK, bytes((count, BLOCK_BYTES)) + blocks, exchange_ns(14, air_bytes))


def _system_information(placed: Placed) -> bytes:
    """DSFID, UID, AFI, MEM-SIZE (bytes per block - 1, blocks - 1), IC-REF."""
    uid = placed.chip.number.to_bytes(UID_BYTES, "big")
    return b"\x00" + uid + bytes((0, BLOCK_BYTES - 1, BLOCKS - 1, IC_REFERENCE))
