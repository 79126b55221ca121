"""A plug with Tasmota firmware over MQTT: telemetry, commands, PulseTime, and its own way with overloads.

Written from ``drivers/tasmota/PROTOCOL.md``. The hard part is that way: at ``MaxPower`` it opens, waits, and closes
again by itself as often as SetOption33 says, and an OFF in between does not end it (arendst/Tasmota#354, #525). A user
would notice a kinder model as a product that trusts such a plug.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from firmware_sim.mqttdevice import NS_PER_S, MqttDevice, Publication
from firmware_sim.outlet import Outlet

SAMPLE_S = 1.0

#: Seconds that an overload is tolerated, and from the opening to closing again (MaxPowerWindow and MaxPowerHold have
#: 30 s and 10 s from the factory; here shorter windows make shorter tests).
MAX_POWER_HOLD_S = 3.0
MAX_POWER_WINDOW_S = 10.0

_COMMAND = re.compile(r"(?P<name>[A-Z]+?|SETOPTION)(?P<index>\d*)")
_BOOT = datetime(2026, 3, 1, 10, 0, 0, tzinfo=UTC)
_WORDS = {"ON": True, "1": True, "TRUE": True, "OFF": False, "0": False, "FALSE": False}


class TasmotaPlug(MqttDevice):
    """``topic`` is its device level. ``retained_power``: somebody set PowerRetain, so states are retained."""

    def __init__(self, topic: str, outlets: list[Outlet], *, seed: int = 0, retained_power: bool = False) -> None:
        super().__init__(seed)
        self.client_id = f"DVES_{seed:06X}"
        self.topic = topic
        self.outlets = outlets
        self.retained_power = retained_power
        self.will = Publication(f"tele/{topic}/LWT", "Offline", retain=True, qos=1)
        self.subscriptions = (f"cmnd/{topic}/#",)
        self.tele_period_s = 300
        self.power_delta = 0
        self.power_on_state = 3
        self.max_power_w = 0
        self.retries = 5
        self.pulse = [0] * len(outlets)
        self.reboots = 0
        self.reclosed = 0
        self._boot_ns = 0
        self._pulses = [0] * len(outlets)
        self._over_since: int | None = None
        self._retries_left = self.retries
        self._reclosing = False
        self._told_w = 0.0
        self._told_ns = 0
        self.after(SAMPLE_S, self._sample)

    # --- the world's --------------------------------------------------------------------------------------------------

    def reboot(self, reason: str = "Power On") -> None:
        """The power was away: timers are forgotten, relays are as PowerOnState says (0 off, 1 on, 3 as before)."""
        self.reboots += 1
        self._over_since, self._reclosing, self._retries_left = None, False, self.retries
        self._boot_ns = self.now_ns
        for channel, outlet in enumerate(self.outlets):
            self._pulses[channel] += 1
            on = {0: False, 1: True}.get(self.power_on_state, outlet.relay)
            outlet.switch(self.now_ns, on=on)
        if self.is_connected:
            self.on_connected(reason)

    # --- the network's ------------------------------------------------------------------------------------------------

    def on_connected(self, reason: str = "Power On") -> None:
        self.publish(f"tele/{self.topic}/LWT", "Online", retain=True, qos=1)
        self.publish(f"tele/{self.topic}/INFO3", {"Info3": {"RestartReason": reason, "BootCount": self.reboots + 1}})
        for channel in range(len(self.outlets)):
            self._tell_power(channel)
        self._tele()

    def on_message(self, topic: str, payload: str, *, retain: bool) -> None:
        self._command(topic.removeprefix(f"cmnd/{self.topic}/").upper(), payload.strip())

    def _command(self, word: str, payload: str) -> None:
        match = _COMMAND.fullmatch(word)
        if match is None:
            return
        name, index = match["name"], int(match["index"] or 1)
        value = int(payload) if payload.isdigit() else None
        match name:
            case "POWER" if index <= len(self.outlets):
                self._power(index - 1, payload.upper())
            case "BACKLOG":
                for each in payload.split(";"):
                    command, _, argument = each.strip().partition(" ")
                    self._command(command.upper(), argument.strip())
            case "PULSETIME" if index <= len(self.outlets):
                if value is not None:
                    self.pulse[index - 1] = value
                self._result({f"PulseTime{index}": {"Set": self.pulse[index - 1], "Remaining": 0}})
            case "STATUS" if value == 8:
                told = {"Time": self._time(), "ENERGY": self._energy()}
                self.publish(f"stat/{self.topic}/STATUS8", {"StatusSNS": told})
            case _:
                self._setting(f"{name}{index}" if name == "SETOPTION" else name, value)

    def _setting(self, name: str, value: int | None) -> None:
        attribute = {
            "TELEPERIOD": "tele_period_s",
            "POWERDELTA": "power_delta",
            "POWERONSTATE": "power_on_state",
            "MAXPOWER": "max_power_w",
            "SETOPTION33": "retries",
        }.get(name)
        if attribute is None:
            self._result({"Command": "Unknown"})
            return
        if value is not None:
            setattr(self, attribute, value)
            self._retries_left = min(self._retries_left, self.retries)
        self._result({name.capitalize(): getattr(self, attribute)})

    def _power(self, channel: int, word: str) -> None:
        outlet = self.outlets[channel]
        on = not outlet.relay if word in {"TOGGLE", "2"} else _WORDS.get(word)
        if on is not None:
            self._switch(channel, on=on)
        self._tell_power(channel)

    # --- inside -------------------------------------------------------------------------------------------------------

    def _switch(self, channel: int, *, on: bool) -> None:
        self.outlets[channel].switch(self.now_ns, on=on)
        self._pulses[channel] += 1
        pulse = self._pulses[channel]
        value = self.pulse[channel]
        if on and value:
            seconds = value / 10 if value < 112 else value - 100

            def fall_off() -> None:
                if self._pulses[channel] == pulse:
                    self._switch(channel, on=False)
                    self._tell_power(channel)

            self.after(seconds, fall_off)

    def _name(self, channel: int) -> str:
        return "POWER" if len(self.outlets) == 1 else f"POWER{channel + 1}"

    def _tell_power(self, channel: int) -> None:
        word = "ON" if self.outlets[channel].reported else "OFF"
        self._result({self._name(channel): word})
        self.publish(f"stat/{self.topic}/{self._name(channel)}", word, retain=self.retained_power)

    def _result(self, told: dict[str, object]) -> None:
        self.publish(f"stat/{self.topic}/RESULT", told)

    def _sample(self) -> None:
        power_w = sum(outlet.measure(self.now_ns).power_w for outlet in self.outlets)
        self._guard(sum(outlet.power_w for outlet in self.outlets))
        delta_w = self.power_delta - 100 if self.power_delta > 100 else 0.01 * self.power_delta * self._told_w
        moved = self.power_delta > 0 and abs(power_w - self._told_w) > delta_w
        if moved or self.now_ns - self._told_ns >= self.tele_period_s * NS_PER_S:
            self._tele()
        self.after(SAMPLE_S, self._sample)

    def _guard(self, power_w: float) -> None:
        """MaxPower: open after the hold time, close again after the window, as often as SetOption33 says."""
        if not self.max_power_w or power_w <= self.max_power_w or not any(outlet.relay for outlet in self.outlets):
            self._over_since = None
            return
        if self._over_since is None:
            self._over_since = self.now_ns
        if self.now_ns - self._over_since < MAX_POWER_HOLD_S * NS_PER_S:
            return
        self._over_since = None
        self.publish(f"stat/{self.topic}/WARNING", {"Time": self._time(), "MaxPowerReached": round(power_w)})
        for channel in range(len(self.outlets)):
            self._switch(channel, on=False)
            self._tell_power(channel)
        if self._retries_left > 0:
            self._retries_left -= 1
            self._reclosing = True
            self.after(MAX_POWER_WINDOW_S, self._reclose)
        else:
            self.publish(f"stat/{self.topic}/WARNING", {"Time": self._time(), "MaxPowerReachedRetry": "OFF"})

    def _reclose(self) -> None:
        if not self._reclosing:
            return
        self._reclosing = False
        self.reclosed += 1
        self.publish(f"stat/{self.topic}/RESULT", {"Time": self._time(), "PowerMonitor": "ON"})
        for channel in range(len(self.outlets)):
            self._switch(channel, on=True)
            self._tell_power(channel)

    def _tele(self) -> None:
        powers = {self._name(n): "ON" if outlet.reported else "OFF" for n, outlet in enumerate(self.outlets)}
        self._told_ns = self.now_ns
        self._told_w = sum(outlet.measure(self.now_ns).power_w for outlet in self.outlets)
        self.publish(f"tele/{self.topic}/STATE", {"Time": self._time(), "UptimeSec": self._uptime_s(), **powers})
        self.publish(f"tele/{self.topic}/SENSOR", {"Time": self._time(), "ENERGY": self._energy()})

    def _energy(self) -> dict[str, object]:
        told = [outlet.measure(self.now_ns) for outlet in self.outlets]
        columns: dict[str, list[float]] = {
            "Total": [round(each.energy_wh / 1000, 3) for each in told],
            "Power": [round(each.power_w) for each in told],
            "Factor": [each.power_factor for each in told],
            "Current": [each.current_a for each in told],
        }
        one = len(told) == 1
        energy: dict[str, object] = {key: values[0] if one else values for key, values in columns.items()}
        return {"TotalStartTime": "2026-01-01T00:00:00", **energy, "Voltage": round(told[0].voltage_v)}

    def _uptime_s(self) -> int:
        return (self.now_ns - self._boot_ns) // NS_PER_S

    def _time(self) -> str:
        return (_BOOT + timedelta(seconds=self.now_ns // NS_PER_S)).strftime("%Y-%m-%dT%H:%M:%S")
