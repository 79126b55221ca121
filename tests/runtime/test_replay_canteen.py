"""The canteen's own kernel on the real store: a lunch is written, restarted, replayed in fresh processes, and the
schema's rules hold for every row that it writes."""

from __future__ import annotations

import importlib.util
import json
import random
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.domain.canteen.messages import BindPlates, Identify, Pay, Phase, RefundLines, RegisterPlates, TopUp, VoidOrder
from edge.domain.canteen.rows import ROW_TYPES, OrderRow, PaymentRow, PurseRow
from edge.domain.digest import effects_digest
from edge.domain.kernel import Put
from edge.runtime.replay import main, replay
from edge.storage.batch import Batch, LogRecord, RecordKind, WorldSnapshot
from edge.storage.facts import FactsStore
from edge.storage.snapshots import encode_world

CANTEEN = Path(__file__).parent.parent / "canteen" / "conftest.py"


def load_canteen() -> Any:
    name = "kangle_canteen_kit"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, CANTEEN)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


kit = load_canteen()


class StoredCanteen(kit.Canteen):
    """The test canteen, with every input and row also written to a store; a restart loads from there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.store = FactsStore.open(directory, ROW_TYPES, ballast_bytes=0, build="b1")
        self.errors: list[Any] = []
        self.config = kit.make_config()
        super().__init__(self.config)

    def __post_init__(self) -> None:
        self.begin()
        super().__post_init__()

    def begin(self) -> None:
        self.world = self.kernel.load(self.store.rows())
        stamp = self.stamp()
        effects = self.kernel.resume(self.world, stamp)
        self.keep(stamp, b"", effects, RecordKind.RESUMED, "start")

    def keep(self, stamp: Any, data: bytes, effects: Any, kind: RecordKind, reason: str | None) -> None:
        snapshot = WorldSnapshot(stamp.seq, reason, encode_world(self.world)) if reason else None
        rows = [effect.row for effect in effects if isinstance(effect, Put)]
        record = LogRecord(stamp, data, effects_digest(effects), kind)
        self.store.submit(Batch(records=[record], rows=rows, snapshot=snapshot), self.errors.append)

    def give(self, item: Any) -> Any:
        stamp = self.stamp()
        effects = self.kernel.handle(self.world, item, stamp)
        self.keep(stamp, msgspec.msgpack.encode(item), effects, RecordKind.INPUT, None if stamp.seq % 97 else "hourly")
        self.take(effects)
        return effects

    def settle_disk(self) -> None:
        written = threading.Event()
        self.store.submit(Batch(), lambda _error: written.set())
        assert written.wait(60)
        assert set(self.errors) == {None}

    def restart(self) -> None:
        self.settle_disk()
        self.begin()
        for lane in self.config.lanes:
            self.ready(lane.lane)


def serve(canteen: StoredCanteen, draw: random.Random, number: int) -> str | None:
    """One diner: a tray of some plates, paid in one of the ways; returns the order's id when it was sold."""
    plates = draw.sample(range(20), draw.randrange(1, 5))
    dishes = ["pork", "greens", "rice", "soup"]
    for plate in plates:
        canteen.command(BindPlates(dish_id=draw.choice(dishes), plate_uids=(kit.uid(plate),)))
    card = draw.choice(["", "1001", "1002"])
    canteen.command(Identify(lane="1", card=card))
    view = canteen.settle("1", [kit.uid(plate) for plate in plates])
    if view.phase is not Phase.FIRM:
        return None
    order = f"o{number}"
    pay = Pay(
        lane="1",
        order_id=order,
        tray_id=view.tray_id,
        tray_version=view.tray_version,
        payable_fen=view.payable_fen,
        method="purse" if card and draw.random() < 0.7 else "cash",
        tendered_fen=view.payable_fen + draw.choice([0, 50, 500]),
    )
    answer = canteen.command(pay)
    for _ in range(4):
        canteen.reads("1", [])
    return order if answer.code == "ok" else None


@pytest.fixture(scope="module")
def lunch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoredCanteen]:
    draw = random.Random(11)
    canteen = StoredCanteen(tmp_path_factory.mktemp("lunch") / "canteen")
    canteen.command(RegisterPlates(plates=(("e0ffffffffffff01", "X1", "bowl", 200),)))
    for member in ("m-elder", "m-young"):
        assert canteen.command(TopUp(member=member, fen=100_000)).code == "ok"
    sold = []
    for number in range(40):
        order = serve(canteen, draw, number)
        if order is not None:
            sold.append(order)
        if number == 20:
            canteen.restart()
    assert len(sold) >= 20, "the lunch must sell"
    assert canteen.command(VoidOrder(order_id=sold[3], reason="test")).code == "ok"
    refund = RefundLines(refund_id="r1", order_id=sold[5], line_nos=(1,), reason="test")
    assert canteen.command(refund).code == "ok"
    canteen.tick(60_000)
    canteen.settle_disk()
    yield canteen
    canteen.store.close()


def test_every_row_of_a_lunch_passes_the_schema_and_comes_back(lunch: StoredCanteen) -> None:
    for kind in ROW_TYPES:
        assert list(lunch.store.rows().all(kind)) == list(lunch.rows.all(kind)), kind.__name__
    orders = list(lunch.store.rows().all(OrderRow))
    payments = list(lunch.store.rows().all(PaymentRow))
    assert {row.status for row in orders} >= {"paid", "voided"}
    assert {row.method for row in payments} == {"cash", "purse"}
    assert any(row.discount_fen for row in orders)
    assert any(row.subsidy_fen for row in orders)
    assert len(list(lunch.store.rows().all(PurseRow))) == 2


def test_a_lunch_replays_identically_also_in_fresh_processes(
    lunch: StoredCanteen, capfd: pytest.CaptureFixture[str]
) -> None:
    report = replay(lunch.directory, lunch.kernel)
    assert report.exit_code == 0, report
    assert report.inputs > 400
    assert report.starts == 2
    assert report.copies >= 3
    assert main([str(lunch.directory), "canteen", "--fresh", "--quiet"]) == 0
    result = json.loads(capfd.readouterr().out)
    assert result["fresh"]["same"] is True
    assert result["chain"] == report.chain


@pytest.mark.parametrize("part", [0.25, 0.5, 0.9])
def test_a_part_of_a_lunch_replays_from_the_snapshot_before_it(lunch: StoredCanteen, part: float) -> None:
    first = int(lunch.seq * part)
    report = replay(lunch.directory, lunch.kernel, first, first + 30)
    assert report.exit_code == 0, report
    assert report.inputs in (30, 31)
