"""A post of a smart trail, and a counter of an outdoor point."""

from firmware_sim.trail_gates.gate import TrailPost

__all__ = ["TrailPost"]
