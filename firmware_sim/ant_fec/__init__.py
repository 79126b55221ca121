"""An ANT stick and the machines that it hears."""

from firmware_sim.ant_fec.pages import AntMachine, AntStrap
from firmware_sim.ant_fec.stick import AntStick

__all__ = ["AntMachine", "AntStick", "AntStrap"]
