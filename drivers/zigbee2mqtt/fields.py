"""What the keys of a Zigbee2MQTT device message mean: signals, measurements, outputs.

Names and values are those of Zigbee2MQTT's "exposes". The hard part is that a missing or null key says nothing, and
that a contact's ``true`` means closed. A user would notice a mistake as a door that is always reported the wrong way
round.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import UTC, datetime, timedelta
from typing import Any

from drivers.messages import PayloadError, as_number
from drivers.zigbee2mqtt.frames import DeviceState
from edge.domain.field_devices import MeterReading, SignalKind

#: Key -> what its ``true`` reports. Several keys of a kind are or-ed (gas and carbon monoxide).
_SIGNALS = {
    "smoke": SignalKind.SMOKE,
    "heat": SignalKind.HEAT,
    "high_temperature": SignalKind.HEAT,
    "gas": SignalKind.GAS,
    "carbon_monoxide": SignalKind.GAS,
    "sos": SignalKind.CALL_POINT,
    "emergency": SignalKind.CALL_POINT,
    "tamper": SignalKind.TAMPER,
}
_MEASURED = frozenset({"power", "current", "energy", "device_temperature", "temperature"})
#: Everything that is no signal.
OTHERS = _MEASURED | {"action", "state", "alarm"}
_PLAIN = 1e15
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def signals(state: DeviceState) -> dict[SignalKind, bool]:
    """The signals that the message tells."""
    told: dict[SignalKind, bool] = {}
    for key, value in state.fields.items():
        if value is True or value is False:
            kind = _SIGNALS.get(key)
            if kind is not None:
                told[kind] = told.get(kind, False) or value
            elif key == "contact":
                told[SignalKind.DOOR_OPEN] = not value
    return told


def fires(state: DeviceState) -> set[SignalKind]:
    """The kinds of fire, smoke aside, that are literally true."""
    told = {kind for kind, active in signals(state).items() if active}
    return told & {SignalKind.HEAT, SignalKind.GAS, SignalKind.CALL_POINT}


def is_call(state: DeviceState, actions: Container[str]) -> bool:
    """Whether a button was pressed just now: a retained press is none."""
    action = state.fields.get("action")
    return isinstance(action, str) and action in actions and not state.retained


def is_button(state: DeviceState) -> bool:
    """Whether it is a device that is pressed, without a contact of its own (``sos``, ``emergency``) that says so."""
    if not isinstance(state.fields.get("action"), str):
        return False
    return not any(_SIGNALS.get(key) is SignalKind.CALL_POINT for key in state.fields)


def output_on(state: DeviceState) -> bool | None:
    """The state of a relay or siren, None when not told."""
    word = state.fields.get("state")
    if word in ("ON", "OFF"):
        return bool(word == "ON")
    alarm = state.fields.get("alarm")
    return alarm if isinstance(alarm, bool) else None


def meter(state: DeviceState) -> MeterReading | None:
    """What was measured, None when nothing was. ``voltage`` of a battery device (in mV) is none of it."""
    if _MEASURED.isdisjoint(state.fields):
        return None
    fields = state.fields
    power_w, current_a, energy_kwh = _number(fields, "power"), _number(fields, "current"), _number(fields, "energy")
    temperature_c = None
    if "device_temperature" in fields:
        temperature_c = _number(fields, "device_temperature")
    if temperature_c is None and "temperature" in fields:
        temperature_c = _number(fields, "temperature")
    mains = power_w is not None or current_a is not None
    if not mains and energy_kwh is None and temperature_c is None:
        return None
    return MeterReading(
        point=state.device,
        power_w=power_w,
        current_a=current_a,
        voltage_v=_number(fields, "voltage") if mains else None,
        energy_wh=None if energy_kwh is None else round(energy_kwh * 1000, 6),
        temperature_c=temperature_c,
        retained=state.retained,
        source_wall_ns=last_seen_ns(state),
    )


def last_seen_ns(state: DeviceState) -> int | None:
    """``last_seen`` as UTC ns: ISO 8601 with a zone, or ms since 1970, as the bridge is set."""
    value = state.fields.get("last_seen")
    if value is None:
        return None
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
            return (moment - _EPOCH) // timedelta(microseconds=1) * 1000 if moment.tzinfo is not None else None
        except (ValueError, OverflowError):
            return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1 << 53:
        return int(value) * 1_000_000
    return None


def _number(fields: dict[str, Any], key: str) -> float | None:
    """A number that is one; what is wrong with an unnamed key is no reason to lose the message."""
    value = fields.get(key)
    if value is None:
        return None
    kind = type(value)
    if (kind is float or kind is int) and -_PLAIN < value < _PLAIN:  # nearly all that comes
        return value  # type: ignore[no-any-return]  # mypy does not follow the kinds
    try:
        return as_number(value, key)
    except PayloadError:
        return None
