"""The DC589 driver against the simulated board."""

import pytest

from drivers.driver import LocalProtocolError
from drivers.registry import make_driver
from edge.domain.devices import FieldOn
from edge.domain.field_devices import Operate, Poll, SetClock
from firmware_sim.dc589 import Board

S = 1000
NS = 1_000_000_000


def on(port, **more):
    return Operate(point=str(port), on=True, command_id=more.pop("command_id", f"on{port}"), **more)


def off(port, **more):
    return Operate(point=str(port), on=False, command_id=f"off{port}", **more)


@pytest.fixture
def board(rig):
    rig = rig(make_driver("dc589", {}), Board(10))
    rig.run(5 * S)
    return rig


def test_login_ports_and_identity(board):
    identity = board.last("DeviceIdentity")
    assert (identity.serial, identity.model, identity.firmware) == ("5348240514082652", "DC589-V2", "SW589:513")
    assert board.states()[-1] == ("ready", "")
    assert board.device.power.tells_ports
    assert board.last("OutputReading", point="10").on is False
    assert board.last("MeterReading", point="board").temperature_c == 25


def test_a_charge_from_start_to_end(board):
    board.device.ports[2].bike_w = 180.5
    board.command(on(3))
    board.run(4 * S)
    assert board.of("OutputReading", command_id="on3")[0].accepted is True
    assert board.of("SessionReading")[0].session == "on3"
    assert board.last("OutputReading", point="3").on is True
    board.run(60 * S)
    meter = board.last("MeterReading", point="3")
    assert meter.power_w == 180.5
    assert meter.energy_wh == pytest.approx(180.5 * 60 / 3600, abs=1.5)
    board.device.ports[2].bike_w = 0
    board.run(5 * S)
    ended = board.last("SessionReading")
    assert (ended.phase, ended.session, ended.end_reason) == ("ended", "on3", "unplugged")
    assert board.device.acked_ends == 1


def test_a_stop_leaves_at_once_and_ten_hex_is_stopped(board):
    board.device.ports[0].bike_w = 100
    board.command(on(1))
    board.run(4 * S)
    output = board.command(off(1))
    assert [frame[2] for frame in output.write] == [0xB9]
    board.run(300)
    answer = board.of("OutputReading", command_id="off1")[0]
    assert (answer.accepted, answer.on) == (True, False)
    board.run(4 * S)
    assert board.last("MeterReading", point="1").power_w == 0
    assert board.last("OutputReading", point="1").on is False


@pytest.mark.parametrize(("code", "fault"), [(0x00, ""), (0x04, "output_fault"), (0x55, "")])
def test_any_other_code_is_no_stop(board, make, code, fault):
    board.device.power.silent = True
    board.command(off(1))
    output = board.carry(board.driver.received(make.dc(0xBA, bytes((code, 1))), board.now))
    (answer,) = [item for item in output.readings if type(item).__name__ == "OutputReading"]
    assert answer.on is None
    assert answer.fault == fault
    assert answer.accepted is (None if code == 0x55 else False)
    assert "1" not in [item.point for item in output.readings if type(item).__name__ == "MeterReading"]


def test_zero_power_is_never_said_without_a_confirmed_stop(board):
    assert board.of("MeterReading", point="1") == []
    board.device.ports[0].bike_w = 100
    board.command(on(1))
    board.run(5 * S)
    board.device.ports[0].bike_w = 0
    board.device.ports[0].closed = False  # lost without a word
    first = len(board.readings)
    board.run(10 * S)
    assert not [item for item in board.readings[first:] if type(item).__name__ == "MeterReading" and item.point == "1"]


def test_a_welded_relay_is_told_and_no_zero_is_made_up(board):
    board.device.ports[0].bike_w = 100
    board.command(on(1))
    board.run(4 * S)
    board.device.ports[0].welded = True
    board.command(off(1))
    first = len(board.readings)
    board.run(5 * S)
    state = board.last("OutputReading", point="1")
    assert (state.on, state.fault) == (None, "welded")
    meters = [item for item in board.readings[first:] if type(item).__name__ == "MeterReading" and item.point == "1"]
    assert all(item.power_w for item in meters)


@pytest.mark.parametrize(("smoke", "kind"), [(True, "smoke"), (False, "heat")])
def test_smoke_and_heat_of_the_board_are_signals(board, smoke, kind):
    board.device.power.smoke = smoke
    board.device.power.temperature_c = 25 if smoke else 90
    board.run(200)
    assert board.last("SignalReading", active=True).kind.value == kind
    assert board.last("OutputReading", point="1").fault == ("smoke" if smoke else "overheat")
    board.device.power.smoke, board.device.power.temperature_c = False, 25
    board.run(4 * S)
    assert {item.active for item in board.of("SignalReading")[-2:]} == {False}


def test_smoke_in_a_heartbeat_that_is_refused_counts(board, make):
    heartbeat = bytes(17) + b"\x02\xdc\x00\x4b\x01\x01\x01" + b"\x01\x01\x00\x3c" + bytes(9)
    output = board.driver.received(make.dc(0xA4, heartbeat), board.now)
    (signal,) = [item for item in output.readings if type(item).__name__ == "SignalReading"]
    assert (signal.kind.value, signal.active) == ("smoke", True)


def test_a_board_that_tells_no_ports_has_unknown_ports(rig):
    rig = rig(make_driver("dc589", {}), Board(4))
    rig.device.power.ignores_a6 = True
    rig.run(30 * S)
    assert rig.of("OutputReading") == []
    assert rig.of("MeterReading") == []
    assert rig.states()[-1] == ("fault", "ports_not_told")
    rig.device.power.ignores_a6 = False
    rig.run(40 * S)
    assert rig.states()[-1] == ("ready", "")
    assert rig.of("OutputReading", point="4")


def test_a_big_board_tells_its_ports_in_two_frames(rig):
    rig = rig(make_driver("dc589", {}), Board(20))
    rig.run(5 * S)
    for number, outlet in enumerate(rig.device.ports, 1):
        outlet.bike_w = 100.0 + number
        rig.command(on(number))
    rig.run(10 * S)
    for number in range(1, 21):
        assert rig.last("MeterReading", point=str(number)).power_w == 100 + number
        assert rig.last("OutputReading", point=str(number)).on is True
    rig.command(off(20))
    rig.run(10 * S)
    # Half of the records are in each frame: none of them is complete, so none proves a zero.
    assert rig.last("MeterReading", point="20").power_w == 120
    assert rig.last("OutputReading", point="20").on is False


def test_a_silent_board_is_told_and_proves_nothing_any_more(board):
    board.device.power.silent = True
    board.run(11 * S)
    assert board.states()[-1] == ("fault", "silent")
    assert board.last("PointHealth", point="board").online is False


def test_an_expired_start_is_not_sent_and_a_stop_always_is(board):
    board.command(on(1, expires_mono_ns=board.now - 1))
    board.command(off(1, expires_mono_ns=board.now - 1))
    board.run(S)
    assert (board.device.starts, board.device.stops) == ([], [1])
    assert board.driver.ignored_commands == 1


def test_a_start_is_sent_once_and_never_after_a_reconnect(board):
    board.device.power.deaf = True
    board.command(on(1))
    board.run(5 * S)
    board.device.power.deaf = False
    board.reconnect()
    board.run(10 * S)
    assert board.device.starts == []


def test_the_end_is_acknowledged_only_from_the_disk_and_told_again_until_then(board):
    board.device.ports[0].bike_w = 100
    board.command(on(1))
    board.run(4 * S)
    board.commits = False
    board.command(off(1))
    board.run(15 * S)
    assert board.device.acked_ends == 0
    assert len([item for item in board.of("SessionReading") if item.phase == "ended"]) == 2
    board.commits = True
    board.run(15 * S)
    assert board.device.acked_ends == 1


@pytest.mark.parametrize(("late", "reason", "told"), [(True, 8, "smoke"), (True, 2, "full"), (False, 9, "hot")])
def test_the_reason_of_the_end_stands_in_one_of_two_bytes(board, late, reason, told):
    board.device.power.late_reason = late
    board.device.ports[0].bike_w = 100
    board.command(on(1))
    board.run(4 * S)
    board.device.ports[0].closed = False
    board.device._end(1, reason, board.now)
    board.run(S)
    assert board.last("SessionReading").end_reason == told


def test_the_consumer_type_of_our_own_charges_is_not_taken_for_full(board, make):
    data = bytearray(44)
    data[1], data[29] = 1, 2
    output = board.driver.received(make.dc(0xBB, data), board.now)
    assert next(item for item in output.readings if type(item).__name__ == "SessionReading").end_reason == "unknown"


def test_a_temperature_guard_that_is_off_is_a_fault(rig):
    rig = rig(make_driver("dc589", {}), Board(2))
    rig.device.power.guard_c = 0xFF
    rig.run(5 * S)
    assert rig.states()[-1] == ("fault", "temperature_guard")
    assert rig.last("OutputReading", point="2").on is False


def test_cards_time_and_questions(board, make):
    card = board.driver.received(bytes.fromhex("EE12B60000000000000201020C010A00000000A2"), board.now).readings[0]
    assert (card.point, card.card) == ("2", "010c0201")
    board.command(SetClock(1_790_000_000 * NS))
    (reply,) = board.driver.received(make.dc(0xA8, bytes(6)), board.now).write
    assert reply[9:15].hex() == "260921221320"
    assert board.driver.received(make.dc(0xD0, b"\x00\x01\x02\x03\x04"), board.now).write[0][9] == 1
    assert board.command(Poll()).write[0][2] == 0xA6
    board.command(FieldOn(on=True))
    board.command(on("board"))
    board.command(on("256"))
    assert board.driver.ignored_commands == 3


@pytest.mark.parametrize("fault", ["noise", "split", "drop", "flip"])
def test_a_bad_line_never_invents_a_port(board, fault):
    board.device.set_faults(fault, board.now)
    board.device.ports[1].bike_w = 90
    board.run(120 * S)
    assert {item.on for item in board.of("OutputReading", point="1")} == {False}
    board.device.set_faults("none", board.now)
    board.run(20 * S)
    assert board.states()[-1] == ("ready", "")


def test_wrong_options_are_named():
    with pytest.raises(LocalProtocolError, match="limit_min"):
        make_driver("dc589", {"limit_min": 0})


def test_the_end_of_the_charge_before_told_again_does_not_end_the_next_one(board):
    board.device.ports[0].bike_w = 100
    board.command(on(1))
    board.run(4 * S)
    board.commits = False
    board.command(off(1))
    board.run(S)
    board.commits = True
    board.command(on(1, command_id="next"))
    board.run(20 * S)
    assert board.device.acked_ends == 1, "the board may forget it"
    ended = [item.session for item in board.of("SessionReading") if item.phase == "ended"]
    assert ended == ["on1"]
    assert board.last("OutputReading", point="1").on is True
    board.device.ports[0].bike_w = 0
    board.run(5 * S)
    assert board.last("SessionReading").session == "next"
