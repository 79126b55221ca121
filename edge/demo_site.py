"""The demo's folder: a copy of the example site whose readers are pseudo-terminals, and the simulated floor's settings.

The site file is read as TOML, changed as data and written anew; the tables of the canteen are copied as they are. A
user would notice a mistake here as a demo that touches a real reader, or as one that shows another canteen than the
example.
"""

from __future__ import annotations

import json
import secrets
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from drivers.links.url import SerialUrl, parse_link_url
from edge.api.account_types import AccountProblem
from edge.api.accounts import Accounts
from edge.api.pins import MIN_DIGITS
from edge.demo_garage import GarageFolder, demo_garage
from edge.demo_gym import GymFolder, demo_gym, open_all_day
from edge.domain.actors import Role
from edge.domain.canteen.settings import DishCard, MemberEntry, PricedBy
from edge.site import Site, load_site

MAX_LANES = 4
PERSON = "demo"
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """What lies in the demo's temporary folder."""

    root: Path

    @property
    def site(self) -> Path:
        return self.root / "site"

    @property
    def control(self) -> Path:
        return self.root / "floor.sock"

    @property
    def floor_file(self) -> Path:
        return self.root / "floor.json"

    @property
    def accounts_file(self) -> Path:
        return self.site / "data" / "api.db"

    def link(self, lane: int) -> Path:
        """The symbolic link to the pseudo-terminal of a lane (counted from 1)."""
        return self.root / f"reader-{lane}"


def inline_toml(value: Any) -> str:
    """A TOML value on one line. Strings are JSON strings, which TOML reads the same way."""
    match value:
        case Mapping():
            return "{" + ", ".join(f"{json.dumps(key)} = {inline_toml(item)}" for key, item in value.items()) + "}"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Sequence():
            return "[" + ", ".join(inline_toml(item) for item in value) + "]"
        case bool() | int() | float():
            return json.dumps(value)
        case _:
            raise TypeError(f"no TOML for {value!r}")


def demo_site_file(
    example: Mapping[str, Any],
    folder: DemoFolder,
    lanes: int,
    port: int,
    wires: GarageFolder | None,
    gym: GymFolder | None = None,
) -> dict[str, Any]:
    """The example's site file with simulated readers. Lanes beyond those of the example repeat its kinds of reader.
    ``wires`` None: without the garage; ``gym`` None: without the gym."""
    canteen = dict(example["canteen"])
    own_lanes, devices = canteen["lanes"], {each["device"]: each for each in canteen["devices"]}
    canteen["lanes"], canteen["devices"] = [], []
    for number in range(1, lanes + 1):
        lane = own_lanes[(number - 1) % len(own_lanes)]
        device = dict(devices[lane["device"]])
        query = device["link"].partition("?")[2]
        name = f"reader-{number}"
        device |= {"device": name, "link": f"serial://{folder.link(number)}?{query}"}
        title = {"zh": f"{number} 号结算台", "en": f"Checkout {number}"}
        canteen["lanes"].append(lane | {"lane": str(number), "name": title, "device": name})
        canteen["devices"].append(device)
    left_out = {name for name, simulated in (("garage", wires), ("gym", gym)) if simulated is None}
    return {
        **{key: value for key, value in example.items() if key not in {"data_dir", "run_dir", "garage", "gym"}},
        "verticals": [each for each in example["verticals"] if each not in left_out],
        "data_dir": "data",
        "run_dir": str(folder.root / "run"),
        "api": {"host": HOST, "port": port},
        "demo": {"enabled": True, "control": str(folder.control)},
        "canteen": canteen,
        **({} if wires is None else {"garage": demo_garage(example["garage"], wires)}),
        **({} if gym is None else {"gym": demo_gym(example["gym"], gym)}),
    }


def read_example(example: Path) -> dict[str, Any]:
    """The example's site file as data."""
    with (example / "site.toml").open("rb") as file:
        return tomllib.load(file)


def copy_site(
    example: Path,
    folder: DemoFolder,
    lanes: int,
    port: int,
    today: date,
    wires: GarageFolder | None = None,
    gym: GymFolder | None = None,
) -> Site:
    """Make the demo's site in ``folder`` and read it back. Raises ``SiteErrors`` when the example itself is wrong."""
    shutil.copytree(example, folder.site, ignore=shutil.ignore_patterns("data", "run", "*.sock"))
    values = demo_site_file(read_example(example), folder, lanes, port, wires, gym)
    lines = [f"{json.dumps(key)} = {inline_toml(value)}" for key, value in values.items()]
    (folder.site / "site.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if gym is not None:
        open_all_day(folder.site, values["gym"])
    return load_site(folder.site, today)


def make_accounts(accounts: Accounts, site: Site) -> dict[str, Any]:
    """The person who opens the link, and the tokens of the simulated staff and terminals (valid for a day)."""
    accounts.create_user(PERSON, None, Role.ADMIN, None, PERSON)
    _, kitchen = accounts.tokens.create("simulated kitchen", Role.KITCHEN, None, 1, PERSON)
    _, cashier = accounts.tokens.create("simulated cashier", Role.CASHIER, None, 1, PERSON)
    terminals = {
        each.lane: accounts.tokens.create(f"simulated diners {each.lane}", Role.DINER_TERMINAL, each.lane, 1, PERSON)[1]
        for each in site.canteen.lanes
    }
    _, bikes = accounts.tokens.create("simulated neighbours", Role.CASHIER, None, 1, PERSON)
    _, coach = accounts.tokens.create("simulated coach", Role.COACH, None, 1, PERSON)
    return {"kitchen": kitchen, "cashier": cashier, "terminal": terminals, "bikes": bikes, "coach": coach}


def make_panels(accounts: Accounts, site: Site) -> tuple[dict[str, str], str]:
    """A token for the wall panel of each zone, and the PIN with which the person resets there. Nothing here has a
    default: both are drawn anew for each demo."""
    panels = {}
    for zone in site.garage.zones if site.garage is not None else ():
        for panel in zone.panels:
            _, panels[zone.zone] = accounts.tokens.create(f"panel {panel}", Role.PANEL, None, 1, PERSON, panel)
    while True:
        pin = "".join(str(secrets.randbelow(10)) for _ in range(MIN_DIGITS))
        try:
            accounts.pins.set(PERSON, pin, PERSON)
        except AccountProblem:  # too simple: draw again
            continue
        return panels, pin


def floor_settings(
    site: Site, folder: DemoFolder, tokens: Mapping[str, Any], today: date, *, diners: bool
) -> dict[str, Any]:
    """The settings of ``firmware_sim.floor`` (described there) for this site."""
    cards = {dish.dish_id: dish for dish in site.canteen.dishes}
    on_sale = next((menu.dish_ids for menu in site.canteen.menu if menu.day == today.isoformat()), ())
    return {
        "control": str(folder.control),
        "api": f"http://{HOST}:{site.api.port}",
        "tokens": {name: tokens[name] for name in ("kitchen", "cashier", "terminal")},
        "lanes": [_lane(site, number) for number in range(len(site.canteen.lanes))],
        "dishes": [_dish(cards[dish_id]) for dish_id in on_sale],
        # The simulated plates carry both kinds of chip, so that every plate can be put down on every lane.
        "plates": [{"uid": plate.uid, "label": plate.label, "chips": "both"} for plate in site.canteen.plates],
        "members": [_member(member, number, today) for number, member in enumerate(site.canteen.members, 1)],
        "diners": diners,
        "seed": secrets.randbelow(1 << 31),
    }


def _lane(site: Site, index: int) -> dict[str, Any]:
    lane = site.canteen.lanes[index]
    device = next(each for each in site.devices["canteen"] if each.device == lane.device)
    link = parse_link_url(device.link)
    assert isinstance(link, SerialUrl)
    return {
        "lane": lane.lane,
        "protocol": device.protocol,
        "link": link.path,
        "baud": link.baud,
        "parity": link.parity,
    }


def _dish(card: DishCard) -> dict[str, Any]:
    by_weight = card.priced_by is PricedBy.WEIGHT
    return {"dish_id": card.dish_id, **({"weight": card.portion_g} if by_weight else {})}


def _member(member: MemberEntry, number: int, today: date) -> dict[str, Any]:
    born = date.fromisoformat(member.born)
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    label = {"zh": f"会员 {number}（{age} 岁）", "en": f"Member {number} (aged {age})"}
    return {"token": member.token, "card": member.card, "label": label}
