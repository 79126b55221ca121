"""Wear, orders, trails and changes of the site: glitches, late words, restarts, machines that are gone."""

from __future__ import annotations

import msgspec
import pytest

from edge.domain.actors import Role
from edge.domain.alarm_commands import AckAlarm, ResetAlarm
from edge.domain.devices import DeviceReading
from edge.domain.gym.messages import (
    ClaimAsset,
    ConfigApplied,
    DayOpened,
    Inspect,
    JoinQueue,
    ReportFault,
    ReturnTest,
    ServiceDone,
)
from edge.domain.gym.rows import ROW_TYPES
from edge.domain.gym.settings import AssetKind, WearSettings
from edge.domain.gym.wear_state import Wear
from edge.domain.machine_readings import CountReading, MachineState

ROWS = {kind.__name__: kind for kind in ROW_TYPES}


def repair(gym, body):
    return gym.command(body, role=Role.MAINTENANCE, user="fitter-1")


def count(gym, value):
    gym.give(DeviceReading("row", 1, CountReading(point="o1", use_count=value)))


def test_one_wrong_hour_is_no_debt(gym):
    gym.health("t1", usage_hours_h=4050.0)
    for hours in (0.0, 4050.5, 4051.0):
        gym.elapse(601)
        gym.health("t1", usage_hours_h=hours)
    assert gym.world.orders == {}
    assert gym.world.wear["t1"].hours_h == 4051.0


def test_wear_is_kept_after_a_reboot_too(gym):
    gym.elapse(100_000)
    gym.health("t1", usage_hours_h=10.0)
    gym.restart()
    gym.elapse(700)
    gym.health("t1", usage_hours_h=11.0)
    kept = next(row for row in gym.rows.all(ROWS["WearRow"]) if row.asset == "t1")
    assert kept.hours_h == 11.0


def test_a_fault_that_went_while_the_box_was_away_is_cleared(gym):
    gym.health("t1", error_code=17)
    assert "machine_fault" in gym.causes()
    gym.restart()
    gym.health("t1", error_code=0)
    assert not gym.world.alarms.alarms["fault:t1"].active


def test_a_state_of_error_is_a_fault_until_the_machine_says_otherwise(gym):
    for _ in range(3):
        gym.stand("t1", state=MachineState.FAULT)
    assert (gym.shown["asset/t1"].use, gym.shown["asset/t1"].fault) == ("fault", "error")
    assert "machine_fault" in gym.causes()
    assert [order.cause for order in gym.world.orders.values()] == ["fault"]
    assert gym.command(ClaimAsset(asset="t1", person="anna")).body["problem"] == "out_of_order"
    gym.stand("t1", state=MachineState.IDLE)
    assert gym.shown["asset/t1"].use == "free"
    assert not gym.world.alarms.alarms["fault:t1"].active
    assert [order.cause for order in gym.world.orders.values()] == ["fault"], "the order stays"


def test_a_code_tells_more_than_the_state(gym):
    gym.stand("t1", state=MachineState.FAULT)
    gym.health("t1", error_code=17)
    gym.stand("t1", state=MachineState.FAULT)
    assert gym.shown["asset/t1"].fault == "error_17"
    assert [order.detail for order in gym.world.orders.values()] == ["error_17"]
    assert gym.causes().count("machine_fault") == 1
    gym.restart()
    gym.elapse(2)
    gym.stand("t1", state=MachineState.READY)
    assert gym.world.alarms.alarms["fault:t1"].active, "its code said so and has not taken it back"
    gym.health("t1", error_code=0)
    assert not gym.world.alarms.alarms["fault:t1"].active


def test_a_code_that_is_told_once_is_a_fault_after_a_start_too(gym):
    gym.stand("t1")
    gym.health("t1", error_code=17)
    gym.restart()
    gym.elapse(2)
    gym.stand("t1")
    assert (gym.shown["asset/t1"].use, gym.shown["asset/t1"].fault) == ("fault", "error_17")
    assert gym.command(ClaimAsset(asset="t1", person="anna")).body["problem"] == "out_of_order"
    assert repair(gym, ReturnTest(asset="t1", passed=True)).code == "ok"
    gym.restart()
    gym.elapse(2)
    gym.stand("t1")
    assert gym.shown["asset/t1"].use == "free"


def test_no_code_does_not_mend_what_the_state_says(gym):
    gym.health("t1", error_code=17)
    gym.stand("t1", state=MachineState.FAULT)
    gym.health("t1", error_code=0)
    gym.stand("t1", state=MachineState.FAULT)
    assert gym.shown["asset/t1"].use == "fault"
    assert gym.world.alarms.alarms["fault:t1"].active


def test_a_state_of_error_that_went_while_the_box_was_away_is_cleared(gym):
    gym.stand("t1", state=MachineState.FAULT)
    gym.restart()
    gym.elapse(2)
    gym.stand("t1", state=MachineState.READY)
    assert gym.shown["asset/t1"].use == "free"
    assert not gym.world.alarms.alarms["fault:t1"].active


def test_a_machine_that_says_error_for_ever_and_is_trained_on_is_in_use(gym):
    gym.stand("t1", state=MachineState.FAULT)
    gym.train("t1", 40, state=MachineState.FAULT)
    gym.says("t1", state=MachineState.FAULT)
    assert gym.shown["asset/t1"].use == "busy"
    assert gym.asset("t1").workout.totals.distance_m > 40


def test_starts_are_the_machines_own_where_it_tells_them(gym):
    gym.train("t2", 60)
    gym.health("t1", start_count=4210, usage_hours_h=900.0)
    gym.health("t2", usage_hours_h=900.0)
    gym.give(DayOpened("2026-11-23"))
    kept = {row.asset: row.starts for row in gym.rows.all(ROWS["WearRow"])}
    assert (kept["t1"], kept["t2"]) == (4210, 1)


def test_a_count_that_comes_late_is_no_crowd(gym):
    for value in (1000, 1005, 1003, 1006):
        count(gym, value)
    assert gym.world.wear["o1"].day.uses == 6
    count(gym, 2)
    assert gym.world.wear["o1"].day.uses == 8


def test_after_a_service_the_baseline_is_learnt_anew(gym):
    wear = gym.world.wear.setdefault("t1", Wear())
    for _ in range(300):
        wear.line.add(6.0, 2500.0)
    wear.baseline_days = 7
    assert wear.has_baseline
    repair(gym, ServiceDone(asset="t1"))
    assert not gym.world.wear["t1"].has_baseline


def test_a_second_report_is_not_lost(gym):
    gym.command(ReportFault(asset="t1", what="noise"))
    gym.command(ReportFault(asset="t1", what="smell", note="burnt"))
    steps = [row.note for row in gym.rows.all(ROWS["OrderStepRow"])]
    assert any("smell" in note for note in steps)
    assert len(gym.world.orders) == 1


def test_a_service_is_written_into_the_orders_it_answers(gym):
    gym.health("t1", usage_hours_h=4000.0)
    gym.elapse(601)
    gym.health("t1", usage_hours_h=4101.0)
    repair(gym, ServiceDone(asset="t1", note="belt waxed"))
    assert any("belt waxed" in row.note for row in gym.rows.all(ROWS["OrderStepRow"]))


def test_an_inspection_names_each_item_once(gym):
    items = (("frame", "ok"),) * 50
    assert repair(gym, Inspect(asset="o1", items=items)).code == "bad_value"


def test_a_repeat_inspection_is_asked_for_and_then_overdue(kit):
    rule = WearSettings(kind=AssetKind.OUTDOOR, inspect_days=10)
    gym = kit.new(kit.config(wear=(rule,)))
    repair(gym, Inspect(asset="o1", items=(("frame", "ok"), ("bolts", "ok"))))

    def codes(day):
        gym.elapse(86_400)
        gym.give(DayOpened(f"2026-{day}"))
        return [code for asset, code, _ in gym.shown["maintenance"].due if asset == "o1"]

    assert codes("11-30") == []
    assert codes("12-01") == ["inspection_soon"]
    assert codes("12-02") == ["inspection_due"]
    assert codes("12-05") == ["inspection_overdue"]
    assert [order.cause for order in gym.world.orders.values()] == ["inspection_due"]
    repair(gym, Inspect(asset="o1", items=(("frame", "ok"), ("bolts", "ok"))))
    assert codes("12-06") == []


def test_a_service_that_is_long_due_is_overdue(gym):
    gym.health("t1", usage_hours_h=4000.0)
    gym.elapse(601)
    gym.health("t1", usage_hours_h=4125.0)
    gym.stand("t1")
    assert "hours_overdue" in gym.shown["asset/t1"].due
    assert [order.cause for order in gym.world.orders.values()] == ["hours_due"]


# --- the trail ---


def laps(gym):
    return [row.problem for row in gym.rows.all(ROWS["LapRow"])]


@pytest.mark.parametrize("gate", [0, 1])
def test_a_rest_beside_a_gate_is_no_lap(gym, gate):
    for number in range(gate + 1):
        gym.run(200)
        gym.gate(number)
    for _ in range(3):
        gym.run(35)
        gym.gate(gate)
    for number in range(gate + 1, 3):
        gym.run(200)
        gym.gate(number)
    gym.run(200)
    gym.gate(0)
    assert laps(gym) == [""]


def test_a_trail_that_is_changed_sends_everybody_home(gym):
    gym.gate(0)
    gym.run(200)
    gym.gate(2)
    trail = msgspec.structs.replace(gym.config.trails[0], gates=gym.config.trails[0].gates[:1])
    gym.give(ConfigApplied(msgspec.structs.replace(gym.config, version="y2", trails=(trail,))))
    assert gym.shown["trail/loop"].out == ()
    assert [row.standing for row in gym.rows.all(ROWS["OutingRow"])] == [False]


def test_a_trail_that_is_gone_leaves_nothing(gym):
    gym.gate(0)
    gym.give(ConfigApplied(msgspec.structs.replace(gym.config, version="y2", trails=())))
    assert gym.world.trails == {}
    gym.run(5)


# --- a site that changes ---


def test_a_machine_that_is_removed_ends_its_workout_and_leaves_nothing(gym):
    gym.person("anna", "c1", ceiling_bpm=100)
    gym.cuff(120)
    gym.stand("e1")
    gym.card("k1", "c1")
    gym.card("e1", "c1")
    gym.train("e1", 60, bpm=130)
    assert "heart_alarm" in gym.causes()
    assets = tuple(one for one in gym.config.assets if one.asset != "e1")
    gym.give(ConfigApplied(msgspec.structs.replace(gym.config, version="y2", assets=assets)))
    assert [row.state for row in gym.workouts()] == ["ended"]
    assert not any(alarm.active for key, alarm in gym.world.alarms.alarms.items() if key.endswith(":e1"))
    for kept in (gym.world.watches, gym.world.straps, gym.world.recoveries):
        assert "e1" not in kept
    gym.beats("e1", 130)
    gym.run(100)


def test_who_waits_in_a_room_that_is_gone_waits_no_more(gym):
    gym.command(JoinQueue(zone="hall", kind=AssetKind.BIKE, person="anna"))
    assets = tuple(one for one in gym.config.assets if one.kind is not AssetKind.BIKE)
    gym.give(ConfigApplied(msgspec.structs.replace(gym.config, version="y2", assets=assets)))
    gym.run(40)
    assert gym.world.queue == []


def test_the_safety_key_is_heard_in_a_reading_too(gym):
    gym.says("t1", safety_key_pulled=True)
    assert "safety_key" in gym.causes()
    gym.says("t1", safety_key_pulled=False)
    alarm = gym.world.alarms.alarms["key:t1"]
    assert not alarm.active
    assert gym.command(AckAlarm(alarm_id=alarm.alarm_id)).code == "ok"
    assert "safety_key" in gym.causes(), "who puts the key back need not be who fell: a person resets it"
    assert gym.command(ResetAlarm(alarm_id=alarm.alarm_id)).code == "ok"
    assert "safety_key" not in gym.causes()


def test_who_is_held_back_and_trains_anyway_is_told(gym):
    """The gate cannot stop feet: somebody begins without a card and claims it while it runs."""
    from edge.domain.gym.messages import ClaimWorkout, RecordVitals

    gym.command(RecordVitals(person="anna", systolic_mmhg=210, diastolic_mmhg=100, pulse_bpm=80))
    gym.stand("e1")
    gym.train("e1", 30)
    gym.command(ClaimWorkout(workout_id=gym.asset("e1").workout.workout_id, person="anna"))
    assert "gate_refer" in gym.causes()
