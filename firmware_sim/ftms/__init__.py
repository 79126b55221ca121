"""A Bluetooth training machine."""

from firmware_sim.ftms.machine import FtmsMachine

__all__ = ["FtmsMachine"]
