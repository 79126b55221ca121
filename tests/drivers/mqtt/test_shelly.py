"""Shelly: whole and partial, what a plug is told about itself, contradictions, answers."""

from __future__ import annotations

import json

import pytest

from edge.domain.field_devices import Operate, Poll

STATUS = "plug/status/switch:0"


def frame(decode, topic, payload, **more):
    (one,) = decode("shelly", topic, payload, **more)["frames"]
    return one


def test_a_notification_holds_only_what_changed(decode):
    body = {"method": "NotifyStatus", "params": {"ts": 1, "switch:2": {"apower": 5.5}}}
    told = frame(decode, "g/plug/events/rpc", body)
    assert (told["device"], told["switch_id"], told["partial"], told["power_w"]) == ("g/plug", 2, True, 5.5)
    assert [told[key] for key in ("output_on", "current_a", "voltage_v", "energy_wh", "fault_names")] == [None] * 5


def test_a_notification_of_two_switches_and_one_of_none(decode):
    body = {"method": "NotifyStatus", "params": {"switch:0": {"output": True}, "switch:1": {"output": False}}}
    told = decode("shelly", "p/events/rpc", body)["frames"]
    assert [(each["switch_id"], each["output_on"]) for each in told] == [(0, True), (1, False)]
    for params in ({}, None, {"ts": 1, "sys": {"uptime": 5}}):
        empty = frame(decode, "p/events/rpc", {"method": "NotifyStatus", "params": params})
        assert (empty["kind"], empty["switch_id"], empty["output_on"], empty["power_w"]) == ("notify", None, None, None)


def test_a_full_notification_is_whole(decode):
    told = frame(decode, "p/events/rpc", {"method": "NotifyFullStatus", "params": {"switch:0": {"output": True}}})
    assert told["partial"] is False


def test_a_plug_without_a_meter_draws_unknown_not_zero(decode):
    told = frame(decode, STATUS, {"id": 0, "output": True})
    assert (told["output_on"], told["power_w"], told["current_a"]) == (True, None, None)


@pytest.mark.parametrize(
    ("fields", "alarm"),
    [
        ({"output": False, "apower": 5}, "welded_contact"),
        ({"output": False, "apower": 4.9, "current": 0.05}, "welded_contact"),
        ({"output": False, "apower": 4.9, "current": 0.049}, None),
        ({"output": True, "apower": 500}, None),
        ({"apower": 500}, None),
        ({"output": False, "apower": 500, "errors": ["overtemp"]}, "trip"),
        ({"output": False, "errors": []}, None),
    ],
)
def test_trips_and_welded_contacts(decode, fields, alarm):
    assert frame(decode, STATUS, fields)["alarm_state_name"] == alarm


@pytest.mark.parametrize(
    ("payload", "kind"),
    [
        ('{"id":0,"outp', "bad_payload"),
        ("", "bad_payload"),
        ("true", "bad_payload"),
        ('{"apower":NaN}', "bad_value"),
        ('{"apower":Infinity}', "bad_value"),
        ('{"apower":1e999}', "bad_value"),
        ('{"apower":"5"}', "bad_value"),
        ('{"output":1}', "bad_value"),
        ('{"errors":"overpower"}', "bad_value"),
        ('{"id":1,"output":true}', "bad_value"),
        ('{"current":0.06,"voltage":0}', "meter_fault"),
        ('{"current":0.05,"voltage":0}', None),
        ('{"apower":281.1,"current":1,"voltage":230}', "meter_fault"),
        ('{"apower":281.0,"current":1,"voltage":230}', None),
        ('{"apower":5.1,"current":0,"voltage":0}', "meter_fault"),
    ],
)
def test_what_is_refused(decode, payload, kind):
    told = decode("shelly", STATUS, payload)
    assert [error["kind"] for error in told["errors"]] == ([kind] if kind else [])
    assert bool(told["frames"]) is (kind is None)


def test_requests_and_answers(decode):
    told = frame(decode, "p/rpc", {"id": "x", "method": "Switch.Set", "params": {"id": 1, "on": True}}, retain=True)
    assert (told["kind"], told["command_name"], told["request_id"], told["switch_id"]) == ("command", "on", "x", 1)
    told = frame(decode, "me/rpc", {"id": 3, "src": "p", "result": {"was_on": True}})
    assert (told["kind"], told["device"], told["success"], told["was_on"]) == ("reply", "me", True, True)
    told = frame(decode, "me/rpc", {"id": 3, "src": "p", "error": {"code": -105, "message": "no"}})
    assert (told["success"], told["was_on"], told["error_code"]) == (False, None, -105)


@pytest.mark.parametrize(
    ("topic", "payload", "kind"),
    [
        ("p/rpc", {"id": 1, "method": "Switch.Set", "params": {"id": 0}}, "missing_value"),
        ("p/rpc", {"id": 1, "method": "Switch.Toggle", "params": {"id": 0}}, "bad_message"),
        ("p/rpc", {"id": [1], "result": {}}, "bad_value"),
        ("p/rpc", {"id": 1}, "bad_message"),
        ("p/events/rpc", {"method": "NotifyEvent", "params": {}}, "bad_message"),
        ("p/online", "yes", "bad_payload"),
        ("online", "true", "bad_message"),
        ("p/status/input:0", {"id": 0}, "bad_message"),
    ],
)
def test_messages_of_no_kind(error_of, topic, payload, kind):
    assert error_of("shelly", topic, payload)[0] == kind


# --- the driver -------------------------------------------------------------------------------------------------------


def requests(talk):
    return [(m["topic"], json.loads(m["payload"])) for m in talk.sent]


def test_a_new_plug_is_told_to_come_back_off_and_asked(talk):
    s = talk("shelly", power_limit_w=600)
    s.hear("plug/online", "true", retain=True)
    told = [(topic, body["method"]) for topic, body in requests(s)]
    methods = ["Switch.SetConfig", "Switch.GetConfig", "Switch.GetStatus"]
    assert told == [("plug/rpc", method) for method in methods]
    config = requests(s)[0][1]["params"]["config"]
    assert config == {"initial_state": "off", "auto_off": True, "auto_off_delay": 120, "power_limit": 600}
    s.hear(STATUS, {"output": True})
    assert len(s.sent) == 3, "once"
    s.hear("plug/online", "true")
    assert len(s.sent) == 6, "and again after it connected anew"


def test_a_plug_that_does_not_comply_is_reported(talk):
    s = talk("shelly")
    s.hear("plug/online", "true")
    number = requests(s)[1][1]["id"]
    s.hear("kangle-shelly/rpc", {"id": number, "src": "plug", "result": {"initial_state": "on", "auto_off": False}})
    (output,) = s.of("OutputReading")
    assert output.fault == "output_fault"
    assert "initial_state is 'on'" in output.detail
    assert "auto_off" in output.detail


def test_left_alone_when_the_site_says_so(talk):
    s = talk("shelly", set_up=False)
    s.hear("plug/online", "true")
    assert [body["method"] for _, body in requests(s)] == ["Switch.GetStatus"], "asked, and not changed"


def test_a_reboot_is_told_and_a_lost_plug(talk):
    s = talk("shelly", set_up=False)
    s.hear("g/plug/status/switch:1", {"output": True})
    s.hear("g/plug/online", "false")
    s.hear("g/plug/online", "true")
    assert [(each.point, each.online, each.rebooted) for each in s.of("PointHealth")] == [
        ("g/plug:1", False, False),
        ("g/plug:1", True, True),
    ]


def test_an_off_has_no_timer_an_on_has_its_own(talk):
    s = talk("shelly", set_up=False)
    (on,) = s.tell(Operate(point="plug:0", on=True, command_id="c1", hold_s=90))
    (off,) = s.tell(Operate(point="plug:0", on=False, command_id="c2", hold_s=90))
    assert json.loads(on[1])["params"] == {"id": 0, "on": True, "toggle_after": 90}
    assert json.loads(off[1])["params"] == {"id": 0, "on": False}
    assert on[0] == "plug/rpc"


def test_an_answer_finds_its_command_once(talk):
    s = talk("shelly", set_up=False)
    (sent,) = s.tell(Operate(point="plug:0", on=False, command_id="c1"))
    number = json.loads(sent[1])["id"]
    answer = {"id": number, "src": "plug", "error": {"code": -103, "message": "busy"}}
    s.hear("kangle-shelly/rpc", answer)
    s.hear("kangle-shelly/rpc", answer)
    (output,) = s.of("OutputReading")
    assert (output.point, output.command_id, output.accepted, output.on, output.detail) == (
        "plug:0",
        "c1",
        False,
        None,
        "busy",
    )


def test_a_poll_is_answered_with_the_whole_state(talk):
    s = talk("shelly", set_up=False)
    s.hear(STATUS, {"output": True})
    s.readings.clear()
    (sent,) = s.tell(Poll(""))
    request = json.loads(sent[1])
    assert request["method"] == "Switch.GetStatus"
    s.hear("kangle-shelly/rpc", {"id": request["id"], "src": "plug", "result": {"output": False, "apower": 0.0}})
    assert s.of("OutputReading")[0].on is False
    assert s.of("MeterReading")[0].power_w == 0.0


def test_an_answer_to_a_question_of_before_a_restart_settles_no_other(talk):
    before = talk("shelly", set_up=False)
    (late,) = before.tell(Poll("one:0"))
    after = talk("shelly", set_up=False)
    after.wait(2)
    after.take(after.driver.opened(after.now))  # the daemon was started again
    after.tell(Poll("two:0"))
    number = json.loads(late[1])["id"]
    after.hear("kangle-shelly/rpc", {"id": number, "src": "one", "result": {"output": False, "apower": 0.0}})
    assert after.of("OutputReading") + after.of("MeterReading") == []


def test_an_answer_of_another_plug_settles_nothing(talk):
    """Two links of one source read each other's answers."""
    s = talk("shelly", set_up=False, prefix="garage")
    s.hear("garage/one/status/switch:0", {"output": True, "apower": 100.0})
    s.hear("garage/two/status/switch:0", {"output": True, "apower": 100.0})
    (sent,) = s.tell(Poll("garage/one:0"))
    s.readings.clear()
    number = json.loads(sent[1])["id"]
    s.hear("kangle-shelly/rpc", {"id": number, "src": "two", "result": {"output": False, "apower": 0.0}})
    assert s.of("MeterReading") == []
    s.hear("kangle-shelly/rpc", {"id": number, "src": "one", "result": {"output": False, "apower": 1.0}})
    assert [(each.point, each.power_w) for each in s.of("MeterReading")] == [("garage/one:0", 1.0)]


def test_a_plug_whose_topic_was_changed_is_still_understood(talk):
    s = talk("shelly", set_up=False)
    s.hear("lamp/status/switch:0", {"output": True})
    s.readings.clear()
    (sent,) = s.tell(Poll("lamp:0"))
    number = json.loads(sent[1])["id"]
    s.hear("kangle-shelly/rpc", {"id": number, "src": "shellyplugsg3-aabbcc", "result": {"apower": 7.0}})
    assert s.of("MeterReading")[0].power_w == 7.0


def test_a_stuck_meter_in_a_notification_is_a_fault_of_its_plug(talk):
    s = talk("shelly", set_up=False)
    told = {"output": False, "current": 3.0, "voltage": 0}
    s.hear("plug/events/rpc", {"src": "plug", "method": "NotifyStatus", "params": {"switch:0": told}})
    assert [(each.point, each.fault) for each in s.of("OutputReading")] == [("plug:0", "output_fault")]


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"output": False, "errors": ["overpower"]}, "overpower"),
        ({"output": False, "errors": ["overtemp"]}, "overheat"),
        ({"output": False, "errors": ["undervoltage"]}, "tripped"),
        ({"output": False, "apower": 100}, "welded"),
        ({"output": True, "apower": 100}, ""),
    ],
)
def test_faults_have_stable_codes(talk, fields, fault):
    s = talk("shelly", set_up=False)
    s.hear(STATUS, fields)
    assert s.of("OutputReading")[0].fault == fault


def test_a_stuck_meter_is_a_fault_and_no_measurement(talk):
    s = talk("shelly", set_up=False)
    s.hear(STATUS, {"output": False, "current": 3.0, "voltage": 0, "apower": 0})
    assert s.of("MeterReading") == []
    assert s.of("OutputReading")[0].fault == "output_fault"


def test_points_that_are_none(talk):
    s = talk("shelly")
    for point in ("plug", "plug:x", ":0", "a/+:0"):
        assert s.tell(Operate(point=point, on=False, command_id="c")) == []
    assert s.driver.ignored_commands == 4


def asked(talk, since):
    return [(topic, body["method"]) for topic, body in requests(talk)[since:]]


def test_a_plug_that_is_on_and_whose_load_does_not_change_is_asked(talk):
    """Else a charge at constant power looks like a silent meter after 15 s, and is cut."""
    s = talk("shelly", set_up=False, poll_s=5)
    s.hear(STATUS, {"output": True, "apower": 200.0})
    begun = len(s.sent)
    for _ in range(4):
        s.wait(1)
    assert asked(s, begun) == []
    s.wait(1)
    assert asked(s, begun) == [("plug/rpc", "Switch.GetStatus")]
    number = requests(s)[-1][1]["id"]
    s.hear("kangle-shelly/rpc", {"id": number, "src": "plug", "result": {"id": 0, "output": True, "apower": 200.0}})
    assert s.of("MeterReading")[-1].power_w == 200.0
    for _ in range(30):
        s.hear(STATUS, {"apower": 201.0})
        s.wait(1)
    assert len(s.sent) == begun + 1, "one that speaks is not asked"
    assert s.driver.deadline() <= s.now + 1_000_000_000
    s.hear(STATUS, {"output": False})
    s.wait(30)
    assert len(s.sent) == begun + 1, "nor one that is off"


def test_a_silent_plug_is_asked_again_and_again_and_never_when_the_site_says_so(talk):
    s = talk("shelly", set_up=False, poll_s=5)
    s.hear(STATUS, {"output": True})
    begun = len(s.sent)
    for _ in range(21):
        s.wait(1)
    assert len(s.sent) == begun + 4
    s = talk("shelly", set_up=False, poll_s=0)
    s.hear(STATUS, {"output": True})
    begun = len(s.sent)
    for _ in range(21):
        s.wait(1)
    assert len(s.sent) == begun
