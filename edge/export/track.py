"""A workout second by second, put together from what was stored of its machine and its pulse.

The samples are the machine's own words; the workout's row says which stretch is its, and which parts of it were pauses
or losses. The hard part is that the track must end where the row's totals do: counters that began anew, leaps and what
was counted in a pause are treated as the kernel treated them. A user would notice a mistake as an app that shows
another distance than the wall did.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from edge.domain.gym.counters import Counter, advance
from edge.domain.gym.rows import WorkoutRow
from edge.domain.gym.settings import QuirkSettings

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
#: A counter beyond this is no distance (as the kernel judges it).
MAX_M = 2**31
#: What is read of a machine's series, by quantity; over ``heart_rate_bpm`` the workout's own pulse wins.
QUANTITIES = (
    "distance_m", "speed_km_h", "cadence_rpm", "stroke_rate_spm", "step_rate_spm", "power_w", "heart_rate_bpm",
    "incline_pct",
)  # fmt: skip

#: (UTC ns, value), oldest first.
Samples = Sequence[tuple[int, float]]


class Point(NamedTuple):
    """One second; ``at_ns`` UTC. None = not said in that second. ``distance_m`` since the workout began."""

    at_ns: int
    distance_m: float | None
    speed_m_s: float | None
    cadence_rpm: float | None
    power_w: float | None
    heart_rate_bpm: int | None
    incline_pct: float | None


class Span(NamedTuple):
    """A pause or a loss: UTC ns."""

    kind: str
    begin_ns: int
    end_ns: int


class Track(NamedTuple):
    """All that an export says of one workout."""

    row: WorkoutRow
    points: tuple[Point, ...]
    spans: tuple[Span, ...]

    @property
    def stops(self) -> tuple[Span, ...]:
        """Where the time of training stands still: pauses, and losses unless the machine's counters filled them."""
        return tuple(span for span in self.spans if span.kind == "pause" or not self.row.filled_ms)


def spans_of(row: WorkoutRow) -> tuple[Span, ...]:
    """The pauses and losses of a workout, in order."""
    end_ns = row.ended_ns or row.at_ns
    breaks = msgspec.msgpack.decode(row.breaks, type=list[tuple[str, int, int | None]])
    found = []
    for kind, start_ms, end_ms in breaks:
        until_ns = end_ns if end_ms is None else row.began_ns + end_ms * NS_PER_MS
        found.append(Span(kind, row.began_ns + start_ms * NS_PER_MS, until_ns))
    return tuple(found)


def track_of(
    row: WorkoutRow, series: Mapping[str, Samples], strap: Samples = (), quirks: QuirkSettings | None = None
) -> Track:
    """Put a track together; ``series`` by quantity, of the machine, with some samples before the beginning (of which
    counters start); ``strap`` the pulse that was believed (``domain.gym.pulses``)."""
    quirks = quirks or QuirkSettings()
    spans, end_ns = spans_of(row), row.ended_ns or row.at_ns
    pauses = [span for span in spans if span.kind == "pause"]
    metres = _metres(series.get("distance_m", ()), row.began_ns, pauses, quirks)
    rhythm = next(
        (series[name] for name in ("cadence_rpm", "stroke_rate_spm", "step_rate_spm") if series.get(name)), ()
    )
    by_second = {
        "distance": _seconds(metres, row.began_ns, end_ns),
        "speed": _seconds(series.get("speed_km_h", ()), row.began_ns, end_ns, 0, 120),
        "cadence": _seconds(rhythm, row.began_ns, end_ns, 0, 400),
        "power": _seconds(series.get("power_w", ()), row.began_ns, end_ns, -3000, 3000),
        "pulse": _seconds(series.get("heart_rate_bpm", ()), row.began_ns, end_ns, 0, 254)
        | _seconds(strap, row.began_ns, end_ns, 0, 254),
        "incline": _seconds(series.get("incline_pct", ()), row.began_ns, end_ns, -100, 100),
    }
    points = []
    for second in sorted(set().union(*by_second.values())):
        at_ns = row.began_ns + second * NS_PER_S
        if any(span.begin_ns < at_ns < span.end_ns for span in pauses):
            continue
        said = {name: values.get(second) for name, values in by_second.items()}
        pulse = said["pulse"]
        points.append(
            Point(
                at_ns=at_ns,
                distance_m=said["distance"],
                speed_m_s=None if said["speed"] is None else said["speed"] / 3.6,
                cadence_rpm=said["cadence"],
                power_w=said["power"],
                heart_rate_bpm=round(pulse) if pulse else None,
                incline_pct=said["incline"],
            )
        )
    return Track(row, tuple(points), spans)


def _metres(samples: Samples, began_ns: int, pauses: Sequence[Span], quirks: QuirkSettings) -> list[tuple[int, float]]:
    """The machine's counter as metres since the workout began, standing still in pauses."""
    counter, total, found = Counter(), 0.0, []
    for at_ns, value in samples:
        if not (math.isfinite(value) and 0 <= value <= MAX_M):
            continue
        rate = quirks.max_speed_km_h / 3.6
        _, added = advance(counter, value, at_ns, rate_per_s=rate, modulus=quirks.counter_modulus_m)
        paused = any(span.begin_ns < at_ns < span.end_ns for span in pauses)
        if at_ns > began_ns and not paused:
            total += added
        found.append((at_ns, total))
    return found


def _seconds(samples: Samples, begin_ns: int, end_ns: int, low: float = 0, high: float = math.inf) -> dict[int, float]:
    """The last believable value of each second of the workout."""
    return {
        (at_ns - begin_ns) // NS_PER_S: value
        for at_ns, value in samples
        if begin_ns <= at_ns <= end_ns and math.isfinite(value) and low <= value <= high
    }
