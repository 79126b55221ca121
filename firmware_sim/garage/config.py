"""The simulated garage's configuration: one JSON object, checked whole, every mistake told at once.

Keys: ``control`` (path of the control socket), ``mqtt`` {host, port, user?, password?}, ``zones`` [zone], ``bays``
[{port, zone, kind: shelly|tasmota|dlt645, topic | line + address}], ``heads`` [{source, zone, kind, via:
zigbee|modbus|unit, name | board + unit + input | system + address + area? + position?}] in the order in which smoke
reaches them, ``sirens`` [Zigbee name], ``boards`` [{name, port}], ``coils`` [{output, zone, kind, board, unit, coil,
contact?, hold?}], ``lines`` [{name, port, baud}], ``unit`` {port} (the fire transmission unit dials
``mqtt.host``:port; absent: none), ``api`` and ``token`` (people begin sessions there; "" = they do not), ``cards``,
``people`` (bool), ``per_hour``, ``report_s`` (how often Zigbee heads report), ``speed`` (batteries fill so many times
faster), ``broker_pid`` (file with the process id of the broker, so that it can be restarted), ``seed``, and the access
doors of ``doorconfig``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from firmware_sim.garage.doorconfig import DoorConfig, ReaderConfig, read_doors
from firmware_sim.jsonconfig import ConfigReader, read_json

BAY_KINDS = ("shelly", "tasmota", "dlt645")
HEAD_VIAS = ("zigbee", "modbus", "unit")
HEAD_KINDS = ("smoke", "heat", "gas", "call_point", "panel_fire", "flow", "pressure", "key_switch", "door_open")
COIL_KINDS = ("contactor", "feed", "siren", "door", "water")
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class BayConfig:
    """``topic``: the plug's. ``line`` and ``address``: the bus and number of a DL/T 645 breaker."""

    port: str
    zone: str
    kind: str
    topic: str
    line: str
    address: str


@dataclass(frozen=True, slots=True)
class HeadConfig:
    source: str
    zone: str
    kind: str
    via: str
    name: str
    board: str
    unit: int
    input: int
    system: int
    address: int
    area: int
    position: int


@dataclass(frozen=True, slots=True)
class CoilConfig:
    """``contact`` < 0: no auxiliary contact. ``hold``: register of the dead-man's time, < 0 none."""

    output: str
    zone: str
    kind: str
    board: str
    unit: int
    coil: int
    contact: int
    hold: int


@dataclass(frozen=True, slots=True)
class WireConfig:
    """A TCP port with a bus (``baud`` > 0) or a relay board behind it."""

    name: str
    port: int
    baud: int


@dataclass(frozen=True, slots=True)
class GarageConfig:
    control: Path
    mqtt_host: str
    mqtt_port: int
    mqtt_user: str
    mqtt_password: str
    zones: tuple[str, ...]
    bays: tuple[BayConfig, ...]
    heads: tuple[HeadConfig, ...]
    sirens: tuple[str, ...]
    boards: tuple[WireConfig, ...]
    coils: tuple[CoilConfig, ...]
    lines: tuple[WireConfig, ...]
    unit_port: int
    api: str
    token: str
    cards: tuple[str, ...]
    people: bool
    per_hour: int
    report_s: float
    speed: float
    broker_pid: Path | None
    seed: int
    readers: tuple[ReaderConfig, ...] = ()
    doors: tuple[DoorConfig, ...] = ()


_TOP = {
    "control", "mqtt", "zones", "bays", "heads", "sirens", "boards", "coils", "lines", "unit", "api", "token", "cards",
    "people", "per_hour", "report_s", "speed", "broker_pid", "seed", "readers", "doors",
}  # fmt: skip


def load(path: Path) -> GarageConfig:
    """Read and check the file. Raises ``ConfigError`` naming all mistakes."""
    return parse(read_json(path), str(path))


def parse(raw: object, where: str = "garage") -> GarageConfig:
    """Check a configuration that was read already."""
    reader = ConfigReader()
    config = _build(reader, raw)
    _check(reader, config)
    reader.end(where)
    return config


def _build(reader: ConfigReader, raw: object) -> GarageConfig:
    top = reader.table(raw, "file", _TOP)
    mqtt = reader.table(top.get("mqtt", {}), "mqtt", {"host", "port", "user", "password"})
    unit = reader.table(top.get("unit", {}), "unit", {"port"})
    pid = reader.get(top, "broker_pid", "", str, "")
    readers, doors = read_doors(reader, top)
    return GarageConfig(
        control=Path(reader.get(top, "control", "", str)),
        mqtt_host=reader.get(mqtt, "host", "mqtt", str, HOST),
        mqtt_port=_port(reader, mqtt, "mqtt"),
        mqtt_user=reader.get(mqtt, "user", "mqtt", str, ""),
        mqtt_password=reader.get(mqtt, "password", "mqtt", str, ""),
        zones=_words(reader, top, "zones"),
        bays=tuple(_bay(reader, place, row) for place, row in reader.rows(top, "bays", set(BayConfig.__slots__))),
        heads=tuple(_head(reader, place, row) for place, row in reader.rows(top, "heads", set(HeadConfig.__slots__))),
        sirens=_words(reader, top, "sirens"),
        boards=_wires(reader, top, "boards"),
        coils=tuple(_coil(reader, place, row) for place, row in reader.rows(top, "coils", set(CoilConfig.__slots__))),
        lines=_wires(reader, top, "lines"),
        unit_port=_port(reader, unit, "unit") if unit else 0,
        api=reader.get(top, "api", "", str, ""),
        token=reader.get(top, "token", "", str, ""),
        cards=_words(reader, top, "cards"),
        people=reader.get(top, "people", "", bool, default=False),
        per_hour=_between(reader, top, "per_hour", 60, 3600),
        report_s=_positive(reader, top, "report_s", 10.0),
        speed=_positive(reader, top, "speed", 1.0),
        broker_pid=Path(pid) if pid else None,
        seed=reader.get(top, "seed", "", int, 1),
        readers=readers,
        doors=doors,
    )


def _bay(reader: ConfigReader, place: str, row: dict[str, object]) -> BayConfig:
    kind = _choice(reader, row, "kind", place, BAY_KINDS)
    wired = kind == "dlt645"
    return BayConfig(
        port=reader.get(row, "port", place, str),
        zone=reader.get(row, "zone", place, str),
        kind=kind,
        topic=reader.get(row, "topic", place, str, "" if wired else None),
        line=reader.get(row, "line", place, str, None if wired else ""),
        address=reader.get(row, "address", place, str, None if wired else ""),
    )


def _head(reader: ConfigReader, place: str, row: dict[str, object]) -> HeadConfig:
    via = _choice(reader, row, "via", place, HEAD_VIAS)
    return HeadConfig(
        source=reader.get(row, "source", place, str),
        zone=reader.get(row, "zone", place, str),
        kind=_choice(reader, row, "kind", place, HEAD_KINDS),
        via=via,
        name=reader.get(row, "name", place, str, None if via == "zigbee" else ""),
        board=reader.get(row, "board", place, str, None if via == "modbus" else ""),
        unit=reader.get(row, "unit", place, int, 1),
        input=reader.get(row, "input", place, int, None if via == "modbus" else -1),
        system=reader.get(row, "system", place, int, None if via == "unit" else -1),
        address=reader.get(row, "address", place, int, None if via == "unit" else -1),
        area=reader.get(row, "area", place, int, -1),
        position=reader.get(row, "position", place, int, -1),
    )


def _coil(reader: ConfigReader, place: str, row: dict[str, object]) -> CoilConfig:
    return CoilConfig(
        output=reader.get(row, "output", place, str),
        zone=reader.get(row, "zone", place, str),
        kind=_choice(reader, row, "kind", place, COIL_KINDS),
        board=reader.get(row, "board", place, str),
        unit=reader.get(row, "unit", place, int, 1),
        coil=reader.get(row, "coil", place, int),
        contact=reader.get(row, "contact", place, int, -1),
        hold=reader.get(row, "hold", place, int, -1),
    )


def _wires(reader: ConfigReader, top: dict[str, object], key: str) -> tuple[WireConfig, ...]:
    return tuple(
        WireConfig(
            name=reader.get(row, "name", place, str),
            port=_port(reader, row, place),
            baud=reader.get(row, "baud", place, int, 0),
        )
        for place, row in reader.rows(top, key, set(WireConfig.__slots__))
    )


def _check(reader: ConfigReader, config: GarageConfig) -> None:
    """What must fit together."""
    boards = {each.name for each in config.boards}
    lines = {each.name for each in config.lines}
    for name, zone in (
        *((bay.port, bay.zone) for bay in config.bays),
        *((head.source, head.zone) for head in config.heads),
        *((coil.output, coil.zone) for coil in config.coils),
        *((door.door, door.zone) for door in config.doors),
    ):
        if zone not in config.zones:
            reader.say(name, f"zone {zone!r} is none of {', '.join(config.zones)}")
    for head in config.heads:
        if head.via == "modbus" and head.board not in boards:
            reader.say(head.source, f"board {head.board!r} is none of {', '.join(sorted(boards))}")
    for coil in config.coils:
        if coil.board not in boards:
            reader.say(coil.output, f"board {coil.board!r} is none of {', '.join(sorted(boards))}")
    for bay in config.bays:
        if bay.kind == "dlt645" and (bay.line not in lines or len(bay.address) != 12 or not bay.address.isdigit()):
            reader.say(bay.port, "give a line of lines and an address of 12 digits")
    for kind, names in (
        ("bays", [bay.port for bay in config.bays]),
        ("heads", [head.source for head in config.heads]),
        ("coils", [coil.output for coil in config.coils]),
        ("zones", list(config.zones)),
    ):
        if len(set(names)) < len(names):
            reader.say(kind, "two have the same name")


def _words(reader: ConfigReader, top: dict[str, object], key: str) -> tuple[str, ...]:
    value = top.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        reader.say(key, "must be a list of texts")
        return ()
    return tuple(value)


def _choice(reader: ConfigReader, row: dict[str, object], key: str, place: str, allowed: tuple[str, ...]) -> str:
    word = reader.get(row, key, place, str)
    if word not in allowed:
        reader.say(f"{place}.{key}", f"{word!r}: give one of {', '.join(allowed)}")
    return word


def _port(reader: ConfigReader, row: dict[str, object], place: str) -> int:
    number = reader.get(row, "port", place, int)
    if not 0 <= number <= 65_535:
        reader.say(f"{place}.port", "must be 0..65535")
    return number


def _between(reader: ConfigReader, top: dict[str, object], key: str, default: int, highest: int) -> int:
    number = reader.get(top, key, "", int, default)
    if not 1 <= number <= highest:
        reader.say(key, f"must be 1..{highest}")
    return number


def _positive(reader: ConfigReader, top: dict[str, object], key: str, default: float) -> float:
    number = reader.get(top, key, "", float, default)
    if not 0.01 <= number <= 10_000:
        reader.say(key, "must be 0.01..10000")
    return number
