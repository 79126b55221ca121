"""Zigbee2MQTT: what is said and what is not, what is refused and acted on all the same, commands."""

from __future__ import annotations

import json

import pytest

from drivers.driver import LocalProtocolError
from drivers.registry import make_driver
from edge.domain.devices import DeviceState
from edge.domain.field_devices import Operate, Poll, Quality, SignalKind

S = 1_000_000_000
A = "zigbee2mqtt/B1/head"


def z2m(decode, payload, **more):
    (frame,) = decode("zigbee2mqtt", A, payload, **more)["frames"]
    return frame


def test_a_missing_key_is_never_false(decode):
    frame = z2m(decode, {"battery": 90})
    assert [frame[key] for key in ("smoke", "test", "tamper", "battery_low")] == [None] * 4
    assert frame["alarm_state_name"] == "unknown"


@pytest.mark.parametrize(
    ("fields", "retain", "state"),
    [
        ({"smoke": True, "test": True, "tamper": True, "battery_low": True}, True, "fire"),
        ({"smoke": True, "smoke_density": 0}, False, "fire"),
        ({"smoke": False, "tamper": True, "battery_low": True}, False, "tamper"),
        ({"smoke": False, "battery_low": True, "test": True}, False, "fault"),
        ({"smoke": False, "battery_defect": True}, False, "fault"),
        ({"smoke": False, "trouble": True}, True, "fault"),
        ({"smoke": False, "test": True}, True, "self_test"),
        ({"smoke": False}, True, "unknown"),
        ({"smoke": False}, False, "normal"),
        ({"contact": True}, False, "unknown"),
    ],
)
def test_the_first_state_that_applies(decode, fields, retain, state):
    frame = z2m(decode, fields, retain=retain)
    assert (frame["alarm_state_name"], frame["stale"]) == (state, retain)


@pytest.mark.parametrize(
    ("payload", "kind", "alarm"),
    [
        ("", "bad_payload", None),
        ("null", "bad_payload", None),
        ("[1]", "bad_payload", None),
        ('[{"smoke":true}]', "bad_payload", "fire"),
        ('{"smoke":true', "bad_payload", None),
        ('{"smoke":true,"update":{"state":"idle"}', "bad_payload", None),
        ('{"smoke":true,"smoke":false}', "bad_payload", "fire"),
        ('{"smoke":false,"smoke":true}', "bad_payload", "fire"),
        ('{"smoke":false,"smoke":false}', "bad_payload", None),
        ('{"smoke":true,"t":NaN}', "bad_value", "fire"),
        ('{"smoke":false,"t":NaN}', "bad_value", None),
        ('{"smoke":true,"t":1e999}', "bad_value", "fire"),
        ('{"smoke":null}', "bad_value", None),
        ('{"smoke":"perhaps"}', "bad_value", None),
        ('{"smoke":"TRUE"}', "bad_value", "fire"),
        ('{"smoke":1}', "bad_value", "fire"),
        ('{"smoke":10}', "bad_value", None),
        ('{"smoke":0}', "bad_value", None),
        ('{"smoke":"false"}', "bad_value", None),
        ('{"smoke":true,"battery":"full"}', "bad_value", "fire"),
        ('{"smoke":true,"tamper":"no"}', "bad_value", "fire"),
        ('{"inner":{"smoke":true},"t":NaN}', "bad_value", None),
        ('{"x":"\\"smoke\\":true","t":NaN}', "bad_value", None),
        ('{"smoke":true}\u0000', "bad_payload", "fire"),
    ],
)
def test_what_is_refused_and_whether_it_says_fire(error_of, payload, kind, alarm):
    assert error_of("zigbee2mqtt", A, payload) == (kind, alarm)


def test_a_text_that_speaks_of_smoke_is_no_smoke(error_of):
    """The word in a text value: an escaped quotation mark is not the end of it."""
    assert error_of("zigbee2mqtt", A, '{"x":"\\"smoke\\": true","y":NaN}') == ("bad_value", None)


@pytest.mark.parametrize(("payload", "online"), [('{"state":"online"}', True), ("offline", False), (" online\n", True)])
def test_both_forms_of_availability(decode, payload, online):
    for topic, kind in ((f"{A}/availability", "availability"), ("zigbee2mqtt/bridge/state", "bridge_state")):
        (frame,) = decode("zigbee2mqtt", topic, payload, retain=True)["frames"]
        assert (frame["kind"], frame["online"]) == (kind, online)
        assert frame["alarm_state_name"] == (None if online else "fault")


@pytest.mark.parametrize("payload", ["", "on", '{"state":true}', '{"state":"online"', "{}", "[]"])
def test_an_availability_of_no_kind(error_of, payload):
    assert error_of("zigbee2mqtt", f"{A}/availability", payload)[0] == "bad_payload"


@pytest.mark.parametrize("topic", ["other/x", "zigbee2mqtt", "zigbee2mqtt/", "zigbee2mqtt/bridge/devices", f"{A}/set"])
def test_topics_of_others(error_of, topic):
    assert error_of("zigbee2mqtt", topic, '{"smoke":true}') == ("bad_message", None)


def test_another_base_topic(decode):
    (frame,) = decode("zigbee2mqtt", "a/b/c/d", {"smoke": False}, base_topic="a/b")["frames"]
    assert frame["device"] == "c/d"


# --- the driver -------------------------------------------------------------------------------------------------------


def test_smoke_is_reported_with_its_marks(talk):
    z = talk("zigbee2mqtt")
    z.hear(A, {"smoke": True, "battery_low": True, "last_seen": "2026-11-22T10:00:00+08:00"}, retain=True)
    (signal,) = z.of("SignalReading")
    assert (signal.point, signal.kind, signal.active, signal.retained) == ("B1/head", SignalKind.SMOKE, True, True)
    assert (signal.battery_low, signal.quality) == (True, Quality.GOOD)
    assert signal.source_wall_ns == 1_795_312_800 * S


def test_a_message_without_the_key_proves_life_and_nothing_else(talk):
    z = talk("zigbee2mqtt")
    z.hear(A, {"battery": 80})
    assert z.of("SignalReading") == [], "nobody knows yet what it is"
    z.hear(A, {"smoke": True})
    (alive,) = [each for each in z.hear(A, {"linkquality": 7}) if type(each).__name__ == "SignalReading"]
    assert (alive.kind, alive.active, alive.quality) == (SignalKind.SMOKE, None, Quality.GOOD)


@pytest.mark.parametrize(
    ("fields", "quality"),
    [({"test": True}, Quality.TEST), ({"trouble": True}, Quality.FAULT), ({"battery_defect": True}, Quality.FAULT)],
)
def test_the_quality_of_a_clear_head_and_of_one_that_smells_smoke(talk, fields, quality):
    z = talk("zigbee2mqtt")
    z.hear(A, {"smoke": False, **fields})
    z.hear(A, {"smoke": True, **fields})
    assert [each.quality for each in z.of("SignalReading")] == [quality, Quality.GOOD]


def test_a_refused_message_that_says_smoke_is_acted_on(talk):
    z = talk("zigbee2mqtt")
    z.hear(A, '{"smoke":"true"}')
    (signal,) = z.of("SignalReading")
    assert (signal.point, signal.active) == ("B1/head", True)
    assert z.driver.refused == 1


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        ({"smoke": None, "carbon_monoxide": True}, ["gas"]),
        ({"gas": True, "battery": "full"}, ["gas"]),
        ({"heat": True, "tamper": "false"}, ["heat"]),
        ({"sos": True, "battery_low": 0}, ["call_point"]),
        ({"smoke": "true", "gas": True}, ["gas", "smoke"]),
        ({"gas": False, "contact": False, "tamper": True, "smoke": None}, []),
        ({"gas": 1, "smoke": None}, []),
    ],
)
@pytest.mark.parametrize("retain", [False, True])
def test_a_message_that_is_wrong_in_one_key_is_believed_when_another_says_fire(talk, fields, kinds, retain):
    """Zigbee2MQTT itself sends ``"smoke": null`` while it does not know it (for Home Assistant)."""
    z = talk("zigbee2mqtt")
    z.hear(A, fields, retain=retain)
    assert [(each.kind.value, each.active, each.retained) for each in z.of("SignalReading")] == [
        (kind, True, retain) for kind in kinds
    ]
    assert z.driver.refused == 1


def test_a_press_in_a_message_that_is_wrong_in_another_key_is_a_press(talk):
    z = talk("zigbee2mqtt")
    z.hear(A, {"action": "emergency", "battery": "full"}, retain=True)
    assert z.readings == []
    z.hear(A, {"action": "emergency", "battery": "full"})
    assert [(each.kind.value, each.active) for each in z.of("SignalReading")] == [
        ("call_point", True),
        ("call_point", False),
    ]


def test_a_refused_command_of_somebody_is_no_fire(talk):
    z = talk("zigbee2mqtt")
    z.hear(A + "/availability", {"gas": True})
    assert z.of("SignalReading") == []


def test_the_other_signals(talk):
    z = talk("zigbee2mqtt")
    z.hear("zigbee2mqtt/x", {"gas": True, "carbon_monoxide": False, "heat": False, "sos": True, "contact": True})
    z.hear("zigbee2mqtt/x", {"gas": False, "carbon_monoxide": True, "contact": False, "tamper": True})
    told = [(each.kind.value, each.active) for each in z.of("SignalReading")]
    assert told[:4] == [("call_point", True), ("door_open", False), ("gas", True), ("heat", False)]
    assert told[4:] == [("call_point", None), ("door_open", True), ("gas", True), ("heat", None), ("tamper", True)]


def test_a_button_is_pressed_for_a_moment_and_a_retained_press_is_none(talk):
    z = talk("zigbee2mqtt", call_actions="hold")
    z.hear("zigbee2mqtt/button", {"action": "hold"}, retain=True)
    assert z.of("SignalReading") == []
    z.hear("zigbee2mqtt/button", {"action": "single"})
    z.hear("zigbee2mqtt/button", {"action": "hold"})
    assert [(each.kind, each.active) for each in z.of("SignalReading")] == [
        (SignalKind.CALL_POINT, False),
        (SignalKind.CALL_POINT, True),
        (SignalKind.CALL_POINT, False),
    ]


def calls(talk):
    found = [(each.active, each.quality) for each in talk.of("SignalReading") if each.kind is SignalKind.CALL_POINT]
    talk.readings.clear()
    return found


def test_a_button_lives_by_whatever_it_says(talk):
    """It has no state to report, and would be unknown, then stale, until somebody presses it in earnest."""
    z = talk("zigbee2mqtt", call_buttons="lobby")
    z.hear("zigbee2mqtt/lobby", {"battery": 90, "linkquality": 80})
    assert calls(z) == [(False, Quality.GOOD)]
    z.hear("zigbee2mqtt/lobby", {"battery": 90}, retain=True)
    z.hear("zigbee2mqtt/lobby/availability", {"state": "online"}, retain=True)
    assert calls(z) == [], "stored words prove no life"
    z.hear("zigbee2mqtt/lobby/availability", {"state": "online"})
    assert calls(z) == [(False, Quality.GOOD)]
    z.hear("zigbee2mqtt/lobby/availability", {"state": "offline"})
    assert calls(z) == []
    z.hear("zigbee2mqtt/lobby", {"battery_defect": True})
    assert calls(z) == [(False, Quality.FAULT)]
    z.hear("zigbee2mqtt/lobby", {"action": "emergency", "battery_defect": True})
    assert calls(z) == [(True, Quality.GOOD), (False, Quality.FAULT)], "a press counts, whatever its battery says"
    z.hear("zigbee2mqtt/plug", {"state": "ON", "battery": 3})
    assert calls(z) == []


def test_a_call_point_with_a_contact_of_its_own_keeps_it(talk):
    z = talk("zigbee2mqtt")
    z.hear("zigbee2mqtt/call", {"sos": True, "action": "emergency"})
    z.hear("zigbee2mqtt/call", {"battery": 80})
    assert [active for active, _ in calls(z)] == [True, None], "pressed, and not taken back by a battery report"


def test_quirks_of_two_makers(talk):
    z = talk("zigbee2mqtt", inverted="tuya, tuya2", tamper_is_test="xiaomi")
    z.hear("zigbee2mqtt/tuya", {"smoke": False})
    z.hear("zigbee2mqtt/xiaomi", {"smoke": False, "tamper": True})
    tuya, xiaomi = z.of("SignalReading")
    assert (tuya.active, xiaomi.kind, xiaomi.active, xiaomi.quality) == (True, SignalKind.SMOKE, False, Quality.TEST)


def test_meters_outputs_and_their_contradictions(talk):
    z = talk("zigbee2mqtt")
    z.hear("zigbee2mqtt/plug", {"state": "ON", "power": 100, "current": 0.7, "voltage": 230, "energy": 1.5})
    (output,), (meter,) = z.of("OutputReading"), z.of("MeterReading")
    assert (output.on, meter.power_w, meter.voltage_v, meter.energy_wh) == (True, 100, 230, 1500)
    z.hear("zigbee2mqtt/plug", {"power": 0, "current": 3, "voltage": 0})
    assert len(z.of("MeterReading")) == 1
    assert z.of("OutputReading")[-1].fault == "output_fault"
    z.hear(A, {"smoke": False, "voltage": 3000, "temperature": 21.5})
    assert (z.of("MeterReading")[-1].voltage_v, z.of("MeterReading")[-1].temperature_c) == (None, 21.5)


def test_presence_of_the_bridge_and_of_devices(talk):
    z = talk("zigbee2mqtt")
    z.hear("zigbee2mqtt/bridge/state", "offline", retain=True)
    z.hear("zigbee2mqtt/bridge/state", '{"state":"online"}')
    z.hear(f"{A}/availability", "offline", retain=True)
    states = [(each.state, each.problem) for each in z.of("DeviceHealth")]
    assert (DeviceState.FAULT, "bridge_offline") in states
    assert states[-1] == (DeviceState.READY, "")
    (health,) = z.of("PointHealth")
    assert (health.point, health.online, health.retained) == ("B1/head", False, True)


def test_without_any_message_the_link_is_at_fault_until_one_comes(talk):
    z = talk("zigbee2mqtt")
    z.wait(11)
    assert z.of("DeviceHealth")[-1].problem == "no_answer"
    z.hear(A, {"smoke": False})
    assert z.of("DeviceHealth")[-1].state is DeviceState.READY
    z.wait(61)
    assert len(z.of("DeviceHealth")) == 3, "once a minute"


def test_commands(talk):
    z = talk("zigbee2mqtt", sirens="siren", alarm_sirens="horn", base_topic="z")
    (sent,) = z.tell(Operate(point="a/plug", on=True, command_id="1", hold_s=90))
    assert (sent[0], json.loads(sent[1])) == ("z/a/plug/set", {"state": "ON", "on_time": 90})
    (sent,) = z.tell(Operate(point="plug", on=False, command_id="2", hold_s=90, expires_mono_ns=z.now - 1))
    assert json.loads(sent[1]) == {"state": "OFF"}
    (sent,) = z.tell(Operate(point="siren", on=True, command_id="3"))
    assert json.loads(sent[1])["warning"]["mode"] == "emergency"
    (sent,) = z.tell(Operate(point="siren", on=False, command_id="4"))
    assert json.loads(sent[1])["warning"]["mode"] == "stop"
    (sent,) = z.tell(Operate(point="horn", on=True, command_id="5", hold_s=60))
    assert json.loads(sent[1]) == {"alarm": True, "duration": 60}
    assert z.tell(Poll("x")) == [("z/x/get", '{"state": ""}', 5)]


def test_a_command_that_came_too_late_or_cannot_be_addressed_is_dropped(talk):
    z = talk("zigbee2mqtt")
    assert z.tell(Operate(point="plug", on=True, command_id="1", expires_mono_ns=z.now)) == []
    assert z.tell(Operate(point="a/#", on=False, command_id="2")) == []
    assert z.tell(Operate(point="", on=False, command_id="3")) == []
    assert z.tell(Poll("")) == []
    assert z.driver.ignored_commands == 4
    (sent,) = z.tell(Operate(point="plug", on=True, command_id="4", expires_mono_ns=z.now + 1_500_000_000))
    assert sent[2] == 2


@pytest.mark.parametrize("options", [{"base_topic": "a/#"}, {"base_topic": ""}, {"inverted": 5}, {"nosuch": 1}])
def test_wrong_options(options):
    with pytest.raises(LocalProtocolError):
        make_driver("zigbee2mqtt", options)


# --- what the bridge only remembers -----------------------------------------------------------------------------------

INFO = {"version": "2.6.1", "config": {"advanced": {"cache_state_send_on_startup": True}}}


def smoke_words(z, fields, **more):
    return [one for one in z.hear(A, fields, **more) if getattr(one, "kind", None) is SignalKind.SMOKE]


@pytest.mark.parametrize(
    ("advanced", "stored"),
    [
        ({}, True),
        ({"last_seen": "disable"}, True),
        ({"last_seen": "ISO_8601"}, False),
        ({"cache_state": False}, False),
        ({"cache_state_send_on_startup": False}, False),
        (None, False),
    ],
)
def test_the_first_word_of_a_device_after_the_bridges_start_may_be_memory(talk, advanced, stored):
    z = talk("zigbee2mqtt")
    z.hear("zigbee2mqtt/bridge/info", {"version": "2", "config": {"advanced": advanced}}, retain=True)
    z.hear("zigbee2mqtt/bridge/state", {"state": "online"})
    (first,) = smoke_words(z, {"smoke": False})
    assert first.retained is stored
    (second,) = smoke_words(z, {"smoke": True})
    assert not second.retained


def test_what_says_when_it_was_heard_and_what_comes_long_after_the_start_is_no_memory(talk):
    z = talk("zigbee2mqtt")
    z.hear("zigbee2mqtt/bridge/info", INFO, retain=True)
    z.hear("zigbee2mqtt/bridge/state", {"state": "online"})
    (word,) = smoke_words(z, {"smoke": False, "last_seen": "2026-11-22T10:00:00+08:00"})
    assert not word.retained
    z.hear("zigbee2mqtt/bridge/state", {"state": "online"})
    z.wait(121)
    (word,) = smoke_words(z, {"smoke": False})
    assert not word.retained


def test_after_a_power_cut_the_bridge_may_have_come_before_us(talk):
    """Its "online" is a stored one then, and nobody saw its start; what cries fire is believed."""
    z = talk("zigbee2mqtt")
    z.hear("zigbee2mqtt/bridge/info", INFO, retain=True)
    z.hear("zigbee2mqtt/bridge/state", {"state": "online"}, retain=True)
    (word,) = smoke_words(z, {"smoke": False})
    assert word.retained
    (word,) = smoke_words(z, {"smoke": False})
    assert not word.retained, "it has spoken since"
    z.readings.clear()
    z.hear("zigbee2mqtt/other", {"smoke": True})
    assert [(each.active, each.retained) for each in z.of("SignalReading")] == [(True, False)]


def test_long_after_our_opening_a_stored_online_is_no_start_of_the_bridge(talk):
    z = talk("zigbee2mqtt")
    z.hear("zigbee2mqtt/bridge/info", INFO, retain=True)
    z.hear("zigbee2mqtt/bridge/state", {"state": "online"}, retain=True)
    z.wait(120)
    (word,) = smoke_words(z, {"smoke": False})
    assert not word.retained


def test_a_damaged_stored_message_that_says_smoke_is_stored_smoke(talk):
    z = talk("zigbee2mqtt")
    (word,) = smoke_words(z, '{"smoke":true,"t":NaN}', retain=True)
    assert (word.active, word.retained) == (True, True)
    (word,) = smoke_words(z, '{"smoke":true,"t":NaN}')
    assert (word.active, word.retained) == (True, False)


def test_what_the_broker_kept_while_nobody_listened_is_no_fresh_word(talk):
    z = talk("zigbee2mqtt", inverted="odd")
    z.hear(A, {"smoke": False}, queued=True)
    z.hear("zigbee2mqtt/odd", {"smoke": True}, queued=True)
    assert [(each.active, each.retained) for each in z.of("SignalReading")] == [(False, True), (False, True)]
    z.hear(A, {"smoke": False})
    assert z.of("SignalReading")[-1].retained is False


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("head", {"smoke": True}),
        ("odd", {"smoke": False}),
        ("head", {"gas": True, "smoke": False}),
        ("button", {"action": "emergency"}),
        ("head", {"smoke": False, "last_seen": 1_795_312_800_000}),
    ],
)
def test_fire_that_the_broker_kept_is_as_good_as_ever_and_so_is_what_names_its_time(talk, name, fields):
    z = talk("zigbee2mqtt", inverted="odd")
    z.hear(f"zigbee2mqtt/{name}", fields, queued=True)
    assert z.of("SignalReading")
    assert not any(each.retained for each in z.of("SignalReading"))
