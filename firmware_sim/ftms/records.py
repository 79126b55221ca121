"""Encodes FTMS records, written from ``drivers/ftms/PROTOCOL.md`` section 2."""

from __future__ import annotations

from collections.abc import Mapping

#: What each bit of a characteristic carries: (name, bytes, units per 1).
_LONG_ENERGY = (("kcal", 2, 1), ("kcal_h", 2, 1), ("kcal_min", 1, 1))
BITS: dict[str, dict[int, tuple[tuple[str, int, int], ...]]] = {
    "2acd": {
        0: (("speed", 2, 100),),
        1: (("avg_speed", 2, 100),),
        2: (("distance", 3, 1),),
        3: (("incline", 2, 10), ("ramp", 2, 10)),
        4: (("gain", 2, 10), ("loss", 2, 10)),
        7: _LONG_ENERGY,
        8: (("hr", 1, 1),),
        9: (("met", 1, 10),),
        10: (("elapsed", 2, 1),),
        11: (("remaining", 2, 1),),
        12: (("force", 2, 1), ("power", 2, 1)),
        13: (("steps", 3, 1),),
    },
    "2ace": {
        0: (("speed", 2, 100),),
        1: (("avg_speed", 2, 100),),
        2: (("distance", 3, 1),),
        3: (("rate", 2, 1), ("avg_rate", 2, 1)),
        4: (("strides", 2, 10),),
        5: (("gain", 2, 1), ("loss", 2, 1)),
        6: (("incline", 2, 10), ("ramp", 2, 10)),
        7: (("resistance", 2, 1),),
        8: (("power", 2, 1),),
        9: (("avg_power", 2, 1),),
        10: _LONG_ENERGY,
        11: (("hr", 1, 1),),
        12: (("met", 1, 10),),
        13: (("elapsed", 2, 1),),
        14: (("remaining", 2, 1),),
    },
    "2acf": {
        0: (("floors", 2, 1), ("steps", 2, 1)),
        1: (("rate", 2, 1),),
        2: (("avg_rate", 2, 1),),
        3: (("gain", 2, 1),),
        4: _LONG_ENERGY,
        5: (("hr", 1, 1),),
        6: (("met", 1, 10),),
        7: (("elapsed", 2, 1),),
        8: (("remaining", 2, 1),),
    },
    "2ad0": {
        0: (("floors", 2, 1),),
        1: (("rate", 2, 1),),
        2: (("avg_rate", 2, 1),),
        3: (("gain", 2, 1),),
        4: (("strides", 2, 1),),
        5: _LONG_ENERGY,
        6: (("hr", 1, 1),),
        7: (("met", 1, 10),),
        8: (("elapsed", 2, 1),),
        9: (("remaining", 2, 1),),
    },
    "2ad1": {
        0: (("stroke_rate", 1, 2), ("strokes", 2, 1)),
        1: (("avg_stroke_rate", 1, 2),),
        2: (("distance", 3, 1),),
        3: (("pace", 2, 1),),
        4: (("avg_pace", 2, 1),),
        5: (("power", 2, 1),),
        6: (("avg_power", 2, 1),),
        7: (("resistance", 2, 1),),
        8: _LONG_ENERGY,
        9: (("hr", 1, 1),),
        10: (("met", 1, 10),),
        11: (("elapsed", 2, 1),),
        12: (("remaining", 2, 1),),
    },
    "2ad2": {
        0: (("speed", 2, 100),),
        1: (("avg_speed", 2, 100),),
        2: (("cadence", 2, 2),),
        3: (("avg_cadence", 2, 2),),
        4: (("distance", 3, 1),),
        5: (("resistance", 2, 1),),
        6: (("power", 2, 1),),
        7: (("avg_power", 2, 1),),
        8: _LONG_ENERGY,
        9: (("hr", 1, 1),),
        10: (("met", 1, 10),),
        11: (("elapsed", 2, 1),),
        12: (("remaining", 2, 1),),
    },
}
#: What "there is no such value" looks like.
_NONE = {"kcal": 0xFFFF, "kcal_h": 0xFFFF, "kcal_min": 0xFF, "incline": 0x7FFF, "ramp": 0x7FFF, "gain": 0x7FFF}
_NONE |= {"loss": 0xFFFF, "force": 0x7FFF, "hr": 0}


def flag_bytes(char: str) -> int:
    return 3 if char == "2ace" else 2


def encode(char: str, values: Mapping[str, float | None], *, more: bool = False, lie_bits: int = 0) -> bytes:
    """A record with every bit for which ``values`` has a name; None gives the marker for "absent". ``lie_bits`` are
    turned over in the flags and nowhere else."""
    flags, body = 0, b""
    for bit, parts in BITS[char].items():
        if not any(name in values for name, _, _ in parts):
            flags |= bit == 0
            continue
        flags |= (1 << bit) if bit else 0
        for name, size, per_one in parts:
            value = values.get(name)
            raw = _NONE.get(name, 0) if value is None else round(value * per_one)
            body += (raw & ((1 << 8 * size) - 1)).to_bytes(size, "little")
    if more and not flags & 1:
        raise ValueError("a part with more data to come cannot hold the first field")
    return (flags ^ lie_bits).to_bytes(flag_bytes(char), "little") + body
