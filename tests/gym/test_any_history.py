"""Any history of words, cards, commands, silences and power cuts: what must always hold of the gym."""

from __future__ import annotations

import random

import msgspec
import pytest

from edge.domain.actors import Role
from edge.domain.devices import DeviceReading, DeviceState
from edge.domain.gym.kernel import GymKernel
from edge.domain.gym.messages import (
    ClaimAsset,
    ClaimWorkout,
    GiveStopReason,
    Inspect,
    JoinQueue,
    LeaveAsset,
    LeaveQueue,
    LiftReferral,
    LockOut,
    RecordVitals,
    ReportFault,
    ReturnTest,
    ServiceDone,
)
from edge.domain.gym.rows import ROW_TYPES
from edge.domain.gym.settings import AssetKind
from edge.domain.gym.world import World
from edge.domain.kernel import Stamp
from edge.domain.machine_readings import BodySide, MachineState, RepReading, StrengthSetReading
from edge.storage.facts import FactsStore

PEOPLE = {"anna": "c1", "bo": "c2", "cai": "c3"}
NAMES = ("t1", "t2", "b1", "e1")


def wish(dice, gym):
    name, person = dice.choice(NAMES), dice.choice(list(PEOPLE))
    workouts = [row.workout_id for row in gym.workouts()] or ["none"]
    return dice.choice(
        (
            ClaimAsset(asset=name, card=PEOPLE[person]),
            ClaimAsset(asset=name, person=person),
            LeaveAsset(asset=name),
            ClaimWorkout(workout_id=dice.choice(workouts), person=person),
            GiveStopReason(workout_id=dice.choice(workouts), reason="dizzy"),
            JoinQueue(zone="hall", kind=AssetKind.TREADMILL, person=person),
            LeaveQueue(person=person),
            ReportFault(asset=name, what="noise"),
            LockOut(asset=name),
            ReturnTest(asset=name, passed=dice.random() < 0.7),
            ServiceDone(asset=name),
            Inspect(asset=name, items=(("frame", dice.choice(("ok", "minor", "danger"))),)),
            RecordVitals(person=person, systolic_mmhg=dice.randint(100, 210), diastolic_mmhg=80, pulse_bpm=70),
            LiftReferral(person=person),
        )
    )


def step(dice, gym, before):
    name = dice.choice(NAMES)
    match dice.randrange(14):
        case 0 | 1 | 2 | 3:
            gym.train(name, dice.randint(1, 25), bpm=dice.choice((None, 90, 118, 200)))
        case 4:
            gym.run(dice.choice((1, 4, 8, 100, 190)), each=lambda: gym.stand(name))
        case 5:
            gym.run(dice.choice((3, 7, 60)))
        case 6:
            gym.metres[name] = gym.elapsed[name] = 0.0
        case 7:
            gym.metres[name] = gym.metres.get(name, 0.0) + dice.choice((5, 70_000))
        case 8:
            gym.command(wish(dice, gym), role=Role.MANAGER)
        case 9:
            gym.card(name, dice.choice((*PEOPLE.values(), "stranger")))
        case 10:
            gym.restart(down_s=dice.choice((1, 100, 4000)))
            before.clear()  # a power cut may cost the last minute
        case 11:
            state = dice.choice((MachineState.FINISHED, MachineState.PAUSED, None))
            gym.walk(name, seconds=dice.choice((0.0, 1.0)), state=state, delay_ms=dice.choice((None, 2000, 900_000)))
        case 12:
            gym.health(name, error_code=dice.choice((0, 7)), usage_hours_h=dice.uniform(0, 300), motor_current_a=2.0)
            gym.link("row", dice.choice((DeviceState.READY, DeviceState.LOST)))
        case 13:
            rep = RepReading(point=name, set_number=1, rep=dice.randint(1, 9), peak_torque_nm=40.0, side=BodySide.LEFT)
            course = StrengthSetReading(point=name, set_number=1, duration_s=dice.uniform(0, 60), finished=True)
            gym.give(DeviceReading("row", 1, dice.choice((rep, course))))
            gym.gate(dice.randrange(3), tag=dice.choice(("c1", "aa02")))
            gym.cuff(dice.randint(100, 210))


def check(gym, before):
    """What holds after every step; ``before`` are the totals of the step before."""
    busy = [one.workout.person for one in gym.world.assets.values() if one.phase == "active" and one.workout.person]
    assert len(busy) == len(set(busy)), "one person, one machine"
    held = [place.row.asset for place in gym.world.queue if place.row.asset]
    assert len(held) == len(set(held)), "one machine, one who is called"
    for one in gym.world.assets.values():
        assert (one.workout is None) == (one.phase in {"idle", "armed"})
        assert not (one.locked_by and one.workout), "nobody trains on a machine that is locked out"
        if one.workout is not None:
            totals, known = one.workout.totals, before.get(one.workout.workout_id)
            now = (totals.active_ms, totals.distance_m, totals.strokes, totals.reps)
            assert known is None or all(new >= old for new, old in zip(now, known, strict=True)), "totals never fall"
            assert totals.active_ms <= one.workout.ms(gym.mono_ns) + 1000, "no more time than there was"
            before[one.workout.workout_id] = now
    for row in gym.workouts():
        assert row.active_ms <= (max(row.ended_ns, row.at_ns) - row.began_ns) // 1_000_000 + 2000
        open_at = gym.asset(row.asset).workout
        assert row.state != "open" or (open_at is not None and open_at.workout_id == row.workout_id), "no lost workout"


@pytest.mark.parametrize("seed", range(12))
def test_any_history(gym, seed, tmp_path):
    dice, before = random.Random(seed), {}
    for person, card in PEOPLE.items():
        gym.person(person, card, birth_year=1950, ceiling_bpm=115)
    for _ in range(120):
        step(dice, gym, before)
        check(gym, before)
    store = FactsStore.open(tmp_path, ROW_TYPES, vertical="gym", ballast_bytes=0)
    store.close()
    world = msgspec.msgpack.decode(msgspec.msgpack.encode(gym.world), type=World)
    kernel, stamp = GymKernel(), Stamp(gym.seq + 1, "boot-x", gym.mono_ns + 10**9, gym.wall_ns + 10**9, True)
    item = DeviceReading("row", 1, StrengthSetReading(point="t1", set_number=1))
    assert kernel.handle(world, item, stamp) == kernel.handle(gym.world, item, stamp), "a snapshot is the whole world"


@pytest.mark.parametrize("seed", range(20, 24))
def test_a_start_knows_what_was_promised(gym, seed):
    """What the rows must bring back: people, orders, locks, the line, workouts to claim, and what is under way."""
    dice = random.Random(seed)
    for person, card in PEOPLE.items():
        gym.person(person, card, birth_year=1950, ceiling_bpm=115)
    for _ in range(80):
        step(dice, gym, {})
        world, anew = gym.world, gym.kernel.load(gym.rows)
        assert (anew.persons, anew.cards, anew.orders, anew.day) == (
            world.persons,
            world.cards,
            world.orders,
            world.day,
        )
        assert sorted(anew.ended) == sorted(world.ended)
        assert {name: row.workout_id for name, row in anew.open_rows.items()} == {
            name: one.workout.workout_id for name, one in world.assets.items() if one.workout is not None
        }
        assert {name: one.locked_by for name, one in anew.assets.items()} == {
            name: one.locked_by for name, one in world.assets.items()
        }
        assert [one.row.person for one in anew.queue] == [one.row.person for one in world.queue]
        assert anew.vitals == world.vitals
        assert anew.referred == world.referred
        assert {key: reply.code for key, reply in anew.replies.items()} == {
            key: reply.code for key, reply in world.replies.items()
        }
