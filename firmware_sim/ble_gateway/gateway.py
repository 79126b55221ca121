"""A Bluetooth gateway: raw values of the machines that it holds, adverts of whatever goes by. Written from
``drivers/ftms/PROTOCOL.md`` section 1 and ``drivers/ble_gateway/PROTOCOL.md``.

The hard part is the gateway's memory: cut off from the broker it keeps what it hears and sends it later, with old times
and beside new values. A user would notice a model without it as totals that only hold on a perfect network.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping

from firmware_sim.mqttdevice import MqttDevice
from firmware_sim.peripheral import Peripheral, Value

#: Values kept while the broker is away; the oldest are lost.
KEPT_MAX = 600
ADVERT_S = 2.0


class BleGateway(MqttDevice):
    """``machines`` by ``<zone>/<asset>``. ``unix_ms`` is its clock at simulated time 0. ``with_time``, ``with_seq``:
    whether it tells them. ``adverts``: MAC -> fields published every ADVERT_S."""

    def __init__(
        self,
        machines: Mapping[str, Peripheral],
        *,
        site: str = "park",
        seed: int = 0,
        unix_ms: int = 1_795_000_000_000,
        with_time: bool = True,
        with_seq: bool = True,
        adverts: Mapping[str, dict[str, object]] | None = None,
    ) -> None:
        super().__init__(seed)
        self.client_id = f"gw-{seed:04x}"
        self.subscriptions = (f"{site}/+/+/write",)
        self.machines = dict(machines)
        self.adverts = {mac: dict(fields) for mac, fields in (adverts or {}).items()}
        self.site, self.unix_ms = site, unix_ms
        self.with_time, self.with_seq = with_time, with_seq
        self.read_only = False
        self.sent_values = 0
        self._seq = dict.fromkeys(self.machines, 0)
        self._kept: deque[tuple[str, dict[str, object]]] = deque(maxlen=KEPT_MAX)
        self._begin_ns = 0
        for each, machine in self.machines.items():
            self.after(self.rng.uniform(0, machine.every_s), lambda each=each: self._notify(each))  # type: ignore[misc]
        if self.adverts:
            self.after(ADVERT_S, self._advertise)

    def begin(self, now_ns: int) -> None:
        super().begin(now_ns)
        self._begin_ns = now_ns

    def plug_in(self, now_ns: int) -> None:
        """It was without power until now: nothing was heard meanwhile, its clock has gone on."""
        super().begin(now_ns)
        self.reboot()

    def reboot(self) -> None:
        """It counts anew."""
        self._seq = dict.fromkeys(self.machines, 0)
        self._kept.clear()

    def on_connected(self) -> None:
        while self._kept:
            self._send(*self._kept.popleft())

    def on_message(self, topic: str, payload: str, *, retain: bool) -> None:
        levels = topic.split("/")
        each = "/".join(levels[1:3])
        machine = self.machines.get(each)
        if self.read_only or retain or machine is None or machine.dead or levels[-1] != "write":
            return
        fields = _json(payload)
        char, data = str(fields.get("char", "")), bytes.fromhex(str(fields.get("hex", "")))
        for value in machine.written(char, data, self.now_ns):
            self._publish(each, value)

    def _notify(self, each: str) -> None:
        machine = self.machines[each]
        if not machine.dead:
            for value in machine.values(self.now_ns):
                self._publish(each, value)
        self.after(machine.every_s, lambda: self._notify(each))

    def _publish(self, each: str, value: Value) -> None:
        payload: dict[str, object] = {"transport": "ble" if value.char else "ant", "hex": value.data.hex()}
        if value.char:
            payload["char"] = value.char
        if self.with_time:
            payload["time"] = self.unix_ms + (self.now_ns - self._begin_ns) // 1_000_000
        if self.with_seq:
            self._seq[each] += 1
            payload["seq"] = self._seq[each]
        if self.is_connected and not self.way.dark:
            self._send(each, payload)
        else:
            self._kept.append((each, payload))

    def _send(self, each: str, payload: dict[str, object]) -> None:
        self.sent_values += 1
        self.publish(f"{self.site}/{each}/raw", payload, qos=1)

    def _advertise(self) -> None:
        for mac, fields in self.adverts.items():
            colons = ":".join(mac[at : at + 2] for at in range(0, 12, 2)).upper()
            self.publish(f"home/{self.client_id}/BTtoMQTT/{mac.upper()}", {"id": colons, "rssi": -60, **fields})
        self.after(ADVERT_S, self._advertise)


def _json(payload: str) -> dict[str, object]:
    try:
        fields = json.loads(payload)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}
