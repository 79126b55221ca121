"""``python -m firmware_sim.ble_gateway --config FILE.json``: gateways with machines, straps, cuffs and scales.

``{"port": 1883, "devices": [{"name": "hall/t1", "kind": "treadmill", "running": true, "habit": "truncate"},
{"name": "hall/s1", "kind": "strap"}, {"name": "hut/cuff", "kind": "cuff"}, {"name": "hut/scale", "kind": "scale"}]}``.
Control: ``train`` (name, state), ``effort`` (name, percent), ``measure`` (name, systolic, diastolic, pulse), ``weigh``
(name, kg), ``dead`` (name, on), ``reboot``, beside ``way`` of all MQTT devices (device ``gateway``).
"""

from __future__ import annotations

import sys
import time

from firmware_sim.ant_fec.pages import AntMachine
from firmware_sim.ble_gateway.gateway import BleGateway
from firmware_sim.control import ControlError, Json, Operation, number, text
from firmware_sim.exercise import KINDS, Exercise
from firmware_sim.ftms.machine import HABITS, FtmsMachine
from firmware_sim.health.hut import Cuff, Scale
from firmware_sim.heart_rate.strap import Strap
from firmware_sim.jsonconfig import ConfigReader
from firmware_sim.mqttprogram import Fleet, start

KNOWN = {"name", "kind", "running", "effort", "habit", "obeys", "ant"}
OTHERS = ("strap", "cuff", "scale")
STATES = ("idle", "in_use", "paused", "finished")
Thing = FtmsMachine | AntMachine | Strap | Cuff | Scale


def build(reader: ConfigReader, rows: list[tuple[str, dict[str, object]]], seed: int) -> Fleet:
    """One gateway with the things of the file."""
    things: dict[str, Thing] = {}
    for place, row in rows:
        name = reader.get(row, "name", place, str)
        if name.count("/") != 1:
            reader.say(f"{place}.name", f"{name!r} must be <zone>/<asset>")
        if name in things:
            reader.say(f"{place}.name", f"{name} is there twice")
        things[name] = _thing(reader, row, place)
    gateway = BleGateway(things, seed=seed, unix_ms=time.time_ns() // 1_000_000)
    fleet = Fleet()
    fleet.devices["gateway"] = gateway
    fleet.operations |= _operations(gateway, things)
    return fleet


def _thing(reader: ConfigReader, row: dict[str, object], place: str) -> Thing:
    kind = reader.get(row, "kind", place, str, "treadmill")
    if kind not in {*KINDS, *OTHERS}:
        reader.say(f"{place}.kind", f"{kind!r} is none of {', '.join((*KINDS, *OTHERS))}")
        return Scale()
    if kind == "cuff":
        return Cuff()
    if kind == "scale":
        return Scale()
    exercise = Exercise(kind if kind in KINDS else "treadmill", effort=reader.get(row, "effort", place, float, 0.5))
    if reader.get(row, "running", place, bool, default=False):
        exercise.state = "in_use"
    if kind == "strap":
        return Strap(exercise)
    if reader.get(row, "ant", place, bool, default=False):
        return AntMachine(exercise)
    habit = reader.get(row, "habit", place, str, "none")
    if habit not in HABITS:
        reader.say(f"{place}.habit", f"{habit!r} is none of {', '.join(HABITS)}")
    return FtmsMachine(exercise, habit=habit, obeys=reader.get(row, "obeys", place, bool, default=True))


def _operations(gateway: BleGateway, things: dict[str, Thing]) -> dict[str, Operation]:
    async def dead(request: Json) -> Json:
        _thing_of(things, request).dead = request.get("on", True) is True
        return {}

    async def reboot(_request: Json) -> Json:
        gateway.reboot()
        return {}

    return {**_training(gateway, things), **_hut(things), "dead": dead, "reboot": reboot}


def _thing_of(things: dict[str, Thing], request: Json) -> Thing:
    name = text(request, "name")
    if name not in things:
        raise ControlError(f'"name" must be one of: {", ".join(things)}')
    return things[name]


def _training(gateway: BleGateway, things: dict[str, Thing]) -> dict[str, Operation]:
    def exercise_of(request: Json) -> Exercise:
        thing = _thing_of(things, request)
        if isinstance(thing, Cuff | Scale):
            raise ControlError("a cuff or scale is not exercised")
        return thing.exercise

    async def train(request: Json) -> Json:
        exercise, state = exercise_of(request), text(request, "state")
        if state not in STATES:
            raise ControlError(f'"state" must be one of: {", ".join(STATES)}')
        if state == "in_use":
            exercise.start(gateway.now_ns)
        else:
            exercise.stop(gateway.now_ns, state)
        return {}

    async def effort(request: Json) -> Json:
        exercise_of(request).effort = number(request, "percent", 50, 100) / 100
        return {}

    return {"train": train, "effort": effort}


def _hut(things: dict[str, Thing]) -> dict[str, Operation]:
    async def measure(request: Json) -> Json:
        cuff = _thing_of(things, request)
        if not isinstance(cuff, Cuff):
            raise ControlError("only a cuff measures")
        systolic, diastolic, pulse = (float(number(request, key, 0, 300)) for key in ("systolic", "diastolic", "pulse"))
        cuff.measure(systolic, diastolic, pulse)
        return {}

    async def weigh(request: Json) -> Json:
        scale = _thing_of(things, request)
        if not isinstance(scale, Scale):
            raise ControlError("only a scale weighs")
        scale.weigh(float(number(request, "kg", 60, 300)))
        return {}

    return {"measure": measure, "weigh": weigh}


if __name__ == "__main__":
    sys.exit(start("firmware_sim.ble_gateway", build, KNOWN, __doc__))
