"""The CSAFE master against simulated consoles: rotation, timing, quirks, faults of the line, and stopping."""

import itertools

import pytest

from drivers.csafe.driver import CsafeDriver
from drivers.csafe.plan import ASK_AGAIN_NS, Group, Plan
from drivers.driver import LocalProtocolError
from edge.domain.field_devices import Operate, Poll
from edge.domain.machine_readings import MachineKind, MachineState, StopMachine
from firmware_sim.csafe import Console, CsafePort
from firmware_sim.exercise import Exercise

MS = 1_000_000
S = 1_000 * MS
STOP = StopMachine(point="machine", command_id="s1")


def begin(line_rig, console=None, **options):
    console = console or Console(Exercise("treadmill"))
    driver = CsafeDriver({"kind": console.exercise.kind, **options})
    return line_rig(driver, CsafePort(console)), console


def begin_running(line_rig, console=None, **options):
    rig, console = begin(line_rig, console, **options)
    console.exercise.start(rig.now)
    return rig, console


def asked(rig):
    """The commands of each written frame (none of them needs stuffing)."""
    return [tuple(frame[1:-2]) for _, frame in rig.written]


def test_a_machine_is_known_and_read_within_two_seconds(line_rig):
    rig, _ = begin_running(line_rig)
    rig.run(2)
    assert rig.states() == [("connecting", ""), ("ready", "")]
    assert rig.last("DeviceIdentity").model == "3-2-7"
    assert (rig.last("MachineInfo").maker, rig.last("MachineInfo").serial) == ("3", ""), "all zeros are no number"
    assert rig.last("PointHealth", point="machine").online is True
    assert rig.last("MachineReading").kind is MachineKind.TREADMILL
    assert rig.last("MachineReading").state is MachineState.IN_USE
    assert rig.told("MachineReading", "speed_km_h")[-1] == 6.0
    assert rig.last("MachineHealthReading", usage_hours_h=4562).odometer_km == pytest.approx(32_390, abs=0.1)


def test_the_workout_adds_up_and_every_quantity_comes_every_second(line_rig):
    rig, console = begin_running(line_rig)
    rig.run(60)
    it = console.exercise
    assert rig.told("MachineReading", "distance_m")[-1] == pytest.approx(it.distance_m, abs=3)
    assert rig.told("MachineReading", "elapsed_s")[-1] == pytest.approx(60, abs=2)
    assert rig.told("MachineReading", "energy_kcal")[-1] == pytest.approx(it.energy_kcal, abs=2)
    for quantity in ("speed_km_h", "distance_m", "energy_kcal", "cadence_rpm", "elapsed_s"):
        assert 55 <= len(rig.told("MachineReading", quantity)) <= 62
    assert rig.told("MachineReading", "heart_rate_bpm") == [], "0 is no heart rate"
    assert rig.told("MachineHealthReading", "motor_current_a")[-1] == pytest.approx(3.25)
    assert set(rig.told("MachineHealthReading", "error_code")) == {0}


def test_groups_take_turns_and_the_console_gets_its_pause(line_rig):
    rig, _ = begin_running(line_rig)
    rig.run(30)
    assert rig.device.too_early == 0
    assert rig.device.bad_frames == 0
    often = [each for each in asked(rig) if each in {(0xA5, 0xA0, 0xA1), (0xA3, 0xA7, 0xB0, 0xB4)}]
    assert len(often) >= 55
    assert all(one != other for one, other in itertools.pairwise(often)), "never the same group twice in a row"
    assert all(later - earlier >= 50 * MS for (earlier, _), (later, _) in itertools.pairwise(rig.written))


def test_a_gap_that_is_too_short_would_be_noticed(line_rig):
    """The simulated console is deaf for 40 ms after its answer: the test above is worth something."""
    rig, _ = begin_running(line_rig, gap_ms=0)
    rig.run(5)
    assert rig.device.too_early > 0


def test_unsupported_commands_are_left_out_and_asked_again_later(line_rig):
    console = Console(Exercise("treadmill"), unsupported={0xA5, 0xA7, 0x9A, 0x9D, 0x91})
    rig, _ = begin_running(line_rig, console)
    rig.run(15)
    assert sorted(rig.driver._plan.unsupported) == [0x91, 0x9A, 0x9D, 0xA5, 0xA7]
    count = len(rig.written)
    rig.run(30)
    recent = {command for frame in asked(rig)[count:] for command in frame}
    assert not recent & console.unsupported
    assert rig.told("MachineReading", "distance_m")[-1] > 0
    assert rig.last("DeviceIdentity").model == "csafe"
    console.unsupported = set()
    rig.run(620)
    assert rig.told("MachineReading", "speed_km_h")[-1] == 6.0, "somebody opened the service menu"
    assert rig.driver._plan.unsupported == []


def test_a_console_that_knows_one_command_at_a_time(line_rig):
    rig, _ = begin_running(line_rig, Console(Exercise("treadmill"), one_at_a_time=True))
    rig.run(15)
    first = len(rig.written)
    rig.run(20)
    assert all(len(frame) == 1 for frame in asked(rig)[first:])
    for quantity in ("speed_km_h", "distance_m", "energy_kcal", "elapsed_s"):
        assert rig.told("MachineReading", quantity)[-1] > 0
    assert rig.driver._plan.unsupported == []


@pytest.mark.parametrize(("big", "hours", "km"), [(True, 4562, 32_390), (False, 4562, 32_390), (False, 2, 11)])
def test_either_byte_order_of_the_odometer_that_the_hours_allow(line_rig, big, hours, km):
    exercise = Exercise("cross_trainer", life_h=hours, life_km=km)
    rig, _ = begin(line_rig, Console(exercise, big_odometer=big))
    rig.run(3)
    assert rig.last("MachineHealthReading", usage_hours_h=hours).odometer_km == pytest.approx(km, abs=0.1)


def test_an_odometer_that_no_order_makes_plausible_is_doubtful(line_rig):
    rig, _ = begin(line_rig, Console(Exercise("treadmill", life_h=1, life_km=5_000_123.45)))
    rig.run(3)
    reading = rig.last("MachineHealthReading", usage_hours_h=1)
    assert (reading.odometer_km, reading.doubtful) == (None, ("odometer_km",))


def test_a_speed_in_revolutions_is_a_cadence(line_rig):
    rig, _ = begin_running(line_rig, Console(Exercise("cross_trainer"), rev_speed=True))
    rig.run(3)
    assert rig.told("MachineReading", "speed_km_h") == []
    assert rig.told("MachineReading", "cadence_rpm")[-1] == 70


@pytest.mark.parametrize(
    ("state", "told"),
    [("idle", "idle"), ("ready", "ready"), ("paused", "paused"), ("finished", "finished"), ("error", "fault")],
)
def test_states(line_rig, state, told):
    rig, console = begin(line_rig)
    console.exercise.state = state
    rig.run(1)
    assert rig.last("MachineReading").state == told


def test_a_machine_that_says_off_line_and_works(line_rig):
    rig, _ = begin_running(line_rig, Console(Exercise("cross_trainer"), says_offline=True))
    rig.run(3)
    assert rig.last("MachineReading").state is MachineState.OFFLINE
    assert rig.told("MachineReading", "power_w")[-1] == 90


def test_a_console_that_begins_anew_is_told_as_smaller_counters_not_as_a_wrap(line_rig):
    rig, console = begin_running(line_rig)
    rig.run(30)
    console.exercise.reset(rig.now)
    rig.run(5)
    distances = rig.told("MachineReading", "distance_m")
    assert distances[-1] < 15 < max(distances) < 60


def test_a_distance_that_rolls_over_goes_on(line_rig):
    rig, console = begin_running(line_rig)
    rig.run(2)
    console.exercise.distance_m = 65_520.0
    rig.run(30)
    distances = rig.told("MachineReading", "distance_m")
    assert distances == sorted(distances)
    assert distances[-1] == pytest.approx(console.exercise.distance_m, abs=3)
    assert distances[-1] > 65_536


def test_a_machine_that_is_off_is_told_and_found_again(line_rig):
    rig, console = begin(line_rig, Console(Exercise("treadmill"), disabled=True))
    rig.run(15)
    assert rig.states()[-1] == ("fault", "no_answer")
    assert rig.last("PointHealth").online is False
    first = len(rig.written)
    rig.run(60)
    assert 8 <= len(rig.written) - first <= 14, "asked ever more rarely"
    assert set(asked(rig)[first:]) == {(0x80,)}
    console.disabled = False
    rig.run(8)
    assert rig.states()[-1] == ("ready", "")
    assert rig.last("PointHealth").online is True
    assert rig.told("MachineReading", "speed_km_h")


@pytest.mark.parametrize("fault", ["noise", "split", "drop", "flip"])
def test_a_bad_line_costs_answers_but_never_truth(line_rig, fault):
    rig, console = begin_running(line_rig)
    rig.run(2)
    rig.device.set_faults(fault, rig.now)
    rig.run(60)
    distances = rig.told("MachineReading", "distance_m")
    assert len(distances) >= 25
    assert distances == sorted(distances)
    assert distances[-1] <= console.exercise.distance_m + 1
    assert set(rig.told("MachineReading", "speed_km_h")) == {6.0}
    assert set(rig.told("MachineHealthReading", "usage_hours_h")) <= {4562}
    rig.device.set_faults("none", rig.now)
    rig.run(10)
    assert rig.states()[-1] == ("ready", "")
    assert len(rig.run(10)) >= 20


def test_unplugged_and_plugged_in_again(line_rig):
    rig, _ = begin_running(line_rig)
    rig.run(5)
    rig.reconnect()
    assert rig.states()[-2:] == [("lost", "link_closed"), ("connecting", "")]
    rig.run(3)
    assert rig.states()[-1] == ("ready", "")
    assert len(rig.of("DeviceIdentity")) == 2


def test_a_slow_answer_is_not_taken_for_the_next_one(line_rig):
    rig, console = begin_running(line_rig)
    rig.run(3)
    console.slow_ns = 1_300 * MS
    rig.run(10)
    console.slow_ns = 0
    rig.run(20)
    speeds = set(rig.told("MachineReading", "speed_km_h"))
    assert speeds == {6.0}
    assert rig.states()[-1] == ("ready", "")


def test_the_toggle_bit_tells_repeated_answers(line_rig):
    rig, console = begin_running(line_rig)
    rig.run(5)
    assert rig.driver.toggle_repeats == 0
    console.stuck_toggle = True
    rig.run(5)
    assert rig.driver.toggle_repeats > 5


def test_extended_frames(line_rig):
    rig, _ = begin_running(line_rig, address=253)
    rig.run(3)
    assert rig.written[0][1][:3] == b"\xf0\xfd\x00"
    assert rig.told("MachineReading", "speed_km_h")[-1] == 6.0


def test_nothing_is_ever_written_but_questions_unless_the_site_allows(line_rig):
    rig, console = begin_running(line_rig)
    rig.run(2)
    rig.command(STOP)
    rig.command(Operate(point="machine", on=False, command_id="x"))
    rig.run(10)
    assert (rig.last("StopOutcome").accepted, rig.last("StopOutcome").detail) == (False, "not_allowed")
    assert all(command >= 0x80 and not 0x81 <= command <= 0x88 for frame in asked(rig) for command in frame)
    assert console.exercise.state == "in_use"
    assert rig.driver.ignored_commands == 2


def test_stop_stops_and_says_so(line_rig):
    rig, console = begin_running(line_rig, allow_stop=True)
    rig.run(2)
    rig.command(STOP)
    rig.run(1.5)
    assert (rig.last("StopOutcome").command_id, rig.last("StopOutcome").accepted) == ("s1", True)
    assert console.exercise.state == "finished"
    assert rig.last("MachineReading").state is MachineState.FINISHED


def test_a_stop_that_is_refused_unanswered_late_or_a_pause_is_never_called_done(line_rig):
    rig, console = begin_running(line_rig, allow_stop=True)
    rig.run(2)
    console.refuses_stop = True
    rig.command(STOP)
    rig.run(3)
    rig.command(StopMachine(point="machine", command_id="s2", pause=True))
    rig.command(StopMachine(point="machine", command_id="s3", expires_mono_ns=rig.now - 1))
    rig.run(1)
    console.disabled = True
    rig.command(StopMachine(point="machine", command_id="s4"))
    rig.run(10)
    outcomes = {item.command_id: item.detail for item in rig.of("StopOutcome")}
    assert outcomes == {"s1": "reject", "s2": "not_supported", "s3": "expired", "s4": "no_answer"}
    assert not any(item.accepted for item in rig.of("StopOutcome"))
    assert console.exercise.state == "in_use"


def test_a_stop_under_way_when_the_link_is_lost_is_answered(line_rig):
    rig, console = begin_running(line_rig, allow_stop=True)
    rig.run(2)
    console.disabled = True
    rig.command(STOP)
    rig.carry(rig.driver.closed(rig.now))
    assert rig.last("StopOutcome").detail == "no_answer"


def test_wear_keeps_its_frame_and_the_workout_only_when_told_to(line_rig):
    for keep in (False, True):
        rig, _ = begin_running(line_rig, keep_raw=keep)
        rig.run(3)
        assert bytes.fromhex(rig.last("MachineHealthReading").raw_hex)[:1] == b"\xf1"
        assert bool(rig.last("MachineReading").raw_hex) is keep


def test_poll_asks_everything_at_once(line_rig):
    rig, _ = begin_running(line_rig)
    rig.run(5)
    first = len(rig.written)
    rig.command(Poll("machine"))
    rig.run(0.9)
    assert {0x99, 0x9B, 0x91, 0xA8} <= {command for frame in asked(rig)[first:] for command in frame}


@pytest.mark.parametrize(
    ("option", "value"), [("kind", "boat"), ("poll_ms", 10), ("batch", 0), ("point", "a b"), ("speed", 1)]
)
def test_wrong_options_name_what_is_allowed(option, value):
    with pytest.raises(LocalProtocolError, match=option):
        CsafeDriver({option: value})


def test_plan_rotation_alone():
    plan = Plan((Group((1, 2, 3), S), Group((4,), S)), batch=2)
    plan.begin(0)
    assert plan.next(0) == (1, 2)
    plan.answered((1, 2), (1,), 0)
    assert plan.next(0) == (2,), "what was missing is asked alone, at once"
    plan.answered((2,), (), 0)
    plan.answered((2,), (), 2 * S)
    assert plan.unsupported == [2]
    assert 2 not in plan.next(3 * S)
    assert plan.next(2 * S + ASK_AGAIN_NS + S) != ()
    plan.missed((3,), 0)
    assert plan.next(0) == (4,)
