"""``python -m firmware_sim.ant_fec --link PATH --key HEX --machine 101=rower``: an ANT stick with machines around."""

from __future__ import annotations

import argparse
import sys
import time

from firmware_sim.ant_fec.pages import AntMachine
from firmware_sim.ant_fec.stick import AntStick
from firmware_sim.exercise import Exercise
from firmware_sim.lineprogram import common_arguments, line_of, start

KINDS = ("treadmill", "cross_trainer", "rower", "step_climber", "bike")


def _machine(word: str) -> AntMachine:
    number, _, kind = word.partition("=")
    if not number.isdecimal() or not 0 < int(number) <= 0xFFFF or kind not in KINDS:
        raise ValueError(f"machine {word!r}: give 1..65535={'|'.join(KINDS)}")
    machine = AntMachine(Exercise(kind), int(number))
    machine.exercise.start(time.monotonic_ns())
    return machine


def main() -> int:
    parser = argparse.ArgumentParser(prog="firmware_sim.ant_fec", description=__doc__)
    common_arguments(parser, 57_600, "N")
    parser.add_argument("--key", required=True, help="16 hex digits: what the simulated network takes for its key")
    parser.add_argument("--machine", action="append", default=[], metavar="NUMBER=KIND", help="repeatable")
    options = parser.parse_args()
    try:
        key = bytes.fromhex(options.key)
        machines = [_machine(word) for word in options.machine or ["1=rower"]]
        line = line_of(options)
    except ValueError as error:
        parser.error(str(error))
    stick = AntStick(machines, key=key, seed=options.seed, line=line)
    return start(parser, options, stick, {str(machine.number): machine.exercise for machine in machines})


sys.exit(main())
