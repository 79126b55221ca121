"""DNY / AP3000 charging boards behind one radio module."""

from firmware_sim.dny.boards import Module, Radio, Socket

__all__ = ["Module", "Radio", "Socket"]
