"""GB/T 26875.3: a fire transmission unit that reports to us, and a centre that we report to."""

from firmware_sim.gb26875.centre import Centre
from firmware_sim.gb26875.unit import Head, Panel, TransmissionUnit

__all__ = ["Centre", "Head", "Panel", "TransmissionUnit"]
