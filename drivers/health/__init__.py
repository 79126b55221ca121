"""Cuffs and scales of the health hut: Bluetooth 2A35 and 2A9D (``PROTOCOL.md``)."""
