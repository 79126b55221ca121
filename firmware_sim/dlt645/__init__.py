"""A bus of DL/T 645-2007 meters and smart breakers."""

from firmware_sim.dlt645.bus import MeterBus
from firmware_sim.dlt645.meter import Meter

__all__ = ["Meter", "MeterBus"]
