"""Devices of the site file: which protocols there are, what each may be told, and whether a link URL is sound.

``PROTOCOLS`` is the one list of protocols that a site may name, with the options that each knows; ``drivers.registry`` has
the code behind each (a test holds the two together). A user would notice a mistake here as a reader that is silently
driven with a misspelt setting.
"""

from __future__ import annotations

from typing import NamedTuple

from drivers.links.link import LinkUrlError
from drivers.links.url import ListenUrl, SerialUrl, parse_link_url
from edge.domain.canteen.settings import Text
from edge.site_model import DeviceSettings
from edge.site_report import did_you_mean, one_of, same
from edge.site_table import Seen, Table, once


class IntOption(NamedTuple):
    """A whole number in ``low`` .. ``high``."""

    low: int
    high: int
    unit: str = ""


class WordOption(NamedTuple):
    """One of ``words``."""

    words: tuple[str, ...]


class Protocol(NamedTuple):
    """``verticals`` that use it, and its ``options``."""

    verticals: tuple[str, ...]
    options: dict[str, IntOption | WordOption]


PROTOCOLS: dict[str, Protocol] = {
    "feig": Protocol(("canteen",), {"address": IntOption(0, 255)}),
    "magicrf": Protocol(("canteen",), {"power_dbm": IntOption(0, 30, "dBm")}),
}

LINK_FORMS = same("serial:///dev/serial/by-id/NAME?baud=115200&parity=E  tcp://HOST:PORT  tcp-listen://HOST:PORT")


def read_devices(table: Table, vertical: str) -> tuple[DeviceSettings, ...]:
    """The ``[[devices]]`` of a vertical's table."""
    devices = []
    seen: Seen = {}
    ports: Seen = {}
    for entry in table.tables("devices"):
        device = entry.ident("device")
        once(seen, device, entry, "device")
        protocol = entry.string("protocol", allowed=one_of(PROTOCOLS))
        link = entry.string("link", allowed=LINK_FORMS)
        options = _options(entry, protocol, vertical)
        entry.finish()
        if link and _link_ok(entry, link):
            once(ports, link.partition("?")[0], entry, "link")
        devices.append(DeviceSettings(device=device, protocol=protocol, link=link, options=options))
    return tuple(devices)


def _options(entry: Table, protocol: str, vertical: str) -> dict[str, int | str | bool]:
    table = entry.table("options")
    known = PROTOCOLS.get(protocol)
    if known is None or vertical not in known.verticals:
        if protocol:
            fit = [name for name, facts in PROTOCOLS.items() if vertical in facts.verticals]
            entry.mistake("not_allowed", "protocol", protocol, one_of(fit), did_you_mean(protocol, fit))
        return {}
    found: dict[str, int | str | bool] = {}
    for name, option in known.options.items():
        if not table.has(name):
            table.allow(name)
        elif isinstance(option, IntOption):
            number = table.integer(name, option.low, option.high, unit=option.unit)
            if number is not None:
                found[name] = number
        else:
            word = table.string(name, allowed=one_of(option.words))
            if word in option.words:
                found[name] = word
            elif word:
                table.mistake("not_allowed", name, word, one_of(option.words), did_you_mean(word, option.words))
    table.finish()
    return found


def _link_ok(entry: Table, link: str) -> bool:
    try:
        url = parse_link_url(link)
    except LinkUrlError as error:
        entry.mistake("bad_format", "link", link, LINK_FORMS, same(str(error)))
        return False
    if isinstance(url, SerialUrl) and not url.path.startswith("/"):
        entry.mistake("bad_format", "link", link, LINK_FORMS)
        return False
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
    return host in {"localhost", "::1", "[::1]"} or host.startswith("127.")
