"""What Theengs and OpenMQTTGateway publish of a Bluetooth advert. Pure; PROTOCOL.md section 2.

The hard part is that the gateway hears everybody's telephone too, and that scales count in three units. A user would
notice a mistake as a member of 150 kg who has always weighed 75.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from drivers.messages import Message, PayloadError, Problem, json_object, limited, text

SUFFIX = "BTtoMQTT"
_MAC = re.compile(r"[0-9a-f]{12}")
_KG = {"kg": 1.0, "lb": 0.45359237, "lbs": 0.45359237, "jin": 0.5}
#: Names under which decoders of bands and straps tell the pulse.
_HEART_RATES = ("hr", "heart_rate", "heartrate", "act_bpm")


class Advert(msgspec.Struct, frozen=True, kw_only=True):
    """An advert with what the gateway decoded of it; None where it says nothing. ``mac`` is 12 hex digits."""

    mac: str
    gateway: str
    rssi_dbm: int | None = None
    model_id: str | None = None
    brand: str | None = None
    kind: str | None = None
    weight_kg: float | None = None
    weighing_mode: str | None = None
    impedance_ohm: float | None = None
    temperature_c: float | None = None
    humidity_pct: float | None = None
    battery_pct: float | None = None
    heart_rate_bpm: int | None = None
    retained: bool = False


def mac_of(word: str) -> str | None:
    """``AA:BB:..`` or plain, as 12 lower-case digits; None for anything else."""
    plain = word.replace(":", "").replace("-", "").lower()
    return plain if _MAC.fullmatch(plain) else None


def parse(message: Message, base_topic: str) -> Advert | Problem:
    """A message on ``<base>/<gateway>/BTtoMQTT[/<MAC>]``. The MAC of the topic and of the payload must be one."""
    levels = message.topic.removeprefix(base_topic + "/").split("/")
    if not message.topic.startswith(base_topic + "/") or len(levels) not in {2, 3} or levels[1] != SUFFIX:
        return Problem("bad_message", f"not {base_topic}/<gateway>/{SUFFIX}/<MAC>")
    try:
        fields = json_object(message)
        mac = _checked_mac(fields, levels[2] if len(levels) == 3 else None)
        return _advert(fields, mac, levels[0], retained=message.retain)
    except PayloadError as error:
        return error.problem


def _checked_mac(fields: dict[str, Any], level: str | None) -> str:
    mac = mac_of(text(fields, "id") or "")
    if mac is None:
        raise PayloadError("missing_value", "id is no MAC")
    if level is not None and mac_of(level) != mac:
        raise PayloadError("address_mismatch", "the topic names another MAC than the payload")
    return mac


def _advert(fields: dict[str, Any], mac: str, gateway: str, *, retained: bool) -> Advert:
    rssi = limited(fields, "rssi", -200, 100)
    factor = _KG.get((text(fields, "unit") or "").lower())
    weight = limited(fields, "weight", 0, 1_000)
    rates = (limited(fields, key, 0, 1_000) for key in _HEART_RATES)
    rate = next((each for each in rates if each is not None), None)
    return Advert(
        mac=mac,
        gateway=gateway,
        rssi_dbm=None if rssi is None else round(rssi),
        model_id=text(fields, "model_id"),
        brand=text(fields, "brand"),
        kind=text(fields, "type"),
        weight_kg=None if weight is None or factor is None else weight * factor,
        weighing_mode=text(fields, "weighing_mode"),
        impedance_ohm=limited(fields, "impedance", 0, 100_000),
        temperature_c=limited(fields, "tempc", -100, 500),
        humidity_pct=limited(fields, "hum", 0, 100),
        battery_pct=limited(fields, "batt", 0, 100),
        heart_rate_bpm=round(rate) if rate else None,
        retained=retained,
    )
