"""The simulated garage: a building with zones, outlets, bikes and smoke, behind devices that speak their real wires."""
