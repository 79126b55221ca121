"""From heart rate notifications to readings: as sent, judged by the kernel alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drivers.buffer import Refusal
from drivers.heart_rate.frames import parse
from drivers.rawvalue import RawValue
from edge.domain.devices import Reading
from edge.domain.machine_readings import HeartContact, HeartRateReading

_CONTACTS = {None: HeartContact.NOT_SUPPORTED, False: HeartContact.NOT_DETECTED, True: HeartContact.DETECTED}


class BeatSession:
    def take(self, value: RawValue, now_ns: int) -> list[Reading] | Refusal:
        beat = parse(value.data)
        if isinstance(beat, Refusal):
            return beat
        reading = HeartRateReading(
            heart_rate_bpm=beat.heart_rate_bpm,
            contact=_CONTACTS[beat.contact],
            rr_intervals_ms=beat.rr_intervals_ms,
            energy_kj=beat.energy_kj,
            **value.marks,
        )
        return [reading]


def sessions() -> dict[str, Callable[[str], Any]]:
    """Channel -> maker of its session."""
    return {"2a37": lambda _point: BeatSession()}
