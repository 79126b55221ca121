"""``python -m firmware_sim.dc589 --dial HOST:PORT --ports 10``: a charging board."""

from __future__ import annotations

import argparse
import sys

from firmware_sim.dc589.board import Board
from firmware_sim.lineprogram import common_arguments, line_of, start


def main() -> int:
    parser = argparse.ArgumentParser(prog="firmware_sim.dc589", description=__doc__)
    common_arguments(parser, 1_000_000, "N")
    parser.add_argument("--ports", type=int, default=10, choices=range(1, 65), metavar="1..64")
    options = parser.parse_args()
    board = Board(options.ports, seed=options.seed, line=line_of(options))
    ports = {f"port{number}": outlet for number, outlet in enumerate(board.ports, 1)}
    return start(parser, options, board, {"board": board.power, **ports})


sys.exit(main())
