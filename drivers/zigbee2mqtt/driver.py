"""Zigbee2MQTT as a driver: messages of many devices to readings, commands to ``<name>/set``.

The hard part is that the bridge repeats, keeps and guesses: a retained state is no event, a device that went silent is
called offline a day later, and a test button looks like a tamper contact on one maker's heads. What is said is passed
on with its marks; how old it may get is the kernel's business. A user would notice a mistake as last week's fire, or as
a head that nobody hears any more.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import msgspec

from drivers.messages import Message, PayloadError, Problem, check_meter
from drivers.options import OptionReader, OptionValue
from drivers.topics import POINTS_MAX, TopicsDriver
from drivers.zigbee2mqtt.cache import Cache
from drivers.zigbee2mqtt.fields import OTHERS, fires, is_button, is_call, last_seen_ns, meter, output_on, signals
from drivers.zigbee2mqtt.frames import BASE_TOPIC, Availability, BridgeInfo, DeviceState, parse, unchecked
from edge.domain import devices
from edge.domain.field_devices import (
    MeterReading,
    Operate,
    OutputReading,
    PointHealth,
    Quality,
    SignalKind,
    SignalReading,
)

#: Sounds until it is told to stop, or for so long (the IAS warning command counts 16-bit seconds).
SIREN_S = 1800


class Zigbee2MqttDriver(TopicsDriver):
    """Options: ``base_topic``; the rest are names separated by commas. ``inverted``: detectors that send smoke inverted
    (Tuya data point 1 passed through). ``tamper_is_test``: heads whose tamper key is the test button (Xiaomi).
    ``sirens``: outputs commanded by ``warning``; ``alarm_sirens``: by ``alarm`` (Tuya); all others by ``state``.
    ``call_actions``: values of ``action`` that mean an alarm call; ``call_buttons``: devices that say nothing else.
    Others are known for buttons from their first ``action`` on."""

    protocol = "zigbee2mqtt"
    quiet_hint = "no message of Zigbee2MQTT; is it running, and is base_topic the one in its settings?"

    def __init__(self, options: Mapping[str, OptionValue]) -> None:
        super().__init__()
        reader = OptionReader(self.protocol, options)
        self._base = reader.topic("base_topic", BASE_TOPIC)
        self._prefix = f"{self._base}/"
        self._inverted = reader.names("inverted")
        self._tamper_is_test = reader.names("tamper_is_test")
        self._sirens = reader.names("sirens")
        self._alarm_sirens = reader.names("alarm_sirens")
        self._call_actions = reader.names("call_actions", "emergency,sos,panic")
        self._buttons = dict.fromkeys(reader.names("call_buttons", ""))
        reader.finish()
        self.topics = (f"{self._base}/#",)
        self._kinds: dict[str, frozenset[SignalKind]] = {}
        self._outputs: dict[str, None] = {}
        self._cache = Cache()

    def on_opened(self) -> None:
        self._cache.opened(self.now_ns)

    # --- in -----------------------------------------------------------------------------------------------------------

    def on_message(self, message: Message) -> None:
        name = message.topic.removeprefix(self._prefix)
        if "/" in name and (name.endswith(("/set", "/get")) or (name.startswith("bridge/") and name not in _BRIDGE)):
            return  # our own commands come back to us; the bridge's other topics are not for us
        for item in parse(message, self._base):
            if isinstance(item, DeviceState):  # most that comes
                self.heard()
                old = message.queued or self._cache.may_be(item, self.now_ns)
                told = self._kept(item) if old else item
                self._state(self._cache.marked(told, self.now_ns))
            elif isinstance(item, Problem):
                self._refuse(name, item, message)
            else:
                self.heard()
                self._of_bridge(item)

    def _of_bridge(self, item: Availability | BridgeInfo) -> None:
        if isinstance(item, Availability):
            self._available(item)
        else:
            self._cache.learn(item)
            self.say(devices.DeviceIdentity(protocol=self.protocol, model="Zigbee2MQTT", firmware=item.version))

    def _refuse(self, name: str, problem: Problem, message: Message) -> None:
        """A message that is wrong in one key may speak of fire in others, also of a kind that has no smoke."""
        self.refused += 1
        state = unchecked(name, message)
        kinds = set() if state is None else fires(state)
        if problem.alarm == "fire":
            kinds.add(SignalKind.SMOKE)
        retained, detail = message.retain, problem.detail
        for kind in sorted(kinds):
            self.say(SignalReading(point=name, kind=kind, active=True, retained=retained, detail=detail))
        if state is not None and is_call(state, self._call_actions):
            self._button(state)

    def _available(self, told: Availability) -> None:
        if told.device is not None:
            self.say(PointHealth(point=told.device, online=told.online, retained=told.retained))
            if told.device in self._buttons and told.online and not told.retained:
                self.say(SignalReading(point=told.device, kind=SignalKind.CALL_POINT, active=False, detail="heard"))
        elif told.online:
            if not told.retained:
                self._cache.started(self.now_ns)
            self.health(devices.DeviceState.READY)
        else:
            hint = "Zigbee2MQTT stopped or lost its coordinator"
            self.health(devices.DeviceState.FAULT, "bridge_offline", hint)

    def _state(self, state: DeviceState) -> None:
        point = state.device
        told = signals(state)
        if told or point in self._kinds:  # plugs have none
            self._signals(state, told)
        if point in self._buttons or not OTHERS.isdisjoint(state.fields):  # a head that smells smoke has none
            self._others(state)

    def _kept(self, state: DeviceState) -> DeviceState:
        """A message from before we listened, kept by the broker or by the bridge: what cries fire is as good as ever,
        all else says only how things stood then. One with a time of its own is judged by that."""
        smoke = state.smoke is not None and state.smoke != (state.device in self._inverted)
        if state.fields.get("last_seen") is not None or smoke or fires(state) or is_call(state, self._call_actions):
            return state
        return msgspec.structs.replace(state, retained=True)

    def _others(self, state: DeviceState) -> None:
        """What buttons, meters and outputs say."""
        point = state.device
        if "action" in state.fields or point in self._buttons:
            self._button(state)
        measured = meter(state)
        if measured is not None:
            self._measured(measured)
        on = output_on(state)
        if on is not None:
            if point not in self._outputs and len(self._outputs) < POINTS_MAX:
                self._outputs[point] = None
            self.say(OutputReading(point=point, on=on, retained=state.retained))

    def _signals(self, state: DeviceState, told: dict[SignalKind, bool]) -> None:
        """One reading for each signal that is told, and one without a value for each known one that is not: the device
        is alive, and how it is may have changed."""
        point = state.device
        if SignalKind.SMOKE in told and point in self._inverted:
            told[SignalKind.SMOKE] = not told[SignalKind.SMOKE]
        test = bool(state.test)
        if point in self._tamper_is_test and SignalKind.TAMPER in told:
            test = told.pop(SignalKind.TAMPER) or test
        known = self._kinds.get(point, _NONE)
        if not known >= told.keys():
            known |= told.keys()
            if point in self._kinds or len(self._kinds) < POINTS_MAX:
                self._kinds[point] = known
        usual = Quality.FAULT if _is_faulty(state) else Quality.TEST if test else Quality.GOOD
        at_ns = last_seen_ns(state)
        for kind in sorted(known):
            active = told.get(kind)
            # Fire wins over test: a head that is tested in smoke is in smoke.
            quality = Quality.GOOD if active and kind is not SignalKind.TAMPER else usual
            self.say(
                SignalReading(
                    point=point,
                    kind=kind,
                    active=active,
                    quality=quality,
                    retained=state.retained,
                    source_wall_ns=at_ns,
                    battery_low=state.battery_low,
                )
            )

    def _button(self, state: DeviceState) -> None:
        """A button has no state: it was pressed, and is not pressed any more; and whatever it says, it is alive and not
        pressed. (A stored message of it is neither.)"""
        point = state.device
        if is_button(state) and len(self._buttons) < POINTS_MAX:
            self._buttons[point] = None
        if point not in self._buttons or state.retained:
            return
        faulty = _is_faulty(state)
        for active in (True, False) if is_call(state, self._call_actions) else (False,):
            self.say(
                SignalReading(
                    point=point,
                    kind=SignalKind.CALL_POINT,
                    active=active,
                    quality=Quality.FAULT if faulty and not active else Quality.GOOD,
                    source_wall_ns=last_seen_ns(state),
                    battery_low=state.battery_low,
                    detail="momentary",
                )
            )

    def _measured(self, measured: MeterReading) -> None:
        try:
            check_meter(measured.power_w, measured.voltage_v, measured.current_a)
        except PayloadError as error:
            self.refused += 1
            self.say(OutputReading(point=measured.point, fault="output_fault", detail=str(error)))
        else:
            self.say(measured)

    # --- out ----------------------------------------------------------------------------------------------------------

    def on_operate(self, command: Operate) -> bool:
        self.publish(f"{self._base}/{command.point}/set", json.dumps(self._set(command)), self.expiry_s(command))
        return True

    def _set(self, command: Operate) -> dict[str, object]:
        seconds = command.hold_s or SIREN_S
        if command.point in self._sirens:
            mode = "emergency" if command.on else "stop"
            strobe = command.on
            return {"warning": {"mode": mode, "level": "very_high", "strobe": strobe, "duration": seconds}}
        if command.point in self._alarm_sirens:
            return {"alarm": True, "duration": seconds} if command.on else {"alarm": False}
        if command.on and command.hold_s:
            return {"state": "ON", "on_time": command.hold_s}
        return {"state": "ON" if command.on else "OFF"}

    def on_poll(self, point: str) -> bool:
        points = [point] if point else list(self._outputs)
        for each in points:
            self.publish(f"{self._base}/{each}/get", '{"state": ""}')
        return bool(points)


def _is_faulty(state: DeviceState) -> bool:
    return bool(state.battery_defect or state.trouble)


_NONE: frozenset[SignalKind] = frozenset()
_BRIDGE = frozenset({"bridge/state", "bridge/info"})
