"""Which messages are only the memory of Zigbee2MQTT: it sends its cache when it starts, and they look like any other.

A bridge that is set to send cached states and no ``last_seen`` says of a head whose battery died last week that all is
well, live and not retained. Such a message is taken for stored state: a "smoke" cuts, a "clear" is nothing. A user
would notice a mistake as a garage that calls itself normal after a power cut because of words from before it.
"""

from __future__ import annotations

import msgspec

from drivers.zigbee2mqtt.frames import BridgeInfo, DeviceState

#: How long after it said "online" a bridge may still be sending its cache (hundreds of devices, interviews between).
CACHE_NS = 120_000_000_000
#: Devices told apart; of those beyond, everything within the time is taken for memory.
DEVICES_MAX = 4096


class Cache:
    """What is known of the bridge's start, and which devices have spoken since."""

    def __init__(self) -> None:
        self._sends = False
        self._until_ns = 0
        self._opened_until_ns = 0
        self._told: set[str] = set()

    def learn(self, info: BridgeInfo) -> None:
        """The bridge's settings."""
        self._sends = info.sends_cache

    def started(self, now_ns: int) -> None:
        """The bridge came online just now."""
        self._until_ns = now_ns + CACHE_NS
        self._told.clear()

    def opened(self, now_ns: int) -> None:
        """Our link is open just now. After a power cut the bridge may have come first: its "online" is a stored one
        then, and its cache is under way."""
        self._opened_until_ns = now_ns + CACHE_NS
        self._told.clear()

    def may_be(self, state: DeviceState, now_ns: int) -> bool:
        """Whether the message may be memory because our link was opened after the bridge's start, which nobody saw: the
        device's first since then."""
        if not self._sends or not self._until_ns <= now_ns < self._opened_until_ns:
            return False
        if state.retained or state.device in self._told:
            return False
        if len(self._told) < DEVICES_MAX:
            self._told.add(state.device)
        return True

    def marked(self, state: DeviceState, now_ns: int) -> DeviceState:
        """The message; as a stored one when it may be memory: the device's first since the bridge's start, without a
        time of its own."""
        if not self._sends or now_ns >= self._until_ns or state.fields.get("last_seen") is not None:
            return state
        if state.retained or state.device in self._told:
            return state
        if len(self._told) < DEVICES_MAX:
            self._told.add(state.device)
        return msgspec.structs.replace(state, retained=True)
