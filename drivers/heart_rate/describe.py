"""Heart rate values as the fields that ``kangle decode heart_rate`` prints (decode contract, section 6)."""

from __future__ import annotations

from collections.abc import Mapping

from drivers.buffer import Refusal
from drivers.decoded import Decoded, Fields
from drivers.heart_rate.frames import Beat, parse
from drivers.packets import decode_packets

_CONTACT_NAMES = {None: "not_supported", False: "not_detected", True: "detected"}


def decode(line: bytes, _options: Mapping[str, str]) -> Decoded:
    """Decode one input line: packets of 2a37."""

    def take(packet: bytes) -> Fields | Refusal:
        beat = parse(packet)
        return beat if isinstance(beat, Refusal) else describe(beat)

    return decode_packets(line, take)


def describe(beat: Beat) -> Fields:
    return {
        "heart_rate_bpm": beat.heart_rate_bpm,
        "contact_name": _CONTACT_NAMES[beat.contact],
        "energy_kj": beat.energy_kj,
        "rr_intervals_ms": list(beat.rr_intervals_ms),
        "trailing_bytes": beat.trailing_bytes,
        "truncated": beat.truncated,
    }
