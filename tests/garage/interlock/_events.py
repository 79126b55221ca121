"""What may happen in a modelled garage: words of sources and switches, time, restarts, people."""

from __future__ import annotations

from typing import Any, NamedTuple

from edge.domain.actors import Role
from edge.domain.devices import DeviceReading
from edge.domain.field_devices import MeterReading, OutputReading, PointHealth, Quality, SignalReading
from edge.domain.garage.messages import CutZone, ResetZone, SilenceZone
from edge.domain.garage.settings import SourceSettings


class Event(NamedTuple):
    """``kind`` says what the ghost makes of it; ``name`` the source or switch; ``item`` the input (None: made by the
    explorer); ``value`` what was said."""

    label: str
    kind: str
    name: str
    item: Any
    value: Any = None


def signal(source: SourceSettings, active: bool | None, **facts: Any) -> DeviceReading:
    reading = SignalReading(point=source.at.point, kind=source.kind, active=active, **facts)
    return DeviceReading(source.at.device, 1, reading)


def words(one: SourceSettings, *, rich: bool) -> list[Event]:
    """What a source may say. Rich: also a faulty head, an absent one, a stored word, a word out of order."""
    name = one.source
    events = [
        Event(f"{name}=true", "word", name, signal(one, True), 2),
        Event(f"{name}=false", "word", name, signal(one, False), 0),
    ]
    if rich:
        events += [
            Event(f"{name}=fault", "fault", name, signal(one, None, quality=Quality.FAULT)),
            Event(f"{name}=retained true", "word", name, signal(one, True, retained=True), 1),
            Event(f"{name}=retained false", "nothing", name, signal(one, False, retained=True)),
            Event(f"{name}=old false", "nothing", name, signal(one, False, delay_ms=86_400_000)),
            Event(f"{name} offline", "offline", name,
                  DeviceReading("f", 1, PointHealth(point=one.at.point, online=False))),
            Event(f"{name} silent", "silent", name, None),
        ]  # fmt: skip
    return events


def switch_words(name: str, device: str, meter: str | None = None) -> list[Event]:
    """What a switch and its meter may say, true or not."""
    point = meter or name
    return [
        Event(f"{name} flows", "switch", name, DeviceReading(device, 1, MeterReading(point=point, power_w=200.0))),
        Event(f"{name} dead", "switch", name, DeviceReading(device, 1, MeterReading(point=point, power_w=0.0))),
        Event(f"{name} says on", "switch", name, DeviceReading(device, 1, OutputReading(point=name, on=True))),
        Event(f"{name} says off", "switch", name, DeviceReading(device, 1, OutputReading(point=name, on=False))),
    ]


def command(label: str, body: Any, role: Role = Role.PANEL) -> Event:
    return Event(label, "command", type(body).__name__, (role, body))


TICK = Event("1 s", "tick", "", None, 1)
DARK = Event("11 min", "tick", "", None, 660)
RESTART = Event("restart", "restart", "", None)


def people(zone: str = "Z") -> list[Event]:
    """What people do to a zone, on site and from elsewhere."""
    return [
        command(f"reset {zone}", ResetZone(zone=zone, panel=f"panel-{zone}", person="li")),
        command(f"reset {zone} elsewhere", ResetZone(zone=zone, panel="panel-far", person="li")),
        command(f"silence {zone}", SilenceZone(zone=zone)),
        command(f"cut {zone}", CutZone(zone=zone)),
    ]
