"""Which end of GB/T 26875.3 we are: the centre of a transmission unit, or a unit that reports to a centre."""

from __future__ import annotations

from collections.abc import Mapping

from drivers.driver import Driver
from drivers.gb26875.centre import CentreDriver
from drivers.gb26875.unit import UnitDriver
from drivers.options import OptionValue


def make_driver(options: Mapping[str, OptionValue]) -> Driver:
    """The driver for ``options["role"]`` (default ``centre``); LocalProtocolError names a wrong option."""
    return UnitDriver(options) if options.get("role") == "unit" else CentreDriver(options)
