"""A garage, its box and an oracle in simulated time: what a fault group drives.

The oracle is tiny and knows no table: credible smoke that reached the box means no current in its zone 5 s later, and
a zone that was cut shows no state that lets current flow, gets no ON, until a person resets it on site. Water needs
two heads (or a head and a call point). All of it is checked after every event against the field's truth.
"""

from __future__ import annotations

import atexit
import functools
import heapq
import itertools
import random
import shutil
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
from _box import Box
from _field import Field, Outlet, S
from _garage_site import GarageFolder, Layout, mqtt_devices, words, zone_table
from _trace import Trace

from edge.domain.actors import Actor, Role
from edge.domain.garage.messages import Command, PurseCopy, RearmPort, ResetZone, StartSession
from edge.domain.garage.settings import GarageConfig
from edge.runtime.clock import ManualClock
from edge.site import load_site

LATCHED = {"pre_alarm", "fire", "latched", "resettable"}
#: What a cut may take: 3 s for the outlets' proof, then the contactor, and what lies between.
CUT_NS = 6 * S
DAY = date(2026, 11, 22)
SIM = Layout(zones=2, heads=2, ports=2, clear_s=5, prove_hold_s=2, contactor_first=False, supervision_s=60)


class ViolationError(AssertionError):
    """An invariant of the garage does not hold."""


@functools.cache
def site_of(layout: Layout) -> Any:
    """The configuration, written as a site and read by the product's reader (once)."""
    folder = Path(tempfile.mkdtemp(prefix="kangle-faults-site-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    site = GarageFolder(folder)
    zones = []
    for name in layout.zone_names():
        table = zone_table(layout, name)
        for kind in ("feed", "siren", "door", "water"):
            place = {"device": "relays", "point": f"relay/{name}-{kind}:0"}
            facts: dict[str, Any] = {"output": f"{name}-{kind}", "kind": kind, "name": words(f"{name}-{kind}"), **place}
            if kind == "water":
                facts["feedback_source"] = f"{name}-flow"
            table["outputs"].append(facts)
        flow = {"source": f"{name}-flow", "kind": "flow", "device": "heads", "point": f"{name}-flow"}
        table["sources"].append({**flow, "name": words(f"{name}-flow")})
        for port in table["ports"]:
            port["hold_s"] = 90
        zones.append(table)
    site.write(mqtt_devices(1883, "sim"), zones)
    return load_site(site.site, DAY)


class Garage:
    """One simulated garage. ``run(seconds)`` lets time pass; ``between`` may drop, double or delay a message."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        trace: Trace,
        layout: Layout = SIM,
        change: Callable[[GarageConfig], GarageConfig] = lambda config: config,
    ) -> None:
        self.rng = random.Random(seed)
        self.layout = layout
        self.trace = trace
        self.clock = ManualClock(mono_ns=1_000 * S, wall_ns=1_795_320_000 * S)
        self.field = Field(self.publish, self.later, self.rng, self.clock.mono_ns)
        self.zones = layout.zone_names()
        for zone in self.zones:
            self.field.smoke |= dict.fromkeys([*layout.head_names(zone), f"{zone}-call"], False)
            for port in layout.port_names(zone):
                self.field.plugs[port] = Outlet(port, zone)
            for kind in ("k", "feed", "siren", "door", "water"):
                name = f"relay/{zone}-{kind}"
                self.field.relays[name] = Outlet(name, zone, closed=kind == "k", told=kind == "k")
        self.broker_up = True
        self.between: Callable[[str, str, bool], bool] = lambda _topic, _payload, _retain: True
        self.latched: dict[str, int] = {}
        self.muted: set[str] = set()
        """Zones in a walk test: their heads are no smoke to the oracle."""
        self.voices: dict[str, set[str]] = {zone: set() for zone in self.zones}
        self.fires = self.false_cuts = self.commands = self.checked = 0
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = itertools.count()
        site = site_of(layout)
        site = self.site = msgspec.structs.replace(site, garage=change(site.garage))
        store = self.store_dir = Path(tempfile.mkdtemp(dir=_memory() or folder))
        self.box = Box(store / "garage", site, site.devices["garage"], self.clock, self._command)
        self.field.heartbeat()
        self.box.start()

    # --- between field and box ----------------------------------------------------------------------------------------

    def publish(self, topic: str, payload: str, retain: bool) -> None:
        if self.broker_up and self.between(topic, payload, retain):
            self.arrive(topic, payload, retain=retain)

    def arrive(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """The message reaches the broker's queue for the box; the oracle notes what it means."""
        self._note(topic, payload, retain=retain)
        self.box.deliver(topic, payload, retain=retain)

    def _note(self, topic: str, payload: str, *, retain: bool) -> None:
        head = topic.removeprefix("zigbee2mqtt/")
        zone = head.partition("-")[0]
        if zone not in self.voices or zone in self.muted or head == topic or '"linkquality"' not in payload:
            return
        if '"smoke": true' in payload or '"emergency": true' in payload:
            if not retain:
                self.voices[zone].add(head)
            self.smoke_heard(zone)
        elif not retain:
            self.voices[zone].discard(head)

    def smoke_heard(self, zone: str) -> None:
        """From now on the zone must be cut and stay so."""
        if zone not in self.latched:
            self.fires += 1
            self.trace.event(self.clock.now_mono_ns, "smoke", zone=zone)
        self.latched.setdefault(zone, self.clock.now_mono_ns)
        for times in (1, 2):
            self.later(times * CUT_NS, lambda: self.check_cut(zone))

    def _command(self, topic: str, payload: str) -> None:
        self.commands += 1
        if not self.broker_up:
            return
        for name in (*self.field.plugs, *self.field.relays):
            if topic in {f"cmnd/{name}/POWER", f"{name}/rpc"}:
                self._check_on(name, topic, payload)
        self.later(1_000_000, lambda: self.field.heard(topic, payload))

    # --- the oracle ---------------------------------------------------------------------------------------------------

    def _check_on(self, name: str, topic: str, payload: str) -> None:
        on = payload == "ON" or ('"Switch.Set"' in payload and '"on": true' in payload)
        outlet = self.field.plugs.get(name) or self.field.relays[name]
        if not on:
            return
        if name.endswith("-water"):
            voices = self.voices[outlet.zone]
            if len(voices) < 2 or all(voice.endswith("-call") for voice in voices):
                self.violated("water", zone=outlet.zone, voices=sorted(voices))
        elif outlet.zone in self.latched and (name in self.field.plugs or name.endswith("-k")):
            self.violated("switched_on_while_latched", outlet=name, topic=topic)

    def check_cut(self, zone: str) -> None:
        """No current flows where smoke was heard; where outlet and contactor both fail, the building was asked in twice
        the time; a plug that came back on after a brown-out has that long from then. A box that is down, or has no
        broker, is looked at when it is back."""
        if not self.box.alive or not self.broker_up or zone not in self.latched:
            return
        if self.clock.now_mono_ns - self.latched[zone] < CUT_NS:
            return
        self.checked += 1
        contactors = self.field.contactors(zone)
        beyond = any(each.welded or each.lying or each.dead for each in contactors)
        asked = self.field.relays[f"relay/{zone}-feed"].told
        late = self.clock.now_mono_ns - self.latched[zone] >= 2 * CUT_NS
        now_ns = self.clock.now_mono_ns
        powered = [name for name in self.field.powered(zone) if now_ns - self.field.plugs[name].rebooted_ns >= CUT_NS]
        if powered and not (beyond and (asked or not late)):
            self.violated("current_after_smoke", zone=zone, outlets=powered)

    def check_latches(self) -> None:
        """What was cut shows no state that lets current flow."""
        if not self.box.alive or self.box.inbox:
            return
        for zone in self.latched:
            view = self.box.views.get(f"zone/{zone}")
            if view is not None and view.state not in LATCHED:
                self.violated("latch_weakened", zone=zone, state=str(view.state))

    def violated(self, what: str, **facts: Any) -> None:
        self.trace.event(self.clock.now_mono_ns, "violation", what=what, **facts)
        raise ViolationError(f"{what}: {facts} at {self.clock.now_mono_ns / S:.3f} s; seed in {self.trace.path}")

    # --- time ---------------------------------------------------------------------------------------------------------

    def later(self, wait_ns: int, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (self.clock.now_mono_ns + wait_ns, next(self._count), act))

    def run(self, seconds: float) -> None:
        end_ns = self.clock.now_mono_ns + round(seconds * S)
        while True:
            at_ns = self._due[0][0] if self._due else end_ns
            wake_ns = self.box.due_ns()
            if wake_ns is not None and wake_ns <= min(at_ns, end_ns):
                self._pass_to(max(wake_ns, self.clock.now_mono_ns))
                self.box.wake()
                if self.box.due_ns() == wake_ns:  # it wants the very same moment again: time must go on
                    self._pass_to(self.clock.now_mono_ns + 1_000_000)
            elif at_ns < end_ns:
                self._pass_to(max(at_ns, self.clock.now_mono_ns))
                heapq.heappop(self._due)[2]()
            else:
                self._pass_to(end_ns)
                return
            self.check_latches()

    def _pass_to(self, at_ns: int) -> None:
        self.clock.advance(at_ns - self.clock.now_mono_ns)

    # --- people -------------------------------------------------------------------------------------------------------

    def command(self, body: Any, role: Role = Role.ADMIN) -> str:
        """The code of the answer ("" when the box is down)."""
        before = len(self.box.replies)
        self.box.give(Command(f"c{next(self._count)}", Actor(role, "test"), body))
        return str(self.box.replies[-1][1]) if len(self.box.replies) > before else ""

    def state(self, zone: str) -> str:
        view = self.box.views.get(f"zone/{zone}")
        return "" if view is None else str(view.state)

    def ready(self, *, charging: bool = True) -> None:
        """Heads have spoken, zones are normal, every outlet charges."""
        for head in self.field.smoke:
            self.field.tell_head(head)
        self.run(1)
        for zone in self.zones:
            if self.state(zone) != "normal":
                self.violated("not_normal", zone=zone, state=self.state(zone))
        if charging:
            for port in self.field.plugs:
                self.charge(port)
            self.run(3)

    def charge(self, port: str) -> str:
        """A resident begins to charge (a purse for each port, as if copied from the canteen just now)."""
        purses = tuple((f"m-{name}", "", 100_000) for name in self.field.plugs)
        self.command(PurseCopy(as_of_wall_ns=self.clock.now_wall_ns, purses=purses), Role.DEVICE)
        return self.command(StartSession(session_id=f"s{next(self._count)}", port=port, member=f"m-{port}"))

    def restore(self, zone: str) -> None:
        """The smoke is gone; a person resets on site, re-arms and lets charge again."""
        for head in self.field.smoke:
            if head.startswith(f"{zone}-"):
                self.field.smoke[head] = False
                self.field.tell_head(head)
        for _ in range(30):
            self.run(5)
            panel = ResetZone(zone=zone, panel=f"panel-{zone}", person="li")
            # The oracle lets go first: what follows a reset may switch on.
            since_ns = self.latched.pop(zone, None)
            code = self.command(panel, Role.PANEL)
            if code in {"ok", "not_latched"}:
                break
            if since_ns is not None:
                self.latched[zone] = since_ns
        else:
            view = self.box.views.get(f"zone/{zone}")
            self.violated("cannot_be_reset", zone=zone, blocks=str(view and view.blocks_reset))
        self.rearm(zone)

    def rearm(self, zone: str) -> None:
        for port in self.layout.port_names(zone):
            self.command(RearmPort(port=port))
            self.charge(port)
        self.run(3)

    def close(self) -> None:
        if self.box.alive:
            self.box.stop()
        shutil.rmtree(self.store_dir, ignore_errors=True)


def _memory() -> str | None:
    """A file system in memory, where there is one: the disk's own faults are another group's."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
