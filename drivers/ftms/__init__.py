"""Bluetooth Fitness Machine Service, 1826 (``PROTOCOL.md``)."""
