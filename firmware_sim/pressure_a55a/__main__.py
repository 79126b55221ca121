"""``python -m firmware_sim.pressure_a55a --dial HOST:PORT``: a pressure terminal that calls its centre."""

from __future__ import annotations

import argparse
import sys
import time

from firmware_sim.lineprogram import common_arguments, line_of, start
from firmware_sim.pressure_a55a.terminal import Pipe, PressureTerminal


def main() -> int:
    parser = argparse.ArgumentParser(prog="firmware_sim.pressure_a55a", description=__doc__)
    common_arguments(parser, 9_600, "N")
    parser.add_argument("--id", default="SHRP25090120", help="12 ASCII characters")
    parser.add_argument("--interval", type=int, default=60, metavar="S")
    parser.add_argument("--low", type=int, default=200, metavar="KPA")
    parser.add_argument("--high", type=int, default=2500, metavar="KPA")
    options = parser.parse_args()
    if not options.id.isascii() or not 1 <= len(options.id) <= 12 or not 1 <= options.interval <= 65_535:
        parser.error("--id takes 1 to 12 ASCII characters, --interval 1 to 65535 s")
    try:
        line = line_of(options)
    except ValueError as error:
        parser.error(str(error))
    pipe = Pipe()
    terminal = PressureTerminal(
        pipe,
        device_id=options.id,
        interval_s=options.interval,
        limits_kpa=(options.low, options.high),
        unix_s=int(time.time()),
        now_ns=time.monotonic_ns(),
        seed=options.seed,
        line=line,
    )
    return start(parser, options, terminal, {"pipe": pipe})


sys.exit(main())
