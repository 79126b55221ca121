"""``python -m firmware_sim.strength --config FILE.json``: strength machines on a broker.

``{"port": 1883, "devices": [{"name": "strength/knee1", "sets": 3, "reps": 12, "programme": "knee", "again_s": 60}]}``;
a session begins at once and again ``again_s`` after the last one (0: never). Control: ``train`` (device).
"""

from __future__ import annotations

import sys

from firmware_sim.control import Json
from firmware_sim.jsonconfig import ConfigReader
from firmware_sim.mqttprogram import Fleet, start
from firmware_sim.strength.machine import StrengthMachine

KNOWN = {"name", "sets", "reps", "programme", "again_s"}


def build(reader: ConfigReader, rows: list[tuple[str, dict[str, object]]], seed: int) -> Fleet:
    fleet = Fleet()
    for index, (place, row) in enumerate(rows):
        name = reader.get(row, "name", place, str)
        if name.count("/") != 1 or name in fleet.devices:
            reader.say(f"{place}.name", f"{name!r} must be <zone>/<asset>, once")
        machine = StrengthMachine(
            name,
            sets=reader.get(row, "sets", place, int, 3),
            reps=reader.get(row, "reps", place, int, 12),
            programme=reader.get(row, "programme", place, str, "knee"),
            seed=seed + index,
        )
        fleet.devices[name] = machine
        _again(machine, reader.get(row, "again_s", place, float, 60.0))

    async def train(request: Json) -> Json:
        machine = fleet.device(request)
        assert isinstance(machine, StrengthMachine)
        machine.begin_session()
        return {}

    fleet.operations["train"] = train
    return fleet


def _again(machine: StrengthMachine, pause_s: float) -> None:
    """Sessions one after the other."""

    def session() -> None:
        machine.begin_session()
        if pause_s > 0:
            machine.after(machine.session_s + pause_s, session)

    machine.after(1.0, session)


if __name__ == "__main__":
    sys.exit(start("firmware_sim.strength", build, KNOWN, __doc__))
