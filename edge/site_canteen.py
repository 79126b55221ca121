"""The canteen of a site: reads all its tables and builds one ``CanteenConfig`` with cross-checks between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import msgspec

from edge.domain.canteen.settings import CanteenConfig, Category, LaneSettings, MemberEntry, Rule
from edge.domain.words import Text
from edge.site_dishes import Pantry, digest, read_dishes
from edge.site_food import read_ingredients, read_methods
from edge.site_menu import read_meals, read_menu
from edge.site_model import DeviceSettings
from edge.site_people import read_categories, read_members, read_plates, read_references
from edge.site_report import Bag, Place, did_you_mean, one_of
from edge.site_table import ID, ID_FORM, Seen, Table, once
from edge.site_tariff import read_tariff


def read_canteen(
    table: Table, folder: Path, name: Text, devices: Sequence[DeviceSettings], today: date, bag: Bag
) -> CanteenConfig:
    """Build the configuration from ``[canteen]`` of site.toml and the tables in ``folder`` / its ``tables``; mistakes
    of the tables go into ``bag``."""
    tables = table.string("tables", required=False) or "canteen"
    lanes = _lanes(table, {device.device: device.protocol for device in devices})
    default_category = table.ident("default_category", required=False) or "guest"
    offset = table.integer("utc_offset_min", -720, 840, 480, "min")
    base = folder / tables

    def at(file: str) -> tuple[Path, str]:
        return base / file, f"{tables}/{file}"

    pantry = Pantry(*read_ingredients(*at("ingredients.csv"), bag), read_methods(*at("cooking.toml"), bag))
    dishes, complete = read_dishes(*at("dishes"), pantry, bag)
    if not dishes and complete:
        bag.add("missing", Place(f"{tables}/dishes", None, "dish"), hint=Text("至少一道菜", "at least one dish"))
    dish_ids = [dish.dish_id for dish in dishes] if dishes and complete else None
    meals = read_meals(*at("meals.toml"), bag)
    categories = read_categories(*at("categories.toml"), bag)
    _check_default(table, default_category, [category.category_id for category in categories])
    rules = read_tariff(*at("tariff.toml"), dish_ids, meals, bag)
    members = read_members(*at("members.csv"), today, bag)
    _check_districts(rules, categories, members, at("members.csv")[1], bag)
    config = CanteenConfig(
        version="",
        site=name,
        lanes=lanes,
        dishes=dishes,
        menu=read_menu(*at("menu.toml"), dish_ids, today, bag),
        meals=meals,
        rules=rules,
        categories=categories,
        references=read_references(*at("references.toml"), bag),
        plates=read_plates(*at("plates.csv"), bag),
        members=members,
        default_category=default_category,
        refund_days=table.integer("refund_days", 0, 90, 7, "d") or 0,
        utc_offset_min=480 if offset is None else offset,
    )
    return msgspec.structs.replace(config, version=digest(config))


#: Share of plates that a reader's capture may hide, per million (``LaneSettings.hidden_ppm``): readers that walk a tree
#: by UID hide the same chip in every pass, Gen2 readers draw their slots anew.
HIDDEN_PPM = {"feig": 50_000, "magicrf": 0}


def _check_default(table: Table, category: str, known: Sequence[str]) -> None:
    if known and category not in known:
        hint = did_you_mean(category, known)
        table.mistake("unknown_id", "default_category", category, one_of(known), hint)


def _lanes(table: Table, protocols: Mapping[str, str]) -> tuple[LaneSettings, ...]:
    devices = list(protocols)
    lanes = []
    seen: Seen = {}
    used: Seen = {}
    for entry in table.tables("lanes"):
        lane = entry.string("lane", ID, ID_FORM)
        name = entry.text("name")
        device = entry.ident("device")
        if device and device not in devices:
            entry.mistake("unknown_id", "device", device, one_of(devices), did_you_mean(device, devices))
        else:
            once(used, device, entry, "device")
        settings = LaneSettings(
            lane=lane,
            name=name,
            device=device,
            beta_a=entry.integer("beta_a", 1, 10_000, 45) or 45,
            beta_b=entry.integer("beta_b", 1, 10_000, 5) or 5,
            mean_plates=entry.number("mean_plates", 0.5, 30.0, 3.5),
            epsilon=entry.number("epsilon", 1e-9, 0.01, 1e-4),
            dead_chip_ppm=_ppm(entry, "dead_chip_ppm", 1000),
            hidden_ppm=_ppm(entry, "hidden_ppm", HIDDEN_PPM.get(protocols.get(device, ""), 50_000)),
            cap_ms=entry.integer("cap_ms", 200, 10_000, 1200, "ms") or 1200,
        )
        entry.finish()
        if once(seen, lane, entry, "lane"):
            lanes.append(settings)
    for device in sorted(set(devices) - set(used)):
        table.mistake("unused", "devices", device, hint=Text("没有结算台使用它", "no lane uses it"), warn=True)
    if not lanes and not table.has("lanes"):
        table.mistake(
            "missing", "lanes", hint=Text("至少一个结算台 [[canteen.lanes]]", "at least one [[canteen.lanes]]")
        )
    return tuple(lanes)


def _ppm(entry: Table, key: str, default: int) -> int:
    ppm = entry.integer(key, 0, 500_000, default, "ppm")
    return default if ppm is None else ppm


def _check_districts(
    rules: Sequence[Rule], categories: Sequence[Category], members: Sequence[MemberEntry], file: str, bag: Bag
) -> None:
    """Warn of members whose district no rule and no category knows: mostly a typing slip that costs them a discount."""
    known = {rule.district for rule in rules} | {category.district for category in categories} | {""}
    for district in sorted({member.district for member in members} - known):
        count = sum(1 for member in members if member.district == district)
        hint = did_you_mean(district, known)
        bag.add(
            "unknown_id",
            Place(file, None, "district"),
            f"{district} ({count} x)",
            one_of(known - {""}),
            hint,
            warn=True,
        )
