"""The URL of a WebSocket link that a charger dials: ``ws-listen://HOST:PORT/CHARGER?password_file=PATH``.

The password never stands in the URL (site files end up in backups and logs). Without one only the loopback is listened
on: whoever reaches an open port could otherwise be any charger. A user would notice a mistake as a charger's page that
a neighbour's laptop fills in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, unquote

from drivers.links.link import LinkUrlError

WS_FORM = "ws-listen://HOST:PORT/CHARGER[?password_file=PATH|password_env=VARIABLE]"
_CHARGER = re.compile(r"[A-Za-z0-9_.*=:+|@-]{1,48}")
_PASSWORDS = ("password_file", "password_env")


@dataclass(frozen=True, slots=True)
class WsUrl:
    """``charger`` is the identity at the end of the path the charger dials (and the user of its password). Several
    links may share host and port."""

    host: str
    port: int
    charger: str
    password_file: str = ""
    password_env: str = ""


def parse_ws_url(url: str, parts: SplitResult) -> WsUrl:
    """Read what ``urlsplit`` made of ``url``, or raise ``LinkUrlError`` saying what is wrong and what is allowed."""
    try:
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise _wrong(url, "the port is not a number up to 65535") from error
    if parts.username is not None:
        # The URL itself is not repeated: it may carry a password into logs.
        raise LinkUrlError(f"link ws-listen://{host}:{port}: no user or password here; allowed: {WS_FORM}")
    if not host or port is None:
        raise _wrong(url, "no host" if not host else "no port")
    charger = unquote(parts.path.removeprefix("/"))
    if _CHARGER.fullmatch(charger) is None:
        raise _wrong(url, "the path must be the charger's identity, 1 to 48 letters, digits or - _ . * = : + | @")
    settings: dict[str, str] = {}
    for key, value in parse_qsl(parts.query, keep_blank_values=True):
        if key not in _PASSWORDS or settings or not value:
            raise _wrong(url, f"{key}= is unknown, empty, or one too many")
        settings[key] = value
    if not settings and not _is_loopback(host):
        raise _wrong(url, "beyond the loopback a charger needs a password")
    return WsUrl(host, port, charger, **settings)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wrong(url: str, what: str) -> LinkUrlError:
    return LinkUrlError(f"link {url!r}: {what}; allowed: {WS_FORM}")
