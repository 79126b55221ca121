"""A heart rate strap."""

from firmware_sim.heart_rate.strap import Strap

__all__ = ["Strap"]
