"""The devices of the simulated gym, wired together: gateways with what they are connected to, consoles and card readers
behind TCP ports, posts and strength machines at the broker.

A Bluetooth gateway hangs in each room and holds the machines, straps, cuff and scale of that room.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from firmware_sim.ble_gateway import BleGateway
from firmware_sim.csafe import Console, CsafePort
from firmware_sim.exercise import Exercise
from firmware_sim.ftms import FtmsMachine
from firmware_sim.garage.doors import wiegand
from firmware_sim.garage.tcpport import TcpPort
from firmware_sim.gym.config import GymConfig
from firmware_sim.gym.station import Station
from firmware_sim.gym.things import DeskConfig, MachineConfig
from firmware_sim.health import Cuff, Scale
from firmware_sim.heart_rate import Strap
from firmware_sim.line import LineSettings
from firmware_sim.mqttdevice import MqttDevice
from firmware_sim.osdp.reader import Door, ReaderBus
from firmware_sim.peripheral import Peripheral
from firmware_sim.strength import StrengthMachine
from firmware_sim.trail_gates import TrailPost

#: A course of a micro-circulation machine.
COURSE_S = 180.0
SETS, REPS = 2, 10
HOST = "127.0.0.1"


@dataclass(slots=True)
class Desk:
    """A measuring desk; ``busy`` while somebody sits at it."""

    config: DeskConfig
    cuff: Cuff
    scale: Scale | None
    busy: bool = False


@dataclass(slots=True)
class Hall:
    """All devices by name. ``clock`` tells the simulated time, ns."""

    config: GymConfig
    clock: Callable[[], int] = time.monotonic_ns
    unix_ms: int = 0
    stations: dict[str, Station] = field(default_factory=dict)
    gateways: dict[str, BleGateway] = field(default_factory=dict)
    ports: dict[str, CsafePort] = field(default_factory=dict)
    readers: dict[str, ReaderBus] = field(default_factory=dict)
    wires: dict[str, TcpPort] = field(default_factory=dict)
    desks: dict[str, Desk] = field(default_factory=dict)
    posts: dict[str, TrailPost] = field(default_factory=dict)

    @property
    def mqtt(self) -> list[MqttDevice]:
        """All that speaks at the broker."""
        bodies = [station.body for station in self.stations.values()]
        strength = [body for body in bodies if isinstance(body, StrengthMachine)]
        return [*self.gateways.values(), *self.posts.values(), *strength]

    def desk_of(self, zone: str) -> Desk | None:
        """Where visitors of a room are measured."""
        return next((desk for desk in self.desks.values() if desk.config.zone == zone), None)

    def tap(self, line: str, address: int, card: str) -> None:
        """A card is shown to a reader."""
        self.readers[line].present(address, wiegand(card))

    def buzzing(self) -> list[tuple[str, int]]:
        """Readers whose buzzer sounds: (line, address)."""
        return [
            (name, address)
            for name, bus in self.readers.items()
            for address, door in bus.doors.items()
            if door.buzzing
        ]  # fmt: skip

    def step(self, seconds: float) -> None:
        """Let the ordered pulses move."""
        for station in self.stations.values():
            station.step(seconds)

    def unplug_gateway(self, zone: str) -> None:
        """The gateway of a room is without power."""
        self.gateways[zone].way.dark = True

    def plug_gateway(self, zone: str) -> None:
        gateway = self.gateways[zone]
        if gateway.way.dark:
            gateway.plug_in(self.clock())
            gateway.way.dark = False


def build(config: GymConfig, clock: Callable[[], int] = time.monotonic_ns, unix_ms: int | None = None) -> Hall:
    """Everything that ``config`` names, nobody there. ``unix_ms`` is the wall clock now (default: the machine's)."""
    hall = Hall(config, clock, time.time_ns() // 1_000_000 if unix_ms is None else unix_ms)
    held: dict[str, dict[str, Peripheral]] = {}
    for number, machine in enumerate(config.machines):
        station = hall.stations[machine.asset] = _station(hall, machine, number)
        for place, strap in zip(machine.straps, station.straps, strict=True):
            held.setdefault(_room(place), {})[place] = strap
        if isinstance(station.body, FtmsMachine):
            held.setdefault(_room(machine.place), {})[machine.place] = station.body
    for desk in config.desks:
        cuff, scale = Cuff(), Scale() if desk.scale else None
        hall.desks[desk.desk] = Desk(desk, cuff, scale)
        held.setdefault(_room(desk.cuff), {})[desk.cuff] = cuff
        if scale is not None:
            held.setdefault(_room(desk.scale), {})[desk.scale] = scale
    for number, (room, things) in enumerate(held.items()):
        seed = config.seed * 100 + number
        hall.gateways[room] = BleGateway(things, site=config.site, seed=seed, unix_ms=hall.unix_ms)
    for trail in config.trails:
        for gate in trail.gates:
            hall.posts[gate.place] = _post(hall, gate.place)
    _wires(hall)
    return hall


def _room(place: str) -> str:
    return place.partition("/")[0]


def _post(hall: Hall, place: str) -> TrailPost:
    seed = hall.config.seed * 100 + len(hall.posts)
    return TrailPost(place, site=hall.config.site, seed=seed, unix_ms=hall.unix_ms)


def _station(hall: Hall, machine: MachineConfig, number: int) -> Station:
    config = hall.config
    if machine.via == "strength":
        course_s = COURSE_S if machine.kind == "circulation" else 0.0
        reps = 0 if course_s else REPS
        sets = 1 if course_s else SETS
        seed = config.seed * 100 + number
        return Station(
            machine,
            StrengthMachine(machine.place, site=config.site, sets=sets, reps=reps, course_s=course_s, seed=seed),
        )
    if machine.via == "count":
        post = hall.posts[machine.place] = _post(hall, machine.place)
        return Station(machine, post)
    exercise = Exercise(machine.kind, lies=machine.lies)
    body = Console(exercise) if machine.via == "csafe" else FtmsMachine(exercise)
    straps = [Strap(exercise, worn=False) for _ in machine.straps]
    return Station(machine, body, exercise, straps)


def _wires(hall: Hall) -> None:
    consoles = {each.config.place: each.body for each in hall.stations.values() if isinstance(each.body, Console)}
    for number, wire in enumerate(hall.config.consoles):
        if wire.name in consoles:
            port = hall.ports[wire.name] = CsafePort(consoles[wire.name], seed=hall.config.seed + number)
            hall.wires[wire.name] = TcpPort(port, HOST, wire.port)
    for line in hall.config.readers:
        doors = {address: Door(key=line.key, strict=True) for address in line.addresses}
        bus = hall.readers[line.name] = ReaderBus(doors, seed=hall.config.seed, line=LineSettings(line.baud))
        hall.wires[line.name] = TcpPort(bus, HOST, line.port)
