"""A real garage: Mosquitto, the daemon as a process forked warm, relays and plugs as a process, heads played by
the test.

What is asked of it is order and arrival, not speed: a cut comes, a latch holds. Times are kept as numbers.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _case import Case
from _garage_site import ROOT, GarageFolder, Layout
from _mqtt import MqttSocket
from _smoke_rounds import Bench

from edge.domain.actors import Role
from edge.domain.garage.messages import ResetZone
from edge.runtime.ipc import IpcClient

LAYOUT = Layout(zones=2, heads=2, ports=3)
LATCHED = {"pre_alarm", "fire", "latched", "resettable"}
CUT_S = 40.0
RESET_S = 60.0
#: Between two words of a head.
REPEAT_S = 2.0


class Forked:
    """One life of the daemon."""

    def __init__(self, nursery: subprocess.Popen[str], log: Path, order: dict[str, Any]) -> None:
        self._nursery = nursery
        self.log = log
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        nursery.stdin.write(json.dumps(order) + "\n")
        nursery.stdin.flush()
        self.pid = int(nursery.stdout.readline())
        self.status: int | None = None

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def ended(self) -> int:
        """Wait until it is gone; its wait status."""
        if self.status is None:
            assert self._nursery.stdout is not None
            self.status = int(self._nursery.stdout.readline())
        return self.status

    def is_over(self) -> bool:
        """Whether it is a zombie, or gone."""
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except FileNotFoundError:
            return True

    def stop(self) -> None:
        if self.status is None:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            self.ended()


class RealGarage(Bench):
    """``begin`` with an order for the nursery; ``smoke`` must lead to a cut."""

    def __init__(self, case: Case, name: str = "g") -> None:
        self.case = case
        root = case.folder / name
        root.mkdir(parents=True)
        self._log = (root / "daemon.log").open("ab")
        self.nursery = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "_nursery.py")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, cwd=ROOT, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        self.order: dict[str, Any] = {}
        super().__init__(root, LAYOUT, GarageFolder(root), persistent=True)
        self.life: Forked | None = None
        self.mqtt.subscribe("cmnd/+/POWER", "relay/+/rpc")

    def start_daemon(self) -> None:
        order = {"site": str(self.folder.site), **self.order}
        self.life = Forked(self.nursery, self.root / "daemon.log", order)

    async def begin(self, **order: Any) -> None:
        self.order = order
        await self.start()

    async def next_life(self, **order: Any) -> None:
        """After a kill: the same site, the same store."""
        assert self.life is not None
        self.life.ended()
        await self.ipc.close()
        self.order = order
        self.start_daemon()
        self.ipc = IpcClient(self.folder.socket, "faults")
        await self.ipc.start()
        if order.get("act") != "kill":  # that life may end before anybody can speak to it
            assert await self.ipc.wait_connected(60), self.tail()

    def tail(self) -> str:
        return (self.root / "daemon.log").read_text()[-3000:]

    def speak(self, head: str, *, smoke: bool, retain: bool = False) -> None:
        body = {"emergency": smoke} if head.endswith("-call") else {"smoke": smoke}
        payload = json.dumps(body).encode()
        self.mqtt.sock.sendall(self.mqtt.packed(f"zigbee2mqtt/{head}", payload, qos=1, retain=retain))

    async def cut_comes(self, zone: str, timeout_s: float = CUT_S) -> float:
        """Seconds until the contactor of ``zone`` is told to open."""
        begun_s = time.perf_counter()
        while time.perf_counter() - begun_s < timeout_s:
            if await asyncio.to_thread(self._cut_came, zone):
                return time.perf_counter() - begun_s
        raise AssertionError(f"missed_fire: no cut of {zone} in {timeout_s} s: {self.view(zone)}\n{self.tail()}")

    async def is_open(self, zone: str) -> None:
        """The contactor of ``zone`` is proven open: it was told in this life, or was open already by its own word."""
        if not await self.until(lambda: self.contactor(zone) == "proven", CUT_S):
            raise AssertionError(f"missed_fire: {zone} is not proven open: {self.view(zone)}\n{self.tail()}")

    async def latch_holds(self, zone: str, cause: str = "") -> None:
        """The zone shows its latch, and why."""
        if not await self.until(lambda: self.state(zone) in LATCHED, 20.0):
            raise AssertionError(f"latch_weakened: {zone} is {self.state(zone)!r}\n{self.tail()}")
        if cause and not any(cause in reason for reason in self.view(zone)["reasons"]):
            raise AssertionError(f"alarm_lost: {cause} is not among {self.view(zone)['reasons']}")

    async def reset_all(self, only: list[str] | None = None) -> None:
        """As a bench does it, with heads that repeat their word, as they do: one that is said while the link is being
        lost, or before it is there again, was said to nobody."""
        zones = self.layout.zone_names() if only is None else only
        deadline_s = time.monotonic() + RESET_S
        while any(self.state(zone) not in {"resettable", "normal"} for zone in zones):
            assert time.monotonic() < deadline_s, f"cannot be reset: {[self.view(zone) for zone in zones]}"
            for zone in self.layout.zone_names():
                for head in self.layout.head_names(zone):
                    self.speak(head, smoke=False)
                self.speak(f"{zone}-call", smoke=False)
            await self.until(lambda: all(self.state(zone) == "resettable" for zone in zones), REPEAT_S)
        await super().reset_all(zones)

    async def settle(self) -> None:
        """Whatever is latched is reset, until every zone is normal. After a kill more may be latched than is seen at
        once: a head's word that reached the broker in one life is heard in the next."""
        deadline_s = time.monotonic() + RESET_S
        every = self.layout.zone_names()
        while any(self.state(zone) != "normal" for zone in every):
            assert time.monotonic() < deadline_s, f"cannot be settled: {[self.view(zone) for zone in every]}"
            for zone in every:
                for head in (*self.layout.head_names(zone), f"{zone}-call"):
                    self.speak(head, smoke=False)
            await self.until(lambda: any(self.state(zone) == "resettable" for zone in every), REPEAT_S)
            for zone in every:
                if self.state(zone) == "resettable":  # the kernel may know better by now, and refuse
                    await self.command(ResetZone(zone=zone, panel=f"panel-{zone}", person="bench"), Role.PANEL)
            await self.until(lambda: all(self.state(zone) == "normal" for zone in every), REPEAT_S)

    async def all_clear_until(self, condition: Callable[[], bool]) -> None:
        """Heads repeat that all is well until ``condition`` holds (each word is an input that the store sees)."""
        for _ in range(400):
            if condition():
                return
            for head in self.layout.head_names("z1"):
                self.speak(head, smoke=False)
            await asyncio.sleep(0.05)
        raise AssertionError(f"nothing befell the store\n{self.tail()}")

    async def poke_until_dead(self) -> None:
        """Give the store things to write until it meets the point at which it dies."""
        assert self.life is not None
        for number in range(200):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.life.pid, 0)
                if self.life.is_over():
                    return
                self.speak(self.layout.head_names("z2")[number % 2], smoke=number % 4 == 3)
                await asyncio.sleep(0.05)
                continue
            return
        raise AssertionError(f"it did not die\n{self.tail()}")

    def reconnect(self) -> None:
        """The broker is another: so is our connection to it, and that of the relays."""
        for helper in list(self.helpers):
            self.end_helper(helper)
        self.help("relays", self.broker.port)
        self.mqtt.close()
        self.mqtt = MqttSocket(self.broker.port, "bench-measure")
        self.mqtt.subscribe("relay/+/rpc", "cmnd/+/POWER", "echo/out")

    def note(self, event: str, **facts: Any) -> None:
        self.case.trace.event(time.monotonic_ns(), event, **facts)

    async def stop(self) -> None:
        if self.life is not None:
            self.life.stop()
        assert self.nursery.stdin is not None
        assert self.nursery.stdout is not None
        self.nursery.stdin.close()
        self.nursery.wait(60)
        self.nursery.stdout.close()
        self._log.close()
        await super().stop()
