"""Tasmota messages: topic and payload to frames (decode contract, tasmota).

The hard part is how little is fixed: numbers come as text, dates with dots, values as lists when a device has several
channels, topics in any case. And one word matters more than all meters: after an overload Tasmota closes its relay
again by itself, and only a WARNING and a PowerMonitor line tell of it. A user would notice a mistake as a plug that
switches itself back on.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from drivers.messages import Message, PayloadError, Problem, as_number, check_meter, inner, json_object, number, text

PREFIXES = ("tele", "stat", "cmnd")

_POWER = re.compile(r"POWER(?P<channel>\d{0,2})")
_OVERPOWER = re.compile(r"MaxPowerReached(?P<channel>\d{0,2})", re.IGNORECASE)
_MONITOR = re.compile(r"PowerMonitor(?P<channel>\d{0,2})", re.IGNORECASE)
_TIME = re.compile(r"(?P<year>\d{4})[-.]\d\d[-.]\d\d[T ]\d\d:\d\d:\d\d(?:[+-]\d\d:\d\d|Z)?")
_STATES = {"on": True, "1": True, "true": True, "off": False, "0": False, "false": False}
_COMMANDS = {"on": "on", "1": "on", "true": "on", "off": "off", "0": "off", "false": "off", "toggle": "toggle"}
_COMMANDS["2"] = "toggle"

#: Before this year the device's clock is not set (it starts at 1970).
_YEAR_MIN = 2000

Numbers = float | list[float | None] | None
"""One value, or one for each channel."""


class Energy(msgspec.Struct, frozen=True, kw_only=True):
    device: str | None
    retained: bool
    time: str | None
    power_w: Numbers
    voltage_v: Numbers
    current_a: Numbers
    power_factor: Numbers
    energy_wh: Numbers


class State(msgspec.Struct, frozen=True, kw_only=True):
    """``output_on`` None: an answer that tells no relay."""

    device: str | None
    retained: bool
    time: str | None
    channel: int | None
    output_on: bool | None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """``event_name``: overpower (with ``power_w``), reboot (with ``restart_reason``), reclose_pending, or None."""

    device: str | None
    retained: bool
    time: str | None
    event_name: str | None
    channel: int | None = None
    power_w: float | None = None
    restart_reason: str | None = None


class Online(msgspec.Struct, frozen=True, kw_only=True):
    device: str | None
    retained: bool
    online: bool


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """``command_name`` on, off, toggle; None for what is not POWER. ``state_query``: an empty payload asks."""

    device: str | None
    retained: bool
    state_query: bool
    channel: int | None
    command_name: str | None


Frame = Energy | State | Event | Online | Command


def parse(message: Message) -> list[Frame | Problem]:
    """One message: its frames (an answer may tell several relays), or one problem."""
    prefix, _, rest = message.topic.partition("/")
    device, _, suffix = rest.rpartition("/")
    if prefix not in PREFIXES or not suffix:
        return [Problem("bad_message", "the topic is none of tele, stat or cmnd/DEVICE/SUFFIX")]
    try:
        if prefix == "cmnd":
            return [_command(device or None, suffix.upper(), message)]
        return list(_told(device or None, suffix.upper(), message))
    except PayloadError as error:
        return [error.problem]


def _told(device: str | None, suffix: str, message: Message) -> list[Frame]:
    power = _POWER.fullmatch(suffix)
    if power is not None:
        return [_state(device, message, None, power["channel"], message.payload)]
    if _MONITOR.fullmatch(suffix):
        return [_monitor(device, suffix, message)]
    match suffix:
        case "LWT":
            return [_online(device, message)]
        case "SENSOR":
            return [_energy(device, message, json_object(message))]
        case "STATUS8" | "STATUS10":
            return [_energy(device, message, _status(json_object(message)))]
        case "RESULT" | "STATE":
            return _result(device, message, json_object(message))
        case "WARNING" | "INFO3":
            return [_event(device, message, json_object(message))]
        case _:
            raise PayloadError("bad_message", f"{suffix:.40} is not read")


def _online(device: str | None, message: Message) -> Online:
    word = message.payload.strip().lower()
    if word not in {"online", "offline"} or message.binary:
        raise PayloadError("bad_payload", "neither Online nor Offline")
    return Online(device=device, retained=message.retain, online=word == "online")


# --- energy -----------------------------------------------------------------------------------------------------------


def _status(fields: dict[str, Any]) -> dict[str, Any]:
    """What STATUS8 and STATUS10 wrap: a SENSOR, or (old versions) the ENERGY itself."""
    if "StatusPWR" in fields:
        return {"ENERGY": fields["StatusPWR"]}
    return inner(fields, "StatusSNS")


def _energy(device: str | None, message: Message, fields: dict[str, Any]) -> Energy:
    told = inner(fields, "ENERGY")
    if not told:
        raise PayloadError("missing_value", "no ENERGY: unknown, not zero")
    power_w, voltage_v, current_a = (_numbers(told, key) for key in ("Power", "Voltage", "Current"))
    for channel in range(max(_length(each) for each in (power_w, voltage_v, current_a))):
        check_meter(_of(power_w, channel), _of(voltage_v, channel), _of(current_a, channel))
    return Energy(
        device=device,
        retained=message.retain,
        time=_time(fields),
        power_w=power_w,
        voltage_v=voltage_v,
        current_a=current_a,
        power_factor=_numbers(told, "Factor"),
        energy_wh=_times_1000(_numbers(told, "Total")),
    )


def _numbers(fields: dict[str, Any], key: str) -> Numbers:
    value = fields.get(key)
    if isinstance(value, list):
        return [None if each is None else as_number(each, key, texts=True) for each in value]
    return number(fields, key, texts=True)


def _times_1000(kwh: Numbers) -> Numbers:
    """From kWh to Wh; rounded where binary fractions would show."""
    if isinstance(kwh, list):
        return [None if each is None else round(each * 1000, 6) for each in kwh]
    return None if kwh is None else round(kwh * 1000, 6)


def _length(values: Numbers) -> int:
    return len(values) if isinstance(values, list) else 1


def _of(values: Numbers, channel: int) -> float | None:
    """The value of a channel; one that all share counts for each."""
    if isinstance(values, list):
        return values[channel] if channel < len(values) else None
    return values


# --- states and events ------------------------------------------------------------------------------------------------


def _result(device: str | None, message: Message, fields: dict[str, Any]) -> list[Frame]:
    for key in fields:
        if _OVERPOWER.fullmatch(key) or _MONITOR.fullmatch(key):
            return [_event(device, message, fields)]
    time = _time(fields)
    states: list[Frame] = [
        _state(device, message, time, match["channel"], value)
        for key, value in fields.items()
        if (match := _POWER.fullmatch(key)) is not None
    ]
    return states or [State(device=device, retained=message.retain, time=time, channel=None, output_on=None)]


def _state(device: str | None, message: Message, time: str | None, channel: str, word: object) -> State:
    on = _STATES.get(word.strip().lower()) if isinstance(word, str) and not message.binary else None
    if on is None:
        raise PayloadError("bad_value" if word else "bad_payload", f"POWER is {word!r:.40}, neither ON nor OFF")
    return State(device=device, retained=message.retain, time=time, channel=_channel(channel), output_on=on)


def _event(device: str | None, message: Message, fields: dict[str, Any]) -> Event:
    time = _time(fields)
    for key, value in fields.items():
        if (match := _OVERPOWER.fullmatch(key)) is not None:
            power = value.strip().rstrip("Ww ") if isinstance(value, str) else value
            return Event(
                device=device,
                retained=message.retain,
                time=time,
                event_name="overpower",
                channel=_channel(match["channel"]),
                power_w=as_number(power, key, texts=True),
            )
        if (match := _MONITOR.fullmatch(key)) is not None:
            return _monitored(device, message, time, match["channel"], value)
    info = inner(fields, "Info3") or fields
    if "RestartReason" not in info:
        return Event(device=device, retained=message.retain, time=time, event_name=None)
    reason = info["RestartReason"]
    return Event(
        device=device,
        retained=message.retain,
        time=time,
        event_name="reboot",
        restart_reason=reason if isinstance(reason, str) else json.dumps(reason),
    )


def _monitor(device: str | None, suffix: str, message: Message) -> Event:
    """The topic PowerMonitor: the plain word, or an object that holds it."""
    if message.payload.lstrip().startswith("{"):
        return _event(device, message, json_object(message))
    match = _MONITOR.fullmatch(suffix)
    assert match is not None
    return _monitored(device, message, None, match["channel"], message.payload)


def _monitored(device: str | None, message: Message, time: str | None, channel: str, word: object) -> Event:
    on = _STATES.get(word.strip().lower()) if isinstance(word, str) and not message.binary else None
    if on is None:
        raise PayloadError("bad_value", f"PowerMonitor is {word!r:.40}, neither ON nor OFF")
    return Event(
        device=device,
        retained=message.retain,
        time=time,
        event_name="reclose_pending" if on else None,
        channel=_channel(channel),
    )


def _command(device: str | None, suffix: str, message: Message) -> Command:
    power = _POWER.fullmatch(suffix)
    word = message.payload.strip().lower()
    name = _COMMANDS.get(word) if power is not None else None
    if message.binary or (power is not None and word and name is None):
        raise PayloadError("bad_value", f"POWER {message.payload!r:.40} is neither ON, OFF nor TOGGLE")
    return Command(
        device=device,
        retained=message.retain,
        state_query=not word,
        channel=_channel(power["channel"]) if power is not None else None,
        command_name=name,
    )


def _channel(digits: str) -> int | None:
    return int(digits) if digits else None


def _time(fields: dict[str, Any]) -> str | None:
    """As sent; None while the clock is unset, or when it is no time."""
    sent = text(fields, "Time") or ""
    match = _TIME.fullmatch(sent)
    return sent if match is not None and int(match["year"]) >= _YEAR_MIN else None
