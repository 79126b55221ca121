"""DC589 charging boards: a TCP client with ports, bikes and faults."""

from firmware_sim.dc589.board import Board, Outlet, Power

__all__ = ["Board", "Outlet", "Power"]
