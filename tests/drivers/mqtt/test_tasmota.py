"""Tasmota: numbers as text, channels, old versions, and the plug that closes again by itself."""

from __future__ import annotations

import pytest

from edge.domain.field_devices import Operate, Poll


def frames(decode, topic, payload, **more):
    told = decode("tasmota", topic, payload, **more)
    assert told["errors"] == []
    return told["frames"]


def frame(decode, topic, payload, **more):
    (one,) = frames(decode, topic, payload, **more)
    return one


@pytest.mark.parametrize(
    ("topic", "device"),
    [("tele/plug/SENSOR", "plug"), ("tele/a/b/Sensor", "a/b"), ("tele/sensor", None)],
)
def test_topics_in_any_case_and_without_a_device(decode, topic, device):
    told = frame(decode, topic, {"ENERGY": {"Power": 5}})
    assert (told["kind"], told["device"], told["power_w"]) == ("energy", device, 5)


def test_numbers_as_text_and_channels(decode):
    energy = {"Power": ["12.5", 0, None], "Current": [0.1, "0.0", None], "Voltage": "230", "Total": [1.5, 0.006, 0]}
    told = frame(decode, "tele/p/SENSOR", {"Time": "2020-02-10T18:57:33", "ENERGY": energy})
    assert told["power_w"] == [12.5, 0, None]
    assert told["current_a"] == [0.1, 0.0, None]
    assert told["voltage_v"] == 230.0
    assert told["energy_wh"] == [1500.0, 6.0, 0]


@pytest.mark.parametrize(
    ("time", "told"),
    [
        ("2020-02-10T18:57:33", "2020-02-10T18:57:33"),
        ("2017.02.16 10:13:52", "2017.02.16 10:13:52"),
        ("1970-01-01T00:00:12", None),
        ("soon", None),
        (5, None),
    ],
)
def test_time_as_sent_and_an_unset_clock(decode, time, told):
    assert frame(decode, "tele/p/SENSOR", {"Time": time, "ENERGY": {"Power": 1}})["time"] == told


@pytest.mark.parametrize("wrapped", [{"StatusSNS": {"ENERGY": {"Power": 7}}}, {"StatusPWR": {"Power": 7}}])
def test_status_answers_old_and_new(decode, wrapped):
    assert frame(decode, "stat/p/STATUS8", wrapped)["power_w"] == 7


@pytest.mark.parametrize(
    ("topic", "payload", "told"),
    [
        ("stat/p/POWER", "ON", [(None, True)]),
        ("stat/p/POWER2", "off", [(2, False)]),
        ("stat/p/RESULT", {"POWER1": "ON", "POWER2": "OFF"}, [(1, True), (2, False)]),
        ("tele/p/STATE", {"Time": "2020-02-10T18:57:33", "POWER": "ON", "Dimmer": 5}, [(None, True)]),
        ("stat/p/RESULT", {"TelePeriod": 10}, [(None, None)]),
    ],
)
def test_states(decode, topic, payload, told):
    found = frames(decode, topic, payload)
    assert [(each["channel"], each["output_on"]) for each in found] == told
    assert {each["kind"] for each in found} == {"state"}


@pytest.mark.parametrize(
    ("topic", "payload", "name", "channel", "power_w"),
    [
        ("stat/p/WARNING", {"MaxPowerReached": 434}, "overpower", None, 434),
        ("stat/p/WARNING", {"MaxPowerReached2": "434W"}, "overpower", 2, 434),
        ("stat/p/RESULT", {"PowerMonitor": "ON"}, "reclose_pending", None, None),
        ("stat/p/PowerMonitor1", "ON", "reclose_pending", 1, None),
        ("stat/p/POWERMONITOR", {"PowerMonitor": "OFF"}, None, None, None),
        ("stat/p/WARNING", {"MaxEnergyReached": 5}, None, None, None),
    ],
)
def test_events(decode, topic, payload, name, channel, power_w):
    told = frame(decode, topic, payload)
    assert (told["kind"], told["event_name"], told["channel"], told["power_w"]) == ("event", name, channel, power_w)
    assert told["alarm_state_name"] == ("danger" if name == "reclose_pending" else None)


@pytest.mark.parametrize("payload", [{"Info3": {"RestartReason": "Power On"}}, {"RestartReason": "Power On"}])
def test_a_restart(decode, payload):
    told = frame(decode, "tele/p/INFO3", payload)
    assert (told["event_name"], told["restart_reason"]) == ("reboot", "Power On")


@pytest.mark.parametrize(
    ("topic", "payload", "kind", "name", "channel"),
    [
        ("cmnd/p/POWER", "ON", "command", "on", None),
        ("cmnd/p/power2", "0", "command", "off", 2),
        ("cmnd/p/POWER", "Toggle", "command", "toggle", None),
        ("cmnd/p/POWER", "", "state_query", None, None),
        ("cmnd/p/Backlog", "Power1 on", "command", None, None),
        ("cmnd/p/STATUS", "", "state_query", None, None),
    ],
)
def test_commands_and_retained_ones(decode, topic, payload, kind, name, channel):
    for retain in (False, True):
        told = frame(decode, topic, payload, retain=retain)
        assert (told["kind"], told["command_name"], told["channel"], told["retained"]) == (kind, name, channel, retain)
        assert told["alarm_state_name"] == ("danger" if retain else None)


@pytest.mark.parametrize(
    ("topic", "payload", "kind"),
    [
        ("tele/p/SENSOR", '{"ENERGY":{"Power":"nan"}}', "bad_value"),
        ("tele/p/SENSOR", '{"ENERGY":{"Power":["1","inf"]}}', "bad_value"),
        ("tele/p/SENSOR", '{"ENERGY":{"Power":NaN}}', "bad_value"),
        ("tele/p/SENSOR", '{"ENERGY":{"Power":true}}', "bad_value"),
        ("tele/p/SENSOR", '{"ENERGY":{}}', "missing_value"),
        ("tele/p/SENSOR", '{"DS18B20":{"Temperature":20}}', "missing_value"),
        ("tele/p/SENSOR", '{"ENERGY":5}', "bad_value"),
        ("tele/p/SENSOR", '{"ENERGY":{"Pow', "bad_payload"),
        ("tele/p/SENSOR", '{"ENERGY":{"Voltage":0,"Current":0.06,"Power":0}}', "meter_fault"),
        ("tele/p/SENSOR", '{"ENERGY":{"Voltage":230,"Current":[0.1,0.1],"Power":[10,90]}}', "meter_fault"),
        ("stat/p/POWER", "BLINK", "bad_value"),
        ("stat/p/POWER", "", "bad_payload"),
        ("cmnd/p/POWER", "BLINK", "bad_value"),
        ("tele/p/LWT", "away", "bad_payload"),
        ("tele/p/UPTIME", "5", "bad_message"),
        ("other/p/SENSOR", "{}", "bad_message"),
        ("tele", "{}", "bad_message"),
    ],
)
def test_what_is_refused(error_of, topic, payload, kind):
    assert error_of("tasmota", topic, payload)[0] == kind


def test_zero_volts_with_an_open_relay_is_normal(decode):
    assert frame(decode, "tele/p/SENSOR", {"ENERGY": {"Voltage": 0, "Current": 0, "Power": 0}})["power_w"] == 0


# --- the driver -------------------------------------------------------------------------------------------------------


def commands(talk):
    return [(m["topic"].removeprefix("cmnd/"), m["payload"]) for m in talk.sent]


def test_a_new_plug_is_set_up_once_and_again_after_its_restart(talk):
    t = talk("tasmota", tele_period_s=15, power_delta_w=10)
    t.hear("tele/p/LWT", "Online", retain=True)
    t.hear("stat/p/POWER", "OFF")
    setup = ("p/Backlog", "TelePeriod 15; PowerDelta 110; PowerOnState 0; SetOption33 1")
    assert commands(t) == [setup]
    t.hear("tele/p/INFO3", {"Info3": {"RestartReason": "Power On"}})
    assert commands(t) == [setup, setup]
    (health,) = [each for each in t.of("PointHealth") if each.rebooted]
    assert (health.point, health.detail) == ("p", "Power On")


@pytest.mark.parametrize(("hold_s", "pulse"), [(5, "50"), (11, "110"), (12, "112"), (90, "190"), (0, "0")])
def test_the_dead_man_is_armed_before_the_on(talk, hold_s, pulse):
    t = talk("tasmota", set_up=False)
    t.tell(Operate(point="p", on=True, command_id="c", hold_s=hold_s))
    t.tell(Operate(point="p", on=True, command_id="c", hold_s=hold_s))
    assert commands(t) == [("p/PulseTime1", pulse), ("p/POWER", "ON"), ("p/POWER", "ON")]


def test_after_a_restart_the_dead_man_is_armed_anew(talk):
    t = talk("tasmota", set_up=False)
    t.hear("stat/p/POWER", "OFF")
    t.tell(Operate(point="p", on=True, command_id="c", hold_s=90))
    t.hear("tele/p/LWT", "Online")
    t.sent.clear()
    t.tell(Operate(point="p", on=True, command_id="c", hold_s=90))
    assert commands(t) == [("p/PulseTime1", "190"), ("p/POWER", "ON")]


def test_a_numbered_relay(talk):
    t = talk("tasmota", set_up=False)
    t.tell(Operate(point="g/p:2", on=False, command_id="c"))
    assert commands(t) == [("g/p/POWER2", "OFF")]


def test_a_trip_is_latched_above_the_plugs_own(talk):
    t = talk("tasmota", set_up=False)
    t.hear("stat/p/WARNING", {"MaxPowerReached": 700})
    assert (t.of("OutputReading")[-1].fault, t.of("OutputReading")[-1].detail) == ("overpower", "700 W")
    t.hear("stat/p/RESULT", {"PowerMonitor": "ON"})
    t.hear("stat/p/POWER", "ON")
    t.hear("tele/p/STATE", {"POWER": "ON"})
    assert [each.fault for each in t.of("OutputReading")] == ["overpower", *["reclose_pending"] * 3]
    assert commands(t) == [("p/POWER", "OFF")] * 4, "cut at every word of it"
    t.sent.clear()
    t.tell(Operate(point="p", on=True, command_id="c"))
    t.hear("stat/p/POWER", "ON")
    assert commands(t)[-1] == ("p/POWER", "ON")
    assert t.of("OutputReading")[-1].fault == ""


def test_a_trip_without_a_number_is_one_of_all_relays(talk):
    """A device with several relays says it once, opens them all and closes them all again."""
    t = talk("tasmota", set_up=False)
    t.hear("tele/p/STATE", {"POWER1": "ON", "POWER2": "ON"})
    t.hear("stat/p/WARNING", {"MaxPowerReached": 700})
    assert commands(t) == [("p/POWER1", "OFF"), ("p/POWER2", "OFF")]
    assert [(each.point, each.fault) for each in t.of("OutputReading")[2:]] == [
        ("p:1", "overpower"),
        ("p:2", "overpower"),
    ]
    t.sent.clear()
    t.hear("stat/p/RESULT", {"POWER2": "ON"})
    assert commands(t) == [("p/POWER2", "OFF")]
    assert t.of("OutputReading")[-1].fault == "reclose_pending"
    t.hear("stat/p/RESULT", {"PowerMonitor2": "ON"})
    assert [each.point for each in t.of("OutputReading")[-1:]] == ["p:2"]


def test_a_trip_of_one_of_several_relays_is_its_own(talk):
    t = talk("tasmota", set_up=False)
    t.hear("tele/p/STATE", {"POWER1": "ON", "POWER2": "ON"})
    t.hear("stat/p/WARNING", {"MaxPowerReached2": 700})
    assert commands(t) == [("p/POWER2", "OFF")]


def test_figures_of_several_relays_that_contradict_themselves_are_a_fault_of_each(talk):
    t = talk("tasmota", set_up=False)
    t.hear("tele/p/STATE", {"POWER1": "ON", "POWER2": "ON"})
    t.hear("tele/p/SENSOR", {"ENERGY": {"Power": [0, 0], "Current": [3, 0], "Voltage": 0}})
    assert [each.point for each in t.of("OutputReading") if each.fault == "output_fault"] == ["p:1", "p:2"]


def test_what_is_retained_is_no_event(talk):
    t = talk("tasmota", set_up=False)
    t.hear("stat/p/WARNING", {"MaxPowerReached": 700}, retain=True)
    t.hear("stat/p/POWER", "ON", retain=True)
    assert commands(t) == []
    assert [(each.on, each.retained) for each in t.of("OutputReading")] == [(True, True)]


def test_a_retained_command_is_reported_and_others_are_not(talk):
    t = talk("tasmota", set_up=False)
    t.hear("cmnd/p/POWER", "ON")
    assert t.readings == []
    t.hear("cmnd/p/POWER", "ON", retain=True)
    (output,) = t.of("OutputReading")
    assert (output.fault, output.retained) == ("output_fault", True)
    assert "retained command" in output.detail


def test_each_channel_is_a_point(talk):
    t = talk("tasmota", set_up=False)
    t.hear("tele/p/SENSOR", {"ENERGY": {"Power": [10, 0], "Current": [0.1, 0], "Voltage": 230}})
    assert [(each.point, each.power_w, each.voltage_v) for each in t.of("MeterReading")] == [
        ("p:1", 10, 230),
        ("p:2", 0, 230),
    ]
    t.hear("tele/p/LWT", "Offline")
    assert [(each.point, each.online) for each in t.of("PointHealth")] == [("p:1", False), ("p:2", False)]


def test_polls(talk):
    t = talk("tasmota", set_up=False)
    t.hear("stat/p/POWER1", "ON")
    t.hear("stat/p/POWER2", "ON")
    t.tell(Poll(""))
    assert commands(t) == [("p/POWER1", ""), ("p/POWER2", ""), ("p/STATUS", "8")]


def test_a_meter_that_contradicts_itself_is_a_fault(talk):
    t = talk("tasmota", set_up=False)
    t.hear("tele/p/SENSOR", {"ENERGY": {"Power": 0, "Current": 3, "Voltage": 0}})
    assert t.of("MeterReading") == []
    assert t.of("OutputReading")[0].fault == "output_fault"
