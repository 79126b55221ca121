"""Simulated MQTT devices in virtual time: messages as documented, physics, faults, the same seed the same messages."""

from __future__ import annotations

import json

import pytest

from drivers.registry import make_driver
from edge.domain.field_devices import SignalReading
from firmware_sim.mqttdevice import WAITING_MAX
from firmware_sim.outlet import Outlet
from firmware_sim.shelly import ShellyPlug
from firmware_sim.tasmota import TasmotaPlug
from firmware_sim.zigbee2mqtt import Bridge, Button, Contact, Detector, Plug, Siren

S = 1_000_000_000


class Air:
    """Runs a device in virtual time and keeps what it sends."""

    def __init__(self, device):
        self.device, self.now, self.sent = device, S, []
        device.connected(self.now)
        self.run(0)

    def run(self, seconds):
        end, count = self.now + int(seconds * S), len(self.sent)
        while True:
            due = self.device.deadline()
            if due is None or due > end:
                break
            self.now = max(self.now, due)
            self.device.tick(self.now)
            self.sent += self.device.take(self.now)
        self.now = end
        self.device.tick(end)
        self.sent += self.device.take(end)
        return self.sent[count:]

    def say(self, topic, payload):
        text = payload if isinstance(payload, str) else json.dumps(payload)
        self.device.receive(topic, text.encode(), self.now)
        return self.run(0)

    def last(self, topic):
        payload = next(each.payload for each in reversed(self.sent) if each.topic == topic)
        return json.loads(payload) if payload[:1] in "{[" else payload


def shelly(**more):
    outlet = Outlet(load_w=120, seed=1)
    return Air(ShellyPlug("g/plug", [outlet], seed=1, **more)), outlet


def call(air, method, **params):
    air.say("g/plug/rpc", {"id": 1, "src": "me", "method": method, "params": {"id": 0, **params}})
    return air.last("me/rpc")


def test_a_shelly_says_hello_and_leaves_a_will():
    air, _ = shelly()
    assert air.sent[0][:3] == ("g/plug/online", "true", True)
    assert air.device.will[:3] == ("g/plug/online", "false", True)
    assert air.last("g/plug/status/switch:0")["output"] is False


def test_a_shelly_obeys_answers_and_notifies_only_the_change():
    air, outlet = shelly()
    assert call(air, "Switch.Set", on=True)["result"] == {"was_on": False}
    assert outlet.conducts
    told = air.last("g/plug/events/rpc")["params"]["switch:0"]
    assert set(told) == {"id", "output", "source"}
    status = call(air, "Switch.GetStatus")["result"]
    assert status["apower"] == pytest.approx(120, rel=0.05)
    assert "error" in call(air, "Switch.Nothing")
    assert "error" in call(air, "Switch.Set", id=7)


def test_a_shellys_dead_man_and_its_auto_off():
    air, outlet = shelly()
    call(air, "Switch.Set", on=True, toggle_after=5)
    air.run(4)
    call(air, "Switch.Set", on=True, toggle_after=5)
    air.run(4)
    assert outlet.conducts, "told again in time"
    air.run(2)
    assert not outlet.conducts
    call(air, "Switch.SetConfig", config={"auto_off": True, "auto_off_delay": 3})
    call(air, "Switch.Set", on=True)
    air.run(4)
    assert not outlet.conducts


@pytest.mark.parametrize(
    ("initial", "was_on", "on"), [("on", False, True), ("off", True, False), ("restore_last", True, True)]
)
def test_a_shelly_after_a_power_cut(initial, was_on, on):
    air, outlet = shelly()
    call(air, "Switch.SetConfig", config={"initial_state": initial})
    call(air, "Switch.Set", on=was_on)
    air.device.reboot()
    assert outlet.conducts is on


def test_a_shelly_trips_at_its_limit():
    air, outlet = shelly()
    call(air, "Switch.SetConfig", config={"power_limit": 600})
    call(air, "Switch.Set", on=True)
    outlet.plug(air.now, 900)
    air.run(2)
    status = air.last("g/plug/status/switch:0")
    assert (status["output"], status["errors"]) == (False, ["overpower"])


def test_a_shelly_without_notifications_only_answers():
    air, _ = shelly(notify=False)
    air.run(120)
    assert {each.topic for each in air.sent} == {"g/plug/online"}
    assert call(air, "Switch.GetStatus")["result"]["output"] is False


def tasmota(**more):
    outlet = Outlet(load_w=120, seed=1)
    return Air(TasmotaPlug("p", [outlet], seed=1, **more)), outlet


def test_a_tasmota_tells_seldom_until_it_is_told_otherwise():
    air, _ = tasmota()
    assert air.sent[0][:3] == ("tele/p/LWT", "Online", True)
    air.run(200)
    assert sum(each.topic == "tele/p/SENSOR" for each in air.sent) == 1
    air.say("cmnd/p/Backlog", "TelePeriod 10; PowerDelta 105; PowerOnState 0; SetOption33 1")
    before = len(air.sent)
    air.run(100)
    assert 9 <= sum(each.topic == "tele/p/SENSOR" for each in air.sent[before:]) <= 11
    before = len(air.sent)
    air.say("cmnd/p/POWER", "ON")
    air.run(2)
    assert any(each.topic == "tele/p/SENSOR" for each in air.sent[before:]), "a change is told at once"


def test_a_tasmotas_pulse_time():
    air, outlet = tasmota()
    air.say("cmnd/p/PulseTime1", "112")
    air.say("cmnd/p/POWER", "ON")
    air.run(11)
    assert outlet.conducts
    air.say("cmnd/p/POWER", "ON")
    air.run(11)
    assert outlet.conducts, "restarted by every ON"
    air.run(2)
    assert not outlet.conducts


def test_a_tasmota_closes_again_after_an_overload_whatever_it_is_told():
    air, outlet = tasmota()
    air.device.max_power_w = 600
    air.say("cmnd/p/POWER", "ON")
    outlet.plug(air.now, 900)
    air.run(5)
    assert "MaxPowerReached" in air.last("stat/p/WARNING")
    assert not outlet.conducts
    air.say("cmnd/p/POWER", "OFF")
    air.run(12)
    assert air.device.reclosed == 1
    assert any("PowerMonitor" in each.payload for each in air.sent)


def test_a_tasmota_after_a_power_cut():
    for state, on in ((0, False), (1, True), (3, True)):
        air, outlet = tasmota()
        air.say("cmnd/p/PowerOnState", str(state))
        air.say("cmnd/p/POWER", "ON")
        air.device.reboot()
        air.run(0)
        assert outlet.conducts is on
        assert air.last("tele/p/INFO3")["Info3"]["RestartReason"] == "Power On"


def test_faults_of_an_outlet():
    outlet = Outlet(load_w=100, seed=3)
    outlet.switch(0, on=True)
    outlet.welded = True
    outlet.switch(0, on=False)
    assert (outlet.reported, outlet.power_w) == (False, 100)
    outlet.welded, outlet.deaf, outlet.lying = False, True, True
    outlet.switch(0, on=True)
    assert (outlet.reported, outlet.relay, outlet.power_w) == (True, False, 0)
    outlet.deaf = outlet.lying = False
    outlet.switch(0, on=True)
    outlet.stuck_meter = True
    first = outlet.measure(S)
    outlet.switch(S, on=False)
    assert outlet.measure(10 * S) == first


def bridge(**more):
    plug = Plug("plug", outlet=Outlet(load_w=50, seed=2))
    things = [Detector("B1/head"), Contact("door"), Button("call"), Siren("siren"), plug]
    return Air(Bridge(things, seed=4, **more))


def test_a_bridge_says_hello_for_all():
    air = bridge()
    assert air.last("zigbee2mqtt/bridge/state") == {"state": "online"}
    assert air.last("zigbee2mqtt/B1/head/availability") == {"state": "online"}
    assert bridge(old_availability=True).last("zigbee2mqtt/bridge/state") == "online"


def test_a_bridge_tells_all_or_only_the_change():
    for partial, keys in ((True, {"smoke", "linkquality"}), (False, None)):
        air = bridge(partial=partial)
        air.device.things["B1/head"].alarm = True
        air.device.tell("B1/head", "smoke")
        air.run(0)
        told = air.last("zigbee2mqtt/B1/head")
        assert told["smoke"] is True
        assert ("battery" in told) is (keys is None)


def test_a_bridges_devices_obey():
    air = bridge()
    air.say("zigbee2mqtt/plug/set", {"state": "ON", "on_time": 5})
    assert air.last("zigbee2mqtt/plug")["state"] == "ON"
    air.run(7)
    assert air.last("zigbee2mqtt/plug")["state"] == "OFF"
    air.say("zigbee2mqtt/siren/set", {"warning": {"mode": "emergency", "duration": 3}})
    assert air.last("zigbee2mqtt/siren")["alarm"] is True
    air.run(5)
    assert air.last("zigbee2mqtt/siren")["alarm"] is False
    assert air.say("zigbee2mqtt/nosuch/set", "{}") == []


def test_quirks_presses_and_a_lost_network():
    air = bridge()
    head = air.device.things["B1/head"]
    head.inverted = head.test = head.test_as_tamper = True
    air.device.tell("B1/head")
    air.device.press("call", "emergency")
    air.run(0)
    told = air.last("zigbee2mqtt/B1/head")
    assert (told["smoke"], told["test"], told["tamper"]) == (True, False, True)
    assert air.last("zigbee2mqtt/call")["action"] == "emergency"
    air.device.lose_network()
    air.device.tell("B1/head")
    assert [each.topic for each in air.run(0)] == ["zigbee2mqtt/bridge/state"]
    head.dead = True
    air.device.find_network()
    air.device.tell("B1/head")
    assert [each.topic for each in air.run(0)] == ["zigbee2mqtt/bridge/state"]


def test_faults_of_the_way():
    air = bridge()
    air.device.way.duplicate_p = 1.0
    air.device.way.delay_ms = (1000, 2000)
    air.device.press("call", "sos")
    assert air.run(0.5) == []
    assert len(air.run(2)) == 2
    air.device.way.lose_p = 1.0
    air.device.press("call", "sos")
    assert air.run(5) == []
    air.device.way.dark = True
    assert air.say("zigbee2mqtt/plug/get", "") == []


def test_what_waits_is_bounded():
    air = bridge()
    for _ in range(3 * WAITING_MAX):
        air.device.press("call", "sos")
    assert len(air.run(0)) == WAITING_MAX
    assert air.device.lost_messages >= 2 * WAITING_MAX


def test_the_same_seed_gives_the_same_messages():
    def one_day():
        air = bridge(retain=True)
        air.device.way.duplicate_p, air.device.way.delay_ms = 0.3, (0, 900)
        return air.run(20_000)

    first = one_day()
    assert len(first) > 20
    assert first == one_day()


def test_a_bridge_that_starts_tells_what_it_remembers_also_of_the_dead_and_the_driver_takes_none_of_it_for_news():
    air = Air(Bridge([Detector("head", dead=True)], seed=4, remembered={"head": {"smoke": False}}))
    assert air.last("zigbee2mqtt/head") == {"smoke": False}
    driver = make_driver("zigbee2mqtt", {})
    driver.opened(S)
    words = []
    for each in air.sent:
        message = {"topic": each.topic, "payload": each.payload, "retain": False}
        words += driver.received(json.dumps(message).encode(), 2 * S).readings
    (word,) = [one for one in words if isinstance(one, SignalReading)]
    assert (word.active, word.retained) == (False, True)
