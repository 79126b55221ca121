"""Shelly gen 2+ as a driver: status and notifications to readings, Switch.Set with its own timer to the plugs.

The hard part is that a plug comes from its maker ready to do the wrong thing: to return "on" after a power cut, and to
stay on when nobody tells it anything. So each plug that appears is set up (returns off, falls off by itself, its own
power limit) and asked what it has now; one that does not comply is reported. A user would notice a mistake as chargers
that are live again after a power cut in a burnt garage.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from drivers.driver import Output
from drivers.engine import NS_PER_MS
from drivers.messages import Message, PayloadError, Problem
from drivers.options import OptionReader, OptionValue
from drivers.shelly.frames import Command, Online, Reply, Switch, parse, switch
from drivers.topics import POINTS_MAX, TopicsDriver
from edge.domain.field_devices import MeterReading, Operate, OutputReading, PointHealth

#: Questions whose answers are still awaited; the oldest is forgotten first.
ASKED_MAX = 1024

#: The device's names of errors -> the stable codes of ``OutputReading.fault``.
_FAULTS = {"overpower": "overpower", "overcurrent": "overpower", "overtemp": "overheat"}

#: How often is looked for plugs that are on and have told nothing for ``poll_s``.
_ROUND_NS = 1_000 * NS_PER_MS


#: Numbers of questions begin below this (a device may keep them in 32 bits).
_ID_MASK = 0x3FFF_FFFF

_encode = msgspec.json.Encoder().encode


class _Asked(msgspec.Struct, frozen=True, gc=False):
    what: str
    point: str
    command_id: str = ""


class ShellyDriver(TopicsDriver):
    """A point is ``<device topic>:<switch number>``. Options: ``prefix`` before the device topics; ``source`` the topic
    of our answers, one of its own for each link; ``set_up`` 0 to leave the plugs' settings alone; ``auto_off_s`` after
    which a plug falls off unless told again (0: left alone); ``power_limit_w`` (0: left alone); ``poll_s`` after which
    a plug that is on and silent is asked (0: never): at constant power it speaks of itself once a minute."""

    protocol = "shelly"
    quiet_hint = "no message of a Shelly; is MQTT switched on in its settings, with RPC and status notifications?"

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        super().__init__()
        reader = OptionReader(self.protocol, options)
        prefix = reader.topic("prefix", "", empty=True)
        self._source = reader.topic("source", "kangle-shelly")
        self._set_up = reader.flag("set_up", default=True)
        self._auto_off_s = reader.integer("auto_off_s", 120, 0, 86_400)
        self._power_limit_w = reader.integer("power_limit_w", 0, 0, 4_000)
        self._poll_ns = reader.integer("poll_s", 5, 0, 60) * 1_000 * NS_PER_MS
        reader.finish()
        below = f"{prefix}/" if prefix else ""
        self.answer_topic = f"{self._source}/rpc"
        self.topics = (f"{below}+/online", f"{below}+/status/+", f"{below}+/events/rpc", self.answer_topic)
        self._known: dict[str, tuple[str, int]] = {}
        self._checked: set[str] = set()
        self._asked: dict[int, _Asked] = {}
        self._last_id = 0
        self._heard_ns: dict[str, int] = {}
        """When a plug that is on was last heard, or asked."""
        self._round_ns = 0

    def tick(self, now_ns: int) -> Output:
        self.now_ns = now_ns
        if self._is_open and self._heard_ns and now_ns >= self._round_ns:
            self._round_ns = now_ns + _ROUND_NS
            for point, heard_ns in self._heard_ns.items():
                if now_ns - heard_ns >= self._poll_ns:
                    self._heard_ns[point] = now_ns
                    self.on_poll(point)
        return super().tick(now_ns)

    def deadline(self) -> int | None:
        due_ns = super().deadline()
        if not self._is_open or not self._heard_ns:
            return due_ns
        return self._round_ns if due_ns is None else min(due_ns, self._round_ns)

    def on_opened(self) -> None:
        # Numbers of another time than before a restart: a late answer must not settle another question.
        self._last_id = max(self._last_id, self.now_ns // NS_PER_MS & _ID_MASK)
        self._heard_ns.clear()
        self._checked.clear()
        self._asked.clear()

    # --- in -----------------------------------------------------------------------------------------------------------

    def on_message(self, message: Message) -> None:
        if "/status/" in message.topic and "/status/switch:" not in message.topic:
            return  # inputs, the system, the cloud: not for us
        for item in parse(message):
            match item:
                case Problem():
                    self._refuse(message, item)
                case Switch(switch_id=None):
                    self.heard()
                case Switch():
                    self.heard()
                    self._told(item)
                case Online():
                    self.heard()
                    self._online(item)
                case Reply():
                    self._answered(item)
                case Command():
                    pass  # somebody else's, or our own coming back

    def _refuse(self, message: Message, problem: Problem) -> None:
        if problem.kind == "bad_message":
            return  # events, answers to others: whole, and not for us
        self.refused += 1
        if problem.kind == "meter_fault":
            device, _, rest = message.topic.removesuffix("/events/rpc").partition("/status/switch:")
            points = [f"{device}:{rest}"] if rest else self._points_of(device)
            for point in points:  # a notification is refused as a whole
                self.say(OutputReading(point=point, fault="output_fault", detail=problem.detail))

    def _told(self, told: Switch) -> None:
        assert told.switch_id is not None
        point = self._meet(told.device, told.switch_id, retained=told.retained)
        fault = ""
        if told.fault_names:
            fault = next((_FAULTS[name] for name in told.fault_names if name in _FAULTS), "tripped")
        elif told.alarm_state == "welded_contact":
            fault = "welded"
        if told.output_on is False or not self._poll_ns:
            self._heard_ns.pop(point, None)
        elif point in self._known and not told.retained and (told.output_on or point in self._heard_ns):
            self._round_ns = self._round_ns or self.now_ns + _ROUND_NS
            self._heard_ns[point] = self.now_ns
        measured = (told.power_w, told.current_a, told.voltage_v, told.energy_wh, told.temperature_c)
        if told.output_on is not None or fault:
            detail = ",".join(told.fault_names or ()) or (told.source or "")
            self.say(OutputReading(point=point, on=told.output_on, fault=fault, retained=told.retained, detail=detail))
        if any(value is not None for value in measured):
            power_w, current_a, voltage_v, energy_wh, temperature_c = measured
            self.say(
                MeterReading(
                    point=point,
                    power_w=power_w,
                    current_a=current_a,
                    voltage_v=voltage_v,
                    energy_wh=energy_wh,
                    temperature_c=temperature_c,
                    power_factor=told.power_factor,
                    retained=told.retained,
                )
            )

    def _online(self, told: Online) -> None:
        """A live "true" comes with every connection of the device: it may have been restarted meanwhile."""
        rebooted = told.online and not told.retained
        for point in self._points_of(told.device):
            if rebooted:
                self._checked.discard(point)
            self.say(PointHealth(point=point, online=told.online, rebooted=rebooted, retained=told.retained))
            if told.online:
                device, _, number = point.rpartition(":")
                self._meet(device, int(number), retained=False)

    def _points_of(self, device: str) -> list[str]:
        return [point for point, (owner, _) in self._known.items() if owner == device] or [f"{device}:0"]

    def _meet(self, device: str, number: int, *, retained: bool) -> str:
        """The point's name. One that is heard of for the first time since the link opened is asked how it stands (by
        itself it tells that once a minute at best), set up, and asked for its settings."""
        point = f"{device}:{number}"
        if point not in self._known and len(self._known) < POINTS_MAX:
            self._known[point] = (device, number)
        if not retained and point in self._known and point not in self._checked:
            self._checked.add(point)
            if self._set_up:
                self._prepare(point, number)
            self._ask("Switch.GetStatus", {"id": number}, _Asked("status", point))
        return point

    def _prepare(self, point: str, number: int) -> None:
        config: dict[str, object] = {"initial_state": "off"}
        if self._auto_off_s:
            config |= {"auto_off": True, "auto_off_delay": self._auto_off_s}
        if self._power_limit_w:
            config["power_limit"] = self._power_limit_w
        self._ask("Switch.SetConfig", {"id": number, "config": config}, _Asked("set", point))
        self._ask("Switch.GetConfig", {"id": number}, _Asked("config", point))

    def _answered(self, reply: Reply) -> None:
        number = reply.request_id
        asked = self._asked.get(number) if isinstance(number, int) else None
        if not isinstance(number, int) or asked is None or self._is_anothers(asked.point, reply.sender):
            return
        del self._asked[number]
        self.heard()
        match asked.what:
            case "switch":
                detail = reply.error_text or ""
                self.say(
                    OutputReading(point=asked.point, command_id=asked.command_id, accepted=reply.success, detail=detail)
                )
            case "status" if reply.success:
                self._polled(asked.point, reply)
            case "config" if reply.success:
                self._check(asked.point, reply.result)
            case _:
                pass

    def _is_anothers(self, point: str, sender: str | None) -> bool:
        """Whether another plug that we know answers: two links of one ``source`` read each other's answers."""
        own = _name(point.rpartition(":")[0])
        return sender not in (None, own) and any(_name(device) == sender for device, _ in self._known.values())

    def _polled(self, point: str, reply: Reply) -> None:
        device, _, number = point.rpartition(":")
        try:
            self._told(switch(reply.result, "status", device, int(number)))
        except PayloadError as error:
            self.refused += 1
            self.say(OutputReading(point=point, fault="output_fault", detail=error.problem.detail))

    def _check(self, point: str, config: dict[str, Any]) -> None:
        """Report a plug whose settings are not what they must be."""
        wrong = []
        if config.get("initial_state") != "off":
            wrong.append(f"initial_state is {config.get('initial_state')!r:.20}, not off")
        if self._auto_off_s and config.get("auto_off") is not True:
            wrong.append("auto_off is not on")
        if wrong:
            self.say(OutputReading(point=point, fault="output_fault", detail="; ".join(wrong)))

    # --- out ----------------------------------------------------------------------------------------------------------

    def on_operate(self, command: Operate) -> bool:
        place = _place(command.point)
        if place is None:
            return False
        params: dict[str, object] = {"id": place[1], "on": command.on}
        if command.on and command.hold_s:
            params["toggle_after"] = command.hold_s
        asked = _Asked("switch", command.point, command.command_id)
        self._ask("Switch.Set", params, asked, self.expiry_s(command))
        return True

    def on_poll(self, point: str) -> bool:
        points = [point] if point else list(self._known)
        done = False
        for each in points:
            place = _place(each)
            if place is not None:
                self._ask("Switch.GetStatus", {"id": place[1]}, _Asked("status", each))
                done = True
        return done

    def _ask(self, method: str, params: dict[str, object], asked: _Asked, expiry_s: int = 5) -> None:
        self._last_id += 1
        self._asked[self._last_id] = asked
        if len(self._asked) > ASKED_MAX:
            del self._asked[next(iter(self._asked))]
        device = asked.point.rpartition(":")[0]
        request = {"id": self._last_id, "src": self._source, "method": method, "params": params}
        self.publish(f"{device}/rpc", _encode(request).decode(), expiry_s)


def _name(device: str) -> str:
    """What a device calls itself in its answers, unless its topic was changed: the last level of its topic."""
    return device.rpartition("/")[2]


@lru_cache(POINTS_MAX)
def _place(point: str) -> tuple[str, int] | None:
    """(device, number of its switch) of ``device:number``; None for what is no such place."""
    device, _, number = point.rpartition(":")
    if not device or not (number.isascii() and number.isdigit() and len(number) <= 4):
        return None
    return device, int(number)
