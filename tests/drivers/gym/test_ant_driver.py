"""The driver of an ANT stick: setting up, hearing, what a stick forgets, counters of one byte."""

import pytest

from drivers.ant_fec.beats import BeatReader
from drivers.ant_fec.driver import AntDriver
from drivers.driver import LocalProtocolError
from edge.domain.machine_readings import MachineKind, MachineState, StopMachine
from firmware_sim.ant_fec import AntMachine, AntStick, AntStrap
from firmware_sim.exercise import Exercise

S = 1_000_000_000
KEY = "0102030405060708"


def begin(line_rig, *kinds, **options):
    machines = [AntMachine(Exercise(kind), 101 + n) for n, kind in enumerate(kinds)]
    numbers = ",".join(str(machine.number) for machine in machines)
    driver = AntDriver({"machines": numbers, "network_key": KEY, **options})
    rig = line_rig(driver, AntStick(machines, key=bytes.fromhex(KEY)), now=0)
    for machine in machines:
        machine.exercise.start(0)
    return rig, machines


def test_a_row_of_machines_is_heard_within_three_seconds(line_rig):
    kinds = ("treadmill", "cross_trainer", "rower", "step_climber", "bike")
    rig, _ = begin(line_rig, *kinds)
    rig.run(3)
    assert rig.states() == [("connecting", ""), ("ready", "")]
    assert {item.point for item in rig.of("PointHealth", online=True)} == {"101", "102", "103", "104", "105"}
    told = {item.point: item.kind for item in rig.of("MachineReading") if item.kind is not None}
    assert told == {str(101 + n): MachineKind(kind) for n, kind in enumerate(kinds)}
    assert rig.last("MachineReading").state is MachineState.IN_USE


def test_the_workout_adds_up_beyond_every_roll_over(line_rig):
    rig, machines = begin(line_rig, "rower")
    rig.run(600)
    it = machines[0].exercise
    assert rig.told("MachineReading", "elapsed_s")[-1] == pytest.approx(it.elapsed_s, abs=3)
    assert rig.told("MachineReading", "distance_m")[-1] == pytest.approx(it.distance_m, abs=5)
    assert rig.told("MachineReading", "stroke_count")[-1] == pytest.approx(it.turns, abs=2)
    assert rig.told("MachineReading", "energy_kcal")[-1] == pytest.approx(it.energy_kcal, abs=2)
    assert rig.told("MachineReading", "speed_km_h")[-1] == pytest.approx(7.0, abs=0.01)
    assert rig.last("MachineInfo").maker == "257"


def test_a_gap_of_more_than_half_a_turn_is_not_guessed(line_rig):
    rig, machines = begin(line_rig, "rower")
    rig.run(20)
    before = rig.told("MachineReading", "distance_m")[-1]
    machines[0].dead = True
    rig.run(40)
    assert rig.last("PointHealth").online is False
    machines[0].dead = False
    rig.run(10)
    after = rig.told("MachineReading", "distance_m")[-1]
    assert before < after < before + 30, "10 s of rowing, and nothing for the 40 s of silence"


def test_laps(line_rig):
    rig, machines = begin(line_rig, "bike")
    rig.run(5)
    machines[0].laps += 1
    rig.run(5)
    assert [item.event for item in rig.of("MachineEvent")] == ["lap"]


def test_a_strap_beside_a_machine_of_the_same_number(line_rig):
    strap, bike = AntStrap(number=7), AntMachine(Exercise("bike"), 7)
    strap.exercise.start(0)
    driver = AntDriver({"machines": "7", "straps": "7", "network_key": KEY})
    rig = line_rig(driver, AntStick([strap, bike], key=bytes.fromhex(KEY)), now=0)
    rig.run(60)
    beats = rig.of("HeartRateReading", point="strap7")
    assert beats[-1].heart_rate_bpm == pytest.approx(strap.exercise.heart_bpm, abs=2)
    assert beats[-1].rr_intervals_ms[0] == pytest.approx(60_000 / strap.exercise.heart_bpm, abs=15)
    assert 70 <= len(beats) <= 110, "one for each beat, not for each page"
    assert rig.of("MachineReading", point="7")
    strap.worn = False
    rig.run(5)
    off = rig.of("HeartRateReading", point="strap7")[-3:]
    assert [(item.heart_rate_bpm, item.rr_intervals_ms) for item in off] == [(None, ())] * 3


def test_a_lost_beat_gives_no_interval():
    reader, page = BeatReader(), "04ffffff{:02x}{:02x}{:02x}48"
    told = []
    for second, (time, count) in enumerate([(1000, 1), (1850, 2), (1850, 2), (3550, 4), (4400, 5)]):
        data = bytes.fromhex(page.format(time & 255, time >> 8, count))
        told += [item.rr_intervals_ms for item in reader.take(data, {"point": "s"}, second * S // 4)]
    assert told == [(), (850 * 1000 / 1024,), (), (850 * 1000 / 1024,)]


def test_without_a_key_nothing_is_sent(line_rig):
    rig, _ = begin(line_rig, "bike", network_key="")
    rig.run(5)
    assert rig.states()[-1] == ("fault", "no_key")
    assert rig.written == []


def test_a_wrong_key_is_silence(line_rig):
    rig, _ = begin(line_rig, "bike", network_key="ff" * 8, silent_s=10)
    rig.run(15)
    assert rig.states()[-1] == ("fault", "silent")
    assert rig.of("MachineReading") == []


def test_a_stick_that_does_not_answer_is_set_up_again(line_rig):
    rig, _ = begin(line_rig, "bike")
    rig.device.mute_steps = True
    rig.run(10)
    assert rig.states()[-1] == ("fault", "no_answer")
    rig.device.mute_steps = False
    rig.run(15)
    assert rig.states()[-1] == ("ready", "")
    assert rig.of("MachineReading")


def test_a_channel_that_closed_itself_is_opened_again(line_rig):
    rig, _ = begin(line_rig, "bike")
    rig.run(5)
    rig.device.close_channel(0, rig.now)
    rig.run(2)
    count = len(rig.of("MachineReading"))
    rig.run(2)
    assert len(rig.of("MachineReading")) > count


def test_a_stick_that_forgot_everything_after_a_replug(line_rig):
    rig, _ = begin(line_rig, "bike")
    rig.run(5)
    rig.reconnect()
    rig.run(3)
    assert rig.states()[-1] == ("ready", "")
    count = len(rig.of("MachineReading"))
    rig.run(2)
    assert len(rig.of("MachineReading")) > count


@pytest.mark.parametrize("fault", ["noise", "split", "drop", "flip"])
def test_a_bad_line_costs_pages_but_never_truth(line_rig, fault):
    rig, machines = begin(line_rig, "rower")
    rig.run(3)
    rig.device.set_faults(fault, rig.now)
    rig.run(120)
    distances = rig.told("MachineReading", "distance_m")
    assert len(distances) > 60
    assert distances == sorted(distances)
    assert distances[-1] == pytest.approx(machines[0].exercise.distance_m, abs=10)
    assert set(rig.told("MachineReading", "power_w")) == {100}


def test_nothing_is_ever_sent_to_a_machine(line_rig):
    rig, _ = begin(line_rig, "bike")
    rig.run(3)
    rig.command(StopMachine(point="101", command_id="s1"))
    rig.run(3)
    assert rig.last("StopOutcome").detail == "not_supported"
    assert {frame[2] for _, frame in rig.written} == {0x4A, 0x46, 0x42, 0x51, 0x45, 0x43, 0x4B}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("machines", "0"),
        ("machines", "1,x"),
        ("straps", "70000"),
        ("machines", "1,2,3,4,5,6,7,8,9"),
        ("network_key", "12"),
    ],
)
def test_wrong_options(option, value):
    with pytest.raises(LocalProtocolError, match=option):
        AntDriver({option: value})
