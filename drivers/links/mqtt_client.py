"""paho-mqtt as a part: a client whose socket the loop has made, with our session and bounds, and words for refusals.

The hard part is where paho would wait: it makes its socket blocking. It is given one instead. A user would notice a
mistake as every device of the box standing still while one broker does not answer.
"""

from __future__ import annotations

import socket
from functools import lru_cache

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from drivers.links.link import LinkError
from drivers.links.mqtt_url import MqttUrl

#: How long the broker keeps our session (MQTT 5): a box that was off over a long weekend hears what it missed.
SESSION_EXPIRY_S = 5 * 86_400

#: Messages that the broker may send ahead of our acknowledgements (MQTT 5 receive maximum); a 3.1.1 broker decides
#: itself (Mosquitto as shipped: 20). Also what waits in the link while reading is paused.
UNSETTLED_MAX = 1024

#: Publications that may wait for the broker's acknowledgement: five rounds of 400 cuts.
UNSENT_MAX = 2048


class OldBrokerError(LinkError):
    """The broker speaks no MQTT 5."""


class Client(paho.Client):
    """``_create_socket`` is the one place where paho would block; tests/mqtt proves on the live link that our socket is
    the one in use."""

    def __init__(self, url: MqttUrl, version: MQTTProtocolVersion, password: str | None, sock: socket.socket) -> None:
        self.v5 = version is MQTTProtocolVersion.MQTTv5
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=url.client,
            clean_session=None if self.v5 else False,
            protocol=version,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        self.ready_socket = sock
        if url.user:
            self.username_pw_set(url.user, password)
        self.max_queued_messages_set(UNSENT_MAX)
        self.max_inflight_messages_set(UNSENT_MAX)
        properties = None
        if self.v5:
            properties = _properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = SESSION_EXPIRY_S
            properties.ReceiveMaximum = UNSETTLED_MAX
        self.connect_async(url.host, url.port, url.keepalive_s, clean_start=False, properties=properties)

    def send(self, topic: str, payload: bytes, expiry_s: int | None) -> paho.MQTTMessageInfo:
        """Publish with QoS 1, never retained; the expiry where the protocol has one."""
        properties = None
        if self.v5 and expiry_s is not None:
            properties = _expiring(expiry_s)
        return self.publish(topic, payload, 1, retain=False, properties=properties)

    def refusal(self, reason: ReasonCode) -> LinkError:
        """What a failed CONNACK means for a person."""
        name = str(reason)
        if self.v5 and name == "Unsupported protocol version":
            return OldBrokerError(name)
        who = f"user {self.username!r}" if self.username else "us without a user"
        return LinkError(f"the broker refuses {who}: {name}; check the user and the password in the link")

    def read_packet(self) -> bool:
        """Take in one packet; False when none is whole. paho's own ``loop_read`` takes in as many as there are messages
        under way: behind 400 cuts it would hold up the loop, and with it the next smoke, for 50 ms."""
        if self.socket() is None:
            return False
        code = self._packet_read()
        if code > 0:
            self._loop_rc_handle(code)
        return code is MQTTErrorCode.MQTT_ERR_SUCCESS

    def _create_socket(self) -> socket.socket:
        return self.ready_socket

    def _update_inflight(self) -> MQTTErrorCode:
        """Nothing ever waits inside of paho (``MqttLink`` gives it no more than the broker takes), so there is nothing
        to look for: its own search walks over all that is under way at every acknowledgement, 0.3 ms each behind 400
        cuts."""
        return MQTTErrorCode.MQTT_ERR_SUCCESS


@lru_cache(maxsize=64)
def _expiring(expiry_s: int) -> Properties:
    """The properties of a message that expires; paho only reads them, and takes longer to make them than to send."""
    properties = _properties(PacketTypes.PUBLISH)
    properties.MessageExpiryInterval = expiry_s
    return properties


def _properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call]  # paho gives its properties no types
