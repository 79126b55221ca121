"""Bluetooth and ANT machines, straps, cuffs and scales through raw gateways: records, lateness, repetition, stops."""

import json

import pytest

from drivers.driver import LocalProtocolError
from drivers.registry import make_driver
from edge.domain.field_devices import SetClock
from edge.domain.machine_readings import HeartContact, MachineKind, MachineState, StopMachine
from firmware_sim.ant_fec import AntMachine
from firmware_sim.ble_gateway import BleGateway
from firmware_sim.exercise import KINDS, Exercise
from firmware_sim.ftms import FtmsMachine
from firmware_sim.health import Cuff, Scale
from firmware_sim.heart_rate import Strap

MS = 1_000_000
S = 1_000 * MS
POINT = "hall/m1"
STOP = StopMachine(point=POINT, command_id="s1")
FINISH = StopMachine(point=POINT, command_id="s2")


def running(kind="treadmill", habit="none", **more):
    machine = FtmsMachine(Exercise(kind, **more), habit=habit)
    machine.exercise.start(0)
    return machine


def with_machine(mqtt_rig, machine, protocol="ftms", **options):
    gateway = BleGateway({POINT: machine})
    return mqtt_rig(protocol, gateway, **options), gateway


# --- machines ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["ftms", "ble_gateway"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_machine_is_read(mqtt_rig, kind, protocol):
    machine = running(kind, grips_held=True)
    rig, _ = with_machine(mqtt_rig, machine, protocol)
    rig.run(60)
    it = machine.exercise
    assert rig.states() == [("connecting", ""), ("ready", "")]
    assert rig.last("MachineReading", state=None).kind == MachineKind(kind)
    assert rig.told("MachineReading", "state") == [MachineState.IN_USE]
    assert 58 <= len(rig.told("MachineReading", "elapsed_s")) <= 61
    assert rig.told("MachineReading", "elapsed_s")[-1] == pytest.approx(60, abs=1)
    assert rig.told("MachineReading", "heart_rate_bpm")[-1] == pytest.approx(it.heart_bpm, abs=2)
    if "climber" not in kind:
        assert rig.told("MachineReading", "distance_m")[-1] == pytest.approx(it.distance_m, abs=5)
    counted = {"rower": "stroke_count", "step_climber": "step_count", "stair_climber": "stride_count"}.get(kind)
    if counted:
        assert rig.told("MachineReading", counted)[-1] == pytest.approx(it.turns, abs=2)
    if it.power_w:
        assert rig.told("MachineReading", "power_w") or kind in {"step_climber", "stair_climber"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("habit", ["truncate", "split", "extra_byte"])
def test_machines_that_break_their_flags_lose_no_truth(mqtt_rig, kind, habit):
    plain, odd = running(kind), running(kind, habit)
    good, _ = with_machine(mqtt_rig, plain)
    bad, _ = with_machine(mqtt_rig, odd)
    good.run(30)
    bad.run(30)
    quantities = ("speed_km_h", "distance_m", "power_w", "cadence_rpm", "stroke_count", "floor_count", "energy_kcal")
    for quantity in quantities:
        right, told = good.told("MachineReading", quantity), bad.told("MachineReading", quantity)
        assert told in (right, []) or (habit == "split" and set(told) == set(right))
    assert bad.driver.refused == 0
    assert any(bad.told("MachineReading", quantity) for quantity in quantities)
    if habit == "split" and kind in {"treadmill", "bike"}:
        assert all(item.distance_m is not None for item in bad.of("MachineReading") if item.speed_km_h is not None)


def test_a_bike_that_sends_its_cadence_unannounced(mqtt_rig):
    machine = running("bike", "silent_cadence")
    told, _ = with_machine(mqtt_rig, machine, life_fitness=POINT)
    told.run(5)
    assert told.told("MachineReading", "cadence_rpm")[-1] == 45.0
    assert told.told("MachineReading", "power_w")[-1] == 110


def test_a_speed_that_lies_is_passed_on_beside_a_distance_that_does_not(mqtt_rig):
    rig, _ = with_machine(mqtt_rig, running("cross_trainer", lies=True))
    rig.run(20)
    assert set(rig.told("MachineReading", "speed_km_h")) == {0.0}
    assert rig.told("MachineReading", "distance_m")[-1] > 20


def test_counters_that_begin_anew_and_counters_that_roll_over(mqtt_rig):
    machine = running("rower")
    rig, _ = with_machine(mqtt_rig, machine)
    rig.run(20)
    machine.exercise.turns = 65_530.0
    rig.run(40)
    strokes = rig.told("MachineReading", "stroke_count")
    assert strokes == sorted(strokes)
    assert strokes[-1] > 65_536
    machine.exercise.reset(rig.now)
    rig.run(3)
    assert rig.told("MachineReading", "stroke_count")[-1] < 10


@pytest.mark.parametrize(
    ("act", "event", "state", "key"),
    [
        ("paused", "stopped_or_paused_by_user", MachineState.PAUSED, None),
        ("finished", "stopped_or_paused_by_user", MachineState.FINISHED, None),
        ("key", "stopped_by_safety_key", MachineState.FINISHED, True),
    ],
)
def test_events_of_the_machine(mqtt_rig, act, event, state, key):
    machine = running()
    rig, _ = with_machine(mqtt_rig, machine)
    rig.run(3)
    assert rig.last("MachineEvent").event == "started_or_resumed_by_user"
    machine.exercise.key_pulled = act == "key"
    machine.exercise.stop(rig.now, "finished" if act == "key" else act)
    rig.run(2)
    assert rig.last("MachineEvent").event == event
    assert rig.told("MachineReading", "state")[-1] is state
    assert rig.told("MachineReading", "safety_key_pulled")[-1:] == ([True] if key else [False])


def test_targets_set_at_the_machine_are_told(mqtt_rig):
    rig = mqtt_rig("ftms")
    rig.hear("park/hall/m1/raw", {"transport": "ble", "char": "2ada", "hex": "05e803"})
    assert (rig.last("MachineEvent").event, rig.last("MachineEvent").target_speed_km_h) == (
        "target_speed_changed",
        10.0,
    )
    rig.hear("park/hall/m1/raw", {"transport": "ble", "char": "2ad3", "hex": "000d"})
    assert rig.last("MachineReading").state is MachineState.IN_USE


def test_a_record_that_never_ends_is_told_all_the_same(mqtt_rig):
    rig = mqtt_rig("ftms")
    for number in range(30):
        payload = {"transport": "ble", "char": "2ad2", "hex": f"1100{number:02x}0000", "seq": number}
        rig.hear("park/hall/m1/raw", payload)
    assert rig.told("MachineReading", "distance_m") == list(range(29))


# --- the gateway ------------------------------------------------------------------------------------------------------


def test_what_a_gateway_kept_comes_late_with_its_own_times(mqtt_rig):
    machine = running()
    rig, gateway = with_machine(mqtt_rig, machine)
    rig.command(SetClock(gateway.unix_ms * MS))
    rig.run(10)
    assert max(rig.told("MachineReading", "delay_ms")) == 0
    rig.cut()
    rig.run(60)
    assert rig.last("PointHealth", point=POINT).online is False, "silent for 30 s"
    rig.join()
    late = [item for item in rig.run(0.01) if type(item).__name__ == "MachineReading"]
    assert len(late) >= 58
    assert late[0].delay_ms == pytest.approx(60_000, abs=1_500)
    times = [item.source_wall_ns for item in late]
    assert times == sorted(times)
    assert rig.last("PointHealth", point=POINT).online is True
    elapsed = rig.told("MachineReading", "elapsed_s")
    assert elapsed == sorted(elapsed)
    assert len(elapsed) == pytest.approx(70, abs=2), "back-filled"


def test_repetitions_are_dropped_and_counts_that_begin_anew_are_not(mqtt_rig):
    machine = running()
    rig, gateway = with_machine(mqtt_rig, machine)
    gateway.way.duplicate_p = 1.0
    rig.run(20)
    assert 19 <= len(rig.told("MachineReading", "elapsed_s")) <= 21
    assert rig.driver.duplicates >= 19
    gateway.way.duplicate_p = 0.0
    gateway.reboot()
    rig.run(20)
    assert 38 <= len(rig.told("MachineReading", "elapsed_s")) <= 41


def test_a_lossy_and_late_way_never_makes_totals_go_back(mqtt_rig):
    machine = running("bike")
    rig, gateway = with_machine(mqtt_rig, machine)
    gateway.way.lose_p, gateway.way.delay_ms = 0.3, (0, 400)
    rig.run(120)
    distances = rig.told("MachineReading", "distance_m")
    assert 60 <= len(distances) <= 105
    assert distances == sorted(distances)


def test_silence_and_return_of_one_machine_among_others(mqtt_rig):
    machines = {f"hall/m{n}": running() for n in range(5)}
    rig = mqtt_rig("ftms", BleGateway(machines), silent_s=5)
    rig.run(10)
    machines["hall/m3"].dead = True
    rig.run(10)
    assert [item.point for item in rig.of("PointHealth", online=False)] == ["hall/m3"]
    machines["hall/m3"].dead = False
    rig.run(3)
    assert rig.last("PointHealth").online is True
    assert rig.states()[-1] == ("ready", "")


@pytest.mark.parametrize(
    "payload",
    [
        *("", "[]", '{"hex": "44"}', '{"transport": "ble", "char": "2ad2"}', '{"transport": "ble", "hex": "4"}'),
        *('{"transport": "ble", "char": "2ad2", "hex": "zz"}', '{"transport": "ble", "char": "2ad2", "hex": "44"}'),
        '{"transport": "ble", "char": "2ad2", "hex": "0000e803", "time": "2026-11-22T06:10:00"}',
        '{"transport": "ble", "char": "2ad2", "hex": "0000e803", "seq": -1}',
        '{"transport": "ble", "char": "2ad2", "hex": "' + "00" * 513 + '"}',
        '{"transport": "ble", "char": "2ad2", "hex": "0000e803", "hex": "00"}',
    ],
)
def test_what_is_wrong_with_the_envelope_or_the_value_is_refused_whole(mqtt_rig, payload):
    rig = mqtt_rig("ftms")
    assert rig.hear("park/hall/m1/raw", payload) == []
    assert rig.driver.refused == 1


@pytest.mark.parametrize("keep", [False, True])
def test_the_bytes_are_kept_when_told_to(mqtt_rig, keep):
    rig = mqtt_rig("ftms", keep_raw=keep)
    rig.hear("park/hall/m1/raw", {"transport": "ble", "char": "2ad2", "hex": "00008306"})
    assert rig.last("MachineReading").raw_hex == ("00008306" if keep else "")


def test_foreign_channels_are_counted(mqtt_rig):
    rig = mqtt_rig("heart_rate")
    assert rig.hear("park/hall/m1/raw", {"transport": "ble", "char": "2ad2", "hex": "0000e803"}) == []
    assert rig.driver.foreign == 1


def test_retained_values_prove_no_life(mqtt_rig):
    rig = mqtt_rig("ftms")
    told = rig.hear("park/hall/m1/raw", {"transport": "ble", "char": "2ad2", "hex": "0000e803"}, retain=True)
    assert [type(item).__name__ for item in told] == ["DeviceHealth", "MachineReading"]
    assert told[-1].retained is True


# --- stopping ---------------------------------------------------------------------------------------------------------


def test_nothing_is_written_unless_the_site_allows(mqtt_rig):
    machine = running()
    rig, _ = with_machine(mqtt_rig, machine)
    rig.run(2)
    rig.command(STOP)
    rig.run(5)
    assert (rig.last("StopOutcome").accepted, rig.last("StopOutcome").detail) == (False, "not_allowed")
    assert machine.writes == []
    assert machine.exercise.state == "in_use"


@pytest.mark.parametrize("protocol", ["ftms", "ble_gateway"])
@pytest.mark.parametrize(("pause", "state"), [(False, "finished"), (True, "paused")])
def test_a_machine_is_stopped_by_control_and_stop_alone(mqtt_rig, protocol, pause, state):
    machine = running()
    rig, _ = with_machine(mqtt_rig, machine, protocol, allow_stop=True)
    rig.run(2)
    rig.command(StopMachine(point=POINT, command_id="s1", pause=pause))
    rig.run(1)
    assert rig.last("StopOutcome").accepted is True
    assert machine.writes == [b"\x00", b"\x08\x02" if pause else b"\x08\x01"]
    assert machine.exercise.state == state
    assert rig.told("MachineReading", "state")[-1] == state


def test_a_stop_that_is_refused_unheard_late_or_unknown_is_never_called_done(mqtt_rig):
    machine = running()
    rig, gateway = with_machine(mqtt_rig, machine, allow_stop=True)
    rig.run(2)
    machine.obeys = False
    rig.command(STOP)
    rig.run(1)
    gateway.read_only = True
    rig.command(FINISH)
    rig.run(5)
    rig.command(StopMachine(point=POINT, command_id="s3", expires_mono_ns=1))
    rig.command(StopMachine(point="hall/none", command_id="s4"))
    details = {item.command_id: item.detail for item in rig.of("StopOutcome")}
    assert details == {"s1": "control_not_permitted", "s2": "no_answer", "s3": "expired", "s4": "not_supported"}
    assert machine.exercise.state == "in_use"


def test_straps_and_cuffs_cannot_be_stopped(mqtt_rig):
    rig = mqtt_rig("heart_rate", BleGateway({POINT: Strap()}), allow_stop=True)
    rig.run(2)
    rig.command(STOP)
    assert rig.last("StopOutcome").detail == "not_supported"


# --- hearts, cuffs, scales --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wide", [False, True])
def test_a_strap_on_and_off(mqtt_rig, wide):
    strap = Strap(wide=wide, with_energy=True)
    strap.exercise.start(0)
    rig = mqtt_rig("heart_rate", BleGateway({"hall/strap1": strap}))
    rig.run(60)
    reading = rig.last("HeartRateReading")
    assert reading.heart_rate_bpm == pytest.approx(strap.exercise.heart_bpm, abs=2)
    assert reading.contact is HeartContact.DETECTED
    assert reading.rr_intervals_ms[0] == pytest.approx(60_000 / reading.heart_rate_bpm, abs=1)
    strap.worn = False
    rig.run(3)
    off = rig.last("HeartRateReading")
    assert (off.heart_rate_bpm, off.contact, off.rr_intervals_ms) == (None, HeartContact.NOT_DETECTED, ())
    strap.forced_bpm = 25
    rig.run(2)
    assert rig.last("HeartRateReading").heart_rate_bpm == 25, "judged by the kernel, not here"


@pytest.mark.parametrize("kpa", [False, True])
def test_a_measurement_is_told_once_in_mmhg(mqtt_rig, kpa):
    cuff = Cuff(kpa=kpa)
    rig = mqtt_rig("health", BleGateway({"hut/cuff": cuff}))
    values = (16.0, 10.6) if kpa else (120, 80)
    cuff.measure(*values, 71, status=0x04, user=2)
    rig.run(3)
    cuff.reconnect()
    rig.run(3)
    (reading,) = rig.of("BloodPressureReading")
    assert reading.systolic_mmhg == pytest.approx(120, abs=0.1)
    assert reading.diastolic_mmhg == pytest.approx(80, abs=0.6)
    assert (reading.irregular_pulse, reading.cuff_loose, reading.plausible, reading.user_id) == (True, False, True, 2)
    assert reading.device_time == "2019-01-01T00:00:00"
    assert bytes.fromhex(reading.raw_hex)[0] & 1 == kpa


def test_equal_measurements_without_a_date_are_two(mqtt_rig):
    cuff = Cuff(clock=(0, 0, 0, 0, 0, 0))
    rig = mqtt_rig("health", BleGateway({"hut/cuff": cuff}))
    cuff.measure(None, None, None)
    rig.run(3)
    assert (rig.last("BloodPressureReading").systolic_mmhg, rig.last("BloodPressureReading").device_time) == (None, "")
    assert rig.last("BloodPressureReading").plausible is False


@pytest.mark.parametrize("imperial", [False, True])
def test_weights_in_kg(mqtt_rig, imperial):
    scale = Scale(imperial=imperial)
    rig = mqtt_rig("health", BleGateway({"hut/scale": scale}))
    scale.weigh(61.85, user=3)
    scale.weigh(None)
    rig.run(3)
    first, failed = rig.of("WeightReading")
    assert first.weight_kg == pytest.approx(61.85, abs=0.01)
    assert (first.bmi, first.height_m) == (pytest.approx(23.6, abs=0.1), pytest.approx(1.62, abs=0.003))
    assert failed.weight_kg is None


def test_one_gateway_for_everything_and_strangers_are_not_heard(mqtt_rig):
    adverts = {
        "880f10a1b2c3": {"weight": 61.85, "unit": "kg", "impedance": 504, "model_id": "XMTZC05HM"},
        "c0ffee000001": {"hr": 88},
        "ba5eba110000": {"hr": 99, "brand": "somebody's watch"},
        "aa0000000001": {"tempc": 4.5, "batt": 80},
    }
    machines = {
        "hall/m1": running(),
        "hall/rower": AntMachine(Exercise("rower"), 7),
        "hall/strap1": Strap(),
        "hut/cuff": Cuff(),
    }
    machines["hall/rower"].exercise.start(0)
    devices = "88:0F:10:A1:B2:C3=hut/scale, C0FFEE000001=hall/band1, aa0000000001=hut/fridge"
    gateway = BleGateway(machines, adverts=adverts)
    rig = mqtt_rig("ble_gateway", gateway, devices=devices)
    machines["hut/cuff"].measure(118, 76, 66)
    rig.run(20)
    assert rig.last("WeightReading").weight_kg == 61.85
    assert len(rig.of("WeightReading")) == 1, "the same weight in every advert"
    assert {item.point for item in rig.of("HeartRateReading")} == {"hall/band1", "hall/strap1"}
    assert rig.last("MeterReading").temperature_c == 4.5
    assert rig.last("BloodPressureReading").systolic_mmhg == 118
    assert rig.told("MachineReading", "distance_m", point="hall/rower")[-1] > 30
    assert rig.driver.foreign >= 9
    assert "ba5eba110000" not in json.dumps([repr(item) for item in rig.readings])


@pytest.mark.parametrize("devices", ["zz=hut/scale", "880f10a1b2c3", "880f10a1b2c3="])
def test_wrong_devices_are_refused(devices):
    with pytest.raises(LocalProtocolError, match="MAC=POINT"):
        make_driver("ble_gateway", {"devices": devices})


def test_ant_pages_of_a_gateway_count_beyond_a_byte(mqtt_rig):
    machine = AntMachine(Exercise("rower"), 7)
    machine.exercise.start(0)
    rig, _ = with_machine(mqtt_rig, machine, "ble_gateway")
    rig.run(300)
    it = machine.exercise
    assert rig.told("MachineReading", "distance_m")[-1] == pytest.approx(it.distance_m, abs=3)
    assert rig.told("MachineReading", "elapsed_s")[-1] == pytest.approx(it.elapsed_s, abs=1)
    assert rig.last("MachineInfo").serial == "770001"
