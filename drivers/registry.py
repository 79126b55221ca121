"""The device protocols: one explicit line each. No scanning, no entry points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import NamedTuple

import drivers.dc589.describe
import drivers.dc589.driver
import drivers.dlt645.describe
import drivers.dlt645.driver
import drivers.dny.describe
import drivers.dny.driver
import drivers.feig.describe
import drivers.feig.driver
import drivers.gb26875.describe
import drivers.gb26875.driver
import drivers.magicrf.describe
import drivers.magicrf.driver
import drivers.modbus.describe
import drivers.modbus.driver
import drivers.ocpp16.describe
import drivers.ocpp16.driver
import drivers.ocpp16.schemas
import drivers.osdp.describe
import drivers.osdp.driver
import drivers.pressure_a55a.describe
import drivers.pressure_a55a.driver
import drivers.shelly.describe
import drivers.shelly.driver
import drivers.tasmota.describe
import drivers.tasmota.driver
import drivers.zigbee2mqtt.describe
import drivers.zigbee2mqtt.driver
from drivers.decoded import Decoded
from drivers.driver import Driver, LocalProtocolError
from drivers.options import OptionValue


class InputForm(Enum):
    """What one input line of ``kangle decode`` holds (reference/decode-contract.md section 1). HEX: the decoder gets
    the bytes that the line spells; RAW: it gets the line itself (an MQTT message as a JSON object, a text message)."""

    HEX = "hex"
    RAW = "raw"


class FreeOption(NamedTuple):
    """An option of decoding whose values cannot be listed. ``pattern`` is matched against the whole value; ``form``
    names what is allowed, for people. The default need not match (it may be "" = not given)."""

    default: str
    form: str
    pattern: str


class Entry(NamedTuple):
    """A protocol: how to make its driver from options, how to decode one line, and the options of decoding
    (name -> allowed values, the default first, or a FreeOption)."""

    make_driver: Callable[[Mapping[str, OptionValue]], Driver]
    decode: Callable[[bytes, Mapping[str, str]], Decoded]
    decode_options: Mapping[str, tuple[str, ...] | FreeOption]
    form: InputForm = InputForm.HEX


def decode_option_form(option: tuple[str, ...] | FreeOption) -> str:
    """The values that an option of decoding takes, for people."""
    return option.form if isinstance(option, FreeOption) else "|".join(option)


PROTOCOLS: Mapping[str, Entry] = {
    "dlt645": Entry(
        drivers.dlt645.driver.Dlt645Driver,
        drivers.dlt645.describe.decode,
        {"address": FreeOption("", "12 digits", r"\d{12}")},
    ),
    "dc589": Entry(drivers.dc589.driver.Dc589Driver, drivers.dc589.describe.decode, {}),
    "dny": Entry(drivers.dny.driver.DnyDriver, drivers.dny.describe.decode, {}),
    "feig": Entry(drivers.feig.driver.FeigDriver, drivers.feig.describe.decode, {"from": ("device", "host")}),
    "gb26875": Entry(drivers.gb26875.driver.make_driver, drivers.gb26875.describe.decode, {}),
    "magicrf": Entry(
        drivers.magicrf.driver.MagicRfDriver, drivers.magicrf.describe.decode, {"framing": ("bb7e", "aadd")}
    ),
    "modbus": Entry(
        drivers.modbus.driver.ModbusDriver,
        drivers.modbus.describe.decode,
        {
            "from": ("device", "host"),
            "framing": ("rtu", "tcp"),
            "float-order": FreeOption("", "abcd|cdab|badc|dcba", "abcd|cdab|badc|dcba"),
        },
    ),
    "ocpp16": Entry(
        drivers.ocpp16.driver.OcppDriver,
        drivers.ocpp16.describe.decode,
        {"result-of": ("", *drivers.ocpp16.schemas.ACTIONS)},
        InputForm.RAW,
    ),
    "osdp": Entry(drivers.osdp.driver.OsdpDriver, drivers.osdp.describe.decode, {}),
    "pressure_a55a": Entry(
        drivers.pressure_a55a.driver.PressureTerminalDriver, drivers.pressure_a55a.describe.decode, {}
    ),
    "shelly": Entry(drivers.shelly.driver.ShellyDriver, drivers.shelly.describe.decode, {}, InputForm.RAW),
    "tasmota": Entry(drivers.tasmota.driver.TasmotaDriver, drivers.tasmota.describe.decode, {}, InputForm.RAW),
    "zigbee2mqtt": Entry(
        drivers.zigbee2mqtt.driver.Zigbee2MqttDriver,
        drivers.zigbee2mqtt.describe.decode,
        {"base-topic": FreeOption("zigbee2mqtt", "TOPIC without + and #", r"[^+#\0/]([^+#\0]*[^+#\0/])?")},
        InputForm.RAW,
    ),
}


def make_driver(protocol: str, options: Mapping[str, OptionValue]) -> Driver:
    """A fresh driver. LocalProtocolError names what is allowed when the protocol, an option or its value is not."""
    entry = PROTOCOLS.get(protocol)
    if entry is None:
        raise LocalProtocolError(f"unknown protocol {protocol!r}; known: {', '.join(PROTOCOLS)}")
    return entry.make_driver(options)
