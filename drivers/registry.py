"""The device protocols: one explicit line each. No scanning, no entry points.

A protocol's modules are imported when it is first used: a checkout box never loads the charging boards, whose import
alone would double the time of its start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from importlib import import_module
from typing import Any, NamedTuple

from drivers.decoded import Decoded
from drivers.driver import Driver, LocalProtocolError
from drivers.ocpp16.actions import ACTIONS
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


def _of(module: str, name: str) -> Callable[..., Any]:
    """The function or class ``name`` of ``module``, imported at its first call."""

    def call(*values: Any) -> Any:
        return getattr(import_module(module), name)(*values)

    return call


def _ble_gateway(options: Mapping[str, OptionValue]) -> Driver:
    """Protocols do not know each other, so it is here that the gateway learns to read what it carries."""
    makers = [
        _of("drivers.ftms.readings", "sessions"),
        lambda _: _of("drivers.heart_rate.readings", "sessions")(),
        lambda _: _of("drivers.health.readings", "sessions")(),
        lambda _: _of("drivers.ant_fec.session", "sessions")(),
    ]
    make: Callable[..., Driver] = _of("drivers.ble_gateway.driver", "BleGatewayDriver")
    return make(options, makers, _of("drivers.ftms.stopping", "FtmsStopper"))


PROTOCOLS: Mapping[str, Entry] = {
    "ant_fec": Entry(
        _of("drivers.ant_fec.driver", "AntDriver"),
        _of("drivers.ant_fec.describe", "decode"),
        {"layer": ("page", "serial")},
        InputForm.RAW,
    ),
    "ble_gateway": Entry(
        _ble_gateway,
        _of("drivers.ble_gateway.describe", "decode"),
        {"base-topic": FreeOption("home", "TOPIC without + and #", r"[^+#\0/]([^+#\0]*[^+#\0/])?")},
        InputForm.RAW,
    ),
    "csafe": Entry(
        _of("drivers.csafe.driver", "CsafeDriver"),
        _of("drivers.csafe.describe", "decode"),
        {"from": ("device", "host")},
    ),
    "dlt645": Entry(
        _of("drivers.dlt645.driver", "Dlt645Driver"),
        _of("drivers.dlt645.describe", "decode"),
        {"address": FreeOption("", "12 digits", r"\d{12}")},
    ),
    "dc589": Entry(_of("drivers.dc589.driver", "Dc589Driver"), _of("drivers.dc589.describe", "decode"), {}),
    "dny": Entry(_of("drivers.dny.driver", "DnyDriver"), _of("drivers.dny.describe", "decode"), {}),
    "feig": Entry(
        _of("drivers.feig.driver", "FeigDriver"), _of("drivers.feig.describe", "decode"), {"from": ("device", "host")}
    ),
    "ftms": Entry(
        _of("drivers.ftms.driver", "FtmsDriver"),
        _of("drivers.ftms.describe", "decode"),
        {
            "char": (
                *("2acd", "2ace", "2acf", "2ad0", "2ad1", "2ad2"),
                *("2ad3", "2ad4", "2ad5", "2ad6", "2ad7", "2ad8", "2ad9", "2ada"),
            ),
            "from": ("device", "host"),
            "profile": ("none", "life_fitness"),
        },
        InputForm.RAW,
    ),
    "gb26875": Entry(_of("drivers.gb26875.driver", "make_driver"), _of("drivers.gb26875.describe", "decode"), {}),
    "health": Entry(
        _of("drivers.health.driver", "HealthDriver"),
        _of("drivers.health.describe", "decode"),
        {"char": ("2a35", "2a9d")},
        InputForm.RAW,
    ),
    "heart_rate": Entry(
        _of("drivers.heart_rate.driver", "HeartRateDriver"),
        _of("drivers.heart_rate.describe", "decode"),
        {"char": ("2a37",)},
        InputForm.RAW,
    ),
    "magicrf": Entry(
        _of("drivers.magicrf.driver", "MagicRfDriver"),
        _of("drivers.magicrf.describe", "decode"),
        {"framing": ("bb7e", "aadd")},
    ),
    "modbus": Entry(
        _of("drivers.modbus.driver", "ModbusDriver"),
        _of("drivers.modbus.describe", "decode"),
        {
            "from": ("device", "host"),
            "framing": ("rtu", "tcp"),
            "float-order": FreeOption("", "abcd|cdab|badc|dcba", "abcd|cdab|badc|dcba"),
        },
    ),
    "ocpp16": Entry(
        _of("drivers.ocpp16.driver", "OcppDriver"),
        _of("drivers.ocpp16.describe", "decode"),
        {"result-of": ("", *ACTIONS)},
        InputForm.RAW,
    ),
    "osdp": Entry(_of("drivers.osdp.driver", "OsdpDriver"), _of("drivers.osdp.describe", "decode"), {}),
    "pressure_a55a": Entry(
        _of("drivers.pressure_a55a.driver", "PressureTerminalDriver"),
        _of("drivers.pressure_a55a.describe", "decode"),
        {},
    ),
    "shelly": Entry(
        _of("drivers.shelly.driver", "ShellyDriver"), _of("drivers.shelly.describe", "decode"), {}, InputForm.RAW
    ),
    "strength": Entry(
        _of("drivers.strength.driver", "StrengthDriver"), _of("drivers.strength.describe", "decode"), {}, InputForm.RAW
    ),
    "tasmota": Entry(
        _of("drivers.tasmota.driver", "TasmotaDriver"), _of("drivers.tasmota.describe", "decode"), {}, InputForm.RAW
    ),
    "trail_gates": Entry(
        _of("drivers.trail_gates.driver", "TrailGatesDriver"),
        _of("drivers.trail_gates.describe", "decode"),
        {},
        InputForm.RAW,
    ),
    "zigbee2mqtt": Entry(
        _of("drivers.zigbee2mqtt.driver", "Zigbee2MqttDriver"),
        _of("drivers.zigbee2mqtt.describe", "decode"),
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
