"""The field of the simulated garage: heads, plugs and relays that speak MQTT messages in simulated time, faults
included.

The hard part is to be the truth: what is switched on here is on, whatever anybody believes, so that a missed fire
shows as current and not as an opinion. Nothing here knows the product.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field

S = 1_000_000_000
MOVE_NS = 20_000_000
TELE_NS = 10 * S
Publish = Callable[[str, str, bool], None]
Later = Callable[[int, Callable[[], None]], None]


@dataclass
class Outlet:
    """A plug or a relay. ``closed`` is the contact; faults: ``welded`` never opens, ``lying`` says what it was
    told and does nothing, ``stuck_w`` what its meter always says, ``dead`` neither hears nor speaks,
    ``hold_ns`` its own timer."""

    name: str
    zone: str
    closed: bool = False
    told: bool = False
    load_w: float = 180.0
    welded: bool = False
    lying: bool = False
    stuck_w: float | None = None
    dead: bool = False
    hold_until_ns: int = 0
    rebooted_ns: int = -(10**18)


@dataclass
class Field:
    """All devices of the garage. ``publish(topic, payload, retain)`` goes to the box through whatever lies between."""

    publish: Publish
    later: Later
    rng: random.Random
    clock: Callable[[], int]
    plugs: dict[str, Outlet] = field(default_factory=dict)
    relays: dict[str, Outlet] = field(default_factory=dict)
    smoke: dict[str, bool] = field(default_factory=dict)
    dead_heads: set[str] = field(default_factory=set)
    commands: list[tuple[int, str, bool]] = field(default_factory=list)

    # --- what the box says --------------------------------------------------------------------------------------------

    def heard(self, topic: str, payload: str) -> None:
        """A command reaches the devices."""
        head, _, rest = topic.partition("/")
        if head == "cmnd":
            name, _, what = rest.partition("/")
            self._plug(self.plugs.get(name), what, payload)
        elif head == "relay" and topic.endswith("/rpc"):
            self._relay(self.relays.get(topic.removesuffix("/rpc")), json.loads(payload))

    def _plug(self, plug: Outlet | None, what: str, payload: str) -> None:
        if plug is None or plug.dead:
            return
        if what == "POWER" and payload in {"ON", "OFF"}:
            self.commands.append((self.clock(), plug.name, payload == "ON"))
            self._switch(plug, on=payload == "ON", hold_ns=plug.hold_until_ns and 90 * S)
        if what in {"POWER", "STATUS"}:
            self.later(self._lag_ns(), lambda: self.tell_plug(plug))
        if what.startswith("PulseTime"):
            plug.hold_until_ns = 1

    def _relay(self, relay: Outlet | None, request: dict[str, object]) -> None:
        if relay is None or relay.dead:
            return
        params = request["params"]
        assert isinstance(params, dict)
        if request["method"] == "Switch.Set":
            on = bool(params["on"])
            self.commands.append((self.clock(), relay.name, on))
            self._switch(relay, on=on, hold_ns=int(params.get("toggle_after", 0)) * S)
        answer = {"id": request["id"], "src": relay.name, "dst": request["src"], "result": self._status(relay)}
        self.later(self._lag_ns(), lambda: self._say(relay, f"{request['src']}/rpc", json.dumps(answer)))
        self.later(self._lag_ns(), lambda: self.tell_relay(relay))

    def _switch(self, outlet: Outlet, *, on: bool, hold_ns: int) -> None:
        outlet.told = on
        if not outlet.lying and not (outlet.welded and not on):
            outlet.closed = on
        outlet.hold_until_ns = self.clock() + hold_ns if on and hold_ns else 0
        if outlet.hold_until_ns:
            self.later(hold_ns, lambda: self._fall(outlet))

    def _fall(self, outlet: Outlet) -> None:
        """The device's own dead-man."""
        if outlet.closed and outlet.hold_until_ns and self.clock() >= outlet.hold_until_ns and not outlet.welded:
            outlet.closed = outlet.told = False
            self.tell(outlet)

    def _lag_ns(self) -> int:
        return MOVE_NS + self.rng.randrange(80_000_000)

    # --- what they say ------------------------------------------------------------------------------------------------

    def powered(self, zone: str) -> list[str]:
        """Outlets of the zone through which current flows now: the truth."""
        if not all(relay.closed for relay in self.contactors(zone)):
            return []
        return [plug.name for plug in self.plugs.values() if plug.zone == zone and plug.closed and plug.load_w > 0]

    def contactors(self, zone: str) -> list[Outlet]:
        return [relay for relay in self.relays.values() if relay.zone == zone and relay.name.endswith("-k")]

    def power_w(self, outlet: Outlet) -> float:
        if outlet.stuck_w is not None:
            return outlet.stuck_w
        if outlet.name in self.relays:
            return sum(self.plugs[name].load_w for name in self.powered(outlet.zone))
        return outlet.load_w if outlet.name in self.powered(outlet.zone) else 0.0

    def tell(self, outlet: Outlet) -> None:
        (self.tell_relay if outlet.name in self.relays else self.tell_plug)(outlet)

    def tell_plug(self, plug: Outlet) -> None:
        power_w = self.power_w(plug)
        if plug.stuck_w is None and power_w:
            power_w = round(power_w * self.rng.uniform(0.99, 1.01), 1)
        energy = {"Power": power_w, "Voltage": 229, "Current": round(power_w / 220, 3)}
        shown = plug.told if plug.lying else plug.closed
        # A welded contact: the relay's own word is what it was told.
        shown = plug.told if plug.welded else shown
        self._say(plug, f"stat/{plug.name}/POWER", "ON" if shown else "OFF")
        self._say(plug, f"tele/{plug.name}/SENSOR", json.dumps({"Time": "2026-11-22T12:00:00", "ENERGY": energy}))

    def tell_relay(self, relay: Outlet) -> None:
        self._say(relay, f"{relay.name}/status/switch:0", json.dumps(self._status(relay)))

    def _status(self, relay: Outlet) -> dict[str, object]:
        power_w = self.power_w(relay)
        on = relay.told if relay.lying or relay.welded else relay.closed
        if not relay.name.endswith("-k"):
            return {"id": 0, "output": on}
        return {"id": 0, "output": on, "apower": power_w, "voltage": 229, "current": round(power_w / 220, 3)}

    def _say(self, outlet: Outlet, topic: str, payload: str) -> None:
        if not outlet.dead:
            self.publish(topic, payload, False)

    def tell_head(self, head: str) -> None:
        if head not in self.dead_heads:
            key = "emergency" if head.endswith("-call") else "water_leak" if head.endswith("-flow") else "smoke"
            self.publish(f"zigbee2mqtt/{head}", json.dumps({key: self.smoke[head], "linkquality": 90}), False)

    def set_smoke(self, head: str, *, on: bool) -> None:
        self.smoke[head] = on
        self.tell_head(head)

    def reboot(self, plug: Outlet, *, returns_on: bool) -> None:
        """A brown-out: the device starts anew, as its maker set it."""
        plug.closed = plug.told = returns_on or (plug.welded and plug.closed)
        plug.hold_until_ns, plug.rebooted_ns = 0, self.clock()
        self._say(plug, f"tele/{plug.name}/LWT", "Online")
        self._say(plug, f"tele/{plug.name}/INFO3", json.dumps({"Info3": {"RestartReason": "Power On"}}))
        self.later(MOVE_NS, lambda: self.tell_plug(plug))

    def heartbeat(self, period_ns: int = TELE_NS) -> None:
        """Everybody says how it is, for ever, evenly spread."""
        everyone: list[tuple[Callable[[object], None], object]] = [(self.tell, each) for each in self.plugs.values()]
        everyone += [(self.tell, each) for each in self.relays.values()]
        everyone += [(self.tell_head, head) for head in self.smoke]
        for number, (act, who) in enumerate(everyone):
            self._beat(act, who, period_ns, (number + 1) * period_ns // len(everyone))

    def _beat(self, act: Callable[[object], None], who: object, period_ns: int, wait_ns: int) -> None:
        def beat() -> None:
            act(who)
            self._beat(act, who, period_ns, period_ns)

        self.later(wait_ns, beat)
