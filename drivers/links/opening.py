"""From the URL of a link to what opens it."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.links.ble_url import BleUrl
from drivers.links.link import Opener
from drivers.links.mqtt_url import MqttUrl
from drivers.links.serial import SerialOpener
from drivers.links.tcp import ListenOpener, TcpOpener
from drivers.links.url import ListenUrl, SerialUrl, TcpUrl, parse_link_url
from drivers.links.ws_url import WsUrl


def opener_of(url: str, topics: Sequence[str] = ()) -> Opener:
    """The opener for ``url``. ``topics`` are what the driver wants of an MQTT broker, unless the URL names its own.
    Raises ``LinkUrlError`` naming the allowed forms. Call it in the event loop."""
    match parse_link_url(url):
        case SerialUrl() as parsed:
            return SerialOpener(parsed)
        case TcpUrl() as parsed:
            return TcpOpener(parsed)
        case ListenUrl() as parsed:
            return ListenOpener(parsed)
        case MqttUrl() as parsed:
            # Imported here, like the next: a checkout box needs neither library.
            from drivers.links.mqtt import MqttOpener  # noqa: PLC0415

            return MqttOpener(parsed, topics)
        case BleUrl() as parsed:
            from drivers.links.ble import BleOpener  # noqa: PLC0415

            return BleOpener(parsed)
        case WsUrl() as parsed:
            from drivers.links.websocket import WsListenOpener  # noqa: PLC0415

            return WsListenOpener(parsed)
