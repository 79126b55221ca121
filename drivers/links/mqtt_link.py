"""One connection to an MQTT broker: messages in, acknowledged when they are settled; publications out.

The hard part is order and bounds without a thread: paho's callbacks only note what came, and everything is handed over,
acknowledged in its order and written when paho is done with its own call. What waits is bounded everywhere, and a
broker that stays silent is given up by keep-alive, by a publication that nobody acknowledges, or by a message that
nobody settles. A user would notice a mistake as a link that looks open while no alarm comes through.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.reasoncodes import ReasonCode

from drivers.links.link import LinkError, LinkHandler
from drivers.links.mqtt_client import UNSENT_MAX, UNSETTLED_MAX, Client
from drivers.links.mqtt_socket import drop
from drivers.links.mqtt_url import MqttUrl
from drivers.messages import Message, encode_message, parse_message

#: A publication that waits for the broker's acknowledgement for so long: the broker is dead. The link is given up, and
#: with it what was not sent.
UNSENT_S = 5.0

#: A message that is not settled for so long was lost on its way to the disk: with the link opened anew the broker sends
#: it again.
UNSETTLED_S = 60.0

PAYLOAD_BYTES_MAX = 64 * 1024

#: Packets read in one go (0.1 ms each) before others get their turn.
READS_MAX = 8


class _Unsettled:
    """A message that is not acknowledged yet."""

    __slots__ = ("at_s", "mid", "settled")

    def __init__(self, mid: int, at_s: float) -> None:
        self.mid = mid
        self.at_s = at_s
        self.settled = False


class MqttLink:
    """One connection. ``dropped`` counts messages that no driver could take (too long, impossible topic), and
    what is no message at all to ``write``."""

    def __init__(self, client: Client, url: MqttUrl, handler: LinkHandler) -> None:
        self.dropped = 0
        self._client = client
        self._handler: LinkHandler | None = handler
        self._tick_s = min(1.0, url.keepalive_s / 4)
        self._loop = asyncio.get_running_loop()
        self._topics: tuple[str, ...] = ()
        self._begun: asyncio.Future[None] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._arrived: deque[paho.MQTTMessage] = deque()
        self._unsettled: deque[_Unsettled] = deque()
        self._held: deque[Message] = deque()
        self._unsent: dict[int, float] = {}
        self._window = UNSENT_MAX
        self._paused = False
        self._reading = False
        self._behind = False
        self._fd = -1
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        client.on_socket_open = self._on_socket_open
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_register_write
        client.on_socket_unregister_write = self._on_unregister_write

    # --- the pump's calls ---------------------------------------------------------------------------------------------

    async def begin(self, topics: tuple[str, ...]) -> None:
        """Connect and subscribe; the opener calls this once. Raises ``LinkError``."""
        self._topics = topics
        self._client.reconnect()
        self._client.loop_write()
        self._timer = self._loop.call_later(self._tick_s, self._tick)
        await self._begun

    def write(self, data: bytes) -> None:
        """Publish the message that ``data`` is (``drivers.messages``), QoS 1, never retained."""
        message = parse_message(data)
        if self._handler is None or message is None:
            self.dropped += message is None
            return
        if len(self._unsent) + len(self._held) >= UNSENT_MAX:
            self._lose_soon(f"the broker takes no messages: {UNSENT_MAX} wait for it")
            return
        self._held.append(message)
        self._send()

    def _send(self) -> None:
        """As many as the broker takes at a time."""
        while self._held and len(self._unsent) < self._window:
            message = self._held.popleft()
            info = self._client.send(message.topic, message.payload.encode(), message.expiry_s)
            self._unsent[info.mid] = self._loop.time()
        self._client.loop_write()

    def pause_reading(self) -> None:
        """Hand over nothing more; what comes still waits here, then in the broker, which waits for our
        acknowledgements."""
        self._paused = True

    def resume_reading(self) -> None:
        """Go on after ``pause_reading``; harmless when not paused."""
        if self._paused:
            self._paused = False
            self._loop.call_soon(self._deliver)

    def close(self) -> None:
        """Leave at once. What is not acknowledged stays with the broker, what is not sent is forgotten."""
        self._handler = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._begun.done():
            self._begun.cancel()
        sock = self._client.ready_socket
        if sock.fileno() >= 0:
            if self._client.is_connected():
                self._client.disconnect()
                self._client.loop_write()
            if sock.fileno() >= 0:
                self._on_socket_close(self._client, None, sock)
                drop(sock)
                sock.close()
        self._arrived.clear()
        self._unsettled.clear()
        self._held.clear()

    # --- what paho calls ----------------------------------------------------------------------------------------------

    def _on_socket_open(self, _client: Any, _data: Any, sock: Any) -> None:
        self._fd = sock.fileno()
        self._read(on=True)

    def _on_socket_close(self, _client: Any, _data: Any, _sock: Any) -> None:
        if self._fd >= 0:
            self._read(on=False)
            self._loop.remove_writer(self._fd)
            self._fd = -1

    def _on_register_write(self, _client: Any, _data: Any, _sock: Any) -> None:
        self._loop.add_writer(self._fd, self._client.loop_write)

    def _on_unregister_write(self, _client: Any, _data: Any, _sock: Any) -> None:
        if self._fd >= 0:
            self._loop.remove_writer(self._fd)

    def _on_connect(self, client: Any, _data: Any, _flags: Any, reason: ReasonCode, properties: Any) -> None:
        if reason.is_failure:
            self._fail(self._client.refusal(reason))
            return
        # A broker that names none takes all that a message number can name (MQTT 5, 3.2.2.3.3).
        self._window = min(UNSENT_MAX, getattr(properties, "ReceiveMaximum", UNSENT_MAX))
        client.subscribe([(topic, 1) for topic in self._topics])

    def _on_subscribe(self, _client: Any, _data: Any, _mid: int, codes: list[ReasonCode], _properties: Any) -> None:
        denied = [topic for topic, code in zip(self._topics, codes, strict=False) if code.is_failure]
        if denied:
            self._fail(LinkError(f"the broker does not let us subscribe {', '.join(denied)}; check its access list"))
        elif not self._begun.done():
            self._begun.set_result(None)

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        self._arrived.append(message)

    def _on_publish(self, _client: Any, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        self._unsent.pop(mid, None)
        if self._held:
            self._loop.call_soon(self._send)

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        self._lose_soon(f"the connection to the broker ended: {reason}")

    # --- the loop's calls ---------------------------------------------------------------------------------------------

    def _readable(self) -> None:
        self._behind = True
        for _ in range(READS_MAX):
            try:
                if not self._client.read_packet():
                    self._behind = False
                    break
            except Exception as error:  # noqa: BLE001 - paho raises on bytes that no broker should send
                self._lose_soon(f"the broker sent what is no MQTT: {error!r}")
                return
        self._deliver()
        sock = self._client.ready_socket
        if isinstance(sock, ssl.SSLSocket) and self._reading and sock.pending() > 0:
            self._loop.call_soon(self._read_on)  # decrypted already: the socket will not wake us for it

    def _read_on(self) -> None:
        if self._reading:
            self._readable()

    def _deliver(self) -> None:
        while self._arrived and not self._paused and self._handler is not None:
            message = self._arrived.popleft()
            data = _to_json(message)
            settled = self._expect(message)
            if data is None:
                self.dropped += 1
                settled()
            else:
                self._handler.message_received(data, settled)
        self._read(on=len(self._arrived) < UNSETTLED_MAX)

    def _expect(self, message: paho.MQTTMessage) -> Callable[[], None]:
        """What to call when the message is settled. They are acknowledged in their order (MQTT 5, 4.6)."""
        if message.qos == 0:
            return _nothing
        unsettled = _Unsettled(message.mid, self._loop.time())
        self._unsettled.append(unsettled)

        def settled() -> None:
            unsettled.settled = True
            if self._handler is not None and self._unsettled[0] is unsettled:
                self._acknowledge()

        return settled

    def _acknowledge(self) -> None:
        while self._unsettled and self._unsettled[0].settled:
            self._client.ack(self._unsettled.popleft().mid, 1)

    def _read(self, *, on: bool) -> None:
        if on and not self._reading and self._fd >= 0:
            self._loop.add_reader(self._fd, self._readable)
        elif not on and self._reading:
            self._loop.remove_reader(self._fd)
        self._reading = on and self._fd >= 0

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._tick_s, self._tick)
        now_s = self._loop.time()
        caught_up = self._reading and not self._behind  # else its acknowledgements may wait unread behind a flood
        if caught_up and self._unsent and now_s - next(iter(self._unsent.values())) > UNSENT_S:
            self._lose_soon(f"the broker acknowledges nothing for {UNSENT_S:g} s")
        elif self._unsettled and now_s - self._unsettled[0].at_s > UNSETTLED_S and not self._paused:
            self._lose_soon(f"a message was not settled for {UNSETTLED_S:g} s: it is asked for again")
        elif self._reading:  # while we leave everything in the socket, missing answers prove nothing
            self._client.loop_misc()

    def _fail(self, error: LinkError) -> None:
        if not self._begun.done():
            self._begun.set_exception(error)

    def _lose_soon(self, reason: str) -> None:
        """The handler, or paho, is in the middle of its own call: tell it afterwards."""
        self._loop.call_soon(self._lose, reason)

    def _lose(self, reason: str) -> None:
        handler = self._handler
        if not self._begun.done():
            self._fail(LinkError(reason))
        elif handler is not None:
            self.close()
            handler.link_lost(reason)


def _to_json(message: paho.MQTTMessage) -> bytes | None:
    if len(message.payload) > PAYLOAD_BYTES_MAX:
        return None
    try:
        topic = message.topic
    except UnicodeDecodeError:
        return None
    try:
        payload, binary = message.payload.decode(), False
    except UnicodeDecodeError:
        payload, binary = message.payload.decode("utf-8", "replace"), True
    expiry_s = getattr(message.properties, "MessageExpiryInterval", None)
    return encode_message(
        Message(topic=topic, payload=payload, retain=message.retain, binary=binary, expiry_s=expiry_s)
    )


def _nothing() -> None:
    """A message of QoS 0 is acknowledged to nobody."""
