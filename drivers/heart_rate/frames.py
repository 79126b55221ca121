"""Heart rate measurements (2A37): one notification to one beat. Pure; PROTOCOL.md section 2.

The hard part is what looks like a heart and is none: 0 means that the strap is searching or off, and the contact bit
counts only where the strap says that it has one. A user would notice a mistake as an alarm for a heart that stands
still, in front of somebody who is drinking tea.
"""

from __future__ import annotations

import msgspec

from drivers.buffer import ErrorKind, Refusal

_WIDE, _CONTACT, _CONTACT_SUPPORTED, _ENERGY, _RR = 0x01, 0x02, 0x04, 0x08, 0x10
_RR_PER_S = 1024


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """``heart_rate_bpm`` as sent, None for 0. ``contact`` None: the strap cannot tell. ``truncated``: its energy was
    promised and cut off. ``rr_intervals_ms`` oldest first, zeros left out."""

    heart_rate_bpm: int | None
    contact: bool | None
    energy_kj: int | None = None
    rr_intervals_ms: tuple[float, ...] = ()
    trailing_bytes: int = 0
    truncated: bool = False


def parse(data: bytes) -> Beat | Refusal:
    flags = data[0] if data else 0
    size = 2 if flags & _WIDE else 1
    if len(data) < 1 + size:
        return Refusal(ErrorKind.TOO_SHORT, f"{len(data)} bytes, flags and rate have {1 + size}")
    rate = int.from_bytes(data[1 : 1 + size], "little")
    contact = bool(flags & _CONTACT) if flags & _CONTACT_SUPPORTED else None
    rest = data[1 + size :]
    energy: int | None = None
    if flags & _ENERGY:
        if len(rest) < 2:
            return Beat(heart_rate_bpm=rate or None, contact=contact, truncated=True)
        energy, rest = int.from_bytes(rest[:2], "little"), rest[2:]
    whole = len(rest) // 2 * 2 if flags & _RR else 0
    intervals = (int.from_bytes(rest[at : at + 2], "little") for at in range(0, whole, 2))
    return Beat(
        heart_rate_bpm=rate or None,
        contact=contact,
        energy_kj=energy,
        rr_intervals_ms=tuple(each * 1000 / _RR_PER_S for each in intervals if each),
        trailing_bytes=len(rest) - whole,
    )
