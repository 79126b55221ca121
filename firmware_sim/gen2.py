"""Gen2 (UHF) on the air: framed slots, sessions, RSSI, and what a round costs in time.

The hard part is memory: each chip keeps an inventoried flag per session, and how long it lasts decides whether the
next round is a new trial or silence. S0 is forgotten when the carrier goes off, S1 after 0.5 to 5 s whether powered
or not, S2 and S3 some time after power is lost. A user would notice a wrong model as plates that vanish from every
second round.

Slot timing from the Gen2 air interface (T1, T2, preambles, command lengths); the reader's clock (Tari 25 us, TRcal
100 us) is our choice: it gives 80 kHz FM0 at DR 8, which is what the data sheet of the YPD-R200 names (RFID
reference, section 3.5).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from firmware_sim.chips import Answer, Placed, captured

TARI_NS = 25_000
#: Data-1 is 2 Tari; commands are priced at the mean of data-0 and data-1.
BIT_NS = 37_500
RTCAL_NS = 3 * TARI_NS
TRCAL_NS = 100_000
DELIMITER_NS = 12_500
FRAME_SYNC_NS = DELIMITER_NS + TARI_NS + RTCAL_NS
QUERY_NS = FRAME_SYNC_NS + TRCAL_NS + 22 * BIT_NS
QUERY_REP_NS = FRAME_SYNC_NS + 4 * BIT_NS
ACK_NS = FRAME_SYNC_NS + 18 * BIT_NS
#: Select: 4 + 3 + 3 + 2 + 8 + 8 + 1 + 16 bits and the mask.
SELECT_BITS = 45
SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Query:
    """Query parameters of a round. ``dr``: 0 = 8, 1 = 64/3. ``m``: 1, 2, 4, 8. ``sel``: 0, 1 all, 2 not SL, 3 SL."""

    dr: int = 0
    m: int = 1
    trext: bool = True
    sel: int = 0
    session: int = 0
    target_b: bool = False
    q: int = 4

    @classmethod
    def from_word(cls, word: int) -> Query:
        """16 bits: DR 1, M 2, TRext 1, Sel 2, Session 2, Target 1, Q 4, three zero bits."""
        return cls(
            dr=word >> 15 & 1,
            m=1 << (word >> 13 & 3),
            trext=bool(word >> 12 & 1),
            sel=word >> 10 & 3,
            session=word >> 8 & 3,
            target_b=bool(word >> 7 & 1),
            q=word >> 3 & 15,
        )


@dataclass(frozen=True, slots=True)
class SlotTimes:
    """Time of an empty, a collided and a read slot. ``for_query`` derives them from DR, M, TRext and the EPC's
    length."""

    empty_ns: int
    collided_ns: int
    handshake_ns: int
    symbol_ns: int

    @classmethod
    def for_query(cls, query: Query) -> SlotTimes:
        period_ns = TRCAL_NS // 8 if query.dr == 0 else TRCAL_NS * 3 // 64
        symbol_ns = period_ns * query.m
        pilot = 12 if query.m == 1 else 16
        preamble = (6 if query.m == 1 else 10) + (pilot if query.trext else 0)
        t1_ns = max(RTCAL_NS, 10 * period_ns)
        t2_ns = 10 * period_ns
        rn16_ns = (preamble + 16 + 1) * symbol_ns
        collided_ns = QUERY_REP_NS + t1_ns + rn16_ns + t2_ns
        empty_ns = QUERY_REP_NS + t1_ns + 5 * period_ns
        handshake_ns = collided_ns + ACK_NS + t1_ns + preamble * symbol_ns + t2_ns
        return cls(empty_ns, collided_ns, handshake_ns, symbol_ns)

    def read_ns(self, epc_bits: int) -> int:
        """A read slot: handshake, then PC, EPC, CRC and the dummy bit."""
        return self.handshake_ns + (16 + epc_bits + 16 + 1) * self.symbol_ns


@dataclass(frozen=True, slots=True)
class Gen2Settings:
    """``capture_db`` as for HF. ``frames_per_round``: after a frame with collisions the reader asks again, with a Q
    that fits them, at most so many frames (dynamic Q; published modules do not say how). ``nominal_cdbm``: transmit
    power at which plates give ``rssi_dbm`` and neighbours leak as set; own plates are in the near field and read at
    any power."""

    capture_db: float = 6.0
    frames_per_round: int = 3
    rssi_dbm: float = -45.0
    nominal_cdbm: int = 1500


@dataclass(frozen=True, slots=True)
class Singulated:
    """A chip read in a round: ``after_ns`` from the start of the round, RSSI in whole dBm."""

    placed: Placed
    after_ns: int
    rssi_dbm: int


@dataclass(slots=True)
class Round:
    """One inventory round on the air."""

    read: list[Singulated] = field(default_factory=list)
    air_ns: int = 0
    frames: int = 0
    collisions: int = 0


def flag_is_b(placed: Placed, session: int, now_ns: int) -> bool:
    return placed.inventoried[session] > now_ns


def set_flag(placed: Placed, session: int, now_ns: int, rng: random.Random, *, to_b: bool) -> None:
    """Set the inventoried flag of one session; B lasts as long as the session says."""
    if not to_b:
        placed.inventoried[session] = 0
    elif session == 0:
        placed.inventoried[0] = 1 << 62  # as long as the carrier is on; whoever switches it off clears it
    else:
        low_s, high_s = (0.5, 5.0) if session == 1 else (2.0, 20.0)
        placed.inventoried[session] = now_ns + int(rng.uniform(low_s, high_s) * SECOND_NS)


@dataclass(frozen=True, slots=True)
class Select:
    """A Select command: ``target`` 0..3 the session whose flag it sets, 4 SL; ``action`` 0..7; mask bits of a bank
    from ``pointer``."""

    target: int
    action: int
    bank: int
    pointer: int
    length: int
    mask: bytes

    @property
    def air_ns(self) -> int:
        return FRAME_SYNC_NS + (SELECT_BITS + self.length) * BIT_NS

    def matches(self, memory: bytes) -> bool:
        """Whether the mask equals the bits of the chip's bank; a mask that reaches beyond it does not match."""
        if self.pointer + self.length > 8 * len(memory):
            return False
        word = int.from_bytes(memory, "big") >> (8 * len(memory) - self.pointer - self.length)
        mask = int.from_bytes(self.mask, "big") >> (8 * len(self.mask) - self.length)
        return word & ((1 << self.length) - 1) == mask


#: What each Select action does to a matching and to a not matching chip: +1 assert SL or flag A, -1 deassert or B,
#: 2 negate, 0 nothing (table of the Gen2 standard).
_SELECT_EFFECTS = ((1, -1), (1, 0), (0, -1), (2, 0), (-1, 1), (-1, 0), (0, 1), (0, 2))


def apply_select(placed: Placed, select: Select, memory: bytes, now_ns: int, rng: random.Random) -> None:
    """One powered chip hears a Select."""
    effect = _SELECT_EFFECTS[select.action][0 if select.matches(memory) else 1]
    if not effect or select.target > 4:
        return
    if select.target == 4:
        placed.selected = effect == 1 if effect != 2 else not placed.selected
        return
    to_b = effect == -1 if effect != 2 else not flag_is_b(placed, select.target, now_ns)
    set_flag(placed, select.target, now_ns, rng, to_b=to_b)


def takes_part(placed: Placed, query: Query, now_ns: int) -> bool:
    """Whether a powered chip answers this query by its SL and inventoried flags."""
    if query.sel >= 2 and placed.selected != (query.sel == 3):
        return False
    return flag_is_b(placed, query.session, now_ns) == query.target_b


def run_round(
    answers: list[Answer], query: Query, settings: Gen2Settings, rng: random.Random, *, now_ns: int, power_cdbm: int
) -> Round:
    """One round from ``now_ns`` over the chips that have power: frames of 2^Q slots until one sees no collision."""
    result = Round()
    times = SlotTimes.for_query(query)
    offset_db = settings.rssi_dbm + (power_cdbm - settings.nominal_cdbm) / 100
    waiting = [answer for answer in answers if takes_part(answer.placed, query, now_ns)]
    q = query.q
    while True:
        collided_before = result.collisions
        _run_frame(waiting, q, times, result, rng, settings.capture_db, offset_db)
        done = {one.placed.stay for one in result.read}
        waiting = [answer for answer in waiting if answer.placed.stay not in done]
        collisions = result.collisions - collided_before
        if not collisions or result.frames >= settings.frames_per_round:
            break
        q = min(15, max(1, (2 * collisions).bit_length()))
    for one in result.read:
        set_flag(one.placed, query.session, now_ns + one.after_ns, rng, to_b=not query.target_b)
    return result


def _run_frame(
    waiting: list[Answer],
    q: int,
    times: SlotTimes,
    result: Round,
    rng: random.Random,
    capture_db: float,
    offset_db: float,
) -> None:
    """One frame: each chip in a random slot. Only occupied slots are looked at, so a frame of Q 15 costs no more to
    compute."""
    slots: dict[int, list[Answer]] = {}
    for answer in waiting:
        slots.setdefault(rng.randrange(1 << q), []).append(answer)
    at_ns = result.air_ns + QUERY_NS
    last = -1
    for slot in sorted(slots):
        group = slots[slot]
        at_ns += (slot - last - 1) * times.empty_ns
        last = slot
        winner = captured([answer.strength_db for answer in group], capture_db)
        if winner is None:
            result.collisions += 1
            at_ns += times.collided_ns
        else:
            answer = group[winner]
            at_ns += times.read_ns(4 * len(answer.placed.chip.uid))
            rssi_dbm = max(-128, min(0, round(answer.strength_db + offset_db)))
            result.read.append(Singulated(answer.placed, at_ns, rssi_dbm))
    result.frames += 1
    result.air_ns = at_ns + ((1 << q) - 1 - last) * times.empty_ns
