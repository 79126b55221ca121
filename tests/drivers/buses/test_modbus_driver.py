"""The Modbus driver on simulated relay boards: contactors, switches, gauges, echo, welds, watchdogs, bad lines."""

import struct

import pytest

from drivers.driver import LocalProtocolError
from drivers.modbus.echo import Echo
from drivers.registry import make_driver
from edge.domain.field_devices import Operate, Poll, SignalKind
from firmware_sim.line import LineSettings
from firmware_sim.modbus import Board, BoardBus

MS = 1_000_000
MAP = """
k1 output coil:0
k1 contact discrete:0
k2 output coil:1
siren output coil:5 invert
main flow discrete:8
main tamper discrete:9 invert
main pressure_kpa input:0 scale=0.1
feed power_w input:2 type=s32 order=cdab
feed current_a input:4 type=f32 order=badc
feed temperature_c holding:7 type=s16 scale=0.1 offset=-50
panel panel_fire input:6.3
"""


def board(**more):
    made = Board(contacts={0: 0, 1: 1}, **more)
    made.registers[0] = 6050
    made.registers[2:4] = [0xFF38, 0xFFFF]  # -200, low word first
    made.registers[4:6] = struct.unpack(">HH", bytes(struct.pack(">f", 1.5)[at] for at in (1, 0, 3, 2)))
    made.registers[6] = 0b1000
    made.holding[7] = 750
    return made


def line_of(tcp=False, boards=None, **more):
    speed = LineSettings(100_000_000, "N") if tcp else LineSettings(9600, "N")
    return BoardBus(boards or {"b1": board(**more)}, line=speed, tcp=tcp)


def off(point, command_id="c"):
    return Operate(point=point, on=False, command_id=command_id)


def on(rig, point, command_id="c", **more):
    return Operate(point=point, on=True, command_id=command_id, expires_mono_ns=rig.now + 3_000 * MS, **more)


def states(rig, point):
    return [r.on for r in rig.of("OutputReading", point) if r.on is not None]


@pytest.mark.parametrize("tcp", [False, True])
def test_everything_of_the_map_is_read(rig, tcp):
    line = line_of(tcp)
    line.boards["b1"].inputs[8] = True
    bus = rig("modbus", {"map": MAP, "framing": "tcp" if tcp else "rtu"}, line)
    bus.run(1_500)
    assert bus.health() == [("connecting", ""), ("ready", "")]
    assert [r.active for r in bus.of("SignalReading", "main") if r.kind is SignalKind.FLOW] == [True]
    assert [r.active for r in bus.of("SignalReading", "main") if r.kind is SignalKind.TAMPER] == [True]
    assert [r.active for r in bus.of("SignalReading", "panel")] == [True]
    assert bus.of("PressureReading")[-1].pressure_kpa == 605.0
    assert {r.power_w for r in bus.of("MeterReading", "feed")} == {-200.0, None}
    assert {r.current_a for r in bus.of("MeterReading", "feed")} == {1.5, None}
    assert {r.temperature_c for r in bus.of("MeterReading", "feed")} == {25.0, None}
    assert (states(bus, "k1"), states(bus, "k2"), states(bus, "siren")) == ([False], [False], [True])


@pytest.mark.parametrize("tcp", [False, True])
def test_a_contactor_is_closed_and_cut_and_its_contact_tells(rig, tcp):
    line = line_of(tcp)
    bus = rig("modbus", {"map": MAP, "framing": "tcp" if tcp else "rtu"}, line)
    bus.run(1_000)
    bus.command(on(bus, "k1", "close"))
    bus.run(800)
    assert line.boards["b1"].coils[0]
    assert states(bus, "k1")[-1] is True
    asked, told = len(bus.asked), bus.now_ms
    bus.command(off("k1", "cut"))
    bus.run_until(lambda: states(bus, "k1")[-1] is False)
    assert bus.asked[asked][1][-6:-2] == b"\0\0\0\0" or tcp, "the cut is the next frame"
    print(f"{'tcp' if tcp else 'rtu'}: contact proven open {bus.now_ms - told:.0f} ms after the command")
    answers = [(r.command_id, r.accepted, r.on) for r in bus.of("OutputReading", "k1") if r.command_id]
    assert answers == [("close", True, None), ("cut", True, None)]


def test_a_function_05_echo_is_not_taken_for_the_relays_word(rig):
    """The adapter echoes, the board is dead: its request comes back byte for byte."""
    boards = {"b1": board(), "b2": board(unit=2)}
    line = line_of(boards=boards)
    line.echo = True
    bus = rig("modbus", {"map": MAP + "far output coil:3 unit=2\n"}, line)
    bus.run(2_000)
    assert bus.driver.echo.state is Echo.PRESENT
    boards["b2"].dead = True
    bus.command(off("far"))
    bus.run(2_000)
    assert [r for r in bus.of("OutputReading", "far") if r.accepted] == []
    bus.command(off("k1", "near"))
    bus.run(1_000)
    assert [r.accepted for r in bus.of("OutputReading", "k1") if r.command_id] == [True]
    assert bus.health()[-1] == ("ready", "")


def test_a_line_without_echo_is_learned_too(rig):
    bus = rig("modbus", {"map": MAP}, line_of())
    bus.run(1_000)
    assert bus.driver.echo.state is Echo.ABSENT
    assert bus.driver.echo.dropped == 0


def test_an_echo_that_is_cut_short_holds_nothing_back_for_long(rig):
    line = line_of()
    line.echo = True
    bus = rig("modbus", {"map": MAP}, line)
    bus.run(1_000)
    line.set_faults("drop", bus.now)
    bus.run(20_000)
    line.set_faults("none", bus.now)
    bus.run(12_000)
    assert bus.health()[-1] == ("ready", "")
    assert bus.of("PointHealth", "k1")[-1].online


def test_a_welded_contactor_is_told_and_its_cut_begins_anew(rig):
    line = line_of()
    bus = rig("modbus", {"map": MAP}, line)
    bus.command(on(bus, "k1", "close"))
    bus.run(1_000)
    line.boards["b1"].welded.add(0)
    bus.command(off("k1", "cut"))
    bus.run(3_000)
    assert "welded" in {r.fault for r in bus.of("OutputReading", "k1")}
    assert states(bus, "k1")[-1] is True


def test_a_lying_relay_is_seen_by_its_contact(rig):
    line = line_of()
    bus = rig("modbus", {"map": MAP}, line)
    bus.command(on(bus, "k1", "close"))
    bus.run(1_000)
    line.boards["b1"].lying.add(0)
    bus.command(off("k1", "cut"))
    bus.run(2_500)
    assert not line.boards["b1"].coils[0]
    assert states(bus, "k1")[-1] is True


def test_a_watchdog_relay_falls_off_unless_told_again(rig):
    line = line_of(watchdog_register=100)
    bus = rig("modbus", {"map": "zone output coil:0 hold=100/100\nzone contact discrete:0"}, line)
    for _ in range(6):
        bus.command(on(bus, "zone", "again", hold_s=5))
        bus.run(1_700)
    assert line.boards["b1"].holding[100] == 50
    assert states(bus, "zone")[-1] is True
    bus.run(6_000)
    assert line.boards["b1"].fell_off == 1
    assert states(bus, "zone")[-1] is False


def test_a_cut_while_the_hold_time_is_written_wins(rig):
    line = line_of(watchdog_register=100)
    bus = rig("modbus", {"map": "zone output coil:0 hold=100/100"}, line)
    bus.run(1_000)
    bus.command(on(bus, "zone", "close", hold_s=5))
    bus.run_until(lambda: bus.asked[-1][1][1] == 6)
    bus.command(off("zone", "cut"))
    bus.run(2_000)
    assert not line.boards["b1"].coils[0]
    answers = {r.command_id: (r.accepted, r.detail) for r in bus.of("OutputReading") if r.command_id}
    assert answers == {"close": (False, "a cut came"), "cut": (True, "")}


def test_an_output_in_a_register(rig):
    line = line_of()
    bus = rig("modbus", {"map": "fan output holding:3 on=170 off=85"}, line)
    bus.command(on(bus, "fan"))
    bus.run(700)
    assert (line.boards["b1"].holding[3], states(bus, "fan")[-1]) == (170, True)
    bus.command(off("fan"))
    bus.run(700)
    assert (line.boards["b1"].holding[3], states(bus, "fan")[-1]) == (85, False)


def test_an_inverted_output_in_a_register_reads_back_as_it_was_told(rig):
    line = line_of()
    bus = rig("modbus", {"map": "fan output holding:3 on=170 off=85 invert"}, line)
    bus.command(on(bus, "fan"))
    bus.run(700)
    assert (line.boards["b1"].holding[3], states(bus, "fan")[-1]) == (85, True)
    bus.command(off("fan"))
    bus.run(700)
    assert (line.boards["b1"].holding[3], states(bus, "fan")[-1]) == (170, False)


def test_exceptions_are_told_and_are_no_values(rig):
    line = line_of()
    text = "gone flow discrete:500\ngone2 power_w input:900\nout output coil:700\nmain flow discrete:8"
    bus = rig("modbus", {"map": text}, line)
    bus.run(1_500)
    faults = bus.of("SignalReading", "gone")
    assert {(r.active, r.quality.value) for r in faults} == {(None, "fault")}
    assert "illegal_data_address" in bus.of("PointHealth", "gone2")[-1].detail
    assert bus.of("MeterReading") == []
    bus.command(off("out"))
    bus.run(1_000)
    assert {(r.accepted, r.detail) for r in bus.of("OutputReading", "out")} == {(False, "illegal_data_address")}
    assert bus.of("SignalReading", "main")[0].active is False


def test_one_dead_unit_does_not_hold_up_a_cut_of_another(rig):
    boards = {"b1": board(), "b2": board(unit=2)}
    boards["b2"].dead = True
    bus = rig("modbus", {"map": MAP + "x flow discrete:0 unit=2\ny output coil:0 unit=2\n"}, line_of(boards=boards))
    bus.run(5_000)
    assert [r.online for r in bus.of("PointHealth", "x")] == [False]
    for n in range(20):
        bus.command(off("y", f"y{n}"))
        bus.run(100)
        asked, told = len(bus.asked), bus.now_ms
        bus.command(off("k1" if n % 2 else "k2", f"cut-{n}"))
        bus.run_until(lambda: any(f[0] == 1 and f[1] == 5 for _, f in bus.asked[asked:]))  # noqa: B023
        begun = [f[0] for _, f in bus.asked[asked:]]
        assert begun.count(2) <= 1, "at most the dead unit's own cut comes first"
        assert bus.now_ms - told < 1_000
        bus.run(900)


def test_unchanged_states_are_told_every_two_seconds_and_changes_at_once(rig):
    line = line_of()
    bus = rig("modbus", {"map": "main flow discrete:8", "poll_ms": 100}, line)
    bus.run(10_500)
    assert 5 <= len(bus.of("SignalReading")) <= 7
    line.boards["b1"].inputs[8] = True
    bus.run(200)
    assert bus.of("SignalReading")[-1].active is True


@pytest.mark.parametrize("fault", ["noise", "split", "drop", "flip"])
def test_a_bad_line_delays_but_never_lies(rig, fault):
    line = line_of()
    bus = rig("modbus", {"map": MAP}, line)
    line.set_faults(fault, bus.now)
    bus.run(20_000)
    assert {r.pressure_kpa for r in bus.of("PressureReading")} == {605.0}
    assert {r.active for r in bus.of("SignalReading", "main") if r.kind is SignalKind.FLOW} == {False}
    for n in range(5):
        bus.command(off("k2", f"cut-{n}"))
        bus.run(1_000)
    assert any(r.accepted for r in bus.of("OutputReading", "k2"))
    line.set_faults("none", bus.now)
    bus.run(12_000)
    assert bus.health()[-1] == ("ready", "")


def test_wrong_parity_and_two_boards_with_one_address(rig):
    line = line_of(boards={"b1": board(), "twin": board()})
    line.boards["twin"].registers[0] = 1
    line.wrong_parity = True
    bus = rig("modbus", {"map": MAP}, line)
    bus.run(10_000)
    assert bus.health()[-1] == ("fault", "unreadable")
    line.wrong_parity = False
    bus.run(12_000)
    assert line.collisions
    assert {r.pressure_kpa for r in bus.of("PressureReading")} <= {605.0}, "a collision is no value"


def test_poll_asks_at_once(rig):
    bus = rig("modbus", {"map": MAP, "poll_ms": 60_000}, line_of())
    bus.run(1_000)
    count = len(bus.of("PressureReading"))
    bus.command(Poll("main"))
    bus.run(500)
    assert len(bus.of("PressureReading")) == count + 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"map": "k1 output discrete:0"}, "a coil or a whole holding register"),
        ({"map": "k1 output coil:0; k1 output coil:1"}, "at most one output"),
        ({"map": "k1 contact holding:0"}, "are bits"),
        ({"map": "k1 power_w coil:0"}, "are bits"),
        ({"map": "k1 flow coil:0.3"}, "16-bit register"),
        ({"map": "k1 power_w input:0 type=f64"}, "types are"),
        ({"map": "k1 power_w input:65535 type=f32"}, "65535"),
        ({"map": "k1 power_w input:0 scale=1e3"}, "decimal"),
        ({"map": "k1 wind input:0"}, "roles are"),
        ({"map": "k1 output coil:0 speed=3"}, "not known"),
        ({"map": "k1 output coil:0 on=1 off=1"}, "must differ"),
        ({"map": "k1 flow discrete:0 hold=1/100"}, "hold is for outputs"),
        ({"map": "k1 output coil:0 hold=1/0"}, "REGISTER/MS"),
        ({"map": ""}, "1 to 512 entries"),
        ({"framing": "ascii"}, "rtu, tcp"),
        ({"nosuch": 1}, "known options"),
    ],
)
def test_wrong_options_name_what_is_allowed(options, said):
    with pytest.raises(LocalProtocolError, match=said):
        make_driver("modbus", options)


def test_only_what_touches_is_read_together():
    driver = make_driver("modbus", {"map": "a flow discrete:0; b flow discrete:1; c flow discrete:3; d flow coil:2"})
    questions = {item.ask().frame[1:6].hex() for item in driver.queue.items}
    assert questions == {"0200000002", "0200030001", "0100020001"}
