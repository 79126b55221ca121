"""The devices of a Zigbee network: detectors, buttons, contacts, sirens and plugs, with the keys that they really send.

Written from ``drivers/zigbee2mqtt/PROTOCOL.md``. The hard part is what a device does not say: a battery head wakes up
when it must and tells only what changed, and one with an empty battery simply stops. A user would notice a chattier
model as a supervision that never fires.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from firmware_sim.outlet import Outlet


@dataclass(slots=True)
class Thing:
    """``report_s`` between messages of its own accord. ``dead``: the battery is empty, it says nothing any more, and
    the bridge believes in it for a day. ``extra`` keys go into every message."""

    name: str
    report_s: float = 3600.0
    battery: float = 100.0
    dead: bool = False
    link_quality: int = 120
    extra: dict[str, Any] = field(default_factory=dict)

    def state(self, now_ns: int) -> dict[str, Any]:
        """All that it can say."""
        return {"battery": round(self.battery), "linkquality": self.link_quality, **self.extra}

    def obey(self, told: dict[str, Any], now_ns: int) -> bool:
        """Carry out a ``set``; False when it has nothing to switch."""
        return False

    def wear(self, rng: random.Random) -> None:
        """Once per report: the battery, and the luck of the radio."""
        self.battery = max(0.0, self.battery - 0.001)
        self.link_quality = min(255, max(1, self.link_quality + rng.randint(-8, 8)))


@dataclass(slots=True)
class Detector(Thing):
    """A smoke, heat (``key`` heat), gas or carbon monoxide head. ``inverted``: Tuya data point 1 passed through.
    ``test_as_tamper``: the Xiaomi way of telling the test button. ``stuck``: it says the same for ever."""

    key: str = "smoke"
    alarm: bool = False
    test: bool = False
    tamper: bool = False
    trouble: bool = False
    inverted: bool = False
    test_as_tamper: bool = False

    def state(self, now_ns: int) -> dict[str, Any]:
        said = {
            self.key: self.alarm != self.inverted,
            "test": self.test and not self.test_as_tamper,
            "tamper": self.tamper or (self.test and self.test_as_tamper),
            "battery_low": self.battery < 10,
            "trouble": self.trouble,
        }
        return {**Thing.state(self, now_ns), **said}


@dataclass(slots=True)
class Contact(Thing):
    """A door contact: ``contact`` true = closed."""

    open: bool = False

    def state(self, now_ns: int) -> dict[str, Any]:
        return {**Thing.state(self, now_ns), "contact": not self.open, "battery_low": self.battery < 10}


@dataclass(slots=True)
class Button(Thing):
    """A call button: ``action`` for a moment, then nothing more of it."""

    action: str = ""

    def state(self, now_ns: int) -> dict[str, Any]:
        said = Thing.state(self, now_ns)
        return {**said, "action": self.action} if self.action else said


@dataclass(slots=True)
class Siren(Thing):
    """A siren: ``warning`` starts and stops it. ``deaf``: it confirms and stays silent."""

    sounding: bool = False
    deaf: bool = False
    until_ns: int = 0

    def state(self, now_ns: int) -> dict[str, Any]:
        return {**Thing.state(self, now_ns), "alarm": self.sounding and now_ns < self.until_ns}

    def obey(self, told: dict[str, Any], now_ns: int) -> bool:
        warning = told.get("warning")
        if isinstance(warning, dict):
            on = warning.get("mode") != "stop"
        elif isinstance(told.get("alarm"), bool):
            on, warning = told["alarm"], told
        else:
            return False
        self.sounding = on and not self.deaf
        self.until_ns = now_ns + int(float(warning.get("duration", 1800)) * 1e9)
        return True


@dataclass(slots=True)
class Plug(Thing):
    """A metered plug or relay: ``state`` and ``on_time`` (falls off by itself)."""

    outlet: Outlet = field(default_factory=Outlet)
    off_at_ns: int = 0

    def state(self, now_ns: int) -> dict[str, Any]:
        measured = self.outlet.measure(now_ns)
        return {
            "linkquality": self.link_quality,
            "state": "ON" if self.outlet.reported else "OFF",
            "power": measured.power_w,
            "current": measured.current_a,
            "voltage": measured.voltage_v,
            "energy": round(measured.energy_wh / 1000, 4),
            **self.extra,
        }

    def obey(self, told: dict[str, Any], now_ns: int) -> bool:
        word = str(told.get("state", "")).upper()
        if word not in {"ON", "OFF", "TOGGLE"}:
            return False
        on = not self.outlet.relay if word == "TOGGLE" else word == "ON"
        self.outlet.switch(now_ns, on=on)
        seconds = told.get("on_time")
        self.off_at_ns = now_ns + int(float(seconds) * 1e9) if on and isinstance(seconds, int | float) else 0
        return True
