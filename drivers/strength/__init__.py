"""Strength and micro-circulation machines by our generic profile over MQTT (``PROTOCOL.md``)."""
