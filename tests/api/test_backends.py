"""The real socket and the real store behind the API's two doors."""

from __future__ import annotations

import asyncio
import threading

import msgspec
import pytest

from edge.api import hub as hub_module
from edge.api import preview_world as world
from edge.api.books import BadCursor, BooksAway
from edge.api.gateway import DaemonAway
from edge.api.gateway_ipc import IpcGateway
from edge.api.hub import Hub
from edge.api.order_answers import order
from edge.api.store_books import StoreBooks
from edge.domain.actors import Actor, Role
from edge.domain.answered import ConfigRow
from edge.domain.canteen import rows
from edge.domain.canteen.messages import CallStaff, Command
from edge.domain.kernel import Stamp
from edge.runtime.ipc import IpcServer
from edge.runtime.ipc_messages import PROTOCOL_VERSION, Pulse, Welcome
from edge.storage.batch import Batch
from edge.storage.facts import FactsStore
from edge.storage.log import LogRecord, RecordKind

# --- the store --------------------------------------------------------------------------------------------------------


def written(directory, *content):
    """A store that holds these rows."""
    store = FactsStore.open(directory, rows.ROW_TYPES, ballast_bytes=0)
    done, errors = threading.Event(), []
    stamp = Stamp(1, "boot", 1, 1, wall_trusted=True)
    record = LogRecord(stamp, b"in", b"", RecordKind.INPUT)
    store.submit(Batch(records=[record], rows=list(content)), lambda error: (errors.append(error), done.set()))
    assert done.wait(60)
    assert errors == [None]
    store.close()


@pytest.fixture(scope="module")
def books(memory_folder):
    """A day of the canteen on disk."""
    directory = memory_folder()
    members = [
        rows.MemberRow(token=t, card=f"C{t}", born="1950-01-01", district="", hukou=False, low_income=False)
        for t in ("m001", "m002", "m003")
    ]
    orders = [world.order_row(i, member=(None, "m001", "m002")[i % 3], lane=str(1 + i % 2)) for i in range(1, 26)]
    entries = [
        rows.PurseEntryRow(seq=i, member=m, fen=-1, balance_fen=100 - i, kind="pay", ref=f"o-{i:04}", at_ns=i)
        for i in range(1, 8)
        for m in ("m001", "m002")
    ]
    card = world.CARDS[0]
    line = rows.OrderLineRow(
        order_id="o-0001", line_no=1, business_day=world.DAY, plate_uid="e004", fill_epoch=1, dish_id=card.dish_id,
        dish_version="v", grams=120, list_fen=1800, payable_fen=1530, subsidy_fen=0, fen_json="[1800,-270]",
        energy_j=1, protein_mg=2, fat_mg=3, carbohydrate_mg=4, sodium_mg=5,
    )  # fmt: skip
    steps = [
        rows.OrderStepRow(
            order_id="o-0001", step_no=i, business_day=world.DAY, kind=kind, rule_id=kind, rule_version="1", scheme="",
            fen=fen, why_json='{"age":72,"rule":"x"}',
        )
        for i, (kind, fen) in enumerate((("list", 1800), ("discount", -270)))
    ]  # fmt: skip
    payment = rows.PaymentRow(
        order_id="o-0001", business_day=world.DAY, method="purse", member="m001", fen=1530, tendered_fen=1530,
        change_fen=0, at_ns=1,
    )  # fmt: skip
    plates = [rows.PlateRow(uid=f"e0{i:02x}", label=f"A-{i}", kind="bowl", tare_g=300) for i in range(12)]
    config = ConfigRow(kind="canteen", version=world.CONFIG.version, body=msgspec.msgpack.encode(world.CONFIG))
    purses = [rows.PurseRow(member="m001", balance_fen=93), rows.PurseRow(member="m002", balance_fen=93)]
    written(directory, config, *members, *purses, *entries, *orders, line, *steps, payment, *plates)
    books = StoreBooks(directory)
    yield books
    books.close()


def pages(read, limit):
    """All rows of a list, page by page."""
    found, cursor = [], None
    while True:
        listing = read(cursor, limit)
        assert len(listing.rows) <= limit
        found += listing.rows
        cursor = listing.next_cursor
        if cursor is None:
            return found


def test_orders_come_newest_first_page_by_page_without_gap_or_repeat(books):
    found = pages(lambda cursor, limit: books.orders("", "", cursor, limit), 7)
    assert [row.seq for row in found] == list(range(25, 0, -1))
    assert [row.seq for row in books.orders("", "2", None, 3).rows] == [25, 23, 21]
    assert books.orders("2020-01-01", "", None, 3).rows == []


def test_a_members_orders_and_entries_are_theirs_alone(books):
    found = pages(lambda cursor, limit: books.member_orders("m001", cursor, limit), 2)
    assert {row.member for row in found} == {"m001"}
    assert len(found) == 9
    entries = pages(lambda cursor, limit: books.purse_entries("m002", cursor, limit), 3)
    assert [(entry.seq, entry.member) for entry in entries] == [(i, "m002") for i in range(7, 0, -1)]


def test_an_order_comes_with_all_its_parts(books):
    file = books.order("o-0001")
    whole = order(file, books.config())
    assert [line.shares_fen for line in whole.lines] == [(1800, -270)]
    assert whole.lines[0].name == world.CARDS[0].name
    assert [step.why for step in whole.steps] == [{"age": 72, "rule": "x"}] * 2
    assert sum(step.fen for step in whole.steps) == whole.payable_fen == whole.payment.fen
    assert [step.title.en for step in whole.steps] == ["List price", "Discount"]
    assert whole.assurance is None
    assert books.order("never") is None


def test_members_and_balances(books):
    assert books.member("m001").card == "Cm001"
    assert books.member("m999") is None
    assert (books.balance_fen("m001"), books.balance_fen("m003")) == (93, 0)


def test_plates_by_uid(books):
    assert [row.uid for row in pages(books.plates, 5)] == [f"e0{i:02x}" for i in range(12)]


def test_the_configuration_is_decoded_once(books):
    assert books.config() == world.CONFIG
    assert books.config() is books.config()


@pytest.mark.parametrize("cursor", ["nonsense", "AAAA", "k6ZvcmRlcnM"])
def test_a_foreign_cursor_is_a_bad_one(books, cursor):
    with pytest.raises(BadCursor):
        books.plates(cursor, 5)


def test_a_cursor_of_another_list_is_a_bad_one(books):
    cursor = books.plates(None, 5).next_cursor
    with pytest.raises(BadCursor):
        books.orders("", "", cursor, 5)


def test_no_store_yet_is_away_and_is_found_when_it_comes(tmp_path):
    books = StoreBooks(tmp_path / "canteen")
    with pytest.raises(BooksAway, match="absent"):
        books.orders("", "", None, 5)
    written(tmp_path / "canteen", rows.MemberRow(
        token="m1", card="c", born="1950-01-01", district="", hukou=False, low_income=False
    ))  # fmt: skip
    assert books.member("m1") is not None
    books.close()


# --- the socket -------------------------------------------------------------------------------------------------------

COMMAND = Command(command_id="k", actor=Actor(role=Role.CASHIER, user="c"), body=CallStaff(lane="1"))


class Daemon:
    """The server end of the socket, answering as it is told."""

    def __init__(self, path, answer=("ok", {"lane": "1"})):
        self.taken = []
        self.answer = answer
        self.server = IpcServer(path, Welcome(PROTOCOL_VERSION, "canteen", "test", "boot1"), Command, self._take)

    def _take(self, command):
        self.taken.append(command)
        if self.answer is not None:
            asyncio.get_running_loop().call_soon(self.server.reply, command.command_id, *self.answer)


async def until(condition, timeout_s=60):
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.005)


def run(scenario, tmp_path, timeout_s=60):
    async def go():
        gateway = IpcGateway(tmp_path / "canteen.sock", "canteen", timeout_s)
        await gateway.start()
        try:
            return await scenario(gateway)
        finally:
            await gateway.close()

    return asyncio.run(go())


def test_views_and_answers_come_over_the_socket(tmp_path):
    async def scenario(gateway):
        seen = []
        gateway.listen(seen.append)
        assert gateway.daemons()["canteen"].alive is False
        assert gateway.daemons()["canteen"].age_ms == -1
        daemon = Daemon(tmp_path / "canteen.sock")
        await daemon.server.start()
        daemon.server.show("menu", {"n": 1})
        await until(lambda: gateway.daemons()["canteen"].alive)
        await until(lambda: seen)
        daemon.server.show("lane/1", {"n": 2})
        await until(lambda: len(seen) == 2)
        answer = await gateway.submit(COMMAND)
        daemon.server.pulse(Pulse(1, 0.0, {}))
        present = {view.key: view for view in gateway.present()}
        await daemon.server.close("test")
        return daemon.taken, answer, seen, present

    taken, answer, seen, present = run(scenario, tmp_path)
    assert taken == [COMMAND]
    assert (answer.code, answer.json) == ("ok", b'{"lane":"1"}')
    assert [(view.key, view.boot_id, view.json) for view in seen] == [
        ("menu", "boot1", b'{"n":1}'),
        ("lane/1", "boot1", b'{"n":2}'),
    ]
    assert set(present) == {"menu", "lane/1"}


def test_what_a_daemon_has_no_more_after_a_reload_is_taken_back_from_every_page(tmp_path, monkeypatch):
    """A zone that the site file calls otherwise now: no wall may show the old one as quiet for ever."""
    monkeypatch.setattr(hub_module, "PULSE_S", 0.05)

    async def scenario(gateway):
        hub = Hub(gateway)
        hub.start()
        first = await started_with(gateway, tmp_path, "boot1", ("alarms", "zone/old"))
        await until(lambda: {"alarms", "zone/old"} <= set(hub._frames))
        page = hub.open("wall", lambda _: True)
        lane = hub.open("terminal", lambda _: True, lambda view: None if view.key.startswith("zone/") else view)
        await asyncio.gather(page.take(), lane.take())
        await first.close("reload")
        await until(lambda: not gateway.daemons()["canteen"].alive)
        second = await started_with(gateway, tmp_path, "boot2", ("alarms", "zone/new"))
        told = {page: b"", lane: b""}
        async with asyncio.timeout(60):
            while b"gone" not in told[page]:
                for box in told:
                    told[box] += await box.take()
        late = await hub.open("late wall", lambda _: True).take()
        hub.close()
        await second.close("test")
        return told[page], told[lane], late

    page, lane, late = run(scenario, tmp_path)
    assert page.count(b"event: gone") == 1
    assert b'event: gone\ndata: {"key":"zone/old"}\n\n' in page
    assert b"zone/" not in lane, "nobody learns a name of what he may not see"
    assert b"zone/old" not in late
    assert b"zone/new" in late


def test_the_views_of_a_daemon_that_is_away_are_old_and_not_gone(tmp_path, monkeypatch):
    monkeypatch.setattr(hub_module, "PULSE_S", 0.01)

    async def scenario(gateway):
        hub = Hub(gateway)
        hub.start()
        server = await started_with(gateway, tmp_path, "boot1", ("alarms", "zone/old"))
        await until(lambda: {"alarms", "zone/old"} <= set(hub._frames))
        await server.close("test")
        await until(lambda: not gateway.daemons()["canteen"].alive and hub._look_in < -3)
        late = await hub.open("wall", lambda _: True).take()
        hub.close()
        return late

    assert b"zone/old" in run(scenario, tmp_path)


async def started_with(gateway, tmp_path, boot, keys):
    """A life of the daemon that shows ``keys``."""
    welcome = Welcome(PROTOCOL_VERSION, "canteen", "test", boot)
    server = IpcServer(tmp_path / "canteen.sock", welcome, Command, lambda _command: None)
    await server.start()
    for key in keys:
        server.show(key, {"boot": boot})
    await until(lambda: {view.key for view in gateway.present() if view.boot_id == boot} == set(keys))
    return server


@pytest.mark.parametrize("state", ["absent", "silent", "dies"])
def test_no_answer_is_away_and_nothing_is_sent_twice(tmp_path, state):
    async def scenario(gateway):
        daemon = Daemon(tmp_path / "canteen.sock", answer=None)
        if state != "absent":
            await daemon.server.start()
            await until(lambda: gateway.daemons()["canteen"].alive)
        asked = asyncio.create_task(gateway.submit(COMMAND))
        if state == "dies":
            await until(lambda: daemon.taken)
            await daemon.server.close("test")
        with pytest.raises(DaemonAway):
            await asked
        if state == "silent":
            await until(lambda: daemon.taken)  # however late, it is there once
            daemon.server.show("menu", {"after": True})
            await until(lambda: [view.key for view in gateway.present()] == ["menu"])
            await daemon.server.close("test")
        return len(daemon.taken)

    assert run(scenario, tmp_path, timeout_s=0.3) == (0 if state == "absent" else 1)


def test_a_daemon_that_comes_back_is_found_and_its_views_replace_the_old(tmp_path):
    async def scenario(gateway):
        seen = []
        gateway.listen(seen.append)
        for n in (1, 2):
            daemon = Daemon(tmp_path / "canteen.sock")
            await daemon.server.start()
            daemon.server.show("menu", {"n": n})
            await until(lambda n=n: any(view.json == b'{"n":%d}' % n for view in seen))
            await daemon.server.close("test")
            await until(lambda: not gateway.daemons()["canteen"].alive)
        return [view.json for view in seen]

    assert run(scenario, tmp_path) == [b'{"n":1}', b'{"n":2}']
