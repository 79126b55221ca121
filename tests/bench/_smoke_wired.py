"""Smoke through wires, without a broker: a smoke contact on one Modbus TCP board or a fire by GB/T 26875.3, the
contactor on another Modbus TCP board. The far ends are threads of the bench with bare sockets.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import time
from pathlib import Path
from typing import Any

from _garage_site import GarageFolder, Process, words
from _mqtt import free_port
from _report import Result, quantile, result

from edge.domain.actors import Actor, Role
from edge.domain.garage.messages import Command, ResetZone
from edge.runtime.ipc import IpcClient

READ_DISCRETE, READ_COILS, WRITE_COIL = 2, 1, 5
CONTACTOR_COIL, CONTACT_INPUT, SMOKE_INPUT = 0, 0, 8
OPENS_S = 0.02


class Board(threading.Thread):
    """A Modbus TCP slave: 16 coils, 16 inputs. ``told_ns`` is when an input that is set was first told, ``cut_ns`` when
    the contactor's coil was written off."""

    def __init__(self) -> None:
        super().__init__(daemon=True, name="board")
        self.inputs = [False] * 16
        self.coils = [True] * 16
        self.told_ns = 0
        self.cut_ns = 0
        self.cut = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._opens_s = 0.0

    def arm(self) -> None:
        self.told_ns = self.cut_ns = 0
        self.cut.clear()

    def run(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        buffer = b""
        while data := connection.recv(4096):
            now_ns = time.perf_counter_ns()
            buffer += data
            while len(buffer) >= 8 and len(buffer) >= 6 + (size := struct.unpack_from(">H", buffer, 4)[0]):
                head, unit, pdu, buffer = buffer[:4], buffer[6:7], buffer[7 : 6 + size], buffer[6 + size :]
                answer = self._answer(pdu, now_ns)
                if answer[0] == READ_DISCRETE and self.inputs[SMOKE_INPUT] and not self.told_ns:
                    self.told_ns = time.perf_counter_ns()  # before it is sent: the cut can be here sooner than we are
                connection.sendall(head + struct.pack(">H", 1 + len(answer)) + unit + answer)

    def _answer(self, pdu: bytes, now_ns: int) -> bytes:
        function, address, value = struct.unpack(">BHH", pdu[:5])
        if function == WRITE_COIL:
            self.coils[address] = value == 0xFF00
            if not value and address == CONTACTOR_COIL and not self.cut.is_set():
                self.cut_ns = now_ns
                self._opens_s = time.perf_counter() + OPENS_S
                self.cut.set()
            return pdu
        self.inputs[CONTACT_INPUT] = self.coils[CONTACTOR_COIL] or time.perf_counter() < self._opens_s
        bits = (self.coils if function == READ_COILS else self.inputs)[address : address + value]
        packed = bytearray((value + 7) // 8)
        for at, bit in enumerate(bits):
            packed[at // 8] |= bit << at % 8
        return bytes((function, len(packed))) + bytes(packed)

    def close(self) -> None:
        self._server.close()


def gb26875_fire(serial: int, *, fire: bool) -> bytes:
    """System 1:1 says fire (or normal): GB/T 26875.3-2011, type 1, one object (drivers/gb26875/PROTOCOL.md 2 and 3)."""
    clock = bytes(time.gmtime()[at] % 100 for at in (5, 4, 3, 2, 1, 0))
    body = bytes((1, 1, 1, 1)) + struct.pack("<H", 3 if fire else 1) + clock
    head = struct.pack("<HBB", serial, 1, 1) + clock + bytes(12) + struct.pack("<H", len(body)) + bytes((2,))
    return b"@@" + head + body + bytes((sum(head + body) & 255,)) + b"##"


def wired_devices(smoke: Board, relay: Board, unit_port: int) -> list[dict[str, Any]]:
    def board(name: str, each: Board, entries: str) -> dict[str, Any]:
        options = {"framing": "tcp", "poll_ms": 20, "map": entries}
        return {"device": name, "protocol": "modbus", "link": f"tcp://127.0.0.1:{each.port}", "options": options}

    contacts = f"contactor output coil:{CONTACTOR_COIL};contactor contact discrete:{CONTACT_INPUT}"
    unit = {"device": "unit", "protocol": "gb26875", "link": f"tcp-listen://127.0.0.1:{unit_port}"}
    return [
        board("smoke-board", smoke, f"spare output coil:1;head smoke discrete:{SMOKE_INPUT}"),
        board("relay-board", relay, contacts),
        {**unit, "options": {"poll": False}},
    ]


def wired_zone() -> dict[str, Any]:
    contactor = {"output": "k", "kind": "contactor", "device": "relay-board", "point": "contactor", "name": words("k")}
    head = {"source": "head", "kind": "smoke", "device": "smoke-board", "point": "head", "name": words("head")}
    panel = {"source": "panel", "kind": "panel_fire", "device": "unit", "point": "1:1", "name": words("panel")}
    return {
        "zone": "w",
        "name": words("w"),
        "panels": ["panel-w"],
        "contactor_first": True,
        "clear_s": 1,
        "prove_hold_s": 0,
        "sources": [{**head, "supervision_s": 10}, {**panel, "supervision_s": 86_400}],
        "outputs": [contactor],
        "ports": [],
    }


class Wired:
    """The wired garage under measurement."""

    def __init__(self, root: Path) -> None:
        self.smoke, self.relay, unit_port = Board(), Board(), free_port()
        self.smoke.start()
        self.relay.start()
        self._unit_port = unit_port
        folder = GarageFolder(root / "wired")
        folder.write(wired_devices(self.smoke, self.relay, unit_port), [wired_zone()])
        self.daemon = Process(folder, "garage", root / "wired.log")
        self.ipc = IpcClient(folder.socket, "bench")
        self._unit: socket.socket | None = None
        self._serial = 0

    async def start(self) -> None:
        await self.ipc.start()
        assert await self.ipc.wait_connected(60), self.daemon.log.read_text()[-3000:]
        self._unit = await self._dial()
        self._unit.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.panel_says(fire=False)
        await self.until("normal")

    async def _dial(self) -> socket.socket:
        """The panel calls the daemon, which may not listen yet."""
        deadline_s = time.perf_counter() + 60
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self._unit_port), 60)
            except ConnectionRefusedError:
                assert time.perf_counter() < deadline_s, self.daemon.log.read_text()[-2000:]
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        await self.ipc.close()
        self.daemon.stop()
        self.smoke.close()
        self.relay.close()
        if self._unit is not None:
            self._unit.close()

    def panel_says(self, *, fire: bool) -> int:
        assert self._unit is not None
        self._serial += 1
        frame = gb26875_fire(self._serial, fire=fire)
        told_ns = time.perf_counter_ns()
        self._unit.sendall(frame)
        return told_ns

    def view(self) -> dict[str, Any]:
        update = self.ipc.views.get("zone/w")
        return json.loads(update.json) if update is not None else {}

    async def until(self, state: str) -> None:
        deadline_s = time.perf_counter() + 60
        while self.view().get("state") != state:
            assert time.perf_counter() < deadline_s, (state, self.view(), self.daemon.log.read_text()[-2000:])
            await asyncio.sleep(0.002)

    async def round(self, number: int, *, by_panel: bool) -> float:
        """Milliseconds from the wire that says smoke to the wire that says open."""
        self.smoke.arm()
        self.relay.arm()
        told_ns = 0
        if by_panel:
            told_ns = self.panel_says(fire=True)
        else:
            self.smoke.inputs[SMOKE_INPUT] = True
        assert await asyncio.to_thread(self.relay.cut.wait, 60), self.view()
        took_ms = (self.relay.cut_ns - (told_ns or self.smoke.told_ns)) / 1e6
        self.smoke.inputs[SMOKE_INPUT] = False
        self.panel_says(fire=False)
        await self.until("resettable")
        body = ResetZone(zone="w", panel="panel-w", person="bench")
        answer = await self.ipc.submit(Command(f"reset-{number}", Actor(Role.PANEL, "bench"), body), timeout_s=60)
        assert answer.code == "ok", answer
        await self.until("normal")
        return took_ms


async def _measure(root: Path, rounds: int) -> tuple[list[float], list[float]]:
    wired = Wired(root)
    try:
        await wired.start()
        modbus = [await wired.round(number, by_panel=False) for number in range(rounds)]
        panel = [await wired.round(rounds + number, by_panel=True) for number in range(rounds)]
    finally:
        await wired.stop()
    return modbus, panel


def wired_results(root: Path, rounds: int, echo_p50: float, echo_p99: float) -> list[Result]:
    """Both paths beside the two hops through a broker that they do without."""
    rounds = min(rounds, 30)
    modbus, panel = asyncio.run(_measure(root, rounds))
    return [
        result("wired, Modbus in -> Modbus out p50", quantile(modbus, 0.5), "ms", floor=echo_p50, target=4.0),
        result("wired, Modbus in -> Modbus out p99", quantile(modbus, 0.99), "ms", floor=echo_p99, target=3.0),
        result("wired, GB/T 26875.3 in -> Modbus out p50", quantile(panel, 0.5), "ms", floor=echo_p50, target=4.0),
        result("wired, GB/T 26875.3 in -> Modbus out p99", quantile(panel, 0.99), "ms", floor=echo_p99, target=3.0),
    ]
