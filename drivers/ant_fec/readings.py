"""From ANT pages to readings: one interpreter for each machine.

The hard part is one-byte counters over a radio that loses pages: after a gap of more than half a turn of the clock
nobody can know how often a counter went round, so that stretch is not counted at all. A user would notice a mistake as
a rower that is 256 m further on after each hiccup.
"""

from __future__ import annotations

from typing import Any

from drivers.ant_fec.pages import GENERAL, Page, State, has_distance, steps_between
from drivers.engine import NS_PER_MS
from edge.domain.devices import Reading
from edge.domain.machine_readings import MachineEvent, MachineInfo, MachineKind, MachineReading, MachineState

GAP_MAX_NS = 32_000 * NS_PER_MS
"""Half a turn of the elapsed time."""
KINDS = {
    19: MachineKind.TREADMILL,
    20: MachineKind.CROSS_TRAINER,
    22: MachineKind.ROWER,
    23: MachineKind.STEP_CLIMBER,
    24: MachineKind.SKIER,
    25: MachineKind.BIKE,
}
_PAGE_KINDS = {**KINDS, 21: MachineKind.BIKE}
STATES = {
    State.OFF: MachineState.OFFLINE,
    State.READY: MachineState.READY,
    State.IN_USE: MachineState.IN_USE,
    State.FINISHED_OR_PAUSED: MachineState.PAUSED,
}
_MAKER, _PRODUCT = 80, 81
#: Page -> name of the counter, its byte, what one step is worth.
_COUNTED = {
    18: ("energy_kcal", 6, 1.0),
    20: ("stride_count", 3, 1.0),
    22: ("stroke_count", 3, 1.0),
    23: ("stride_count", 3, 1.0),
    24: ("stride_count", 3, 1.0),
}
_SAME = {
    **{name: name for name in ("speed_km_h", "heart_rate_bpm", "incline_pct", "met", "power_w", "cadence_rpm")},
    "stroke_rate_spm": "stroke_rate_spm",
    "stride_rate_spm": "step_rate_spm",
}


class _Counter:
    """A one-byte counter made endless."""

    def __init__(self) -> None:
        self._before: tuple[bytes, int] | None = None
        self._steps = 0

    def take(self, data: bytes, at: int, now_ns: int) -> int:
        if self._before is not None and now_ns - self._before[1] <= GAP_MAX_NS:
            self._steps += steps_between(self._before[0], data, at)
        self._before = (data, now_ns)
        return self._steps


class Interpreter:
    """One machine; ``marks`` of ``take`` are the fields of ``PointMessage``."""

    def __init__(self) -> None:
        self._counters: dict[str, _Counter] = {}
        self._kind: MachineKind | None = None
        self._lap: int | None = None
        self._maker: Page | None = None
        self._told_info: MachineInfo | None = None

    def take(self, page: Page, marks: dict[str, Any], now_ns: int) -> list[Reading]:
        self._kind = self._kind_of(page) or self._kind
        if page.number in {_MAKER, _PRODUCT}:
            return self._info(page, str(marks["point"]))
        if not GENERAL <= page.number <= 25:
            return []
        readings: list[Reading] = []
        fields = self._counted(page, now_ns)
        for name, told in _SAME.items():
            value = page.values.get(name)
            if value is not None and not (name == "heart_rate_bpm" and value == 0):
                fields[told] = value
        state = STATES.get(page.state) if page.state is not None else None
        readings.append(MachineReading(kind=self._kind, state=state, **fields, **marks))
        lap = page.values["lap_toggle"]
        if self._lap is not None and lap != self._lap:
            readings.append(MachineEvent(event="lap", **marks))
        self._lap = lap
        return readings

    def _kind_of(self, page: Page) -> MachineKind | None:
        if page.number == GENERAL:
            return KINDS.get(page.values["equipment"], MachineKind.OTHER)
        return _PAGE_KINDS.get(page.number)

    def _counted(self, page: Page, now_ns: int) -> dict[str, Any]:
        """Counters count only where the machine's capabilities have them."""
        fields: dict[str, Any] = {}
        if page.number == GENERAL:
            fields["elapsed_s"] = self._counter("elapsed_s").take(page.data, 2, now_ns) / 4
            if has_distance(page.data):
                fields["distance_m"] = float(self._counter("distance_m").take(page.data, 3, now_ns))
        elif page.number in _COUNTED and page.data[7] & 0x01:
            name, at, worth = _COUNTED[page.number]
            fields[name] = self._counter(name).take(page.data, at, now_ns) * worth
        return fields

    def _counter(self, name: str) -> _Counter:
        return self._counters.setdefault(name, _Counter())

    def _info(self, page: Page, point: str) -> list[Reading]:
        """Maker and product come on two pages in turn."""
        if page.number == _MAKER:
            self._maker = page
            return []
        if self._maker is None:
            return []
        maker, product = self._maker.values, page.values
        info = MachineInfo(
            point=point,
            maker=_word(maker["manufacturer_id"]),
            model=_word(maker["model_number"]),
            serial=_word(product["serial_number"]),
            firmware=_word(product["software_revision"]),
        )
        if info == self._told_info:
            return []
        self._told_info = info
        return [info]


def _word(value: int | None) -> str:
    return "" if value is None else str(value)
