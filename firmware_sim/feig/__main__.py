"""``python -m firmware_sim.feig --link PATH``: a FEIG HF reader on a pseudo-terminal."""

from __future__ import annotations

import argparse
import sys

from firmware_sim.air15693 import AirSettings
from firmware_sim.chips import Field
from firmware_sim.feig.reader import FeigReader, FeigSettings
from firmware_sim.line import LineSettings
from firmware_sim.program import common_arguments, start


def _build(options: argparse.Namespace, field: Field) -> FeigReader:
    settings = FeigSettings(
        address=options.address,
        only_new=options.ont == 1,
        scan_mode=options.scan_mode,
        air=AirSettings(ask_percent=options.ask),
    )
    return FeigReader(field, seed=options.seed, line=LineSettings(options.baud, options.parity), settings=settings)


def main() -> int:
    parser = argparse.ArgumentParser(prog="firmware_sim.feig", description=__doc__)
    common_arguments(parser, 38_400, "E")
    parser.add_argument("--address", type=int, default=0, choices=range(255), metavar="0..254")
    parser.add_argument("--ont", type=int, choices=(0, 1), default=1, help="1: a chip told once is quiet (factory)")
    parser.add_argument("--ask", type=int, choices=(10, 100), default=100, help="modulation, percent")
    parser.add_argument("--scan-mode", action="store_true", help="somebody left scan mode on: B0 is refused")
    return start(parser, _build)


sys.exit(main())
