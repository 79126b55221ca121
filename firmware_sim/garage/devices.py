"""The devices of the simulated garage, wired to its building: who is fed from where, whose contact is whose copper.

The devices themselves are those of ``firmware_sim.zigbee2mqtt``, ``shelly``, ``tasmota``, ``modbus``, ``dlt645`` and
``gb26875``; here is only how they hang together.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from firmware_sim.dlt645 import Meter, MeterBus
from firmware_sim.garage.building import SMELLS, Bay, Building, Contactor, Head, Zone
from firmware_sim.garage.config import BayConfig, CoilConfig, GarageConfig
from firmware_sim.garage.doors import Doorway
from firmware_sim.garage.tcpport import TcpPort
from firmware_sim.garage.unit import TransmissionUnit
from firmware_sim.line import LineSettings
from firmware_sim.modbus import Board, BoardBus
from firmware_sim.mqttdevice import MqttDevice
from firmware_sim.osdp.reader import Door, ReaderBus
from firmware_sim.outlet import Outlet
from firmware_sim.shelly import ShellyPlug
from firmware_sim.tasmota import TasmotaPlug
from firmware_sim.zigbee2mqtt import Bridge, Detector, Siren, Thing

#: Wire time of a board behind TCP: none that matters.
ETHERNET = LineSettings(10_000_000, "N")
#: Seconds from the opened pre-action valve until the pressure switch, and the flow switch, make contact.
WATER_S = {"pressure": 0.6, "flow": 1.8}
#: What a Zigbee head calls its alarm.
ZIGBEE_KEYS = {"smoke": "smoke", "heat": "heat", "gas": "gas", "call_point": "sos"}


@dataclass(slots=True)
class Relay:
    """One coil of a board: ``board`` and number; what its contactor's copper does is in the board."""

    config: CoilConfig
    board: Board

    @property
    def on(self) -> bool:
        return self.board.coils[self.config.coil]

    @property
    def copper(self) -> bool:
        """Whether what hangs on the coil is really on."""
        contact = self.config.contact
        return self.board.inputs[contact] if contact >= 0 else self.on

    def weld(self) -> None:
        """The contactor never opens again; its auxiliary contact tells so."""
        self.board.welded.add(self.config.coil)

    def lie(self) -> None:
        """The coil confirms what it is told, and the contactor stays as it is."""
        self.board.lying.add(self.config.coil)

    def mend(self) -> None:
        """It follows its coil again."""
        self.board.welded.discard(self.config.coil)
        self.board.lying.discard(self.config.coil)
        if self.config.contact >= 0:
            self.board.inputs[self.config.contact] = self.on


@dataclass(slots=True)
class Devices:
    """All devices by name, and the building behind them."""

    building: Building
    bridge: Bridge
    plugs: dict[str, ShellyPlug | TasmotaPlug] = field(default_factory=dict)
    meters: dict[str, Meter] = field(default_factory=dict)
    boards: dict[tuple[str, int], Board] = field(default_factory=dict)
    relays: dict[str, Relay] = field(default_factory=dict)
    wires: dict[str, TcpPort] = field(default_factory=dict)
    inputs: dict[str, Callable[[bool], None]] = field(default_factory=dict)
    zigbee: dict[str, str] = field(default_factory=dict)
    doors: dict[str, Doorway] = field(default_factory=dict)
    unit: TransmissionUnit | None = None
    cut_off: set[str] = field(default_factory=set)
    _water_s: dict[str, float] = field(default_factory=dict)

    @property
    def mqtt(self) -> list[MqttDevice]:
        return [self.bridge, *self.plugs.values()]

    def told(self, head: Head) -> None:
        """A head has changed its word: its device says so (the panel's heads are told by the unit)."""
        if head.source in self.zigbee:
            name = self.zigbee[head.source]
            thing = self.bridge.things[name]
            assert isinstance(thing, Detector)
            thing.alarm = head.alarm
            self.bridge.now_ns = max(self.bridge.now_ns, time.monotonic_ns())
            self.bridge.tell(name, thing.key)
        elif head.source in self.inputs:
            self.inputs[head.source](head.alarm)

    def step(self, seconds: float) -> None:
        """Follow the copper: feeds that were tripped, plugs that lost their mains, water that flows."""
        for relay in self.relays.values():
            zone = self.building.zones[relay.config.zone]
            if relay.config.kind == "feed" and relay.on:
                zone.fed = False  # a tripped breaker stays open until a person closes it
            elif relay.config.kind == "water":
                self._flow(relay, seconds)
        for port, plug in self.plugs.items():
            dark = not self.building.zones[self.building.bays[port].zone].live or port in self.cut_off
            if plug.way.dark and not dark:
                plug.now_ns = time.monotonic_ns()
                plug.reboot()
            plug.way.dark = dark

    def _flow(self, relay: Relay, seconds: float) -> None:
        zone = relay.config.zone
        since_s = self._water_s[zone] = self._water_s.get(zone, 0.0) + seconds if relay.on else 0.0
        for head in self.building.heads.values():
            if head.zone == zone and head.kind in WATER_S:
                head.forced = relay.on and since_s >= WATER_S[head.kind]


def build(config: GarageConfig) -> Devices:
    """Everything that ``config`` names, contactors closed, plugs off, air clean."""
    zones = [Zone(zone) for zone in config.zones]
    building = Building(zones, config.seed, config.speed)
    things: list[Thing] = [Siren(name, report_s=config.report_s) for name in config.sirens]
    orders: dict[str, int] = {}
    for head in config.heads:
        smells = head.kind in SMELLS
        order = orders.get(head.zone, 0)
        orders[head.zone] = order + smells
        building.heads[head.source] = Head(head.source, head.zone, head.kind, float(order))
        if head.via == "zigbee":
            key = ZIGBEE_KEYS.get(head.kind, head.kind)
            things.append(Detector(head.name, report_s=config.report_s, key=key))
    devices = Devices(building, Bridge(things, seed=config.seed))
    _boards(devices, config)
    for number, bay in enumerate(config.bays):
        _bay(devices, bay, number, config.seed)
    _lines(devices, config)
    _heads(devices, config)
    _doors(devices, config)
    watched = [head for head in config.heads if head.via == "unit"]
    if watched:
        devices.unit = TransmissionUnit(watched, building)
    return devices


def _boards(devices: Devices, config: GarageConfig) -> None:
    for coil in config.coils:
        board = devices.boards.setdefault((coil.board, coil.unit), Board(unit=coil.unit, watched=frozenset()))
        relay = devices.relays[coil.output] = Relay(coil, board)
        if coil.contact >= 0:
            board.contacts[coil.coil] = coil.contact
        if coil.hold >= 0:
            board.watchdog_register = coil.hold
            board.watched = (board.watched or frozenset()) | {coil.coil}
        if coil.kind == "contactor":
            board.coils[coil.coil] = True
            if coil.contact >= 0:
                board.inputs[coil.contact] = True
            closed = Contactor(coil.output, lambda relay=relay: relay.copper)  # type: ignore[misc]  # bound now
            devices.building.zones[coil.zone].contactors.append(closed)
    for head in config.heads:
        if head.via == "modbus":
            devices.boards.setdefault((head.board, head.unit), Board(unit=head.unit, watched=frozenset()))
    for wire in config.boards:
        boards = {str(unit): board for (name, unit), board in devices.boards.items() if name == wire.name}
        bus = BoardBus(boards, seed=config.seed, line=ETHERNET, tcp=True)
        devices.wires[wire.name] = TcpPort(bus, "127.0.0.1", wire.port)


def _bay(devices: Devices, bay: BayConfig, number: int, seed: int) -> None:
    if bay.kind == "dlt645":
        meter = devices.meters[bay.port] = Meter(bay.address, closed=False)

        def weigh(watts: float) -> None:
            meter.run_to(time.monotonic_ns())
            meter.load_w = watts

        devices.building.bays[bay.port] = Bay(bay.port, bay.zone, meter, weigh)
        return
    outlet = Outlet(seed=seed * 1000 + number)
    number += seed * 1000
    shelly = bay.kind == "shelly"
    plug = ShellyPlug(bay.topic, [outlet], seed=number) if shelly else TasmotaPlug(bay.topic, [outlet], seed=number)
    devices.plugs[bay.port] = plug
    devices.building.bays[bay.port] = Bay(
        bay.port, bay.zone, outlet, lambda watts: outlet.plug(time.monotonic_ns(), watts)
    )


def _lines(devices: Devices, config: GarageConfig) -> None:
    for line in config.lines:
        meters = {bay.port: devices.meters[bay.port] for bay in config.bays if bay.line == line.name}
        bus = MeterBus(meters, seed=config.seed, line=LineSettings(line.baud or 2400, "E"))
        devices.wires[line.name] = TcpPort(bus, "127.0.0.1", line.port)


def _heads(devices: Devices, config: GarageConfig) -> None:
    for head in config.heads:
        if head.via == "zigbee":
            devices.zigbee[head.source] = head.name
        elif head.via == "modbus":
            board = devices.boards[head.board, head.unit]

            def set_input(value: bool, board: Board = board, at: int = head.input) -> None:  # noqa: FBT001 - the value
                board.inputs[at] = value

            devices.inputs[head.source] = set_input


def _doors(devices: Devices, config: GarageConfig) -> None:
    for line in config.readers:
        doors = [door for door in config.doors if door.line == line.name]
        readers = {door.address: Door(key=line.key, strict=True) for door in doors}
        bus = ReaderBus(readers, seed=config.seed, line=LineSettings(line.baud, "N"))
        devices.wires[line.name] = TcpPort(bus, "127.0.0.1", line.port)
        for door in doors:
            devices.doors[door.door] = Doorway(door, bus, readers[door.address])
