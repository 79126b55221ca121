"""A history for the preview and the tests: curves that are computed, so that every zoom shows something plausible."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from edge.api.preview_gym_world import CONFIG, ROW
from edge.domain.words import Text
from edge.runtime.history_messages import (
    ActOnSink,
    Ask,
    AskGroup,
    AskLast,
    AskPlot,
    AskSamples,
    AskSeries,
    AskStatus,
    AskWindows,
    AskZone,
    AskZones,
    CurvePart,
    GapPart,
    GroupPart,
    LastPart,
    Part,
    PlotPart,
    Refused,
    SamplesPart,
    SeriesInfo,
    SeriesPart,
    StatusPart,
    VerticalStatus,
    WindowsPart,
    ZoneInfo,
    ZoneQuantity,
    ZonesPart,
)
from edge.storage.bins import Bins, bins_of
from edge.storage.plotting import curve_of_samples

S = 1_000_000_000
MINUTE = 60 * S
#: The present of the preview: pages ask for spans that end at their own clock, so every time has samples.
LAST_NS = 1_795_150_800 * S
SAMPLES_MAX = 600_000
GAP = GapPart(LAST_NS - 5 * 3600 * S, LAST_NS - 4 * 3600 * S, "missing")

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def _names(vertical: str) -> list[tuple[str, str, str, str, str]]:
    """(device, point, quantity, unit, kind)."""
    if vertical == "canteen":
        return [("reader1", "", "frames", "", "number"), ("reader1", "", "state", "", "state")]
    if vertical == "gym":
        return [(ROW, asset.asset, name, unit, "number") for asset in CONFIG.assets for name, unit in _MACHINE]
    ports = [("charger-board", f"B1-P{n:02}", name, unit, "number") for n in range(1, 9) for name, unit in _PORT]
    return [*ports, ("zigbee", "B1-smoke-3", "smoke", "", "state"), ("meter", "B1", "energy_wh", "Wh", "number")]


_MACHINE = (("distance_m", "m"), ("speed_km_h", "km/h"), ("power_w", "W"))
_PORT = (("power_w", "W"), ("temperature_c", "°C"))


class MemoryHistory:
    """Answers as the history process would. ``away``: it does not answer."""

    def __init__(self, verticals: tuple[str, ...] = ("canteen", "garage", "gym")) -> None:
        self._verticals = verticals

    async def ask(self, ask: Ask) -> Part:
        if isinstance(ask, AskStatus):
            return StatusPart(tuple(_status(vertical) for vertical in self._verticals))
        if ask.vertical not in self._verticals:
            return Refused("absent", "no such vertical")
        infos = [_info(ask.vertical, number) for number in range(1, len(_names(ask.vertical)) + 1)]
        match ask:
            case ActOnSink():
                return Refused("bad", "the preview has no sinks")
            case AskZones():
                quantity = ZoneQuantity("power_w", "W", 8)
                name = Text(zh="B1 充电区", en="Charging area B1")
                return ZonesPart((ZoneInfo("B1", name, (quantity,)),) if ask.vertical == "garage" else ())
            case AskZone():
                if (ask.vertical, ask.zone) != ("garage", "B1"):
                    return Refused("no_zone", "no such zone")
                found = [info for info in infos if info.quantity == ask.quantity]
                span = (ask.begin_ns, ask.end_ns, ask.width_s, ask.offset_s)
                group = AskGroup(ask.vertical, tuple(info.id for info in found), *span)
                return _answer(group, found) if found else Refused("absent", "no such series")
            case AskSeries():
                found = [info for info in infos if info.id > ask.after]
                return SeriesPart(tuple(found[: ask.limit]), len(found) > ask.limit)
            case AskLast():
                values = np.array([np.nan if info.last_value is None else info.last_value for info in infos])
                ids = np.array([info.id for info in infos], np.int64)
                return LastPart(ids.tobytes(), np.full(ids.size, LAST_NS).tobytes(), values.tobytes(), bytes(ids.size))
            case AskGroup() | AskPlot():
                wanted = ask.series
            case _:
                wanted = (ask.series,)
        if not set(wanted) <= {info.id for info in infos}:
            return Refused("absent", "no such series")
        return _answer(ask, [infos[number - 1] for number in wanted])


def _answer(ask: AskSamples | AskWindows | AskGroup | AskPlot, infos: list[SeriesInfo]) -> Part:
    if isinstance(ask, AskPlot):
        gaps = (GAP,) if GAP.begin_ns < ask.end_ns and ask.begin_ns < GAP.end_ns else ()
        return PlotPart(tuple(_curve(ask, info) for info in infos), gaps)
    if isinstance(ask, AskSamples):
        return _samples(ask, infos[0])
    if (ask.end_ns - ask.begin_ns) // (ask.width_s * S) > 20_000:
        return Refused("slow", "too many windows")
    found = [_bins(ask, info) for info in infos]
    begin = (found[0].slot * ask.width_s - ask.offset_s) * S
    if isinstance(ask, AskWindows):
        bins = found[0]
        columns = (begin, bins.n, bins.sum, bins.min, bins.max, bins.first, bins.last)
        return WindowsPart(infos[0], *(column.tobytes() for column in columns))
    total = np.sum([bins.sum / np.maximum(bins.n, 1) for bins in found], axis=0)
    low, high = np.min([bins.min for bins in found], axis=0), np.max([bins.max for bins in found], axis=0)
    members = np.full(begin.size, len(found))
    count = np.sum([bins.n for bins in found], axis=0)
    return GroupPart(tuple(infos), *(column.tobytes() for column in (begin, members, count, total, low, high)))


def _info(vertical: str, number: int) -> SeriesInfo:
    device, point, quantity, unit, kind = _names(vertical)[number - 1]
    words = ("false", "true") if quantity == "smoke" else ("ready", "lost") if kind == "state" else ()
    return SeriesInfo(
        vertical=vertical,
        id=number,
        device=device,
        point=point,
        quantity=quantity,
        unit=unit,
        kind=kind,
        words=words,
        last_ns=LAST_NS,
        last_value=float(_values(number, kind, np.array([LAST_NS]), quantity)[0]),
        last_quality=0,
    )


def _times(begin_ns: int, end_ns: int) -> Ints:
    """One a second over short spans, one a minute or fewer over long ones; never after the preview's present."""
    end_ns = max(begin_ns, end_ns)
    step = max(S, (end_ns - begin_ns) // SAMPLES_MAX // S * S)
    first = -(-begin_ns // step) * step
    return np.arange(first, end_ns, step, dtype=np.int64)


def _of_machine(seconds: Floats, quantity: str) -> Floats | None:
    found: dict[str, Floats] = {
        "distance_m": np.round(seconds % 100_000 * 1.6, 1),
        "speed_km_h": np.round(5.6 + 0.5 * np.sin(seconds / 63), 1),
    }
    return found.get(quantity)


def _values(number: int, kind: str, time_ns: Ints, quantity: str = "") -> Floats:
    seconds = time_ns / S
    machine = _of_machine(seconds + number, quantity)
    if machine is not None:
        return machine
    if kind == "state":
        return (np.sin(seconds / 9000 + number) > 0.995).astype(np.float64)
    day = np.sin(seconds / 86_400 * 2 * np.pi + number)
    fast = np.sin(seconds / 37 + number) + 0.3 * np.sin(seconds * 1.7)
    values: Floats = np.round(np.maximum(0, 120 + 80 * day + 6 * fast + 20 * np.sin(seconds / 600_000)), 1)
    return values


def _curve(ask: AskPlot, info: SeriesInfo) -> CurvePart:
    time_ns = _times(ask.begin_ns, ask.end_ns)
    time_ns = time_ns[(time_ns < GAP.begin_ns) | (time_ns > GAP.end_ns)]
    value = _values(info.id, info.kind, time_ns, info.quantity)
    curve = curve_of_samples(time_ns, value, ask.begin_ns, ask.end_ns, ask.pixels)
    span_s = (ask.end_ns - ask.begin_ns) // S
    resolution_s = 3600 if span_s > 900 * ask.pixels else 60 if span_s > 30 * ask.pixels else 0
    return CurvePart(info, resolution_s, curve.time_ns.tobytes(), curve.value.tobytes())


def _samples(ask: AskSamples, info: SeriesInfo) -> SamplesPart:
    begin_ns = max(ask.begin_ns, ask.place[0] + 1 if ask.place else 0)
    time_ns = _times(begin_ns, min(ask.end_ns, begin_ns + (ask.limit + 2) * S))[: ask.limit]
    more = time_ns.size == ask.limit and int(time_ns[-1]) + S < ask.end_ns
    place = (int(time_ns[-1]), 1) if more else None
    value = _values(info.id, info.kind, time_ns, info.quantity)
    return SamplesPart(info, time_ns.tobytes(), value.tobytes(), bytes(time_ns.size), place)


def _bins(ask: AskWindows | AskGroup, info: SeriesInfo) -> Bins:
    time_ns = _times(ask.begin_ns, ask.end_ns)
    return bins_of(time_ns + ask.offset_s * S, _values(info.id, info.kind, time_ns, info.quantity), ask.width_s * S)


def _status(vertical: str) -> VerticalStatus:
    sink: dict[str, str | int | float | bool | None] = {
        "sink": "lake",
        "kind": "influx",
        "health": "live",
        "lag_inputs": 12,
        "lag_s": 0.4,
        "reason": "",
    }
    return VerticalStatus(
        vertical=vertical,
        through_seq=18_422,
        sealed_seq=18_000,
        tail_samples=844,
        series=len(_names(vertical)),
        bytes=1_048_576,
        alarm="",
        detail="",
        counts={"samples": 36_844},
        sinks=(sink,) if vertical == "garage" else (),
    )
