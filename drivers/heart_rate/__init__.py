"""Bluetooth Heart Rate Service, 180D (``PROTOCOL.md``)."""
