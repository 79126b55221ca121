"""From what a charger says to readings. PROTOCOL.md section 4.

A user would notice a mistake here as a faulty charger that is offered as free.
"""

from __future__ import annotations

from typing import Any

from drivers.ocpp16.meter import Measured, measured
from drivers.ocpp16.transactions import Transaction
from edge.domain.field_devices import (
    FieldReading,
    MeterReading,
    OutputReading,
    SessionReading,
    SignalKind,
    SignalReading,
)

FAULTED = "Faulted"
_ON = {"Charging": True, "Available": False, "Preparing": False, "Finishing": False, "Reserved": False}
_ON |= {"Unavailable": False}
"""The rest (suspended by the car or the charger) does not say whether the contactor is closed."""
_PLUGGED = {
    "Available": False,
    "Preparing": True,
    "Charging": True,
    "SuspendedEV": True,
    "SuspendedEVSE": True,
    "Finishing": True,
}
_FAULTS = {
    "OverCurrentFailure": "overpower",
    "HighTemperature": "overheat",
    "PowerSwitchFailure": "welded",
    "GroundFailure": "tripped",
}
_END_REASONS = {
    "EVDisconnected": "unplugged",
    "Remote": "remote",
    "Local": "local",
    "EmergencyStop": "fault",
    "PowerLoss": "fault",
    "Reboot": "fault",
    "HardReset": "fault",
    "SoftReset": "fault",
    "DeAuthorized": "remote",
    "UnlockCommand": "local",
}


def connector_of(payload: dict[str, Any]) -> int:
    """The connector, 0 (the charger as a whole) when there is none that can be one."""
    value = payload.get("connectorId")
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 99 else 0


def status_readings(payload: dict[str, Any]) -> list[FieldReading]:
    """Of a StatusNotification, also of one that breaks its schema: Faulted counts whatever the error code says."""
    point = str(connector_of(payload))
    status = str(payload.get("status", "")).strip()
    error = str(payload.get("errorCode", ""))
    faulted = status.casefold() == FAULTED.casefold()
    fault = _FAULTS.get(error, "output_fault") if faulted else ""
    detail = f"{status} {error}"[:120]
    readings: list[FieldReading] = [
        OutputReading(point=point, on=_ON.get(status), plugged=_PLUGGED.get(status), fault=fault, detail=detail)
    ]
    if error == "HighTemperature":
        readings.append(SignalReading(point=point, kind=SignalKind.HEAT, active=True, detail=detail))
    elif error == "NoError" and not faulted:
        readings.append(SignalReading(point=point, kind=SignalKind.HEAT, active=False, detail=detail))
    return readings


def meter_readings(payload: dict[str, Any]) -> list[FieldReading]:
    """Of a MeterValues; nothing when it tells no number."""
    told = measured(payload.get("meterValue"))
    if told == Measured():
        return []
    return [
        MeterReading(
            point=str(connector_of(payload)),
            power_w=told.power_w,
            current_a=told.current_a,
            voltage_v=told.voltage_v,
            energy_wh=told.energy_wh,
            temperature_c=told.temperature_c,
        )
    ]


def ended_readings(transaction: Transaction, payload: dict[str, Any]) -> list[FieldReading]:
    """Of a StopTransaction. Without a reason it was stopped at the charger (that is the specification's default)."""
    stop, start = whole(payload.get("meterStop")), transaction.meter_start_wh
    energy_wh = float(stop - start) if stop is not None and start is not None and stop >= start else None
    point = str(transaction.connector)
    reason = _END_REASONS.get(str(payload.get("reason", "Local")), "unknown")
    session = transaction.session
    return [
        SessionReading(point=point, session=session, phase="ended", end_reason=reason, energy_wh=energy_wh),
        OutputReading(point=point, on=False, detail="transaction stopped"),
    ]


def whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
