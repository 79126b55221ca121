"""A trail post: it hears tags as they walk by and counts uses. Written from ``drivers/trail_gates/PROTOCOL.md``.

The hard part is a passage that is many sightings, stronger and weaker, and a post that was cut off and sends an hour
late. A user would notice a too kind model as laps that are right only on a desk.
"""

from __future__ import annotations

from collections import deque

from firmware_sim.mqttdevice import MqttDevice

KEPT_MAX = 1_000
#: Seconds from the moment under the gate, and how strong the tag is then.
_WALK = ((-2.0, -82), (-1.0, -71), (0.0, -58), (1.0, -70), (2.0, -83))


class TrailPost(MqttDevice):
    """``unix_ms`` is its clock at simulated time 0; ``with_time`` False: it tells none."""

    def __init__(
        self, point: str, *, site: str = "park", seed: int = 0, unix_ms: int = 1_795_000_000_000, with_time: bool = True
    ) -> None:
        super().__init__(seed)
        self.client_id = f"post-{seed:04x}"
        self.base = f"{site}/{point}"
        self.unix_ms, self.with_time = unix_ms, with_time
        self.uses = 0
        self.hears = True
        self._seq = 0
        self._begin_ns = 0
        self._kept: deque[tuple[str, dict[str, object]]] = deque(maxlen=KEPT_MAX)

    def begin(self, now_ns: int) -> None:
        super().begin(now_ns)
        self._begin_ns = now_ns

    def on_connected(self) -> None:
        while self._kept:
            topic, payload = self._kept.popleft()
            self.publish(topic, payload, qos=1)

    def on_message(self, topic: str, payload: str, *, retain: bool) -> None:
        """It hears nothing from the broker."""

    def walk_by(self, tag: str, in_s: float = 3.0) -> None:
        """Somebody with ``tag`` will be under the gate in ``in_s``."""
        for offset_s, rssi in _WALK:
            self.after(max(0.0, in_s + offset_s), lambda rssi=rssi: self._see(tag, rssi))  # type: ignore[misc]

    def use(self) -> None:
        self.uses += 1
        self._tell("count", {"count": self.uses, "battery": 87})

    def _see(self, tag: str, rssi: int) -> None:
        if self.hears:
            self._tell("passage", {"tag": tag, "rssi": rssi + self.rng.randint(-2, 2)})

    def _tell(self, what: str, fields: dict[str, object]) -> None:
        self._seq += 1
        payload = {**fields, "seq": self._seq}
        if self.with_time:
            payload["time"] = self.unix_ms + (self.now_ns - self._begin_ns) // 1_000_000
        if self.is_connected and not self.way.dark:
            self.publish(f"{self.base}/{what}", payload, qos=1)
        else:
            self._kept.append((f"{self.base}/{what}", payload))
