"""``python -m firmware_sim.csafe --link PATH --kind treadmill``: a training machine on a serial port."""

from __future__ import annotations

import argparse
import sys
import time

from firmware_sim.csafe.console import Console, CsafePort
from firmware_sim.exercise import KINDS, Exercise
from firmware_sim.lineprogram import common_arguments, line_of, start


def main() -> int:
    parser = argparse.ArgumentParser(prog="firmware_sim.csafe", description=__doc__)
    common_arguments(parser, 9_600, "N")
    parser.add_argument("--kind", choices=KINDS, default="treadmill")
    parser.add_argument("--running", action="store_true", help="somebody is training")
    parser.add_argument("--big-odometer", action="store_true", help="the odometer is sent big-endian")
    parser.add_argument("--unsupported", action="append", default=[], metavar="HEX", help="a command; repeatable")
    options = parser.parse_args()
    try:
        unsupported = {int(word, 16) for word in options.unsupported}
        line = line_of(options)
    except ValueError as error:
        parser.error(str(error))
    exercise = Exercise(options.kind)
    if options.running:
        exercise.start(time.monotonic_ns())
    console = Console(exercise, unsupported=unsupported, big_odometer=options.big_odometer)
    port = CsafePort(console, seed=options.seed, line=line)
    return start(parser, options, port, {"exercise": exercise})


sys.exit(main())
