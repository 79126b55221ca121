"""A Shelly gen 2+ plug or relay over MQTT: status, partial notifications, RPC, its own timers and limits.

Written from ``drivers/shelly/PROTOCOL.md``. The hard part is the difference between what is whole (status, answers) and
what is only a change (notifications), and what a plug does by itself: it falls off after ``auto_off``, trips at its
power limit, and comes back after a power cut as ``initial_state`` says; from the factory that is how it was before. A
user would notice a wrong model as a dead-man that only works in the simulation.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from firmware_sim.mqttdevice import MqttDevice, Publication
from firmware_sim.outlet import Outlet

STATUS_S = 60.0
SAMPLE_S = 1.0


@dataclass(slots=True)
class ShellySettings:
    """One switch's configuration, with the factory's values."""

    initial_state: str = "restore_last"
    auto_off: bool = False
    auto_off_delay: float = 60.0
    power_limit: float = 2500.0


@dataclass(slots=True)
class _Switch:
    number: int
    outlet: Outlet
    settings: ShellySettings
    source: str = "init"
    errors: list[str] = field(default_factory=list)
    timer: int = 0
    told_w: float = -1.0


class ShellyPlug(MqttDevice):
    """``device`` is its topic prefix. ``notify`` off: neither kind of notification is switched on (both can be). After
    a trip ``errors`` stay until the next switching on."""

    def __init__(self, device: str, outlets: list[Outlet], *, seed: int = 0, notify: bool = True) -> None:
        super().__init__(seed)
        self.client_id = device.replace("/", "-")
        self.device = device
        self.notify = notify
        self.will = Publication(f"{device}/online", "false", retain=True, qos=1)
        self.subscriptions = (f"{device}/rpc",)
        self.switches = [_Switch(n, outlet, ShellySettings()) for n, outlet in enumerate(outlets)]
        self.reboots = 0
        self.after(SAMPLE_S, self._sample)
        self.after(STATUS_S, self._status_all)

    # --- the world's --------------------------------------------------------------------------------------------------

    def reboot(self) -> None:
        """The power was away: all timers and errors are forgotten, the relays are as ``initial_state`` says."""
        self.reboots += 1
        for switch in self.switches:
            was_on = switch.outlet.relay
            switch.timer += 1
            switch.errors.clear()
            on = {"on": True, "off": False}.get(switch.settings.initial_state, was_on)
            self._set(switch, on=on, source="init", tell=False)
        if self.is_connected:
            self.on_connected()

    # --- the network's ------------------------------------------------------------------------------------------------

    def on_connected(self) -> None:
        self.publish(f"{self.device}/online", "true", retain=True, qos=1)
        self._status_all(again=False)

    def on_message(self, topic: str, payload: str, *, retain: bool) -> None:
        try:
            request = json.loads(payload)
            method, params = request["method"], request.get("params") or {}
        except (ValueError, KeyError, TypeError):
            return  # a real one answers garbage with nothing
        result, error = self._call(str(method), params if isinstance(params, dict) else {})
        source = request.get("src")
        if not isinstance(source, str):
            return
        answer: dict[str, Any] = {"id": request.get("id"), "src": self.device, "dst": source}
        answer |= {"result": result} if error is None else {"error": error}
        self.publish(f"{source}/rpc", answer, qos=1)

    def _call(self, method: str, params: dict[str, Any]) -> tuple[Any, dict[str, Any] | None]:
        number = params.get("id")
        if not isinstance(number, int) or not 0 <= number < len(self.switches):
            return None, {"code": -105, "message": f"Argument 'id', value {number} not found!"}
        switch = self.switches[number]
        match method:
            case "Switch.Set":
                return self._call_set(switch, params)
            case "Switch.GetStatus":
                return self._status(switch), None
            case "Switch.GetConfig":
                return {"id": number, "name": None, **_as_config(switch.settings)}, None
            case "Switch.SetConfig":
                for key, value in (params.get("config") or {}).items():
                    if hasattr(switch.settings, key):
                        setattr(switch.settings, key, value)
                return {"restart_required": False}, None
            case _:
                return None, {"code": 404, "message": f"No handler for {method}"}

    def _call_set(self, switch: _Switch, params: dict[str, Any]) -> tuple[Any, dict[str, Any] | None]:
        on = params.get("on")
        if not isinstance(on, bool):
            return None, {"code": -103, "message": "Missing or bad argument 'on'!"}
        was_on = switch.outlet.reported
        self._set(switch, on=on, source="MQTT")
        switch.timer += 1
        seconds = params.get("toggle_after")
        if seconds is None and on and switch.settings.auto_off:
            seconds = switch.settings.auto_off_delay
        if seconds:
            self._toggle_after(switch, float(seconds), to=not on)
        return {"was_on": was_on}, None

    # --- inside -------------------------------------------------------------------------------------------------------

    def _toggle_after(self, switch: _Switch, seconds: float, *, to: bool) -> None:
        timer = switch.timer

        def toggle() -> None:
            if switch.timer == timer:
                self._set(switch, on=to, source="timer")

        self.after(seconds, toggle)

    def _set(self, switch: _Switch, *, on: bool, source: str, tell: bool = True) -> None:
        switch.outlet.switch(self.now_ns, on=on)
        switch.source = source
        if on:
            switch.errors.clear()
        if tell:
            self._notify(switch, {"output": switch.outlet.reported, "source": source})

    def _sample(self) -> None:
        """Once a second: the power limit, and a notification where the power changed."""
        for switch in self.switches:
            measured = switch.outlet.measure(self.now_ns)
            if switch.outlet.relay and measured.power_w > switch.settings.power_limit:
                self._set(switch, on=False, source="limit_power", tell=False)
                switch.timer += 1
                switch.errors = ["overpower"]
                self._publish_status(switch)
            elif abs(measured.power_w - switch.told_w) > max(2.0, 0.05 * switch.told_w):
                switch.told_w = measured.power_w
                self._notify(switch, {"apower": measured.power_w, "current": measured.current_a})
        self.after(SAMPLE_S, self._sample)

    def _notify(self, switch: _Switch, changed: dict[str, Any]) -> None:
        if not self.notify:
            return
        params = {"ts": self.now_ns / 1e9, f"switch:{switch.number}": {"id": switch.number, **changed}}
        body = {"src": self.device, "dst": f"{self.device}/events", "method": "NotifyStatus", "params": params}
        self.publish(f"{self.device}/events/rpc", body)
        self._publish_status(switch)

    def _status_all(self, *, again: bool = True) -> None:
        if self.notify:
            for switch in self.switches:
                self._publish_status(switch)
        if again:
            self.after(STATUS_S, self._status_all)

    def _publish_status(self, switch: _Switch) -> None:
        if self.notify:
            self.publish(f"{self.device}/status/switch:{switch.number}", self._status(switch))

    def _status(self, switch: _Switch) -> dict[str, Any]:
        measured = switch.outlet.measure(self.now_ns)
        status: dict[str, Any] = {
            "id": switch.number,
            "source": switch.source,
            "output": switch.outlet.reported,
            "apower": measured.power_w,
            "voltage": measured.voltage_v,
            "current": measured.current_a,
            "pf": measured.power_factor,
            "freq": 50.0,
            "aenergy": {"total": measured.energy_wh, "by_minute": [0.0, 0.0, 0.0], "minute_ts": 0},
            "temperature": {"tC": measured.temperature_c, "tF": round(measured.temperature_c * 1.8 + 32, 1)},
        }
        if switch.errors:
            status["errors"] = list(switch.errors)
        return status


def _as_config(settings: ShellySettings) -> dict[str, Any]:
    return {
        "initial_state": settings.initial_state,
        "auto_off": settings.auto_off,
        "auto_off_delay": settings.auto_off_delay,
        "power_limit": settings.power_limit,
        "current_limit": 16.0,
    }
