"""Zigbee2MQTT itself: one MQTT client that speaks for all devices of its network.

Written from ``drivers/zigbee2mqtt/PROTOCOL.md``. The hard part is what the bridge adds to the devices: it repeats its
cache with every change (or only the change, as it is set), keeps states at the broker when told to, and calls a device
offline long after it fell silent. A user would notice a wrong model as a garage whose dead heads are shown as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from firmware_sim.mqttdevice import MqttDevice, Publication
from firmware_sim.zigbee2mqtt.things import Button, Plug, Siren, Thing

#: How often timers of plugs and sirens are looked at.
LOOK_S = 1.0


class Bridge(MqttDevice):
    """``old_availability``: plain words instead of JSON. ``partial``: cache_state is off, messages hold only what
    changed. ``retain``: device states are kept at the broker. ``availability``: whether it is told at all.
    ``remembered``: states from before this start, told as live when it comes online (cache_state_send_on_startup)."""

    def __init__(
        self,
        things: Iterable[Thing],
        *,
        base_topic: str = "zigbee2mqtt",
        seed: int = 0,
        old_availability: bool = False,
        partial: bool = False,
        retain: bool = False,
        availability: bool = True,
        remembered: dict[str, dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(seed)
        self.client_id = f"mqttjs_{seed:08x}"
        self.base = base_topic
        self.things = {thing.name: thing for thing in things}
        self.old_availability = old_availability
        self.partial = partial
        self.retain = retain
        self.availability = availability
        self.network_up = True
        self.will = Publication(f"{base_topic}/bridge/state", self._word(online=False), retain=True, qos=1)
        self.subscriptions = (f"{base_topic}/#",)
        self.sends_cache = remembered is not None
        self._told: dict[str, dict[str, Any]] = dict(remembered or {})
        for thing in self.things.values():
            self.after(self.rng.uniform(0, thing.report_s), lambda thing=thing: self._report(thing))  # type: ignore[misc]
        self.after(LOOK_S, self._look)

    # --- the world's --------------------------------------------------------------------------------------------------

    def tell(self, name: str, *keys: str) -> None:
        """The device speaks now; ``keys`` are what changed (all, when none are named)."""
        thing = self.things[name]
        if thing.dead or not self.network_up:
            return
        state = thing.state(self.now_ns)
        if self.partial and keys:
            state = {key: value for key, value in state.items() if key in {*keys, "linkquality"}}
        self._told[name] = state
        self.publish(f"{self.base}/{name}", state, retain=self.retain)

    def press(self, name: str, action: str) -> None:
        """Somebody presses a button."""
        button = self.things[name]
        assert isinstance(button, Button)
        button.action = action
        self.tell(name, "action")
        button.action = ""

    def lose_network(self) -> None:
        """The coordinator is gone: all fall silent at once, and the bridge says so if it still can."""
        self.network_up = False
        self.publish(f"{self.base}/bridge/state", self._word(online=False), retain=True, qos=1)

    def find_network(self) -> None:
        self.network_up = True
        self.publish(f"{self.base}/bridge/state", self._word(online=True), retain=True, qos=1)

    def set_available(self, name: str, *, online: bool) -> None:
        """What the bridge believes of a device."""
        if self.availability:
            self.publish(f"{self.base}/{name}/availability", self._word(online=online), retain=True, qos=1)

    def replay_stale(self, name: str, **state: object) -> None:
        """An old state stands at the broker, kept from before."""
        self.publish(f"{self.base}/{name}", state, retain=True)

    # --- the network's ------------------------------------------------------------------------------------------------

    def on_connected(self) -> None:
        self.publish(f"{self.base}/bridge/state", self._word(online=self.network_up), retain=True, qos=1)
        info: dict[str, Any] = {"version": "2.6.1", "commit": "0000000"}
        if self.sends_cache:
            info["config"] = {"advanced": {"cache_state_send_on_startup": True, "last_seen": "disable"}}
        self.publish(f"{self.base}/bridge/info", info, retain=True)
        for name, thing in self.things.items():
            if thing.dead and not self.sends_cache:
                continue
            self.set_available(name, online=True)
            if name in self._told:  # the cache, from before the restart of the connection
                self.publish(f"{self.base}/{name}", self._told[name], retain=self.retain)

    def on_message(self, topic: str, payload: str, *, retain: bool) -> None:
        name, _, verb = topic.removeprefix(f"{self.base}/").rpartition("/")
        thing = self.things.get(name)
        if thing is None or verb not in {"set", "get"} or not self.network_up or thing.dead:
            return
        if verb == "get":
            self.tell(name)
            return
        try:
            told = json.loads(payload)
        except ValueError:
            return
        if isinstance(told, dict) and thing.obey(told, self.now_ns):
            self.tell(name)

    # --- inside -------------------------------------------------------------------------------------------------------

    def _report(self, thing: Thing) -> None:
        thing.wear(self.rng)
        self.tell(thing.name)
        self.after(thing.report_s * self.rng.uniform(0.95, 1.05), lambda: self._report(thing))

    def _look(self) -> None:
        for thing in self.things.values():
            if isinstance(thing, Plug) and 0 < thing.off_at_ns <= self.now_ns:
                thing.outlet.switch(self.now_ns, on=False)
                thing.off_at_ns = 0
                self.tell(thing.name, "state", "power")
            elif isinstance(thing, Siren) and thing.sounding and self.now_ns >= thing.until_ns:
                thing.sounding = False
                self.tell(thing.name, "alarm")
        self.after(LOOK_S, self._look)

    def _word(self, *, online: bool) -> str:
        word = "online" if online else "offline"
        return word if self.old_availability else json.dumps({"state": word})
