"""A Zigbee network behind Zigbee2MQTT (``drivers/zigbee2mqtt/PROTOCOL.md``)."""

from firmware_sim.zigbee2mqtt.bridge import Bridge
from firmware_sim.zigbee2mqtt.things import Button, Contact, Detector, Plug, Siren, Thing

__all__ = ["Bridge", "Button", "Contact", "Detector", "Plug", "Siren", "Thing"]
