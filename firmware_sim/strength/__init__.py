"""An isokinetic or micro-circulation machine that speaks our generic profile."""

from firmware_sim.strength.machine import StrengthMachine

__all__ = ["StrengthMachine"]
