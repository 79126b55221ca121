"""Both ends of GB/T 26875.3 against the simulated unit and centre, and by single frames."""

import pytest

from drivers.driver import LocalProtocolError
from drivers.registry import make_driver
from edge.domain.devices import FieldOn
from edge.domain.field_devices import Poll, ReportFire, SetClock
from firmware_sim.gb26875 import Centre, Head, Panel, TransmissionUnit

S = 1000
NS = 1_000_000_000
WALL = 1_790_000_000 * NS


@pytest.fixture
def building(rig):
    """A rig with one smoke head, a call point, heat, flow and pressure switches."""
    kinds = ("smoke", "call_point", "heat", "flow", "pressure", "gas")
    panel = Panel({kind: Head(kind, zone=3, position=at) for at, kind in enumerate(kinds, 1)})
    return rig(make_driver("gb26875", {}), TransmissionUnit(panel))


def said(driver, frame):
    output = driver.received(frame, 0)
    return [item for item in output.readings if type(item).__name__ == "SignalReading"], output


# --- as centre --------------------------------------------------------------------------------------------------------


def test_the_unit_is_acknowledged_asked_and_known(building):
    building.run(5 * S)
    assert building.states()[-1] == ("ready", "")
    assert building.device.acked == building.device.sent
    assert building.last("DeviceIdentity").firmware == "2.7"
    assert building.last("SignalReading", point="unit").active is False
    assert building.last("SignalReading", point="1:1").active is False


@pytest.mark.parametrize(
    ("name", "kind", "at"),
    [
        ("smoke", "smoke", 1),
        ("call_point", "call_point", 2),
        ("heat", "heat", 3),
        ("flow", "flow", 4),
        ("pressure", "pressure", 5),
        ("gas", "gas", 6),
    ],
)
def test_a_fire_with_the_test_bit_is_a_fire(building, name, kind, at):
    building.run(5 * S)
    building.device.panel.heads[name].fire = True
    told = [item for item in building.run(300) if type(item).__name__ == "SignalReading"]
    (fire,) = [item for item in told if item.point == f"1:1:3:{at}"]
    assert (fire.kind.value, fire.active, fire.quality.value) == (kind, True, "good")
    assert fire.delay_ms == 0
    building.device.panel.heads[name].fire = False
    building.run(300)
    assert building.last("SignalReading", point=f"1:1:3:{at}").active is False


def test_every_combination_of_bits_keeps_its_fire(make):
    """Bit 0 and all others may be as they like: bit 1 is fire, and nothing else turns it into anything less."""
    driver = make_driver("gb26875", {"poll": False})
    driver.opened(0)
    for status in range(1 << 9):
        signals, _ = said(driver, make.gb(b"\x02\x01" + make.component(status)))
        (signal,) = signals
        assert signal.active is bool(status & 2)
        assert (signal.quality.value == "good") is (bool(status & 2) or not status & 0b1_0000_1100)


def test_a_panel_reset_clears_what_it_reported_and_nothing_else(building):
    building.run(2 * S)
    building.device.panel.heads["smoke"].fire = True
    building.device.panel.heads["gas"].fire = True
    building.run(S)
    building.device.panel.resets += 1
    told = building.run(S)
    cleared = {(item.point, item.active) for item in told if type(item).__name__ == "SignalReading"}
    assert cleared == {("1:1:3:1", False), ("1:1:3:6", False), ("1:1", False)}


def test_a_reset_is_told_as_such_since_the_driver_may_have_been_started_anew(building):
    building.run(2 * S)
    building.device.panel.resets += 1
    building.run(S)
    assert [each.point for each in building.of("PanelReset")] == ["1:1"]


def test_a_reset_that_still_says_fire_clears_nothing(make):
    driver = make_driver("gb26875", {"poll": False})
    driver.opened(0)
    said(driver, make.gb(b"\x02\x01" + make.component(2)))
    signals, _ = said(driver, make.gb(b"\x01\x01\x01\x01" + 0x2002.to_bytes(2, "little") + bytes((0, 0, 8, 1, 1, 26))))
    assert [(item.point, item.active) for item in signals] == [("1:1", True)]


def test_a_manual_alarm_at_the_unit_is_a_call_point(building):
    building.run(2 * S)
    building.device.panel.manual = True
    building.run(S)
    signal = building.last("SignalReading", point="unit", active=True)
    assert signal.kind.value == "call_point"


@pytest.mark.parametrize("spoil", ["bad_count", "bad_clock", "torn"])
def test_a_refused_message_that_says_fire_is_acted_on_and_denied(building, spoil):
    building.run(2 * S)
    building.device.panel.spoil = spoil
    building.device.panel.heads["smoke"].fire = True
    building.run(500)
    assert any(item.active for item in building.of("SignalReading", active=True))
    assert building.device.nacked >= 1
    assert building.device.acked < building.device.sent


@pytest.mark.parametrize(("kind", "body", "point"), [(24, b"\x04\x01", "unit"), (4, b"\x01\x02\x04\x01", "1:2")])
def test_a_manual_alarm_of_a_unit_whose_clock_was_never_set_is_a_call_point(make, kind, body, point):
    driver = make_driver("gb26875", {"poll": False})
    driver.opened(0)
    signals, output = said(driver, make.gb(bytes((kind, 1)) + body + bytes(6)))
    assert [(each.point, each.kind.value, each.active) for each in signals] == [(point, "call_point", True)]
    assert len(output.write) == 1, "and it is asked for again"
    signals, _ = said(driver, make.gb(bytes((kind, 1)) + body.replace(b"\x04", b"\x01") + bytes(6)))
    assert signals == [], "a reset out of a refused message takes nothing back"


def test_a_torn_message_without_a_whole_object_is_the_panels_fire(building):
    building.run(2 * S)
    building.device.panel.spoil = "torn"
    building.device.panel.heads["smoke"].fire = True
    building.run(500)
    assert building.last("SignalReading", active=True).point == "unit"
    assert building.last("SignalReading", active=True).kind.value == "panel_fire"


def test_a_refused_message_without_fire_moves_nothing(building):
    building.run(2 * S)
    before = len(building.of("SignalReading"))
    building.device.panel.spoil = "bad_count"
    building.device.panel.mains_fault = True
    building.run(500)
    assert len(building.of("SignalReading")) == before
    assert building.device.nacked >= 1


def test_nothing_is_acknowledged_before_it_is_on_disk_and_the_unit_repeats_it(building):
    building.run(2 * S)
    building.commits = False
    acked = building.device.acked
    building.device.panel.heads["smoke"].fire = True
    building.run(5 * S)
    assert building.device.acked == acked
    building.commits = True
    building.run(8 * S)
    assert building.device.acked > acked
    assert len(building.of("SignalReading", point="1:1:3:1", active=True)) >= 2


def test_a_fire_of_the_time_without_a_connection_is_asked_for(building):
    building.run(2 * S)
    building.device.panel.heads["smoke"].fire = True
    building.device._told["smoke"] = 2  # the unit believes that it has told it
    building.reconnect()
    building.device._told["smoke"] = 2
    building.run(2 * S)
    assert building.last("SignalReading", point="unit").active is True


@pytest.mark.parametrize("answers", [True, False])
def test_a_unit_that_answers_no_question_is_a_good_unit(building, answers):
    building.device.panel.answers = answers
    building.run(120 * S)
    assert building.states()[-1] == ("ready", "")
    assert building.driver.silences == 0


def test_silence_is_told_and_ended(building):
    building.run(5 * S)
    building.device.panel.silent = True
    building.run(95 * S)
    assert building.states()[-1] == ("fault", "silent")
    assert building.last("PointHealth").online is False
    building.device.panel.silent = False
    building.run(30 * S)
    assert building.states()[-1] == ("ready", "")


@pytest.mark.parametrize("fault", ["noise", "split", "drop", "flip"])
def test_a_bad_line_loses_no_fire(building, fault):
    building.run(2 * S)
    building.device.set_faults(fault, building.now)
    building.device.panel.heads["smoke"].fire = True
    building.run(60 * S)
    assert building.of("SignalReading", point="1:1:3:1", active=True)
    kinds = {(item.point, item.kind.value) for item in building.of("SignalReading", active=True)}
    assert kinds <= {("1:1:3:1", "smoke"), ("unit", "panel_fire"), ("1:1", "panel_fire")}


def test_a_fire_of_the_wrong_unit_is_a_fire_and_a_fault_is_shown(make):
    driver = make_driver("gb26875", {"peer_address": 7})
    driver.opened(0)
    signals, output = said(driver, make.gb(b"\x02\x01" + make.component(2)))
    assert signals[0].active is True
    assert [item.problem for item in output.readings if type(item).__name__ == "DeviceHealth"] == ["wrong_unit"]


def test_start_and_end_bytes_inside_a_payload(make):
    driver = make_driver("gb26875", {"poll": False})
    driver.opened(0)
    frame = make.gb(b"\x02\x01" + make.component(2, zone=0x4040, position=0x2323, text=b"@@##@@##"))
    for at in range(len(frame)):
        output = driver.received(frame[at : at + 1], 0)
    (signal,) = [item for item in output.readings if type(item).__name__ == "SignalReading"]
    assert signal.point == "1:1:16448:8995"
    assert "@@##@@##" in signal.detail


def test_a_reserved_command_is_denied_and_a_user_command_is_not_answered(make):
    driver = make_driver("gb26875", {"poll": False})
    driver.opened(0)
    assert driver.received(make.gb(command=7), 0).write[0][26] == 6
    output = driver.received(make.gb(command=200, app=b"\x02\x05xyz"), 0)
    assert (output.write, output.acknowledge) == ([], [])


def test_analog_values(make):
    driver = make_driver("gb26875", {"poll": False})
    driver.opened(0)

    def analog(kind, raw):
        app = b"\x03\x01\x01\x01\x1f\x0a\x00\x05\x00" + bytes((kind,)) + (raw & 0xFFFF).to_bytes(2, "little")
        readings = driver.received(make.gb(app + bytes((0, 0, 8, 1, 1, 26))), 0).readings
        return next(item for item in readings if type(item).__name__ in {"MeterReading", "PressureReading"})

    assert analog(3, -55).temperature_c == -5.5
    assert analog(9, 12).current_a == 1.2
    assert analog(8, 2201).voltage_v == 220.1
    assert analog(4, 6).pressure_kpa == 600
    assert analog(5, 6055).pressure_kpa == 605.5


def test_poll_asks_behind_the_next_frame_and_other_commands_are_counted(building):
    building.run(5 * S)
    before = len(building.of("DeviceIdentity"))
    building.command(Poll())
    building.command(FieldOn(on=True))
    building.run(25 * S)
    assert len(building.of("DeviceIdentity")) == before + 1
    assert building.driver.ignored_commands == 1


# --- as unit ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def upload(rig):
    return rig(make_driver("gb26875", {"role": "unit", "own_address": 5, "peer_address": 6}), Centre())


def fire(point="1:1:10:2", state="fire", **more):
    return ReportFire(point=point, state=state, wall_ns=WALL, **more)


def test_a_fire_is_reported_literally_and_proven(upload):
    upload.run(S)
    upload.command(fire(text="一号车库烟感"))
    upload.run(S)
    (packet,) = upload.device.reports
    assert packet.unit[:2] == b"\x02\x01"
    assert packet.unit[2:4] == b"\x01\x01"
    assert packet.unit[5:9].hex() == "0a000200"
    assert int.from_bytes(packet.unit[9:11], "little") == 0b11, "fire, and no test"
    assert packet.unit[11:42].rstrip(b"\0").decode("gb18030") == "一号车库烟感"
    assert tuple(packet.unit[-6:]) == (20, 13, 22, 21, 9, 26), "China time of 2026-09-21T14:13:20Z"
    assert (packet.source, packet.target) == (5, 6)
    assert upload.last("OutputReading").accepted is True


@pytest.mark.parametrize(("point", "kind"), [("1:1", 1), ("3:2:1:1:23", 2), ("zone/B1", 21), ("999:1:1:1", 21)])
def test_every_point_is_reported_somehow(upload, point, kind):
    upload.command(fire(point))
    upload.run(S)
    assert [packet.unit[0] for packet in upload.device.reports] == [kind]


def test_fire_goes_before_everything_that_waits(upload):
    upload.device.desk.mute = True
    for number in range(20):
        upload.command(fire(f"1:1:1:{number}", "fault"))
    before = len(upload.written)
    output = upload.command(fire("1:1:2:1"))
    assert len(output.write) == 1
    assert upload.written[before][27] == 2
    upload.device.desk.mute = False
    upload.run(60 * S)
    assert len(upload.device.reports) == 21


def test_a_mute_centre_hears_it_again_until_it_answers(upload):
    upload.device.desk.mute = True
    upload.command(fire())
    upload.run(40 * S)
    assert upload.states()[-1] in {("fault", "not_acknowledged"), ("fault", "silent")}
    upload.device.desk.mute = False
    upload.run(10 * S)
    assert len(upload.device.reports) == 1
    assert upload.states()[-1] == ("ready", "")


def test_a_lost_connection_loses_no_report(upload):
    upload.device.desk.mute = True
    upload.command(fire("1:1:1:1", "fault"))
    upload.command(fire("1:1:1:2"))
    upload.run(S)
    upload.carry(upload.driver.closed(upload.now))
    upload.command(fire("1:1:1:3"))
    upload.device.desk.mute = False
    upload.carry(upload.driver.opened(upload.now))
    upload.run(10 * S)
    points = [int.from_bytes(packet.unit[7:9], "little") for packet in upload.device.reports]
    assert sorted(points) == [1, 2, 3]
    assert points[-1] == 1, "the fires first"


def last_status(upload):
    """What the centre heard last of the point of ``fire``: repeats count as well."""
    frames = [frame for frame in upload.written if frame[27:29] == b"\x02\x01"]
    return int.from_bytes(frames[-1][36:38], "little")


@pytest.mark.parametrize(
    "words", [("normal", "fire"), ("fire", "normal"), ("fire", "normal", "fire"), ("fault", "fire")]
)
@pytest.mark.parametrize("reconnects", [False, True])
def test_what_the_centre_hears_last_of_a_point_is_its_newest_word(upload, words, reconnects):
    upload.run(S)
    upload.device.desk.mute = True
    for word in words:
        upload.command(fire(state=word))
        upload.run(S)
    if reconnects:
        upload.reconnect()
    upload.run(20 * S)
    upload.device.desk.mute = False
    upload.run(60 * S)
    assert last_status(upload) == {"fire": 0b11, "normal": 0b01}[words[-1]]
    assert upload.last("OutputReading").detail == f"reported:{words[-1]}"


def test_a_denied_report_is_given_up_but_a_fire_never(upload):
    upload.device.desk.denies = True
    upload.command(fire("1:1:1:1", "fault"))
    upload.command(fire("1:1:1:2"))
    upload.run(120 * S)
    assert upload.of("OutputReading", point="1:1:1:1")[-1].accepted is False
    assert upload.of("OutputReading", point="1:1:1:2") == []
    assert upload.device.repeats > 10
    upload.device.desk.denies = False
    upload.run(20 * S)
    assert upload.of("OutputReading", point="1:1:1:2")[-1].accepted is True


def test_what_waits_is_bounded_and_fires_stay(upload):
    upload.carry(upload.driver.closed(upload.now))
    for number in range(50):
        upload.command(fire(f"1:1:1:{number}"))
    for number in range(1000):
        upload.command(fire(f"1:1:2:{number}", "fault"))
    assert upload.driver.dropped == 50 + 1000 - 256
    upload.carry(upload.driver.opened(upload.now))
    upload.run(20 * S)
    zones = [int.from_bytes(packet.unit[5:7], "little") for packet in upload.device.reports]
    assert zones.count(1) == 50
    assert zones[:50] == [1] * 50


def test_the_same_fire_told_every_second_is_one_report_under_way(upload):
    upload.device.desk.mute = True
    for _ in range(100):
        upload.command(fire())
    assert len([frame for frame in upload.written if frame[27:29] == b"\x02\x01"]) == 1


def test_questions_are_answered_and_initialising_is_denied(upload):
    upload.command(fire())
    upload.run(S)
    for question in (81, 61, 85, 88):
        upload.device.ask(question, upload.now)
        upload.run(S)
    assert [packet.command for packet in upload.device.replies] == [5, 5, 5, 5]
    assert [packet.unit[0] for packet in upload.device.replies] == [21, 1, 25, 28]
    assert upload.device.replies[0].unit[2] & 2, "we are on fire"
    for command, question, answer in ((1, 90, 3), (1, 91, 3), (1, 89, 6), (4, 61 + 2, 6)):
        upload.device.ask(question, upload.now, command)
        upload.run(S)
        assert upload.device.replies[-1].command == answer


def test_heartbeats_carry_the_time_that_was_told(upload):
    upload.run(S)
    assert upload.written[0][6:12] == bytes((0, 0, 0, 1, 1, 0)), "recognisably unset"
    upload.command(SetClock(WALL))
    upload.run(70 * S)
    assert upload.device.heartbeats >= 3
    assert upload.written[-1][11] == 26


@pytest.mark.parametrize("role", ["centre", "unit"])
def test_each_role_takes_the_options_of_both(role):
    """A site file's options are tried one by one, without the role that they are for."""
    make_driver("gb26875", {"role": role, "ack_timeout_ms": 900, "poll": False})


def test_wrong_options_are_named():
    with pytest.raises(LocalProtocolError, match="role"):
        make_driver("gb26875", {"role": "both"})
    with pytest.raises(LocalProtocolError, match="ack_timeout_ms"):
        make_driver("gb26875", {"ack_timeout_ms": 99})
