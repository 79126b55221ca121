"""Bluetooth through MQTT gateways: Theengs / OpenMQTTGateway adverts and our raw contract (``PROTOCOL.md``)."""
