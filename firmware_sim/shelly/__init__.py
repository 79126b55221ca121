"""A Shelly plug of the second generation (``drivers/shelly/PROTOCOL.md``)."""

from firmware_sim.shelly.plug import ShellyPlug, ShellySettings

__all__ = ["ShellyPlug", "ShellySettings"]
