"""Shelly plugs and relays of the second generation and later over MQTT (``PROTOCOL.md``)."""
