"""A chest strap. Written from ``drivers/heart_rate/PROTOCOL.md``.

The hard part is a strap that is off or dry: it sends 0, or numbers that jump, with or without the contact bit. A user
would notice a too kind model as alarms for straps on their hook.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from firmware_sim.exercise import Exercise
from firmware_sim.peripheral import Value


@dataclass(slots=True)
class Strap:
    """``worn`` False: on its hook. ``has_contact``: whether it can tell. ``wide``: 16-bit rates. ``forced_bpm``: what
    it sends instead of the truth (an artefact)."""

    exercise: Exercise = field(default_factory=Exercise)
    worn: bool = True
    has_contact: bool = True
    wide: bool = False
    with_energy: bool = False
    forced_bpm: int | None = None
    every_s: float = 1.0
    dead: bool = False

    def values(self, now_ns: int) -> list[Value]:
        self.exercise.run(now_ns)
        rate = round(self.exercise.heart_bpm) if self.worn else 0
        rate = rate if self.forced_bpm is None else self.forced_bpm
        flags = (0x04 if self.has_contact else 0) | (0x02 if self.worn else 0) | (0x01 if self.wide else 0)
        body = rate.to_bytes(2 if self.wide else 1, "little")
        if self.with_energy:
            flags |= 0x08
            body += int(self.exercise.energy_kcal * 4.184).to_bytes(2, "little")
        if rate:
            flags |= 0x10
            body += round(60 / rate * 1024).to_bytes(2, "little")
        return [Value("2a37", bytes((flags,)) + body)]

    def written(self, char: str, data: bytes, now_ns: int) -> list[Value]:
        return []
