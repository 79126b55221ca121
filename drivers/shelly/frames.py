"""Shelly gen 2+ messages: topic and payload to frames (decode contract, shelly).

The hard part is which words are whole: ``status/switch:N`` is all there is, a notification holds only what changed, and
an answer comes to the asker's topic, not the device's. Numbers that contradict each other are refused, for a stuck
meter must not prove that a charger is off. A user would notice a mistake as a plug that reads 0 W and is hot.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from drivers.messages import (
    Message,
    PayloadError,
    Problem,
    as_number,
    boolean,
    check_meter,
    inner,
    json_object,
    number,
    text,
)

_STATUS = re.compile(r"(?P<device>.+)/status/switch:(?P<switch>\d{1,4})", re.DOTALL)
_SWITCH_KEY = re.compile(r"switch:(?P<switch>\d{1,4})")

#: Least power and current that contradict an open contact (decode contract).
FLOWING_W = 5
FLOWING_A = 0.05


class Switch(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of one switch; None = not said. ``switch_id`` None: a notification of none."""

    kind: str
    device: str
    switch_id: int | None
    partial: bool
    retained: bool = False
    output_on: bool | None = None
    power_w: float | None = None
    current_a: float | None = None
    voltage_v: float | None = None
    energy_wh: float | None = None
    temperature_c: float | None = None
    frequency_hz: float | None = None
    power_factor: float | None = None
    source: str | None = None
    fault_names: tuple[str, ...] | None = None

    @property
    def alarm_state(self) -> str | None:
        if self.fault_names:
            return "trip"
        flowing = (self.power_w or 0) >= FLOWING_W or (self.current_a or 0) >= FLOWING_A
        return "welded_contact" if self.output_on is False and flowing else None


class Online(msgspec.Struct, frozen=True, kw_only=True):
    """The device's word, or (false) the broker's in its place: the last will."""

    device: str
    online: bool
    retained: bool


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's Switch.Set."""

    device: str
    request_id: int | str | None
    switch_id: int
    on: bool
    toggle_after_s: float | None
    retained: bool


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. ``device`` is the asker's topic, ``sender`` who answers; ``result`` as sent."""

    device: str
    sender: str | None
    request_id: int | str | None
    success: bool
    was_on: bool | None
    error_code: int | None
    error_text: str | None
    result: dict[str, Any]


Frame = Switch | Online | Command | Reply


def parse(message: Message) -> list[Frame | Problem]:
    """One message: its frames (a notification may speak of several switches), or one problem."""
    try:
        return list(_parse(message))
    except PayloadError as error:
        return [error.problem]


def _parse(message: Message) -> list[Frame]:
    topic = message.topic
    status = _STATUS.fullmatch(topic)
    if status is not None:
        switch_id = int(status["switch"])
        fields = json_object(message)
        if fields.get("id", switch_id) != switch_id:
            raise PayloadError("bad_value", f"the topic says switch {switch_id}, the payload {fields['id']!r:.20}")
        return [switch(fields, "status", status["device"], switch_id, retained=message.retain)]
    device, slash, suffix = topic.rpartition("/")
    if device and slash and suffix == "online":
        return [_online(device, message)]
    if device and slash and suffix == "rpc":
        if device.endswith("/events") and device != "/events":
            return _notification(device.removesuffix("/events"), json_object(message), message)
        return _rpc(device, message)
    raise PayloadError("bad_message", "the topic is none of status/switch:N, events/rpc, online and rpc")


def _online(device: str, message: Message) -> Online:
    if message.payload not in {"true", "false"} or message.binary:
        raise PayloadError("bad_payload", "neither true nor false")
    return Online(device=device, online=message.payload == "true", retained=message.retain)


def _notification(device: str, fields: dict[str, Any], message: Message) -> list[Frame]:
    method = fields.get("method")
    if method not in ("NotifyStatus", "NotifyFullStatus"):
        raise PayloadError("bad_message", f"method {method!r:.40} tells no status")
    partial = method == "NotifyStatus"
    params = inner(fields, "params")
    switches = {
        int(match["switch"]): inner(params, key) for key in params if (match := _SWITCH_KEY.fullmatch(key)) is not None
    }
    if not switches:
        return [Switch(kind="notify", device=device, switch_id=None, partial=partial, retained=message.retain)]
    return [
        switch(told, "notify", device, switch_id, partial=partial, retained=message.retain)
        for switch_id, told in switches.items()
    ]


def switch(
    fields: dict[str, Any], kind: str, device: str, switch_id: int, *, partial: bool = False, retained: bool = False
) -> Switch:
    """The state of one switch out of its JSON object. Raises ``PayloadError``."""
    power_w, current_a, voltage_v = (number(fields, key) for key in ("apower", "current", "voltage"))
    check_meter(power_w, voltage_v, current_a)
    errors = fields.get("errors")
    if errors is not None and not (isinstance(errors, list) and all(isinstance(each, str) for each in errors)):
        raise PayloadError("bad_value", "errors is no list of texts")
    return Switch(
        kind=kind,
        device=device,
        switch_id=switch_id,
        partial=partial,
        retained=retained,
        output_on=boolean(fields, "output"),
        power_w=power_w,
        current_a=current_a,
        voltage_v=voltage_v,
        energy_wh=number(inner(fields, "aenergy"), "total"),
        temperature_c=number(inner(fields, "temperature"), "tC"),
        frequency_hz=number(fields, "freq"),
        power_factor=number(fields, "pf"),
        source=text(fields, "source"),
        fault_names=None if errors is None else tuple(errors),
    )


def _rpc(device: str, message: Message) -> list[Frame]:
    fields = json_object(message)
    if fields.get("method") in ("NotifyStatus", "NotifyFullStatus"):
        return _notification(device, fields, message)
    request_id = fields.get("id")
    if not isinstance(request_id, int | str | None) or isinstance(request_id, bool):
        raise PayloadError("bad_value", "id is neither number nor text")
    if "method" in fields:
        return [_command(device, request_id, fields, retained=message.retain)]
    if "result" not in fields and "error" not in fields:
        raise PayloadError("bad_message", "neither method nor result nor error")
    error = inner(fields, "error")
    code = error.get("code")
    # Some methods answer with null or a list: nothing to read there, but an answer.
    result = fields.get("result") if isinstance(fields.get("result"), dict) else None
    return [
        Reply(
            device=device,
            sender=text(fields, "src"),
            request_id=request_id,
            success="error" not in fields,
            was_on=boolean(result or {}, "was_on"),
            error_code=int(as_number(code, "code")) if code is not None else None,
            error_text=text(error, "message"),
            result=result or {},
        )
    ]


def _command(device: str, request_id: int | str | None, fields: dict[str, Any], *, retained: bool) -> Command:
    method = fields["method"]
    if method != "Switch.Set":
        raise PayloadError("bad_message", f"method {method!r:.40} is not read")
    params = inner(fields, "params")
    on = boolean(params, "on")
    switch_id = params.get("id")
    if on is None or not isinstance(switch_id, int) or isinstance(switch_id, bool):
        raise PayloadError("missing_value", "Switch.Set needs id and on")
    return Command(
        device=device,
        request_id=request_id,
        switch_id=switch_id,
        on=on,
        toggle_after_s=number(params, "toggle_after"),
        retained=retained,
    )
