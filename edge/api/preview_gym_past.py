"""The weeks before the made-up gym's scenes: how busy each hour was, and what one member did. Never part of a running
site."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

from edge.api.preview_gym import AT_NS, DAY, NS_PER_S, GymScript
from edge.api.preview_gym_world import CONFIG
from edge.domain.gym.pulses import PART_S, PulseRow
from edge.domain.gym.rows import UseRow, WorkoutRow
from edge.domain.gym.settings import AssetKind

HOUR_MS, DAY_NS = 3_600_000, 86_400 * NS_PER_S
WEEKS = 4
#: Share in use in %, by hour from 6 o'clock on: elders come in the morning, workers in the evening.
_MORNING = (25, 55, 80, 95, 90, 60, 30, 15, 20, 45, 50, 30, 20, 15, 10, 5, 5, 0)
_EVENING = (10, 15, 15, 20, 25, 25, 35, 30, 15, 20, 30, 45, 75, 95, 100, 80, 40, 10)
#: Days before today, machine, minutes, metres, kcal, pulse it began with.
_DONE = (
    (6, "tm-2", 22, 1710.0, 84.0, 92),
    (4, "bk-1", 18, 5200.0, 71.0, 98),
    (4, "et-1", 9, 610.0, 30.0, 88),
    (2, "tm-1", 31, 2630.0, 128.0, 95),
    (1, "eb-1", 14, 3900.0, 52.0, 84),
    (9, "tm-2", 25, 1900.0, 97.0, 93),
)


def past_use(script: GymScript) -> None:
    """Four weeks of hours in every room."""
    lines = dict.fromkeys((one.zone, one.kind) for one in CONFIG.assets if one.kind is not AssetKind.OUTDOOR)
    last = date.fromisoformat(DAY)
    for back in range(1, 7 * WEEKS + 1):
        day = last - timedelta(days=back)
        for zone, kind in lines:
            machines = sum((one.zone, one.kind) == (zone, kind) for one in CONFIG.assets)
            shares = _MORNING if zone == "elders" else _EVENING
            for place, share in enumerate(shares):
                more = 20 if day.weekday() >= 5 and 3 <= place <= 10 else 0
                waits = machines // 2 if share + more >= 95 else 0
                script.rows.put(
                    UseRow(
                        day=day.isoformat(), hour=6 + place, zone=zone, kind=kind.value,
                        busy_ms=min(100, share + more) * machines * HOUR_MS // 100, workouts=machines, waits=waits,
                        turned_away=waits // 2, wait_ms=waits * 380_000, longest_wait_ms=waits * 200_000,
                        no_shows=int(waits > 1 and day.weekday() == 4),
                    )
                )  # fmt: skip


def past_workouts(script: GymScript, person: str) -> None:
    """A member's last days, with the pulse of each workout."""
    model = next(row for row in script.rows.all(WorkoutRow) if row.person == person)
    for number, (back, asset, minutes, metres, kcal, bpm) in enumerate(_DONE):
        settings = next(one for one in CONFIG.assets if one.asset == asset)
        began_ns, workout_id = AT_NS - back * DAY_NS - number * 2400 * NS_PER_S, f"{asset}-past{number}"
        script.rows.put(
            msgspec.structs.replace(
                model, workout_id=workout_id, asset=asset, zone=settings.zone, kind=settings.kind.value, reason="left",
                day=(date.fromisoformat(DAY) - timedelta(days=back)).isoformat(), began_ns=began_ns,
                ended_ns=began_ns + minutes * 60 * NS_PER_S, active_ms=minutes * 60_000, distance_m=metres,
                energy_kcal=kcal, mean_bpm=bpm + 9.0, peak_bpm=bpm + 22, breaks=msgspec.msgpack.encode([]),
            )
        )  # fmt: skip
        beats = bytes(min(bpm + 22, bpm + second // 60 + second % 7) for second in range(minutes * 60))
        for from_s in range(0, len(beats), PART_S):
            script.rows.put(PulseRow(workout_id=workout_id, from_s=from_s, bpm=beats[from_s : from_s + PART_S]))
