"""Cuff and scale of a health hut."""

from firmware_sim.health.hut import Cuff, Scale

__all__ = ["Cuff", "Scale"]
