"""Strength machines and trail posts over MQTT: what counts once, what comes late, what is refused."""

import pytest

from edge.domain.field_devices import SetClock
from edge.domain.machine_readings import BodySide, MachineKind, MachineState, StopMachine
from firmware_sim.strength import StrengthMachine
from firmware_sim.trail_gates import TrailPost

MS = 1_000_000
TAG, OTHER = "9f3c0a77", "00112233"


# --- strength ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stutters", [False, True])
def test_every_repetition_counts_once(mqtt_rig, stutters):
    machine = StrengthMachine("strength/knee1")
    machine.stutters = stutters
    rig = mqtt_rig("strength", machine)
    machine.begin_session()
    rig.run(200)
    told = [(item.set_number, item.rep, item.peak_torque_nm) for item in rig.of("RepReading")]
    assert told == machine.told_reps
    assert len(told) == 36
    assert rig.last("RepReading").side is BodySide.BOTH
    finished = rig.of("StrengthSetReading", finished=True)
    assert [(item.set_number, item.rep_count) for item in finished] == [(1, 12), (2, 12), (3, 12)]
    assert finished[-1].duration_s == pytest.approx(36)
    assert rig.last("MachineReading").kind is MachineKind.STRENGTH
    assert rig.told("MachineReading", "state")[-1] is MachineState.FINISHED


def test_a_course_of_a_micro_circulation_machine(mqtt_rig):
    machine = StrengthMachine("hall/vibro", sets=1, reps=0, programme="legs")
    rig = mqtt_rig("strength", machine, circulation="hall/vibro")
    machine.begin_session()
    rig.run(10)
    assert rig.of("RepReading") == []
    assert rig.last("MachineReading").kind is MachineKind.CIRCULATION
    assert rig.last("StrengthSetReading").finished is True


def test_a_lossy_way_loses_repetitions_but_the_set_tells_the_truth(mqtt_rig):
    machine = StrengthMachine("strength/knee1", sets=1)
    machine.way.lose_p, machine.way.duplicate_p = 0.3, 0.3
    rig = mqtt_rig("strength", machine)
    machine.begin_session()
    rig.run(60)
    reps = [item.rep for item in rig.of("RepReading")]
    assert reps == sorted(set(reps))
    assert 3 <= len(reps) < 12


def test_equal_repetitions_without_marks_are_two_only_if_their_numbers_differ(mqtt_rig):
    rig = mqtt_rig("strength")
    for rep in (1, 1, 2, 2):
        rig.hear("park/strength/knee1/strength", {"set": 1, "rep": rep, "peak_torque_nm": 80})
    assert [item.rep for item in rig.of("RepReading")] == [1, 2]


def test_lateness_and_stopping(mqtt_rig):
    rig = mqtt_rig("strength")
    rig.command(SetClock(1_795_000_010_000 * MS))
    rig.hear("park/strength/knee1/strength", {"set": 1, "rep": 1, "time": 1_795_000_000_000})
    assert rig.last("RepReading").delay_ms == 10_000
    rig.command(StopMachine(point="strength/knee1", command_id="s"))
    assert rig.last("StopOutcome").detail == "not_supported"


@pytest.mark.parametrize(
    "payload",
    [
        *({"set": 0}, {"set": True}, {"set": "1"}, {"set": 1, "rep": 0}, {"set": 1, "range_deg": -1}),
        *({"set": 1, "minutes": 1e9}, {"set": 1, "state": "flying"}, {"set": 1, "programme": "x" * 65}),
        *({"set": 1, "time": "yesterday"}, {"set": 1, "finished": "yes"}, "", "[1]", '{"set": 1, "work_j": NaN}'),
    ],
)
def test_half_right_messages_are_refused_whole(mqtt_rig, payload):
    rig = mqtt_rig("strength")
    assert rig.hear("park/strength/knee1/strength", payload) == []
    assert rig.driver.refused == 1


# --- trail ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("with_time", [True, False])
def test_a_walk_through_a_gate_is_one_passage_at_its_strongest(mqtt_rig, with_time):
    post = TrailPost("trail/gate1", with_time=with_time)
    rig = mqtt_rig("trail_gates", post, settle_ms=4_000)
    post.walk_by(TAG, in_s=5)
    rig.run(30)
    (passage,) = rig.of("GateReading")
    assert (passage.point, passage.tag) == ("trail/gate1", TAG)
    assert passage.rssi_dbm == pytest.approx(-58, abs=2)
    if with_time:
        assert passage.source_wall_ns == (post.unix_ms + 5_000) * MS


def test_laps_and_two_people_at_once(mqtt_rig):
    post = TrailPost("trail/gate1")
    rig = mqtt_rig("trail_gates", post)
    for lap in range(3):
        post.walk_by(TAG, in_s=3 + 60 * lap)
        post.walk_by(OTHER, in_s=3.5 + 60 * lap)
    rig.run(200)
    assert [item.tag for item in rig.of("GateReading")] == [TAG, OTHER] * 3


def test_whoever_stands_at_a_gate_passes_once(mqtt_rig):
    post = TrailPost("trail/gate1")
    rig = mqtt_rig("trail_gates", post, dwell_s=10)
    for second in range(0, 120, 4):
        post.walk_by(TAG, in_s=3 + second)
    rig.run(150)
    assert len(rig.of("GateReading")) == 1


def test_a_backlog_of_laps_is_told_apart_by_the_gates_own_time(mqtt_rig):
    post = TrailPost("trail/gate1")
    rig = mqtt_rig("trail_gates", post)
    rig.command(SetClock(post.unix_ms * MS))
    rig.cut()
    for lap in range(4):
        post.walk_by(TAG, in_s=3 + 300 * lap)
    rig.run(1_200)
    rig.join()
    rig.run(20)
    passages = rig.of("GateReading")
    assert [item.source_wall_ns for item in passages] == [
        (post.unix_ms + 3_000 + 300_000 * lap) * MS for lap in range(4)
    ]
    assert passages[0].delay_ms > 1_100_000


def test_repetitions_retained_and_lossy(mqtt_rig):
    post = TrailPost("trail/gate1")
    post.way.duplicate_p, post.way.lose_p = 1.0, 0.2
    rig = mqtt_rig("trail_gates", post)
    post.walk_by(TAG)
    rig.run(30)
    assert len(rig.of("GateReading")) == 1
    rig.hear("park/trail/gate1/passage", {"tag": OTHER}, retain=True)
    rig.run(10)
    assert len(rig.of("GateReading")) == 1


def test_usage_counts(mqtt_rig):
    post = TrailPost("court/swing2")
    post.way.duplicate_p = 1.0
    rig = mqtt_rig("trail_gates", post)
    for _ in range(5):
        post.use()
        rig.run(1)
    assert rig.told("CountReading", "use_count") == [1, 2, 3, 4, 5]
    post.uses = 0
    post.use()
    rig.run(1)
    assert rig.last("CountReading").use_count == 1


@pytest.mark.parametrize(
    "payload", [{}, {"tag": "138-0013-8000"}, {"tag": "王丽"}, {"tag": "ab"}, {"tag": 7}, {"tag": TAG, "rssi": "x"}, ""]
)
def test_only_tokens_come_over_this_wire(mqtt_rig, payload):
    rig = mqtt_rig("trail_gates")
    assert rig.hear("park/trail/gate1/passage", payload) == []
    assert rig.driver.refused == 1


@pytest.mark.parametrize(
    ("protocol", "topic", "kind", "said"),
    [
        ("strength", "park/strength/knee1/strength", "RepReading",
         [{"set": 1, "rep": n, "seq": n} for n in range(1, 9)]),
        ("trail_gates", "park/trail/swing/count", "CountReading", [{"count": n, "seq": n} for n in range(1, 9)]),
        ("ftms", "park/hall/b1/raw", "MachineReading",
         [{"transport": "ble", "char": "2ad2", "hex": f"0000{n:02x}00", "seq": n} for n in range(1, 9)]),
    ],
)  # fmt: skip
def test_what_is_said_again_after_the_broker_was_killed_is_heard_once(mqtt_rig, protocol, topic, kind, said):
    rig = mqtt_rig(protocol)
    for fields in said[:6]:
        rig.hear(topic, fields)
    assert len(rig.of(kind)) == 6
    rig.take(rig.driver.closed(rig.now))
    rig.take(rig.driver.opened(rig.now))
    for fields in said:
        rig.hear(topic, fields)
    assert len(rig.of(kind)) == 8
    assert rig.driver.duplicates == 6
    assert len([item for item in rig.of("PointHealth") if item.online]) == 2, "that it is there is told again"
