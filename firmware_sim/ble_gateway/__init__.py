"""A Bluetooth gateway on MQTT with what it is connected to, and what it overhears."""

from firmware_sim.ble_gateway.gateway import BleGateway

__all__ = ["BleGateway"]
