"""The simulated gym's configuration: one JSON object, checked whole, every mistake told at once.

Keys: ``control`` (path of the control socket), ``site`` (first level of the topics), ``mqtt`` {host, port, user?,
password?}, ``machines`` [{asset, zone, kind, via: ble|csafe|strength|count, place, straps?, reader? + address?}] where
``place`` is ``<zone>/<asset>`` of a topic or the name of a console, ``consoles`` [{name, port}], ``readers`` [{name,
port, baud, key, addresses}], ``desks`` [{desk, zone, reader, address, cuff, scale?, buzzer?}], ``trails`` [{trail,
length_m, gates: [{place, at_m}]}], ``persons`` [{person, card, birth_year?, rest_bpm?, ceiling_bpm?, max_bpm?,
beta_blocker?}], ``api`` and ``token`` (a coach writes the prescriptions down there; "" = nobody does), ``people``
(bool), ``per_hour``, ``broker_pid``, ``seed``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from firmware_sim.exercise import KINDS
from firmware_sim.gym.things import (
    ConsoleConfig,
    DeskConfig,
    GateConfig,
    MachineConfig,
    PersonConfig,
    ReaderConfig,
    TrailConfig,
)
from firmware_sim.jsonconfig import ConfigReader, read_json

VIAS = ("ble", "csafe", "strength", "count")
KEY_BYTES = 16
HOST = "127.0.0.1"
LISTS = ("machines", "consoles", "readers", "desks", "trails", "persons")


@dataclass(frozen=True, slots=True)
class GymConfig:
    control: Path
    site: str
    mqtt_host: str
    mqtt_port: int
    mqtt_user: str
    mqtt_password: str
    machines: tuple[MachineConfig, ...]
    consoles: tuple[ConsoleConfig, ...]
    readers: tuple[ReaderConfig, ...]
    desks: tuple[DeskConfig, ...]
    trails: tuple[TrailConfig, ...]
    persons: tuple[PersonConfig, ...]
    api: str
    token: str
    people: bool
    per_hour: int
    broker_pid: Path | None
    seed: int


_TOP = {
    "control", "site", "mqtt", "machines", "consoles", "readers", "desks", "trails", "persons", "api", "token",
    "people", "per_hour", "broker_pid", "seed",
}  # fmt: skip


def load(path: Path) -> GymConfig:
    """Read and check the file. Raises ``ConfigError`` naming all mistakes."""
    return parse(read_json(path), str(path))


def parse(raw: object, where: str = "gym") -> GymConfig:
    """Check a configuration that was read already."""
    reader = ConfigReader()
    config = _build(reader, raw)
    _check(reader, config)
    reader.end(where)
    return config


def _build(reader: ConfigReader, raw: object) -> GymConfig:
    lists: dict[str, object] = {key: [] for key in LISTS}
    top = {**lists, **reader.table(raw, "file", _TOP)}
    mqtt = reader.table(top.get("mqtt", {}), "mqtt", {"host", "port", "user", "password"})
    pid = reader.get(top, "broker_pid", "", str, "")
    return GymConfig(
        control=Path(reader.get(top, "control", "", str)),
        site=reader.get(top, "site", "", str, "park"),
        mqtt_host=reader.get(mqtt, "host", "mqtt", str, HOST),
        mqtt_port=_between(reader, mqtt, "port", "mqtt", 0, 65_535),
        mqtt_user=reader.get(mqtt, "user", "mqtt", str, ""),
        mqtt_password=reader.get(mqtt, "password", "mqtt", str, ""),
        machines=tuple(_machine(reader, *row) for row in reader.rows(top, "machines", set(MachineConfig.__slots__))),
        consoles=tuple(
            ConsoleConfig(reader.get(row, "name", place, str), _between(reader, row, "port", place, 0, 65_535))
            for place, row in reader.rows(top, "consoles", set(ConsoleConfig.__slots__))
        ),
        readers=tuple(_reader(reader, *row) for row in reader.rows(top, "readers", set(ReaderConfig.__slots__))),
        desks=tuple(_desk(reader, *row) for row in reader.rows(top, "desks", set(DeskConfig.__slots__))),
        trails=tuple(_trail(reader, *row) for row in reader.rows(top, "trails", set(TrailConfig.__slots__))),
        persons=tuple(_person(reader, *row) for row in reader.rows(top, "persons", set(PersonConfig.__slots__))),
        api=reader.get(top, "api", "", str, ""),
        token=reader.get(top, "token", "", str, ""),
        people=reader.get(top, "people", "", bool, default=False),
        per_hour=_between(reader, top, "per_hour", "", 1, 3600, 90),
        broker_pid=Path(pid) if pid else None,
        seed=reader.get(top, "seed", "", int, 1),
    )


def _machine(reader: ConfigReader, place: str, row: dict[str, object]) -> MachineConfig:
    via, kind = reader.get(row, "via", place, str), reader.get(row, "kind", place, str)
    if via not in VIAS:
        reader.say(f"{place}.via", f"{via!r}: give one of {', '.join(VIAS)}")
    if via in {"ble", "csafe"} and kind not in KINDS:
        reader.say(f"{place}.kind", f"{kind!r}: give one of {', '.join(KINDS)}")
    return MachineConfig(
        asset=reader.get(row, "asset", place, str),
        zone=reader.get(row, "zone", place, str),
        kind=kind,
        via=via,
        place=reader.get(row, "place", place, str),
        straps=_words(reader, row, "straps", place),
        lies=reader.get(row, "lies", place, bool, default=False),
        reader=reader.get(row, "reader", place, str, ""),
        address=reader.get(row, "address", place, int, -1),
    )


def _reader(reader: ConfigReader, place: str, row: dict[str, object]) -> ReaderConfig:
    try:
        key = bytes.fromhex(reader.get(row, "key", place, str))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        reader.say(f"{place}.key", "give 32 hex digits")
    addresses = row.get("addresses", [])
    if not isinstance(addresses, list) or any(not isinstance(one, int) or not 0 <= one <= 126 for one in addresses):
        reader.say(f"{place}.addresses", "must be a list of numbers 0..126")
        addresses = []
    return ReaderConfig(
        name=reader.get(row, "name", place, str),
        port=_between(reader, row, "port", place, 0, 65_535),
        baud=_between(reader, row, "baud", place, 1200, 115_200, 9600),
        key=key,
        addresses=tuple(addresses),
    )


def _desk(reader: ConfigReader, place: str, row: dict[str, object]) -> DeskConfig:
    return DeskConfig(
        desk=reader.get(row, "desk", place, str),
        zone=reader.get(row, "zone", place, str),
        reader=reader.get(row, "reader", place, str),
        address=_between(reader, row, "address", place, 0, 126),
        cuff=reader.get(row, "cuff", place, str),
        scale=reader.get(row, "scale", place, str, ""),
    )


def _trail(reader: ConfigReader, place: str, row: dict[str, object]) -> TrailConfig:
    gates = tuple(
        GateConfig(reader.get(gate, "place", where, str), _between(reader, gate, "at_m", where, 0, 100_000))
        for where, gate in reader.rows(row, "gates", set(GateConfig.__slots__))
    )
    length_m = _between(reader, row, "length_m", place, 50, 100_000)
    metres = [gate.at_m for gate in gates]
    if not gates or metres != sorted(set(metres)) or metres[-1] >= length_m:
        reader.say(f"{place}.gates", "give gates with at_m rising and below length_m")
    return TrailConfig(reader.get(row, "trail", place, str), length_m, gates)


def _person(reader: ConfigReader, place: str, row: dict[str, object]) -> PersonConfig:
    return PersonConfig(
        person=reader.get(row, "person", place, str),
        card=reader.get(row, "card", place, str),
        birth_year=_between(reader, row, "birth_year", place, 0, 2100, 0),
        rest_bpm=_between(reader, row, "rest_bpm", place, 0, 130, 0),
        ceiling_bpm=_between(reader, row, "ceiling_bpm", place, 0, 220, 0),
        max_bpm=_between(reader, row, "max_bpm", place, 0, 230, 0),
        beta_blocker=reader.get(row, "beta_blocker", place, bool, default=False),
    )


def _check(reader: ConfigReader, config: GymConfig) -> None:
    """What must fit together."""
    consoles = {each.name for each in config.consoles}
    lines = {each.name: each.addresses for each in config.readers}
    for machine in config.machines:
        if machine.via == "csafe" and machine.place not in consoles:
            reader.say(machine.asset, f"console {machine.place!r} is none of {', '.join(sorted(consoles))}")
        if machine.via != "csafe" and machine.place.count("/") != 1:
            reader.say(machine.asset, f"place {machine.place!r} must be <zone>/<asset>")
    taps = [(one.asset, one.reader, one.address) for one in config.machines if one.reader]
    taps += [(one.desk, one.reader, one.address) for one in config.desks]
    for name, line, address in taps:
        if address not in lines.get(line, ()):
            reader.say(name, f"there is no reader {address} on line {line!r}")
    for what, names in (
        ("machines", [one.asset for one in config.machines]),
        ("persons", [one.person for one in config.persons]),
        ("cards", [one.card for one in config.persons]),
        ("places", [one.place for one in config.machines]),
    ):
        if len(set(names)) < len(names):
            reader.say(what, "two have the same name")


def _words(reader: ConfigReader, row: dict[str, object], key: str, place: str) -> tuple[str, ...]:
    value = row.get(key, [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        reader.say(f"{place}.{key}", "must be a list of texts")
        return ()
    return tuple(value)


def _between(
    reader: ConfigReader,
    row: dict[str, object],
    key: str,
    place: str,
    lowest: int,
    highest: int,
    default: int | None = None,
) -> int:
    number = reader.get(row, key, place, int, default)
    if not lowest <= number <= highest:
        reader.say(f"{place}.{key}".lstrip("."), f"must be {lowest}..{highest}")
    return number
