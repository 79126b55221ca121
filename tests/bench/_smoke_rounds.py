"""Smoke in, cuts out: the rounds of ``kangle bench smoke`` on a running garage.

The hard part is to measure without taking part: while a cut is awaited this process does nothing but wait on its
socket; views are read only after the last cut has come. A cut that does not come ends the bench.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from _ears import ears_first, run_as_installed
from _garage_site import GarageFolder, Layout, Process, wait_for
from _mqtt import Mosquitto, MqttSocket, Packet

from edge.domain.actors import Actor, Role
from edge.domain.garage.messages import Command, PurseCopy, RearmPort, ResetZone, StartSession, StopSession
from edge.runtime.ipc import IpcClient

# Whoever measures a busy machine gets large numbers, not an end in the middle.
CUTS_S = 60.0
VIEW_S = 60.0
NEVER_MS = 1e6


@dataclass
class Times:
    """Milliseconds from the message to ..."""

    first: list[float] = field(default_factory=list)
    last: list[float] = field(default_factory=list)
    proven: list[float] = field(default_factory=list)


class Bench:
    """One garage under measurement."""

    def __init__(self, root: Path, layout: Layout, folder: GarageFolder, *, persistent: bool = False) -> None:
        self.layout = layout
        self.folder = folder
        self.root = root
        self.broker = Mosquitto(root / "broker", persistent=persistent)
        assert self.broker.process is not None
        run_as_installed(self.broker.process.pid)
        folder.write_mqtt(layout, self.broker.port)
        self.daemon: Process | None = None
        self.helpers: list[subprocess.Popen[bytes]] = []
        self.ipc = IpcClient(folder.socket, "bench")
        self.mqtt = MqttSocket(self.broker.port, "bench-measure")
        self.mqtt.subscribe("relay/+/rpc", "cmnd/+/POWER", "echo/out")
        #: Rounds in which the broker gave an outlet's cut, sent after the contactor's on another connection, first.
        self.outlets_ahead = 0
        self._commands = 0

    # --- life ---------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        self.help("relays", self.broker.port)
        self.start_daemon()
        await self.ipc.start()
        assert await self.ipc.wait_connected(VIEW_S), self.daemon.log.read_text()[-3000:] if self.daemon else ""
        await self.all_clear()

    def start_daemon(self) -> None:
        self.daemon = Process(self.folder, "garage", self.root / "garage.log")
        run_as_installed(self.daemon.process.pid)  # its threads are still to come

    def help(self, *words: object) -> subprocess.Popen[bytes]:
        """A process of the field (``_smoke_field.py``)."""
        program = Path(__file__).parent / "_smoke_field.py"
        helper = subprocess.Popen([sys.executable, str(program), *map(str, words)])
        self.helpers.append(helper)
        return helper

    def end_helper(self, helper: subprocess.Popen[bytes]) -> None:
        helper.kill()
        helper.wait(60)
        self.helpers.remove(helper)

    async def stop(self) -> None:
        await self.ipc.close()
        if self.daemon is not None:
            self.daemon.stop()
        for helper in list(self.helpers):
            self.end_helper(helper)
        self.mqtt.close()
        self.broker.stop()

    # --- field and panel ----------------------------------------------------------------------------------------------

    def say(self, head: str, body: dict[str, Any]) -> bytes:
        return self.mqtt.packed(f"zigbee2mqtt/{head}", json.dumps(body).encode(), qos=1)

    async def all_clear(self) -> None:
        """Every head and call point says that all is well, until every zone is normal."""
        deadline_s = time.perf_counter() + VIEW_S
        while time.perf_counter() < deadline_s:
            for zone in self.layout.zone_names():
                names = [*self.layout.head_names(zone), f"{zone}-call"]
                self.mqtt.sock.sendall(b"".join(map(self._clear, names)))
            if await self.until(lambda: all(self.state(z) == "normal" for z in self.layout.zone_names()), 2.0):
                return
        raise TimeoutError(f"not all zones become normal: {[self.view(z) for z in self.layout.zone_names()]}")

    def _clear(self, name: str) -> bytes:
        return self.say(name, {"smoke": False} if not name.endswith("-call") else {"emergency": False, "sos": False})

    def view(self, zone: str) -> dict[str, Any]:
        update = self.ipc.views.get(f"zone/{zone}")
        return json.loads(update.json) if update is not None else {}

    def state(self, zone: str) -> str:
        return str(self.view(zone).get("state", ""))

    def counters(self) -> dict[str, int]:
        return self.ipc.status().counters

    async def until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        deadline_s = time.perf_counter() + timeout_s
        while not condition():
            if time.perf_counter() > deadline_s:
                return False
            await asyncio.sleep(0.002)
        return True

    async def command(self, body: Any, role: Role = Role.ADMIN) -> Any:
        self._commands += 1
        name = f"bench-{self._commands}-{time.time_ns()}"
        return await self.ipc.submit(Command(name, Actor(role, "bench"), body), timeout_s=VIEW_S)

    # --- rounds -------------------------------------------------------------------------------------------------------

    def cuts(self, packets: bytes, zones: Iterable[str]) -> tuple[float, float]:
        """Send, then wait for every cut of ``zones``: (first contactor, last outlet) in ms."""
        zones = list(zones)
        self.mqtt.receive(0)  # what earlier rounds left
        waiting = {f"relay/{zone}-k/rpc" for zone in zones}
        waiting |= {f"cmnd/{port}/POWER" for zone in zones for port in self.layout.port_names(zone)}
        first_ns, now_ns = 0, 0
        with ears_first():
            begun_ns = time.perf_counter_ns()
            self.mqtt.sock.sendall(packets)
            while waiting:
                found = self.mqtt.receive(CUTS_S)
                now_ns = time.perf_counter_ns()
                if not found:
                    raise TimeoutError(f"cuts that never came: {sorted(waiting)[:20]} of {len(waiting)}")
                cut = [packet.topic for packet in found if is_cut(packet) and packet.topic in waiting]
                if cut and not first_ns:
                    self.outlets_ahead += not cut[0].startswith("relay/")
                    first_ns = now_ns
                waiting.difference_update(cut)
        return (first_ns - begun_ns) / 1e6, (now_ns - begun_ns) / 1e6

    async def smoke_in_all_zones(self, times: Times, head: int, pause_s: float) -> None:
        """One round in each zone, a while apart; then all of it is cleared and reset."""
        for zone in self.layout.zone_names():
            name = self.layout.head_names(zone)[head % self.layout.heads]
            begun_s = time.perf_counter()
            first_ms, last_ms = self.cuts(self.say(name, {"smoke": True}), [zone])
            times.first.append(first_ms)
            times.last.append(last_ms)
            if not await self.until(lambda zone=zone: self.contactor(zone) == "proven", CUTS_S):  # type: ignore[misc]
                raise TimeoutError(f"the contactor of {zone} is not proven open: {self.view(zone)['outputs']}")
            times.proven.append((time.perf_counter() - begun_s) * 1e3)
            await asyncio.sleep(pause_s)
        await self.reset_all()

    async def everything_at_once(self) -> float:
        """The call point of z1: its neighbours are cut with it. Milliseconds to the last of all outlets."""
        zones = self.layout.zone_names()
        press = self.say("z1-call", {"action": "emergency"})
        _, last_ms = self.cuts(press, zones)
        await self.until(lambda: all(self.contactor(zone) == "proven" for zone in zones), CUTS_S)
        await self.reset_all()
        return last_ms

    def contactor(self, zone: str) -> str:
        return str(next((each["cut"] for each in self.view(zone).get("outputs", ())), ""))

    async def reset_all(self, only: list[str] | None = None) -> None:
        """Clear everything, wait for what each latch waits for, and reset it on site."""
        zones = self.layout.zone_names() if only is None else only
        for zone in self.layout.zone_names():
            names = [*self.layout.head_names(zone), f"{zone}-call"]
            self.mqtt.sock.sendall(b"".join(map(self._clear, names)))
        for zone in zones:
            if not await self.until(lambda zone=zone: self.state(zone) == "resettable", VIEW_S):  # type: ignore[misc]
                raise TimeoutError(f"{zone} does not become resettable: {self.view(zone)}")
            answer = await self.command(ResetZone(zone=zone, panel=f"panel-{zone}", person="bench"), Role.PANEL)
            assert answer.code == "ok", answer
        every = self.layout.zone_names()
        if not await self.until(lambda: all(self.state(zone) == "normal" for zone in every), VIEW_S):
            raise TimeoutError(f"not all zones become normal: {[self.view(zone) for zone in every]}")

    def echo(self, count: int, pause_s: float) -> list[float]:
        """The floor: our message, the broker, another process, the broker, us. Milliseconds."""
        times = []
        for number in range(count):
            packet = self.mqtt.packed("echo/in", b"%d" % number, qos=1)
            self.mqtt.receive(0)
            with ears_first():
                begun_ns = time.perf_counter_ns()
                self.mqtt.sock.sendall(packet)
                found: list[Packet] = []
                while not any(each.topic == "echo/out" for each in found):
                    found = self.mqtt.receive(CUTS_S)
                    assert found, "the echo never came"
                times.append((time.perf_counter_ns() - begun_ns) / 1e6)
            time.sleep(pause_s)
        return times

    async def anomaly(self, port: str, number: int) -> float:
        """A charger that draws too much: milliseconds from the telemetry to its cut (``NEVER_MS``: none came)."""
        member = f"bench-member-{number}"
        copy = PurseCopy(as_of_wall_ns=time.time_ns(), purses=((member, "", 10_000),))
        assert (await self.command(copy, Role.DEVICE)).code == "ok"
        await self.command(RearmPort(port=port))
        self.mqtt.publish(f"load/{port}", b"180")
        begin = StartSession(session_id=f"bench-{number}-{time.time_ns()}", port=port, member=member)
        answer = await self.command(begin)
        assert answer.code == "ok", answer
        assert await self.until(lambda: self.port(port).get("on") is True, VIEW_S), self.port(port)
        self.mqtt.receive(0)
        begun_ns = time.perf_counter_ns()
        self.mqtt.publish(f"load/{port}", b"900")
        cut = False
        while not cut:
            found = self.mqtt.receive(CUTS_S)
            if not found:
                await self.command(StopSession(port=port))
                return NEVER_MS
            cut = any(packet.topic == f"cmnd/{port}/POWER" and is_cut(packet) for packet in found)
        took_ms = (time.perf_counter_ns() - begun_ns) / 1e6
        assert await self.until(lambda: self.port(port).get("cut") == "proven", VIEW_S), self.port(port)
        return took_ms

    def port(self, port: str) -> dict[str, Any]:
        update = self.ipc.views.get(f"port/{port}")
        return json.loads(update.json) if update is not None else {}

    def restart(self, zone: str) -> float:
        """kill -9, smoke while nobody listens, start: seconds from the start of the process to the contactor's cut."""
        assert self.daemon is not None
        self.daemon.process.kill()
        self.daemon.process.wait(60)
        self.mqtt.sock.sendall(self.say(self.layout.head_names(zone)[0], {"smoke": True}))
        time.sleep(0.3)
        self.mqtt.receive(0)
        begun_s = time.perf_counter()
        self.start_daemon()
        wait_for(lambda: self._cut_came(zone), CUTS_S, "the cut after a restart", self.daemon)
        return time.perf_counter() - begun_s

    def _cut_came(self, zone: str) -> bool:
        relay = f"relay/{zone}-k/rpc"
        return any(packet.topic == relay and is_cut(packet) for packet in self.mqtt.receive(0.05))


def is_cut(packet: Packet) -> bool:
    """Whether a command switches something off."""
    if packet.topic.startswith("cmnd/"):
        return packet.payload == b"OFF"
    if not packet.topic.startswith("relay/"):
        return False
    request = json.loads(packet.payload)
    return request.get("method") == "Switch.Set" and request["params"]["on"] is False
