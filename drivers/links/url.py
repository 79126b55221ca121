"""The URL of a link: one text in the site file says how a device is reached, real or simulated.

``serial:///dev/serial/by-id/NAME?baud=115200&parity=E`` · ``tcp://HOST:PORT`` · ``tcp-listen://HOST:PORT`` ·
``mqtt://HOST:PORT?client=NAME`` (``drivers.links.mqtt_url``) · ``ws-listen://HOST:PORT/CHARGER``
(``drivers.links.ws_url``) · ``ble://ADDRESS/ZONE/ASSET?chars=2ad2`` (``drivers.links.ble_url``). The hard part is
refusing what is nearly right: a reader opened with a wrong parity answers nothing and looks like a broken cable, so
an unknown or misspelt setting is an error that names the allowed ones, never a silent default.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from drivers.links.ble_url import BLE_FORM, BleUrl, parse_ble_url
from drivers.links.link import LinkUrlError
from drivers.links.mqtt_url import MQTT_FORM, MqttUrl, parse_mqtt_url
from drivers.links.ws_url import WS_FORM, WsUrl, parse_ws_url

SERIAL_FORM = "serial:///dev/serial/by-id/NAME?baud=115200&parity=N|E|O&bits=7|8&stop=1|2"
TCP_FORM = "tcp://HOST:PORT"
LISTEN_FORM = "tcp-listen://HOST:PORT"
ANY_FORM = f"{SERIAL_FORM}, {TCP_FORM}, {LISTEN_FORM}, {MQTT_FORM}, {WS_FORM} or {BLE_FORM}"

BAUD_MAX = 4_000_000
PORT_MAX = 65_535


@dataclass(frozen=True, slots=True)
class SerialUrl:
    """``path`` should be a stable name (by-id, by-path, a udev symlink): /dev/ttyUSB0 may be another device
    tomorrow."""

    path: str
    baud: int = 9600
    parity: str = "N"
    bits: int = 8
    stop: int = 1


@dataclass(frozen=True, slots=True)
class TcpUrl:
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class ListenUrl:
    """Wait for the device to connect to us. ``port`` 0 lets the system choose (tests)."""

    host: str
    port: int


LinkUrl = SerialUrl | TcpUrl | ListenUrl | MqttUrl | WsUrl | BleUrl


def parse_link_url(url: str) -> LinkUrl:
    """Read a link URL, or raise ``LinkUrlError`` saying what is wrong and what is allowed."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise LinkUrlError(_message(url, str(error), ANY_FORM)) from error
    match parts.scheme:
        case "serial":
            return _serial(url, parts)
        case "tcp":
            host, port = _host_port(url, parts, TCP_FORM, port_min=1)
            return TcpUrl(host, port)
        case "tcp-listen":
            host, port = _host_port(url, parts, LISTEN_FORM, port_min=0)
            return ListenUrl(host, port)
        case "mqtt":
            return parse_mqtt_url(url, parts)
        case "ws-listen":
            return parse_ws_url(url, parts)
        case "ble":
            return parse_ble_url(url, parts)
        case scheme:
            what = f"unknown kind {scheme!r}" if scheme else "no kind before '://'"
            raise LinkUrlError(_message(url, what, ANY_FORM))


def occupied_by(url: LinkUrl) -> str:
    """What only one link may use at a time: a port, or an MQTT client name at its broker."""
    match url:
        case SerialUrl():
            return f"serial://{url.path}"
        case TcpUrl():
            return f"tcp://{url.host}:{url.port}"
        case ListenUrl():
            return f"tcp-listen://{url.host}:{url.port}"
        case MqttUrl():
            return f"mqtt://{url.host}:{url.port}?client={url.client}"
        case WsUrl():
            return f"ws-listen://{url.host}:{url.port}/{url.charger}"
        case BleUrl():
            return f"ble://{url.address}"


def _message(url: str, what: str, allowed: str) -> str:
    return f"link {url!r}: {what}; allowed: {allowed}"


def _serial(url: str, parts: SplitResult) -> SerialUrl:
    if parts.netloc:
        raise LinkUrlError(_message(url, "three slashes are needed before the path", SERIAL_FORM))
    path = unquote(parts.path)
    if path in {"", "/"} or "\0" in path or parts.fragment:
        raise LinkUrlError(_message(url, "no device path", SERIAL_FORM))
    baud, parity, bits, stop = 9600, "N", 8, 1
    seen: set[str] = set()
    for key, value in parse_qsl(parts.query, keep_blank_values=True):
        if key in seen:
            raise LinkUrlError(_message(url, f"{key} is given twice", SERIAL_FORM))
        seen.add(key)
        match key:
            case "baud":
                baud = _number(url, key, value, range(50, BAUD_MAX + 1))
            case "parity":
                parity = value.upper()
                if parity not in {"N", "E", "O"}:
                    raise LinkUrlError(_message(url, f"parity={value} is not N, E or O", SERIAL_FORM))
            case "bits":
                bits = _number(url, key, value, range(7, 9))
            case "stop":
                stop = _number(url, key, value, range(1, 3))
            case _:
                raise LinkUrlError(_message(url, f"unknown setting {key!r}", SERIAL_FORM))
    return SerialUrl(path, baud, parity, bits, stop)


def _number(url: str, key: str, value: str, allowed: range) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 9 and int(value) in allowed):
        limits = f"a whole number from {allowed.start} to {allowed.stop - 1}"
        raise LinkUrlError(_message(url, f"{key}={value} is not {limits}", SERIAL_FORM))
    return int(value)


def _host_port(url: str, parts: SplitResult, form: str, port_min: int) -> tuple[str, int]:
    try:
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise LinkUrlError(_message(url, f"the port is not a number up to {PORT_MAX}", form)) from error
    if not host:
        raise LinkUrlError(_message(url, "no host", form))
    if port is None or port < port_min:
        raise LinkUrlError(_message(url, "no port", form))
    if parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username is not None:
        raise LinkUrlError(_message(url, "nothing may follow the port", form))
    return host, port
