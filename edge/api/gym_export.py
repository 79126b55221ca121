"""A workout's samples out of the history and its own pulse, put together as a track, for the export route.

The row is the truth of what was done; samples are what colours it. The pulse is the workout's own (``pulses``): the
history holds none of straps. The hard part is a history that is away: the download then holds the summary and the
pulse and says so, for a person who wants the own totals must get them. A user would notice a mistake as a curve of the
machine beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from edge.api.history_columns import integers, numbers
from edge.api.history_gateway import HistoryAway, HistoryGateway
from edge.domain.gym.pulses import PulseRow, samples_of
from edge.domain.gym.rows import WorkoutRow
from edge.domain.gym.settings import AssetSettings, GymConfig
from edge.export.track import NS_PER_S, QUANTITIES, Samples, Track, track_of
from edge.runtime.history_messages import AskSamples, AskSeries, SamplesPart, SeriesInfo, SeriesPart

#: ``complete``; ``none``: nothing is stored of that time; ``away``: the history does not answer, the summary and the
#: pulse are all.
SamplesWord = Literal["complete", "none", "away"]
VERTICAL = "gym"
#: Counters are read from a little earlier: they start from what was there before.
BEFORE_NS = 60 * NS_PER_S
PAGE = 10_000
#: Of one series; six hours at 5 Hz are fewer. Beyond that the track ends early.
SAMPLES_MAX = 120_000
SERIES_MAX = 50_000


class Found(msgspec.Struct, frozen=True):
    """A track, and how much of it is known."""

    track: Track
    samples: SamplesWord


async def track_of_workout(
    history: HistoryGateway, config: GymConfig | None, row: WorkoutRow, parts: Sequence[PulseRow] = ()
) -> Found:
    """The workout with its pulse (``parts``), and its samples as far as the history has them."""
    asset = next((one for one in config.assets if one.asset == row.asset), None) if config is not None else None
    pulse = samples_of(parts, row.began_ns, row.ended_ns or row.at_ns)
    if asset is None:
        track = track_of(row, {}, pulse)
        return Found(track, "complete" if track.points else "none")
    try:
        series = await _read(history, asset, row)
    except HistoryAway:
        return Found(track_of(row, {}, pulse, asset.quirks), "away")
    track = track_of(row, series, pulse, asset.quirks)
    return Found(track, "complete" if track.points else "none")


async def _read(history: HistoryGateway, asset: AssetSettings, row: WorkoutRow) -> dict[str, Samples]:
    known = await _known(history)
    series: dict[str, Samples] = {}
    for quantity in QUANTITIES:
        for place in asset.at:
            info = known.get((place.device, place.point, quantity))
            if info is not None and quantity not in series:
                series[quantity] = await _samples(history, info, row)
    return series


async def _known(history: HistoryGateway) -> dict[tuple[str, str, str], SeriesInfo]:
    """Every series of the gym by device, point and quantity."""
    found: dict[tuple[str, str, str], SeriesInfo] = {}
    after = 0
    while len(found) < SERIES_MAX:
        part = await history.ask(AskSeries(VERTICAL, after, 5000))
        if not isinstance(part, SeriesPart):
            raise HistoryAway("the history has no gym")
        found.update(((info.device, info.point, info.quantity), info) for info in part.items)
        if not part.more or not part.items:
            break
        after = part.items[-1].id
    return found


async def _samples(history: HistoryGateway, info: SeriesInfo, row: WorkoutRow) -> list[tuple[int, float]]:
    begin_ns, end_ns = row.began_ns - BEFORE_NS, (row.ended_ns or row.at_ns) + NS_PER_S
    found: list[tuple[int, float]] = []
    place: tuple[int, int] | None = None
    while len(found) < SAMPLES_MAX:
        part = await history.ask(AskSamples(VERTICAL, info.id, begin_ns, end_ns, PAGE, place))
        if not isinstance(part, SamplesPart):
            raise HistoryAway("the history gave no samples")
        told = zip(integers(part.time_ns), numbers(part.value), strict=True)
        found += [(at_ns, value) for at_ns, value in told if value is not None]
        place = part.place
        if place is None:
            break
    return found
