"""Strength machines and wear behind Modbus: repetitions by their counter, nothing made up."""

import pytest

from drivers.driver import LocalProtocolError
from drivers.registry import make_driver
from edge.domain.machine_readings import BodySide, MachineState
from firmware_sim.line import LineSettings
from firmware_sim.modbus import Board, BoardBus

MAP = """
knee1 set_number     input:0  every=200
knee1 rep_number     input:1  every=200
knee1 peak_torque_nm input:2  every=200 scale=0.1
knee1 range_deg      input:3  every=200
knee1 side           input:4  every=200
knee1 programme      input:5  every=200
knee1 minutes        input:6  every=200 scale=0.1
knee1 intensity_pct  input:7  every=200
knee1 machine_state  input:8  every=200
knee1 usage_hours_h  input:20 type=u32
knee1 motor_current_a input:22 scale=0.001
knee1 error_code     input:23
knee1 start_count    input:24
"""


@pytest.fixture
def machine(line_rig):
    board = Board()
    rig = line_rig(make_driver("modbus", {"map": MAP}), BoardBus({"b": board}, line=LineSettings(19_200, "N")))
    rig.run(1)
    return rig, board


def push(rig, board, set_number, rep, torque=800, seconds=1.0, state=2):
    board.registers[:9] = [set_number, rep, torque, 95, 1, 7, 12, 60, state]
    rig.run(seconds)


def test_repetitions_sets_and_states(machine):
    rig, board = machine
    push(rig, board, 1, 0)
    for set_number in (1, 2):
        for rep in range(1, 4):
            push(rig, board, set_number, rep, 800 - rep)
    push(rig, board, 2, 3, state=4)
    reps = [(item.set_number, item.rep, item.peak_torque_nm) for item in rig.of("RepReading")]
    torques = [pytest.approx(80 - rep / 10) for rep in range(1, 4)]
    assert reps == [(number, rep, torques[rep - 1]) for number in (1, 2) for rep in range(1, 4)]
    assert (rig.last("RepReading").side, rig.last("RepReading").programme) == (BodySide.LEFT, "7")
    assert [(item.set_number, item.rep_count) for item in rig.of("StrengthSetReading", finished=True)] == [
        (1, 3),
        (2, 3),
    ]
    assert rig.last("StrengthSetReading").duration_s == pytest.approx(72)
    assert rig.told("MachineReading", "state") == [MachineState.IDLE, MachineState.IN_USE, MachineState.FINISHED]


def test_what_came_between_two_polls_is_not_made_up(machine):
    rig, board = machine
    push(rig, board, 1, 2)
    assert rig.of("RepReading") == [], "what was done before we looked is not known"
    push(rig, board, 1, 5)
    assert [item.rep for item in rig.of("RepReading")] == [5]
    assert rig.last("StrengthSetReading").rep_count == 5


def test_an_unchanged_picture_says_nothing(machine):
    rig, board = machine
    push(rig, board, 1, 1)
    count = len(rig.of("StrengthSetReading"))
    rig.run(5)
    assert len(rig.of("StrengthSetReading")) == count


def test_a_machine_that_begins_anew(machine):
    rig, board = machine
    push(rig, board, 1, 4)
    push(rig, board, 0, 0, state=0)
    push(rig, board, 1, 0)
    push(rig, board, 1, 1)
    assert [item.rep for item in rig.of("RepReading")] == [1]


def test_wear(machine):
    rig, board = machine
    board.registers[20:25] = [0, 4562, 3250, 0, 812]
    rig.run(2)
    reading = rig.last("MachineHealthReading")
    assert (reading.usage_hours_h, reading.error_code, reading.start_count) == (4562, 0, 812)
    assert reading.motor_current_a == pytest.approx(3.25)


@pytest.mark.parametrize(
    "text", ["knee1 rep_number input:0", "knee1 peak_torque_nm input:0", "knee1 set_number coil:0"]
)
def test_a_map_that_makes_no_sense_is_refused(text):
    with pytest.raises(LocalProtocolError, match="map"):
        make_driver("modbus", {"map": text})
