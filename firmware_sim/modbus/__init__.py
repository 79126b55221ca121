"""Modbus relay boards with contactors behind them, RTU or TCP."""

from firmware_sim.modbus.board import Board
from firmware_sim.modbus.bus import BoardBus

__all__ = ["Board", "BoardBus"]
