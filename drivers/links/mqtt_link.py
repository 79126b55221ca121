"""One connection to an MQTT broker: messages in, acknowledged when they are settled; publications out.

The hard part is order and bounds without a thread: messages are handed over and acknowledged in their order, a few at a
time so that a flood holds nobody up, and all that waits is bounded. A broker that stays silent is given up by
keep-alive, by a publication that nobody acknowledges, or by a message that nobody settles. A user would notice a
mistake as a link that looks open while no alarm comes through.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque

from drivers.links import mqtt_packets as packets
from drivers.links.link import LinkError, LinkHandler
from drivers.links.mqtt_packets import Packet, PacketError, Publish
from drivers.links.mqtt_reasons import UNSUPPORTED_VERSION, reason_name
from drivers.links.mqtt_unsettled import Unsettled
from drivers.links.mqtt_url import MqttUrl
from drivers.links.mqtt_wire import Wire
from drivers.messages import Message, encode_message, parse_message

#: How long the broker keeps our session (MQTT 5): a box that was off over a long weekend hears what it missed.
SESSION_EXPIRY_S = 5 * 86_400

#: Messages that the broker may send ahead of our acknowledgements (MQTT 5 receive maximum); a 3.1.1 broker decides
#: itself (Mosquitto as shipped: 20). Also what waits in the link while reading is paused.
UNSETTLED_MAX = 1024

#: Publications that may wait for the broker's acknowledgement: five rounds of 400 cuts.
UNSENT_MAX = 2048

#: A publication that nobody acknowledges for so long: the broker is dead; the link and what was not sent are given up.
UNSENT_S = 5.0

#: A message not settled for so long was lost on its way to the disk: over a new link the broker sends it again.
UNSETTLED_S = 60.0

PAYLOAD_BYTES_MAX = 64 * 1024

#: Packets taken in one go (50 us each, all told) before others get their turn.
READS_MAX = 16


class OldBrokerError(LinkError):
    """The broker speaks no MQTT 5."""


class MqttLink:
    """One connection over ``sock``, which is connected. ``dropped`` counts messages that no driver could take (too
    long, impossible topic), and what is no message at all to ``write``."""

    def __init__(self, sock: socket.socket, url: MqttUrl, handler: LinkHandler, *, v5: bool) -> None:
        self.dropped = 0
        self.v5 = v5
        self._url = url
        self._handler: LinkHandler | None = handler
        self._loop = asyncio.get_running_loop()
        self._wire = Wire(sock, self._readable, self._lose_soon)
        self._reader = packets.Reader()
        self._keepalive_s = float(url.keepalive_s)
        self._begun: asyncio.Future[None] = self._loop.create_future()
        self._topics: tuple[str, ...] = ()
        self._timer: asyncio.TimerHandle | None = None
        self._arrived: deque[Publish] = deque()
        self._kept = 0  # of those: came before the subscription, so the broker had kept them
        self._unsettled = Unsettled(self._acknowledge)
        self._held: deque[Message] = deque()
        self._unsent: dict[int, float] = {}
        self._mid = 1  # that of the subscription
        self._window = UNSENT_MAX
        self._paused = False
        self._behind = False
        self._heard_s = self._loop.time()
        self._pinged_s: float | None = None

    # --- the pump's calls ---------------------------------------------------------------------------------------------

    @property
    def socket(self) -> socket.socket:
        return self._wire.socket

    async def begin(self, topics: tuple[str, ...], password: str | None) -> None:
        """Connect and subscribe; the opener calls this once. Raises ``LinkError``."""
        self._topics = topics
        url = self._url
        hello = packets.connect(
            url.client, v5=self.v5, keepalive_s=url.keepalive_s, user=url.user, password=password,
            session_expiry_s=SESSION_EXPIRY_S, receive_max=UNSETTLED_MAX,
        )  # fmt: skip
        self._wire.send(hello)
        self._wire.read(on=True)
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

    def pause_reading(self) -> None:
        """Hand over nothing more; what comes waits here, then in the broker, which waits for our acknowledgements."""
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
        self._wire.close(packets.GOODBYE)
        self._arrived.clear()
        self._unsettled.clear()
        self._held.clear()

    # --- out ----------------------------------------------------------------------------------------------------------

    def _send(self) -> None:
        """As many as the broker takes at a time."""
        while self._held and len(self._unsent) < self._window:
            message = self._held.popleft()
            mid = self._next_mid()
            self._unsent[mid] = self._loop.time()
            payload = message.payload.encode()
            self._wire.send(packets.publish(message.topic, payload, mid, message.expiry_s, v5=self.v5))

    def _next_mid(self) -> int:
        """There are thirty times as many numbers as publications under way."""
        while True:
            self._mid = self._mid % 0xFFFF + 1
            if self._mid not in self._unsent:
                return self._mid

    # --- in -----------------------------------------------------------------------------------------------------------

    def _readable(self) -> None:
        """Take in a few packets, and what the socket has when none is whole."""
        self._behind, drained = True, False
        try:
            for _ in range(READS_MAX):
                packet = self._reader.take()
                if packet is None:
                    data = b"" if drained else self._wire.receive()
                    drained = self._wire.is_drained(data)
                    if not data:
                        self._behind = False
                        break
                    self._reader.feed(data)
                    self._heard_s, self._pinged_s = self._loop.time(), None
                else:
                    self._take(packet)
        except PacketError as error:
            self._lose_soon(f"the broker sent what is no MQTT: {error}")
            return
        self._deliver()
        if self._behind and self._wire.reading:
            self._loop.call_soon(self._read_on)  # the socket will not wake us for what was read from it already

    def _read_on(self) -> None:
        if self._behind and self._wire.reading:
            self._readable()

    def _take(self, packet: Packet) -> None:
        match packet.kind:
            case packets.PUBLISH:
                self._arrived.append(packets.read_publish(packet, v5=self.v5))
                self._kept += not self._begun.done()
            case packets.PUBACK:
                self._unsent.pop(packets.read_mid(packet), None)
                if self._held:
                    self._loop.call_soon(self._send)
            case packets.CONNACK:
                self._connected(packets.read_connack(packet, v5=self.v5))
            case packets.SUBACK:
                self._subscribed(packets.read_suback(packet, v5=self.v5))
            case packets.DISCONNECT if self.v5:
                code = packet.body[0] if packet.body else 0
                self._lose_soon(f"the connection to the broker ended: {reason_name(code)}")
            case packets.PINGRESP:
                pass
            case kind:
                raise PacketError(f"a packet of type {kind >> 4}")

    def _connected(self, answer: packets.ConnAck) -> None:
        if answer.code:
            self._fail(self._refusal(answer.code))
            return
        self._window = max(1, min(UNSENT_MAX, answer.receive_max))
        if answer.keepalive_s:
            self._keepalive_s = float(answer.keepalive_s)
        self._wire.send(packets.subscribe(self._topics, v5=self.v5))

    def _refusal(self, code: int) -> LinkError:
        """What a failed CONNACK means for a person."""
        name = reason_name(code)
        if self.v5 and code == UNSUPPORTED_VERSION:
            return OldBrokerError(name)
        who = f"user {self._url.user!r}" if self._url.user else "us without a user"
        return LinkError(f"the broker refuses {who}: {name}; check the user and the password in the link")

    def _subscribed(self, codes: bytes) -> None:
        denied = [topic for topic, code in zip(self._topics, codes, strict=False) if code >= 0x80]
        if denied:
            self._fail(LinkError(f"the broker does not let us subscribe {', '.join(denied)}; check its access list"))
        elif not self._begun.done():
            self._begun.set_result(None)

    def _deliver(self) -> None:
        while self._arrived and not self._paused and self._handler is not None:
            message = self._arrived.popleft()
            data = _to_json(message, queued=self._kept > 0)
            self._kept = max(0, self._kept - 1)
            if data is None:
                self.dropped += 1
                if message.mid:
                    self._unsettled.expect(message.mid, self._loop.time())()
            elif message.mid:
                self._handler.message_received(data, self._unsettled.expect(message.mid, self._loop.time()))
            else:
                self._handler.data_received(data)
        self._wire.read(on=len(self._arrived) < UNSETTLED_MAX)

    def _acknowledge(self, mid: int) -> None:
        if self._handler is not None:
            self._wire.send_soon(packets.puback(mid))

    # --- time and ends ------------------------------------------------------------------------------------------------

    @property
    def _tick_s(self) -> float:
        return min(1.0, self._keepalive_s / 4)

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._tick_s, self._tick)
        now_s = self._loop.time()
        caught_up = self._wire.reading and not self._behind  # else its acknowledgements may wait unread behind a flood
        if caught_up and self._unsent and now_s - next(iter(self._unsent.values())) > UNSENT_S:
            self._lose_soon(f"the broker acknowledges nothing for {UNSENT_S:g} s")
        elif not self._paused and now_s - (self._unsettled.oldest_s or now_s) > UNSETTLED_S:
            self._lose_soon(f"a message was not settled for {UNSETTLED_S:g} s: it is asked for again")
        elif self._wire.reading:  # while we leave everything in the socket, missing answers prove nothing
            self._keep_alive(now_s)

    def _keep_alive(self, now_s: float) -> None:
        """Ask when either side was silent; without any answer the connection is dead."""
        if self._pinged_s is not None:
            if now_s - self._pinged_s >= self._keepalive_s:
                self._lose_soon("the connection to the broker ended: Keep alive timeout")
        elif now_s - min(self._heard_s, self._wire.sent_s) >= self._keepalive_s - self._tick_s:
            self._pinged_s = now_s
            self._wire.send(packets.PING)

    def _fail(self, error: LinkError) -> None:
        if not self._begun.done():
            self._begun.set_exception(error)

    def _lose_soon(self, reason: str) -> None:
        """The handler may be in the middle of its own call: tell it afterwards."""
        self._loop.call_soon(self._lose, reason)

    def _lose(self, reason: str) -> None:
        handler = self._handler
        if not self._begun.done():
            self._fail(LinkError(reason))
        elif handler is not None:
            self.close()
            handler.link_lost(reason)


def _to_json(message: Publish, *, queued: bool) -> bytes | None:
    if len(message.payload) > PAYLOAD_BYTES_MAX:
        return None
    try:
        topic = message.topic.decode()
    except UnicodeDecodeError:
        return None
    try:
        payload, binary = message.payload.decode(), False
    except UnicodeDecodeError:
        payload, binary = message.payload.decode("utf-8", "replace"), True
    retain, expiry_s = message.retain, message.expiry_s
    return encode_message(
        Message(topic=topic, payload=payload, retain=retain, binary=binary, expiry_s=expiry_s, queued=queued)
    )
