"""ISO15693 on the air: the 16-slot anticollision tree and what it costs in time.

The hard part is the capture effect: in a slot where two chips answer, the stronger may decode cleanly, and then the
reader never learns that there was a second one and calls the pass complete. A user would notice as a plate that is
missing from a "complete" tray every time, until one of the two is moved.

Times from the units of the standard at fc = 13.56 MHz (canteen reference, section 1.1): request 1 of 4, reply 26.48
kbit/s.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from firmware_sim.chips import Answer, Placed, captured

FC_HZ = 13_560_000


def _cycles_ns(cycles: int) -> int:
    return cycles * 1_000_000_000 // FC_HZ


REQUEST_SOF_NS = _cycles_ns(1024)
REQUEST_BYTE_NS = _cycles_ns(4096)
REQUEST_EOF_NS = _cycles_ns(512)
#: SOF and EOF of a chip's reply at the high data rate, one subcarrier, and one bit of it.
REPLY_EDGE_NS = _cycles_ns(2048)
REPLY_BIT_NS = _cycles_ns(512)
T1_NS = _cycles_ns(4352)
T2_NS = _cycles_ns(4192)
T3_NS = _cycles_ns(4384)
#: flags, DSFID, UID and CRC: 12 bytes.
INVENTORY_REPLY_NS = 2 * REPLY_EDGE_NS + 96 * REPLY_BIT_NS
OCCUPIED_SLOT_NS = T1_NS + INVENTORY_REPLY_NS + T2_NS
#: At 100 % ASK the reader sees after a SOF's time that nobody answers; at 10 % it must wait out a whole reply.
EMPTY_SLOT_NS = {100: T3_NS + REPLY_EDGE_NS, 10: T3_NS + INVENTORY_REPLY_NS}
#: flags, command, UID and CRC to one chip, which does not answer.
STAY_QUIET_NS = REQUEST_SOF_NS + 12 * REQUEST_BYTE_NS + REQUEST_EOF_NS + T2_NS

SLOTS = 16
UID_NIBBLES = 16


def inventory_request_ns(mask_nibbles: int) -> int:
    """An inventory request: flags, command, mask length, mask, CRC."""
    return REQUEST_SOF_NS + (5 + (mask_nibbles + 1) // 2) * REQUEST_BYTE_NS + REQUEST_EOF_NS


def exchange_ns(request_bytes: int, reply_bytes: int) -> int:
    """One addressed request and its reply; bytes between SOF and EOF, CRC included."""
    request = REQUEST_SOF_NS + request_bytes * REQUEST_BYTE_NS + REQUEST_EOF_NS
    return request + T1_NS + 2 * REPLY_EDGE_NS + reply_bytes * 8 * REPLY_BIT_NS + T2_NS


@dataclass(slots=True, frozen=True)
class AirSettings:
    """``ask_percent``: modulation, 100 or 10. ``capture_db``: margin at which the stronger of two chips decodes;
    infinity switches capture off. ``slot_error_p``: chance that a lone answer is spoilt by noise and looks like a
    collision. ``max_rounds``: inventory requests after which the reader gives up a pass. ``stay_quiet``: count the
    time of the Stay Quiet request that silences each chip told (the only way in the standard to enter that state);
    the tree times of the reference are without it."""

    ask_percent: int = 100
    capture_db: float = 6.0
    slot_error_p: float = 0.0
    max_rounds: int = 64
    stay_quiet: bool = True

    def __post_init__(self) -> None:
        if self.ask_percent not in EMPTY_SLOT_NS:
            raise ValueError(f"ask_percent {self.ask_percent}: ISO15693 knows 10 and 100")


@dataclass(slots=True)
class TreePass:
    """What one pass found: chips in the order of their slots, time on the air, requests sent, slots in which chips
    collided, chips hidden by a stronger one, and whether the tree was walked to its end."""

    found: list[Placed] = field(default_factory=list)
    air_ns: int = 0
    rounds: int = 0
    collisions: int = 0
    hidden: int = 0
    finished: bool = True


def walk_tree(answers: list[Answer], settings: AirSettings, rng: random.Random) -> TreePass:
    """Walk the anticollision tree over the chips that have power in this pass and are not quiet.

    Each request names the low nibbles of the UID known so far; a chip answers in the slot of its next nibble. A
    collided slot becomes a request of its own. Chips with equal UIDs cannot exist, so a noiseless tree always ends.
    """
    result = TreePass()
    empty_ns = EMPTY_SLOT_NS[settings.ask_percent]
    branches: list[tuple[int, list[Answer]]] = [(0, answers)]
    while branches:
        if result.rounds == settings.max_rounds:
            result.finished = False
            break
        nibbles, group = branches.pop()
        result.rounds += 1
        slots = _slots(group, nibbles)
        result.air_ns += (
            inventory_request_ns(nibbles)
            + len(slots) * OCCUPIED_SLOT_NS
            + (SLOTS - len(slots)) * empty_ns
            + (SLOTS - 1) * REQUEST_EOF_NS
        )
        for slot in sorted(slots):
            heard = _hear(slots[slot], settings, rng, result)
            if heard is not None:
                result.found.append(heard)
            elif nibbles + 1 < UID_NIBBLES:
                branches.append((nibbles + 1, slots[slot]))
            else:
                result.finished = False
    return result


def _slots(group: list[Answer], nibbles: int) -> dict[int, list[Answer]]:
    shift = 4 * nibbles
    slots: dict[int, list[Answer]] = {}
    for answer in group:
        slots.setdefault((answer.placed.chip.number >> shift) & 0xF, []).append(answer)
    return slots


def _hear(chips: list[Answer], settings: AirSettings, rng: random.Random, result: TreePass) -> Placed | None:
    """The chip decoded in one slot, or None for a collision."""
    winner: int | None = 0
    if len(chips) > 1:
        winner = captured([answer.strength_db for answer in chips], settings.capture_db)
    if winner is None or (settings.slot_error_p and rng.random() < settings.slot_error_p):
        result.collisions += 1
        return None
    result.hidden += len(chips) - 1
    return chips[winner].placed
