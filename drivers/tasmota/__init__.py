"""Tasmota plugs and relays over MQTT (``PROTOCOL.md``)."""
