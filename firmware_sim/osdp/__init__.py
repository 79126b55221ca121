"""OSDP v2 readers with door relays on one RS-485 line."""

from firmware_sim.osdp.reader import Door, ReaderBus

__all__ = ["Door", "ReaderBus"]
