"""The gym that issue 5 speaks of, as a site folder: two halls with 200 machines and 100 belts, a trail with gates, and
232 outdoor points in 63 compounds. Written as a site file, read by the product's own reader.

Names and places are invented; how many pieces stand in a compound, how old they are and which have no date is spread
as a real register would have it.
"""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.demo_site import inline_toml

ROOT = Path(__file__).parents[2]
TRAIL = "trail"
BLE = "ble"
_KINDS = ("treadmill", "bike", "cross_trainer", "rower")
_ROADS = (
    ("虹旭", "Hongxu"), ("仙霞", "Xianxia"), ("欣苑", "Xinyuan"), ("长河", "Changhe"), ("新泾", "Xinjing"),
    ("天山", "Tianshan"), ("北渔", "Beiyu"), ("茅台", "Maotai"), ("芙蓉", "Furong"), ("安顺", "Anshun"),
    ("古北", "Gubei"), ("水城", "Shuicheng"), ("遵义", "Zunyi"), ("娄山", "Loushan"), ("玉屏", "Yuping"),
    ("威宁", "Weining"), ("剑河", "Jianhe"), ("哈密", "Hami"), ("淞虹", "Songhong"), ("泉口", "Quankou"),
    ("双流", "Shuangliu"),
)  # fmt: skip
_PIECES = (
    ("漫步机", "Air walker"), ("扭腰器", "Waist twister"), ("太极推手", "Tai chi wheels"), ("上肢牵引器", "Arm puller"),
    ("健骑机", "Rider"), ("腰背按摩器", "Back roller"), ("双杠", "Parallel bars"), ("蹬力器", "Leg press"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """How many of what."""

    compounds: int = 63
    points: int = 232
    machines: int = 200
    belts: int = 100
    gates: int = 6

    def compound_names(self) -> list[str]:
        return [f"c{number:02}" for number in range(1, self.compounds + 1)]

    def points_of(self, compound: int) -> list[str]:
        """The names of the points in the ``compound``-th compound (from 0); the first ones have one more."""
        more = self.points % self.compounds
        first = compound * (self.points // self.compounds) + min(compound, more)
        count = self.points // self.compounds + (compound < more)
        return [f"out-{number:03}" for number in range(first + 1, first + count + 1)]

    def all_points(self) -> Iterator[tuple[str, str]]:
        """(compound, point) of every outdoor point."""
        for number, compound in enumerate(self.compound_names()):
            for point in self.points_of(number):
                yield compound, point


def point_place(compound: str, point: str) -> str:
    """Where an outdoor point is heard of, behind the device ``TRAIL``."""
    return f"{compound}/{point}"


def gate_place(number: int) -> str:
    return f"park/gate-{number}"


def compound_words(number: int) -> dict[str, str]:
    zh, en = _ROADS[number % len(_ROADS)]
    turn = number // len(_ROADS) + 1
    return {"zh": f"{zh}{'一二三四五六七八九'[turn - 1]}村", "en": f"{en} estate {turn}"}


def machines_file(layout: Layout) -> dict[str, Any]:
    """``machines.toml``."""
    halls = [_hall("hall", "健身厅", "Hall", 0, layout), _hall("elders", "长者健身房", "Elders' gym", 1, layout)]
    return {"zones": [*halls, *(_compound(layout, number) for number in range(layout.compounds))]}


def _hall(zone: str, zh: str, en: str, half: int, layout: Layout) -> dict[str, Any]:
    found: dict[str, Any] = {"zone": zone, "name": {"zh": zh, "en": en}, "open": "6:00", "close": "24:00"}
    found |= {"limits": bool(half), "queue": not half}
    found["machines"] = [_machine(zone, number, layout) for number in range(half, layout.machines, 2)]
    if not half:
        found["trails"] = [_trail(layout)]
    return found


def _machine(zone: str, number: int, layout: Layout) -> dict[str, Any]:
    name, kind = f"m{number:03}", _KINDS[number // 2 % 4]
    found: dict[str, Any] = {
        "asset": name, "kind": kind, "name": {"zh": f"器械 {number}", "en": f"Machine {number}"},
        "model": f"sim-{kind}", "installed": f"2024-{number % 12 + 1:02}-01",
        "at": [{"device": BLE, "point": f"{zone}/{name}"}],
    }  # fmt: skip
    if number < layout.belts:
        found["heart"] = [{"device": BLE, "point": f"{zone}/{name}-hr"}]
    return found


def _trail(layout: Layout) -> dict[str, Any]:
    step_m = 1800 // layout.gates
    gates = [
        {"gate": f"g{n}", "name": {"zh": f"门 {n}", "en": f"Gate {n}"}, "at_m": n * step_m, "device": TRAIL,
         "point": gate_place(n)}
        for n in range(layout.gates)
    ]  # fmt: skip
    return {"trail": "park", "name": {"zh": "公园步道", "en": "Park trail"}, "length_m": 1800, "gates": gates}


def _compound(layout: Layout, number: int) -> dict[str, Any]:
    zone = layout.compound_names()[number]
    found: dict[str, Any] = {"zone": zone, "name": compound_words(number), "open": "0:00", "close": "24:00"}
    found["machines"] = [
        _piece(zone, point, int(point.rpartition("-")[2])) for point in layout.points_of(number)
    ]  # fmt: skip
    return found


def _piece(zone: str, point: str, number: int) -> dict[str, Any]:
    zh, en = _PIECES[number % len(_PIECES)]
    found: dict[str, Any] = {
        "asset": point, "kind": "outdoor", "name": {"zh": zh, "en": en}, "maker": "Example", "serial": f"X{number:04}",
        "at": [{"device": TRAIL, "point": point_place(zone, point)}],
    }  # fmt: skip
    if number % 29:  # of a few nobody knows the age
        found |= {"installed": f"{2018 + number % 8}-{number % 12 + 1:02}-{number % 28 + 1:02}", "life_years": 8}
    return found


def write_site(folder: Path, layout: Layout, *, port: int = 1883, api_port: int = 8600, run: str = "") -> None:
    """The example's site with this gym into ``folder`` (made anew), of which only the gym runs. ``run`` is its folder
    of sockets, ``port`` the broker's."""
    shutil.copytree(ROOT / "config", folder, ignore=shutil.ignore_patterns("data", "run", "garage"))
    link = f"mqtt://127.0.0.1:{port}?client=kangle-site-"
    with (folder / "site.toml").open("rb") as file:
        canteen = tomllib.load(file)["canteen"]
    site: dict[str, Any] = {
        "site_id": "kangle-park", "name": {"zh": "康乐体育公园", "en": "Kangle sports park"}, "verticals": ["gym"],
        "data_dir": "data", **({"run_dir": run} if run else {}), "api": {"host": "127.0.0.1", "port": api_port},
        "canteen": canteen,
        "gym": {
            "tables": "gym", "utc_offset_min": 480,
            "devices": [
                {"device": BLE, "protocol": "ble_gateway", "link": link + BLE},
                {"device": TRAIL, "protocol": "trail_gates", "link": link + TRAIL},
            ],
        },
    }  # fmt: skip
    _write(folder / "site.toml", site)
    _write(folder / "gym" / "machines.toml", machines_file(layout))


def _write(path: Path, values: dict[str, Any]) -> None:
    lines = [f"{json.dumps(key)} = {inline_toml(value)}" for key, value in values.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
