"""The floor's configuration file: one JSON object, checked whole, every mistake told at once (40 of them).

Keys: ``control`` (path of the control socket), ``api`` (``http://host:port``), ``tokens`` {kitchen, cashier,
terminal: {lane: token}}, ``lanes`` [{lane, protocol: feig|magicrf, link, baud?, parity?, seed?}], ``dishes``
[{dish_id, weight?}] of today's menu (``weight``: true or the usual grams for a dish priced by weight), ``plates``
[{uid, label, chips?: hf|uhf|both}], ``members`` [{token, card, label: {zh, en}}], ``per_minute``, ``diners`` (bool,
default true), ``pace`` (scales people's pauses, 1 = human), ``seed``, ``physics`` {beta_a, beta_b, dead_p,
wrong_plate_p, leak_hf_p, leak_uhf_p, capture_db, ask_percent}.

A plate's chip is HF (ISO15693) when its number is 16 hex digits beginning with e0, else UHF (an EPC); ``chips`` says
otherwise, ``both`` gives it each kind of chip that can carry its number (an HF one has 16 digits, no more).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from firmware_sim.jsonconfig import ConfigReader, read_json
from firmware_sim.program import checked_uid

FAMILIES = {"feig": "hf", "magicrf": "uhf"}
LINES = {"feig": (38_400, "E"), "magicrf": (115_200, "N")}


@dataclass(frozen=True, slots=True)
class LaneConfig:
    lane: str
    protocol: str
    link: Path
    baud: int
    parity: str
    seed: int

    @property
    def family(self) -> str:
        return FAMILIES[self.protocol]


@dataclass(frozen=True, slots=True)
class DishConfig:
    """``grams``: None for a dish sold by the portion, else the usual weight of a filling."""

    dish_id: str
    grams: int | None


@dataclass(frozen=True, slots=True)
class PlateConfig:
    uid: str
    label: str
    families: frozenset[str]


@dataclass(frozen=True, slots=True)
class MemberConfig:
    token: str
    card: str
    label: dict[str, str]


@dataclass(frozen=True, slots=True)
class Physics:
    """``wrong_plate_p``: chance that a diner's tray has a plate that the canteen cannot price. ``leak_hf_p`` and
    ``leak_uhf_p``: chance per pass that a lane of that kind hears a plate on the lane beside it (0: only while the
    fault ``leak`` is on)."""

    beta_a: float = 45.0
    beta_b: float = 5.0
    dead_p: float = 0.003
    wrong_plate_p: float = 0.05
    leak_hf_p: float = 0.0
    leak_uhf_p: float = 0.0
    capture_db: float = 6.0
    ask_percent: int = 100


@dataclass(frozen=True, slots=True)
class FloorConfig:
    control: Path
    api: str
    kitchen_token: str
    cashier_token: str
    terminal_tokens: dict[str, str]
    lanes: tuple[LaneConfig, ...]
    dishes: tuple[DishConfig, ...]
    plates: tuple[PlateConfig, ...]
    members: tuple[MemberConfig, ...]
    per_minute: int
    diners: bool
    pace: float
    seed: int
    physics: Physics


def load(path: Path) -> FloorConfig:
    """Read and check the file. Raises ``ConfigError`` naming all mistakes."""
    reader = ConfigReader()
    config = _build(reader, read_json(path))
    reader.end(str(path))
    return config


_TOP = {
    "control",
    "api",
    "tokens",
    "lanes",
    "dishes",
    "plates",
    "members",
    "per_minute",
    "diners",
    "pace",
    "seed",
    "physics",
}


def _build(reader: ConfigReader, raw: object) -> FloorConfig:
    top = reader.table(raw, "file", _TOP)
    tokens = reader.table(top.get("tokens", {}), "tokens", {"kitchen", "cashier", "terminal"})
    lanes = _lanes(reader, top)
    terminals = reader.table(tokens.get("terminal", {}), "tokens.terminal", {lane.lane for lane in lanes})
    plates = _plates(reader, top)
    for lane in lanes:
        if not any(lane.family in plate.families for plate in plates):
            reader.say(f"lane {lane.lane}", f"reads {lane.family} chips, no plate has one; add plates or chips: both")
    per_minute = reader.get(top, "per_minute", "", int, 6)
    if not 1 <= per_minute <= 60:
        reader.say("per_minute", "must be 1..60")
    pace = reader.get(top, "pace", "", float, 1.0)
    if not 0.01 <= pace <= 10:
        reader.say("pace", "must be 0.01..10")
    return FloorConfig(
        control=Path(reader.get(top, "control", "", str)),
        api=_api(reader, top),
        kitchen_token=reader.get(tokens, "kitchen", "tokens", str),
        cashier_token=reader.get(tokens, "cashier", "tokens", str),
        terminal_tokens={lane.lane: reader.get(terminals, lane.lane, "tokens.terminal", str) for lane in lanes},
        lanes=lanes,
        dishes=_dishes(reader, top),
        plates=plates,
        members=_members(reader, top),
        per_minute=per_minute,
        diners=reader.get(top, "diners", "", bool, default=True),
        pace=pace,
        seed=reader.get(top, "seed", "", int, 1),
        physics=_physics(reader, top),
    )


def _api(reader: ConfigReader, top: dict[str, object]) -> str:
    url = reader.get(top, "api", "", str).rstrip("/").removesuffix("/api/v1")
    parts = urlsplit(url)
    if url and (parts.scheme != "http" or not parts.hostname or parts.path):
        reader.say("api", f"{url!r}: give http://host:port")
    return url


def _lanes(reader: ConfigReader, top: dict[str, object]) -> tuple[LaneConfig, ...]:
    lanes = []
    known = {"lane", "protocol", "link", "baud", "parity", "seed"}
    for number, (place, row) in enumerate(reader.rows(top, "lanes", known)):
        protocol = reader.get(row, "protocol", place, str)
        if protocol not in FAMILIES:
            reader.say(f"{place}.protocol", f"{protocol!r}: give one of {', '.join(FAMILIES)}")
            continue
        baud, parity = LINES[protocol]
        lane = LaneConfig(
            lane=reader.get(row, "lane", place, str),
            protocol=protocol,
            link=Path(reader.get(row, "link", place, str)),
            baud=reader.get(row, "baud", place, int, baud),
            parity=reader.get(row, "parity", place, str, parity),
            seed=reader.get(row, "seed", place, int, number + 1),
        )
        if lane.baud <= 0 or lane.parity not in {"N", "E", "O"}:
            reader.say(place, "baud must be positive, parity one of N, E, O")
        lanes.append(lane)
    if len({lane.lane for lane in lanes}) < len(lanes) or len({lane.link for lane in lanes}) < len(lanes):
        reader.say("lanes", "two lanes share a name or a link")
    if not lanes:
        reader.say("lanes", "name at least one lane")
    return tuple(lanes)


def _dishes(reader: ConfigReader, top: dict[str, object]) -> tuple[DishConfig, ...]:
    dishes = []
    for place, row in reader.rows(top, "dishes", {"dish_id", "weight"}):
        weight = row.get("weight", False)
        if not isinstance(weight, int) or weight < 0:
            reader.say(f"{place}.weight", "give true, or the usual grams")
            weight = False
        grams = (200 if weight is True else weight) or None
        dishes.append(DishConfig(reader.get(row, "dish_id", place, str), grams))
    if not dishes:
        reader.say("dishes", "name at least one dish of today's menu")
    return tuple(dishes)


def _plates(reader: ConfigReader, top: dict[str, object]) -> tuple[PlateConfig, ...]:
    plates: dict[str, PlateConfig] = {}
    for place, row in reader.rows(top, "plates", {"uid", "label", "chips"}):
        uid = reader.get(row, "uid", place, str)
        try:
            uid = checked_uid(uid)
        except ValueError as error:
            reader.say(f"{place}.uid", str(error))
            continue
        if uid in plates:
            reader.say(f"{place}.uid", f"{uid} is there twice")
        can_be_hf = len(uid) == 16
        guess = "hf" if can_be_hf and uid.startswith("e0") else "uhf"
        chips = reader.get(row, "chips", place, str, guess)
        if chips not in {"hf", "uhf", "both"} or (chips == "hf" and not can_be_hf):
            reader.say(f"{place}.chips", "give hf (a UID of 16 hex digits), uhf or both")
        families = frozenset({"hf", "uhf"} if chips == "both" and can_be_hf else {"uhf" if chips == "both" else chips})
        plates[uid] = PlateConfig(uid, reader.get(row, "label", place, str), families)
    return tuple(plates.values())


def _members(reader: ConfigReader, top: dict[str, object]) -> tuple[MemberConfig, ...]:
    members = []
    for place, row in reader.rows(top, "members", {"token", "card", "label"}):
        words = reader.table(row.get("label", {}), f"{place}.label", {"zh", "en"})
        label = {language: reader.get(words, language, f"{place}.label", str) for language in ("zh", "en")}
        members.append(MemberConfig(reader.get(row, "token", place, str), reader.get(row, "card", place, str), label))
    return tuple(members)


def _physics(reader: ConfigReader, top: dict[str, object]) -> Physics:
    default = Physics()
    table = reader.table(top.get("physics", {}), "physics", set(Physics.__slots__))
    ask_percent = reader.get(table, "ask_percent", "physics", int, default.ask_percent)
    if ask_percent not in {10, 100}:
        reader.say("physics.ask_percent", "give 10 or 100")
    beta_a, beta_b = (reader.get(table, key, "physics", float, getattr(default, key)) for key in ("beta_a", "beta_b"))
    if beta_a <= 0 or beta_b <= 0:
        reader.say("physics", "beta_a and beta_b must be positive")
    return Physics(
        beta_a=beta_a,
        beta_b=beta_b,
        dead_p=reader.chance(table, "dead_p", default.dead_p),
        wrong_plate_p=reader.chance(table, "wrong_plate_p", default.wrong_plate_p),
        leak_hf_p=reader.chance(table, "leak_hf_p", default.leak_hf_p),
        leak_uhf_p=reader.chance(table, "leak_uhf_p", default.leak_uhf_p),
        capture_db=reader.get(table, "capture_db", "physics", float, default.capture_db),
        ask_percent=ask_percent,
    )
