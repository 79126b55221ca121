"""Zigbee2MQTT: a Zigbee network behind an MQTT broker (``PROTOCOL.md``)."""
