"""Devices that speak only while they are used: quiet is no fault, and gone is told by their own last will."""

from __future__ import annotations

import pytest

from drivers.messages import Message, Problem
from drivers.presence import Status, parse_status
from firmware_sim.strength import StrengthMachine

QUIET_S = 11
STATUS = "park/strength/knee1/status"


@pytest.mark.parametrize("protocol", ["strength", "trail_gates", "ftms", "heart_rate", "health", "ble_gateway"])
def test_a_quiet_link_is_ready_and_says_that_it_is_quiet(mqtt_rig, protocol):
    rig = mqtt_rig(protocol)
    rig.run(QUIET_S)
    assert rig.states()[-1] == ("ready", "")
    assert rig.last("DeviceHealth").detail.startswith("quiet since the link opened")
    rig.hear(STATUS, "online", retain=True)
    assert (rig.states()[-1], rig.last("DeviceHealth").detail) == (("ready", ""), "")


def test_the_last_will_tells_gone_and_the_next_word_of_it_back(mqtt_rig):
    machine = StrengthMachine("strength/knee1")
    rig = mqtt_rig("strength", machine)
    rig.run(1)
    assert rig.last("PointHealth", point="strength/knee1").online is True
    rig.cut()
    rig.hear(machine.will.topic, machine.will.payload)
    gone = rig.last("PointHealth", point="strength/knee1")
    assert (gone.online, gone.detail) == (False, "last_will")
    rig.join()
    rig.run(1)
    assert rig.last("PointHealth", point="strength/knee1").online is True


def test_a_machine_whose_own_word_is_online_is_never_silent(mqtt_rig):
    rig = mqtt_rig("ftms", silent_s=5)
    rig.hear("park/hall/gateway/status", {"online": True, "assets": ["b-1", "b-2"]}, retain=True)
    for point in ("b-1", "b-2", "b-3"):
        rig.hear(f"park/hall/{point}/raw", {"transport": "ble", "char": "2ad2", "hex": "0000e803"})
    rig.run(20)
    assert [one.point for one in rig.of("PointHealth", online=False)] == ["hall/b-3"], "only the one without a will"
    rig.hear("park/hall/gateway/status", {"online": False, "assets": ["b-1", "b-2"]})
    gone = [one.point for one in rig.of("PointHealth", online=False, detail="last_will")]
    assert gone == ["hall/b-1", "hall/b-2"]
    rig.hear("park/hall/b-1/raw", {"transport": "ble", "char": "2ad2", "hex": "0000e803"})
    assert (rig.last("PointHealth").point, rig.last("PointHealth").online) == ("hall/b-1", True)


def test_a_gateway_that_left_its_will_is_a_fault_until_it_is_back(mqtt_rig):
    rig = mqtt_rig("ble_gateway", devices="a4c138000001=scale")
    rig.hear("home/row1/LWT", "online", retain=True)
    rig.hear("home/row2/LWT", "offline", retain=True)
    assert rig.states()[-1] == ("fault", "gateway_offline")
    assert rig.last("DeviceHealth").detail.startswith("row2;")
    rig.hear("park/hall/b-1/raw", {"transport": "ble", "char": "2ad2", "hex": "0000e803"})
    rig.run(QUIET_S)
    assert rig.states()[-1] == ("fault", "gateway_offline"), "what others say does not bring it back"
    rig.hear("home/row2/LWT", "online")
    assert rig.states()[-1] == ("ready", "")
    rig.hear("home/row2/LWT", "perhaps")
    assert rig.driver.refused == 1


@pytest.mark.parametrize(
    ("topic", "payload", "found"),
    [
        (STATUS, "online", Status(("strength/knee1",), True)),
        (STATUS, " Offline\n", Status(("strength/knee1",), False)),
        (STATUS, '{"online": false, "assets": ["a", "b"]}', Status(("strength/a", "strength/b"), False)),
        ("park/strength/status", "online", "bad_message"),
        (STATUS, "", "bad_payload"),
        (STATUS, "gone", "bad_payload"),
        (STATUS, "{}", "bad_value"),
        (STATUS, '{"online": "no"}', "bad_value"),
        (STATUS, '{"online": true, "assets": []}', "bad_value"),
        (STATUS, '{"online": true, "assets": ["other/a"]}', "bad_value"),
        (STATUS, '{"online": true, "assets": [' + ", ".join(['"a"'] * 65) + "]}", "bad_value"),
    ],
)
def test_words_about_presence(topic, payload, found):
    told = parse_status(Message(topic=topic, payload=payload, retain=True))
    assert (told.kind if isinstance(told, Problem) else told) == found
