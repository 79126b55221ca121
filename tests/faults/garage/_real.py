"""A real garage: Mosquitto, the daemon as a process forked warm, relays and plugs as a process, heads played by
the test.

What is asked of it is order and arrival, not speed: a cut comes, a latch holds. Times are kept as numbers. A machine
may be so busy that any of it takes a minute: everything is waited for, and heads repeat their words, as they do.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _case import Case
from _garage_site import CLIENTS, GarageFolder, Layout
from _lives import Life
from _mqtt import MqttSocket, Packet
from _smoke_rounds import Bench, is_cut

from edge.domain.actors import Actor, Role
from edge.domain.garage.messages import Command, ResetZone
from edge.runtime.ipc import AnswerUnknownError, DaemonUnreachableError, IpcClient

LAYOUT = Layout(zones=2, heads=2, ports=3)
LATCHED = {"pre_alarm", "fire", "latched", "resettable"}
LINKS = ("device/heads", "device/relays", "device/plugs")
#: What a slow machine may take for any of it.
PATIENCE_S = 60.0
#: Between two words of a head.
REPEAT_S = 0.5


class RealGarage(Bench):
    """``begin`` with an order for the nursery; ``smoke`` must lead to a cut. ``heard``: all commands since a round
    began."""

    def __init__(self, case: Case, name: str = "g") -> None:
        self.case = case
        root = case.folder / name
        root.mkdir(parents=True)
        self.order: dict[str, Any] = {}
        self.heard: list[Packet] = []
        self.life: Life | None = None
        super().__init__(root, LAYOUT, GarageFolder(root), persistent=True)
        self.mqtt.subscribe("cmnd/+/POWER", "relay/+/rpc")

    # --- life ---------------------------------------------------------------------------------------------------------

    def start_daemon(self) -> None:
        self.life = Life({"site": str(self.folder.site), "log": str(self.root / "daemon.log"), **self.order})

    async def begin(self) -> None:
        """The first life, in which every zone becomes normal."""
        self.help("relays", self.broker.port)
        self.start_daemon()
        await self._speaks()
        await self.settle()

    async def next_life(self, **order: Any) -> None:
        """After a kill: the same site, the same store."""
        assert self.life is not None
        self.life.ended()
        await self.ipc.close()
        self.order = order
        self.start_daemon()
        self.ipc = IpcClient(self.folder.socket, "faults")
        if order.get("act") == "kill":  # that life may end before anybody can speak to it
            await self.ipc.start()
        else:
            await self._speaks()

    async def _speaks(self) -> None:
        """The socket is dialled when it is there: who dials too early waits longer each time."""
        assert await self.until(self._listens, PATIENCE_S), self.tail()
        await self.ipc.start()
        assert await self.ipc.wait_connected(PATIENCE_S), self.tail()

    def _listens(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.connect(str(self.folder.socket))
            return True
        return False

    def tail(self) -> str:
        log = self.root / "daemon.log"
        return log.read_text()[-3000:] if log.exists() else "no word of the daemon"

    async def stop(self) -> None:
        if self.life is not None:
            self.life.stop()
        await super().stop()

    # --- what is seen -------------------------------------------------------------------------------------------------

    async def cut_comes(self, zone: str) -> float:
        """Seconds until the contactor of ``zone`` is told to open."""
        begun_s = time.perf_counter()
        while time.perf_counter() - begun_s < PATIENCE_S:
            if await asyncio.to_thread(self._cut_came, zone):
                return time.perf_counter() - begun_s
        raise AssertionError(f"missed_fire: no cut of {zone} in {PATIENCE_S} s: {self.view(zone)}\n{self.tail()}")

    def _cut_came(self, zone: str) -> bool:
        found = self.mqtt.receive(0.05)
        self.heard += found
        return any(packet.topic == f"relay/{zone}-k/rpc" and is_cut(packet) for packet in found)

    async def is_open(self, zone: str) -> None:
        """The contactor of ``zone`` is proven open: it was told in this life, or was open already by its own word."""
        if not await self.until(lambda: self.contactor(zone) == "proven", PATIENCE_S):
            raise AssertionError(f"missed_fire: {zone} is not proven open: {self.view(zone)}\n{self.tail()}")

    async def latch_holds(self, zone: str, cause: str) -> None:
        """The zone shows its latch, and why."""
        if not await self.until(lambda: self.state(zone) in LATCHED, PATIENCE_S):
            raise AssertionError(f"latch_weakened: {zone} is {self.state(zone)!r}\n{self.tail()}")
        if not await self.until(lambda: any(cause in why for why in self.view(zone).get("reasons", ())), PATIENCE_S):
            raise AssertionError(f"alarm_lost: {cause} is not among the reasons of {self.view(zone)}\n{self.tail()}")

    async def latch_is_written(self, zone: str, cause: str) -> None:
        """The latch with its cause is on disk."""
        if not await self.until(lambda: self._standing(zone, cause), PATIENCE_S):
            raise AssertionError(f"latch_not_written: {zone}, {cause}: {self.view(zone)}\n{self.tail()}")

    def _standing(self, zone: str, cause: str) -> bool:
        file = self.folder.store / "facts.db"
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as store:
            query = "SELECT count(*) FROM zone_cause WHERE zone = ? AND ref = ? AND standing"
            return bool(store.execute(query, (zone, cause)).fetchone()[0])

    def links_lost(self) -> bool:
        """The daemon has noticed that the broker is gone, on each link."""
        return all(self._link_is_lost(link) for link in LINKS)

    def links_open(self) -> bool:
        return all(link in self.ipc.views and not self._link_is_lost(link) for link in LINKS)

    def _link_is_lost(self, link: str) -> bool:
        update = self.ipc.views.get(link)
        return update is not None and json.loads(update.json)["state"] == "lost"

    async def sees(self, condition: Callable[[], bool], what: str) -> None:
        assert await self.until(condition, PATIENCE_S), f"{what}: {self.ipc.views}\n{self.tail()}"

    # --- what is said -------------------------------------------------------------------------------------------------

    def speak(self, head: str, *, smoke: bool, retain: bool = False) -> None:
        body = {"emergency": smoke} if head.endswith("-call") else {"smoke": smoke}
        payload = json.dumps(body).encode()
        self.mqtt.sock.sendall(self.mqtt.packed(f"zigbee2mqtt/{head}", payload, qos=1, retain=retain))

    def is_told(self) -> None:
        """The broker has what was spoken: it answers in order."""
        self.mqtt.subscribe("told")

    async def command(self, body: Any, role: Role = Role.ADMIN) -> Any:
        """Under the same id until an answer comes: it may be lost with a life."""
        self._commands += 1
        command_id = f"faults-{self._commands}-{time.time_ns()}"
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            command = Command(command_id, Actor(role, "faults"), body)
            try:
                return await self.ipc.submit(command, PATIENCE_S)
            except (AnswerUnknownError, DaemonUnreachableError):
                assert time.monotonic() < deadline_s, self.tail()
                await asyncio.sleep(0.01)

    async def reset(self, *zones: str) -> None:
        """What burned is reset; nothing else may be latched."""
        others = [zone for zone in self.layout.zone_names() if zone not in zones and self.state(zone) in LATCHED]
        assert not others, f"false_alarm: {[self.view(zone) for zone in others]}"
        await self.settle()

    async def settle(self) -> None:
        """Whatever is latched is reset, until every zone is normal. After a kill more may be latched than is seen at
        once: a head's word that reached the broker in one life is heard in the next. Heads repeat theirs: one that is
        said while the link is being lost, or before it is there again, was said to nobody."""
        deadline_s = time.monotonic() + PATIENCE_S
        every = self.layout.zone_names()

        def normal() -> bool:
            return all(self.state(zone) == "normal" for zone in every)

        while not normal():
            assert time.monotonic() < deadline_s, f"cannot be settled: {[self.view(zone) for zone in every]}"
            for zone in every:
                for head in (*self.layout.head_names(zone), f"{zone}-call"):
                    self.speak(head, smoke=False)
            await self.until(lambda: normal() or any(self.state(zone) == "resettable" for zone in every), REPEAT_S)
            for zone in every:
                if self.state(zone) == "resettable":  # the kernel may know better by now, and refuse
                    await self.command(ResetZone(zone=zone, panel=f"panel-{zone}", person="bench"), Role.PANEL)
            await self.until(normal, REPEAT_S)

    async def all_clear_until(self, condition: Callable[[], bool]) -> None:
        """Heads repeat that all is well until ``condition`` holds (each word is an input that the store sees)."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline_s, f"nothing befell the store\n{self.tail()}"
            for head in self.layout.head_names("z1"):
                self.speak(head, smoke=False)
            await self.until(condition, 0.05)

    async def poke_until_dead(self) -> None:
        """Give the store things to write until it meets the point at which it dies."""
        assert self.life is not None
        deadline_s, number = time.monotonic() + PATIENCE_S, 0
        while not self.life.is_over():
            assert time.monotonic() < deadline_s, f"it did not die\n{self.tail()}"
            self.speak(self.layout.head_names("z2")[number % 2], smoke=number % 4 == 3)
            number += 1
            await self.until(self.life.is_over, 0.05)

    # --- the broker ---------------------------------------------------------------------------------------------------

    async def keeps_only_stored_words(self) -> None:
        """The broker forgets the dead daemon's sessions, and what it kept for them, and saves itself so. A word that a
        session keeps is no stored one: it was said to the daemon, which had not written it down when it died."""
        for name in CLIENTS:
            MqttSocket(self.broker.port, f"kangle-bench-{name}").close()
        mark, saved = f"mark/{time.time_ns()}", self.broker.folder / "mosquitto.db"
        for _ in range(2):  # the broker saves itself after the second change
            self.mqtt.publish(mark, b"x", qos=1, retain=True)
        found = lambda: saved.exists() and mark.encode() in saved.read_bytes()  # noqa: E731
        await self.sees(found, "the broker does not save itself")

    async def broker_dies(self) -> None:
        """As a power cut ends it; the daemon has noticed when this returns, if it lives."""
        self.broker.kill()
        if self.life is not None and not self.life.is_over():
            await self.sees(self.links_lost, "the daemon does not notice that its broker is gone")

    def broker_returns(self) -> None:
        """The broker is another: so is our connection to it, and that of the relays."""
        self.broker.start()
        for helper in list(self.helpers):
            self.end_helper(helper)
        self.help("relays", self.broker.port)
        self.mqtt.close()
        self.mqtt = MqttSocket(self.broker.port, "bench-measure")
        self.mqtt.subscribe("relay/+/rpc", "cmnd/+/POWER", "echo/out")

    async def broker_refuses(self) -> None:
        """A broker that knows nobody, until it has sent the daemon away."""
        config, log = self.broker.folder / "mosquitto.conf", self.broker.folder / "mosquitto.log"
        open_to_all, known = config.read_text(), log.stat().st_size
        config.write_text(open_to_all.replace("allow_anonymous true", "allow_anonymous false"))
        self.broker.start()
        await self.sees(lambda: b"not authorised" in _since(log, known), "the daemon does not knock")
        self.broker.kill()
        config.write_text(open_to_all)

    def note(self, event: str, **facts: Any) -> None:
        self.case.trace.event(time.monotonic_ns(), event, **facts)


def _since(file: Path, offset: int) -> bytes:
    with file.open("rb") as log:
        log.seek(offset, os.SEEK_SET)
        return log.read()
