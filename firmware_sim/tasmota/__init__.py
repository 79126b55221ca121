"""A plug with Tasmota firmware (``drivers/tasmota/PROTOCOL.md``)."""

from firmware_sim.tasmota.plug import TasmotaPlug

__all__ = ["TasmotaPlug"]
