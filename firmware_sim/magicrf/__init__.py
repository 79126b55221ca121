"""A MagicRF M100 module (UHF Gen2, frames BB .. 7E)."""

from firmware_sim.magicrf.reader import MagicRfReader, MagicRfSettings

__all__ = ["MagicRfReader", "MagicRfSettings"]
