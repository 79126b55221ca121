"""``python -m firmware_sim.dlt645 --link PATH --meter m01=000000000001``: a bus of DL/T 645-2007 meters."""

from __future__ import annotations

import argparse
import sys
import time

from firmware_sim.dlt645.bus import MeterBus
from firmware_sim.dlt645.meter import EPOCH, Meter
from firmware_sim.lineprogram import common_arguments, line_of, start

#: Meters keep China local time, eight hours before UTC.
CHINA_S = 8 * 3600


def _meter(word: str) -> tuple[str, Meter]:
    """``NAME=ADDRESS[:WATTS]``."""
    name, _, rest = word.partition("=")
    address, _, watts = rest.partition(":")
    if not name or len(address) != 12 or not address.isdecimal():
        raise ValueError(f"meter {word!r}: give NAME=ADDRESS[:WATTS], the address of 12 digits")
    offset_s = int(time.time() - time.monotonic() + CHINA_S - EPOCH.timestamp())
    return name, Meter(address, load_w=float(watts or 0), clock_offset_s=offset_s)


def main() -> int:
    parser = argparse.ArgumentParser(prog="firmware_sim.dlt645", description=__doc__)
    common_arguments(parser, 2_400, "E")
    parser.add_argument("--meter", action="append", required=True, metavar="NAME=ADDRESS[:WATTS]", help="repeatable")
    parser.add_argument("--password", default="000000", help="6 digits, default 000000")
    options = parser.parse_args()
    try:
        meters = dict(map(_meter, options.meter))
        for meter in meters.values():
            meter.password = bytes.fromhex(options.password)[::-1]
        bus = MeterBus(meters, seed=options.seed, line=line_of(options))
    except ValueError as error:
        parser.error(str(error))
    return start(parser, options, bus, meters)


sys.exit(main())
