"""The URL of a direct Bluetooth link: ``ble://AABBCCDDEEFF/hall/m1?chars=2ad2,2ada,2ad9``.

The path is the point (``<zone>/<asset>``) under which the device's values come. The hard part is that only
characteristics which a driver can read may be asked for: every notification of a machine costs air time that its
neighbours share. A user would notice a mistake as a row of bikes that all stutter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote

from drivers.links.link import LinkUrlError

BLE_FORM = "ble://AABBCCDDEEFF/ZONE/ASSET?chars=2ad2,2ada,2ad9"
_ADDRESS = re.compile(r"[0-9A-Fa-f]{12}")
_POINT = re.compile(r"[^/+#\0]{1,48}/[^/+#\0]{1,48}")
_CHAR = re.compile(r"[0-9a-f]{4}")


@dataclass(frozen=True, slots=True)
class BleUrl:
    """``address`` with colons, as the Bluetooth stack wants it; ``chars`` are 16-bit numbers as 4 hex digits."""

    address: str
    point: str
    chars: tuple[str, ...]


def parse_ble_url(url: str, parts: SplitResult) -> BleUrl:
    """Read what ``urlsplit`` made of ``url``, or raise ``LinkUrlError`` saying what is wrong and what is allowed."""
    if _ADDRESS.fullmatch(parts.netloc) is None:
        raise _wrong(url, "the address is 12 hex digits without colons")
    point = unquote(parts.path.removeprefix("/"))
    if _POINT.fullmatch(point) is None:
        raise _wrong(url, "the path is ZONE/ASSET")
    settings = parse_qsl(parts.query, keep_blank_values=True)
    if [key for key, _ in settings] != ["chars"]:
        raise _wrong(url, "chars= is needed, once, and nothing else")
    chars = tuple(char.strip().lower() for char in settings[0][1].split(","))
    if not all(_CHAR.fullmatch(char) for char in chars) or len(set(chars)) != len(chars):
        raise _wrong(url, "chars are 4 hex digits each, separated by commas, none twice")
    address = ":".join(parts.netloc[at : at + 2] for at in range(0, 12, 2)).upper()
    return BleUrl(address, point, chars)


def _wrong(url: str, what: str) -> LinkUrlError:
    return LinkUrlError(f"link {url!r}: {what}; allowed: {BLE_FORM}")
