"""``python -m firmware_sim.modbus --listen HOST:PORT --tcp --contactor 0=0``: relay boards with contactors."""

from __future__ import annotations

import argparse
import sys

from firmware_sim.line import LineSettings
from firmware_sim.lineprogram import common_arguments, line_of, start
from firmware_sim.modbus.board import Board
from firmware_sim.modbus.bus import BoardBus

#: A network has no character time worth simulating.
NETWORK_BAUD = 100_000_000


def _contactor(word: str) -> tuple[int, int]:
    coil, _, contact = word.partition("=")
    if not (coil.isdecimal() and contact.isdecimal()):
        raise ValueError(f"contactor {word!r}: give COIL=DISCRETE_INPUT")
    return int(coil), int(contact)


def main() -> int:
    parser = argparse.ArgumentParser(prog="firmware_sim.modbus", description=__doc__)
    common_arguments(parser, 9_600, "N")
    parser.add_argument("--tcp", action="store_true", help="frames with an MBAP header instead of a CRC")
    parser.add_argument("--unit", type=int, action="append", help="unit id of a board; repeatable, default 1")
    parser.add_argument("--contactor", action="append", default=[], metavar="COIL=INPUT", help="on every board")
    parser.add_argument("--watchdog-ms", type=int, default=0, help="a coil not written again falls off; 0 never")
    options = parser.parse_args()
    try:
        contacts = dict(map(_contactor, options.contactor))
        line = LineSettings(NETWORK_BAUD, "N") if options.tcp else line_of(options)
    except ValueError as error:
        parser.error(str(error))
    boards = {
        f"unit{unit}": Board(unit=unit, contacts=dict(contacts), watchdog_ns=options.watchdog_ms * 1_000_000)
        for unit in options.unit or [1]
    }
    return start(parser, options, BoardBus(boards, seed=options.seed, line=line, tcp=options.tcp), boards)


sys.exit(main())
