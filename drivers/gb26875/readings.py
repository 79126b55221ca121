"""From information objects to signals. PROTOCOL.md section 5.

The hard part is which words to believe: every real fire comes with the bit that literally says "test", a panel's reset
clears its components without a message for each, and a fault must not look like "clear". A user would notice a mistake
as a fire that was taken for a test, or as a zone that can never be reset.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

from drivers.gb26875.objects import (
    FAULT,
    FEEDBACK,
    FIRE,
    MANUAL_ALARM,
    RESET,
    SHIELDED,
    STARTED,
    AnalogValue,
    ComponentState,
    InfoObject,
    Operation,
    SystemState,
    UnitOperation,
    UnitState,
)
from drivers.wallclock import to_wall_ns
from edge.domain.field_devices import (
    FieldReading,
    MeterReading,
    PanelReset,
    PressureReading,
    Quality,
    SignalKind,
    SignalReading,
)

ACTIVE_POINTS_MAX = 4096
"""Active points remembered for a panel reset; beyond, the longest known is forgotten (and stays active)."""
UNIT_POINT = "unit"
_POWER_FAULT = 1 << 8
_BUS_FAULT = 1 << 10
_ACTED = FIRE | STARTED | FEEDBACK
_OPERATION_RESET, _OPERATION_FIRE_OVER = 1 << 0, 1 << 3

_KINDS: dict[int, tuple[SignalKind, int]] = {
    **dict.fromkeys((23, 24), (SignalKind.CALL_POINT, FIRE)),
    **dict.fromkeys((10, 11, 12, 13, 74), (SignalKind.GAS, FIRE)),
    **dict.fromkeys((30, 31, 32, 33, 34, 35, 36, 37), (SignalKind.HEAT, FIRE)),
    **dict.fromkeys((25, 40, 41, 42, 43, 44, 50, 51, 52, 53), (SignalKind.SMOKE, FIRE)),
    96: (SignalKind.FLOW, _ACTED),
    99: (SignalKind.PRESSURE, _ACTED),
}
"""Component type -> kind of signal and the bits that make it active. All others: the panel's word on a fire."""
_OTHER = (SignalKind.PANEL_FIRE, FIRE)


class Reader:
    """Turns objects into readings; remembers active points so that a panel reset clears them."""

    def __init__(self) -> None:
        self._active: OrderedDict[tuple[str, SignalKind], None] = OrderedDict()

    def read(self, each: InfoObject, sent: datetime | None, *, polled: bool) -> list[FieldReading]:
        """The readings of one object. ``sent`` is the sender's clock when it sent; ``polled``: we asked, so the age of
        the state says nothing about a delay."""
        match each:
            case SystemState():
                return self._system(each, _times(each.time, None if polled else sent))
            case ComponentState():
                return self._component(each, _times(each.time, None if polled else sent))
            case UnitState():
                bad = bool(each.status & FAULT)
                names = ",".join(each.status_names)
                when = _times(each.time, None if polled else sent)
                return self._signal(UNIT_POINT, SignalKind.PANEL_FIRE, (bool(each.status & FIRE), bad), names, when)
            case Operation():
                point = f"{each.system_type}:{each.system_address}"
                return self._operation(point, each.operation, _times(each.time, sent))
            case UnitOperation():
                return self._operation(UNIT_POINT, each.operation, _times(each.time, sent))
            case AnalogValue():
                return _analog(each)
            case _:
                return []

    def forget(self) -> None:
        self._active.clear()

    def _system(self, each: SystemState, when: tuple[int | None, int | None]) -> list[FieldReading]:
        point = f"{each.system_type}:{each.system_address}"
        fire, bad = bool(each.status & FIRE), bool(each.status & (FAULT | _BUS_FAULT))
        readings: list[FieldReading] = []
        if each.status & RESET and not fire:
            readings += self._cleared(point, "reset")
        names = ",".join(each.status_names)
        return [*readings, *self._signal(point, SignalKind.PANEL_FIRE, (fire, bad), names, when)]

    def _component(self, each: ComponentState, when: tuple[int | None, int | None]) -> list[FieldReading]:
        kind, bits = _KINDS.get(each.component_type, _OTHER)
        point = f"{each.system_type}:{each.system_address}:{each.zone}:{each.position}"
        bad = bool(each.status & (FAULT | SHIELDED | _POWER_FAULT))
        detail = ",".join((*each.status_names, *([each.description] if each.description else [])))
        return self._signal(point, kind, (bool(each.status & bits), bad), detail, when)

    def _operation(self, point: str, operation: int, when: tuple[int | None, int | None]) -> list[FieldReading]:
        if operation & MANUAL_ALARM:
            return self._signal(point, SignalKind.CALL_POINT, (True, False), "manual_alarm", when)
        if operation & (_OPERATION_RESET | _OPERATION_FIRE_OVER):
            return self._cleared(point, "reset by hand")
        return []

    def _signal(
        self,
        point: str,
        kind: SignalKind,
        state: tuple[bool, bool],
        detail: str,
        when: tuple[int | None, int | None],
    ) -> list[FieldReading]:
        """Bit 0 decides nothing: real fires have it clear. A fire is good even from a faulty component."""
        active, bad = state
        key = (point, kind)
        if active:
            self._active[key] = None
            self._active.move_to_end(key)
            if len(self._active) > ACTIVE_POINTS_MAX:
                self._active.popitem(last=False)
        else:
            self._active.pop(key, None)
        quality = Quality.FAULT if bad and not active else Quality.GOOD
        wall_ns, delay_ms = when
        return [
            SignalReading(
                point=point,
                kind=kind,
                active=active,
                quality=quality,
                source_wall_ns=wall_ns,
                delay_ms=delay_ms,
                detail=detail,
            )
        ]

    def _cleared(self, system_point: str, why: str) -> list[FieldReading]:
        """The panel was reset: what it reported active behind this system is so no longer, until it says so again."""
        prefix = f"{system_point}:"
        gone = [key for key in self._active if key[0] == system_point or key[0].startswith(prefix)]
        for key in gone:
            del self._active[key]
        cleared = [SignalReading(point=point, kind=kind, active=False, detail=why) for point, kind in gone]
        return [*cleared, PanelReset(point=system_point, detail=why)]


def _times(at: datetime | None, sent: datetime | None) -> tuple[int | None, int | None]:
    """When it happened (UTC ns), and how long the message waited before it was sent (ms; never negative)."""
    if at is None:
        return None, None
    delay_ms = None if sent is None else max(0, round((sent - at).total_seconds() * 1000))
    return to_wall_ns(at), delay_ms


def _analog(each: AnalogValue) -> list[FieldReading]:
    """Temperature, volts, amperes and pressure; other quantities have no reading."""
    point = f"{each.system_type}:{each.system_address}:{each.zone}:{each.position}"
    wall_ns = None if each.time is None else to_wall_ns(each.time)
    value = each.value
    match each.unit:
        case "degC":
            return [MeterReading(point=point, temperature_c=value, source_wall_ns=wall_ns)]
        case "V":
            return [MeterReading(point=point, voltage_v=value, source_wall_ns=wall_ns)]
        case "A":
            return [MeterReading(point=point, current_a=value, source_wall_ns=wall_ns)]
        case "MPa":
            return [PressureReading(point=point, pressure_kpa=each.raw_value * 100.0)]
        case "kPa":
            return [PressureReading(point=point, pressure_kpa=each.raw_value / 10)]
        case _:
            return []
