"""An MQTT broker as a link: each message is handed over whole, and acknowledged when the disk holds what came of it.

The hard part is what a broker must not believe. Its session is kept under a fixed client name, and a message counts as
delivered only when we acknowledge it, so that smoke which arrives in the millisecond of a crash comes again; but what
*we* could not deliver must die with the link, or a command would switch a relay long after its time: each opening has a
client of its own. A user would notice a mistake as an alarm that was never raised, or as a charger that switches on by
itself after a broker's restart.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence

from drivers.links.link import LinkError, LinkHandler, LinkUrlError
from drivers.links.mqtt_link import MqttLink, OldBrokerError
from drivers.links.mqtt_socket import dial, password_of
from drivers.links.mqtt_url import MQTT_FORM, MqttUrl

CONNECT_TIMEOUT_S = 5.0

#: A broker that knows no MQTT 5 may take its CONNECT for half a packet and wait for the rest (amqtt 0.12 does): after
#: so long the older version is tried.
V5_TIMEOUT_S = 2.0


class MqttOpener:
    """Opens the session of one client name again and again."""

    def __init__(self, url: MqttUrl, topics: Sequence[str] = (), timeout_s: float = CONNECT_TIMEOUT_S) -> None:
        self._url = url
        self._topics = url.topics or tuple(topics)
        if not self._topics:
            raise LinkUrlError(f"link to {url.host}:{url.port}: no topics; allowed: {MQTT_FORM}")
        self._timeout_s = timeout_s
        self._v5 = url.v5

    async def open(self, handler: LinkHandler) -> MqttLink:
        """Connect, resume the session and subscribe. Raises ``LinkError`` with the remedy."""
        where = f"{self._url.host}:{self._url.port}"
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._either(handler)
        except TimeoutError:
            self._v5 = self._url.v5
            raise LinkError(f"{where}: no answer within {self._timeout_s:g} s; is it an MQTT broker?") from None
        except LinkError as error:
            raise LinkError(f"{where}: {error}") from error
        except ssl.SSLError as error:
            raise LinkError(f"{where}: TLS failed: {error.reason or error}; check tls= and ca= in site.toml") from error
        except OSError as error:
            self._v5 = self._url.v5  # another broker may answer next time
            raise LinkError(f"{where}: {error.strerror or error}; is the broker running?") from error

    def close(self) -> None:
        """Nothing stays open between links."""

    async def _either(self, handler: LinkHandler) -> MqttLink:
        """With the version that worked last; MQTT 5 first."""
        if self._v5:
            try:
                async with asyncio.timeout(min(V5_TIMEOUT_S, self._timeout_s / 2)):
                    return await self._attempt(handler)
            except (OldBrokerError, TimeoutError):
                self._v5 = False
        return await self._attempt(handler)

    async def _attempt(self, handler: LinkHandler) -> MqttLink:
        password = password_of(self._url)
        sock = await dial(self._url)
        link = MqttLink(sock, self._url, handler, v5=self._v5)
        try:
            await link.begin(self._topics, password)
        except BaseException:
            link.close()
            raise
        return link
