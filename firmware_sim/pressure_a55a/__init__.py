"""An A55A pressure terminal on a sprinkler main."""

from firmware_sim.pressure_a55a.terminal import Pipe, PressureTerminal

__all__ = ["Pipe", "PressureTerminal"]
