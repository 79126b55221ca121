"""From the URL of a link to what opens it."""

from __future__ import annotations

from drivers.links.link import Opener
from drivers.links.serial import SerialOpener
from drivers.links.tcp import ListenOpener, TcpOpener
from drivers.links.url import ListenUrl, SerialUrl, TcpUrl, parse_link_url


def opener_of(url: str) -> Opener:
    """The opener for ``url``. Raises ``LinkUrlError`` naming the allowed forms. Call it in the event loop."""
    match parse_link_url(url):
        case SerialUrl() as parsed:
            return SerialOpener(parsed)
        case TcpUrl() as parsed:
            return TcpOpener(parsed)
        case ListenUrl() as parsed:
            return ListenOpener(parsed)
