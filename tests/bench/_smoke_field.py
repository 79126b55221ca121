"""The field of ``kangle bench smoke`` as processes of their own: relays and plugs that obey, and a crowd that talks.

``_smoke_field.py relays PORT``: contactors (Shelly) open ``RELAY_S`` after the command and say so with their meter,
plugs (Tasmota) answer after ``PLUG_S``; ``echo/in`` goes back as ``echo/out`` at once (the floor: two hops through
the broker). ``_smoke_field.py flood PORT RATE ZONES PORTS HEADS``: telemetry of plugs and heads at RATE messages a
second.
"""

from __future__ import annotations

import heapq
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from _mqtt import MqttSocket, Packet

#: A contactor drops out in 10 to 30 ms (latency.md 7); a plug on Wi-Fi answers in a tenth of a second or so.
RELAY_S = 0.020
PLUG_S = 0.150
ENERGY = '{"Power":%s,"Voltage":229.0,"Current":%s,"Factor":0.95,"Total":1.25}'


class Relays:
    """What each answers, and when."""

    def __init__(self, port: int) -> None:
        self.mqtt = MqttSocket(port, "bench-relays")
        self.mqtt.subscribe("relay/+/rpc", "cmnd/+/POWER", "cmnd/+/STATUS", "echo/in", "load/+")
        self.on: dict[str, bool] = {}
        self.power_w: dict[str, float] = {}
        self._due: list[tuple[float, int, str, bytes]] = []
        self._count = 0

    def run(self) -> None:
        while True:
            wait_s = max(0.0, self._due[0][0] - time.perf_counter()) if self._due else 60.0
            for packet in self.mqtt.receive(wait_s):
                self.heard(packet)
            now_s = time.perf_counter()
            while self._due and self._due[0][0] <= now_s:
                _, _, topic, payload = heapq.heappop(self._due)
                self.mqtt.publish(topic, payload)

    def heard(self, packet: Packet) -> None:
        head, name, *rest = packet.topic.split("/")
        if packet.topic == "echo/in":
            self.mqtt.publish("echo/out", packet.payload, qos=1)
        elif head == "load":
            self.power_w[name] = float(packet.payload)
            self.later(0.0, f"tele/{name}/SENSOR", self.sensor(name, ""))
        elif head == "relay":
            self.relay(name, json.loads(packet.payload))
        elif head == "cmnd" and rest == ["POWER"]:
            word = packet.payload.decode().upper()
            if word:
                self.on[name] = word == "ON"
            self.later(PLUG_S, f"stat/{name}/POWER", b"ON" if self.on.get(name) else b"OFF")
        elif head == "cmnd":
            self.later(PLUG_S, f"stat/{name}/STATUS8", self.sensor(name, "StatusSNS"))

    def relay(self, name: str, request: dict[str, object]) -> None:
        params = request["params"]
        assert isinstance(params, dict)
        if request["method"] == "Switch.Set":
            self.on[name] = bool(params["on"])
        status = {"id": 0, "output": self.on.get(name, True), "apower": 0.0, "voltage": 229.0, "current": 0.0}
        result = {"was_on": True} if request["method"] == "Switch.Set" else status
        answer = {"id": request["id"], "src": f"relay/{name}", "dst": request["src"], "result": result}
        self.later(RELAY_S, f"{request['src']}/rpc", json.dumps(answer).encode())
        self.later(RELAY_S, f"relay/{name}/status/switch:0", json.dumps(status).encode())

    def sensor(self, name: str, wrap: str) -> bytes:
        power_w = self.power_w.get(name, 0.0) if self.on.get(name) else 0.0
        energy = ENERGY % (power_w, round(power_w / 217.0, 3))
        inside = f'{{"Time":"2026-11-22T12:00:00","ENERGY":{energy}}}'
        return (f'{{"{wrap}":{inside}}}' if wrap else inside).encode()

    def later(self, wait_s: float, topic: str, payload: bytes) -> None:
        self._count += 1
        heapq.heappush(self._due, (time.perf_counter() + wait_s, self._count, topic, payload))


def flood(port: int, rate: int, zones: int, ports: int, heads: int) -> None:
    """Plugs that draw nothing worth a word (24 of 25 messages) and heads that say all is well, evenly spread."""
    mqtt = MqttSocket(port, "bench-flood")
    packets = []
    for zone in range(1, zones + 1):
        for number in range(1, ports + 1):
            inside = ENERGY % (round(0.5 + number % 7 / 10, 1), 0.01)
            payload = f'{{"Time":"2026-11-22T12:00:00","ENERGY":{inside}}}'.encode()
            packets.append(mqtt.packed(f"tele/z{zone}-p{number}/SENSOR", payload))
            if number % 25 == 0:
                head = f"zigbee2mqtt/z{zone}-s{1 + number // 25 % heads}"
                packets.append(mqtt.packed(head, b'{"smoke":false,"battery":97,"linkquality":120}'))
    begun_s, sent = time.perf_counter(), 0
    while True:
        due = int((time.perf_counter() - begun_s) * rate)
        if due > sent:
            mqtt.sock.sendall(b"".join(packets[each % len(packets)] for each in range(sent, due)))
            sent = due
        time.sleep(0.001)


def main() -> None:
    kind, port, *numbers = sys.argv[1:]
    if kind == "relays":
        Relays(int(port)).run()
    else:
        flood(int(port), *map(int, numbers))


if __name__ == "__main__":
    main()
