"""The simulated gym: rooms with machines, visitors, straps, cuffs and a trail, behind devices that speak their real
wires."""
