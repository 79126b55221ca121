"""A canteen in a test: the real kernel, rows kept in memory, passes given as sets of chips."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from edge.domain.actors import Actor, Role
from edge.domain.canteen.kernel import CanteenKernel
from edge.domain.canteen.messages import Command, ConfigApplied, DayOpened, LaneView, Timer
from edge.domain.canteen.settings import (
    CanteenConfig,
    Category,
    DishCard,
    LaneSettings,
    Meal,
    MemberEntry,
    MenuDay,
    NutrientReference,
    Nutrients,
    PlateEntry,
    PricedBy,
    Rule,
    RuleKind,
)
from edge.domain.devices import DeviceHealth, DeviceReading, DeviceState, PlatePass, ResidualPass, TagSeen
from edge.domain.kernel import Effects, Put, Reply, Row, Send, Show, Stamp
from edge.domain.words import Text

DAY = "2026-11-22"
NOON_NS = 1_795_320_000_000_000_000  # 2026-11-22 04:00 UTC = 12:00 in Shanghai
PASS_NS = 70_000_000
RESIDUAL_NS = 17_000_000


def nutrients(energy_kj: int = 500, **more: int | None) -> Nutrients:
    known: dict[str, int] = {"protein_mg": 8000, "fat_mg": 6000, "carbohydrate_mg": 15000, "sodium_mg": 300}
    return Nutrients(energy_j=energy_kj * 1000, **{**known, **more})  # type: ignore[arg-type]


def dish(dish_id: str, price_fen: int, *, by_weight: bool = False, portion_g: int = 150) -> DishCard:
    return DishCard(
        dish_id=dish_id,
        version="v" + dish_id,
        name=Text(zh=dish_id, en=dish_id),
        price_fen=price_fen,
        portion_g=portion_g,
        priced_by=PricedBy.WEIGHT if by_weight else PricedBy.PORTION,
        nutrients=nutrients(),
        kind="main",
    )


PUTUO_DISCOUNT = Rule(
    rule_id="putuo-d60", version="1", kind=RuleKind.DISCOUNT, title=Text(zh="九折", en="10 % off"), start="2025-12-01",
    district="putuo", min_age=60, max_age=79, rate_bp=9000,
)  # fmt: skip
PUTUO_DISCOUNT_80 = Rule(
    rule_id="putuo-d80", version="1", kind=RuleKind.DISCOUNT, title=Text(zh="八五折", en="-15 %"), start="2025-12-01",
    district="putuo", min_age=80, rate_bp=8500,
)  # fmt: skip
PUTUO_B = Rule(
    rule_id="putuo-b", version="1", kind=RuleKind.SUBSIDY, title=Text(zh="助餐补贴", en="Meal subsidy"),
    start="2025-12-01", district="putuo", hukou=True, min_age=60, max_age=79, amount_fen=200, min_spend_fen=1500,
    scheme="putuo-dine-in", per_person_per_day=1,
)  # fmt: skip
RULES = (PUTUO_DISCOUNT, PUTUO_DISCOUNT_80, PUTUO_B)


def make_config(**changes: Any) -> CanteenConfig:
    dishes = (
        dish("pork", 1200),
        dish("greens", 500),
        dish("rice", 100),
        dish("soup", 235),
        dish("fruit", 330, by_weight=True, portion_g=200),
        dish("tomorrow", 800),
    )
    lanes = tuple(
        LaneSettings(lane=n, name=Text(zh=f"{n}号台", en=f"Lane {n}"), device=f"reader-{n}") for n in ("1", "2")
    )
    base = CanteenConfig(
        version="c1",
        site=Text(zh="康乐食府", en="Kangle Canteen"),
        lanes=lanes,
        dishes=dishes,
        menu=(
            MenuDay(day=DAY, dish_ids=("pork", "greens", "rice", "soup", "fruit")),
            MenuDay(day="2026-11-23", dish_ids=("pork", "tomorrow")),
        ),
        meals=(Meal(meal_id="lunch", name=Text(zh="午餐", en="Lunch"), start_min=630, end_min=810),),
        rules=RULES,
        categories=(
            Category(category_id="guest", name=Text(zh="散客", en="Guest")),
            Category(category_id="putuo-65", name=Text(zh="长者", en="Senior"), age=65, district="putuo"),
        ),
        references=(
            NutrientReference(
                reference_id="gb",
                start="2013-01-01",
                source="GB 28050-2011",
                daily=Nutrients(
                    energy_j=8_400_000, protein_mg=60000, fat_mg=60000, carbohydrate_mg=300000, sodium_mg=2000
                ),
            ),
        ),
        plates=tuple(PlateEntry(f"e0{i:014x}", f"P{i:03d}", "bowl", 200) for i in range(40)),
        members=(
            MemberEntry(token="m-elder", card="1001", born="1960-03-01", district="putuo", hukou=True),
            MemberEntry(token="m-young", card="1002", born="1990-03-01"),
        ),
    )
    return msgspec.structs.replace(base, **changes)


class MemoryRows:
    """Rows as the store would give them back: by table and primary key, in key order."""

    def __init__(self) -> None:
        self.tables: dict[type[Row], dict[tuple[Any, ...], Row]] = {}

    def put(self, row: Row) -> None:
        key = tuple(getattr(row, name) for name in type(row).KEY)  # type: ignore[attr-defined]
        self.tables.setdefault(type(row), {})[key] = row

    def all(self, kind: type[Row]) -> Any:
        return iter([row for _, row in sorted(self.tables.get(kind, {}).items())])

    def since(self, kind: type[Row], column: str, value: str | int) -> Any:
        return iter([row for row in self.all(kind) if getattr(row, column) >= value])


@dataclass
class Canteen:
    config: CanteenConfig
    kernel: CanteenKernel = field(default_factory=CanteenKernel)
    rows: MemoryRows = field(default_factory=MemoryRows)
    seq: int = 0
    mono_ns: int = 1_000_000_000
    wall_ns: int = NOON_NS
    log: list[Effects] = field(default_factory=list)
    shown: dict[str, Any] = field(default_factory=dict)
    residual_due: dict[str, int] = field(default_factory=dict)
    commands: int = 0

    def __post_init__(self) -> None:
        self.world = self.kernel.load(self.rows)
        self.give(ConfigApplied(self.config))
        self.give(DayOpened(DAY))
        for lane in self.config.lanes:
            self.ready(lane.lane)

    def stamp(self) -> Stamp:
        self.seq += 1
        return Stamp(self.seq, "boot", self.mono_ns, self.wall_ns, True)

    def give(self, item: Any) -> Effects:
        effects = self.kernel.handle(self.world, item, self.stamp())
        self.take(effects)
        return effects

    def take(self, effects: Effects) -> None:
        self.log.append(effects)
        for effect in effects:
            match effect:
                case Put(row=row):
                    self.rows.put(row)
                case Show(key=key, view=view):
                    self.shown[key] = view
                case Send(device=device, command=ResidualPass(passes=passes)):
                    self.residual_due[device] = passes
                case _:
                    pass

    def restart(self) -> None:
        """As after kill -9: a new world from the rows that were written."""
        self.world = self.kernel.load(self.rows)
        self.take(self.kernel.resume(self.world, self.stamp()))
        for lane in self.config.lanes:
            self.ready(lane.lane)

    def ready(self, lane: str, state: DeviceState = DeviceState.READY) -> None:
        self.give(DeviceReading(f"reader-{lane}", 1, DeviceHealth(state=state)))

    def lane(self, lane: str = "1") -> LaneView:
        return self.shown[f"lane/{lane}"]

    def reads(self, lane: str, uids: Any, **facts: Any) -> LaneView:
        """One statistical pass that hears ``uids``, then the residual passes asked for, which hear nothing."""
        started = self.mono_ns
        self.elapse(PASS_NS)
        tags = tuple(uid if isinstance(uid, TagSeen) else TagSeen(uid) for uid in uids)
        base: dict[str, Any] = {
            "tags": tags, "complete": True, "residual": False, "independent": True, "status": 0, "status_name": "ok",
            "started_ns": started, "ended_ns": self.mono_ns,
        }  # fmt: skip
        self.give(DeviceReading(f"reader-{lane}", 1, PlatePass(**{**base, **facts})))
        for _ in range(self.residual_due.pop(f"reader-{lane}", 0)):
            self.elapse(RESIDUAL_NS)
            quiet = {"tags": (), "residual": True, "independent": False, "status": 1, "ended_ns": self.mono_ns}
            self.give(DeviceReading(f"reader-{lane}", 1, PlatePass(**{**base, **quiet})))
        return self.lane(lane)

    def elapse(self, ns: int) -> None:
        self.mono_ns += ns
        self.wall_ns += ns

    def settle(self, lane: str, uids: Any, passes: int = 9) -> LaneView:
        for _ in range(passes):
            self.reads(lane, uids)
        return self.lane(lane)

    def tick(self, ms: int) -> None:
        self.mono_ns += ms * 1_000_000
        self.wall_ns += ms * 1_000_000
        self.give(Timer())

    def command(self, body: Any, *, role: Role = Role.ADMIN, command_id: str = "", user: str = "u") -> Reply:
        self.commands += 1
        effects = self.give(Command(command_id or f"cmd-{self.commands}", Actor(role, user), body))
        return next(e for e in effects if isinstance(e, Reply))


def uid(n: int) -> str:
    return f"e0{n:014x}"


@pytest.fixture
def canteen() -> Canteen:
    return Canteen(make_config())


@pytest.fixture
def kit() -> Any:
    """The helpers of this file, for tests that build their own canteen."""

    class Kit:
        config = staticmethod(make_config)
        new = Canteen
        dish = staticmethod(dish)
        uid = staticmethod(uid)
        rules = RULES
        day = DAY
        noon_ns = NOON_NS

    return Kit
