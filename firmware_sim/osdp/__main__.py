"""``python -m firmware_sim.osdp --link PATH --door 0 --key HEX``: OSDP readers with door relays on one line."""

from __future__ import annotations

import argparse
import sys

from firmware_sim.lineprogram import common_arguments, line_of, start
from firmware_sim.osdp.reader import Door, ReaderBus


def main() -> int:
    parser = argparse.ArgumentParser(prog="firmware_sim.osdp", description=__doc__)
    common_arguments(parser, 9_600, "N")
    parser.add_argument("--door", type=int, action="append", choices=range(127), metavar="0..126", help="repeatable")
    parser.add_argument("--key", default="", help="32 hex digits; without it readers have no secure channel")
    parser.add_argument("--factory-key", action="store_true", help="the readers still have the key of the box")
    options = parser.parse_args()
    try:
        key = bytes.fromhex(options.key)
    except ValueError:
        parser.error("--key: give 32 hex digits")
    if len(key) not in {0, 16}:
        parser.error("--key: give 32 hex digits")
    doors = {address: Door(key=key, factory=options.factory_key) for address in options.door or [0]}
    bus = ReaderBus(doors, seed=options.seed, line=line_of(options))
    return start(parser, options, bus, {f"door{address}": door for address, door in doors.items()})


sys.exit(main())
