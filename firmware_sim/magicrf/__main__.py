"""``python -m firmware_sim.magicrf --link PATH``: a MagicRF UHF module on a pseudo-terminal."""

from __future__ import annotations

import argparse
import sys

from firmware_sim.chips import Field
from firmware_sim.line import LineSettings
from firmware_sim.magicrf.frames import FRAMINGS
from firmware_sim.magicrf.reader import MagicRfReader, MagicRfSettings
from firmware_sim.program import common_arguments, start


def _build(options: argparse.Namespace, field: Field) -> MagicRfReader:
    settings = MagicRfSettings(framing=options.framing)
    return MagicRfReader(field, seed=options.seed, line=LineSettings(options.baud, options.parity), settings=settings)


def main() -> int:
    parser = argparse.ArgumentParser(prog="firmware_sim.magicrf", description=__doc__)
    common_arguments(parser, 115_200, "N")
    parser.add_argument("--framing", choices=sorted(FRAMINGS), default="bb7e", help="BB..7E or AA..DD")
    return start(parser, _build)


sys.exit(main())
