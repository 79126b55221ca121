"""What every simulated MQTT device is: timers, publications on their way, and faults of the way itself.

It runs in virtual time: ``receive`` what came, ``tick`` when ``deadline`` has come, ``take`` what goes out; the same
seed gives the same messages. The hard part is the way: a message that is late or comes twice looks like a new one, and
that is what these faults make. A user would notice a too kind model as a product that fails in the field only.
"""

from __future__ import annotations

import heapq
import itertools
import json
import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

#: Publications that wait for the network; a real device has a few KiB for them and drops the rest.
WAITING_MAX = 256


class Publication(NamedTuple):
    topic: str
    payload: str
    retain: bool = False
    qos: int = 0


@dataclass(slots=True)
class Way:
    """Faults between device and broker: each message is ``delay_ms`` late (a range), comes twice with
    ``duplicate_p``, or is lost with ``lose_p``. ``dark``: the device is cut off, and the broker sends its will."""

    delay_ms: tuple[int, int] = (0, 0)
    duplicate_p: float = 0.0
    lose_p: float = 0.0
    dark: bool = False


class MqttDevice(ABC):
    """``connected`` is called after each connection; before it nothing goes out."""

    client_id: str
    will: Publication | None = None
    subscriptions: tuple[str, ...] = ()

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(f"mqtt device {seed}")
        self.way = Way()
        self.now_ns = 0
        self.lost_messages = 0
        self.is_connected = False
        self._order = itertools.count()
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._out: list[tuple[int, int, Publication]] = []

    # --- the network's calls ------------------------------------------------------------------------------------------

    def begin(self, now_ns: int) -> None:
        """Its life begins now, not at time zero: without this a device put on a real network would first live through
        all the seconds since the machine was started."""
        late_ns = now_ns - self.now_ns
        self._timers = [(at_ns + late_ns, order, act) for at_ns, order, act in self._timers]
        self.now_ns = now_ns

    def connected(self, now_ns: int) -> None:
        self.now_ns = now_ns
        self.is_connected = True
        self.on_connected()

    def disconnected(self, now_ns: int) -> None:
        """The connection is gone: what waited is forgotten, as in a real device."""
        self.now_ns = now_ns
        self.is_connected = False
        self.lost_messages += len(self._out)
        self._out.clear()

    def receive(self, topic: str, payload: bytes, now_ns: int, *, retain: bool = False) -> None:
        self.now_ns = now_ns
        if not self.way.dark:
            self.on_message(topic, payload.decode("utf-8", "replace"), retain=retain)

    def tick(self, now_ns: int) -> None:
        while self._timers and self._timers[0][0] <= now_ns:
            self.now_ns, _, act = heapq.heappop(self._timers)
            act()
        self.now_ns = max(self.now_ns, now_ns)

    def deadline(self) -> int | None:
        at = [heap[0][0] for heap in (self._timers, self._out) if heap]
        return min(at, default=None)

    def take(self, now_ns: int) -> list[Publication]:
        """What goes out now."""
        due = []
        while self._out and self._out[0][0] <= now_ns:
            due.append(heapq.heappop(self._out)[2])
        return due

    # --- for subclasses -----------------------------------------------------------------------------------------------

    @abstractmethod
    def on_connected(self) -> None:
        """Say hello."""

    @abstractmethod
    def on_message(self, topic: str, payload: str, *, retain: bool) -> None:
        """A message came."""

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._timers, (self.now_ns + int(seconds * NS_PER_S), next(self._order), act))

    def publish(self, topic: str, payload: object, *, retain: bool = False, qos: int = 0) -> None:
        """Send text as it is, all else as JSON."""
        text = payload if isinstance(payload, str) else json.dumps(payload, separators=(",", ":"))
        if not self.is_connected or self.way.dark or self.rng.random() < self.way.lose_p:
            self.lost_messages += 1
            return
        for _ in range(2 if self.rng.random() < self.way.duplicate_p else 1):
            if len(self._out) >= WAITING_MAX:
                self.lost_messages += 1
                return
            late_ns = self.rng.randint(*self.way.delay_ms) * NS_PER_MS
            heapq.heappush(self._out, (self.now_ns + late_ns, next(self._order), Publication(topic, text, retain, qos)))
