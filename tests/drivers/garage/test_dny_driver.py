"""The DNY driver against simulated boards behind a radio module."""

import itertools

import pytest

from drivers.driver import LocalProtocolError
from drivers.registry import make_driver
from edge.domain.devices import FieldOn
from edge.domain.field_devices import Operate, Poll, SetClock
from firmware_sim.dny import Module

S = 1000
NS = 1_000_000_000
ONE, TWO = "04a26cf3", "04a228cd"


def on(point, **more):
    return Operate(point=point, on=True, command_id=f"on {point}", **more)


def off(point):
    return Operate(point=point, on=False, command_id=f"off {point}")


@pytest.fixture
def module(rig):
    rig = rig(make_driver("dny", {}), Module((ONE, TWO), ports=10))
    for board in rig.device.boards.values():
        for socket in board:
            socket.bike_w = 150.0
    rig.run(2 * S)
    return rig


def test_boards_register_and_tell_their_ports(module):
    assert {item.serial for item in module.of("DeviceIdentity")} == {ONE, TWO}
    assert module.states()[-1] == ("ready", "")
    state = module.last("OutputReading", point=f"{TWO}:10")
    assert (state.on, state.plugged, state.fault) == (False, True, "")
    assert module.last("MeterReading", point=ONE).voltage_v == 237.4


def test_a_charge_from_start_to_settlement(module):
    module.command(on(f"{ONE}:2"))
    module.run(20 * S)
    assert module.of("OutputReading", command_id=f"on {ONE}:2")[0].accepted is True
    assert module.last("MeterReading", point=f"{ONE}:2").power_w == 150
    assert module.device.commands[0][:3] == (ONE, 1, True), "ports count from 0 on the wire"
    module.run(600 * S)
    module.device.boards[ONE][1].bike_w = 0
    module.run(2 * S)
    ended = module.last("SessionReading")
    assert (ended.session, ended.end_reason) == (f"on {ONE}:2", "unplugged")
    assert ended.energy_wh == pytest.approx(150 * 618 / 3600, abs=10)
    assert module.device.settled == 1


def test_a_stop_is_accepted_also_when_the_port_is_off_already(module):
    module.command(off(f"{ONE}:1"))
    module.run(S)
    answer = module.of("OutputReading", command_id=f"off {ONE}:1")[0]
    assert (answer.accepted, answer.on) == (True, False)


def test_a_start_that_is_refused_says_so(module):
    module.device.boards[ONE][0].bike_w = 0
    module.command(on(f"{ONE}:1"))
    module.command(on(f"{ONE}:200"))
    module.run(2 * S)
    assert [item.accepted for item in module.of("OutputReading") if item.command_id] == [False, False]


def test_stops_go_before_all_starts_and_reach_every_port(module):
    for number in range(1, 11):
        module.command(on(f"{ONE}:{number}"))
    module.run(100)
    cut_at = module.now
    for number in range(1, 11):
        module.command(off(f"{TWO}:{number}"))
    module.run(3 * S)
    heard = [(board, is_on) for board, _, is_on, at in module.device.commands if at >= cut_at]
    assert heard[:10] == [(TWO, False)] * 10
    assert {port for board, port, is_on, _ in module.device.commands if board == TWO} == set(range(10))
    assert module.device.unheard == 0
    times = [at for board, _, is_on, at in module.device.commands if board == TWO]
    assert times[-1] - cut_at < NS


def test_a_stop_removes_a_waiting_start_of_its_port(module):
    module.command(on(f"{ONE}:1"))
    module.command(on(f"{ONE}:2"))
    module.command(off(f"{ONE}:2"))
    module.run(3 * S)
    assert [(port, is_on) for _, port, is_on, _ in module.device.commands] == [(0, True), (1, False)]


def test_starts_keep_their_distance_and_expire(module):
    first = module.now
    for number in range(1, 5):
        module.command(on(f"{ONE}:{number}", expires_mono_ns=first + 1_200_000_000))
    module.run(4 * S)
    times = [at - first for *_, at in module.device.commands]
    assert len(times) == 3
    assert all(later - earlier >= 480_000_000 for earlier, later in itertools.pairwise(times))
    assert module.of("OutputReading", accepted=False)[-1].command_id == f"on {ONE}:4"


def test_too_many_starts_are_refused_but_no_stop_is(rig):
    rig = rig(make_driver("dny", {"gap_ms": 5000}), Module((ONE,), ports=2))
    for number in range(1, 100):
        rig.command(on(f"{ONE}:{number}"))
    for number in range(1, 200):
        rig.command(off(f"{ONE}:{number}"))
    assert rig.driver.ignored_commands == 99 - 64 - 1
    rig.run(20 * S)
    assert len({frame[17] for frame in rig.written if frame[11] == 0x82 and frame[18] == 0}) == 199


def test_nothing_is_sent_later_over_a_new_connection(module):
    module.command(on(f"{ONE}:1"))
    module.command(on(f"{ONE}:2"))
    module.carry(module.driver.closed(module.now))
    module.carry(module.driver.opened(module.now))
    module.run(5 * S)
    assert len(module.device.commands) == 1


def test_a_module_that_only_says_link_has_no_boards(module):
    module.device.radio.dead_boards = True
    first = len(module.readings)
    module.run(150 * S)
    assert "link" in {item.detail for item in module.readings[first:] if type(item).__name__ == "PointHealth"}
    assert not any(item.point for item in module.readings[first:] if type(item).__name__ == "PointHealth")


def test_silence_of_the_boards_behind_a_living_module_is_told(module):
    module.device.radio.dead_boards = True
    module.run(300 * S)
    assert module.states()[-1] == ("fault", "silent")
    assert {item.point for item in module.of("PointHealth", online=False)} == {ONE, TWO}


def test_one_silent_board_among_living_ones_is_told(module, make):
    for _ in range(25):
        module.run(10 * S)
        module.device.boards.pop(TWO, None)
    assert [item.point for item in module.of("PointHealth", online=False)] == [TWO]
    assert module.states()[-1] == ("ready", "")


def test_a_welded_relay(module):
    module.device.boards[ONE][0].welded = True
    module.run(61 * S)
    state = module.last("OutputReading", point=f"{ONE}:1")
    assert (state.on, state.fault) == (None, "welded")
    assert module.last("MeterReading", point=f"{ONE}:1").power_w == 150


def test_a_settlement_is_told_until_it_is_on_disk(module):
    module.command(on(f"{ONE}:1"))
    module.run(S)
    module.commits = False
    module.command(off(f"{ONE}:1"))
    module.run(20 * S)
    assert module.device.settled == 0
    module.commits = True
    module.run(20 * S)
    assert module.device.settled == 1


def test_time_alarm_poll_and_strangers(module, make):
    assert module.driver.received(make.dny(0x22), module.now).write == []
    module.command(SetClock(1_790_000_000 * NS))
    (reply,) = module.driver.received(make.dny(0x22), module.now).write
    assert int.from_bytes(reply[12:16], "little") == 1_790_000_000
    output = module.driver.received(make.dny(0x42, b"\x01\x02"), module.now)
    assert [item.problem for item in output.readings if type(item).__name__ == "DeviceHealth"] == ["board_alarm"]
    assert len(module.command(Poll()).write) == 2
    for command in (FieldOn(on=True), on("7"), on(f"{ONE}:0"), on("XYZ:1"), Poll("00000000")):
        module.command(command)
    assert module.driver.ignored_commands == 5


@pytest.mark.parametrize("fault", ["noise", "split", "drop", "flip"])
def test_a_bad_line_never_invents_a_board_or_port(module, fault):
    module.device.set_faults(fault, module.now)
    module.run(300 * S)
    points = {item.point.partition(":")[0] for item in module.of("OutputReading")}
    assert points <= {ONE, TWO}


def test_published_frames_that_fail_their_sum_move_nothing(vectors):
    driver = make_driver("dny", {})
    driver.opened(0)
    bad = [vector for vector in vectors("dny") if vector["expect"].get("errors")]
    assert bad
    for vector in bad:
        driver.received(bytes.fromhex(vector["input"]), 0)
        assert driver.tick(10 * NS).readings == []


def test_wrong_options_are_named():
    with pytest.raises(LocalProtocolError, match="cut_gap_ms"):
        make_driver("dny", {"cut_gap_ms": 5000})


def test_the_settlement_of_the_charge_before_told_again_does_not_end_the_next_one(module):
    point = f"{ONE}:1"
    module.command(on(point))
    module.run(S)
    module.commits = False
    module.command(off(point))
    module.run(S)
    assert module.last("SessionReading").session == f"on {point}"
    module.commits = True
    module.command(Operate(point=point, on=True, command_id="next"))
    module.run(60 * S)
    assert module.device.settled == 1, "the board may forget it"
    assert [item.session for item in module.of("SessionReading")] == [f"on {point}"]
    module.command(off(point))
    module.run(S)
    assert module.last("SessionReading").session == "next"
