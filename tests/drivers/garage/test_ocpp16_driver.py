"""The OCPP driver against the simulated charger with the habits of the field."""

import json

import pytest

from drivers.driver import LocalProtocolError
from drivers.ocpp16.frames import Call, Refusal, parse
from drivers.ocpp16.schemas import first_violation
from drivers.registry import make_driver
from edge.domain.devices import FieldOn
from edge.domain.field_devices import Operate, Poll, SetClock
from firmware_sim.ocpp16 import Charger

S = 1000
NS = 1_000_000_000


def on(point="1", **more):
    return Operate(point=point, on=True, command_id=more.pop("command_id", f"on{point}"), **more)


def off(point="1"):
    return Operate(point=point, on=False, command_id=f"off{point}")


@pytest.fixture
def charger(rig):
    rig = rig(make_driver("ocpp16", {}), Charger(2))
    for connector in rig.device.connectors.values():
        connector.car_w = 7000.0
    rig.run(15 * S)
    return rig


def actions(rig, first=0):
    return [parse(raw).action for raw in rig.written[first:] if isinstance(parse(raw), Call)]


def test_boot_settings_and_status(charger):
    assert charger.device.booted
    assert charger.last("DeviceIdentity").model == "Sim AC7"
    assert charger.states()[-1] == ("ready", "")
    assert charger.device.habits.sample_s == 10
    assert (charger.last("OutputReading", point="2").on, charger.last("OutputReading", point="2").plugged) == (
        False,
        True,
    )
    assert charger.device.errors == 0


def test_everything_we_send_satisfies_the_schemas(charger):
    charger.command(on())
    charger.run(30 * S)
    charger.command(off())
    charger.command(Poll("1"))
    charger.run(30 * S)
    for raw in charger.written:
        message = parse(raw)
        assert not isinstance(message, Refusal)
    for action, answer in charger.device.answers:
        assert first_violation(action, answer, result=True) is None
    assert {"RemoteStartTransaction", "RemoteStopTransaction", "SetChargingProfile", "TriggerMessage"} <= set(
        actions(charger)
    )


def test_a_charge_from_start_to_stop(charger):
    charger.command(on())
    charger.run(30 * S)
    assert charger.of("OutputReading", command_id="on1")[0].accepted is True
    assert charger.of("SessionReading")[0].session == "on1"
    meter = charger.last("MeterReading", point="1")
    assert (meter.power_w, meter.voltage_v) == (7000, 230)
    assert meter.current_a == pytest.approx(30.435, abs=0.001)
    charger.command(off())
    charger.run(15 * S)
    assert not charger.device.connectors[1].closed
    ended = charger.last("SessionReading")
    assert (ended.phase, ended.session, ended.end_reason) == ("ended", "on1", "remote")
    assert ended.energy_wh == pytest.approx(7000 * 30 / 3600, abs=8)
    assert charger.last("OutputReading", point="1").on is False


def test_an_off_goes_out_at_once_in_every_way_past_what_is_under_way(charger):
    charger.command(on())
    charger.run(30 * S)
    charger.device.habits.deaf_to = {"TriggerMessage"}
    charger.command(Poll())
    charger.command(on("2"))
    first = len(charger.written)
    charger.command(off())
    assert actions(charger, first) == ["RemoteStopTransaction", "SetChargingProfile", "ChangeAvailability"]
    charger.run(2 * S)
    assert not charger.device.connectors[1].closed
    assert charger.of("OutputReading", command_id="off1")[0].accepted is True


def test_a_charger_that_refuses_the_stop_is_limited_to_nothing(charger):
    charger.command(on())
    charger.run(30 * S)
    charger.device.habits.refuses = {"RemoteStopTransaction"}
    charger.command(off())
    charger.run(30 * S)
    assert charger.of("OutputReading", command_id="off1")[0].accepted is False
    assert charger.device.connectors[1].closed, "it would not stop"
    assert charger.last("MeterReading", point="1").power_w == 0, "but it draws nothing"


def test_availability_is_no_cut(charger):
    charger.command(on())
    charger.run(30 * S)
    charger.device.habits.refuses = {"RemoteStopTransaction", "SetChargingProfile"}
    charger.command(off())
    charger.run(30 * S)
    assert charger.last("MeterReading", point="1").power_w == 7000, "and the meter says so"
    assert not [item for item in charger.of("OutputReading", command_id="off1") if item.accepted]


def test_a_transaction_of_before_our_restart_can_be_stopped(rig):
    device = Charger(1)
    device.connectors[1].car_w = 7000.0
    before = rig(make_driver("ocpp16", {}), device)
    before.run(15 * S)
    before.command(on())
    before.run(30 * S)
    assert device.connectors[1].closed
    after = rig(make_driver("ocpp16", {}), device, now=before.now)
    after.run(30 * S)
    after.command(off())
    after.run(5 * S)
    assert not device.connectors[1].closed


def test_an_off_removes_a_waiting_start_and_its_tag(charger):
    charger.device.habits.deaf_to = {"ChangeAvailability"}
    charger.command(on())
    charger.command(off())
    charger.device.habits.deaf_to = set()
    charger.run(60 * S)
    assert "RemoteStartTransaction" not in [action for action, *_ in charger.device.log]
    assert charger.of("OutputReading", command_id="on1")[0].accepted is False
    charger.command(on(command_id="again"))
    charger.run(30 * S)
    assert charger.device.connectors[1].closed


def test_a_start_at_the_charger_with_a_strangers_card_is_told_and_stopped(charger):
    charger.device.start_offline(1, "DEADBEEF", charger.now)
    charger.run(5 * S)
    card = charger.last("CardReading")
    assert (card.point, card.card) == ("1", "deadbeef")
    assert not charger.device.connectors[1].closed
    assert charger.last("SessionReading").phase == "ended"


def test_a_start_that_nobody_allowed_is_stopped_past_what_is_under_way(charger):
    charger.device.habits.deaf_to = {"TriggerMessage"}
    charger.command(Poll())
    for _ in range(40):
        charger.command(Poll("2"))
    first = len(charger.written)
    charger.device.start_offline(1, "DEADBEEF", charger.now)
    charger.run(S)
    assert actions(charger, first) == ["RemoteStopTransaction"]
    assert not charger.device.connectors[1].closed


def test_a_start_that_is_told_again_is_one_transaction(charger):
    payload = {"connectorId": 1, "idTag": "X", "meterStart": 5, "timestamp": "2026-11-22T08:00:00Z"}
    ids = []
    for message_id in ("a", "b"):
        line = json.dumps([2, message_id, "StartTransaction", payload]).encode() + b"\n"
        replies = charger.driver.received(line, charger.now).write
        ids.append(json.loads(replies[0])[2]["transactionId"])
    assert ids[0] == ids[1] > 0


@pytest.mark.parametrize("stop_id", [0, -1])
def test_a_stop_twice_or_without_its_id_ends_one_session_once(charger, stop_id):
    charger.command(on())
    charger.run(30 * S)
    charger.device.habits.stops_twice, charger.device.habits.stop_id = True, stop_id
    charger.device.connectors[1].car_w = 0
    charger.run(10 * S)
    ended = [item for item in charger.of("SessionReading") if item.phase == "ended"]
    assert [(item.session, item.end_reason) for item in ended] == [("on1", "unplugged")]


def test_a_stop_is_answered_only_from_the_disk(charger):
    charger.command(on())
    charger.run(30 * S)
    charger.commits = False
    charger.device.connectors[1].car_w = 0
    charger.run(3 * S)
    assert "StopTransaction" not in [action for action, _ in charger.device.answers]


@pytest.mark.parametrize(
    ("error", "sticky", "fault"),
    [("HighTemperature", False, "overheat"), ("NoError", True, "output_fault"), ("E-0815", False, "output_fault")],
)
def test_faulted_is_acted_on_whatever_the_code(charger, error, sticky, fault):
    connector = charger.device.connectors[2]
    connector.fault, connector.sticky = ("" if sticky else error), sticky
    charger.run(3 * S)
    assert charger.last("OutputReading", point="2").fault == fault
    assert bool(charger.of("SignalReading", point="2", active=True)) is (error == "HighTemperature")
    assert charger.states()[-1] == ("ready", "")


def test_a_welded_contactor_still_draws(charger):
    charger.command(on())
    charger.run(30 * S)
    charger.device.connectors[1].welded = True
    charger.device.habits.refuses = {"SetChargingProfile"}
    charger.command(off())
    charger.run(30 * S)
    assert charger.last("OutputReading", point="1").on is False
    assert charger.last("MeterReading", point="1").power_w == 7000


def test_expired_and_impossible_commands(charger):
    charger.device.habits.deaf_to = {"ChangeAvailability"}
    charger.command(on(expires_mono_ns=charger.now + 5 * NS))
    charger.run(30 * S)
    assert charger.of("OutputReading", command_id="on1")[0].accepted is False
    assert "RemoteStartTransaction" not in [action for action, *_ in charger.device.log]
    for command in (FieldOn(on=True), on("0"), on("gun"), off("100")):
        charger.command(command)
    assert charger.driver.ignored_commands == 4


def test_nothing_is_sent_later_over_a_new_connection(charger):
    charger.device.habits.deaf_to = {"ChangeAvailability"}
    charger.command(on())
    charger.device.habits.deaf_to = set()
    charger.reconnect()
    charger.run(60 * S)
    assert "RemoteStartTransaction" not in [action for action, *_ in charger.device.log]
    assert charger.of("OutputReading", command_id="on1")[0].detail.endswith("link_closed")


def test_silence_clock_and_unknown_calls(charger):
    charger.command(SetClock(1_790_000_000 * NS))
    reply = charger.driver.received(b'[2,"h","Heartbeat",{}]\n', charger.now).write[0]
    assert json.loads(reply)[2]["currentTime"] == "2026-09-21T14:13:20Z"
    reply = charger.driver.received(b'[2,"r","Reset",{"type":"Hard"}]\n', charger.now).write[0]
    assert json.loads(reply)[:3] == [4, "r", "NotSupported"]
    reply = charger.driver.received(b'[2,"x","Authorize",{}]\n', charger.now).write[0]
    assert json.loads(reply)[:3] == [4, "x", "FormationViolation"]
    assert charger.driver.received(b"garbage\n", charger.now).write == []
    charger.device.habits.silent = True
    charger.run(140 * S)
    assert charger.states()[-1] == ("fault", "silent")
    assert charger.last("PointHealth").online is False


def test_messages_in_pieces_and_far_too_long_ones():
    driver = make_driver("ocpp16", {"configure": False})
    driver.opened(0)
    line = b'[2,"h","Heartbeat",{}]\n'
    replies = [reply for at in range(len(line)) for reply in driver.received(line[at : at + 1], 0).write]
    assert len(replies) == 1
    driver.received(b"x" * 600_000, 0)
    assert driver.scanner.pending <= 256 * 1024
    driver.received(b"\n", 0)
    assert len(driver.received(line, 0).write) == 1


def test_wrong_options_are_named():
    with pytest.raises(LocalProtocolError, match="sample_s"):
        make_driver("ocpp16", {"sample_s": 0})
