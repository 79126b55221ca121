"""``python -m firmware_sim.dny --dial HOST:PORT --board 04a26cf3``: charging boards behind a radio module."""

from __future__ import annotations

import argparse
import re
import sys

from firmware_sim.dny.boards import Module
from firmware_sim.lineprogram import common_arguments, line_of, start


def main() -> int:
    parser = argparse.ArgumentParser(prog="firmware_sim.dny", description=__doc__)
    common_arguments(parser, 1_000_000, "N")
    parser.add_argument("--board", action="append", metavar="ID", help="8 hex digits; repeatable, default 04a26cf3")
    parser.add_argument("--ports", type=int, default=2, choices=range(1, 33), metavar="1..32")
    options = parser.parse_args()
    names = options.board or ["04a26cf3"]
    if not all(re.fullmatch("[0-9a-f]{8}", name) for name in names):
        parser.error("--board: give 8 lower-case hex digits")
    module = Module(names, ports=options.ports, seed=options.seed, line=line_of(options))
    sockets = {
        f"{name}:{number}": socket for name, board in module.boards.items() for number, socket in enumerate(board, 1)
    }
    return start(parser, options, module, {"module": module.radio, **sockets})


sys.exit(main())
