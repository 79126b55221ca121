"""Devices of the site file: protocol, options and link URL of each, checked before anything is opened.

Which protocols there are and what each may be told is known in one place, ``drivers.registry``: an option is tried on
the driver itself, so that the check and the driver cannot drift apart. A user would notice a mistake here as a reader
that answers nothing because of a misspelt setting.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Any

from drivers.driver import LocalProtocolError
from drivers.links.link import LinkUrlError
from drivers.links.mqtt_url import MqttUrl
from drivers.links.url import LinkUrl, ListenUrl, SerialUrl, TcpUrl, occupied_by, parse_link_url
from drivers.links.ws_url import WsUrl
from drivers.registry import PROTOCOLS, make_driver
from edge.domain.words import Text
from edge.site_model import DeviceSettings
from edge.site_report import same
from edge.site_table import Seen, Table, once

LINK_FORMS = same(
    "serial:///dev/serial/by-id/NAME?baud=115200&parity=E  tcp://HOST:PORT  tcp-listen://HOST:PORT  "
    "mqtt://HOST:PORT?client=NAME"
)


#: Options whose values never stand in a message: keys and passwords of devices.
SECRETS = frozenset({"scbk", "password", "network_key"})


def read_devices(table: Table, links: Seen) -> tuple[DeviceSettings, ...]:
    """The ``[[devices]]`` of a vertical's table. ``links``: what the links of the whole site occupy, since the daemons
    of two verticals with one MQTT client name would throw each other off for ever."""
    devices = []
    seen: Seen = {}
    dialled: Seen = {}
    for entry in table.tables("devices"):
        device = entry.ident("device")
        once(seen, device, entry, "device")
        protocol = entry.word("protocol", PROTOCOLS)
        link = entry.string("link", allowed=LINK_FORMS)
        options = _options(entry.table("options"), protocol)
        entry.finish()
        devices.append(DeviceSettings(device=device, protocol=protocol, link=link, options=options))
        if link and _link_ok(entry, link):
            url = _one_spelling(parse_link_url(link))
            # Some boards take several TCP connections: two daemons may share one.
            once(dialled if isinstance(url, TcpUrl) else links, occupied_by(url), entry, "link")
            once(links, _answers_to(url, devices[-1]), entry, "options")
    return tuple(devices)


def _one_spelling(url: LinkUrl) -> LinkUrl:
    """The broker of this machine is the same one by each of its names."""
    return replace(url, host="127.0.0.1") if isinstance(url, MqttUrl) and is_loopback(url.host) else url


def _answers_to(url: LinkUrl, device: DeviceSettings) -> str:
    """The topic that only this link at its broker may have (two would read each other's answers), or ""."""
    try:
        topic = getattr(make_driver(device.protocol, device.options), "answer_topic", "")
    except LocalProtocolError:  # told for each option already
        return ""
    return f"mqtt://{url.host}:{url.port}/{topic}" if topic and isinstance(url, MqttUrl) else ""


def _options(table: Table, protocol: str) -> dict[str, int | str | bool]:
    """The options that the protocol's driver takes, each tried alone so that every wrong one is reported."""
    return {name: value for name, value in table.items() if _option_ok(table, protocol, name, value)}


def _without(words: str, value: Any, secret: bool) -> Text:  # noqa: FBT001 - a private helper of one call
    """The driver's words, without a secret that they may repeat."""
    return same(words.replace(str(value), "•••") if secret else words)


def _option_ok(table: Table, protocol: str, name: str, value: Any) -> bool:
    if not isinstance(value, int | str):
        table.mistake("wrong_type", name, value, Text("整数、文字、true、false", "a whole number, text, true, false"))
        return False
    if protocol:
        try:
            make_driver(protocol, {name: value})
        except LocalProtocolError as error:
            secret = name in SECRETS
            table.mistake("not_allowed", name, "•••" if secret else value, hint=_without(str(error), value, secret))
            return False
    return True


def _link_ok(entry: Table, link: str) -> bool:
    try:
        url = parse_link_url(link)
    except LinkUrlError as error:
        entry.mistake("bad_format", "link", link, hint=same(str(error)))
        return False
    for file in (url.password_file, getattr(url, "ca", "")) if isinstance(url, MqttUrl | WsUrl) else ():
        if file and not file.startswith("/"):
            hint = Text("守护进程不在站点文件夹里运行，请写绝对路径", "the daemon does not run in the site's folder")
            entry.mistake("bad_format", "link", file, same("/etc/kangle/mqtt.password"), hint, warn=True)
    if isinstance(url, SerialUrl) and url.path.startswith(("/dev/ttyUSB", "/dev/ttyACM")):
        hint = Text(
            "插拔后编号会变，请用 /dev/serial/by-id/ 下的名字",
            "the number changes when re-plugged: use the name under /dev/serial/by-id/",
        )
        entry.mistake("contradiction", "link", link, hint=hint, warn=True)
    if isinstance(url, ListenUrl) and not is_loopback(url.host):
        hint = Text("设备联网应经专用网段或 VPN", "let the device connect over its own network segment or a VPN")
        entry.mistake("unsafe", "link", link, hint=hint, warn=True)
    return True


def is_loopback(host: str) -> bool:
    """True for names and addresses that only this machine can reach."""
    try:
        return ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:
        return host == "localhost"
