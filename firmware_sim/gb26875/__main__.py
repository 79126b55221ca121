"""``python -m firmware_sim.gb26875 --dial HOST:PORT --head KIND@ZONE:POSITION``: a transmission unit; ``--centre
--listen HOST:PORT``: a monitoring centre."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime, timedelta

from firmware_sim.gb26875.centre import Centre, Desk
from firmware_sim.gb26875.unit import TYPES, Head, Panel, TransmissionUnit
from firmware_sim.lineprogram import common_arguments, line_of, start


def _head(word: str) -> tuple[str, Head]:
    kind, _, place = word.partition("@")
    zone, _, position = place.partition(":")
    if kind not in TYPES or not zone.isdecimal() or not position.isdecimal():
        raise ValueError(f"head {word!r}: give KIND@ZONE:POSITION, kind one of {', '.join(TYPES)}")
    return place, Head(kind, int(zone), int(position), kind)


def main() -> int:
    parser = argparse.ArgumentParser(prog="firmware_sim.gb26875", description=__doc__)
    common_arguments(parser, 1_000_000, "N")
    parser.add_argument("--centre", action="store_true", help="be the centre, not the unit")
    parser.add_argument("--head", action="append", default=[], metavar="KIND@ZONE:POSITION", help="repeatable")
    options = parser.parse_args()
    if options.centre:
        desk = Desk()
        return start(parser, options, Centre(desk, seed=options.seed, line=line_of(options)), {"desk": desk})
    try:
        heads = dict(map(_head, options.head))
    except ValueError as error:
        parser.error(str(error))
    panel = Panel(heads)
    boot = datetime.now(UTC) + timedelta(hours=8) - timedelta(seconds=time.monotonic())  # noqa: TID251 - a real clock
    unit = TransmissionUnit(panel, china=boot.replace(tzinfo=None), seed=options.seed, line=line_of(options))
    return start(parser, options, unit, {"panel": panel, **heads})


sys.exit(main())
